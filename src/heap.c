/* heap.c - memory is overwritten when it is freed, whoever frees it.
 *
 * Secrets pass through libraries: a value of json-c, a request of libcurl, a record of OpenSSL's, a
 * message of libpq's. None of them wipes all that it frees, so that a token of hours ago stood in
 * the heap. These stand in front of glibc's allocator, for every library of the process. Source:
 * "Replacing malloc" in the GNU C library's manual; what it asks for and is not here keeps no old
 * block. A sanitizer has an allocator of its own, and wants freed memory as it was.
 */
#include <malloc.h>

#include "base/attr.h"

#undef malloc
#undef calloc
#undef realloc

#if !SANITIZED

/* glibc's own names of its functions, which no header declares. */
extern void *__libc_malloc(size_t size);               // NOLINT
extern void *__libc_calloc(size_t count, size_t size); // NOLINT
extern void __libc_free(void *p);                      // NOLINT

void *malloc(size_t size)
{
    return __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    return __libc_calloc(nmemb, size);
}

void free(void *ptr)
{
    if (!ptr)
        return;
    explicit_bzero(ptr, malloc_usable_size(ptr));
    __libc_free(ptr);
}

/* glibc's would leave the old block as it was when it moves one. */
void *realloc(void *ptr, size_t size)
{
    size_t had = ptr ? malloc_usable_size(ptr) : 0;
    void *moved;

    if (ptr && size && size <= had && size >= had / 2)
        return ptr;
    if (ptr && !size) {
        free(ptr);
        return NULL;
    }
    moved = __libc_malloc(size);
    if (moved && ptr) {
        memcpy(moved, ptr, size < had ? size : had);
        free(ptr);
    }
    return moved;
}

#endif
