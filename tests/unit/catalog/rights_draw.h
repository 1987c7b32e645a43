/*
 * rights_draw.h - resources and requests by dice: names that nearly match, references to nothing,
 * the same name in two namespaces.
 */
#ifndef UNIT_CATALOG_RIGHTS_DRAW_H
#define UNIT_CATALOG_RIGHTS_DRAW_H

#include "catalog/routes.h"
#include "unit/catalog/rights_model.h"
#include "unit/dice.h"

/* ---- resources ---- */

static const char *const kube_namespaces[] = {"l", "m"};
static const char *const people[] = {"l/alice", "l/bob", "m/alice", "system:serviceaccount:m:bot",
                                     "system:serviceaccount:l:bot"};

static inline void add(struct lake *l, const char *kind, const char *ns, const char *name,
                       struct sv spec)
{
    struct json *v;
    struct resource *r;
    struct err e = {0};

    NEED_OK(json_read(arena_printf(&l->arena,
                                   "{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"%s\","
                                   "\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\"},"
                                   "\"spec\":{" SV_FMT "}}",
                                   kind, ns, name, SV_ARG(spec)),
                      &l->arena, &v, &e),
            &e);
    NEED_OK(resource_read(v, &l->arena, &r, &e), &e);
    NEED(l->n < COUNT(l->all));
    l->texts[l->n] = json_text(&l->arena, v);
    l->all[l->n++] = r;
}

static inline void add_strings(struct buf *b, const char *field, const char *const *from,
                               size_t n_from)
{
    size_t n = below(4);

    if (n > 2)
        return;
    buf_addf(b, ",\"%s\":[", field);
    for (size_t i = 0; i < n; i++)
        buf_addf(b, "%s\"%s\"", i ? "," : "", from[below(n_from)]);
    buf_addc(b, ']');
}

static inline void add_members(struct buf *b, const char *field, bool roles)
{
    static const char *const members[] = {
        "{\"kind\":\"Principal\",\"name\":\"alice\"}",
        "{\"kind\":\"Principal\",\"name\":\"bob\"}",
        "{\"kind\":\"Principal\",\"name\":\"robot\"}",
        "{\"kind\":\"ServiceAccount\",\"name\":\"bot\"}",
        "{\"kind\":\"ServiceAccount\",\"name\":\"bot\",\"namespace\":\"m\"}",
        "{\"kind\":\"PrincipalRole\",\"name\":\"team\"}",
        "{\"kind\":\"PrincipalRole\",\"name\":\"team\"}",
        "{\"kind\":\"PrincipalRole\",\"name\":\"ops\"}",
    };
    size_t n = 2 + below(3);

    buf_addf(b, "\"%s\":[", field);
    for (size_t i = 0; i < n; i++)
        buf_addf(b, "%s%s", i ? "," : "",
                 one_in(60) ? "{\"kind\":\"Principal\",\"name\":\"nobody\"}"
                            : members[below(roles ? COUNT(members) : 5)]);
    buf_addc(b, ']');
}

static inline void add_grant(struct buf *b)
{
    static const char *const namespaces[] = {"a",  "a.b", "*",     "a*", "a.b*",
                                             "ab", "a.*", "b.c.a", "A"},
                             *const leaves[] = {"t", "t*", "*", "tt", "T", "u"};
    static const char *const broad[] = {"CATALOG_MANAGE_CONTENT", "TABLE_FULL_METADATA",
                                        "TABLE_WRITE_DATA", "VIEW_FULL_METADATA",
                                        "NAMESPACE_FULL_METADATA"};
    size_t n = 1 + below(3);

    buf_add(b, SV("{\"privileges\":["));
    for (size_t i = 0; i < n; i++)
        buf_addf(b, "%s\"%s\"", i ? "," : "",
                 one_in(4) ? PICK(broad)
                           : privilege_name((enum privilege)below(PRIVILEGE_COUNT)).p);
    buf_addc(b, ']');
    add_strings(b, "namespaces", namespaces, COUNT(namespaces));
    if (one_in(60))
        buf_add(b, SV(",\"tables\":[\"*t\"]"));
    else if (one_in(2))
        add_strings(b, "tables", leaves, COUNT(leaves));
    if (one_in(3))
        add_strings(b, "views", leaves, COUNT(leaves));
    buf_addc(b, '}');
}

static inline void add_catalog_role(struct lake *l, size_t i)
{
    static const char *const refs[] = {"\"name\":\"c\"", "\"name\":\"c\"", "\"name\":\"d\"",
                                       "\"name\":\"c\",\"namespace\":\"l\"",
                                       "\"name\":\"d\",\"namespace\":\"m\""};
    struct buf b = buf_new(&l->arena, 8192);
    size_t n = 1 + below(3);

    buf_addf(&b, "\"catalogRef\":{%s},", PICK(refs));
    add_members(&b, "principals", true);
    if (one_in(3))
        buf_addf(&b, ",\"maxCredentialTtlSeconds\":%zu", 900 + 300 * below(4));
    buf_add(&b, SV(",\"grants\":["));
    for (size_t g = 0; g < n; g++) {
        buf_add(&b, g ? SV(",") : SV(""));
        add_grant(&b);
    }
    buf_addc(&b, ']');
    add(l, "CatalogRole", PICK(kube_namespaces), arena_printf(&l->arena, "r%zu", i).p, buf_sv(&b));
}

static inline void add_namespace(struct lake *l, const char *ns)
{
    static const char *const allowed[] = {"", "", ",\"allowedNamespaces\":[\"*\"]",
                                          ",\"allowedNamespaces\":[\"m\"]"},
                             *const catalogs[] = {"c", "d"}, *const roles[] = {"team", "ops"};

    if (!one_in(20))
        add(l, "StorageIntegration", ns, "s",
            arena_printf(&l->arena,
                         "\"storageType\":\"s3\",\"provider\":\"ceph-rgw\",\"bucket\":\"bkt-%s\","
                         "\"endpoint\":\"http://127.0.0.1:1\"",
                         ns));
    for (size_t i = 0; i < COUNT(catalogs); i++) {
        if (!one_in(6))
            add(l, "PolarisCatalog", ns, catalogs[i],
                arena_printf(&l->arena,
                             "\"storageIntegrationRef\":{\"name\":\"s\"},"
                             "\"defaultBaseLocation\":\"s3://bkt-%s/%s\"%s",
                             ns, catalogs[i], PICK(allowed)));
    }
    add(l, "Principal", ns, "alice", SV("\"clientCredentials\":{}"));
    add(l, "Principal", ns, "bob", SV("\"clientCredentials\":{}"));
    add(l, "Principal", ns, "robot",
        SV("\"serviceAccount\":{\"name\":\"bot\",\"namespace\":\"m\"}"));
    for (size_t i = 0; i < COUNT(roles); i++) {
        struct buf b = buf_new(&l->arena, 4096);

        add_members(&b, "members", false);
        if (!one_in(10))
            add(l, "PrincipalRole", ns, roles[i], buf_sv(&b));
    }
}

static inline void draw_lake(struct lake *l)
{
    size_t n = 6 + below(12);

    *l = (struct lake){0};
    for (size_t i = 0; i < COUNT(kube_namespaces); i++)
        add_namespace(l, kube_namespaces[i]);
    for (size_t i = 0; i < n; i++)
        add_catalog_role(l, i);
}

/* ---- requests ---- */

static const struct update updates[] = {
    {"{\"action\":\"assign-uuid\",\"uuid\":\"x\"}",                                              "assign-uuid",                 false},
    {"{\"action\":\"upgrade-format-version\",\"format-version\":2}",                             "upgrade-format-version",
     false                                                                                                                           },
    {"{\"action\":\"add-schema\"}",                                                              "add-schema",                  false},
    {"{\"action\":\"set-current-schema\"}",                                                      "set-current-schema",          false},
    {"{\"action\":\"remove-schemas\"}",                                                          "remove-schemas",              false},
    {"{\"action\":\"add-spec\"}",                                                                "add-spec",                    false},
    {"{\"action\":\"Set-Default-Spec\"}",                                                        "set-default-spec",            false},
    {"{\"action\":\"remove-partition-specs\"}",                                                  "remove-partition-specs",      false},
    {"{\"action\":\"add-sort-order\"}",                                                          "add-sort-order",              false},
    {"{\"action\":\"set-default-sort-order\"}",                                                  "set-default-sort-order",      false},
    {"{\"action\":\"set-properties\",\"updates\":{\"comment\":\"x\"}}",                          "set-properties",              false},
    {"{\"action\":\"set-properties\",\"updates\":{\"x\":\"y\",\"write.data.path\":\"s3://x\"}}",
     "set-properties",                                                                                                          true },
    {"{\"action\":\"set-properties\",\"updated\":{\"write.metadata.path\":\"s3://x\"}}",
     "set-properties",                                                                                                          true },
    {"{\"action\":\"remove-properties\",\"removals\":[\"comment\"]}",                            "remove-properties",           false},
    {"{\"action\":\"remove-properties\",\"removals\":[\"x\",\"write.object-storage.path\"]}",
     "remove-properties",                                                                                                       true },
    {"{\"action\":\"remove-properties\",\"removed\":[\"write.folder-storage.path\"]}",
     "remove-properties",                                                                                                       true },
    {"{\"action\":\"set-location\",\"location\":\"s3://x\"}",                                    "set-location",                false},
    {"{\"action\":\"add-snapshot\"}",                                                            "add-snapshot",                false},
    {"{\"action\":\"set-snapshot-ref\"}",                                                        "set-snapshot-ref",            false},
    {"{\"action\":\"remove-snapshots\"}",                                                        "remove-snapshots",            false},
    {"{\"action\":\"remove-snapshot-ref\"}",                                                     "remove-snapshot-ref",         false},
    {"{\"action\":\"set-statistics\"}",                                                          "set-statistics",              false},
    {"{\"action\":\"set-partition-statistics\"}",                                                "set-partition-statistics",    false},
    {"{\"action\":\"remove-statistics\"}",                                                       "remove-statistics",           false},
    {"{\"action\":\"remove-partition-statistics\"}",                                             "remove-partition-statistics", false},
    {"{\"action\":\"add-encryption-key\"}",                                                      "add-encryption-key",          false},
    {"{\"action\":\"remove-encryption-key\"}",                                                   "remove-encryption-key",       false},
};

static inline void draw_name(struct name *x, bool view)
{
    static const char *const levels[] = {"a", "a", "a", "b", "ab", "A", "a.b", "c"},
                             *const leaves[] = {"t", "t", "tt", "u", "T", "t*"};

    x->n = 1 + below(LEVELS);
    for (size_t i = 0; i < x->n; i++)
        x->ns[i] = PICK(levels);
    x->leaf = PICK(leaves);
    x->view = view;
}

static inline bool is_op(const struct request *q, const char *operation)
{
    return strcmp(q->operation, operation) == 0;
}

/* Mostly one that there is. */
static const char *draw_catalog(const struct rulebook *book, struct arena *a)
{
    static const char *const others[] = {"c", "d", "l.c", "m.d", "x"};
    const struct rule_catalog *const *there;
    size_t n = rulebook_catalogs(book, &there);

    return n && !one_in(10) ? arena_cstr(a, there[below(n)]->name) : PICK(others);
}

/* What stands in the path or in the body beside the namespace. */
static inline bool has_leaf(const struct request *q)
{
    return !is_op(q, "list-namespaces") && !is_op(q, "list-tables") && !is_op(q, "list-views") &&
           strcmp(q->path, "/v1/{prefix}/namespaces") != 0 &&
           strcmp(q->path, "/v1/{prefix}/namespaces/{namespace}") != 0 &&
           !is_op(q, "namespace-properties");
}

static inline void draw_request(const struct rulebook *book, struct arena *a, struct request *q)
{
    static const char *const roles[] = {"team", "ops"};
    const struct route *r;

    do
        r = &catalog_routes.p[below(catalog_routes.n)];
    while (!strstr(r->path, "{prefix}"));
    *q = (struct request){.method = http_method_text(r->method).p,
                          .path = r->path,
                          .operation = r->operation,
                          .catalog = draw_catalog(book, a),
                          .role = one_in(5) ? PICK(roles) : NULL,
                          .who = below(COUNT(people)),
                          .parts = 1,
                          .creates = one_in(4),
                          .of_commit = one_in(2)};
    draw_name(&q->at, strstr(r->operation, "view") != NULL);
    draw_name(&q->to, q->at.view);
    if (!has_leaf(q))
        q->at.leaf = NULL;
    if (is_op(q, "list-namespaces") && one_in(2))
        q->at.n = 0;
    q->overwrite = is_op(q, "register-table") && one_in(2);
    if (is_op(q, "commit-transaction") && q->at.leaf != q->to.leaf && one_in(2))
        q->parts = 2;
    for (size_t p = 0; p < q->parts; p++) {
        q->n_updates[p] = below(UPDATES + 1);
        for (size_t i = 0; i < q->n_updates[p]; i++)
            q->updates[p][i] = &PICK(updates);
    }
}

static inline void add_levels(struct buf *b, const struct name *x, const char *between,
                              const char *quote)
{
    for (size_t i = 0; i < x->n; i++)
        buf_addf(b, "%s%s%s%s", i ? between : "", quote, x->ns[i], quote);
}

static inline void add_identifier(struct buf *b, const char *member, const struct name *x)
{
    buf_addf(b, "\"%s\":{\"namespace\":[", member);
    add_levels(b, x, ",", "\"");
    buf_addf(b, "],\"name\":\"%s\"}", x->leaf);
}

static inline void add_change(struct buf *b, const struct request *q, size_t part)
{
    buf_addf(b, "\"requirements\":[%s],\"updates\":[",
             q->creates ? "{\"type\":\"assert-create\"}" : "");
    for (size_t i = 0; i < q->n_updates[part]; i++)
        buf_addf(b, "%s%s", i ? "," : "", q->updates[part][i]->json);
    buf_addc(b, ']');
}

static inline struct sv body_of(const struct request *q, struct arena *a)
{
    struct buf b = buf_new(a, 8192);

    buf_addc(&b, '{');
    if (is_op(q, "commit-table"))
        add_change(&b, q, 0);
    for (size_t p = 0; is_op(q, "commit-transaction") && p < q->parts; p++) {
        buf_add(&b, p ? SV(",{") : SV("\"table-changes\":[{"));
        add_identifier(&b, "identifier", p ? &q->to : &q->at);
        buf_addc(&b, ',');
        add_change(&b, q, p);
        buf_add(&b, p + 1 == q->parts ? SV("}]") : SV("}"));
    }
    if (strstr(q->operation, "rename-")) {
        add_identifier(&b, "source", &q->at);
        buf_addc(&b, ',');
        add_identifier(&b, "destination", &q->to);
    }
    if (is_op(q, "create-namespace")) {
        buf_add(&b, SV("\"namespace\":["));
        add_levels(&b, &q->at, ",", "\"");
        buf_addc(&b, ']');
    }
    if (strstr(q->operation, "create-") || strstr(q->operation, "register-"))
        buf_addf(
            &b,
            "%s\"name\":\"%s\",\"overwrite\":%s,\"metadata-location\":\"s3://bkt-%c/f/x.metadata.json\"",
            is_op(q, "create-namespace") ? "," : "", q->at.leaf ? q->at.leaf : "",
            q->overwrite ? "true" : "false", 'l');
    if (is_op(q, "report-metrics"))
        buf_addf(&b, "\"report-type\":\"%s\",\"metrics\":{}",
                 q->of_commit ? "commit-report" : "scan-report");
    buf_addc(&b, '}');
    return buf_sv(&b);
}

static inline void add_template(struct buf *b, struct sv text, struct arena *a,
                                const struct request *q)
{
    struct buf levels = buf_new(a, 256);
    struct sv plain;

    add_levels(&levels, &q->at, "\x1f", "");
    while (text.n) {
        (void)sv_cut(&text, '{', &plain);
        buf_add(b, plain);
        if (!text.n || !sv_cut(&text, '}', &plain))
            break;
        uri_encode(b,
                   sv_eq(plain, SV("prefix"))      ? sv_from(q->catalog)
                   : sv_eq(plain, SV("namespace")) ? buf_sv(&levels)
                                                   : sv_from(q->at.leaf),
                   (struct sv){0});
    }
    if (is_op(q, "list-namespaces") && q->at.n) {
        buf_add(b, SV("?parent="));
        uri_encode(b, buf_sv(&levels), (struct sv){0});
    }
}

#endif
