/* probe.c - what a real, narrowed credential can do: inside its folder, beside it, and outside of
 * everything. */
#include <assert.h>

#include "provider/iam.h"
#include "provider/object.h"

/* Whose request it is: the credential that is judged, one that may do everything in both folders,
 * or the long-lived key, which only takes away what nobody else may. */
enum who { JUDGED, JANITOR, OWNER };
enum where { INSIDE, BESIDE, OUTSIDE, BUCKET };
enum request {
    PUT,
    GET,
    LIST,
    LIST_STEM, /* the folder's name without its slash: names that begin the same would show */
    COPY,      /* from there, to a second object inside */
    COPY_TO,   /* from the object inside */
    PUT_METADATA,
    COPY_TO_METADATA,
    CREATE_MULTIPART,
    PUT_PART,
    ABORT_MULTIPART,
    DELETE,
    DELETE_COPY,
    DELETE_METADATA,
    BULK_DELETE,
    REASSUME
};

struct probe_step {
    enum who who;
    enum request request;
    enum where where;
    int operation; /* enum probe_operation, or -1: not judged */
};

/*
 * A store may say 404 to whoever may not read, so a refusal is tried on what is there: the janitor
 * puts an object into each folder first. The last GET inside shows that the credential was good to
 * the end: one that had expired would be refused everywhere. The last seven rows tidy.
 */
static const struct probe_step steps[] = {
    {JANITOR, PUT,              INSIDE,  -1             },
    {JANITOR, PUT,              BESIDE,  -1             },
    {JUDGED,  GET,              INSIDE,  PROBE_GET      },
    {JUDGED,  PUT,              INSIDE,  PROBE_PUT      },
    {JUDGED,  LIST,             INSIDE,  PROBE_LIST     },
    {JUDGED,  CREATE_MULTIPART, INSIDE,  PROBE_MULTIPART},
    {JUDGED,  PUT_PART,         INSIDE,  PROBE_MULTIPART},
    {JUDGED,  ABORT_MULTIPART,  INSIDE,  PROBE_MULTIPART},
    {JANITOR, ABORT_MULTIPART,  INSIDE,  -1             },
    {JUDGED,  PUT_METADATA,     INSIDE,  -1             },
    {JUDGED,  COPY_TO_METADATA, INSIDE,  -1             },
    {JUDGED,  GET,              BESIDE,  PROBE_GET      },
    {JUDGED,  COPY,             BESIDE,  PROBE_COPY     },
    {JUDGED,  LIST,             BESIDE,  PROBE_LIST     },
    {JUDGED,  LIST_STEM,        BESIDE,  PROBE_LIST     },
    {JUDGED,  LIST,             BUCKET,  PROBE_LIST     },
    {JUDGED,  PUT,              BESIDE,  PROBE_PUT      },
    {JUDGED,  COPY_TO,          BESIDE,  PROBE_PUT      },
    {JUDGED,  CREATE_MULTIPART, BESIDE,  PROBE_MULTIPART},
    {JANITOR, ABORT_MULTIPART,  BESIDE,  -1             },
    {JUDGED,  BULK_DELETE,      BESIDE,  PROBE_DELETE   },
    {JUDGED,  DELETE,           BESIDE,  PROBE_DELETE   },
    {JUDGED,  PUT,              OUTSIDE, PROBE_PUT      },
    {JUDGED,  COPY_TO,          OUTSIDE, PROBE_PUT      },
    {JUDGED,  LIST,             OUTSIDE, PROBE_LIST     },
    {JUDGED,  CREATE_MULTIPART, OUTSIDE, PROBE_MULTIPART},
    {JUDGED,  ABORT_MULTIPART,  OUTSIDE, -1             },
    {JUDGED,  DELETE,           OUTSIDE, PROBE_DELETE   },
    {JUDGED,  REASSUME,         INSIDE,  -1             },
    {JUDGED,  GET,              INSIDE,  PROBE_GET      },
    {JUDGED,  BULK_DELETE,      INSIDE,  PROBE_DELETE   },
    {JUDGED,  DELETE,           INSIDE,  PROBE_DELETE   },
    {JANITOR, ABORT_MULTIPART,  INSIDE,  -1             },
    {OWNER,   ABORT_MULTIPART,  INSIDE,  -1             },
    {OWNER,   DELETE,           OUTSIDE, -1             },
    {JANITOR, DELETE,           INSIDE,  -1             },
    {JANITOR, DELETE_COPY,      INSIDE,  -1             },
    {JANITOR, DELETE_METADATA,  INSIDE,  -1             },
    {JANITOR, DELETE,           BESIDE,  -1             },
};
enum { STEPS = sizeof(steps) / sizeof(steps[0]), TIDY_FROM = STEPS - 7 };

static const char *const operation_names[] = {"get",    "put",       "list",
                                              "delete", "multipart", "copy from"};
static_assert(sizeof(operation_names) / sizeof(operation_names[0]) == PROBE_OPERATION_COUNT,
              "a name each");

/* Only the store's own word that this is not allowed is a refusal. Not found, not implemented, go
 * elsewhere, a bad key or a proxy's page say nothing about what is allowed. */
enum verdict { GRANTED, REFUSED, UNCLEAR };

struct probing {
    size_t at;
    bool left_outside;       /* an object is there that nobody has deleted yet */
    struct sv hole, trouble; /* the first of each, as sentences */
};

/* ---- asking ---- */

static struct sv folder_of(const struct exchange *x, enum where where)
{
    switch (where) {
    case INSIDE:
        return x->place.key;
    case BESIDE:
        return x->beside.key;
    case OUTSIDE:
        return x->outside.key;
    case BUCKET:
        break;
    }
    return (struct sv){0};
}

static struct sv object_in(const struct exchange *x, enum where where)
{
    return arena_printf(x->arena, SV_FMT "object", SV_ARG(folder_of(x, where)));
}

static struct sv copy_in(const struct exchange *x)
{
    return arena_printf(x->arena, SV_FMT "copy", SV_ARG(x->place.key));
}

/* Named as the catalog names what says what a table is. */
static struct sv metadata_in(const struct exchange *x)
{
    return arena_printf(x->arena, SV_FMT "metadata/object.metadata.json", SV_ARG(x->place.key));
}

static bool ask_list(struct exchange *x, struct sv prefix, struct err *e)
{
    struct sv none = {0}, query = SV("list-type=2&max-keys=1");

    if (prefix.n)
        query = arena_printf(x->arena, SV_FMT "&prefix=" SV_FMT, SV_ARG(query),
                             SV_ARG(uri_encoded(x->arena, prefix)));
    return object_request(x, HTTP_GET, none, query, none, e);
}

static bool ask_bulk_delete(struct exchange *x, struct sv key, struct err *e)
{
    struct buf b = buf_new(x->arena, 8192);

    buf_add(&b, SV("<Delete><Quiet>true</Quiet><Object><Key>"));
    xml_escape(&b, key);
    buf_add(&b, SV("</Key></Object></Delete>"));
    return object_request(x, HTTP_POST, (struct sv){0}, SV("delete="), buf_sv(&b), e);
}

/* With everything that the trust policy may ask for: a refusal for want of it would prove nothing.
 */
static bool ask_reassume(struct exchange *x, struct err *e)
{
    const struct target *t = x->target;
    struct pairs p = {0};

    iam_add(&p, x->arena, "RoleArn", t->role_arn);
    iam_add(&p, x->arena, "RoleSessionName", SV("frontdesk-probe"));
    if (t->external_id.n)
        iam_add(&p, x->arena, "ExternalId", t->external_id);
    return iam_ask(x, SERVICE_STS, x->key, "AssumeRole", &p, e);
}

static bool ask_with_key(struct exchange *x, const struct probing *p, struct err *e)
{
    const struct probe_step *s = &steps[p->at];
    struct sv none = {0}, key = object_in(x, s->where);
    struct sv upload = arena_printf(x->arena, "uploadId=" SV_FMT,
                                    SV_ARG(uri_encoded(x->arena, x->probe.upload_id)));

    switch (s->request) {
    case PUT:
        return object_request(x, HTTP_PUT, key, none, SV("probe"), e);
    case GET:
        return object_request(x, HTTP_GET, key, none, none, e);
    case LIST:
        return ask_list(x, folder_of(x, s->where), e);
    case LIST_STEM:
        return ask_list(x, sv_trim_end(x->place.key, '/'), e);
    case COPY:
        return object_copy(x, key, copy_in(x), e);
    case COPY_TO:
        return object_copy(x, object_in(x, INSIDE), key, e);
    case PUT_METADATA:
        return object_request(x, HTTP_PUT, metadata_in(x), none, SV("probe"), e);
    case COPY_TO_METADATA:
        return object_copy(x, object_in(x, INSIDE), metadata_in(x), e);
    case CREATE_MULTIPART:
        return object_request(x, HTTP_POST, key, SV("uploads="), none, e);
    case PUT_PART:
        return object_request(x, HTTP_PUT, key,
                              arena_printf(x->arena, "partNumber=1&" SV_FMT, SV_ARG(upload)),
                              SV("part"), e);
    case ABORT_MULTIPART:
        return object_request(x, HTTP_DELETE, x->probe.upload_key, upload, none, e);
    case DELETE:
        return object_request(x, HTTP_DELETE, key, none, none, e);
    case DELETE_COPY:
        return object_request(x, HTTP_DELETE, copy_in(x), none, none, e);
    case DELETE_METADATA:
        return object_request(x, HTTP_DELETE, metadata_in(x), none, none, e);
    case BULK_DELETE:
        return ask_bulk_delete(x, key, e);
    case REASSUME:
        break;
    }
    return ask_reassume(x, e);
}

static bool ask(struct exchange *x, const struct probing *p, struct err *e)
{
    const struct credential *judged = x->key;
    bool ok;

    if (steps[p->at].who != JUDGED)
        x->key = steps[p->at].who == JANITOR ? x->janitor : &x->target->own;
    ok = ask_with_key(x, p, e);
    x->key = judged;
    return ok;
}

/* ---- judging ---- */

static enum verdict judge(const struct exchange *x)
{
    struct sv code = store_code(&x->in, x->arena);

    /* A bulk delete and a copy may answer 200 and put the refusal into the body. */
    if (sv_eq(code, SV("AccessDenied")))
        return x->in.status == 403 || x->in.status / 100 == 2 ? REFUSED : UNCLEAR;
    return x->in.status / 100 == 2 && !code.n ? GRANTED : UNCLEAR;
}

/* Throttled, overloaded or down: nothing is proved, neither way, and later it may be. What the
 * store does not implement it will not implement later. */
static bool is_passing(const struct exchange *x)
{
    struct err why = {0};

    (void)store_error(&x->in, "probing", x->arena, &why);
    return x->in.status >= 400 && x->in.status != 501 && why.code == ERR_UNAVAILABLE;
}

static void blame(struct exchange *x, struct sv *first, const char *what, int operation)
{
    struct sv code = sv_first(store_code(&x->in, x->arena), 80);

    if (first->n)
        return;
    *first = arena_printf(x->arena, "%s%s%s: the store answered %d%s" SV_FMT,
                          operation < 0 ? "" : operation_names[operation], operation < 0 ? "" : " ",
                          what, x->in.status, code.n ? " " : "", SV_ARG(code));
}

static void judge_inside(struct exchange *x, struct probing *p, const struct probe_step *s,
                         enum verdict v)
{
    unsigned bit = 1U << (unsigned)s->operation;

    if (s->request == BULK_DELETE) {
        x->probe.bulk_delete = v == GRANTED;
        /* Where deleting is allowed, a store that has no bulk delete is no trouble. */
        if (x->may & bit)
            return;
    }
    if (!(x->may & bit)) {
        if (v != REFUSED)
            blame(x, &p->hole, "inside its own folder was not refused to who may not",
                  s->operation);
        return;
    }
    if (v == GRANTED)
        return;
    x->probe.inside[s->operation] = false;
    if (x->must & bit)
        blame(x, &p->trouble, "inside its own folder was refused", s->operation);
}

static void judge_outside(struct exchange *x, struct probing *p, const struct probe_step *s,
                          enum verdict v)
{
    if (v == REFUSED)
        return;
    x->probe.outside[s->operation] = true;
    blame(x, &p->hole, "outside its own folder was not refused", s->operation);
}

/* Who writes data writes no metadata files. A store that cannot be told so is no hole: each file is
 * held against its hash. Who may not write at all has no business there. */
static void judge_metadata(struct exchange *x, struct probing *p, enum verdict v)
{
    if (v == REFUSED)
        return;
    if (x->may & 1U << PROBE_PUT)
        x->probe.metadata_open = true;
    else
        blame(x, &p->hole, "inside its own folder was not refused to who may not", PROBE_PUT);
}

static void judge_reassume(struct exchange *x, struct probing *p, enum verdict v)
{
    if (v == REFUSED)
        return;
    x->probe.reassume = true;
    blame(x, &p->hole,
          v == GRANTED ? "a narrowed session could assume the role again and shed its policy"
                       : "assuming the role again with a narrowed session was not refused",
          -1);
}

/* What planted must succeed: without an object nothing is proved. What tidies must leave nothing.
 */
static void judge_janitor(struct exchange *x, struct probing *p, const struct probe_step *s,
                          enum verdict v)
{
    if (v == GRANTED || x->in.status == 404)
        return;
    if (s->request == PUT) {
        blame(x, &p->trouble, "an object of the probe could not be put into an allowed location",
              -1);
        p->at = TIDY_FROM - 1;
    } else if (s->request != ABORT_MULTIPART || s->who == OWNER) {
        blame(x, &p->trouble, "an object of the probe could not be taken away again", -1);
    }
}

/* What is there now, and must be taken away. */
static void keep_count(struct exchange *x, struct probing *p, const struct probe_step *s,
                       enum verdict v)
{
    struct xml *root;
    struct err ignored = {0};

    if (s->request == CREATE_MULTIPART) {
        x->probe.upload_key = object_in(x, s->where);
        x->probe.upload_id = v == GRANTED && xml_read(x->in.body, x->arena, &root, &ignored)
                                 ? xml_text(root, SV("UploadId"))
                                 : (struct sv){0};
    }
    if (s->request == ABORT_MULTIPART && (v == GRANTED || x->in.status == 404))
        x->probe.upload_id = (struct sv){0};
    if (s->where == OUTSIDE && v == GRANTED && (s->request == PUT || s->request == COPY_TO))
        p->left_outside = true;
    if (s->where == OUTSIDE && v == GRANTED && s->request == DELETE)
        p->left_outside = false;
}

static void note(struct exchange *x, struct probing *p)
{
    const struct probe_step *s = &steps[p->at];
    enum verdict v = judge(x);

    keep_count(x, p, s, v);
    if (s->who != JUDGED)
        judge_janitor(x, p, s, v);
    else if (s->request == REASSUME)
        judge_reassume(x, p, v);
    else if (s->request == PUT_METADATA || s->request == COPY_TO_METADATA)
        judge_metadata(x, p, v);
    else if (s->operation < 0)
        return;
    else if (s->where == INSIDE)
        judge_inside(x, p, s, v);
    else
        judge_outside(x, p, s, v);
}

static void conclude(struct exchange *x, const struct probing *p)
{
    x->probe.failure = p->hole.n ? p->hole : p->trouble;
    x->probe.verified = !x->probe.failure.n;
    x->done = true;
}

/* ---- the walk ---- */

/* Steps that cannot be taken: outside when there is none, parts of an upload that is not there. */
static bool applies(const struct exchange *x, const struct probing *p)
{
    const struct probe_step *s = &steps[p->at];

    if (s->where == OUTSIDE && !x->outside.bucket.n)
        return false;
    if (s->who == OWNER && s->request == DELETE)
        return p->left_outside;
    return x->probe.upload_id.n || (s->request != PUT_PART && s->request != ABORT_MULTIPART);
}

static bool go_on(struct exchange *x, struct probing *p, struct err *e)
{
    while (p->at < STEPS && !applies(x, p))
        p->at++;
    if (p->at < STEPS)
        return ask(x, p, e);
    conclude(x, p);
    return true;
}

static bool walk(struct exchange *x, size_t from, struct err *e)
{
    struct probing *p = x->scratch;

    if (x->round == 0) {
        x->scratch = p = arena_new(x->arena, struct probing);
        p->at = from;
        /* Who only tidies cannot know, and asks. */
        p->left_outside = from == TIDY_FROM;
        if (from == 0)
            x->probe = (struct probe_result){0};
        for (int i = 0; i < PROBE_OPERATION_COUNT; i++)
            x->probe.inside[i] = true;
        return go_on(x, p, e);
    }
    if (is_passing(x))
        return store_error(&x->in, "probing", x->arena, e);
    note(x, p);
    p->at++;
    return go_on(x, p, e);
}

bool s3_probe(struct exchange *x, struct err *e)
{
    return walk(x, 0, e);
}

bool s3_tidy(struct exchange *x, struct err *e)
{
    return walk(x, TIDY_FROM, e);
}
