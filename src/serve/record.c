/* record.c - what the audit says of a call: one record per decision, and nothing in it is a secret.
 */
#include <assert.h>

#include "base/limits.h"
#include "serve/loop.h"
#include "serve/once.h"
#include "wire/time.h"

enum { RECORD_BYTES = AUDIT_RECORD_BYTES, TRACE_BYTES = 128, AGENT_BYTES = 200 };

/* A byte from outside takes at most six, and the longest text is a namespace: whatever is asked,
 * its record has room. */
static_assert(6 * (LIMIT_NAMESPACE_LEVELS * (LIMIT_NAME_BYTES + 1) + LIMIT_NAME_BYTES +
                   TRACE_BYTES + AGENT_BYTES + (int)sizeof(((struct err *)0)->msg)) <
                  RECORD_BYTES / 2,
              "room for the longest record");
/* A transaction's record names all of its tables; names hold no control bytes, so that a quote
 * takes most: it is written twice, and each is escaped. Beside them some KB of each say its
 * updates. */
static_assert(LIMIT_TRANSACTION_TABLES *
                      ((LIMIT_NAMESPACE_LEVELS + 1) * (4 * LIMIT_NAME_BYTES + 5) + 2048) <
                  RECORD_BYTES / 2,
              "no name is left out");

static void add_text(struct buf *b, const char *name, struct sv v)
{
    if (!v.n)
        return;
    buf_add(b, SV(",\""));
    buf_add(b, sv_from(name));
    buf_add(b, SV("\":"));
    json_write_str(b, v);
}

/* A status, three digits. */
static void add_number(struct buf *b, int n)
{
    const char digits[3] = {(char)('0' + n / 100 % 10), (char)('0' + n / 10 % 10),
                            (char)('0' + n % 10)};

    buf_add(b, sv_of(digits, sizeof(digits)));
}

/* Rendered once a millisecond, not once a record. */
static struct sv time_of(struct loop *l, int64_t now_ms)
{
    if (l->time_ms != now_ms || !l->time.n) {
        arena_done(&l->time_arena);
        l->time = time_text(&l->time_arena, now_ms, TIME_MILLISECONDS);
        l->time_ms = now_ms;
    }
    return l->time;
}

static void begin_record(struct buf *b, struct loop *l, int64_t now_ms)
{
    buf_add(b, SV("{\"time\":\""));
    buf_add(b, time_of(l, now_ms));
    buf_addc(b, '"');
}

static void end_record(struct buf *b, int status)
{
    buf_add(b, SV(",\"status\":"));
    add_number(b, status);
    buf_add(b, status < 400 ? SV(",\"decision\":\"allowed\"}") : SV(",\"decision\":\"denied\"}"));
    assert(!b->over);
}

/* An object of the handler's. Its maker bounds it; were it too large, it would be named, not kept.
 */
static void add_details(struct buf *b, const struct call *c)
{
    struct sv text = c->details ? json_text(c->arena, c->details) : (struct sv){0};

    if (!text.n)
        return;
    buf_add(b, SV(",\"details\":"));
    buf_add(b, text.n < RECORD_BYTES / 2 ? text : SV("\"too large\""));
}

void record_write(struct call *c)
{
    struct buf b = buf_new(c->arena, RECORD_BYTES);

    begin_record(&b, c->loop, c->now_ms);
    add_text(&b, "requestId", c->id);
    add_text(&b, "traceparent",
             sv_first(http_header_text(&c->in->headers, SV("traceparent")), TRACE_BYTES));
    add_text(&b, "principal", c->who.name);
    add_text(&b, "role", c->who.only_roles);
    add_text(&b, "operation", sv_from(c->operation));
    add_text(&b, "method", http_method_text(c->in->method));
    add_text(&b, "catalog", c->catalog ? c->catalog->name : (struct sv){0});
    add_text(&b, "namespace", c->levels_text);
    add_text(&b, "table", c->table_text);
    add_text(&b, "grant", c->grant);
    add_text(&b, "missing", c->missing);
    add_text(&b, "reason", c->reason);
    add_text(&b, "repeats", once_repeats(c));
    add_text(&b, "accessKeyId", c->vended_key_id);
    if (c->vended_expires_ms)
        add_text(&b, "expires", time_text(c->arena, c->vended_expires_ms, TIME_SECONDS));
    add_text(&b, "peer", c->turn->peer);
    add_text(&b, "userAgent",
             sv_first(http_header_text(&c->in->headers, SV("User-Agent")), AGENT_BYTES));
    add_details(&b, c);
    end_record(&b, c->out.status);
    if (c->who.name.n || c->out.status < 400)
        audit_write(c->loop->serve->audit, c->now_ms, buf_sv(&b));
    else
        audit_write_refusal(c->loop->serve->audit, c->now_ms, buf_sv(&b));
}

/* Who asked for what is not known, but who looks for attacks looks for these first. */
void record_refusal(const struct http_refusal *r, void *state)
{
    auto_arena a = {0};
    struct loop *l = state;
    struct buf b = buf_new(&a, 1024);

    begin_record(&b, l, r->wall_ms);
    add_text(&b, "operation", SV("unknown"));
    add_text(&b, "reason", sv_from(r->why));
    add_text(&b, "peer", r->peer);
    end_record(&b, r->status);
    audit_write_refusal(l->serve->audit, r->wall_ms, buf_sv(&b));
}
