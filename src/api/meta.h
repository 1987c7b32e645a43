/*
 * meta.h - what all our resources have in common: names, complaints, conditions.
 *
 * Source: Kubernetes API conventions (metadata, conditions); DESIGN of polaris.apache.org/v1.
 */
#ifndef API_META_H
#define API_META_H

#include "base/err.h"
#include "base/vec.h"
#include "wire/json.h"

#define API_GROUP   "polaris.apache.org"
#define API_VERSION "polaris.apache.org/v1"

enum kind {
    KIND_STORAGE_INTEGRATION,
    KIND_POLARIS_CATALOG,
    KIND_PRINCIPAL,
    KIND_PRINCIPAL_ROLE,
    KIND_CATALOG_ROLE,
    KIND_COUNT
};

/* "StorageIntegration", "storageintegrations". */
struct sv kind_name(enum kind k);
struct sv kind_plural(enum kind k);
MUST_CHECK bool kind_read(struct sv name, enum kind *out);

struct meta {
    struct sv namespace_, name, uid, resource_version;
    int64_t generation;
    int64_t created_ms; /* Unix time, 0 when absent */
    bool deleting;      /* metadata.deletionTimestamp is set */
    struct sv_vec finalizers;
    struct json *annotations; /* or NULL */
};
/* Reads metadata. ERR_INVALID when there is no name. `namespace_` is "default" when absent. */
MUST_CHECK bool meta_read(const struct json *object, struct arena *a, struct meta *out,
                          struct err *e);
/* The elder first: by creation, then by uid, namespace and name. */
int meta_cmp_age(const struct meta *x, const struct meta *y);
struct sv meta_annotation(const struct meta *m, struct sv name); /* empty when absent */

/*
 * What is wrong with one object. Complaints never stop anything else: the object is left out of the
 * rulebook and they become its condition. `text` names the value and the remedy.
 */
struct complaint {
    struct sv
        reason; /* the condition's reason: "InvalidSpec", "ReferenceNotFound", "ReferenceAmbiguous",
                   "ReferenceDenied", "LocationOutside", "LocationOverlap", ... */
    struct sv field; /* "spec.allowedLocations[1]" */
    struct sv text;
};
struct complaints VEC(struct complaint);
void complain(struct complaints *c, struct arena *a, const char *reason, struct sv field,
              const char *format, ...) PRINTF_LIKE(5, 6);

enum condition_status { CONDITION_UNKNOWN, CONDITION_FALSE, CONDITION_TRUE };
struct condition {
    struct sv type; /* "Ready", "Reconciling", "Stalled", "ScopeVerified" */
    enum condition_status status;
    struct sv reason, message;
    int64_t observed_generation;
    int64_t transition_ms;
};
struct conditions VEC(struct condition);
void conditions_read(const struct json *status, struct arena *a, struct conditions *out);
/* status.conditions as JSON; transition times are kept from `was` where the status is the same. */
struct json *conditions_write(const struct conditions *want, const struct conditions *was,
                              int64_t now_ms, struct arena *a);

/* A reference by name; the namespace is that of the object when it has none of its own. */
struct ref {
    struct sv kind; /* empty where the field allows one kind only */
    struct sv namespace_, name;
};
struct refs VEC(struct ref);

#endif
