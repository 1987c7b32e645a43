/* forget.c - old metadata files go when a commit is in force. */
#include "base/limits.h"
#include "catalog/commit_steps.h"
#include "serve/loop.h"

static bool may_go(struct call *c, const struct commit_one *o, struct sv text,
                   struct object_ask *out)
{
    struct err ignored = {0};

    if ((!sv_ends(text, SV(".metadata.json")) && !sv_ends(text, SV(".metadata.json.gz"))) ||
        !table_file(c, text, o->folders, o->n_folders, out, &ignored))
        return false;
    return location_contains(&out->folder, &out->file);
}

static bool forget_next(struct call *c, const struct err *outcome, struct err *e)
{
    struct commit_one *o = c->work;

    if (outcome)
        loop_log_refusal(c, "an old metadata file stays", outcome);
    while (o->forgotten_at < o->forgotten.n && o->forgotten_at < LIMIT_FILES_FORGOTTEN) {
        struct object_ask ask = {.method = HTTP_DELETE};
        struct err why = {0};

        if (may_go(c, o, o->forgotten.p[o->forgotten_at++], &ask) &&
            call_object(c, &ask, forget_next, &why))
            return true;
        if (why.code != ERR_NONE)
            loop_log_refusal(c, "an old metadata file stays", &why);
    }
    return o->then(c, NULL, e);
}

bool commit_forget(struct call *c, struct commit_one *o, call_then_fn *then, struct err *e)
{
    o->then = then;
    o->forgotten_at = 0;
    metadata_forgotten(o->creates ? NULL : o->at.metadata, o->after, o->file, c->arena,
                       &o->forgotten);
    return forget_next(c, NULL, e);
}
