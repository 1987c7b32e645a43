/* test_location.c - places in object stores: what is one, what is an attack. */
#include "api/location.h"
#include "base/buf.h"
#include "base/limits.h"
#include "unit/suite.h"

static struct location folder(const char *text, struct arena *a)
{
    struct location l = {0};
    struct err e = {0};

    CHECK_OK(location_read(sv_from(text), true, a, &l, &e), &e);
    return l;
}

static bool taken(struct sv text)
{
    auto_arena a = {0};
    struct location l;
    struct err e = {0};

    return location_read(text, false, &a, &l, &e);
}

static void one_folder_has_one_text(void)
{
    auto_arena a = {0};
    static const char *const same[] = {"s3://bkt/a/b", "s3://bkt/a/b/", "s3a://bkt/a/b",
                                       "s3n://bkt/a/b/*"};

    for (size_t i = 0; i < 4; i++) {
        struct location l = folder(same[i], &a);

        CHECK_SV(location_text(&l, &a), SV("s3://bkt/a/b/"));
    }
    CHECK_SV(folder("s3://bkt", &a).key, SV(""));
    CHECK_SV(folder("s3://bkt/*", &a).key, SV(""));
}

static void a_sibling_that_begins_the_same_is_outside(void)
{
    auto_arena a = {0};
    struct location t = folder("s3://bkt/t", &a), t2 = folder("s3://bkt/t2", &a),
                    in = folder("s3://bkt/t/x", &a);
    struct location other = folder("s3://bkt2/t/x", &a), all = folder("s3://bkt", &a);

    CHECK(!location_contains(&t, &t2));
    CHECK(!location_overlaps(&t, &t2));
    CHECK(location_contains(&t, &in));
    CHECK(!location_contains(&in, &t));
    CHECK(location_overlaps(&in, &t));
    CHECK(!location_contains(&t, &other));
    CHECK(location_contains(&all, &t2));
    CHECK_INT(location_which((struct location[]){other, t2, t, all}, 4, &in), 2);
    CHECK_INT(location_which((struct location[]){other, t2}, 2, &in), -1);
}

static void a_file_is_no_object_and_no_object_a_file(void)
{
    auto_arena a = {0};
    struct location file = folder("file:/tmp/a", &a), same = folder("file:///tmp/a/", &a),
                    object = folder("s3://tmp/a", &a), all = folder("s3://tmp", &a);

    CHECK_SV(location_text(&file, &a), SV("file:/tmp/a/"));
    CHECK_SV(location_text(&same, &a), SV("file:/tmp/a/"));
    CHECK(!location_overlaps(&file, &object));
    CHECK(!location_overlaps(&file, &all));
}

static void paths_that_mean_another_place_are_refused(void)
{
    static const struct sv attacks[] = {
        SV_INIT("s3://bkt/a/../b"),
        SV_INIT("s3://bkt/.."),
        SV_INIT("s3://bkt/./a"),
        SV_INIT("s3://bkt//a"),
        SV_INIT("s3://bkt/a//b"),
        SV_INIT("s3://bkt/a//"),
        SV_INIT("s3://bkt/a*"),
        SV_INIT("s3://bkt/a?"),
        SV_INIT("s3://bkt/*/a"),
        SV_INIT("s3://bkt/$a"),
        SV_INIT("s3://bkt/${aws:x}"),
        SV_INIT("s3://bkt/a:b"),
        SV_INIT("s3://bkt/%2e%2e"),
        SV_INIT("s3://bkt/a%2Fb"),
        SV_INIT("s3://bkt/a\\b"),
        SV_INIT("s3://bkt/a#b"),
        SV_INIT("s3://bkt/a\nb"),
        SV_INIT("s3://bkt/\x7f"),
        SV_INIT("s3://bkt/e\xcc\x81"),
        SV_INIT("s3://bkt/\xff"),
        SV_INIT("s3://bkt/\xc0\xae"),
        SV_INIT("s3://bkt/\xe2\x80\x8b"),
        SV_INIT("s3://bkt/\xed\xa0\x80"),
        SV_INIT("s3://"),
        SV_INIT("s3:///a"),
        SV_INIT("s3://b"),
        SV_INIT("s3://BKT/a"),
        SV_INIT("s3://user@bkt/a"),
        SV_INIT("s3://..bkt/a"),
        SV_INIT("http://bkt/a"),
        SV_INIT("file://host/a"),
        SV_INIT("file:////a"),
        SV_INIT("file:///"),
        SV_INIT("file:a"),
        SV_INIT("S3://bkt/a"),
        SV_INIT("bkt/a"),
        SV_INIT(""),
        SV_INIT("s3://bkt/a/*"),
    };

    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        if (taken(attacks[i]))
            CHECK_SV(attacks[i], SV("(refused)"));
    }
    CHECK(!taken(sv_of("s3://bkt/a\0b", 12)));
}

static void ordinary_names_of_the_world_are_taken(void)
{
    CHECK(taken(SV("s3://bkt/a b/c+d=e,f&g'h(i)")));
    CHECK(taken(SV("s3://my.bucket-1/dt=2026-11-21/\xc3\xa9t\xc3\xa9/\xe6\x97\xa5\xe6\x9c\xac")));
    CHECK(taken(SV("s3://bkt/...a/..b")));
}

static void length_has_a_limit(void)
{
    auto_arena a = {0};
    char *text = arena_alloc(&a, LIMIT_LOCATION_BYTES + 2);

    memset(text, 'a', LIMIT_LOCATION_BYTES + 1);
    memcpy(text, "s3://bkt/", 9);
    CHECK(taken(sv_of(text, LIMIT_LOCATION_BYTES)));
    CHECK(!taken(sv_of(text, LIMIT_LOCATION_BYTES + 1)));
}

static void a_file_is_no_folder(void)
{
    auto_arena a = {0};
    struct location l = {0}, t = folder("s3://bkt/t", &a);
    struct err e = {0};

    NEED_OK(location_read_file(SV("s3://bkt/t/m.json"), &a, &l, &e), &e);
    CHECK(location_contains(&t, &l));
    CHECK(!location_read_file(SV("s3://bkt/t/"), &a, &l, &e));
    CHECK(!location_read_file(SV("s3://bkt"), &a, &l, &e));
    CHECK(!location_read_file(SV("s3://bkt/t/../x"), &a, &l, &e));
}

/* As manifests name files: whatever a partition's value made of them. */
static void a_file_that_a_manifest_names_is_read_as_it_stands(void)
{
    static const struct {
        struct sv text, bucket, key;
    } good[] = {
        {SV_INIT("s3://b/t/p=a:b%2Fc/f.parquet"), SV_INIT("b"), SV_INIT("t/p=a:b%2Fc/f.parquet")},
        {SV_INIT("s3a://b/t//x"),                 SV_INIT("b"), SV_INIT("t//x")                 },
        {SV_INIT("s3n://b/..x/.y/z..."),          SV_INIT("b"), SV_INIT("..x/.y/z...")          },
        {SV_INIT("s3://b/*?$#"),                  SV_INIT("b"), SV_INIT("*?$#")                 },
        {SV_INIT("file:///a/b"),                  SV_INIT(""),  SV_INIT("a/b")                  },
    };
    static const char *const bad[] = {"",          "s3://b",        "s3://b/",      "s3:///t/x",
                                      "s3://b/t/", "s3://b/t/../x", "s3://b/./x",   "s3://b/t/..",
                                      "/a/b",      "file:/a/../b",  "https://b/t",  "s3://b/a\x01",
                                      "file:/",    "S3://b/t",      "s3://b/a\x7f", NULL};
    struct location l;
    struct err e = {0};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        NEED_OK(location_read_named(good[i].text, &l, &e), &e);
        CHECK_SV(l.bucket, good[i].bucket);
        CHECK(sv_eq(l.key, good[i].key));
    }
    for (const char *const *b = bad; *b; b++)
        CHECK(!location_read_named(sv_from(*b), &l, &e));
}

static void a_named_file_has_a_longest_length(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 4096);
    struct location l;
    struct err e = {0};

    buf_add(&b, SV("s3://b/"));
    while (b.n < (size_t)2 * LIMIT_LOCATION_BYTES + 1)
        buf_addc(&b, 'x');
    CHECK(location_read_named(buf_sv(&b), &l, &e));
    buf_addc(&b, 'x');
    CHECK(!location_read_named(buf_sv(&b), &l, &e));
}

SUITE("api/location", TEST(one_folder_has_one_text),
      TEST(a_sibling_that_begins_the_same_is_outside),
      TEST(a_file_is_no_object_and_no_object_a_file),
      TEST(paths_that_mean_another_place_are_refused), TEST(ordinary_names_of_the_world_are_taken),
      TEST(length_has_a_limit), TEST(a_file_is_no_folder),
      TEST(a_file_that_a_manifest_names_is_read_as_it_stands),
      TEST(a_named_file_has_a_longest_length))
