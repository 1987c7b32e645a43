/* test_manifest.c - which files manifests and their lists name, as PyIceberg and Spark wrote them.
 */
#include "base/limits.h"
#include "iceberg/manifest.h"
#include "unit/iceberg/table.h"

struct seen {
    struct arena *arena;
    struct sv_vec paths;
    int64_t entries;
};

static struct sv file(const char *name, struct arena *a)
{
    char *bytes = arena_alloc(a, 65536);
    FILE *f = fopen(arena_printf(a, "%s/tests/fuzz/corpus/manifest/%s", SOURCE_DIR, name).p, "rb");
    size_t n;

    NEED(f);
    n = fread(bytes, 1, 65536, f);
    (void)fclose(f);
    return sv_of(bytes, n);
}

static bool on_manifest(const struct manifest *m, void *context, UNUSED struct err *e)
{
    struct seen *s = context;

    s->entries += m->entries;
    vec_push(&s->paths, s->arena, arena_dup(s->arena, m->path));
    return true;
}

static bool on_file(struct sv path, void *context, UNUSED struct err *e)
{
    struct seen *s = context;

    vec_push(&s->paths, s->arena, arena_dup(s->arena, path));
    return true;
}

static void lists_name_their_manifests_and_how_much_is_in_them(void)
{
    static const struct {
        const char *name, *start;
        size_t manifests;
        int64_t entries;
    } lists[] = {
        {"pyiceberg-v1-list",      "/tmp/lake-py/v1.avro",      1, 3},
        {"pyiceberg-v2-list",      "/tmp/lake-py/v2.avro",      1, 3},
        {"pyiceberg-v2-null-list", "/tmp/lake-py/v2-null.avro", 1, 3},
        {"spark-v1-list",          "/tmp/lake/d/v1/metadata/",  2, 3},
        {"spark-v2-list",          "/tmp/lake/d/v2/metadata/",  2, 3},
        {"spark-v3-list",          "/tmp/lake/d/v3/metadata/",  2, 3},
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        auto_arena a = {0};
        struct seen s = {.arena = &a};
        struct err e = {0};

        CHECK_OK(manifest_list_each(file(lists[i].name, &a), on_manifest, &s, &e), &e);
        CHECK_INT(s.paths.n, lists[i].manifests);
        CHECK_INT(s.entries, lists[i].entries);
        for (size_t j = 0; j < s.paths.n; j++)
            CHECK(sv_starts(s.paths.p[j], sv_from(lists[i].start)));
    }
}

static void manifests_name_data_deletes_and_vectors_under_every_codec(void)
{
    static const struct {
        const char *name, *end;
        int64_t entries;
    } manifests[] = {
        {"pyiceberg-v1-manifest",      "/g=c/d/f.parquet",       3},
        {"pyiceberg-v2-manifest",      "/g=c/d/f.parquet",       3},
        {"pyiceberg-v2-null-manifest", "/g=c/d/f.parquet",       3},
        {"spark-v1-manifest-1",        ".parquet",               2},
        {"spark-v1-manifest-2",        ".parquet",               1},
        {"spark-v2-manifest-0",        ".parquet",               2},
        {"spark-v2-manifest-1",        "-00001-deletes.parquet", 1},
        {"spark-v3-manifest-0",        ".parquet",               2},
        {"spark-v3-manifest-1",        "-00001-deletes.puffin",  1},
        {"spark-null-manifest",        ".parquet",               1},
        {"spark-snappy-manifest",      ".parquet",               1},
        {"spark-zstd-manifest",        ".parquet",               1},
    };

    for (size_t i = 0; i < sizeof(manifests) / sizeof(manifests[0]); i++) {
        auto_arena a = {0};
        struct seen s = {.arena = &a};
        int64_t entries = -1;
        struct err e = {0};

        CHECK_OK(manifest_each(file(manifests[i].name, &a), on_file, &s, &entries, &e), &e);
        CHECK_INT(entries, manifests[i].entries);
        NEED(s.paths.n == (size_t)manifests[i].entries);
        CHECK(sv_ends(s.paths.p[s.paths.n - 1], sv_from(manifests[i].end)));
    }
}

/* Cut behind its head a container has no block, and that is a file; the list tells. */
static void a_manifest_that_is_cut_is_refused(void)
{
    auto_arena a = {0};
    struct sv whole = file("spark-v2-manifest-0", &a);
    int accepted = 0;

    for (size_t n = 0; n < whole.n; n++) {
        auto_arena scratch = {0};
        struct seen s = {.arena = &scratch};
        int64_t entries = -1;
        struct err e = {0};

        if (!manifest_each(sv_first(whole, n), on_file, &s, &entries, &e)) {
            CHECK_INT(e.code, ERR_INVALID);
            continue;
        }
        CHECK_INT(entries, 0);
        accepted++;
    }
    CHECK_INT(accepted, 1);
}

static void a_list_is_no_manifest_and_a_manifest_no_list(void)
{
    auto_arena a = {0};
    struct seen s = {.arena = &a};
    int64_t entries;
    struct err e = {0};

    CHECK(!manifest_each(file("spark-v2-list", &a), on_file, &s, &entries, &e));
    CHECK_SV(sv_from(e.msg), SV("a manifest's entry names no file"));
    CHECK(!manifest_list_each(file("spark-v2-manifest-0", &a), on_manifest, &s, &e));
    CHECK_SV(sv_from(e.msg), SV("a manifest list names a manifest without its path"));
    CHECK_INT(s.paths.n, 0);
}

static bool refuse(UNUSED struct sv path, UNUSED void *context, struct err *e)
{
    return err_set(e, ERR_BUSY, "not now");
}

static void a_refused_visit_ends_the_reading_with_its_reason(void)
{
    auto_arena a = {0};
    int64_t entries;
    struct err e = {0};

    CHECK(!manifest_each(file("spark-v2-manifest-0", &a), refuse, NULL, &entries, &e));
    CHECK_INT(e.code, ERR_BUSY);
    CHECK_INT(entries, 1);
}

static void metadata_names_lists_statistics_and_its_past(void)
{
    auto_arena a = {0};
    struct metadata_files f;

    metadata_files(
        json("{\"snapshots\":[{\"snapshot-id\":1,\"manifest-list\":\"l1\"},{\"snapshot-id\":2,"
             "\"manifests\":[\"m1\",\"m2\",7]},{\"snapshot-id\":3,\"manifest-list\":7},7],"
             "\"statistics\":[{\"statistics-path\":\"s1\"},{}],"
             "\"partition-statistics\":[{\"statistics-path\":\"p1\"}],"
             "\"metadata-log\":[{\"metadata-file\":\"v1\"},{\"metadata-file\":\"v2\"}]}",
             &a),
        &a, &f);
    NEED(f.manifest_lists.n == 1 && f.manifests.n == 2 && f.others.n == 4);
    CHECK_SV(f.manifest_lists.p[0], SV("l1"));
    CHECK_SV(f.manifests.p[1], SV("m2"));
    CHECK_SV(f.others.p[0], SV("s1"));
    CHECK_SV(f.others.p[1], SV("p1"));
    CHECK_SV(f.others.p[3], SV("v2"));
    CHECK(!f.keeps_data);
}

static void data_is_kept_only_where_gc_is_disabled(void)
{
    static const struct {
        const char *properties;
        bool kept;
    } cases[] = {
        {"{\"properties\":{\"gc.enabled\":\"false\"}}", true },
        {"{\"properties\":{\"gc.enabled\":\"FALSE\"}}", true },
        {"{\"properties\":{\"gc.enabled\":\"true\"}}",  false},
        {"{\"properties\":{\"gc.enabled\":\"no\"}}",    false},
        {"{}",                                          false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        auto_arena a = {0};
        struct metadata_files f;

        metadata_files(json(cases[i].properties, &a), &a, &f);
        CHECK_INT(f.keeps_data, cases[i].kept);
    }
}

SUITE("iceberg/manifest", TEST(lists_name_their_manifests_and_how_much_is_in_them),
      TEST(manifests_name_data_deletes_and_vectors_under_every_codec),
      TEST(a_manifest_that_is_cut_is_refused), TEST(a_list_is_no_manifest_and_a_manifest_no_list),
      TEST(a_refused_visit_ends_the_reading_with_its_reason),
      TEST(metadata_names_lists_statistics_and_its_past),
      TEST(data_is_kept_only_where_gc_is_disabled))
