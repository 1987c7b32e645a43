/* cmd_store.c - a catalog's store, moved to another database. */
#include <inttypes.h>
#include <stdio.h>

#include "options.h"
#include "store/store.h"

static bool copy(struct sv from_url, struct sv to_url, struct store_copied *out, struct err *e)
{
    auto_arena a = {0};
    struct store *from, *to;

    return store_open(from_url, &a, &from, e) && store_open(to_url, &a, &to, e) &&
           store_copy(from, to, out, e);
}

int cmd_store(const struct options *o)
{
    struct store_copied copied = {0};
    struct err e = {0};

    if (o->n_rest != 3 || !sv_eq(sv_from(o->rest[0]), SV("copy"))) {
        (void)fputs("frontdesk: store: write store copy FROM TO, each as --store takes it\n",
                    stderr);
        return 2;
    }
    if (!copy(sv_from(o->rest[1]), sv_from(o->rest[2]), &copied, &e)) {
        (void)fprintf(stderr, "frontdesk: %s\n", e.msg);
        return 1;
    }
    for (int i = 0; i < STORE_KINDS; i++)
        (void)printf("%8" PRId64 " %s\n", copied.rows[i], copied.what[i]);
    (void)fputs("copied, and every row compared\n", stdout);
    return 0;
}
