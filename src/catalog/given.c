/* given.c - answers that were given before. */
#include "catalog/given.h"

#include "base/limits.h"
#include "base/metric.h"
#include "serve/loop.h"

enum { ANSWERS_KEPT = 20000, REUSE_MS = 30 * 60 * 1000, KEY_BYTES = 2048 };

static struct sv key_of(const struct call *c, struct sv variant, char *out)
{
    const struct sv parts[] = {c->who.name, c->who.only_roles, c->path, variant};
    size_t n = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].n + 1 > KEY_BYTES - n)
            return (struct sv){0};
        if (parts[i].n)
            memcpy(out + n, parts[i].p, parts[i].n);
        n += parts[i].n;
        out[n++] = '\n';
    }
    return sv_of(out, n);
}

static bool rules_are_current(const struct call *c)
{
    return c->rules == c->loop->rules;
}

/* Not longer than what a fresh one would be allowed to live: the caller's own token, or the least
 * that can be had. */
static bool may_be_given(const struct call *c, const struct given *g)
{
    int64_t least_ms = c->now_ms + (int64_t)LIMIT_MIN_TTL_SECONDS * 1000;

    return c->now_ms < g->use_until_ms &&
           (g->expires_ms <= c->who.token_expires_ms || g->expires_ms <= least_ms);
}

const struct given *given_find(struct call *c, struct sv variant)
{
    struct loop *l = c->loop;
    uint64_t epoch = atomic_load(&l->serve->epoch);
    const struct given *g;
    char text[KEY_BYTES];

    if (l->answers_epoch != epoch || l->answers.n > ANSWERS_KEPT ||
        l->answers_arena.used_bytes > l->answers_max_bytes) {
        arena_done(&l->answers_arena);
        l->answers = map_new(&l->answers_arena);
        l->answers_epoch = epoch;
    }
    g = map_get(&l->answers, key_of(c, variant, text));
    return g && may_be_given(c, g) ? g : NULL;
}

static int64_t use_until(const struct call *c)
{
    int64_t life_ms = c->vended_expires_ms - c->now_ms;

    if (!c->vended_expires_ms)
        return INT64_MAX;
    return c->now_ms + (life_ms / 2 > life_ms - REUSE_MS ? life_ms / 2 : life_ms - REUSE_MS) / 2;
}

void given_remember(struct call *c, const struct given *g, uint64_t asked_epoch)
{
    struct loop *l = c->loop;
    struct arena *a = &l->answers_arena;
    struct given *kept;
    char text[KEY_BYTES];
    struct sv key = key_of(c, g->variant, text);

    if (!key.n || !rules_are_current(c) || l->answers_epoch != asked_epoch ||
        atomic_load(&l->serve->epoch) != asked_epoch)
        return;
    kept = arena_new(a, struct given);
    *kept = (struct given){.text = arena_dup(a, g->text),
                           .file = arena_dup(a, g->file),
                           .sha256 = arena_dup(a, g->sha256),
                           .tag = arena_dup(a, g->tag),
                           .levels_text = arena_dup(a, c->levels_text),
                           .table_text = arena_dup(a, c->table_text),
                           .grant = c->grant,
                           .key_id = arena_dup(a, c->vended_key_id),
                           .catalog = c->catalog,
                           .use_until_ms = use_until(c),
                           .expires_ms = c->vended_expires_ms};
    (void)map_put(&l->answers, key, kept);
}

void given_tell(struct call *c, const struct given *g)
{
    c->catalog = g->catalog;
    c->levels_text = g->levels_text;
    c->table_text = g->table_text;
    c->grant = g->grant;
    c->vended_key_id = g->key_id;
    c->vended_expires_ms = g->expires_ms;
    if (g->key_id.n)
        metric_add(METRIC_VENDS_GRANTED, 1);
}
