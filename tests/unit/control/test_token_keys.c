/* test_token_keys.c - the keys that sign our own tokens: made once, turned when asked, gone when
 * deleted. */
#include "unit/control/worker_bench.h"

enum { HOUR_MS = 3600 * 1000 };

struct scene {
    struct worker_bench bench;
    struct world_test world;
};

static void begin(struct scene *s)
{
    *s = (struct scene){0};
    bench_begin(&s->bench);
    world_test_init(&s->world, 7, 1800000000000);
    s->bench.worker.world = &s->world.world;
}

static struct sv path(struct scene *s)
{
    return arena_printf(&s->bench.arena,
                        SV_FMT "/secrets/Secret.frontdesk." TOKEN_KEYS_SECRET ".yaml",
                        SV_ARG(s->bench.options.state_dir));
}

/* "kid other": the first signs; empty: none. */
static struct sv look(struct scene *s, struct job *j)
{
    struct err e = {0};
    struct sv kids = {0};

    *j = (struct job){.arena = {.wipe = true}, .kind = JOB_TOKEN_KEYS};
    NEED_OK(token_keys_look(&s->bench.worker, j, &e), &e);
    for (size_t i = 0; i < j->keys.n; i++)
        kids = i ? ARENA_JOIN(&s->bench.arena, kids, SV(" "), j->keys.p[i].kid) : j->keys.p[i].kid;
    return arena_dup(&s->bench.arena, kids);
}

static struct sv kids(struct scene *s)
{
    struct job j;
    struct sv found = look(s, &j);

    arena_done(&j.arena);
    return found;
}

/* As `kubectl annotate --overwrite` would. */
static void annotate(struct scene *s, const char *when)
{
    struct arena *a = &s->bench.arena;
    struct yaml_docs docs = {0};
    struct json *annotations = json_new_object(a);
    struct buf text = buf_new(a, 1 << 16);
    struct err e = {0};

    NEED_OK(file_manifests(path(s), a, &docs, &e), &e);
    json_set_str(annotations, a, SV(ROTATE_ANNOTATION), sv_from(when));
    json_set(json_get(docs.p[0].root, SV("metadata")), SV("annotations"), annotations);
    yaml_write(&text, docs.p[0].root);
    NEED_OK(file_replace(path(s), buf_sv(&text), &e), &e);
}

static struct sv both(struct scene *s, struct sv x, struct sv y)
{
    return ARENA_JOIN(&s->bench.arena, x, SV(" "), y);
}

static void keys_are_made_once(void)
{
    struct scene s;
    struct sv kid;

    begin(&s);
    kid = kids(&s);
    CHECK_INT(kid.n, 16);
    s.world.ms += (int64_t)1000 * HOUR_MS;
    CHECK_SV(kids(&s), kid);
    bench_end(&s.bench);
}

/* Every replica knows a key before one signs by it; tokens of the old one live as long as they
 * said. */
static void a_turned_key_signs_once_it_is_known_and_the_old_one_verifies_for_a_tokens_life(void)
{
    struct scene s;
    struct sv old, fresh;
    struct job j;

    begin(&s);
    old = kids(&s);
    annotate(&s, "monday");
    fresh = look(&s, &j);
    CHECK(sv_starts(fresh, both(&s, old, SV(""))));
    fresh = sv_skip(fresh, old.n + 1);
    CHECK(j.again_ms <= 5000);
    arena_done(&j.arena);
    CHECK_SV(kids(&s), both(&s, old, fresh));
    s.world.ms += 5000;
    CHECK_SV(kids(&s), both(&s, fresh, old));
    s.world.ms += HOUR_MS;
    CHECK_SV(kids(&s), both(&s, fresh, old));
    s.world.ms += 56 * 1000;
    CHECK_SV(kids(&s), fresh);
    bench_end(&s.bench);
}

static void one_request_turns_once_and_a_second_ends_the_first_key(void)
{
    struct scene s;
    struct sv first, second;

    begin(&s);
    first = kids(&s);
    annotate(&s, "monday");
    second = sv_skip(kids(&s), first.n + 1);
    s.world.ms += 6000;
    annotate(&s, "monday");
    CHECK_SV(kids(&s), both(&s, second, first));
    annotate(&s, "tuesday");
    CHECK(sv_starts(kids(&s), both(&s, second, SV(""))));
    CHECK(sv_find(kids(&s), ' ') == (ptrdiff_t)second.n);
    CHECK(!sv_eq(sv_skip(kids(&s), second.n + 1), first));
    bench_end(&s.bench);
}

static void a_deleted_key_is_replaced_and_verifies_nothing(void)
{
    struct scene s;
    struct sv old;

    begin(&s);
    old = kids(&s);
    file_remove(path(&s));
    CHECK_INT(kids(&s).n, 16);
    CHECK(!sv_eq(kids(&s), old));
    bench_end(&s.bench);
}

static bool nobody_leads(struct backend *b)
{
    (void)b;
    return false;
}

static void who_follows_neither_makes_nor_turns_a_key(void)
{
    struct scene s;
    struct backend_ops ops;
    struct sv old;
    struct job j;

    begin(&s);
    old = kids(&s);
    ops = *s.bench.worker.ops;
    ops.may_write = nobody_leads;
    s.bench.worker.ops = &ops;
    annotate(&s, "monday");
    CHECK_SV(kids(&s), old);
    file_remove(path(&s));
    CHECK_SV(look(&s, &j), SV(""));
    CHECK(j.again_ms > 0 && j.again_ms <= 1000);
    arena_done(&j.arena);
    bench_end(&s.bench);
}

/* What was last good stays in force: the outcome is an error, not the absence of keys. */
static void a_key_that_is_too_short_is_an_error_with_its_remedy(void)
{
    struct scene s;
    struct job j = {.arena = {.wipe = true}, .kind = JOB_TOKEN_KEYS};
    struct tags data = {0};
    const struct secret_want want = {SV("frontdesk"), SV(TOKEN_KEYS_SECRET), NULL, &data};
    struct err e = {0};

    begin(&s);
    (void)kids(&s);
    vec_push(&data, &s.bench.arena, ((struct tag){SV("kid"), SV("k")}));
    vec_push(&data, &s.bench.arena, ((struct tag){SV("key"), SV("short")}));
    NEED_OK(s.bench.worker.ops->put_secret(s.bench.worker.writer, &want, NULL, &e), &e);
    CHECK(!token_keys_look(&s.bench.worker, &j, &e));
    CHECK_INT(e.code, ERR_INVALID);
    CHECK(sv_contains(sv_from(e.msg), SV("key: has 5 bytes")));
    CHECK(sv_contains(sv_from(e.msg), SV("delete the Secret")));
    arena_done(&j.arena);
    bench_end(&s.bench);
}

SUITE("control/token_keys", TEST(keys_are_made_once),
      TEST(a_turned_key_signs_once_it_is_known_and_the_old_one_verifies_for_a_tokens_life),
      TEST(one_request_turns_once_and_a_second_ends_the_first_key),
      TEST(a_deleted_key_is_replaced_and_verifies_nothing),
      TEST(who_follows_neither_makes_nor_turns_a_key),
      TEST(a_key_that_is_too_short_is_an_error_with_its_remedy))
