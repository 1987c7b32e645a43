/* commit_record.c - what the audit says of a commit. */
#include "catalog/commit_record.h"

#include "base/limits.h"

/* A commit of engines has two to ten updates of a hundred bytes each. */
enum { UPDATES_BYTES = 16 * 1024, TEXT_BYTES = 1024, LISTED = 100 };

/* Members of an update that name its subject. */
static const char *const about[] = {
    "action",         "location", "ref-name",        "snapshot-id", "schema-id",
    "spec-id",        "order-id", "sort-order-id",   "uuid",        "format-version",
    "last-column-id", "type",     "view-version-id", "key-id",      "min-snapshots-to-keep",
};
/* Lists of names and ids. */
static const char *const lists[] = {"removals", "snapshot-ids", "schema-ids", "spec-ids"};
/* Members that hold an object, and the id in it. */
static const struct {
    const char *member, *id;
} within[] = {
    {"snapshot",       "snapshot-id"},
    {"schema",         "schema-id"  },
    {"spec",           "spec-id"    },
    {"sort-order",     "order-id"   },
    {"view-version",   "version-id" },
    {"encryption-key", "key-id"     },
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void copy(struct json *to, struct sv name, const struct json *v, struct arena *a)
{
    if (json_kind(v) == JSON_STRING)
        json_set_str(to, a, name, sv_first(json_str(v, (struct sv){0}), TEXT_BYTES));
    else if (json_kind(v) == JSON_INT)
        json_set_i64(to, a, name, json_i64(v, 0));
}

static struct json *listed(const struct json *list, struct arena *a)
{
    struct json *out = json_new_array(a);

    for (size_t i = 0; i < json_count(list) && i < LISTED; i++) {
        const struct json *v = json_at(list, i);

        if (json_kind(v) == JSON_INT)
            json_push(out, json_new_i64(a, json_i64(v, 0)));
        else
            json_push(out, json_new_str(a, sv_first(json_str(v, (struct sv){0}), TEXT_BYTES)));
    }
    return out;
}

/* Of properties the names. */
static struct json *named(const struct json *properties, struct arena *a)
{
    struct json *out = json_new_array(a), *value;
    struct sv name;

    for (size_t i = 0; i < LISTED && json_member(properties, i, &name, &value); i++)
        json_push(out, json_new_str(a, sv_first(name, TEXT_BYTES)));
    return out;
}

static bool stands_in(const char *const *list, size_t n, struct sv name)
{
    for (size_t i = 0; i < n; i++) {
        if (sv_eq(name, sv_from(list[i])))
            return true;
    }
    return false;
}

static void say_id(struct json *out, struct sv name, const struct json *object, struct arena *a)
{
    for (size_t i = 0; i < COUNT(within); i++) {
        if (sv_eq(name, sv_from(within[i].member)))
            copy(out, sv_from(within[i].id), json_get(object, sv_from(within[i].id)), a);
    }
}

static struct json *said(const struct json *update, struct arena *a)
{
    struct json *out = json_new_object(a), *value;
    struct sv name;

    for (size_t i = 0; json_member(update, i, &name, &value); i++) {
        if (json_kind(value) == JSON_OBJECT && sv_eq(name, SV("updates")))
            json_set(out, SV("properties"), named(value, a));
        else if (json_kind(value) == JSON_OBJECT)
            say_id(out, name, value, a);
        else if (json_kind(value) == JSON_ARRAY && stands_in(lists, COUNT(lists), name))
            json_set(out, name, listed(value, a));
        else if (stands_in(about, COUNT(about), name))
            copy(out, name, value, a);
    }
    return out;
}

/* One more of that action. The actions that count are few: all others are one. */
static void count(struct json *more, const struct json *update, struct arena *a)
{
    struct sv action = json_get_str(update, SV("action"));

    if (action.n == 0 || action.n > 40 || (json_count(more) > 40 && !json_has(more, action)))
        action = SV("other");
    json_set_i64(more, a, action, json_i64(json_get(more, action), 0) + 1);
}

struct json *commit_updates(struct call *c, const struct commit_one *o, size_t n)
{
    struct arena *a = c->arena;
    const struct json *updates = json_get(o->request, SV("updates"));
    struct json *out = json_new_array(a), *more = json_new_object(a), *last = json_new_object(a);
    size_t room = UPDATES_BYTES / n;

    for (size_t i = 0; i < json_count(updates); i++) {
        struct json *one = room ? said(json_at(updates, i), a) : NULL;
        size_t bytes = one ? json_text(a, one).n : 0;

        room = bytes < room ? room - bytes : 0;
        if (room)
            json_push(out, one);
        else
            count(more, json_at(updates, i), a);
    }
    if (json_count(more)) {
        json_set(last, SV("more"), more);
        json_push(out, last);
    }
    return out;
}

void commit_record(struct call *c, const struct commit_one *o)
{
    struct json *details = json_new_object(c->arena);

    json_set(details, SV("updates"), commit_updates(c, o, 1));
    c->details = details;
}
