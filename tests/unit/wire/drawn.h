/* drawn.h - texts and values by chance, of the characters that readers stumble over. */
#ifndef UNIT_WIRE_DRAWN_H
#define UNIT_WIRE_DRAWN_H

#include "unit/dice.h"
#include "wire/json.h"

/* Controls, what YAML takes for a line's end or does not take raw, marks, the first and the last of
 * each length, and whatever has a meaning in one of our formats. */
static const char *const drawn_pieces[] = {"\x01",
                                           "\t",
                                           "\n",
                                           "\r",
                                           "\x1f",
                                           " ",
                                           "\x7f",
                                           "\xc2\x80",
                                           "\xc2\x84",
                                           "\xc2\x85",
                                           "\xc2\x86",
                                           "\xc2\x9f",
                                           "\xc2\xa0",
                                           "\xe2\x80\xa8",
                                           "\xe2\x80\xa9",
                                           "\xed\x9f\xbf",
                                           "\xee\x80\x80",
                                           "\xef\xbb\xbf",
                                           "\xef\xbf\xbd",
                                           "\xef\xbf\xbe",
                                           "\xef\xbf\xbf",
                                           "\xf0\x90\x80\x80",
                                           "\xf4\x8f\xbf\xbf",
                                           "\"",
                                           "\\",
                                           "\\u0041",
                                           "/",
                                           "'",
                                           ":",
                                           ": ",
                                           "#",
                                           " #",
                                           "- ",
                                           "?",
                                           "? ",
                                           "&",
                                           "*",
                                           "!",
                                           "|",
                                           ">",
                                           "%",
                                           "%41",
                                           "@",
                                           "`",
                                           "{",
                                           "}",
                                           "[",
                                           "]",
                                           ",",
                                           ".",
                                           "+",
                                           "=",
                                           "~",
                                           "null",
                                           "yes",
                                           "0x1",
                                           "1e3",
                                           "a",
                                           "Z",
                                           "\xc3\xa9",
                                           "---",
                                           "..."};

static inline struct sv drawn_text(struct arena *a, size_t pieces)
{
    struct buf b = buf_new(a, 64 * (pieces + 1));

    for (size_t n = below(pieces + 1); n; n--)
        buf_add(&b, sv_from(PICK(drawn_pieces)));
    return buf_sv(&b);
}

static inline struct json *drawn_scalar(struct arena *a)
{
    static const char *const numbers[] = {"1.50", "-0.0", "1e3", "1E-7", "0.1"};
    struct json *number = NULL;
    struct err e = {0};

    switch (below(6)) {
    case 0:
        return NULL;
    case 1:
        return json_new_bool(a, one_in(2));
    case 2:
        return json_new_i64(a, one_in(3) ? INT64_MIN : one_in(2) ? INT64_MAX : (int64_t)below(100));
    case 3:
        return json_read(sv_from(PICK(numbers)), a, &number, &e) ? number : NULL;
    default:
        return json_new_str(a, drawn_text(a, 12));
    }
}

/* Now and then a name is longer than what a reader of YAML looks ahead for a colon. */
static inline struct json *drawn_value(struct arena *a, int depth)
{
    size_t kind = depth ? below(3) : 2, n = below(4);
    struct json *v = kind == 0 ? json_new_object(a) : json_new_array(a);

    if (kind == 2)
        return drawn_scalar(a);
    for (size_t i = 0; i < n; i++) {
        struct json *item = drawn_value(a, depth - 1);

        if (kind == 0)
            json_set(v, drawn_text(a, one_in(8) ? 1500 : 8), item);
        else
            json_push(v, item);
    }
    return v;
}

#endif
