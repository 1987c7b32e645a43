/* call.c - replies, errors, and what handlers share. */
#include "serve/call.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "serve/loop.h"
#include "serve/route.h"
#include "wire/names.h"

/* Values that take less are not worth a look at the caller's share. */
enum { FREE_BYTES = 16 * 1024 };

/* ---- replies ---- */

static void set_json(struct call *c, int status, const struct json *body)
{
    c->out.status = status;
    c->out.body = json_text(c->arena, body);
    http_header_add(&c->out.headers, c->arena, SV("Content-Type"), SV("application/json"));
}

bool call_reply_json(struct call *c, int status, const struct json *body)
{
    set_json(c, status, body);
    return call_reply(c);
}

bool call_reply_empty(struct call *c, int status)
{
    c->out.status = status;
    return call_reply(c);
}

static const struct {
    int status;
    const char *type;
} by_code[] = {
    [ERR_NONE] = {500, "InternalServerError"     },
    [ERR_INVALID] = {400, "BadRequestException"     },
    [ERR_DENIED] = {403, "ForbiddenException"      },
    [ERR_NOT_FOUND] = {404, "NotFoundException"       },
    [ERR_CONFLICT] = {409, "AlreadyExistsException"  },
    [ERR_BUSY] = {429, "TooManyRequestsException"},
    [ERR_UNAVAILABLE] = {503, "SlowDownException"       },
    [ERR_INTERNAL] = {500, "InternalServerError"     },
};
static_assert(sizeof(by_code) / sizeof(by_code[0]) == ERR_CODE_COUNT, "a row for each code");

void call_set_error(struct call *c, const struct err *e)
{
    int status = c->error_status ? c->error_status : by_code[e->code].status;
    const char *type = c->error_type ? c->error_type : by_code[e->code].type;
    struct json *body = json_new_object(c->arena), *error = json_new_object(c->arena);
    /* Our own bug is no business of the client's. */
    bool hidden = e->code == ERR_INTERNAL && !c->error_type;

    c->out.headers.n = 0;
    c->reason = arena_dup(c->arena, sv_from(e->msg));
    json_set_str(error, c->arena, SV("message"), hidden ? SV("internal error") : sv_from(e->msg));
    json_set_str(error, c->arena, SV("type"), sv_from(type));
    json_set_i64(error, c->arena, SV("code"), status);
    json_set(body, SV("error"), error);
    if (e->code == ERR_UNAVAILABLE || e->code == ERR_BUSY)
        http_header_add(&c->out.headers, c->arena, SV("Retry-After"), SV("1"));
    if (status == 401)
        http_header_add(&c->out.headers, c->arena, SV("WWW-Authenticate"), SV("Bearer"));
    if (c->allowed)
        http_header_add(&c->out.headers, c->arena, SV("Allow"), route_allow(c->allowed, c->arena));
    set_json(c, status, body);
}

void call_fail(struct call *c, const struct err *e)
{
    call_set_error(c, e);
    (void)call_reply(c);
}

/* ---- what handlers share ---- */

bool call_catalog(struct call *c, struct err *e)
{
    struct sv name;
    struct subject all = {0};

    if (!uri_decode(c->params[0], true, c->arena, &name, e))
        return false;
    all.catalog = rulebook_catalog(c->rules, name);
    /* What a caller has no grant in does not exist for it. */
    if (!all.catalog || !rulebook_sees(c->rules, &c->who, &all)) {
        c->error_type = "NoSuchWarehouseException";
        return err_set(e, ERR_NOT_FOUND, "Warehouse does not exist: " SV_FMT,
                       SV_ARG(sv_first(name, 100)));
    }
    c->catalog = all.catalog;
    return true;
}

/* NULL, or what is wrong with a level of a namespace or a name. */
static const char *wrong_with(struct sv name)
{
    if (!name.n || name.n > LIMIT_NAME_BYTES)
        return "must be 1 to 255 bytes";
    if (!sv_is_utf8(name))
        return "must be UTF-8";
    /* Clients and proxies resolve these in a path, as steps to another name. */
    if (sv_eq(name, SV(".")) || sv_eq(name, SV("..")))
        return "must not be . or ..";
    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return "must be without control bytes";
    }
    return NULL;
}
static_assert(LIMIT_NAME_BYTES == 255, "as the sentence says");

bool call_name(struct call *c, struct sv raw, struct sv *out, struct err *e)
{
    const char *wrong;
    struct sv name;

    if (!uri_decode(raw, true, c->arena, &name, e))
        return false;
    wrong = wrong_with(name);
    if (wrong)
        return err_set(e, ERR_INVALID, "a name %s", wrong);
    c->table_text = name;
    *out = name;
    return true;
}

bool call_levels_of(struct call *c, const struct sv *levels, size_t n, struct levels *out,
                    struct err *e)
{
    struct buf joined = buf_new(c->arena, 8192);

    if (n == 0 || n > LIMIT_NAMESPACE_LEVELS)
        return err_set(e, ERR_INVALID, "a namespace must have 1 to %d levels",
                       LIMIT_NAMESPACE_LEVELS);
    out->p = arena_array(c->arena, struct sv, n);
    out->n = n;
    for (size_t i = 0; i < n; i++) {
        const char *wrong = wrong_with(levels[i]);

        if (wrong)
            return err_set(e, ERR_INVALID, "level %zu of the namespace %s", i + 1, wrong);
        out->p[i] = levels[i];
        buf_addf(&joined, "%s" SV_FMT, i ? "\x1f" : "", SV_ARG(levels[i]));
    }
    out->joined = buf_sv(&joined);
    out->dotted = names_text(c->arena, levels, n);
    c->levels_text = out->dotted;
    return true;
}

struct sv call_table_text(const struct call *c, const struct levels *ns, struct sv table)
{
    return ARENA_JOIN(c->arena, ns->dotted, SV("."), names_text(c->arena, &table, 1));
}

bool call_charge(struct call *c, size_t bytes, struct err *e)
{
    struct shares *memory = &c->loop->serve->memory;

    if (bytes > memory->max / 2)
        return err_set(e, ERR_INVALID,
                       "takes %zu bytes of memory, more than one caller may have: %zu", bytes,
                       memory->max / 2);
    if (!shares_take(memory, c->who.name, bytes))
        return err_set(e, ERR_UNAVAILABLE,
                       "too much of this caller is in memory already; try again");
    c->charged_bytes += bytes;
    return true;
}

void call_discharge(struct call *c)
{
    shares_give(&c->loop->serve->memory, c->who.name, c->charged_bytes);
    c->charged_bytes = 0;
}

static bool read_body(struct call *c, struct err *e)
{
    size_t bytes = json_memory(c->in->body);

    if (bytes > LIMIT_HTTP_BODY_MEMORY)
        return err_set(e, ERR_INVALID, "its values take more than %d bytes",
                       LIMIT_HTTP_BODY_MEMORY);
    if (bytes > FREE_BYTES && !call_charge(c, bytes, e))
        return false;
    if (!json_read(c->in->body, c->arena, &c->body, e))
        return false;
    return json_kind(c->body) == JSON_OBJECT || err_set(e, ERR_INVALID, "must be a JSON object");
}

bool call_read_body(struct call *c, struct err *e)
{
    return read_body(c, e) || err_wrap(e, "request body");
}

bool call_body(struct call *c, struct json **out, struct err *e)
{
    if (!c->body && !call_read_body(c, e))
        return false;
    *out = c->body;
    return true;
}

static struct sv subject_text(struct call *c, const struct levels *ns, struct sv table)
{
    if (!ns)
        return SV("the catalog");
    return table.n ? sv_first(call_table_text(c, ns, table), 250) : ns->dotted;
}

static bool demand(struct call *c, const struct levels *ns, struct subject s, enum privilege p,
                   struct decision *d, struct err *e)
{
    struct decision mine;

    s.catalog = c->catalog;
    if (ns) {
        s.levels = ns->p;
        s.n_levels = ns->n;
    }
    rulebook_decide(c->rules, &c->who, &s, &mine);
    if (d)
        *d = mine;
    if (decision_allows(&mine, p)) {
        c->grant = mine.grants[p];
        return true;
    }
    c->missing = privilege_name(p);
    return err_set(e, ERR_DENIED, SV_FMT " lacks " SV_FMT " on " SV_FMT, SV_ARG(c->who.name),
                   SV_ARG(privilege_name(p)), SV_ARG(subject_text(c, ns, s.table)));
}

bool call_demand(struct call *c, const struct levels *ns, struct sv table, enum privilege p,
                 struct decision *d, struct err *e)
{
    bool is_view = p >= PRIVILEGE_VIEW_LIST && p <= PRIVILEGE_VIEW_FULL_METADATA;

    return demand(c, ns, (struct subject){.table = table, .is_view = is_view}, p, d, e);
}

bool call_demand_kind(struct call *c, const struct levels *ns, struct sv name, bool is_view,
                      enum privilege p, struct err *e)
{
    return demand(c, ns, (struct subject){.table = name, .is_view = is_view}, p, NULL, e);
}

bool call_no_namespace(struct call *c, const struct levels *ns, struct err *e)
{
    c->error_type = "NoSuchNamespaceException";
    return err_set(e, ERR_NOT_FOUND, "Namespace does not exist: " SV_FMT,
                   SV_ARG(sv_first(ns->dotted, 150)));
}

bool call_no_table(struct call *c, const struct levels *ns, struct sv table, struct err *e)
{
    c->error_type = "NoSuchTableException";
    return err_set(e, ERR_NOT_FOUND, "Table does not exist: " SV_FMT,
                   SV_ARG(sv_first(call_table_text(c, ns, table), 200)));
}
