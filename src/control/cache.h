/*
 * cache.h - what is known of the world: objects, Secrets, accounts, and what was found out; and how
 * it compiles.
 */
#ifndef CONTROL_CACHE_H
#define CONTROL_CACHE_H

#include "base/map.h"
#include "control/job.h"

/* One object of ours. */
struct object {
    struct arena arena; /* holds this */
    struct sv key;      /* "Kind/ns/name" */
    struct sv text;
    struct resource *resource;
    struct arena found_arena;
    struct integration_found found;
    int64_t found_version;
    struct complaints complaints; /* of the last compilation, in complaints_arena */
    struct arena complaints_arena;
    struct sv warehouse;
    struct sv scope; /* of an integration: integration_scope */
    struct sv store; /* of an integration: where its passes go */
    bool seen;       /* a pass was asked for since it changed */
    bool served;     /* a principal: who is it can log in, by the last compilation */
    /* The last credentials that an integration's Secrets held; NULL: none yet. A namespace that is
     * deleted loses its Secrets in any order: its integrations are taken down with these. */
    struct secret_object *kept_own, *kept_admin;
};

struct secret_object {
    struct arena arena; /* holds this; wipes */
    struct sv version;
    struct tags data; /* of client secrets the SHA-256, not the value */
};

void secret_object_done(struct secret_object *s);

struct cache {
    struct arena arena;
    struct map objects;                        /* by key */
    struct map secrets;                        /* "ns/name" */
    struct map accounts;                       /* "ns/name" to uid (struct sv *) */
    struct secret_object *ambient;             /* NULL: there is none, or none was asked for */
    int64_t ambient_expires_ms;                /* Unix time; 0: never */
    char ambient_why[256];                     /* why not; empty: nothing failed */
    struct arena keys_arena, token_keys_arena; /* they wipe */
    struct token_keys token_keys;
    struct sv issuer, jwks, audience;
    struct arena unread_arena;
    struct sv unread;       /* manifests that cannot be used, "PATH: why" a line */
    struct sv file_storage; /* "/" where only manifests are looked at */
    int64_t generation;
};

void cache_init(struct cache *c);
void cache_done(struct cache *c);

/* So many files of manifests cannot be used; "PATH: why" a line. */
void cache_take_unread(struct cache *c, size_t n, struct sv text);
void found_copy(struct arena *a, const struct integration_found *from,
                struct integration_found *to);
/* True when something the rulebook is made of changed; `*changed` is the object when it is one of
 * ours. */
bool cache_put(struct cache *c, const struct json *v, struct object **changed);
bool cache_remove(struct cache *c, struct sv kind, struct sv namespace_, struct sv name);
struct object *cache_object(struct cache *c, struct sv key);
/* An empty name is the ambient keys. NULL when there is none. */
const struct secret_object *cache_secret(const struct cache *c, struct sv namespace_,
                                         struct sv name);
/* Takes over what JOB_AMBIENT brought. True when somebody who uses it has something new to hear. */
bool cache_take_ambient(struct cache *c, const struct job *j, int64_t now_ms);
/* The keys of our own tokens as they are now, none among them. True when they changed. */
bool cache_take_keys(struct cache *c, const struct token_keys *keys);
/* Takes over what a pass found out about an integration. True when it changed. */
bool cache_found(struct object *o, const struct integration_found *found);
/* The same from the status that the leader wrote: before our own first pass, and where we follow.
 */
bool cache_believe(struct object *o);

/* ---- cache_secrets.c ---- */

/* "ns/name". */
struct sv cache_pair(struct arena *a, struct sv ns, struct sv name);
bool cache_put_secret(struct cache *c, const struct json *v);
/* A value under either of two names; empty when there is none. `s` may be NULL. */
struct sv cache_value(const struct secret_object *s, const char *name, const char *other);
/* Of a client secret as cache_value gives it: of those only the hash is kept, as text. */
struct sha256 cache_client_hash(struct sv kept_secret);
/* An access key id and a secret access key. */
bool secret_has_keys(const struct secret_object *s);
void cache_give_secret(const struct cache *c, struct job *j, struct sv ns, struct sv name,
                       struct job_secret *out);
/* The Secrets ("ns/name" to const enum secret_need) that resources name, into `out`. */
void cache_name_secrets(const struct cache *c, struct map *out);
/* Why nobody can log in as this principal: what the rulebook is made of says it, and the condition
 * repeats it. Empty: somebody can. */
struct sv cache_why_not_served(const struct cache *c, const struct object *o, struct arena *a);
/* Remembers the credentials of an integration's Secrets, where they hold some. */
void cache_keep_keys(const struct cache *c, struct object *o);
void cache_hand_over_keys(struct object *from, struct object *to);
/* What was remembered, where the Secrets hold none any more: for a deletion alone. */
void cache_give_kept_keys(const struct object *o, struct job *j);

/* ---- cache.c ---- */

/* Copies what a pass over `o` needs into the job: its keys, and what was found before. */
void cache_give(const struct cache *c, const struct object *o, struct job *j);
/* Its part about the roles of other integrations. other_roles.c. */
void cache_give_roles(const struct cache *c, const struct object *o, struct job *j);

/* A new rulebook; each object's complaints are set. The reference is the caller's. */
struct rulebook *cache_compile(struct cache *c);

#endif
