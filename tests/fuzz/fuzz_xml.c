/* fuzz_xml.c - XML: a tree writes back to text that reads equal. */
/* layer: wire */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "wire/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Under a prefix a local name may begin like no name may, as in <x:1/>. */
static void write_tree(struct buf *out, const struct xml *x)
{
    buf_addf(out, "<x:" SV_FMT ">", SV_ARG(x->name));
    xml_escape(out, x->text);
    for (const struct xml *c = x->child; c; c = c->next)
        write_tree(out, c);
    buf_addf(out, "</x:" SV_FMT ">", SV_ARG(x->name));
}

static void check_equal(const struct xml *x, const struct xml *y)
{
    const struct xml *d = y->child;

    assert(sv_eq(x->name, y->name));
    assert(sv_eq(x->text, y->text));
    for (const struct xml *c = x->child; c; c = c->next, d = d->next) {
        assert(d);
        check_equal(c, d);
    }
    assert(!d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena a = {0};
    struct xml *x, *again;
    struct err e = {0};
    struct buf out = buf_new(&a, LIMIT_XML_BYTES);

    if (!xml_read(sv_of((const char *)data, size), &a, &x, &e)) {
        assert(e.msg[0]);
        return 0;
    }
    (void)xml_text(x, SV("Role/Arn"));
    write_tree(&out, x);
    if (out.over)
        return 0;
    if (!xml_read(buf_sv(&out), &a, &again, &e))
        assert(false && "what was written does not read");
    check_equal(x, again);
    return 0;
}
