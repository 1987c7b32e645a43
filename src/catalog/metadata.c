/* metadata.c - metadata files of tables: read, understood, kept. */
#include "iceberg/metadata.h"

#include "base/limits.h"
#include "base/metric.h"
#include "catalog/table_steps.h"
#include "serve/loop.h"
#include "wire/gzip.h"

/* Longer ones are worked on by a keeper's thread: the loop's other calls would wait for
 * milliseconds. What is packed may be a thousand times as long. */
enum { LARGE_BYTES = 256 * 1024, LARGE_PACKED_BYTES = 16 * 1024 };

/* ---- what is kept ---- */

/* A file is known by its bytes too: one that was registered again under its name is another one. */
static struct sv text_key(struct call *c, const struct table_row *row, bool refs_only)
{
    return ARENA_JOIN(c->arena, refs_only ? SV("refs ") : SV(""), row->metadata_sha256, SV(" "),
                      row->metadata_location);
}

static void remember(struct call *c, const struct table_row *row, bool refs_only, struct sv text)
{
    if (row->metadata_sha256.n)
        texts_put(&c->loop->texts, text_key(c, row, refs_only), text);
}

void metadata_remember(struct call *c, const struct table_row *row, struct sv text)
{
    remember(c, row, false, text);
}

bool metadata_recall(struct call *c, const struct table_row *row, bool refs_only, struct sv *out)
{
    return row->metadata_sha256.n &&
           texts_get(&c->loop->texts, text_key(c, row, refs_only), c->arena, out);
}

bool metadata_known(struct call *c, const struct table_row *row, bool refs_only, struct sv *out)
{
    return !rule_is_folder(c->catalog->integration) && metadata_recall(c, row, refs_only, out);
}

/* ---- a file that is none ---- */

static bool refuse_tampered(struct call *c, const struct table_at *t, struct err *e)
{
    c->error_status = 500;
    c->error_type = "InternalServerError";
    return err_set(e, ERR_INVALID,
                   "metadata file " SV_FMT " was tampered with: %s not what was committed, so "
                   "nothing is done with it; put the file back, or %s",
                   SV_ARG(sv_first(t->row.metadata_location, 160)), t->tampered,
                   t->is_view ? "drop the view and register one" : "register one with overwrite");
}

bool metadata_unread(struct call *c, const struct table_at *t, const struct err *outcome,
                     struct err *e)
{
    const struct sv file = t->row.metadata_location;
    struct err why = *e;

    if (!outcome && t->tampered)
        return refuse_tampered(c, t, e);
    if (outcome && outcome->code != ERR_NOT_FOUND && !call_content_is_too_large(c))
        return false;
    if (outcome)
        (void)err_set(&why, ERR_INVALID, "it is larger than %d bytes", LIMIT_METADATA_BYTES);
    metric_add(METRIC_METADATA_UNUSABLE, 1);
    if (outcome && outcome->code == ERR_NOT_FOUND) {
        c->error_type = "NotFoundException";
        (void)err_set(e, ERR_NOT_FOUND, "Failed to open input stream for file: " SV_FMT,
                      SV_ARG(sv_first(file, 180)));
    } else {
        c->error_status = 500;
        c->error_type = "InternalServerError";
        (void)err_set(e, ERR_INVALID, "metadata file " SV_FMT " cannot be used: %s",
                      SV_ARG(sv_first(file, 160)), why.msg);
    }
    loop_log_refusal(c, "a metadata file cannot be used", e);
    return false;
}

static bool unread(struct call *c, struct table_at *t, const struct err *outcome, struct err *e)
{
    return t->otherwise ? t->otherwise(c, outcome, e) : metadata_unread(c, t, outcome, e);
}

/* ---- understanding one ---- */

/* From the bytes in t->text to values, and to the text that a load answers. */
static bool understand(struct call *c, struct table_at *t, struct err *e)
{
    struct sv text = t->text;

    if ((!t->is_kept && !metadata_is_committed(c, t, text, e)) || !metadata_unpack(c, &text, e) ||
        !metadata_read_text(text, c->arena, &t->metadata, &t->whole, e) ||
        !metadata_agrees(c, t, e))
        return false;
    t->text = t->whole;
    if (t->refs_only)
        t->text = json_text(c->arena, metadata_refs_only(t->metadata, c->arena));
    return true;
}

static bool go_on(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    const struct table_at *t = c->work;

    if (!t->is_kept)
        remember(c, &t->row, false, t->whole);
    if (t->refs_only)
        remember(c, &t->row, true, t->text);
    return t->then(c, NULL, e);
}

static bool query_understand(struct call *c, UNUSED struct store *s, struct err *e)
{
    return understand(c, c->work, e);
}

static bool after_understood(struct call *c, const struct err *outcome, struct err *e)
{
    struct table_at *t = c->work;

    if (outcome && t->tampered)
        metadata_tampered(c, t);
    return outcome ? unread(c, t, NULL, e) : metadata_enter(c, t, go_on, e);
}

bool metadata_is_large(struct sv text)
{
    return text.n > (gzip_is(text) ? LARGE_PACKED_BYTES : LARGE_BYTES);
}

static bool understand_text(struct call *c, struct table_at *t, struct sv text, struct err *e)
{
    t->text = text;
    return call_compute(c, metadata_is_large(text), query_understand, after_understood, e);
}

static bool after_file(struct call *c, const struct err *outcome, struct err *e)
{
    return outcome ? unread(c, c->work, outcome, e)
                   : understand_text(c, c->work, call_content(c), e);
}

bool table_metadata(struct call *c, struct table_at *t, call_then_fn *then, struct err *e)
{
    struct object_ask ask = {.method = HTTP_GET};
    struct sv known;

    t->then = then;
    t->tampered = NULL;
    t->is_kept = metadata_known(c, &t->row, false, &known);
    if (t->is_kept)
        return understand_text(c, t, known, e);
    return table_file(c, t->row.metadata_location, t->folders, t->n_folders, &ask, e) &&
           call_object(c, &ask, after_file, e);
}

bool table_text(struct call *c, struct table_at *t, call_then_fn *then, struct err *e)
{
    return metadata_known(c, &t->row, t->refs_only, &t->text) ? then(c, NULL, e)
                                                              : table_metadata(c, t, then, e);
}

bool metadata_unpack(const struct call *c, struct sv *text, struct err *e)
{
    return !gzip_is(*text) || gzip_read(*text, LIMIT_METADATA_BYTES, c->arena, text, e);
}

struct sv metadata_body(const struct call *c, struct sv file, struct sv text)
{
    return sv_ends(file, SV(".gz.metadata.json")) ? gzip_write(text, c->arena) : text;
}
