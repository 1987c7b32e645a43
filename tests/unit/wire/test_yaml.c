/* test_yaml.c - YAML documents as JSON, with lines. */
#include "unit/suite.h"
#include "unit/wire/drawn.h"
#include "wire/yaml.h"

static struct yaml_docs docs(const char *text, struct arena *a)
{
    struct yaml_docs d = {0};
    struct err e = {0};

    CHECK_OK(yaml_read(sv_from(text), a, &d, &e), &e);
    return d;
}

static void add_utf8(struct buf *b, uint32_t code)
{
    const char bytes[] = {(char)(0xf0U | code >> 18U), (char)(0x80U | (code >> 12U & 63U)),
                          (char)(0x80U | (code >> 6U & 63U)), (char)(0x80U | (code & 63U))};

    if (code >= 0xd800 && code < 0xe000)
        return;
    if (code < 0x80)
        buf_addc(b, (char)code);
    else if (code < 0x800)
        buf_add(b, sv_of((const char[]){(char)(0xc0U | code >> 6U), bytes[3]}, 2));
    else if (code < 0x10000)
        buf_add(b, sv_of((const char[]){(char)(0xe0U | code >> 12U), bytes[2], bytes[3]}, 3));
    else
        buf_add(b, sv_of(bytes, 4));
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

/* A state or a Secret that we wrote is not lost to us, whatever it holds. */
static void whatever_is_written_reads_back(void)
{
    state = from_environment("FRONTDESK_SEED", 9);
    for (uint64_t i = from_environment("FRONTDESK_DRAWS", 2000); i; i--) {
        auto_arena a = {0};
        struct json *v = json_new_object(&a);
        struct buf b = buf_new(&a, 1024 * 1024);
        struct yaml_docs d = {0};
        struct err e = {0};

        json_set(v, SV("drawn"), drawn_value(&a, 4));
        yaml_write(&b, v);
        NEED_OK(yaml_read(buf_sv(&b), &a, &d, &e), &e);
        NEED(d.n == 1);
        if (!json_eq(d.p[0].root, v))
            CHECK_SV(json_text(&a, d.p[0].root), json_text(&a, v));
    }
}

static void every_character_reads_back(void)
{
    for (uint32_t from = 1; from < 0x110000; from += 0x400) {
        auto_arena a = {0};
        struct buf text = buf_new(&a, 8192), b = buf_new(&a, 32768);
        struct json *v = json_new_object(&a);

        for (uint32_t code = from; code < from + 0x400 && code < 0x110000; code++)
            add_utf8(&text, code);
        json_set_str(v, &a, SV("all"), buf_sv(&text));
        yaml_write(&b, v);
        CHECK_SV(json_get_str(docs(buf_sv(&b).p, &a).p[0].root, SV("all")), buf_sv(&text));
    }
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
      TEST(whatever_is_written_reads_back), TEST(every_character_reads_back),
      TEST(every_prefix_ends_cleanly))
