/*
 * metadata.h - Iceberg table metadata as pure functions on JSON; no I/O, no clock.
 *
 * Metadata stays a JSON tree, so that fields we do not know survive every commit. Source: Iceberg
 * table spec v1-v3 and the REST catalog OpenAPI; error texts are those that the compatibility kit
 * looks for.
 */
#ifndef ICEBERG_METADATA_H
#define ICEBERG_METADATA_H

#include "base/err.h"
#include "base/vec.h"
#include "wire/json.h"

/* Whether a file of that text, a table's or a view's, may be read, and so may be written: its
 * length, its depth, and what its values take in memory. */
MUST_CHECK bool metadata_fits(struct sv text, struct err *e);

/* Reads and checks a metadata file (formats 1 to 3). What old writers left to be understood is
 * added: lists of one schema and spec in format 1, the unsorted order, main where there are no
 * refs. */
MUST_CHECK bool metadata_read(struct sv text, struct arena *a, struct json **out, struct err *e);

/* The same; `*as_text` says what was read: the bytes of the file, where nothing had to be added. */
MUST_CHECK bool metadata_read_text(struct sv text, struct arena *a, struct json **out,
                                   struct sv *as_text, struct err *e);

/*
 * What holds of every file that we write, of one that somebody else wrote: identity, schemas that
 * are sound, a layout bound to the current one, snapshots with manifest lists and ids of their own,
 * refs that name them. Stricter than metadata_read: a file of format 1 without lists of schemas,
 * specs and orders is not enough to commit to. ERR_INVALID.
 */
MUST_CHECK bool metadata_check(const struct json *metadata, struct arena *a, struct err *e);

/* A file that somebody else wrote, to be registered: metadata_read_text and metadata_check, and no
 * member of the file is null where Iceberg's Java library or PyIceberg would not take it. */
MUST_CHECK bool metadata_read_foreign(struct sv text, struct arena *a, struct json **out,
                                      struct sv *as_text, struct err *e);

/* What vending and location checks need to know. */
struct metadata_facts {
    struct sv uuid, location;
    int format_version;
    struct sv_vec
        write_paths; /* values of write.data.path, write.metadata.path and their old names */
};
void metadata_facts(const struct json *metadata, struct arena *a, struct metadata_facts *out);

struct create_options {
    struct sv uuid;     /* fresh */
    struct sv location; /* decided and checked by the caller, without a closing slash */
    int64_t now_ms;
};
/* The first metadata of a CreateTableRequest: ids assigned anew, reserved properties consumed. */
MUST_CHECK bool metadata_create(const struct json *request, const struct create_options *o,
                                struct arena *a, struct json **out, struct err *e);

/*
 * metadata_commit - the metadata after `request` (a CommitTableRequest).
 *
 * `base` is the current metadata or NULL for a table that does not exist (assert-create). Checks
 * all requirements, then applies all updates to a copy, then validates. `base_location` is the file
 * of `base`, for the metadata-log. ERR_INVALID: the
 * request is wrong (400). ERR_CONFLICT: a requirement failed or a sequence number moved (409).
 * ERR_NOT_FOUND: requirements other than assert-create on a table that is not there.
 */
struct commit_options {
    struct sv base_location;
    int64_t now_ms;
    /* NULL, or true as soon as nobody waits for the outcome: the commit ends before its next update
     * with ERR_UNAVAILABLE. */
    const _Atomic bool *gone;
    size_t memory_bytes; /* 0: LIMIT_COMMIT_MEMORY. Past it the request is ERR_INVALID */
};
struct commit_result {
    struct json *metadata;
    bool changed; /* false: nothing differs */
};
MUST_CHECK bool metadata_commit(const struct json *base, const struct json *request,
                                const struct commit_options *o, struct arena *a,
                                struct commit_result *out, struct err *e);

/*
 * metadata_applied - whether a request that metadata_commit refuses is one that `base` holds
 * already: its first answer was lost and it comes again.
 *
 * A commit is applied whole, and a snapshot's id is random: a snapshot of the request that stands
 * in `base`, the same in every member, came with this request or with one that carried the same
 * files. APPLIED_YES: all of its snapshots stand there and the rest of it would change nothing; a
 * branch may have moved on from them. APPLIED_UNCLEAR: some do, or the rest is not in force: its
 * files are in use, so it must not be told that it failed. A request that creates is known by the
 * uuid that it assigns.
 */
enum applied { APPLIED_NO, APPLIED_YES, APPLIED_UNCLEAR };
enum applied metadata_applied(const struct json *base, const struct json *request);

/* Whether a CommitTableRequest adds any. */
bool metadata_adds_snapshots(const struct json *request);

/* What became of the write of `file` on top of the file `base` (empty: a new table), now that
 * `metadata` is in force from the file `current`: told by the metadata-log, which may have
 * forgotten both. */
struct metadata_write {
    struct sv base, file, current;
};
enum applied metadata_write_applied(const struct json *metadata, const struct metadata_write *w);

/* The metadata files that the log of `base` names and that of `after`, a commit later, does not,
 * when the table wants them removed (write.metadata.delete-after-commit.enabled): oldest first.
 * `file` is that of `after`. log.c. */
void metadata_forgotten(const struct json *base, const struct json *after, struct sv file,
                        struct arena *a, struct sv_vec *out);

/* Keeps what format 1 repeats in step with the current schema and spec. */
void metadata_mirror_v1(struct json *metadata);

/* Only snapshots that a ref points to: ?snapshots=refs. */
struct json *metadata_refs_only(const struct json *metadata, struct arena *a);

/* "<dir>/<NNNNN>-<uuid>.metadata.json", with ".gz" before ".metadata" where the property
 * write.metadata.compression-codec says gzip; NNNNN follows `previous` (empty: 00000). */
struct sv metadata_file(const struct json *metadata, struct sv previous, struct sv uuid,
                        struct arena *a);

/* The locations that `request` would make the table use: set-location, write.*.path, manifest
 * lists, statistics files. The caller checks each before it commits. */
struct claimed_location {
    struct sv text;
    bool is_file;
    const char *what; /* "set-location", "manifest-list", ... */
};
struct claimed_locations VEC(struct claimed_location);
void metadata_claims(const struct json *metadata, struct arena *a, struct claimed_locations *out);

#endif
