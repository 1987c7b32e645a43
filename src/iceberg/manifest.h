/*
 * manifest.h - manifest lists and manifests: which files they name.
 *
 * Everything else in them is left to engines. Found by field-id, so that the names which old
 * writers gave do not matter. Source: Iceberg table spec v1-v3, "Manifests" and "Manifest Lists".
 */
#ifndef ICEBERG_MANIFEST_H
#define ICEBERG_MANIFEST_H

#include "base/err.h"
#include "base/vec.h"
#include "wire/json.h"

struct manifest {
    struct sv path;
    int64_t entries; /* that it holds, as the list says; -1: the list does not say */
};

/* Views last until the visit returns. False ends the reading and is its outcome. */
typedef bool manifest_fn(const struct manifest *m, void *context, struct err *e);
typedef bool manifest_file_fn(struct sv path, void *context, struct err *e);

/* ERR_INVALID: it cannot be read, or one of its manifests is encrypted. */
MUST_CHECK bool manifest_list_each(struct sv list, manifest_fn *visit, void *context,
                                   struct err *e);
/* Data files, delete files and deletion vectors of all entries: also of those that say that the
 * file was deleted. `*entries`: how many there are. ERR_INVALID. */
MUST_CHECK bool manifest_each(struct sv manifest, manifest_file_fn *visit, void *context,
                              int64_t *entries, struct err *e);

/* Every file that table metadata names, but for the one that it lies in. */
struct metadata_files {
    struct sv_vec manifest_lists;
    struct sv_vec manifests; /* of snapshots of format 1 without a list */
    struct sv_vec others;    /* statistics, partition statistics, earlier metadata */
    bool keeps_data;         /* gc.enabled=false: other tables may use the same data files */
};
void metadata_files(const struct json *metadata, struct arena *a, struct metadata_files *out);

#endif
