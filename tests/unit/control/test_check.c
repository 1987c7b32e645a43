/* test_check.c - every fault of a manifest is told at once: where it stands, whose it is, what was
 * found and what to do. */
#include <stdlib.h>
#include <unistd.h>

#include "control/control.h"
#include "control/files.h"
#include "unit/suite.h"

#define HEAD(kind, name)                                                          \
    "apiVersion: polaris.apache.org/v1\nkind: " kind "\nmetadata:\n  name: " name \
    "\n  namespace: l\n"
#define STORE                                                                            \
    HEAD("StorageIntegration", "s")                                                      \
    "spec: {storageType: s3, provider: ceph-rgw, bucket: bkt, endpoint: 'http://rgw'}\n" \
    "---\n"

/* What is said of the text, with FILE for its path. */
static struct sv checked(const char *text, struct arena *a, bool *good)
{
    char path[] = "/tmp/fd-check-XXXXXX";
    const char *files[] = {path};
    struct check_report out = {buf_new(a, 1 << 20), buf_new(a, 1 << 20), 0, 0, 0};
    struct buf said = buf_new(a, 1 << 20);
    struct sv rest, line;
    int fd = mkstemp(path);

    NEED(fd >= 0);
    NEED(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
    *good = control_check(files, 1, &out);
    (void)unlink(path);
    rest = buf_sv(&out.faults);
    while (sv_cut(&rest, '\n', &line)) {
        if (!line.n)
            continue;
        NEED(sv_starts(line, sv_from(path)));
        buf_addf(&said, "FILE" SV_FMT "\n", SV_ARG(sv_skip(line, strlen(path))));
    }
    return buf_sv(&said);
}

static void check_says(const char *text, const char *wanted)
{
    auto_arena a = {0};
    bool good;
    struct sv got = checked(text, &a, &good);

    CHECK(good == (wanted[0] == 0));
    CHECK_SV(got, sv_from(wanted));
}

static void nothing_is_said_of_what_is_right(void)
{
    check_says(STORE HEAD("PolarisCatalog", "c") "spec: {storageIntegrationRef: {name: s}}\n", "");
}

static void faults_come_in_the_order_of_their_lines_all_at_once(void)
{
    check_says(HEAD("StorageIntegration", "s") "spec:\n"
                                               "  colour: blue\n"
                                               "  storageType: s3\n"
                                               "  bucket: bkt\n"
                                               "  endpoint: ftp://x\n"
                                               "  suspend: 1\n"
                                               "  credentialTtlSeconds: 10\n",
               "FILE:7: StorageIntegration/s: spec.colour: is no field of this kind; take it out "
               "or mend its name\n"
               "FILE:10: StorageIntegration/s: spec.endpoint: is \"ftp://x\", must be "
               "http://HOST[:PORT] or https://HOST[:PORT], without a path\n"
               "FILE:11: StorageIntegration/s: spec.suspend: is 1, must be true or false\n"
               "FILE:12: StorageIntegration/s: spec.credentialTtlSeconds: is 10, must be a whole "
               "number from 900 to 43200\n");
}

static void a_value_of_the_wrong_kind_is_shown(void)
{
    check_says(HEAD("StorageIntegration", "s") "spec:\n"
                                               "  storageType: gcs\n"
                                               "  bucket: [x]\n"
                                               "  region: ''\n"
                                               "  credentialsSecretRef: keys\n"
                                               "  tags: {a: 1}\n"
                                               "  allowedLocations: x\n",
               "FILE:7: StorageIntegration/s: spec.storageType: is \"gcs\", must be one of: s3, "
               "file\n"
               "FILE:8: StorageIntegration/s: spec.bucket: is [\"x\"], must be text\n"
               "FILE:9: StorageIntegration/s: spec.region: is \"\", must have 1 to 64 characters, "
               "has 0\n"
               "FILE:10: StorageIntegration/s: spec.credentialsSecretRef: is \"keys\", must be an "
               "object with name\n"
               "FILE:11: StorageIntegration/s: spec.tags.a: is 1, must be text: put it into "
               "quotes\n"
               "FILE:12: StorageIntegration/s: spec.allowedLocations: is \"x\", must be a list\n");
}

static void a_reference_that_leads_nowhere_is_told_beside_other_faults(void)
{
    check_says(HEAD("CatalogRole", "r") "spec:\n"
                                        "  catalogRef: {name: nowhere}\n"
                                        "  principals:\n"
                                        "    - {kind: Principal, name: nobody}\n"
                                        "  grants:\n"
                                        "    - privileges: [TABLE_LIST]\n"
                                        "      namespaces: ['a*b']\n",
               "FILE:7: CatalogRole/r: spec.catalogRef.name: there is no PolarisCatalog l/nowhere; "
               "create it or mend the name\n"
               "FILE:9: CatalogRole/r: spec.principals[0].name: there is no Principal l/nobody; "
               "create it or mend the name\n"
               "FILE:12: CatalogRole/r: spec.grants[0].namespaces[0]: \"a*b\": * may only stand at "
               "the end\n");
}

static void what_an_object_that_is_given_needs_is_required(void)
{
    check_says(HEAD("Principal", "p") "spec:\n  serviceAccount: {namespace: x}\n",
               "FILE:6: Principal/p: spec: give exactly one of clientCredentials and "
               "serviceAccount\n"
               "FILE:7: Principal/p: spec.serviceAccount.name: is required\n");
    check_says(HEAD("Principal", "p"),
               "FILE:1: Principal/p: spec: is required\n"
               "FILE:1: Principal/p: spec: give exactly one of clientCredentials and "
               "serviceAccount\n");
}

static void a_slip_does_not_make_an_object_anothers(void)
{
    check_says("apiVersion: polaris.apache.org/v1\nkind: CatalogRol\nmetadata: {name: x}\n",
               "FILE:2: kind: is \"CatalogRol\", must be one of: StorageIntegration, "
               "PolarisCatalog, Principal, PrincipalRole, CatalogRole\n");
    check_says("apiVersion: polaris.apache.org/v2\nkind: Principal\nmetadata: {name: x}\n",
               "FILE:1: Principal: apiVersion: is \"polaris.apache.org/v2\", must be "
               "polaris.apache.org/v1\n");
    check_says("kind: Principal\nmetadata: {name: x}\n",
               "FILE:1: Principal: apiVersion: is \"\", must be polaris.apache.org/v1\n");
    check_says("apiVersion: polaris.apache.org/v1\nkind: Principal\nmetadata: {namespace: x}\n",
               "FILE:3: Principal: metadata.name: is required\n");
}

static void other_products_objects_are_left_alone(void)
{
    check_says("apiVersion: apps/v1\nkind: Deployment\n---\napiVersion: other.example/v1\nkind: "
               "Principal\nspec: 7\n",
               "");
}

static void a_name_that_a_server_would_refuse_is_told(void)
{
    check_says(HEAD("Principal", "Bad_Name") "spec: {clientCredentials: {}}\n",
               "FILE:4: Principal/Bad_Name: metadata.name: is \"Bad_Name\", must be of a-z, 0-9, "
               "'-' and '.', at most 253 characters\n");
}

static void an_object_that_stands_twice_is_told(void)
{
#define TWICE HEAD("Principal", "p") "spec: {clientCredentials: {}}\n"
    auto_arena a = {0};
    bool good;
    struct sv got = checked(TWICE "---\n" TWICE, &a, &good);

    CHECK(!good);
    CHECK(sv_starts(got, SV("FILE:11: Principal/p: metadata.name: stands already at ")));
    CHECK(sv_contains(got, SV(":4; take one of them out")));
}

static void a_file_that_cannot_be_read_is_told_with_its_line(void)
{
    auto_arena a = {0};
    bool good;

    CHECK(sv_starts(checked("a: 1\nb: [\n", &a, &good), SV("FILE:")));
    CHECK(!good);
}

static void a_tag_that_would_be_our_mark_is_told(void)
{
    check_says(
        HEAD(
            "StorageIntegration",
            "s") "spec:\n  storageType: s3\n  provider: ceph-rgw\n  bucket: bkt\n  endpoint: http://rgw\n"
                 "  tags:\n    Polaris.apache.org/uid: x\n    team: a\n    Team: b\n",
        "FILE:12: StorageIntegration/s: spec.tags.Polaris.apache.org/uid: must not begin "
        "with polaris.apache.org/, which marks what frontdesk made; name it otherwise\n"
        "FILE:14: StorageIntegration/s: spec.tags.Team: is team in other letters, and one "
        "tag to AWS; keep one of them\n");
}

/* What is said of these paths below a new folder; "DIR" for the folder. */
static struct sv checked_folder(const char *const *files, const char *const *texts,
                                const char *const *named, struct arena *a, bool *good)
{
    char dir[] = "/tmp/fd-check-XXXXXX";
    struct check_report out = {buf_new(a, 1 << 20), buf_new(a, 1 << 20), 0, 0, 0};
    struct buf said = buf_new(a, 1 << 20);
    const char *paths[8] = {0};
    struct sv rest, line;
    struct err e = {0};
    size_t n = 0;

    NEED(mkdtemp(dir) != NULL);
    NEED_OK(folder_make(arena_printf(a, "%s/sub", dir), &e), &e);
    for (size_t i = 0; files[i]; i++)
        NEED_OK(file_replace(arena_printf(a, "%s/%s", dir, files[i]), sv_from(texts[i]), &e), &e);
    for (; named[n]; n++)
        paths[n] = arena_printf(a, "%s%s", dir, named[n]).p;
    *good = control_check(paths, n, &out);
    for (size_t i = 0; files[i]; i++)
        file_remove(arena_printf(a, "%s/%s", dir, files[i]));
    (void)rmdir(arena_printf(a, "%s/sub", dir).p);
    (void)rmdir(dir);
    for (rest = buf_sv(&out.faults); sv_cut(&rest, '\n', &line) && line.n;)
        buf_addf(&said, "DIR" SV_FMT "\n", SV_ARG(sv_skip(line, strlen(dir))));
    if (out.notes.n)
        buf_addf(&said, "note: DIR" SV_FMT, SV_ARG(sv_skip(buf_sv(&out.notes), strlen(dir))));
    return buf_sv(&said);
}

#define GOOD HEAD("Principal", "p") "spec: {clientCredentials: {}}\n"

static void nothing_that_was_named_is_passed_over(void)
{
    static const char *const files[] = {"a.yaml", "sub/b.yaml", "notes.txt", NULL};
    static const char *const texts[] = {GOOD, "kind: [", "just words\n", NULL};
    static const struct {
        const char *named[4], *said;
        bool good;
    } cases[] = {
        {{"", NULL},
         "note: DIR/sub: is a folder with manifests: those in sub-folders are not read; name it too\n",
         true                                                                                                },
        {{"/", "/sub", NULL},
         "DIR/sub/b.yaml:2: file: not YAML: did not find expected node content\n",                      false},
        {{"/notes.txt", NULL},
         "DIR/notes.txt:1: object: is \"just words\", must be an object with apiVersion and kind\n",    false},
        {{"/nowhere.yaml", NULL}, "DIR/nowhere.yaml:1: file: No such file or directory\n",              false},
        {{"/a.yaml", NULL},       "",                                                                   true },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        auto_arena a = {0};
        bool good;

        CHECK_SV(checked_folder(files, texts, cases[i].named, &a, &good), sv_from(cases[i].said));
        CHECK(good == cases[i].good);
    }
}

static void a_folder_without_manifests_is_told(void)
{
    static const char *const none[] = {NULL}, *const named[] = {"", "/sub/", NULL};
    auto_arena a = {0};
    bool good;

    CHECK_SV(checked_folder(none, none, named, &a, &good),
             SV("DIR:1: folder: holds no manifest: no *.yaml, *.yml or *.json\n"
                "DIR/sub:1: folder: holds no manifest: no *.yaml, *.yml or *.json\n"));
    CHECK(!good);
}

static void an_empty_file_is_told(void)
{
    check_says("", "FILE:1: file: is empty: it holds no object\n");
    check_says("# words\n---\n", "FILE:1: file: is empty: it holds no object\n");
}

static void the_items_of_lists_and_arrays_are_checked_where_they_stand(void)
{
    check_says(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: polaris.apache.org/v1\n"
        "  kind: Principal\n  metadata: {name: p}\n  spec:\n    colour: blue\n"
        "    clientCredentials: {}\n- kind: Deployment\n  apiVersion: apps/v1\n",
        "FILE:8: Principal/p: spec.colour: is no field of this kind; take it out or mend its "
        "name\n");
    check_says(
        "[{\"apiVersion\": \"polaris.apache.org/v1\", \"kind\": \"Principal\",\n"
        " \"metadata\": {\"name\": \"p\"},\n"
        " \"spec\": {\"colour\": 1, \"clientCredentials\": {}}},\n"
        " {\"apiVersion\": \"polaris.apache.org/v1\",\n  \"kind\": \"Principle\","
        "\n  \"metadata\": {\"name\": \"q\"}},\n 7]\n",
        "FILE:3: Principal/p: spec.colour: is no field of this kind; take it out or mend its "
        "name\n"
        "FILE:5: kind: is \"Principle\", must be one of: StorageIntegration, "
        "PolarisCatalog, Principal, PrincipalRole, CatalogRole\n"
        "FILE:7: object: is 7, must be an object with apiVersion and kind\n");
    check_says("apiVersion: polaris.apache.org/v1\nkind: PrincipalList\nitems:\n"
               "- metadata: {name: p}\n  spec: {}\n",
               "FILE:5: Principal/p: spec: give exactly one of clientCredentials and "
               "serviceAccount\n");
    check_says("apiVersion: v1\nkind: List\n",
               "FILE:1: List: items: is required of a List, as a list\n");
}

SUITE("control/check", TEST(nothing_is_said_of_what_is_right),
      TEST(faults_come_in_the_order_of_their_lines_all_at_once),
      TEST(a_value_of_the_wrong_kind_is_shown),
      TEST(a_reference_that_leads_nowhere_is_told_beside_other_faults),
      TEST(what_an_object_that_is_given_needs_is_required),
      TEST(a_slip_does_not_make_an_object_anothers), TEST(other_products_objects_are_left_alone),
      TEST(a_name_that_a_server_would_refuse_is_told), TEST(an_object_that_stands_twice_is_told),
      TEST(a_tag_that_would_be_our_mark_is_told), TEST(nothing_that_was_named_is_passed_over),
      TEST(a_folder_without_manifests_is_told), TEST(an_empty_file_is_told),
      TEST(the_items_of_lists_and_arrays_are_checked_where_they_stand),
      TEST(a_file_that_cannot_be_read_is_told_with_its_line))
