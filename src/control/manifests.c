/* manifests.c - the objects of manifest files, and what each of them is to us. */
#include "control/manifests.h"

/* ---- lists ---- */

/* "PrincipalList" to "Principal", where the items need not say it. */
static struct sv kind_of_items(struct sv kind)
{
    return sv_first(kind, kind.n - (sizeof("List") - 1));
}

static bool is_list(const struct json *root)
{
    struct sv kind = json_get_str(root, SV("kind"));
    enum kind ignored;

    return json_kind(json_get(root, SV("items"))) == JSON_ARRAY && sv_ends(kind, SV("List")) &&
           (sv_eq(kind, SV("List")) || kind_read(kind_of_items(kind), &ignored));
}

static void flatten(const struct yaml_doc *doc, struct arena *a, struct yaml_docs *out);

static void flatten_item(const struct yaml_doc *list, struct sv field, size_t i, struct json *item,
                         struct arena *a, struct yaml_docs *out)
{
    struct yaml_doc one = *list;

    one.root = item;
    one.prefix = list->prefix.n && field.n ? ARENA_JOIN(a, list->prefix, SV("."), field)
                                           : ARENA_JOIN(a, list->prefix, field);
    one.prefix = arena_indexed(a, one.prefix, i, (struct sv){0});
    one.line = yaml_line(&one, (struct sv){0});
    flatten(&one, a, out);
}

/* Items of a typed list take its kind and version where they have none. */
static struct json *completed(const struct json *list, struct json *item, struct arena *a)
{
    struct sv kind = json_get_str(list, SV("kind"));

    if (sv_eq(kind, SV("List")) || json_kind(item) != JSON_OBJECT || json_has(item, SV("kind")))
        return item;
    json_set_str(item, a, SV("kind"), kind_of_items(kind));
    if (!json_has(item, SV("apiVersion")))
        json_set_str(item, a, SV("apiVersion"), json_get_str(list, SV("apiVersion")));
    return item;
}

static void flatten(const struct yaml_doc *doc, struct arena *a, struct yaml_docs *out)
{
    const struct json *items = json_get(doc->root, SV("items"));

    if (json_kind(doc->root) == JSON_ARRAY) {
        for (size_t i = 0; i < json_count(doc->root); i++)
            flatten_item(doc, (struct sv){0}, i, json_at(doc->root, i), a, out);
    } else if (is_list(doc->root)) {
        for (size_t i = 0; i < json_count(items); i++)
            flatten_item(doc, SV("items"), i, completed(doc->root, json_at(items, i), a), a, out);
    } else {
        vec_push(out, a, *doc);
    }
}

void manifests_flatten(const struct yaml_docs *docs, struct arena *a, struct yaml_docs *out)
{
    for (size_t i = 0; i < docs->n; i++)
        flatten(&docs->p[i], a, out);
}

/* ---- what it is ---- */

static struct sv list_kinds(struct arena *a)
{
    struct buf b = buf_new(a, 500);

    for (int k = 0; k < KIND_COUNT; k++)
        buf_addf(&b, "%s" SV_FMT, k ? ", " : "", SV_ARG(kind_name((enum kind)k)));
    return buf_sv(&b);
}

/* Another product's objects may lie in the same files; a slip in ours must not make it one. */
static bool is_meant_for_us(const struct json *root)
{
    struct sv version = json_get_str(root, SV("apiVersion")), kind = json_get_str(root, SV("kind"));
    enum kind k;

    return sv_starts(version, SV(API_GROUP)) ||
           (!version.n && (kind_read(kind, &k) || sv_eq(kind, SV("Secret"))));
}

static bool is_secret(const struct json *root)
{
    return sv_eq(json_get_str(root, SV("kind")), SV("Secret")) &&
           sv_eq(json_get_str(root, SV("apiVersion")), SV("v1"));
}

static void check_head(const struct json *root, struct arena *a, struct complaints *faults)
{
    struct sv version = json_get_str(root, SV("apiVersion")), kind = json_get_str(root, SV("kind"));
    bool secret = sv_eq(kind, SV("Secret")) && !sv_starts(version, SV(API_GROUP));
    const char *must = secret ? "v1" : API_VERSION;
    enum kind k;

    if (!sv_eq(version, sv_from(must)))
        complain(faults, a, "InvalidSpec", SV("apiVersion"), "is \"" SV_FMT "\", must be %s",
                 SV_ARG(sv_first(version, 60)), must);
    if (!secret && !kind_read(kind, &k))
        complain(faults, a, "InvalidSpec", SV("kind"), "is \"" SV_FMT "\", must be one of: " SV_FMT,
                 SV_ARG(sv_first(kind, 60)), SV_ARG(list_kinds(a)));
    if (!json_get_str(json_get(root, SV("metadata")), SV("name")).n)
        complain(faults, a, "InvalidSpec", SV("metadata.name"), "is required");
}

enum manifest_use manifest_use(const struct json *root, struct arena *a, struct complaints *faults)
{
    size_t before = faults->n;

    if (json_kind(root) != JSON_OBJECT) {
        complain(faults, a, "InvalidSpec", SV("object"),
                 "is " SV_FMT ", must be an object with apiVersion and kind",
                 SV_ARG(sv_first(json_text(a, root), 60)));
        return MANIFEST_WRONG;
    }
    if (sv_eq(json_get_str(root, SV("kind")), SV("List")) && !is_list(root)) {
        complain(faults, a, "InvalidSpec", SV("items"), "is required of a List, as a list");
        return MANIFEST_WRONG;
    }
    if (!is_meant_for_us(root) && !is_secret(root))
        return MANIFEST_FOREIGN;
    check_head(root, a, faults);
    if (faults->n > before)
        return MANIFEST_WRONG;
    return is_secret(root) ? MANIFEST_SECRET : MANIFEST_OURS;
}
