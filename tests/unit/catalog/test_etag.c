/* test_etag.c - tags of what a client holds: whose they are, how long they are good. */
#include "catalog/etag.h"
#include "unit/suite.h"

enum { NOW_MS = 1000000, END_MS = 1450000 };

static const struct etag_facts with_keys = {SV_INIT("alice reads t"), true},
                               without_keys = {SV_INIT("alice reads t"), false};

/* A rulebook of nothing but a key, or not even that. */
static struct rulebook *rules(struct arena *a, const char *key)
{
    struct policy_input in = {.generation = 1};
    struct compile_result out;

    if (key)
        vec_push(&in.token_keys, a, ((struct token_key){SV("k"), secret_of(sv_from(key))}));
    policy_compile(&in, a, &out);
    return out.rulebook;
}

#define KEY   "0123456789abcdef0123456789abcdef"
#define OTHER "another-key-another-key-another-"

struct scene {
    struct arena arena;
    struct rulebook *rules;
    struct sv tag; /* of with_keys, good until END_MS */
};

static void begin(struct scene *s)
{
    *s = (struct scene){0};
    s->rules = rules(&s->arena, KEY);
    s->tag = etag_make(s->rules, &with_keys, END_MS, &s->arena);
    NEED(s->tag.n != 0);
}

static void end(struct scene *s)
{
    (void)rulebook_unref(s->rules);
    arena_done(&s->arena);
}

static bool holds_at(struct scene *s, struct sv value, int64_t now_ms)
{
    return etag_find(s->rules, &with_keys, value, now_ms, &s->arena).n != 0;
}

static bool holds(struct scene *s, struct sv value)
{
    return holds_at(s, value, NOW_MS);
}

static struct sv text(struct scene *s, const char *before, struct sv v, const char *after)
{
    return arena_printf(&s->arena, "%s" SV_FMT "%s", before, SV_ARG(v), after);
}

static void a_tag_is_known_again_until_its_end_and_not_a_moment_longer(void)
{
    struct scene s;

    begin(&s);
    CHECK_SV(etag_find(s.rules, &with_keys, s.tag, NOW_MS, &s.arena), s.tag);
    CHECK(holds_at(&s, s.tag, END_MS - 1));
    CHECK(!holds_at(&s, s.tag, END_MS));
    CHECK(!holds_at(&s, s.tag, INT64_MAX));
    end(&s);
}

static void a_tag_is_of_its_facts_and_no_others(void)
{
    struct etag_facts bob = {SV("bob reads t"), true};
    struct scene s;

    begin(&s);
    CHECK_SV(etag_find(s.rules, &bob, s.tag, NOW_MS, &s.arena), SV(""));
    CHECK_SV(etag_find(s.rules, &without_keys, s.tag, NOW_MS, &s.arena), SV(""));
    /* Nor does a tag without an end, got without keys, stand for an answer that holds some. */
    CHECK(!holds(&s, etag_make(s.rules, &without_keys, 0, &s.arena)));
    end(&s);
}

static void a_tag_cannot_be_prolonged_made_up_or_cut(void)
{
    struct scene s;
    struct sv seal, foreign;
    struct rulebook *others;

    begin(&s);
    seal = sv_skip(s.tag, (size_t)sv_find(s.tag, '.'));
    CHECK(holds(&s, text(&s, "W/\"1450000", seal, "")));
    CHECK(!holds(&s, text(&s, "W/\"1450001", seal, "")));
    CHECK(!holds(&s, text(&s, "W/\"9223372036854775807", seal, "")));
    CHECK(!holds(&s, text(&s, "W/\"01450000", seal, "")));
    CHECK(!holds(&s, text(&s, "W/\"0", seal, "")));
    CHECK(!holds(&s, text(&s, "W/\"-1", seal, "")));
    CHECK(!holds(&s, text(&s, "W/\"", seal, "")));
    CHECK(!holds(&s, sv_first(s.tag, s.tag.n - 1)));
    CHECK(!holds(&s, sv_first(s.tag, s.tag.n - 2)));
    CHECK(!holds(&s, SV("W/\"1450000.\"")));
    others = rules(&s.arena, OTHER);
    foreign = etag_make(others, &with_keys, END_MS, &s.arena);
    CHECK(foreign.n != 0 && !holds(&s, foreign));
    (void)rulebook_unref(others);
    end(&s);
}

static void it_is_compared_weakly_and_found_in_a_list(void)
{
    struct scene s;

    begin(&s);
    CHECK(holds(&s, sv_skip(s.tag, 2)));
    CHECK(holds(&s, text(&s, "\t ", s.tag, " ")));
    CHECK(holds(&s, text(&s, "\"x\",W/\"7.y\", ", s.tag, ",\"z\"")));
    CHECK(!holds(&s, text(&s, "w/", sv_skip(s.tag, 2), "")));
    CHECK(!holds(&s, SV("\"x\", \"y\"")));
    CHECK(!holds(&s, SV(",,,")));
    CHECK(!holds(&s, SV("")));
    end(&s);
}

static void sixteen_tags_are_read_and_one_more_is_not(void)
{
    struct buf b;
    struct scene s;

    begin(&s);
    b = buf_new(&s.arena, 4096);
    for (int i = 0; i < 15; i++)
        buf_add(&b, SV("\"1450000.x\","));
    CHECK(holds(&s, text(&s, "", buf_sv(&b), s.tag.p)));
    CHECK(!holds(&s, text(&s, "\"x\",", buf_sv(&b), s.tag.p)));
    end(&s);
}

static void a_star_is_enough_where_no_keys_are_held_only(void)
{
    struct scene s;

    begin(&s);
    CHECK(!holds(&s, SV("*")));
    CHECK_SV(etag_find(s.rules, &without_keys, SV(" * "), NOW_MS, &s.arena),
             etag_make(s.rules, &without_keys, 0, &s.arena));
    end(&s);
}

static void no_tag_is_given_that_could_not_be_held_to_its_end(void)
{
    struct etag_facts none = {{0}, false};
    struct rulebook *keyless;
    struct scene s;

    begin(&s);
    keyless = rules(&s.arena, NULL);
    CHECK_SV(etag_make(s.rules, &with_keys, 0, &s.arena), SV(""));
    CHECK_SV(etag_make(s.rules, &without_keys, END_MS, &s.arena), SV(""));
    CHECK_SV(etag_make(s.rules, &none, 0, &s.arena), SV(""));
    CHECK_SV(etag_find(s.rules, &none, SV("*"), NOW_MS, &s.arena), SV(""));
    CHECK_SV(etag_make(keyless, &with_keys, END_MS, &s.arena), SV(""));
    CHECK_SV(etag_find(keyless, &with_keys, s.tag, NOW_MS, &s.arena), SV(""));
    (void)rulebook_unref(keyless);
    end(&s);
}

SUITE("catalog/etag", TEST(a_tag_is_known_again_until_its_end_and_not_a_moment_longer),
      TEST(a_tag_is_of_its_facts_and_no_others), TEST(a_tag_cannot_be_prolonged_made_up_or_cut),
      TEST(it_is_compared_weakly_and_found_in_a_list),
      TEST(sixteen_tags_are_read_and_one_more_is_not),
      TEST(a_star_is_enough_where_no_keys_are_held_only),
      TEST(no_tag_is_given_that_could_not_be_held_to_its_end))
