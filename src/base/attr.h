/* attr.h - the compiler attributes we use, and the only ones. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

/* The result says whether the function succeeded; dropping it does not compile under -Werror. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Arguments `f` and following are checked like those of printf. */
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* Run `fn(&variable)` when the variable goes out of scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define NORETURN __attribute__((noreturn))
#define UNUSED   __attribute__((unused))

/* Whether AddressSanitizer or ThreadSanitizer is in this build: it has an allocator of its own, and
 * attaches to its own process. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
