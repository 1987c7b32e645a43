/*
 * rulebook.h - all resources, compiled: who may have what. Immutable, counted, swapped whole.
 *
 * A thread owns the references it holds; rulebook_ref and rulebook_unref may run on any thread. No
 * thread loads another's pointer: references travel in messages.
 */
#ifndef POLICY_RULEBOOK_H
#define POLICY_RULEBOOK_H

#include "api/location.h"
#include "api/resource.h"
#include "provider/provider.h"
#include "sign/digest.h"
#include "sign/jwt.h"

struct rulebook;
struct rulebook *rulebook_ref(struct rulebook *r);
struct rulebook *rulebook_unref(struct rulebook *r); /* NULL in, NULL out */
int64_t rulebook_generation(const struct rulebook *r);
/* Files of resources that could not be used, "PATH: why" a line; what they said before counts. */
struct sv rulebook_unread(const struct rulebook *r);

/* What control has found out about the world, beside the resources. All of it is copied. */
struct integration_facts {
    struct sv namespace_, name;
    bool vendable;     /* Ready, and the probe passed */
    struct sv why_not; /* one sentence for clients and conditions when not */
    struct sv role_arn;
    struct credential own;
    int64_t secret_generation; /* changes when a Secret it uses does */
    bool bulk_delete;
    bool session_tags; /* the role lets its sessions be tagged */
    /* Since when its credentials are known to work at that store and bucket; 0: they are not. */
    int64_t verified_ms;
};
struct integration_facts_vec VEC(struct integration_facts);
struct client_facts { /* a Principal's credentials: only hashes */
    struct sv namespace_, principal, client_id;
    struct sha256 secret_hash, old_secret_hash; /* SHA-256 of the secrets */
    int64_t old_until_ms; /* the old one is good until then; 0: there is none */
};
struct client_facts_vec VEC(struct client_facts);
struct account_facts { /* a service account that exists */
    struct sv namespace_, name, uid;
};
struct account_facts_vec VEC(struct account_facts);

struct policy_input {
    const struct resource *const *resources;
    size_t n_resources;
    struct integration_facts_vec integrations;
    struct client_facts_vec clients;
    struct account_facts_vec accounts;
    struct token_keys token_keys;               /* ours; the first signs */
    struct sv cluster_issuer, cluster_audience; /* empty: no service account tokens */
    struct sv cluster_jwks;                     /* the set's text */
    struct sv unread;       /* sources of resources that cannot be used; for people */
    struct sv file_storage; /* the folder below which storageType file may lie; empty: nowhere */
    int64_t generation;
};

/* Complaints that need more than one object: references, overlaps. Parallel to `resources`. */
struct compile_result {
    struct rulebook *rulebook;     /* one reference, the caller's */
    struct complaints *complaints; /* [n_resources], in `a` */
};
void policy_compile(const struct policy_input *in, struct arena *a, struct compile_result *out);

/* Where an integration is, without keys and role: what control talks to before anything is
 * compiled. */
void policy_target(const struct storage_integration *w, struct arena *a, struct target *out);

/* ---- looking up ---- */

struct rule_integration {
    struct sv namespace_, name;
    struct target target;
    struct location *allowed;
    size_t n_allowed;
    int ttl_seconds, max_session_seconds;
    struct sv session_name, template_read, template_write;
    bool vendable;
    struct sv why_not;
    int64_t secret_generation;
    bool bulk_delete;
    struct sv stores[2]; /* endpoint_identity of where we reach it, and of where clients do */
    int64_t verified_ms; /* as in integration_facts */
};
/* Whether both may be at one store, so that a location of one is a location of the other. */
bool rule_is_one_store(const struct rule_integration *x, const struct rule_integration *y);
/* The integration's own policy for that access (bits of enum access); empty: ours. */
struct sv rule_template(const struct rule_integration *w, unsigned access);
/* storageType file: its tables lie on this machine, and no keys exist. */
bool rule_is_folder(const struct rule_integration *w);

struct rule_catalog {
    struct sv id; /* "namespace/name": the key of the store */
    /* What engines say: the bare name, or "namespace.name" where the bare one is an elder's. */
    struct sv name;
    const struct rule_integration *integration;
    struct location base;
    const struct tag *properties;
    size_t n_properties;
    int retention_seconds; /* for how long a dropped table's place is only its own name's */
    size_t index;          /* among the catalogs of this rulebook */
    size_t rank;           /* by age: the elder has the smaller one */
};
/* By "namespace.name", or by the bare name, which is the elder's where two bear it. NULL: unknown
 * (or wrong, and so left out). */
const struct rule_catalog *rulebook_catalog(const struct rulebook *r, struct sv warehouse);
/* Whether tables of the catalog may lie there: within what its integration allows, and not in the
 * location of another catalog that is its elder or of its own namespace. */
bool rulebook_allows_place(const struct rulebook *r, const struct rule_catalog *c,
                           const struct location *l);
size_t rulebook_catalogs(const struct rulebook *r, const struct rule_catalog *const **out);

struct rule_principal;
struct sv rule_principal_name(
    const struct rule_principal *p); /* "namespace/name", "system:serviceaccount:ns:name" */

/* Who asks, within one rulebook. */
struct caller {
    const struct rule_principal *principal;
    struct sv name;           /* for logs and session names */
    struct sv only_roles;     /* of scope, in one order with blanks between; empty: all */
    int64_t token_expires_ms; /* 0: no token */
    int64_t valid_until_ms;   /* when the token is refused: clocks differ */
    bool by_old_secret;       /* proved by the secret before the last rotation */
};
/* The client of these credentials. ERR_DENIED, in time that does not depend on which part is wrong.
 */
MUST_CHECK bool rulebook_login(const struct rulebook *r, struct sv client_id, struct secret secret,
                               int64_t now_ms, struct caller *out, struct err *e);
struct sv caller_client_id(const struct caller *c);
/* A principal by its whole name, or by its bare name where that is unique; for people who ask what
 * somebody may do. */
MUST_CHECK bool rulebook_find(const struct rulebook *r, struct sv name, struct caller *out,
                              struct err *e);
/* Everybody, by name. */
struct caller_vec VEC(struct caller);
void rulebook_callers(const struct rulebook *r, struct arena *a, struct caller_vec *out);
/* Narrows the caller to principal roles, with blanks between; "ALL" among them and none at all
 * leave it as it is. ERR_DENIED: one that it is not in, or that it was narrowed from. */
MUST_CHECK bool caller_narrow(struct caller *c, struct sv roles, struct arena *a, struct err *e);
/* A bearer token: ours or a service account's. ERR_DENIED: 401 for the client. ERR_NOT_FOUND: a kid
 * that we do not know; fetch the key set again. The caller's views live in `a` or in the rulebook.
 */
MUST_CHECK bool rulebook_authenticate(const struct rulebook *r, struct sv token, int64_t now_ms,
                                      struct arena *a, struct caller *out, struct err *e);
/* Whether our own tokens can be told from others: there is a key. */
bool rulebook_knows_tokens(const struct rulebook *r);
/* The caller of a new token in exchange of `token`, one of ours that is in force. ERR_DENIED with a
 * reason. */
MUST_CHECK bool rulebook_subject(const struct rulebook *r, struct sv token, int64_t now_ms,
                                 struct arena *a, struct caller *out, struct err *e);
/* The same for a client that has proved itself by its secret: `token` narrows it to the roles that
 * it carries, however old it is. */
MUST_CHECK bool rulebook_subject_of(const struct rulebook *r, struct sv token, struct arena *a,
                                    struct caller *client, struct err *e);
/* Our own token for a caller, until c->token_expires_ms; that becomes less where the secret which
 * proved the caller expires before. False: no key yet (ERR_UNAVAILABLE). */
MUST_CHECK bool rulebook_issue(const struct rulebook *r, struct caller *c, int64_t now_ms,
                               struct arena *a, struct sv *token, struct err *e);

/* ---- what clients bring back ---- */

/* A mark that only we can put on `text`; as good as our tokens' signatures, and apart from them.
 * ERR_UNAVAILABLE: no key yet. */
MUST_CHECK bool rulebook_seal(const struct rulebook *r, struct sv text, struct sha256 *out,
                              struct err *e);
bool rulebook_sealed(const struct rulebook *r, struct sv text, const struct sha256 *seal);

/* ---- deciding ---- */

struct subject {
    const struct rule_catalog *catalog;
    const struct sv *levels; /* of the namespace; n_levels 0: the catalog itself */
    size_t n_levels;
    struct sv table; /* empty: the namespace */
    bool is_view;    /* `table` is the name of a view */
};
struct decision {
    privilege_set privileges; /* all that the caller holds there, implied ones included */
    int max_ttl_seconds;      /* the least of the roles' limits; 0: none */
    struct sv
        grants[PRIVILEGE_COUNT]; /* "CatalogRole ns/name grants[2]": the line that gave each */
};
/* Nothing is allowed that no grant allows. Pure. */
void rulebook_decide(const struct rulebook *r, const struct caller *c, const struct subject *s,
                     struct decision *out);
bool decision_allows(const struct decision *d, enum privilege p);
/* What is held of a table (or a view) `there` and not `here`, beside the rights to list, create and
 * drop: what a caller would gain if the thing moved. */
privilege_set decision_gain(const struct decision *here, const struct decision *there,
                            bool is_view);
/* The bits of enum access that those privileges carry; 0: no data at all. */
unsigned decision_access(const struct decision *d);
/* Whether the caller may know that the subject, or anything below it, exists. */
bool rulebook_sees(const struct rulebook *r, const struct caller *c, const struct subject *s);

/* What is in force, without secrets: the body of /rulebook. */
void rulebook_write(const struct rulebook *r, struct buf *out);

#endif
