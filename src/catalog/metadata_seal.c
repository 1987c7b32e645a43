/* metadata_seal.c - a metadata file is bound to the row that names it: other bytes are tampering.
 */
#include "base/metric.h"
#include "catalog/table_steps.h"
#include "serve/loop.h"
#include "sign/digest.h"

/* ---- comparing ---- */

static bool differs(struct table_at *t, const char *what, struct err *e)
{
    t->tampered = what;
    return err_set(e, ERR_INVALID, "%s not what was committed", what);
}

bool metadata_is_committed(struct call *c, struct table_at *t, struct sv bytes, struct err *e)
{
    const struct table_row *row = &t->row;

    t->found_sha256 = sha256_hex(c->arena, bytes);
    return !row->metadata_sha256.n || sv_eq(row->metadata_sha256, t->found_sha256) ||
           differs(t, "its bytes are", e);
}

/* Whether `text` names a place in one of the table's folders; `*whole` is the place. */
static bool lies_within(struct call *c, const struct table_at *t, struct sv text, struct sv *whole)
{
    struct err ignored = {0};
    struct location l;

    if (!location_read(text, false, c->arena, &l, &ignored))
        return false;
    *whole = location_text(&l, c->arena);
    return location_which(t->folders, t->n_folders, &l) >= 0;
}

bool metadata_agrees(struct call *c, struct table_at *t, struct err *e)
{
    struct metadata_facts facts;
    struct sv place;

    if (t->is_kept || t->row.metadata_sha256.n)
        return true;
    metadata_facts(t->metadata, c->arena, &facts);
    if (t->is_view)
        facts.uuid = json_get_str(t->metadata, SV("view-uuid"));
    if (!sv_eq_nocase(facts.uuid, t->row.uuid))
        return differs(t, "its UUID is", e);
    if (!lies_within(c, t, facts.location, &place) || !sv_eq(place, t->row.location))
        return differs(t, "its location is", e);
    for (size_t i = 0; i < facts.write_paths.n; i++) {
        if (!lies_within(c, t, facts.write_paths.p[i], &place))
            return differs(t, "a write path of it is", e);
    }
    t->row.metadata_sha256 = t->found_sha256;
    t->enters_sha256 = true;
    return true;
}

/* ---- on record ---- */

/* What the record says beside what the handler has put there. */
static struct json *add_detail(struct call *c, const char *name)
{
    struct json *all = c->details ? json_copy(c->arena, c->details) : json_new_object(c->arena);
    struct json *v = json_new_object(c->arena);

    json_set(all, sv_from(name), v);
    c->details = all;
    return v;
}

void metadata_tampered(struct call *c, const struct table_at *t)
{
    struct json *v = add_detail(c, "tampering");
    struct err why = {0};

    metric_add(METRIC_METADATA_TAMPERED, 1);
    json_set_str(v, c->arena, SV("file"), t->row.metadata_location);
    json_set_str(v, c->arena, SV("committedSha256"), t->row.metadata_sha256);
    json_set_str(v, c->arena, SV("foundSha256"), t->found_sha256);
    (void)err_set(&why, ERR_INVALID, SV_FMT ": %s not what was committed",
                  SV_ARG(sv_first(t->row.metadata_location, 160)), t->tampered);
    loop_log_refusal(c, "a metadata file was tampered with", &why);
}

/* ---- entering ---- */

static bool query_enter(struct call *c, struct store *s, struct err *e)
{
    const struct table_at *t = c->work;
    const struct table_name name = path_table(c, &t->path);

    return store_seal(s, &name, t->is_view, &t->row, e);
}

/* A store that cannot be written to now is asked again by the next reader. Only a row that says
 * otherwise by now is in the way. */
static bool after_enter(struct call *c, const struct err *outcome, struct err *e)
{
    struct table_at *t = c->work;
    struct err changed = {0};
    struct json *v;

    if (outcome && outcome->code == ERR_CONFLICT) {
        (void)err_set(&changed, ERR_UNAVAILABLE, "the table was changed meanwhile; try again");
        *e = changed;
        return t->otherwise ? t->otherwise(c, &changed, e) : false;
    }
    *e = (struct err){0};
    if (outcome) {
        loop_log_refusal(c, "the bytes of a metadata file could not be entered", outcome);
        return t->entered(c, NULL, e);
    }
    v = add_detail(c, "entered");
    json_set_str(v, c->arena, SV("file"), t->row.metadata_location);
    json_set_str(v, c->arena, SV("sha256"), t->row.metadata_sha256);
    return t->entered(c, NULL, e);
}

bool metadata_enter(struct call *c, struct table_at *t, call_then_fn *then, struct err *e)
{
    if (!t->enters_sha256)
        return then(c, NULL, e);
    t->enters_sha256 = false;
    t->entered = then;
    return call_write_aside(c, query_enter, after_enter, e);
}
