/* test_probe.c - a store with one fault each: the probe finds it, names it, and leaves nothing. */
#include "provider/provider.h"
#include "unit/suite.h"

/* What the judged credential "J" may do where it should not. */
enum open {
    OPEN_NOTHING,
    OPEN_GET,
    OPEN_COPY,
    OPEN_COPY_TO, /* from inside */
    OPEN_LIST,
    OPEN_LIST_ALL,
    OPEN_PUT,
    OPEN_MULTIPART,
    OPEN_DELETE,
    OPEN_BULK_DELETE,
    OPEN_ASSUME
};

/* What the store is like: the answers below are as AWS S3, RGW 16 and proxies before them gave
 * them. */
struct store {
    enum open open;
    bool only_outside;              /* what is open is so outside, not beside */
    bool reads_only;                /* J may get and list inside, no more */
    struct http_response refusal;   /* status 0: 403 AccessDenied */
    struct http_response at_inside; /* status 0: as it should be; else J's answer to a GET there */
    const char *role_refuses;       /* the janitor is refused requests whose target holds this */
    int down_from, down_until;      /* requests that are answered 503 */
    int ends_at;                    /* J is refused everywhere from this request on; 0: never */
    bool no_bulk;
    bool guards_metadata; /* J may write none inside */

    int requests;
    bool inside, copy, beside, outside, metadata; /* objects there now */
    int uploads;
    bool judged_on_nothing;
};

#define DENIED "<Error><Code>AccessDenied</Code></Error>"
#define UPLOAD \
    "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"

static bool holds(const struct http_request *r, const char *part)
{
    return sv_contains(r->target, sv_from(part));
}

static char who(const struct http_request *r)
{
    struct sv proof = http_header_text(&r->headers, SV("Authorization")), key;

    (void)sv_cut(&proof, '=', &key);
    return proof.n ? proof.p[0] : '?';
}

static bool is_bulk(const struct http_request *r)
{
    return holds(r, "?delete=");
}

static bool is_list(const struct http_request *r)
{
    return holds(r, "list-type=2");
}

static bool is_outside(const struct http_request *r)
{
    return holds(r, "far");
}

static bool is_inside(const struct http_request *r)
{
    return holds(r, "a/in/") || holds(r, "a%2Fin%2F") || sv_contains(r->body, SV("a/in/"));
}

static bool is_metadata(const struct http_request *r)
{
    return holds(r, ".metadata.json");
}

static bool *object_of(struct store *s, const struct http_request *r)
{
    return holds(r, "a/in/copy") ? &s->copy
           : is_metadata(r)      ? &s->metadata
           : is_inside(r)        ? &s->inside
           : is_outside(r)       ? &s->outside
                                 : &s->beside;
}

static enum open needed(const struct http_request *r)
{
    if (is_bulk(r))
        return OPEN_BULK_DELETE;
    if (is_list(r))
        return holds(r, "prefix=") ? OPEN_LIST : OPEN_LIST_ALL;
    if (r->method == HTTP_POST)
        return OPEN_MULTIPART;
    if (http_header(&r->headers, SV("x-amz-copy-source")))
        return holds(r, "a/in/copy") ? OPEN_COPY : OPEN_COPY_TO;
    return r->method == HTTP_GET ? OPEN_GET : r->method == HTTP_PUT ? OPEN_PUT : OPEN_DELETE;
}

static bool allows(const struct store *s, const struct http_request *r)
{
    enum open n = needed(r);
    bool open_here =
        s->open == n && (!s->only_outside || is_outside(r)) && (!s->reads_only || is_inside(r));

    if (who(r) == 'O')
        return true;
    if (who(r) == 'N')
        return !is_outside(r) && !(s->role_refuses && holds(r, s->role_refuses));
    if (is_metadata(r) && s->guards_metadata)
        return false;
    if (n == OPEN_COPY || n == OPEN_COPY_TO || !is_inside(r))
        return open_here;
    if (s->reads_only)
        return n == OPEN_GET || n == OPEN_LIST || open_here;
    return n != OPEN_BULK_DELETE || !s->no_bulk;
}

static struct http_response carry_out(struct store *s, const struct http_request *r)
{
    bool *object = object_of(s, r);

    if (holds(r, "uploadId="))
        s->uploads -= r->method == HTTP_DELETE;
    else if (needed(r) == OPEN_MULTIPART)
        s->uploads++;
    else if (r->method == HTTP_PUT)
        *object = true;
    else if (r->method == HTTP_DELETE || is_bulk(r))
        *object = false;
    else if (needed(r) == OPEN_GET && !*object)
        return (struct http_response){.status = 404,
                                      .body = SV("<Error><Code>NoSuchKey</Code></Error>")};
    return (struct http_response){.status = 200,
                                  .body = needed(r) == OPEN_MULTIPART ? SV(UPLOAD) : SV("")};
}

static struct http_response serve(struct store *s, const struct http_request *r)
{
    struct http_response refusal =
        s->refusal.status ? s->refusal : (struct http_response){.status = 403, .body = SV(DENIED)};

    int n = s->requests++;

    if (n >= s->down_from && n < s->down_until)
        return (struct http_response){.status = 503};
    if (s->ends_at && n >= s->ends_at && who(r) == 'J')
        return refusal;
    if (sv_contains(r->body, SV("Action=AssumeRole")))
        return s->open == OPEN_ASSUME ? (struct http_response){.status = 200} : refusal;
    if (who(r) == 'J' && needed(r) == OPEN_GET && is_inside(r) && s->at_inside.status)
        return s->at_inside;
    if (who(r) == 'J' && !is_inside(r) && !is_list(r) && !is_outside(r) && !s->beside)
        s->judged_on_nothing = true;
    return allows(s, r) ? carry_out(s, r) : refusal;
}

/* ---- running it ---- */

struct run {
    struct store *store;
    bool nothing_outside, tidy;
    unsigned must, may; /* 0: all */
};

static bool probe(const struct run *run, struct arena *a, struct probe_result *out, struct err *e)
{
    const struct provider *provider = provider_find(PROVIDER_CEPH_RGW);
    struct target t = {
        .bucket = SV("bkt"),
        .region = SV("us-east-1"),
        .endpoint = SV("http://store"),
        .sts_endpoint = SV("http://store"),
        .sts_region = SV("us-east-1"),
        .own = {.access_key_id = SV("O"), .secret_access_key = secret_of(SV("S"))},
        .path_style = true
    };
    struct credential key = {.access_key_id = SV("J"), .secret_access_key = secret_of(SV("S"))};
    struct credential janitor = {.access_key_id = SV("N"), .secret_access_key = secret_of(SV("S"))};
    struct exchange x = {
        .target = &t,
        .arena = a,
        .key = &key,
        .janitor = &janitor,
        .must = run->may ? run->must : PROBE_ALL,
        .may = run->may ? run->may : PROBE_ALL,
        .place = {SV("bkt"), SV("a/in/")       },
        .beside = {SV("bkt"), SV("a/in-beside/")},
    };

    x.probe = *out;
    if (!run->nothing_outside)
        x.outside = (struct location){SV("bkt"), SV("far/")};
    while ((run->tidy ? provider->tidy : provider->probe)(&x, e)) {
        *out = x.probe;
        if (x.done)
            return true;
        NEED(x.round < 60);
        x.in = serve(run->store, &x.out);
        x.round++;
    }
    return false;
}

static void check_empty(const struct store *s)
{
    CHECK(!s->inside && !s->copy && !s->beside && !s->outside && !s->metadata);
    CHECK_INT(s->uploads, 0);
}

/* The probe of this store ends with this failure ("": verified) and leaves nothing. */
static void check_probe(struct store s, const char *failure)
{
    auto_arena a = {0};
    struct probe_result r = {0};
    struct err e = {0};

    NEED_OK(probe(&(struct run){.store = &s}, &a, &r, &e), &e);
    CHECK_SV(r.failure, sv_from(failure));
    CHECK_INT(r.verified, failure[0] == 0);
    CHECK(!s.judged_on_nothing || s.open == OPEN_DELETE || s.open == OPEN_BULK_DELETE);
    check_empty(&s);
}

/* ---- the claims ---- */

static void a_narrow_store_is_verified_and_left_empty(void)
{
    check_probe((struct store){0}, "");
}

static void each_operation_that_works_beside_is_named(void)
{
    static const struct {
        enum open open;
        const char *name;
    } rows[] = {
        {OPEN_GET,         "get"      },
        {OPEN_COPY,        "copy from"},
        {OPEN_LIST,        "list"     },
        {OPEN_LIST_ALL,    "list"     },
        {OPEN_PUT,         "put"      },
        {OPEN_MULTIPART,   "multipart"},
        {OPEN_DELETE,      "delete"   },
        {OPEN_BULK_DELETE, "delete"   },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena a = {0};

        check_probe((struct store){.open = rows[i].open},
                    arena_printf(&a,
                                 "%s outside its own folder was not refused: the store answered "
                                 "200",
                                 rows[i].name)
                        .p);
    }
}

static void each_change_that_works_outside_is_named_and_undone(void)
{
    check_probe((struct store){.open = OPEN_PUT, .only_outside = true},
                "put outside its own folder was not refused: the store answered 200");
    check_probe((struct store){.open = OPEN_MULTIPART, .only_outside = true},
                "multipart outside its own folder was not refused: the store answered 200");
    check_probe((struct store){.open = OPEN_LIST, .only_outside = true},
                "list outside its own folder was not refused: the store answered 200");
    check_probe((struct store){.open = OPEN_DELETE, .only_outside = true},
                "delete outside its own folder was not refused: the store answered 200");
}

/* What a store, or something before it, says to a request that it neither carries out nor refuses.
 */
static void only_access_denied_is_a_refusal(void)
{
    static const struct {
        struct http_response answer;
        const char *shown;
    } rows[] = {
        {{.status = 404, .body = SV_INIT("<Error><Code>NoSuchKey</Code></Error>")},
         "404 NoSuchKey"                                                                            },
        {{.status = 400, .body = SV_INIT("<Error><Code>InvalidArgument</Code></Error>")},
         "400 InvalidArgument"                                                                      },
        {{.status = 400, .body = SV_INIT("<Error><Code>ExpiredToken</Code></Error>")},
         "400 ExpiredToken"                                                                         },
        {{.status = 403, .body = SV_INIT("<Error><Code>InvalidAccessKeyId</Code></Error>")},
         "403 InvalidAccessKeyId"                                                                   },
        {{.status = 403, .body = SV_INIT("<Error><Code>RequestTimeTooSkewed</Code></Error>")},
         "403 RequestTimeTooSkewed"                                                                 },
        {{.status = 403, .body = SV_INIT("<html><body>Forbidden</body></html>")},              "403"},
        {{.status = 403},                                                                      "403"},
        {{.status = 301, .body = SV_INIT("<Error><Code>PermanentRedirect</Code></Error>")},
         "301 PermanentRedirect"                                                                    },
        {{.status = 307, .body = SV_INIT("<Error><Code>TemporaryRedirect</Code></Error>")},
         "307 TemporaryRedirect"                                                                    },
        {{.status = 405, .body = SV_INIT("<Error><Code>MethodNotAllowed</Code></Error>")},
         "405 MethodNotAllowed"                                                                     },
        {{.status = 501, .body = SV_INIT("<Error><Code>NotImplemented</Code></Error>")},
         "501 NotImplemented"                                                                       },
        {{.status = 204},                                                                      "204"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena a = {0};

        check_probe((struct store){.refusal = rows[i].answer},
                    arena_printf(&a,
                                 "get outside its own folder was not refused: the store answered "
                                 "%s",
                                 rows[i].shown)
                        .p);
    }
}

static void a_refusal_in_the_body_of_a_200_is_one(void)
{
    check_probe(
        (struct store){
            .refusal = {.status = 200, .body = SV_INIT(DENIED)}
    },
        "");
    check_probe(
        (struct store){
            .refusal = {.status = 200, .body = SV_INIT("<DeleteResult>" DENIED "</DeleteResult>")}
    },
        "");
}

static void a_refusal_inside_is_named_with_the_answer(void)
{
    check_probe(
        (struct store){
            .at_inside = {.status = 403, .body = SV_INIT(DENIED)}
    },
        "get inside its own folder was refused: the store answered 403 AccessDenied");
}

static void a_credential_that_ends_during_the_probe_proves_nothing(void)
{
    /* All that had to work inside has worked by then. */
    check_probe((struct store){.ends_at = 8},
                "get inside its own folder was refused: the store answered 403 AccessDenied");
}

static void a_session_that_sheds_its_policy_is_named(void)
{
    check_probe((struct store){.open = OPEN_ASSUME},
                "a narrowed session could assume the role again and shed its policy: the store "
                "answered 200");
}

static void what_readers_may_not_do_inside_is_a_hole(void)
{
    static const enum open open[] = {OPEN_PUT, OPEN_MULTIPART, OPEN_DELETE, OPEN_BULK_DELETE};
    const unsigned get = 1U << PROBE_GET, list = 1U << PROBE_LIST;

    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        auto_arena a = {0};
        struct store s = {.open = open[i], .reads_only = true};
        struct probe_result r = {0};
        struct err e = {0};

        NEED_OK(probe(&(struct run){.store = &s, .must = get, .may = get | list}, &a, &r, &e), &e);
        CHECK(!r.verified);
        CHECK(sv_contains(r.failure, SV("inside its own folder was not refused to who may not")));
        check_empty(&s);
    }
}

static void readers_who_can_only_read_are_verified(void)
{
    auto_arena a = {0};
    struct store s = {.reads_only = true};
    struct probe_result r = {0};
    struct err e = {0};
    const unsigned get = 1U << PROBE_GET, list = 1U << PROBE_LIST;

    NEED_OK(probe(&(struct run){.store = &s, .must = get, .may = get | list}, &a, &r, &e), &e);
    CHECK_SV(r.failure, SV(""));
    CHECK(r.verified);
    check_empty(&s);
}

static void bulk_delete_is_a_capability(void)
{
    for (int without = 0; without < 2; without++) {
        auto_arena a = {0};
        struct store s = {.no_bulk = without};
        struct probe_result r = {0};
        struct err e = {0};

        NEED_OK(probe(&(struct run){.store = &s}, &a, &r, &e), &e);
        CHECK(r.verified);
        CHECK_INT(r.bulk_delete, !without);
    }
}

static void a_store_that_lets_writers_write_metadata_is_told_by_capability(void)
{
    for (int guards = 0; guards < 2; guards++) {
        auto_arena a = {0};
        struct store s = {.guards_metadata = guards};
        struct probe_result r = {0};
        struct err e = {0};

        NEED_OK(probe(&(struct run){.store = &s}, &a, &r, &e), &e);
        CHECK(r.verified);
        CHECK_INT(r.metadata_open, !guards);
        check_empty(&s);
    }
}

/* RGW 16 took a denial of the session policy that matched a copy's target for a grant. */
static void a_copy_to_elsewhere_is_a_hole(void)
{
    check_probe((struct store){.open = OPEN_COPY_TO, .guards_metadata = true},
                "put outside its own folder was not refused: the store answered 200");
    check_probe((struct store){.open = OPEN_COPY_TO, .only_outside = true, .guards_metadata = true},
                "put outside its own folder was not refused: the store answered 200");
}

static void a_copy_of_readers_onto_metadata_is_a_hole(void)
{
    auto_arena a = {0};
    struct store s = {.reads_only = true, .open = OPEN_COPY_TO};
    struct probe_result r = {0};
    struct err e = {0};
    const unsigned get = 1U << PROBE_GET;

    NEED_OK(probe(&(struct run){.store = &s, .must = get, .may = get}, &a, &r, &e), &e);
    CHECK(!r.verified);
    check_empty(&s);
}

static void without_an_outside_the_neighbour_is_tried(void)
{
    auto_arena a = {0};
    struct store s = {.open = OPEN_GET};
    struct probe_result r = {0};
    struct err e = {0};

    NEED_OK(probe(&(struct run){.store = &s, .nothing_outside = true}, &a, &r, &e), &e);
    CHECK(r.outside[PROBE_GET]);
    CHECK(!r.verified);
}

static void a_role_that_cannot_write_is_named_before_anything_is_judged(void)
{
    check_probe((struct store){.role_refuses = "a/in-beside/"},
                "an object of the probe could not be put into an allowed location: the store "
                "answered 403 AccessDenied");
}

/* Whenever the store goes away, it proves nothing, and what is left is taken away later. */
static void a_probe_cut_short_anywhere_is_tidied_to_nothing(void)
{
    static const enum open open[] = {OPEN_NOTHING, OPEN_PUT, OPEN_MULTIPART};

    for (int i = 0; i < 120; i++) {
        auto_arena a = {0};
        int from = i / 3;
        struct store s = {.open = open[i % 3], .down_from = from, .down_until = from + 1};
        struct probe_result r = {0};
        struct err e = {0};

        if (probe(&(struct run){.store = &s}, &a, &r, &e))
            continue;
        CHECK_INT(e.code, ERR_UNAVAILABLE);
        NEED_OK(probe(&(struct run){.store = &s, .tidy = true}, &a, &r, &e), &e);
        CHECK(r.verified);
        check_empty(&s);
    }
}

SUITE("provider/probe", TEST(a_narrow_store_is_verified_and_left_empty),
      TEST(each_operation_that_works_beside_is_named),
      TEST(each_change_that_works_outside_is_named_and_undone),
      TEST(only_access_denied_is_a_refusal), TEST(a_refusal_in_the_body_of_a_200_is_one),
      TEST(a_refusal_inside_is_named_with_the_answer),
      TEST(a_credential_that_ends_during_the_probe_proves_nothing),
      TEST(a_session_that_sheds_its_policy_is_named),
      TEST(what_readers_may_not_do_inside_is_a_hole), TEST(readers_who_can_only_read_are_verified),
      TEST(a_store_that_lets_writers_write_metadata_is_told_by_capability),
      TEST(a_copy_to_elsewhere_is_a_hole), TEST(a_copy_of_readers_onto_metadata_is_a_hole),
      TEST(bulk_delete_is_a_capability), TEST(without_an_outside_the_neighbour_is_tried),
      TEST(a_role_that_cannot_write_is_named_before_anything_is_judged),
      TEST(a_probe_cut_short_anywhere_is_tidied_to_nothing))
