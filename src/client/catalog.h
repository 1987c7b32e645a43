/*
 * catalog.h - one catalog of a running server, asked as an engine asks: over Iceberg REST, with the
 * caller's own rights. Only reads, and never asks for keys.
 *
 * Failures carry the server's own sentence as it came. ERR_DENIED: 401 or 403, ERR_NOT_FOUND: 404,
 * ERR_UNAVAILABLE: no answer, 429 or 503.
 */
#ifndef CLIENT_CATALOG_H
#define CLIENT_CATALOG_H

#include "base/secret.h"
#include "base/vec.h"
#include "wire/json.h"

/* Where the server is and who asks: "id:secret", exchanged for a token, or a token. */
struct catalog_login {
    struct sv uri;
    struct secret credential, token; /* the token counts when both are set */
    struct sv ca_pem;                /* empty: the system's */
};

struct catalog;

/* Asks for a token where there is none. All of it lives in `a`, which wipes. ERR_INVALID: a URI
 * that would show the credential to others on its way. */
MUST_CHECK bool catalog_login(const struct catalog_login *l, struct arena *a, struct catalog **out,
                              struct err *e);

/* The catalog is the longest start of `levels` that names one, at least `rest` levels standing
 * behind it; `*taken` is how many levels it was. */
MUST_CHECK bool catalog_choose(struct catalog *c, const struct sv_vec *levels, size_t rest,
                               size_t *taken, struct err *e);
struct sv catalog_name(const struct catalog *c);

/* The answer to GET .../namespaces/NS/tables/TABLE. */
MUST_CHECK bool catalog_load(struct catalog *c, const struct sv_vec *ns, struct sv table,
                             struct arena *a, struct json **out, struct err *e);

/* A table or a view. */
struct listed {
    struct sv_vec ns;
    struct sv name;
    bool is_view;
};
struct listed_vec VEC(struct listed);
/* All that the caller sees in `ns` and below it (no level: everywhere). `*refused` counts lists
 * below that the caller may not have. */
MUST_CHECK bool catalog_list(struct catalog *c, const struct sv_vec *ns, struct arena *a,
                             struct listed_vec *out, size_t *refused, struct err *e);

#endif
