/*
 * rights_documents.h - what docs/REST.md says that requests take; it is read, not repeated, but for
 * what its sentences say carries what.
 */
#ifndef UNIT_CATALOG_RIGHTS_DOCUMENTS_H
#define UNIT_CATALOG_RIGHTS_DOCUMENTS_H

#include "api/resource.h"
#include "unit/suite.h"

enum { LEVELS = 3, PARTS = 2, UPDATES = 3 };

struct name {
    const char *ns[LEVELS];
    size_t n;
    const char *leaf; /* NULL: the namespace */
    bool view;
};
struct update {
    const char *json, *action;
    bool place; /* sets or removes a write.*.path */
};
/* What is asked, of the catalog's names. */
struct request {
    const char *method, *path, *operation; /* a line of the table of routes */
    const char *catalog, *role;            /* role: asked for with the token, or NULL */
    size_t who;
    struct name at, to;
    size_t parts; /* of a transaction: `at`, then `to` */
    const struct update *updates[PARTS][UPDATES];
    size_t n_updates[PARTS];
    bool creates, overwrite, of_commit;
};
static struct sv rest_md; /* docs/REST.md */

/* The k-th word in backticks, from 0. */
static inline struct sv quoted(struct sv text, size_t k)
{
    struct sv word = {0};

    for (size_t i = 0; i <= 2 * k + 1; i++) {
        if (!sv_cut(&text, '`', &word))
            return (struct sv){0};
    }
    return word;
}

static inline struct sv after(struct sv text, struct sv what)
{
    const char *at = memmem(text.p, text.n, what.p, what.n);

    return at ? sv_skip(text, (size_t)(at - text.p) + what.n) : (struct sv){0};
}

/* "| `GET /v1/...` | `RIGHT`...": the first right that an endpoint takes. */
static inline struct sv endpoint_takes(const struct request *q, struct arena *a)
{
    /* "`POST` does the same", says the line of GET. */
    bool twin = sv_eq(sv_from(q->operation), SV("vend"));

    return quoted(after(rest_md, arena_printf(a, "| `%s %s` |", twin ? "GET" : q->method, q->path)),
                  0);
}

/* "| `R0`, `R1` | `u0`, `u00`; `u1` |": the right of an update is the one at its place. */
static inline struct sv update_takes(const char *action, struct arena *a)
{
    struct sv table = after(rest_md, SV("## Rights to commit")), line;
    struct sv word = arena_printf(a, "`%s`", action);

    while (sv_cut(&table, '\n', &line)) {
        struct sv rights, updates = sv_skip(line, 2), left;
        size_t k = 0;

        if (!after(line, word).p || !sv_cut(&updates, '|', &rights))
            continue;
        left = sv_first(updates, updates.n - after(updates, word).n);
        for (size_t i = 0; i < left.n; i++)
            k += left.p[i] == ';';
        return quoted(rights, k);
    }
    return (struct sv){0};
}

/* Source: docs/REST.md, "Grants" and "Rights to commit". */
static const char *const carried[][2] = {
    {"NAMESPACE_FULL_METADATA",
     "NAMESPACE_LIST NAMESPACE_CREATE NAMESPACE_DROP NAMESPACE_WRITE_PROPERTIES"                    },
    {"NAMESPACE_WRITE_PROPERTIES", "NAMESPACE_READ_PROPERTIES"                                      },
    {"NAMESPACE_READ_PROPERTIES",  "NAMESPACE_LIST"                                                 },
    {"VIEW_FULL_METADATA",         "VIEW_LIST VIEW_CREATE VIEW_DROP VIEW_WRITE_PROPERTIES"          },
    {"VIEW_WRITE_PROPERTIES",      "VIEW_READ_PROPERTIES"                                           },
    {"VIEW_READ_PROPERTIES",       "VIEW_LIST"                                                      },
    {"TABLE_FULL_METADATA",
     "TABLE_LIST TABLE_CREATE TABLE_DROP TABLE_WRITE_PROPERTIES TABLE_SET_LOCATION"                 },
    {"TABLE_WRITE_DATA",
     "TABLE_READ_DATA TABLE_WRITE_PROPERTIES TABLE_ADD_SNAPSHOT TABLE_REMOVE_SNAPSHOTS "
     "TABLE_SET_SNAPSHOT_REF TABLE_REMOVE_SNAPSHOT_REF TABLE_SET_STATISTICS TABLE_REMOVE_STATISTICS"},
    {"TABLE_READ_DATA",            "TABLE_READ_PROPERTIES"                                          },
    {"TABLE_WRITE_PROPERTIES",     "TABLE_MANAGE_STRUCTURE"                                         },
    {"TABLE_MANAGE_STRUCTURE",
     "TABLE_ASSIGN_UUID TABLE_UPGRADE_FORMAT_VERSION TABLE_ADD_SCHEMA TABLE_SET_CURRENT_SCHEMA "
     "TABLE_ADD_PARTITION_SPEC TABLE_REMOVE_PARTITION_SPECS TABLE_ADD_SORT_ORDER "
     "TABLE_SET_DEFAULT_SORT_ORDER TABLE_SET_PROPERTIES TABLE_REMOVE_PROPERTIES"                    },
    {"TABLE_READ_PROPERTIES",      "TABLE_LIST"                                                     },
};
static const struct sv
    of_one_update = SV_INIT(
        "TABLE_ASSIGN_UUID TABLE_UPGRADE_FORMAT_VERSION TABLE_ADD_SCHEMA "
        "TABLE_SET_CURRENT_SCHEMA TABLE_ADD_PARTITION_SPEC TABLE_REMOVE_PARTITION_SPECS "
        "TABLE_ADD_SORT_ORDER TABLE_SET_DEFAULT_SORT_ORDER TABLE_SET_PROPERTIES "
        "TABLE_REMOVE_PROPERTIES TABLE_SET_LOCATION TABLE_ADD_SNAPSHOT TABLE_REMOVE_SNAPSHOTS "
        "TABLE_SET_SNAPSHOT_REF TABLE_REMOVE_SNAPSHOT_REF TABLE_SET_STATISTICS "
        "TABLE_REMOVE_STATISTICS"),
    of_data = SV_INIT("TABLE_ADD_SNAPSHOT TABLE_REMOVE_SNAPSHOTS "
                      "TABLE_SET_SNAPSHOT_REF TABLE_REMOVE_SNAPSHOT_REF "
                      "TABLE_SET_STATISTICS TABLE_REMOVE_STATISTICS");

static inline bool has_word(struct sv words, struct sv word)
{
    struct sv one;

    while (sv_cut(&words, ' ', &one)) {
        if (sv_eq(one, word))
            return true;
    }
    return false;
}

static inline bool carries(struct sv held, struct sv right)
{
    struct sv words, one;

    if (sv_eq(held, right) || sv_eq(held, SV("CATALOG_MANAGE_CONTENT")) ||
        (has_word(of_one_update, held) && carries(SV("TABLE_READ_PROPERTIES"), right)))
        return true;
    for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
        words = sv_from(carried[i][1]);
        while (sv_eq(held, sv_from(carried[i][0])) && sv_cut(&words, ' ', &one)) {
            if (carries(one, right))
                return true;
        }
    }
    return false;
}

static bool carry[PRIVILEGE_COUNT][PRIVILEGE_COUNT];

static inline void read_documents(struct sv text)
{
    rest_md = text;
    for (int p = 0; p < PRIVILEGE_COUNT; p++) {
        for (int q = 0; q < PRIVILEGE_COUNT; q++)
            carry[p][q] =
                carries(privilege_name((enum privilege)p), privilege_name((enum privilege)q));
    }
}

#endif
