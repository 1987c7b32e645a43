/* probe.c - what a real, narrowed credential can do: inside its folder, beside it, and outside of
 * everything. */
#include <assert.h>

#include "provider/iam.h"
#include "provider/object.h"

/* One request of the probe, and what its answer means. */
enum where { INSIDE, BESIDE, OUTSIDE };
enum request {
    PUT,
    GET,
    LIST,
    CREATE_MULTIPART,
    PUT_PART,
    ABORT_MULTIPART,
    DELETE,
    BULK_DELETE,
    REASSUME
};

struct probe_step {
    enum request request;
    enum where where;
    int operation; /* enum probe_operation, or -1: not judged */
};

/* The object lives from the first row to the last but three; each refusal is tried while it exists.
 */
static const struct probe_step steps[] = {
    {PUT,              INSIDE,  PROBE_PUT      },
    {GET,              INSIDE,  PROBE_GET      },
    {LIST,             INSIDE,  PROBE_LIST     },
    {CREATE_MULTIPART, INSIDE,  PROBE_MULTIPART},
    {PUT_PART,         INSIDE,  PROBE_MULTIPART},
    {ABORT_MULTIPART,  INSIDE,  PROBE_MULTIPART},
    {PUT,              BESIDE,  PROBE_PUT      },
    {GET,              BESIDE,  PROBE_GET      },
    {LIST,             BESIDE,  PROBE_LIST     },
    {DELETE,           BESIDE,  PROBE_DELETE   },
    {CREATE_MULTIPART, BESIDE,  PROBE_MULTIPART},
    {ABORT_MULTIPART,  BESIDE,  -1             },
    {PUT,              OUTSIDE, PROBE_PUT      },
    {GET,              OUTSIDE, PROBE_GET      },
    {LIST,             OUTSIDE, PROBE_LIST     },
    {DELETE,           OUTSIDE, PROBE_DELETE   },
    {CREATE_MULTIPART, OUTSIDE, PROBE_MULTIPART},
    {ABORT_MULTIPART,  OUTSIDE, -1             },
    {REASSUME,         INSIDE,  -1             },
    {BULK_DELETE,      INSIDE,  -1             },
    {DELETE,           INSIDE,  PROBE_DELETE   },
};
enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

static const char *const operation_names[] = {"get", "put", "list", "delete", "multipart"};
static_assert(sizeof(operation_names) / sizeof(operation_names[0]) == PROBE_OPERATION_COUNT,
              "a name each");

struct probing {
    size_t at;
    struct sv upload_id; /* of the last upload that was begun */
    bool multipart_ok;
};

/* "…/probe/" beside "…/probe-beside/": a name that begins the same. */
static struct sv folder_of(const struct exchange *x, enum where where)
{
    if (where == OUTSIDE)
        return x->outside.key;
    if (where == INSIDE)
        return x->place.key;
    return arena_printf(x->arena, SV_FMT "-beside/", SV_ARG(sv_trim_end(x->place.key, '/')));
}

static bool ask_bulk_delete(struct exchange *x, struct sv key, struct err *e)
{
    struct buf b = buf_new(x->arena, 8192);

    buf_add(&b, SV("<Delete><Quiet>true</Quiet><Object><Key>"));
    xml_escape(&b, key);
    buf_add(&b, SV("</Key></Object></Delete>"));
    return object_request(x, HTTP_POST, (struct sv){0}, SV("delete="), buf_sv(&b), e);
}

static bool ask_reassume(struct exchange *x, struct err *e)
{
    const struct target *t = x->target;
    struct pairs p = {0};

    iam_add(&p, x->arena, "RoleArn", t->role_arn);
    iam_add(&p, x->arena, "RoleSessionName", SV("frontdesk-probe"));
    return iam_ask(x, t->sts_endpoint, SV("sts"), t->sts_region, x->key, "AssumeRole", &p, e);
}

static bool ask(struct exchange *x, const struct probing *p, struct err *e)
{
    struct sv folder = folder_of(x, steps[p->at].where), none = {0};
    struct sv key = arena_printf(x->arena, SV_FMT "object", SV_ARG(folder));
    struct sv upload =
        arena_printf(x->arena, "uploadId=" SV_FMT, SV_ARG(uri_encoded(x->arena, p->upload_id)));

    switch (steps[p->at].request) {
    case PUT:
        return object_request(x, HTTP_PUT, key, none, SV("probe"), e);
    case GET:
        return object_request(x, HTTP_GET, key, none, none, e);
    case LIST:
        return object_request(x, HTTP_GET, none,
                              arena_printf(x->arena, "list-type=2&max-keys=1&prefix=" SV_FMT,
                                           SV_ARG(uri_encoded(x->arena, folder))),
                              none, e);
    case CREATE_MULTIPART:
        return object_request(x, HTTP_POST, key, SV("uploads="), none, e);
    case PUT_PART:
        return object_request(x, HTTP_PUT, key,
                              arena_printf(x->arena, "partNumber=1&" SV_FMT, SV_ARG(upload)),
                              SV("part"), e);
    case ABORT_MULTIPART:
        return object_request(x, HTTP_DELETE, key, upload, none, e);
    case DELETE:
        return object_request(x, HTTP_DELETE, key, none, none, e);
    case BULK_DELETE:
        return ask_bulk_delete(x, key, e);
    case REASSUME:
        break;
    }
    return ask_reassume(x, e);
}

static struct sv xml_value(const struct exchange *x, struct sv path)
{
    struct xml *root;
    struct err ignored = {0};

    return xml_read(x->in.body, x->arena, &root, &ignored) ? xml_text(root, path) : (struct sv){0};
}

static void note_inside(struct exchange *x, struct probing *p, const struct probe_step *s,
                        bool granted)
{
    if (s->request == CREATE_MULTIPART) {
        p->multipart_ok = granted && p->upload_id.n;
    } else if (s->operation == PROBE_MULTIPART) {
        p->multipart_ok = p->multipart_ok && granted;
    }
    x->probe.inside[s->operation] = s->operation == PROBE_MULTIPART ? p->multipart_ok : granted;
}

/* A 403 is a refusal. 404 on a GET means no more than that nothing is there: RGW says so where the
 * role may list. */
static void note(struct exchange *x, struct probing *p)
{
    const struct probe_step *s = &steps[p->at];
    bool granted = x->in.status / 100 == 2;
    bool refused = x->in.status == 403 || (s->request == GET && x->in.status == 404);

    if (s->request == CREATE_MULTIPART)
        p->upload_id = granted ? xml_value(x, SV("UploadId")) : (struct sv){0};
    if (s->request == REASSUME)
        x->probe.reassume = !refused;
    else if (s->request == BULK_DELETE)
        x->probe.bulk_delete = granted && !xml_value(x, SV("Error/Code")).n;
    else if (s->where == INSIDE)
        note_inside(x, p, s, granted);
    else if (s->operation >= 0)
        x->probe.outside[s->operation] |= !refused;
}

static void conclude(struct exchange *x)
{
    struct probe_result *r = &x->probe;

    r->verified = true;
    for (int i = PROBE_OPERATION_COUNT - 1; i >= 0; i--) {
        if (!r->inside[i])
            r->failure =
                arena_printf(x->arena, "%s inside its own folder was refused", operation_names[i]);
        if (r->outside[i])
            r->failure = arena_printf(x->arena, "%s outside its own folder was not refused",
                                      operation_names[i]);
        r->verified = r->verified && r->inside[i] && !r->outside[i];
    }
    if (r->reassume) {
        r->verified = false;
        r->failure = SV("a narrowed session could assume the role again and shed its policy");
    }
    x->done = true;
}

/* Steps that cannot be taken: outside when there is none, parts of an upload that was not begun. */
static bool applies(const struct exchange *x, const struct probing *p)
{
    const struct probe_step *s = &steps[p->at];

    if (s->where == OUTSIDE && !x->outside.bucket.n)
        return false;
    return p->upload_id.n || (s->request != PUT_PART && s->request != ABORT_MULTIPART);
}

bool s3_probe(struct exchange *x, struct err *e)
{
    struct probing *p = x->scratch;

    if (x->round == 0) {
        x->scratch = p = arena_new(x->arena, struct probing);
        x->probe = (struct probe_result){0};
        return ask(x, p, e);
    }
    if (x->in.status >= 500 || x->in.status == 408 || x->in.status == 429)
        return store_error(&x->in, "probing", x->arena, e);
    note(x, p);
    do
        p->at++;
    while (p->at < STEPS && !applies(x, p));
    if (p->at < STEPS)
        return ask(x, p, e);
    conclude(x);
    return true;
}
