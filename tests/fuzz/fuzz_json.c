/* fuzz_json.c - JSON: what is read writes back to text that reads equal. */
/* layer: wire */
#include <assert.h>
#include <stdint.h>

#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every member is found by name and stands where the walk says. */
static void walk(const struct json *v)
{
    struct sv name;
    struct json *value;
    size_t i;

    for (i = 0; json_member(v, i, &name, &value); i++) {
        assert(json_has(v, name));
        assert(json_get(v, name) == value);
        walk(value);
    }
    assert(json_kind(v) != JSON_OBJECT || i == json_count(v));
    for (i = 0; json_kind(v) == JSON_ARRAY && i < json_count(v); i++)
        walk(json_at(v, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena a = {0};
    struct json *v, *again;
    struct err e = {0};
    struct sv text;

    if (!json_read(sv_of((const char *)data, size), &a, &v, &e)) {
        assert(e.code == ERR_INVALID && e.msg[0]);
        return 0;
    }
    walk(v);
    text = json_text(&a, v);
    if (!json_read(text, &a, &again, &e))
        assert(false && "what was written does not read");
    assert(json_eq(v, again));
    assert(sv_eq(json_text(&a, again), text));
    assert(json_eq(json_copy(&a, v), v));
    return 0;
}
