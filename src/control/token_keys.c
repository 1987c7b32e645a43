/* token_keys.c - the keys that sign our own tokens: made, read, and turned when somebody asks. */
#include "base/limits.h"
#include "base/log.h"
#include "control/job.h"
#include "wire/hex.h"
#include "wire/time.h"

enum {
    KEY_BYTES = 32,
    OVERLAP_MS = LIMIT_OWN_TOKEN_TTL_MS + LIMIT_CLOCK_SKEW_MS,
    /* A new key is known to every replica before it signs. */
    SETTLE_MS = 5000,
    MISSING_AGAIN_MS = 1000
};

/* As it is: a key is bytes, and its last one may well be a line feed. */
static struct sv raw(const struct tags *data, const char *name)
{
    for (size_t i = 0; i < data->n; i++) {
        if (sv_eq(data->p[i].key, sv_from(name)))
            return data->p[i].value;
    }
    return (struct sv){0};
}

static void add(struct tags *t, struct arena *a, const char *name, struct sv value)
{
    vec_push(t, a, ((struct tag){sv_from(name), value}));
}

static void add_fresh(struct worker *w, struct tags *t, struct arena *a)
{
    unsigned char key[KEY_BYTES], kid[8];

    world_random(w->world, key, sizeof(key));
    world_random(w->world, kid, sizeof(kid));
    add(t, a, "kid", hex_encode(a, sv_of((const char *)kid, sizeof(kid))));
    add(t, a, "key", arena_dup(a, sv_of((const char *)key, sizeof(key))));
    explicit_bzero(key, sizeof(key));
}

static bool wants_turn(const struct worker *w, const struct secret_now *s)
{
    return s->rotate_asked.n && !sv_eq(s->rotate_asked, raw(&s->data, ROTATION_HANDLED)) &&
           w->ops->may_write(w->backend);
}

/* Two at most: the one before the last is gone, with every token that it signed. */
static bool turn(struct worker *w, struct job *j, struct secret_now *s, struct err *e)
{
    struct arena *a = &j->arena;
    int64_t until_ms = world_wall_ms(w->world) + OVERLAP_MS;
    struct secret_want want;
    struct tags data = {0};

    add_fresh(w, &data, a);
    add(&data, a, "previous-kid", raw(&s->data, "kid"));
    add(&data, a, "previous-key", raw(&s->data, "key"));
    add(&data, a, "previous-valid-until", time_text(a, until_ms, TIME_SECONDS));
    add(&data, a, ROTATION_HANDLED, s->rotate_asked);
    want =
        (struct secret_want){w->ops->own_namespace(w->backend), SV(TOKEN_KEYS_SECRET), NULL, &data};
    if (!w->ops->put_secret(w->writer, &want, s, e))
        return false;
    log_line(LOG_INFO, "control", "signing key rotated", LOG_SV("kid", raw(&data, "kid")),
             LOG_SV("previous", raw(&data, "previous-kid")));
    s->data = data;
    return true;
}

static bool push(struct job *j, struct sv kid, struct sv key, struct err *e)
{
    if (!kid.n || key.n < KEY_BYTES)
        return err_set(e, ERR_INVALID,
                       "Secret " TOKEN_KEYS_SECRET
                       ": key: has %zu bytes, at least %d are required; delete the Secret, and "
                       "another is made",
                       key.n, KEY_BYTES);
    vec_push(&j->keys, &j->arena, ((struct token_key){kid, secret_of(key)}));
    return true;
}

static void look_again_in(struct job *j, int64_t ms)
{
    if (ms > 0 && ms < j->again_ms)
        j->again_ms = (int)ms;
}

/* The first signs. That is the previous one until the new one has reached everybody. */
static bool read_keys(const struct tags *data, int64_t now_ms, struct job *j, struct err *e)
{
    struct sv kid = raw(data, "kid"), key = raw(data, "key");
    struct sv old_kid = raw(data, "previous-kid"), old_key = raw(data, "previous-key");
    struct err ignored = {0};
    int64_t until_ms = 0, settled_ms;

    if (!time_read(raw(data, "previous-valid-until"), &until_ms, &ignored) || now_ms >= until_ms)
        return push(j, kid, key, e);
    settled_ms = until_ms - OVERLAP_MS + SETTLE_MS;
    look_again_in(j, until_ms - now_ms);
    look_again_in(j, settled_ms - now_ms);
    if (now_ms < settled_ms)
        return push(j, old_kid, old_key, e) && push(j, kid, key, e);
    return push(j, kid, key, e) && push(j, old_kid, old_key, e);
}

bool token_keys_look(struct worker *w, struct job *j, struct err *e)
{
    struct secret_now now;

    j->again_ms = w->ops->own_secret_ms;
    if (!w->ops->own_secret(w->writer, SV(TOKEN_KEYS_SECRET), &j->arena, &now, e))
        return false;
    /* Deleted, or never made: whoever leads makes another; no token of before is one of it. */
    if (!now.found && !w->ops->may_write(w->backend)) {
        j->again_ms = MISSING_AGAIN_MS;
        return true;
    }
    if (!now.found) {
        struct tags fresh = {0};

        add_fresh(w, &fresh, &j->arena);
        if (!w->ops->make_secret(w->writer, SV(TOKEN_KEYS_SECRET), &fresh, &j->arena, &now, e))
            return false;
    }
    if (wants_turn(w, &now) && !turn(w, j, &now, e))
        return false;
    return read_keys(&now.data, world_wall_ms(w->world), j, e);
}
