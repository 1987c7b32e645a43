/* place.h - what the store's tests share: a real SQLite file with a namespace in it. */
#ifndef UNIT_STORE_PLACE_H
#define UNIT_STORE_PLACE_H

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "unit/suite.h"

static const struct ns_name sales = {SV_INIT("l/c"), SV_INIT("sales")};
static const struct table_name t UNUSED = {SV_INIT("l/c"), SV_INIT("sales"), SV_INIT("t")};

/* A database in a folder of its own, and a namespace in it. */
struct place {
    struct arena arena;
    char folder[64];
    struct sv url;
    struct store *store;
    struct err e;
};

static inline void make_folder(struct place *p)
{
    (void)snprintf(p->folder, sizeof(p->folder), "/tmp/fd-store-XXXXXX");
    NEED(mkdtemp(p->folder));
    p->url = arena_printf(&p->arena, "sqlite:%s/catalog.db", p->folder);
}

static inline void open_place(struct place *p)
{
    make_folder(p);
    NEED_OK(store_open(p->url, &p->arena, &p->store, &p->e), &p->e);
    NEED_OK(store_namespace_create(p->store, &sales, SV("{}"), &p->e), &p->e);
}

static inline void close_place(struct place *p)
{
    static const char *const files[] = {"catalog.db", "catalog.db-wal", "catalog.db-shm"};
    char path[128];

    arena_done(&p->arena);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", p->folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(p->folder);
}

/* The principal etl creates a table at time 0. */
static inline enum err_code create(struct place *p, const char *name, const char *location,
                                   const char *extra, struct sv *overlap)
{
    struct table_row row = {SV("u"), SV("s3://b/m.json"), sv_from(location), {0}};
    const struct table_name n = {sales.catalog, sales.ns, sv_from(name)};
    struct table_change c = {.row = &row, .principal = SV("l/etl")};
    struct err e = {0};

    if (extra)
        vec_push(&row.extra_locations, &p->arena, sv_from(extra));
    if (store_table_create(p->store, &n, &c, &p->arena, &e))
        e.code = ERR_NONE;
    *overlap = c.overlap;
    return e.code;
}

#endif
