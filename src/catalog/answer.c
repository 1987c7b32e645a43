/* answer.c - the LoadTableResult of load, create, stage and register, and the tags of what a client
 * holds of a table. */
#include <inttypes.h>

#include "catalog/etag.h"
#include "catalog/routes.h"
#include "catalog/table_steps.h"
#include "catalog/vend.h"

static struct vend_ask ask_for(const struct table_at *t)
{
    struct vend_ask ask = {.ns = t->path.ns, .table = t->path.table, .n_folders = t->n_folders};

    for (size_t i = 0; i < t->n_folders; i++)
        ask.folders[i] = t->folders[i];
    return ask;
}

/* ---- tags ---- */

enum { FACTS_BYTES = 64 * 1024 };

static void add_table(struct call *c, const struct table_at *t, struct sv file,
                      const struct decision *d, struct buf *b)
{
    const struct sv parts[] = {c->who.name,       c->who.only_role, c->catalog->id,
                               t->path.ns.joined, t->path.table,    file};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        etag_add(b, parts[i]);
    buf_addf(b, "%d %" PRIx64 "\n", t->refs_only, d->privileges);
}

/* What the answer about `file` follows from: who asks, by which rights, for which table, and, when
 * keys go with it, all that these follow from. No facts, when there would be no answer. */
static struct etag_facts facts_of(struct call *c, const struct table_at *t, struct sv file,
                                  bool with_keys)
{
    const struct subject s = {.catalog = c->catalog,
                              .levels = t->path.ns.p,
                              .n_levels = t->path.ns.n,
                              .table = t->path.table};
    const struct vend_ask ask = ask_for(t);
    struct buf b = buf_new(c->arena, FACTS_BYTES);
    struct decision d;
    struct err ignored = {0};
    size_t without_keys;

    rulebook_decide(c->rules, &c->who, &s, &d);
    add_table(c, t, file, &d, &b);
    without_keys = b.n;
    if (!file.n || (with_keys && !call_vend_terms(c, &ask, &d, &b, &ignored)) || b.over)
        return (struct etag_facts){0};
    return (struct etag_facts){buf_sv(&b), b.n > without_keys};
}

/* Half of what is left of the keys: who is told later that nothing changed goes on with these. */
static int64_t good_until(const struct call *c, const struct etag_facts *f)
{
    return f->ends ? c->now_ms + (c->vended_expires_ms - c->now_ms) / 2 : 0;
}

static void add_tag(struct call *c, struct sv tag)
{
    if (tag.n)
        http_header_add(&c->out.headers, c->arena, SV("ETag"), tag);
}

bool table_is_held(struct call *c, const struct table_at *t)
{
    struct sv value = http_header_text(&c->in->headers, SV("If-None-Match")), tag;
    struct etag_facts f;

    if (!value.n)
        return false;
    f = facts_of(c, t, t->row.metadata_location, true);
    tag = etag_find(c->rules, &f, value, c->now_ms, c->arena);
    add_tag(c, tag);
    return tag.n != 0;
}

void table_tag(struct call *c, const struct table_at *t, struct sv file)
{
    const struct etag_facts f = facts_of(c, t, file, false);

    add_tag(c, etag_make(c->rules, &f, 0, c->arena));
}

/* ---- answers ---- */

struct answering {
    struct json *result;
    struct etag_facts facts;
};

static void no_store(struct call *c)
{
    http_header_add(&c->out.headers, c->arena, SV("Cache-Control"), SV("no-store"));
}

static bool reply_result(struct call *c, UNUSED const struct err *outcome, UNUSED struct err *e)
{
    const struct answering *w = c->work;

    no_store(c);
    add_tag(c, etag_make(c->rules, &w->facts, good_until(c, &w->facts), c->arena));
    return call_reply_json(c, 200, w->result);
}

bool table_answer_held(struct call *c)
{
    no_store(c);
    return call_reply_empty(c, 304);
}

bool table_answer(struct call *c, const struct table_at *t, struct sv file, struct json *metadata,
                  struct err *e)
{
    struct answering *w = arena_new(c->arena, struct answering);
    struct vend_ask ask = ask_for(t);

    w->result = json_new_object(c->arena);
    w->facts = facts_of(c, t, file, true);
    if (file.n)
        json_set_str(w->result, c->arena, SV("metadata-location"), file);
    else
        json_set(w->result, SV("metadata-location"), NULL);
    json_set(w->result, SV("metadata"), metadata);
    json_set(w->result, SV("config"), json_new_object(c->arena));
    ask.result = w->result;
    c->work = w;
    return call_vend(c, &ask, reply_result, e);
}
