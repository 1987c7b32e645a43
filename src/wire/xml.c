/* xml.c - small XML documents as trees, on expat. */
#include "wire/xml.h"

#include <expat.h>
#include <string.h>

#include "base/limits.h"

/* An element that is still open. */
struct open {
    struct xml *node, *last_child;
    struct buf text;
};

struct reading {
    XML_Parser parser;
    struct arena *arena;
    struct xml *root;
    struct open open[LIMIT_XML_DEPTH];
    size_t depth, nodes;
    const char *problem;
};

static void give_up(struct reading *r, const char *why)
{
    if (!r->problem)
        r->problem = why;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static struct sv local_name(const XML_Char *name)
{
    const char *colon = strrchr(name, ':');

    return sv_from(colon ? colon + 1 : name);
}

static void on_start(void *context, const XML_Char *name, UNUSED const XML_Char **attributes)
{
    struct reading *r = context;
    struct xml *node;

    if (r->depth == LIMIT_XML_DEPTH || ++r->nodes > LIMIT_XML_NODES) {
        give_up(r, "too deep or too many elements");
        return;
    }
    node = arena_new(r->arena, struct xml);
    node->name = arena_dup(r->arena, local_name(name));
    if (!node->name.n)
        give_up(r, "an element without a local name");
    if (r->depth == 0) {
        r->root = node;
    } else {
        struct open *parent = &r->open[r->depth - 1];

        if (parent->last_child)
            parent->last_child->next = node;
        else
            parent->node->child = node;
        parent->last_child = node;
    }
    r->open[r->depth++] = (struct open){.node = node, .text = buf_new(r->arena, LIMIT_XML_BYTES)};
}

static void on_end(void *context, UNUSED const XML_Char *name)
{
    struct reading *r = context;
    struct open *o;

    if (r->depth == 0)
        return;
    o = &r->open[--r->depth];
    o->node->text = o->node->child ? sv_trim(buf_sv(&o->text)) : buf_sv(&o->text);
}

static void on_text(void *context, const XML_Char *text, int n)
{
    struct reading *r = context;

    if (r->depth)
        buf_add(&r->open[r->depth - 1].text, sv_of(text, (size_t)n));
}

/* A DTD can define entities, and entities can fetch files and grow without bound. */
static void on_doctype(void *context, UNUSED const XML_Char *name, UNUSED const XML_Char *sysid,
                       UNUSED const XML_Char *pubid, UNUSED int has_internal)
{
    give_up(context, "a document type declaration");
}

bool xml_read(struct sv text, struct arena *a, struct xml **root, struct err *e)
{
    struct reading *r = arena_new(a, struct reading);
    enum XML_Status status;

    if (text.n == 0 || text.n > LIMIT_XML_BYTES)
        return err_set(e, ERR_INVALID, "XML of %zu bytes, at most %d", text.n, LIMIT_XML_BYTES);
    r->arena = a;
    r->parser = XML_ParserCreate("UTF-8");
    if (!r->parser)
        return err_set(e, ERR_INTERNAL, "no memory for an XML reader");
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    status = XML_Parse(r->parser, text.p, (int)text.n, XML_TRUE);
    if (status != XML_STATUS_OK && !r->problem)
        r->problem = XML_ErrorString(XML_GetErrorCode(r->parser));
    XML_ParserFree(r->parser);
    if (r->problem)
        return err_set(e, ERR_INVALID, "not XML we take: %s", r->problem);
    *root = r->root;
    return true;
}

static const struct xml *named(const struct xml *x, struct sv name)
{
    while (x && !sv_eq(x->name, name))
        x = x->next;
    return x;
}

const struct xml *xml_find(const struct xml *x, struct sv path)
{
    struct sv name;

    while (x && sv_cut(&path, '/', &name))
        x = named(x->child, name);
    return x;
}

struct sv xml_text(const struct xml *x, struct sv path)
{
    const struct xml *found = xml_find(x, path);

    return found ? found->text : (struct sv){0};
}

const struct xml *xml_next(const struct xml *x)
{
    return x ? named(x->next, x->name) : NULL;
}

void xml_escape(struct buf *out, struct sv v)
{
    for (size_t i = 0; i < v.n; i++) {
        switch (v.p[i]) {
        case '<':
            buf_add(out, SV("&lt;"));
            break;
        case '>':
            buf_add(out, SV("&gt;"));
            break;
        case '&':
            buf_add(out, SV("&amp;"));
            break;
        case '"':
            buf_add(out, SV("&quot;"));
            break;
        case '\'':
            buf_add(out, SV("&apos;"));
            break;
        case '\r': /* a reader would make a line feed of it (XML 1.0, 2.11) */
            buf_add(out, SV("&#13;"));
            break;
        default:
            buf_addc(out, v.p[i]);
        }
    }
}
