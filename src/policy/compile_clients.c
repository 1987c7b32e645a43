/* compile_clients.c - Secrets and client ids that several principals want: the elder keeps them. */
#include <stdlib.h>

#include "policy/compile.h"

/* A principal with a Secret, and the client id that stands there. */
struct client {
    size_t i;
    const struct resource *resource;
    struct sv client_id; /* empty: not known yet */
    bool holds;          /* its status says that the id is in force for it */
};

/* Who holds an id keeps it: a Secret can be written anew, by a principal of any age. */
static int by_right(const void *x, const void *y)
{
    const struct client *a = x, *b = y;

    if (a->holds != b->holds)
        return a->holds ? -1 : 1;
    return meta_cmp_age(&a->resource->meta, &b->resource->meta);
}

static size_t clients_by_right(struct compiling *c, struct client **out)
{
    struct client *list = arena_array(c->scratch, struct client, c->in->n_resources + 1);
    struct map ids = map_new(c->scratch);
    size_t n = 0;

    for (size_t i = 0; i < c->in->clients.n; i++) {
        const struct client_facts *f = &c->in->clients.p[i];

        (void)map_put(&ids, compile_full_name(c->scratch, f->namespace_, f->principal),
                      &c->in->clients.p[i]);
    }
    for (size_t i = 0; i < c->in->n_resources; i++) {
        const struct resource *r = c->in->resources[i];
        const struct client_facts *f;

        if (r->kind != KIND_PRINCIPAL || c->out[i] || !r->principal.has_client)
            continue;
        f = map_get(&ids, compile_full_name(c->scratch, r->meta.namespace_, r->meta.name));
        list[n] = (struct client){.i = i, .resource = r};
        if (f && f->client_id.n) {
            list[n].client_id = f->client_id;
            list[n].holds = sv_eq(json_get_str(r->status, SV("clientId")), f->client_id);
        }
        n++;
    }
    qsort(list, n, sizeof(*list), by_right);
    *out = list;
    return n;
}

static void blame(struct compiling *c, const struct client *younger, const char *reason,
                  const char *sentence, const struct client *elder)
{
    const struct principal *p = &younger->resource->principal;
    const struct meta *m = &elder->resource->meta;

    compile_blame(c, younger->i, reason, SV("spec.clientCredentials.secretName"),
                  arena_printf(c->scratch, "Secret " SV_FMT " %s Principal " SV_FMT "/" SV_FMT,
                               SV_ARG(p->client_secret), sentence, SV_ARG(m->namespace_),
                               SV_ARG(m->name)));
}

void compile_client_ids(struct compiling *c)
{
    struct client *list;
    size_t n = clients_by_right(c, &list);
    struct map secrets = map_new(c->scratch), ids = map_new(c->scratch);

    for (size_t i = 0; i < n; i++) {
        struct client *k = &list[i];
        struct sv secret = compile_full_name(c->scratch, k->resource->meta.namespace_,
                                             k->resource->principal.client_secret);
        const struct client *of_secret = map_get(&secrets, secret);
        const struct client *of_id = k->client_id.n ? map_get(&ids, k->client_id) : NULL;

        if (of_secret) {
            blame(c, k, "SecretTaken", "cannot serve two: name another; it is that of the elder",
                  of_secret);
        } else if (of_id) {
            blame(c, k, "ClientIdTaken", "needs another client-id: this one is that of the elder",
                  of_id);
        } else {
            (void)map_put(&secrets, secret, k);
            if (k->client_id.n)
                (void)map_put(&ids, k->client_id, k);
        }
    }
}
