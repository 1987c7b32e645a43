/* print.c - documents as text. */
#include "client/print.h"

#include <inttypes.h>

#include "client/columns.h"
#include "wire/names.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* A text, a number, a yes; what is absent is empty. */
static struct sv cell_of(const struct json *v, struct arena *a)
{
    switch (json_kind(v)) {
    case JSON_STRING:
        return json_str(v, (struct sv){0});
    case JSON_INT:
        return arena_printf(a, "%" PRId64, json_i64(v, 0));
    case JSON_BOOL:
        return json_bool(v, false) ? SV("yes") : SV("");
    case JSON_NULL:
    case JSON_DOUBLE:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return v ? json_text(a, v) : (struct sv){0};
}

static struct sv joined(const struct json *list, struct arena *a)
{
    struct sv all = {0};

    for (size_t i = 0; i < json_count(list); i++) {
        struct sv one = json_str(json_at(list, i), (struct sv){0});

        all = i ? ARENA_JOIN(a, all, SV(", "), one) : one;
    }
    return all;
}

static void heading(struct buf *out, const char *text)
{
    buf_addf(out, "\n%s\n", text);
}

static void nothing(struct buf *out)
{
    buf_add(out, SV("  none\n"));
}

/* What a member of each element shows, column by column. */
struct shown {
    struct column column;
    const char *member;
};

static void write_list(struct buf *out, const struct json *list, const struct shown *shown,
                       size_t n, struct arena *a)
{
    struct column *columns = arena_array(a, struct column, n);
    struct columns c = columns_new(a, columns, n);

    for (size_t i = 0; i < n; i++)
        columns[i] = shown[i].column;
    for (size_t i = 0; i < json_count(list); i++) {
        for (size_t k = 0; k < n; k++) {
            const struct json *v = json_get(json_at(list, i), sv_from(shown[k].member));

            columns_add(&c, json_kind(v) == JSON_ARRAY ? joined(v, a) : cell_of(v, a));
        }
    }
    if (json_count(list))
        columns_write(out, &c, 2);
    else
        nothing(out);
}

static const struct column two[] = {
    {NULL, false},
    {NULL, false}
};

/* ---- a table ---- */

static struct sv_vec levels_of(const struct json *list, struct arena *a)
{
    struct sv_vec levels = {0};

    for (size_t i = 0; i < json_count(list); i++)
        vec_push(&levels, a, json_str(json_at(list, i), (struct sv){0}));
    return levels;
}

/* As it can be given to `frontdesk table` again. */
static void write_name(struct buf *out, const struct json *v, struct arena *a)
{
    struct sv_vec levels = levels_of(json_get(v, SV("namespace")), a);

    vec_push(&levels, a, json_get_str(v, SV("name")));
    text_escape(out, json_get_str(v, SV("catalog")));
    buf_addc(out, '.');
    text_escape(out, names_text(a, levels.p, levels.n));
    buf_addc(out, '\n');
}

static void write_facts(struct buf *out, const struct json *table, struct arena *a)
{
    static const struct {
        const char *label, *member;
    } facts[] = {
        {"uuid",    "uuid"         },
        {"format",  "formatVersion"},
        {"updated", "updated"      }
    };
    struct columns c = columns_new(a, two, 2);

    for (size_t i = 0; i < COUNT(facts); i++) {
        columns_add(&c, sv_from(facts[i].label));
        columns_add(&c, cell_of(json_get(table, sv_from(facts[i].member)), a));
    }
    columns_write(out, &c, 2);
}

static void write_properties(struct buf *out, const struct json *properties, struct arena *a)
{
    struct columns c = columns_new(a, two, 2);
    struct json *value;
    struct sv name;

    heading(out, "PROPERTIES");
    for (size_t i = 0; json_member(properties, i, &name, &value); i++) {
        columns_add(&c, name);
        columns_add(&c, cell_of(value, a));
    }
    if (c.cells.n)
        columns_write(out, &c, 2);
    else
        nothing(out);
}

static const struct shown of_snapshots[] = {
    {{"TIME", false},         "time"        },
    {{"ID", true},            "id"          },
    {{"PARENT", true},        "parent"      },
    {{"OPERATION", false},    "operation"   },
    {{"FILES ADDED", true},   "addedFiles"  },
    {{"FILES DELETED", true}, "deletedFiles"},
    {{"ROWS ADDED", true},    "addedRows"   },
    {{"ROWS DELETED", true},  "deletedRows" },
    {{"ROWS", true},          "totalRows"   },
    {{"CURRENT", false},      "current"     },
    {{"REFS", false},         "refs"        },
};

static void write_layout(struct buf *out, const struct json *table, struct arena *a)
{
    static const struct shown of_columns[] = {
        {{"ID", true},          "id"        },
        {{"NAME", false},       "name"      },
        {{"TYPE", false},       "type"      },
        {{"REQUIRED", false},   "required"  },
        {{"IDENTIFIER", false}, "identifier"},
        {{"DOC", false},        "doc"       },
    };
    static const struct shown of_spec[] = {
        {{"NAME", false},      "name"     },
        {{"COLUMN", false},    "column"   },
        {{"TRANSFORM", false}, "transform"},
    };
    static const struct shown of_order[] = {
        {{"COLUMN", false},    "column"   },
        {{"TRANSFORM", false}, "transform"},
        {{"DIRECTION", false}, "direction"},
        {{"NULLS", false},     "nullOrder"},
    };

    heading(out, "COLUMNS");
    write_list(out, json_get(table, SV("columns")), of_columns, COUNT(of_columns), a);
    heading(out, "PARTITIONED BY");
    write_list(out, json_get(table, SV("partitioning")), of_spec, COUNT(of_spec), a);
    heading(out, "SORTED BY");
    write_list(out, json_get(table, SV("sortOrder")), of_order, COUNT(of_order), a);
}

/* ---- who may do what ---- */

/* What a right is called in a column, and all of the privileges that it takes. */
enum { MAX_PARTS = 9 };
struct right {
    const char *word, *parts[MAX_PARTS + 1];
};
static const struct right data_rights[] = {
    {"read",   {"TABLE_READ_DATA"}  },
    {"write",  {"TABLE_WRITE_DATA"} },
    {"delete", {"TABLE_DELETE_DATA"}}
};
static const struct right metadata_rights[] = {
    {"list",   {"TABLE_LIST"}           },
    {"read",   {"TABLE_READ_PROPERTIES"}},
    {"create", {"TABLE_CREATE"}         },
    {"drop",   {"TABLE_DROP"}           }
};
static const struct right change_rights[] = {
    {"structure",
     {"TABLE_MANAGE_STRUCTURE", "TABLE_ASSIGN_UUID", "TABLE_UPGRADE_FORMAT_VERSION",
      "TABLE_ADD_SCHEMA", "TABLE_SET_CURRENT_SCHEMA", "TABLE_ADD_PARTITION_SPEC",
      "TABLE_REMOVE_PARTITION_SPECS", "TABLE_ADD_SORT_ORDER", "TABLE_SET_DEFAULT_SORT_ORDER"}},
    {"properties", {"TABLE_SET_PROPERTIES", "TABLE_REMOVE_PROPERTIES"}                       },
    {"encryption", {"TABLE_WRITE_PROPERTIES"}                                                },
    {"location",   {"TABLE_SET_LOCATION"}                                                    },
    {"snapshots",
     {"TABLE_ADD_SNAPSHOT", "TABLE_SET_SNAPSHOT_REF", "TABLE_REMOVE_SNAPSHOTS",
      "TABLE_REMOVE_SNAPSHOT_REF", "TABLE_SET_STATISTICS", "TABLE_REMOVE_STATISTICS"}        }
};

/* A right that is held in part only says so: nothing that somebody may do is left out. */
static struct sv said(const struct json *privileges, const struct right *rights, size_t n,
                      struct arena *a)
{
    struct json *list = json_new_array(a);

    for (size_t i = 0; i < n; i++) {
        size_t held = 0, parts = 0;

        for (; rights[i].parts[parts]; parts++)
            held += json_has(privileges, sv_from(rights[i].parts[parts])) ? 1 : 0;
        if (held)
            json_push(list, json_new_str(a, arena_printf(a, "%s%s", rights[i].word,
                                                         held < parts ? " in part" : "")));
    }
    return joined(list, a);
}

/* Each grant once. */
static struct sv grants(const struct json *privileges, struct arena *a)
{
    struct json *list = json_new_array(a), *grant;
    struct sv_vec seen = {0};
    struct sv name;

    for (size_t i = 0; json_member(privileges, i, &name, &grant); i++) {
        struct sv text = json_str(grant, (struct sv){0});

        if (sv_vec_has(&seen, text))
            continue;
        vec_push(&seen, a, text);
        json_push(list, json_new_str(a, text));
    }
    return joined(list, a);
}

static void write_access(struct buf *out, const struct json *access, struct arena *a)
{
    static const struct column heads[] = {
        {"PRINCIPAL", false},
        {"DATA",      false},
        {"METADATA",  false},
        {"CHANGES",   false},
        {"BY",        false}
    };
    struct columns c = columns_new(a, heads, 5);

    for (size_t i = 0; i < json_count(access); i++) {
        const struct json *privileges = json_get(json_at(access, i), SV("privileges"));

        columns_add(&c, json_get_str(json_at(access, i), SV("principal")));
        columns_add(&c, said(privileges, data_rights, COUNT(data_rights), a));
        columns_add(&c, said(privileges, metadata_rights, COUNT(metadata_rights), a));
        columns_add(&c, said(privileges, change_rights, COUNT(change_rights), a));
        columns_add(&c, grants(privileges, a));
    }
    if (c.cells.n)
        columns_write(out, &c, 2);
    else
        buf_add(out, SV("  nobody may do anything\n"));
}

void print_table(struct buf *out, const struct json *table, struct arena *a)
{
    static const struct shown of_locations[] = {
        {{NULL, false}, "what"    },
        {{NULL, false}, "location"}
    };
    static const struct shown of_refs[] = {
        {{"NAME", false},    "name"    },
        {{"TYPE", false},    "type"    },
        {{"SNAPSHOT", true}, "snapshot"}
    };
    const struct json *last = json_get(table, SV("lastSnapshots"));

    write_name(out, table, a);
    write_facts(out, table, a);
    heading(out, "LOCATIONS");
    write_list(out, json_get(table, SV("locations")), of_locations, COUNT(of_locations), a);
    write_layout(out, table, a);
    write_properties(out, json_get(table, SV("properties")), a);
    buf_addf(out, "\nSNAPSHOTS (last %zu of %" PRId64 ")\n", json_count(last),
             json_i64(json_get(table, SV("snapshotCount")), 0));
    write_list(out, last, of_snapshots, COUNT(of_snapshots), a);
    heading(out, "REFS");
    write_list(out, json_get(table, SV("refs")), of_refs, COUNT(of_refs), a);
    if (json_has(table, SV("access"))) {
        heading(out, "WHO MAY DO WHAT");
        write_access(out, json_get(table, SV("access")), a);
    } else {
        buf_add(out, SV("\nwho may do what: add --resources DIR or --kubeconfig FILE\n"));
    }
}

void print_history(struct buf *out, const struct json *history, struct arena *a)
{
    static const struct shown of_files[] = {
        {{"TIME", false},    "time"   },
        {{"CURRENT", false}, "current"},
        {{"FILE", false},    "file"   }
    };

    write_name(out, history, a);
    heading(out, "SNAPSHOTS");
    write_list(out, json_get(history, SV("snapshots")), of_snapshots, COUNT(of_snapshots), a);
    heading(out, "METADATA FILES");
    write_list(out, json_get(history, SV("metadataLog")), of_files, COUNT(of_files), a);
}

void print_list(struct buf *out, const struct json *list, struct arena *a)
{
    static const struct column heads[] = {
        {"NAMESPACE", false},
        {"NAME",      false},
        {"KIND",      false}
    };
    const struct json *entries = json_get(list, SV("entries"));
    struct columns c = columns_new(a, heads, 3);

    for (size_t i = 0; i < json_count(entries); i++) {
        const struct json *entry = json_at(entries, i);
        const struct sv_vec levels = levels_of(json_get(entry, SV("namespace")), a);
        struct sv name = json_get_str(entry, SV("name"));

        columns_add(&c, names_text(a, levels.p, levels.n));
        columns_add(&c, names_text(a, &name, 1));
        columns_add(&c, json_get_str(entry, SV("kind")));
    }
    columns_write(out, &c, 0);
}
