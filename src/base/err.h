/*
 * err.h - the one way to fail: `bool` plus `struct err *e`.
 *
 * The code is for the program, the sentence is for a person and never holds a secret. An err holds
 * no pointer, so it needs no owner. A function that can fail is MUST_CHECK, takes `e` last and
 * leaves its outputs alone on failure. err_set and err_wrap return false:
 *
 *     if (token.n > LIMIT_TOKEN_BYTES)
 *         return err_set(e, ERR_INVALID, "token of %zu bytes, at most %d", token.n,
 * LIMIT_TOKEN_BYTES);
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "base/attr.h"

enum err_code {
    ERR_NONE,
    ERR_INVALID,     /* the input is wrong, or too large, and stays so */
    ERR_DENIED,      /* understood, and refused by policy */
    ERR_NOT_FOUND,   /* the named thing does not exist */
    ERR_CONFLICT,    /* someone changed it first */
    ERR_BUSY,        /* we are at a cap of our own */
    ERR_UNAVAILABLE, /* the other side is down, slow or throttling */
    ERR_INTERNAL,    /* our own bug */
    ERR_CODE_COUNT
};

struct err {
    enum err_code code;
    char msg[252];
};

/* Always false. A message that is too long is cut at a character and ends in "...". */
bool err_set(struct err *e, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Keeps the code, puts the text and ": " before the message. Always false. */
bool err_wrap(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);

/* "Invalid", "Denied", "NotFound", ...: the words of conditions and logs. */
const char *err_code_name(enum err_code code);

#endif
