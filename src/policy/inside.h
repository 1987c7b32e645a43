/* inside.h - a rulebook from within; shared by the files of policy/ only. */
#ifndef POLICY_INSIDE_H
#define POLICY_INSIDE_H

#include <stdatomic.h>

#include "base/map.h"
#include "policy/rulebook.h"

/* A name, or the beginning of names. */
struct name_pattern {
    struct sv text;
    bool open; /* it stands for every name that begins so */
};
/* A namespace; its last level may be open. */
struct pattern {
    struct name_pattern *levels;
    size_t n;
};

/* One line of a catalog role, as one principal holds it. */
struct rule_grant {
    privilege_set privileges; /* implied ones included */
    const struct pattern *namespaces;
    size_t n_namespaces; /* 0: all */
    /* Neither: all tables and views, and the namespaces themselves. */
    const struct name_pattern *tables, *views;
    size_t n_tables, n_views;
    int max_ttl_seconds;
    struct sv label; /* "CatalogRole ns/name grants[2]" */
    struct sv via;   /* the principal role it comes through; empty: direct */
};
struct rule_grants VEC(struct rule_grant);

struct rule_principal {
    struct sv name;
    struct sv uid;       /* of the resource; empty: a service account */
    struct sv client_id; /* empty: a service account */
    struct sha256 secret_hash, old_secret_hash;
    int64_t old_until_ms;
    struct sv account_uid;      /* of the account as it exists; empty: it does not */
    struct sv_vec roles;        /* names of its principal roles */
    struct rule_grants *grants; /* by rule_catalog.index */
};

struct rulebook {
    struct arena arena; /* wipes; holds this struct too */
    _Atomic int refs;
    int64_t generation;
    struct map catalogs;   /* by what engines say */
    struct map clients;    /* by client id */
    struct map accounts;   /* by "namespace/name" */
    struct map principals; /* by name */
    const struct rule_catalog **catalog_list;
    size_t n_catalogs;
    struct sv unread;
    struct token_keys token_keys;
    struct sv cluster_issuer, cluster_audience;
    struct jwks cluster_keys;
};

/* Whether `word` is one of them, with blanks between. */
bool words_have(struct sv words, struct sv word);
/* All privileges that `set` carries, itself included. */
privilege_set privileges_implied(privilege_set set);

#endif
