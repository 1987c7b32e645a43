/* fuzz_yaml.c - YAML: each document writes back to text that reads equal. */
/* layer: wire */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "wire/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_document(const struct yaml_doc *doc, struct arena *a)
{
    struct buf text = buf_new(a, LIMIT_YAML_BYTES);
    struct yaml_docs again = {0};
    struct err e = {0};

    assert(doc->line > 0);
    assert(yaml_line(doc, SV("a.b[0]")) > 0);
    yaml_write(&text, doc->root);
    if (text.over)
        return;
    if (!yaml_read(buf_sv(&text), a, &again, &e))
        assert(false && "what was written does not read");
    assert(again.n == 1);
    assert(json_eq(again.p[0].root, doc->root));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena a = {0};
    struct yaml_docs docs = {0};
    struct err e = {0};

    if (!yaml_read(sv_of((const char *)data, size), &a, &docs, &e)) {
        assert(e.msg[0]);
        return 0;
    }
    for (size_t i = 0; i < docs.n; i++)
        check_document(&docs.p[i], &a);
    return 0;
}
