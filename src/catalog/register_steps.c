/* register_steps.c - what registering a table and a view share. */
#include "catalog/register_steps.h"

#include "sign/digest.h"

bool register_place(struct call *c, struct sv file, struct location *folder, struct err *e)
{
    struct location at;
    ptrdiff_t slash;

    if (!location_read_file(file, c->arena, &at, e))
        return err_wrap(e, "metadata-location");
    if (!sv_ends(at.key, SV(".metadata.json")) && !sv_ends(at.key, SV(".metadata.json.gz")))
        return err_set(e, ERR_INVALID,
                       "metadata-location must end in .metadata.json or .metadata.json.gz");
    slash = sv_rfind(at.key, '/');
    *folder = (struct location){at.bucket, sv_first(at.key, (size_t)(slash + 1))};
    return rulebook_allows_place(c->rules, c->catalog, folder) ||
           err_set(e, ERR_DENIED,
                   "metadata-location is outside the allowed locations of catalog " SV_FMT
                   ", or in the place of another catalog",
                   SV_ARG(c->catalog->name));
}

bool register_understand(struct call *c, struct commit_one *o, query_fn *understand,
                         call_then_fn *then, struct err *e)
{
    o->text = call_content(c);
    return call_compute(c, metadata_is_large(o->text), understand, then, e);
}

bool register_unread(struct call *c, struct sv file, const struct err *outcome, struct err *e)
{
    if (outcome->code != ERR_NOT_FOUND)
        return false;
    c->error_type = "NotFoundException";
    return err_set(e, ERR_NOT_FOUND, "there is no file " SV_FMT, SV_ARG(sv_first(file, 180)));
}

bool register_holds(struct call *c, const struct commit_one *o, struct err *e)
{
    struct location file;

    if (!location_read_file(o->file, c->arena, &file, e))
        return false;
    return location_which(o->folders, o->n_folders, &file) >= 0 ||
           err_set(e, ERR_DENIED,
                   "metadata-location lies outside the folders of what it describes");
}

bool register_unpack(struct call *c, struct commit_one *o, struct err *e)
{
    o->row.metadata_sha256 = sha256_hex(c->arena, o->text);
    return metadata_unpack(c, &o->text, e);
}

struct json *register_details(struct call *c, struct sv file, bool overwrite)
{
    struct json *v = json_new_object(c->arena);

    json_set_str(v, c->arena, SV("metadataLocation"), file);
    json_set_bool(v, c->arena, SV("overwrite"), overwrite);
    return v;
}
