/* compile.h - a compilation under way; shared by compile*.c only. */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include "policy/inside.h"

struct compiling {
    const struct policy_input *in;
    struct arena *scratch;
    struct rulebook *book;
    struct arena *arena;           /* the book's */
    struct complaints *complaints; /* by resource */
    struct map index;              /* "Kind/ns/name" to 1 + number, as a pointer into numbers */
    size_t *numbers;
    bool *out;       /* left out: complained about, or being deleted */
    void **compiled; /* rule_integration, rule_catalog, rule_principal; by resource */
};

/* Complains about resource `i` and leaves it out. */
void compile_blame(struct compiling *c, size_t i, const char *reason, struct sv field,
                   struct sv text);
/* Complains about resource `i`, which stays in force. */
void compile_warn(struct compiling *c, size_t i, const char *reason, struct sv field,
                  struct sv text);
/* The resource that `field` of resource `i` refers to, when it is in the rulebook; else a complaint
 * and false. */
bool compile_refer(struct compiling *c, size_t i, struct sv field, enum kind kind,
                   const struct ref *to, size_t *out);
/* "namespace/name". */
struct sv compile_full_name(struct arena *a, struct sv ns, struct sv name);

/* ---- compile_claims.c ---- */
/* Names the catalogs, and tells those whose name or location is an elder's. */
void compile_claims(struct compiling *c);

/* ---- compile_clients.c ---- */
/* Leaves out the principals whose Secret or client id is an elder's. */
void compile_client_ids(struct compiling *c);

/* ---- compile_roles.c ---- */
void compile_principals(struct compiling *c);
void compile_principal_role(struct compiling *c, size_t i);
void compile_catalog_role(struct compiling *c, size_t i);

#endif
