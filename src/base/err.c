/* err.c - the one error. */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    "None", "Invalid", "Denied", "NotFound", "Conflict", "Busy", "Unavailable", "Internal",
};
static_assert(sizeof(names) / sizeof(names[0]) == ERR_CODE_COUNT, "a name for each code");

/* Ends a cut message in "...", never in half a UTF-8 character. */
static void mark_cut(struct err *e, int n)
{
    size_t at = sizeof(e->msg) - 4;

    if (n < (int)sizeof(e->msg))
        return;
    while (at > 0 && ((unsigned char)e->msg[at] & 0xC0U) == 0x80U)
        at--;
    memcpy(e->msg + at, "...", 4);
}

bool err_set(struct err *e, enum err_code code, const char *format, ...)
{
    va_list args;
    int n;

    e->code = code;
    va_start(args, format);
    n = vsnprintf(e->msg, sizeof(e->msg), format, args);
    va_end(args);
    mark_cut(e, n);
    return false;
}

bool err_wrap(struct err *e, const char *format, ...)
{
    struct err inner = *e;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(e->msg, sizeof(e->msg), format, args);
    va_end(args);
    if (n >= 0 && n < (int)sizeof(e->msg))
        n += snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, ": %s", inner.msg);
    mark_cut(e, n);
    return false;
}

const char *err_code_name(enum err_code code)
{
    assert(code < ERR_CODE_COUNT);
    return names[code];
}
