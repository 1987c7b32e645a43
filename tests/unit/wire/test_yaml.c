/* test_yaml.c - YAML documents as JSON, with lines. */
#include "unit/suite.h"
#include "wire/yaml.h"

static struct yaml_docs docs(const char *text, struct arena *a)
{
    struct yaml_docs d = {0};
    struct err e = {0};

    CHECK_OK(yaml_read(sv_from(text), a, &d, &e), &e);
    return d;
}

static const char *refusal(const char *text, struct arena *a)
{
    struct yaml_docs d = {0};
    struct err *e = arena_new(a, struct err);

    return yaml_read(sv_from(text), a, &d, e) ? "" : e->msg;
}

static void scalars_get_the_types_that_kubernetes_gives_them(void)
{
    auto_arena a = {0};
    struct yaml_docs d = docs(
        "{a: 1, b: '1', c: true, d: yes, e: ~, f: 1.50, g: text, h: \"no\", i: 0x1, j: 1e3}", &a);

    NEED(d.n == 1);
    CHECK_SV(
        json_text(&a, d.p[0].root),
        SV("{\"a\":1,\"b\":\"1\",\"c\":true,\"d\":true,\"e\":null,\"f\":1.50,\"g\":\"text\",\"h\":\"no\",\"i\":\"0x1\",\"j\":1e3}"));
}

static void several_documents_are_read_and_empty_ones_left_out(void)
{
    auto_arena a = {0};
    struct yaml_docs d = docs("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n", &a);

    CHECK_INT(d.n, 2);
    CHECK_INT(d.p[1].line, 7);
}

static void each_value_knows_its_line(void)
{
    auto_arena a = {0};
    struct yaml_docs d = docs("kind: X\nspec:\n  list:\n    - a\n    - b\n  deep:\n    x: 1\n", &a);

    NEED(d.n == 1);
    CHECK_INT(yaml_line(&d.p[0], SV("kind")), 1);
    CHECK_INT(yaml_line(&d.p[0], SV("spec.list[1]")), 5);
    CHECK_INT(yaml_line(&d.p[0], SV("spec.deep.x")), 7);
    CHECK_INT(yaml_line(&d.p[0], SV("spec.deep.absent")), 6);
    CHECK_INT(yaml_line(&d.p[0], SV("spec.listing")), 2);
}

static void core_tags_say_the_kind_of_a_value(void)
{
    auto_arena a = {0};
    struct yaml_docs d =
        docs("{a: !!str 1, b: !!int '7', c: !!float 1.5, d: !!float 2, e: !!bool yes, "
             "f: !!null '', g: ! 3, h: !!str ''}",
             &a);

    NEED(d.n == 1);
    CHECK_SV(
        json_text(&a, d.p[0].root),
        SV("{\"a\":\"1\",\"b\":7,\"c\":1.5,\"d\":2,\"e\":true,\"f\":null,\"g\":\"3\",\"h\":\"\"}"));
}

static void a_tag_that_its_value_belies_is_refused(void)
{
    auto_arena a = {0};
    struct sv want = SV("line 2: a value is not of the kind that its tag says");

    CHECK_SV(sv_from(refusal("x: 1\na: !!int x\n", &a)), want);
    CHECK_SV(sv_from(refusal("x: 1\na: !!int 1.5\n", &a)), want);
    CHECK_SV(sv_from(refusal("x: 1\na: !!bool 1\n", &a)), want);
    CHECK_SV(sv_from(refusal("x: 1\na: !!null 0\n", &a)), want);
    CHECK_SV(sv_from(refusal("x: 1\na: !!float .inf\n", &a)), want);
    CHECK(sv_starts(sv_from(refusal("a: !!binary aGk=\n", &a)), SV("line 1: tags")));
    CHECK(sv_starts(sv_from(refusal("a: !!timestamp 2026-11-20\n", &a)), SV("line 1: tags")));
}

/* A key of 20,000 bytes above a list of 2,000: 40 MB of paths out of 30 KB of text. */
static void long_keys_above_many_values_are_refused(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 100000);

    buf_add(&b, SV("? "));
    for (int i = 0; i < 20000; i++)
        buf_addc(&b, 'k');
    buf_add(&b, SV("\n: ["));
    for (int i = 0; i < 2000; i++)
        buf_add(&b, SV("1, "));
    buf_add(&b, SV("1]\n"));
    CHECK(sv_starts(sv_from(refusal(buf_sv(&b).p, &a)), SV("line 2: the keys above")));
}

static void json_is_yaml(void)
{
    auto_arena a = {0};
    struct yaml_docs d = docs("{\"a\": [1, {\"b\": null}], \"c\": \"\\u00e4\"}", &a);

    CHECK_SV(json_text(&a, d.p[0].root), SV("{\"a\":[1,{\"b\":null}],\"c\":\"\xc3\xa4\"}"));
}

static void traps_are_refused_with_their_line(void)
{
    auto_arena a = {0};

    CHECK_SV(sv_from(refusal("a: 1\na: 2\n", &a)), SV("line 2: key a is repeated"));
    CHECK(sv_starts(sv_from(refusal("a: &x 1\nb: *x\n", &a)), SV("line 1: anchors")));
    CHECK(sv_starts(sv_from(refusal("a: !!python/x 1\n", &a)), SV("line 1: tags")));
    CHECK(sv_starts(sv_from(refusal("? [1]\n: 2\n", &a)), SV("line 1: a key must be text")));
    CHECK(sv_starts(sv_from(refusal("a: [1\nb: 2\n", &a)), SV("line ")));
    CHECK(refusal("a: \"\\0\"\n", &a)[0] != '\0');
}

static void what_is_written_reads_back(void)
{
    auto_arena a = {0};
    struct json *v, *again;
    struct err e = {0};
    struct buf b = buf_new(&a, 1000);

    NEED_OK(
        json_read(
            SV("{\"a\":{\"b\":[1,{\"c\":\"x: y\\n\",\"d\":[]},[2,[3]]],\"e\":{}},\"f\":null,\"g\":\"yes\"}"),
            &a, &v, &e),
        &e);
    yaml_write(&b, v);
    again = docs(buf_sv(&b).p, &a).p[0].root;
    CHECK_SV(json_text(&a, again), json_text(&a, v));
}

static void every_prefix_ends_cleanly(void)
{
    auto_arena a = {0};
    struct sv text = SV("a:\n  - b: \"c\"\n    d: [1, 2]\n---\ne: |\n  text\n");

    for (size_t n = 0; n <= text.n; n++) {
        struct yaml_docs d = {0};
        struct err e = {0};
        bool ok = yaml_read(sv_first(text, n), &a, &d, &e);

        CHECK(ok || e.msg[0]);
    }
}

SUITE("wire/yaml", TEST(scalars_get_the_types_that_kubernetes_gives_them),
      TEST(several_documents_are_read_and_empty_ones_left_out), TEST(each_value_knows_its_line),
      TEST(core_tags_say_the_kind_of_a_value), TEST(a_tag_that_its_value_belies_is_refused),
      TEST(long_keys_above_many_values_are_refused), TEST(json_is_yaml),
      TEST(traps_are_refused_with_their_line), TEST(what_is_written_reads_back),
      TEST(every_prefix_ends_cleanly))
