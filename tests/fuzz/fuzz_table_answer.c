/* fuzz_table_answer.c - what a server says of a table, and names as people write them: what is
 * printed of it holds nothing that a terminal obeys, and a name that is read is written back. */
/* layer: client */
#include <assert.h>
#include <stdint.h>

#include "client/print.h"
#include "wire/names.h"

enum { TEXT_BYTES = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_obeyed(uint32_t code)
{
    return code == '\\' || code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200b ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* Backslashes begin what we write for something else. */
static void check_text(struct sv text)
{
    while (text.n) {
        uint32_t code = 0;
        size_t n = sv_utf8(text, &code);

        assert(n > 0);
        assert(code == '\n' || code == '\\' || !is_obeyed(code));
        text = sv_skip(text, n);
    }
}

static void check_answer(struct sv text)
{
    auto_arena a = {0};
    struct table_id id = {.catalog = SV("c"), .name = SV("t")};
    struct buf out = buf_new(&a, TEXT_BYTES);
    struct json *answer, *shown;
    struct err e = {0};

    if (!json_read(text, &a, &answer, &e) || !describe_table(&id, answer, &a, &shown, &e))
        return;
    print_table(&out, shown, &a);
    if (!describe_history(&id, answer, &a, &shown, &e))
        assert(false && "a table without a history");
    print_history(&out, shown, &a);
    check_text(buf_sv(&out));
}

static void check_names(struct sv text)
{
    auto_arena a = {0};
    struct sv_vec levels = {0}, again = {0};
    struct err e = {0};

    if (!names_read(text, &a, &levels, &e)) {
        assert(e.msg[0]);
        return;
    }
    if (!names_read(names_text(&a, levels.p, levels.n), &a, &again, &e))
        assert(false && "what was written does not read");
    assert(levels.n == again.n);
    for (size_t i = 0; i < levels.n; i++)
        assert(levels.p[i].n > 0 && sv_eq(levels.p[i], again.p[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv text = sv_of((const char *)data, size);

    check_answer(text);
    check_names(text);
    return 0;
}
