/*
 * place.h - what the store's tests share: a real database with a namespace in it.
 *
 * It is a SQLite file; or a schema of its own in the PostgreSQL that FRONTDESK_TEST_STORE is the
 * URL of: the same tests run on both.
 */
#ifndef UNIT_STORE_PLACE_H
#define UNIT_STORE_PLACE_H

#include <libpq-fe.h>
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

static inline const char *server_url(void)
{
    return getenv("FRONTDESK_TEST_STORE");
}

/* What only a server can show is skipped without one. */
static inline const char *need_server(void)
{
    if (!server_url())
        _exit(77);
    return server_url();
}

/* With another program's connection. */
static inline void on_server(const char *text)
{
    PGconn *c = PQconnectdb(need_server());
    PGresult *r = PQexec(c, text);

    CHECK_SV(sv_from(PQresultErrorMessage(r)), SV(""));
    PQclear(r);
    PQfinish(c);
}

static inline void make_sqlite(struct place *p)
{
    (void)snprintf(p->folder, sizeof(p->folder), "/tmp/fd-store-XXXXXX");
    NEED(mkdtemp(p->folder));
    p->url = arena_printf(&p->arena, "sqlite:%s/catalog.db", p->folder);
}

/* The folder's name is the schema's, since nobody else has it. */
static inline void make_folder(struct place *p)
{
    make_sqlite(p);
    if (!server_url())
        return;
    on_server(
        arena_printf(&p->arena, "SET client_min_messages = error; CREATE SCHEMA \"%s\"", p->folder)
            .p);
    p->url = arena_printf(&p->arena, "%s%coptions=-csearch_path%%3D%%22%s%%22", server_url(),
                          strchr(server_url(), '?') ? '&' : '?', p->folder);
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
    if (server_url()) {
        auto_arena a = {0};

        on_server(arena_printf(
                      &a, "SET client_min_messages = error; DROP SCHEMA IF EXISTS \"%s\" CASCADE",
                      p->folder)
                      .p);
    }
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
    struct table_row row = {SV("u"), SV("s3://b/m.json"), sv_from(location), {0}, {0}};
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

enum { ENDS = 1000 };

/* What `principal` is promised at `now_ms`; `uuid` is what it would call the table. */
static inline enum err_code stage(struct place *p, const char *principal, const char *location,
                                  const char *uuid, int64_t now_ms, struct sv *got)
{
    struct staging g = {
        .row = {.principal = sv_from(principal),
                .uuid = sv_from(uuid),
                .location = sv_from(location),
                .expires_ms = now_ms + ENDS},
        .now_ms = now_ms
    };
    struct err e = {0};

    if (!store_stage(p->store, &t, &g, &p->arena, &e))
        return e.code;
    if (got)
        *got = g.row.uuid;
    return ERR_NONE;
}

static inline bool holds(struct place *p, const char *principal, const char *location,
                         int64_t now_ms)
{
    struct staged_row row = {.principal = sv_from(principal), .location = sv_from(location)};

    return store_staged_get(p->store, &t, now_ms, &p->arena, &row, &p->e);
}

/* Nothing is remembered of what is dropped so. */
static const struct dropping forgotten UNUSED = {0};

/* The principal etl drops a table at time 0; its place is remembered for `keep_ms`. */
static inline bool drop(struct place *p, const char *name, int64_t keep_ms, bool purge)
{
    const struct table_name n = {sales.catalog, sales.ns, sv_from(name)};
    const struct dropping d = {
        .mark = arena_printf(&p->arena, "mark of %s%s", name, keep_ms ? "" : " at once"),
        .principal = SV("l/etl"),
        .request = SV("request"),
        .keep_ms = keep_ms,
        .purge = purge};

    return store_table_drop(p->store, &n, &d, &p->e);
}

#endif
