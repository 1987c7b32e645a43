/* answer.c - the LoadTableResult of load, create, stage and register, and the tags of what a client
 * holds of a table. */
#include <inttypes.h>

#include "catalog/etag.h"
#include "catalog/given.h"
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

static void add_table(struct call *c, const struct table_at *t, const struct table_row *row,
                      const struct decision *d, struct buf *b)
{
    const struct sv parts[] = {c->who.name,         c->who.only_roles, c->catalog->id,
                               t->path.ns.joined,   t->path.table,     row->metadata_location,
                               row->metadata_sha256};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        etag_add(b, parts[i]);
    buf_addf(b, "%d %" PRIx64 "\n", t->refs_only, d->privileges);
}

static struct decision decide_on(const struct call *c, const struct table_at *t)
{
    const struct subject s = {.catalog = c->catalog,
                              .levels = t->path.ns.p,
                              .n_levels = t->path.ns.n,
                              .table = t->path.table};
    struct decision d;

    rulebook_decide(c->rules, &c->who, &s, &d);
    return d;
}

/* The facts that an answer about the file of `row` follows from: the caller, its privileges, the
 * table, and with credentials all that those follow from. No facts where there would be no answer.
 */
static struct etag_facts facts_of(struct call *c, const struct table_at *t,
                                  const struct table_row *row, bool with_keys)
{
    const struct decision d = decide_on(c, t);
    const struct vend_ask ask = ask_for(t);
    struct buf b = buf_new(c->arena, FACTS_BYTES);
    struct err ignored = {0};
    size_t without_keys;

    add_table(c, t, row, &d, &b);
    without_keys = b.n;
    if (!row->metadata_location.n || (with_keys && !call_vend_terms(c, &ask, &d, &b, &ignored)) ||
        b.over)
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
    struct sv value = http_header_list(&c->in->headers, SV("If-None-Match"), c->arena), tag;
    struct etag_facts f;

    if (!value.n)
        return false;
    f = facts_of(c, t, &t->row, true);
    tag = etag_find(c->rules, &f, value, c->now_ms, c->arena);
    add_tag(c, tag);
    return tag.n != 0;
}

void table_tag(struct call *c, const struct table_at *t, const struct table_row *row)
{
    const struct etag_facts f = facts_of(c, t, row, false);

    add_tag(c, etag_make(c->rules, &f, 0, c->arena));
}

/* ---- answers ---- */

struct answering {
    struct json *result; /* what goes with the metadata */
    struct etag_facts facts;
    struct given given;
    struct sv text;
    bool is_load;
    uint64_t epoch;
};

static void no_store(struct call *c)
{
    http_header_add(&c->out.headers, c->arena, SV("Cache-Control"), SV("no-store"));
}

bool table_answer_held(struct call *c)
{
    no_store(c);
    return call_reply_empty(c, 304);
}

static struct sv quoted(struct call *c, struct sv file)
{
    struct buf b = buf_new(c->arena, 6 * file.n + 2);

    if (!file.n)
        return SV("null");
    json_write_str(&b, file);
    return buf_sv(&b);
}

/* The metadata goes as it lies in the file: it was read as JSON when it was put into the cache. */
bool metadata_reply(struct call *c, struct sv file, struct sv text, struct sv more)
{
    struct sv inside = sv_skip(more, 1);

    c->out.status = 200;
    c->out.body = ARENA_JOIN(c->arena, SV("{\"metadata-location\":"), quoted(c, file),
                             SV(",\"metadata\":"), text, more.n ? SV(",") : SV("}"), inside);
    http_header_add(&c->out.headers, c->arena, SV("Content-Type"), SV("application/json"));
    return call_reply(c);
}

static bool reply_given(struct call *c, const struct given *g, struct sv text)
{
    no_store(c);
    add_tag(c, g->tag);
    return metadata_reply(c, g->file, text, g->text);
}

static bool reply_result(struct call *c, UNUSED const struct err *outcome, UNUSED struct err *e)
{
    struct answering *w = c->work;

    w->given.text = json_text(c->arena, w->result);
    w->given.tag = etag_make(c->rules, &w->facts, good_until(c, &w->facts), c->arena);
    if (w->is_load && !rule_is_folder(c->catalog->integration))
        given_remember(c, &w->given, w->epoch);
    return reply_given(c, &w->given, w->text);
}

static struct sv variant_of(const struct call *c, bool refs_only)
{
    static const struct sv variants[2][2] = {
        {SV_INIT("load"),      SV_INIT("load with keys")     },
        {SV_INIT("load refs"), SV_INIT("load refs with keys")}
    };

    return variants[refs_only][call_asks_for_keys(c)];
}

bool table_may_answer(struct call *c, const struct table_at *t, struct err *e)
{
    const struct decision d = decide_on(c, t);
    const struct vend_ask ask = ask_for(t);
    struct buf ignored = buf_new(c->arena, FACTS_BYTES);

    return call_vend_terms(c, &ask, &d, &ignored, e);
}

bool table_answer(struct call *c, const struct table_at *t, const struct table_row *row,
                  struct sv text, struct err *e)
{
    struct answering *w = arena_new(c->arena, struct answering);
    struct vend_ask ask = ask_for(t);

    ask.made = t->is_made;
    *w = (struct answering){
        .result = json_new_object(c->arena),
        .facts = facts_of(c, t, row, true),
        .given = {.variant = variant_of(c, t->refs_only),
                  .file = row->metadata_location,
                  .sha256 = row->metadata_sha256},
        .text = text,
        .is_load = t->is_load,
        .epoch = t->asked_epoch
    };
    json_set(w->result, SV("config"), json_new_object(c->arena));
    ask.result = w->result;
    c->work = w;
    return call_vend(c, &ask, reply_result, e);
}

bool table_answer_again(struct call *c, bool refs_only)
{
    const struct given *g = given_find(c, variant_of(c, refs_only));
    struct table_row row;
    struct sv text;

    if (!g || http_header(&c->in->headers, SV("If-None-Match")))
        return false;
    row = (struct table_row){.metadata_location = g->file, .metadata_sha256 = g->sha256};
    if (!metadata_recall(c, &row, refs_only, &text))
        return false;
    given_tell(c, g);
    return reply_given(c, g, text);
}
