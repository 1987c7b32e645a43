/*
 * provider.h - what to say to each store and how to read its answer. No I/O.
 *
 * A provider says what to send and reads what came back; it never sends. Each call looks at `in`
 * (the answer to the last `out`; status 0 in round 0), then fills `out` or sets `done`. The driver:
 *
 *     while (p->mint(x, e)) {
 *         if (x->done)
 *             return true;
 *         if (!http_do(client, &x->out, ..., &x->in, e))
 *             break;
 *         x->round++;
 *     }
 *     return false;
 */
#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include "api/location.h"
#include "api/resource.h"
#include "sign/credential.h"
#include "wire/http.h"

struct provider;

/* One integration, compiled: where it is and with which keys. Immutable; its owner outlives it. */
struct target {
    const struct provider *provider;
    struct sv bucket, region;
    struct sv endpoint;        /* what we use: internalEndpoint, else endpoint; no closing slash */
    struct sv public_endpoint; /* what clients are told; empty at AWS */
    struct sv sts_endpoint, sts_region, iam_endpoint, iam_region;
    bool path_style;
    struct sv role_arn; /* what is assumed */
    struct sv external_id;
    bool tag_sessions, transitive_tags, trace_tag;
    struct sv_vec kms_key_arns; /* of an encrypted bucket */
    struct credential own;      /* mints */
    struct credential admin;    /* manages roles */
};

enum access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_DELETE = 4, ACCESS_LIST = 8 };

/* A role as it should be, documents as JSON text. */
struct role_want {
    struct sv name, path, arn;
    struct sv trust, permissions; /* permissions: the inline policy named ROLE_POLICY_NAME */
    int max_session_seconds;
    struct tags tags; /* ours among them */
};
#define ROLE_POLICY_NAME "frontdesk"

struct role_policy {
    struct sv name, document;
};
struct role_have {
    bool exists;
    struct sv arn, trust;
    int max_session_seconds;
    struct tags tags;
    struct role_policies VEC(struct role_policy) policies; /* inline ones */
};

/* One thing to change about a role. Each is one request and safe to repeat. */
enum role_step_kind {
    ROLE_CREATE, /* with trust, tags, path */
    ROLE_PUT_TRUST,
    ROLE_PUT_POLICY,  /* ROLE_POLICY_NAME */
    ROLE_PUT_SESSION, /* its longest session */
    ROLE_TAG,
    ROLE_DELETE_POLICY, /* `name` */
    ROLE_DELETE,
};
struct role_step {
    enum role_step_kind kind;
    struct sv name;  /* of the policy, where it matters */
    const char *why; /* "trust policy differs", for logs and Events */
};
struct role_steps VEC(struct role_step);

/* What a probe with a real, narrowed credential found. */
enum probe_operation {
    PROBE_GET,
    PROBE_PUT,
    PROBE_LIST,
    PROBE_DELETE,
    PROBE_MULTIPART,
    PROBE_COPY, /* from elsewhere to inside */
    PROBE_OPERATION_COUNT
};
#define PROBE_ALL ((1U << PROBE_OPERATION_COUNT) - 1)
struct probe_result {
    bool inside[PROBE_OPERATION_COUNT];  /* worked */
    bool outside[PROBE_OPERATION_COUNT]; /* was NOT refused: a hole */
    bool reassume;                       /* the narrowed session could shed its policy: a hole */
    bool bulk_delete;                    /* capability: works under a session policy */
    bool metadata_open;                  /* who writes data could write a metadata file */
    bool verified;                       /* all that must work inside did, all else was refused */
    struct sv failure;                   /* one sentence when not verified; tidy: what is left */
    struct sv upload_key, upload_id;     /* an upload that was begun and not aborted: for tidy */
};

/* A role that is not the target's. */
struct other_role {
    struct sv arn, name; /* name: empty where only the ARN is known */
    struct sv trust;
};
struct other_roles VEC(struct other_role);

struct exchange {
    const struct target *target;
    int64_t now_ms;      /* Unix time, read once per round by the driver */
    struct arena *arena; /* everything below lives here; it wipes */

    /* What is asked; the fields each call needs are named at the call. */
    struct sv session_name, policy; /* mint: the session policy's text, never empty */
    int ttl_seconds;                /* mint */
    struct tags tags; /* mint: of the session, what matters most first; may be shortened */
    const struct role_want *want; /* observe (name), change */
    struct role_step step;        /* change */
    struct location place;        /* probe, tidy: a folder inside an allowed location that nobody
                                     uses; object_*: the file */
    struct location beside;  /* probe, tidy: another such folder, best one that begins the same */
    struct location outside; /* probe, tidy: a folder in the same bucket outside all allowed
                                locations; empty bucket: there is none */
    unsigned must, may;      /* probe: bits 1 << enum probe_operation: what has to work inside, and
                                what is no hole when it does */
    struct other_roles others; /* become: what is tried; role_is_empty: the first; list_roles: what
                                  came of it */
    struct sv body;            /* object_put */
    const struct credential *key; /* object_*, probe: whose request it is (probe: the minted one) */
    const struct credential *janitor; /* probe, tidy: may do everything in `place` and `beside` */

    /* What came of it. */
    struct credential got; /* mint */
    struct role_have have; /* observe */
    struct sv caller;      /* whoami: what trust policies call the owner of target->own */
    struct probe_result probe;
    struct sv content; /* object_get */
    bool missing;      /* object_get: no such object; role_is_empty: no policy */
    bool unsupported;  /* change: this store knows no such call; nothing was changed */

    struct http_request out;
    struct http_response in;
    unsigned round; /* how many answers have been read */
    bool done;
    void *scratch; /* the provider's, between rounds */
};

struct provider {
    struct sv name; /* the value of spec.provider */
    bool manages_roles;
    /* What this provider cannot do with that spec: complaints, in the spec's words. */
    void (*check)(const struct storage_integration *w, struct arena *a, struct complaints *out);
    /* A credential for target->role_arn, narrowed to `policy`. A refusal of the store is
     * ERR_DENIED, a role that is gone, throttling and 5xx ERR_UNAVAILABLE. Where policy and tags
     * do not fit together, tags are left out from the end. */
    bool (*mint)(struct exchange *x, struct err *e);
    /* Who we are: the ARN that owns target->own, for the trust policy. */
    bool (*whoami)(struct exchange *x, struct err *e);
    /* The role as it is: x->have. Signed with target->admin. */
    bool (*observe)(struct exchange *x, struct err *e);
    /* Carries x->step out for x->want. Repeating it is harmless; "already so" is success. */
    bool (*change)(struct exchange *x, struct err *e);
    /* Uses x->key (narrowed to x->place) inside, beside, outside, and to re-assume, on objects that
     * x->janitor puts there and takes away again. Only 403 AccessDenied is a refusal; refusals are
     * results, not errors. A store that cannot answer is ERR_UNAVAILABLE: tidy then. */
    bool (*probe)(struct exchange *x, struct err *e);
    /* Takes away what a probe that did not end may have left; x->key is not needed. */
    bool (*tidy)(struct exchange *x, struct err *e);
    /* All roles that there are: x->others. Signed with target->admin. NULL: the store has none. */
    bool (*list_roles)(struct exchange *x, struct err *e);
    /* Whether the first of x->others has no policy, so that assuming it opens nothing: x->missing.
     */
    bool (*role_is_empty)(struct exchange *x, struct err *e);
    /* Tries with x->key (a minted one) to become our user (where session_is_user), to manage roles
     * and to assume each of x->others; x->probe.failure names what succeeded. */
    bool (*become)(struct exchange *x, struct err *e);
    bool session_is_user; /* a session still counts as the user who minted it */
    /* CopyObject is granted where a Deny of the session policy matches its target, as RGW 16 does.
     * Policies for such a store are written without a statement that matches copies. */
    bool denial_opens_copies;
    /* A star in a resource ends at the first character that may follow it, and never goes back, as
     * at RGW: "*.json" does not match "a.b.json". */
    bool naive_wildcards;
    /* The documents. */
    void (*trust)(const struct storage_integration *w, struct sv caller, struct buf *out);
    void (*permissions)(const struct storage_integration *w, struct buf *out);
};

const struct provider *provider_find(enum storage_provider p);

/* One object, S3's way, for every provider: x->place, x->key, x->body. GET answers content or
 * `missing`, DELETE is fine with that; 412 on a PUT with If-None-Match is ERR_CONFLICT. A 404 that
 * the store does not say of the key is ERR_UNAVAILABLE: never ERR_NOT_FOUND. */
MUST_CHECK bool object_get(struct exchange *x, struct err *e);
MUST_CHECK bool object_put(struct exchange *x,
                           struct err *e); /* never overwrites: If-None-Match: * */
MUST_CHECK bool object_delete(struct exchange *x, struct err *e);

/* What a session is for. */
struct session_ask {
    const struct location *folders; /* all in one bucket */
    size_t n_folders;
    unsigned access;     /* bits of enum access */
    struct sv template_; /* the integration's own policy, or empty: ours */
    bool for_us;         /* writes metadata files, as nobody else may */
};

/*
 * session_policy - the policy that opens these folders at `t`, and nothing else, for that access.
 *
 * A template ({{.Bucket}}, {{.KeyPrefix}}) is filled once per folder and its statements are joined,
 * equal ones once; what the caller may not do is denied on top, since a template knows only reading
 * and writing. Nobody but ourselves may write `*.metadata.json*`: a metadata file says what a table
 * is, and the catalog writes it. Our own policy opens the bucket's KMS keys too. ARNs bear the
 * partition of the role's ARN at AWS, "aws" elsewhere. ERR_INVALID when it passes
 * LIMIT_SESSION_POLICY_CHARS or a name holds what a policy cannot say.
 */
MUST_CHECK bool session_policy(const struct target *t, const struct session_ask *s, struct arena *a,
                               struct sv *out, struct err *e);
/* "aws", "aws-cn", "aws-us-gov", ...: what ARNs at this store begin with. */
struct sv arn_partition(const struct provider *p, struct sv role_arn);
/* "https://s3.cn-north-1.amazonaws.com.cn". */
struct sv aws_endpoint(const char *service, struct sv region, struct arena *a);
struct sv aws_iam_endpoint(struct sv partition);
struct sv aws_iam_region(struct sv partition); /* for its signatures */

/* A session name from its template, cleaned to the alphabet and length that token services take. */
struct session_words {
    struct sv principal, catalog, namespace_, table, request;
    struct sv trace; /* of the traceparent; may be empty */
};
struct sv session_name(struct sv template_, const struct session_words *w, struct arena *a);
/* The session's tags, cleaned likewise, what matters most first; none where the target has none.
 * The first SESSION_SUBJECT_TAGS say who and what, the others which request. */
enum { SESSION_SUBJECT_TAGS = 4 };
struct tags session_tags(const struct target *t, const struct session_words *w, struct arena *a);

/* Whether two policy documents (trust, permission) mean the same: order, string-or-list, case of
 * actions, "*" and {"AWS":"*"}, account and its root, booleans as text. False when either does not
 * parse. */
bool policy_means_same(struct sv x, struct sv y, struct arena *scratch);

/* What to do about a role, in order; nothing when it is as it should be. Pure. */
void role_plan(const struct role_want *want, const struct role_have *have, struct arena *a,
               struct role_steps *out);
/* Where a role differs from what is wanted, for people: "; " between the differences, empty when
 * there is none. Other policies beside the wanted one count; their names do not. */
struct sv role_differences(const struct role_want *want, const struct role_have *have,
                           struct arena *a);
/* The order in which a role of ours is taken down. */
void role_plan_removal(const struct role_have *have, struct arena *a, struct role_steps *out);

/* Who we are, to a trust policy. */
struct self {
    struct sv user_arn; /* empty: unknown */
    struct sv role_arn; /* that our sessions bear */
    bool session_is_user;
};
/* Whether sessions of ours might assume a role with that trust policy: never, as far as trying
 * tells, or those of one name, which trying cannot tell. A policy that cannot be read may. */
enum admits { ADMITS_NOT, ADMITS_MAYBE, ADMITS_SESSION };
enum admits trust_admits(struct sv trust, const struct self *self, struct arena *scratch);
/* The sentence about one that does. */
struct sv other_role_hole(const struct other_role *r, struct arena *a);

/* Our ownership marks. */
#define TAG_OWNER  "polaris.apache.org/owned-by" /* "frontdesk" */
#define TAG_UID    "polaris.apache.org/uid"      /* the StorageIntegration's */
#define TAG_OBJECT "polaris.apache.org/object"   /* namespace/name */
bool role_is_ours(const struct role_have *have, struct sv uid);
/* "namespace/name" of the integration whose mark it bears; empty: none. */
struct sv role_object(const struct role_have *have);

#endif
