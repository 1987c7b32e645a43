/* ambient.c - the keys that the place we run in gives us: variables and files read, the exchange
 * carried out, and what the cache keeps of it. */
#include "provider/ambient.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "control/cache.h"
#include "kube/file.h"

enum {
    STEP_MS = 5000,
    CONNECT_MS = 2000,
    EARLY_MS = 10 * 60 * 1000,
    UNDATED_MS = 15 * 60 * 1000,
    LEAST_MS = 1000
};

static struct sv variable(const char *name)
{
    return sv_from(getenv(name)); /* NOLINT(concurrency-mt-unsafe): nobody changes it */
}

/* Read each time: what stands in these files is replaced while we run. */
static bool read_token(struct sv path, struct arena *a, struct secret *out, struct err *e)
{
    struct sv text;

    if (!path.n)
        return true;
    if (!file_read(path, LIMIT_IDENTITY_TOKEN_BYTES, a, &text, e))
        return err_wrap(e, SV_FMT, SV_ARG(sv_first(path, 100)));
    *out = secret_of(sv_trim(text));
    return true;
}

static bool read_place(struct arena *a, struct ambient *m, struct err *e)
{
    struct sv region = variable("AWS_REGION"),
              metadata = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");

    m->key.access_key_id = variable("AWS_ACCESS_KEY_ID");
    m->key.secret_access_key = secret_of(variable("AWS_SECRET_ACCESS_KEY"));
    m->key.session_token = secret_of(variable("AWS_SESSION_TOKEN"));
    m->role_arn = variable("AWS_ROLE_ARN");
    m->role_session_name = variable("AWS_ROLE_SESSION_NAME");
    m->region = region.n ? region : variable("AWS_DEFAULT_REGION");
    m->sts_endpoint = variable("AWS_ENDPOINT_URL_STS");
    m->container_uri = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    m->container_path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    m->container_token = secret_of(variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    if (!sv_eq_nocase(variable("AWS_EC2_METADATA_DISABLED"), SV("true")))
        m->instance_endpoint = metadata.n ? metadata : SV("http://169.254.169.254");
    if (ambient_choose(m) == AMBIENT_ENVIRONMENT)
        return true;
    return read_token(variable("AWS_WEB_IDENTITY_TOKEN_FILE"), a, &m->identity_token, e) &&
           read_token(variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), a, &m->container_token,
                      e);
}

static bool talk(struct worker *w, const struct ambient *m, struct exchange *x, struct err *e)
{
    static const struct http_options options = {
        .timeout_ms = STEP_MS, .connect_timeout_ms = CONNECT_MS, .max_bytes = 1 << 20};

    x->now_ms = world_wall_ms(w->world);
    while (ambient_mint(m, x, e)) {
        if (x->done)
            return true;
        if (!http_do(w->http, &x->out, &options, x->arena, &x->in, e))
            return err_wrap(e, "%s", ambient_kind_name(ambient_choose(m)));
        x->round++;
        x->now_ms = world_wall_ms(w->world);
    }
    return false;
}

/* Well before they end, and not at once again where they live for less than that. */
static int life_to_use_ms(const struct credential *c, int64_t now_ms)
{
    int64_t life_ms = c->expires_ms - now_ms;

    if (!c->expires_ms)
        return UNDATED_MS;
    if (life_ms > (int64_t)2 * EARLY_MS)
        life_ms -= EARLY_MS;
    else
        life_ms /= 2;
    return life_ms < LEAST_MS ? LEAST_MS : (int)(life_ms < INT32_MAX ? life_ms : INT32_MAX);
}

bool ambient_obtain(struct worker *w, struct job *j, struct err *e)
{
    struct ambient m = {0};
    struct exchange x = {.arena = &j->arena};

    if (!read_place(&j->arena, &m, e) || !talk(w, &m, &x, e))
        return false;
    j->ambient = x.got;
    j->ambient_from = x.caller;
    if (ambient_choose(&m) != AMBIENT_ENVIRONMENT)
        j->again_ms = life_to_use_ms(&x.got, world_wall_ms(w->world));
    return true;
}

/* ---- in the cache ---- */

static void add_value(struct secret_object *s, const char *name, struct sv value)
{
    vec_push(&s->data, &s->arena, ((struct tag){sv_from(name), arena_dup(&s->arena, value)}));
}

static struct secret_object *as_secret(const struct job *j)
{
    struct arena own = {.wipe = true};
    struct secret_object *s = arena_new(&own, struct secret_object);

    s->arena = own;
    /* Not the key: a fresh one of the same owner proves nothing new and takes nothing back. */
    s->version = arena_dup(&s->arena, j->ambient_from);
    add_value(s, "access-key-id", j->ambient.access_key_id);
    add_value(s, "secret-access-key", secret_reveal(j->ambient.secret_access_key));
    add_value(s, "session-token", secret_reveal(j->ambient.session_token));
    return s;
}

/* Keys that have ended are no keys: the condition shall say why there are none. */
static void keep_failure(struct cache *c, const struct job *j, int64_t now_ms)
{
    (void)snprintf(c->ambient_why, sizeof(c->ambient_why), "%s", j->err.msg);
    if (c->ambient && c->ambient_expires_ms && c->ambient_expires_ms <= now_ms) {
        secret_object_done(c->ambient);
        c->ambient = NULL;
    }
}

bool cache_take_ambient(struct cache *c, const struct job *j, int64_t now_ms)
{
    bool told = c->ambient_why[0] != 0, had = c->ambient != NULL;
    struct secret_object *was = c->ambient;

    if (j->err.code != ERR_NONE) {
        keep_failure(c, j, now_ms);
        return !told || had != (c->ambient != NULL);
    }
    c->ambient = as_secret(j);
    c->ambient_expires_ms = j->ambient.expires_ms;
    c->ambient_why[0] = 0;
    if (!was || !sv_eq(was->version, c->ambient->version))
        log_line(LOG_INFO, "control", "ambient keys", LOG_SV("from", c->ambient->version));
    if (was)
        secret_object_done(was);
    return true;
}
