/* test_role_names.c - each integration has a role of its own name, and keeps the one it has. */
#include "unit/control/worker_bench.h"

#define XML(status, body) \
    "HTTP/1.1 " status "\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n" body
#define ANSWER(status, body)             \
    {                                    \
        XML(status, body), FAKE_CLOSE, 0 \
    }
#define DENIED  ANSWER("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>")
#define NO_ROLE ANSWER("404 Not Found", "<Error><Code>NoSuchEntity</Code></Error>")

/* A pass that deletes "NS/NAME", which has this status. */
static void delete_it(struct worker_bench *b, const char *ns, const char *name, const char *status)
{
    struct sv object = arena_printf(
        &b->arena,
        "{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"StorageIntegration\",\"metadata\":{"
        "\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"u-1\",\"generation\":3,\"finalizers\":[\"" FINALIZER
        "\"],\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"},\"spec\":{"
        "\"storageType\":\"s3\",\"provider\":\"ceph-rgw\",\"bucket\":\"warehouse\","
        "\"endpoint\":\"http://127.0.0.1:%d\",\"credentialsSecretRef\":{\"name\":\"keys\"}},"
        "\"status\":%s}",
        name, ns, b->store.port, status);
    struct job *j = bench_job(b, object);

    j->own = bench_key(&j->arena);
    job_run(&b->worker, j);
}

/* The name of the role that is asked about in request `i`. */
static struct sv asked(const struct worker_bench *b, size_t i, struct arena *a)
{
    const char *at =
        atomic_load(&b->store.served) > i ? strstr(b->store.requests[i], "&RoleName=") : NULL;
    struct sv rest = at ? sv_from(at + sizeof("&RoleName=") - 1) : SV("nothing"), name;

    (void)sv_cut(&rest, '&', &name);
    return arena_dup(a, name);
}

static struct sv role_of(const char *ns, const char *name, const char *status, struct arena *a)
{
    static const struct fake_reply replies[] = {DENIED};
    struct worker_bench b = {0};
    struct sv asked_for;

    bench_begin(&b);
    bench_store(&b, replies, 1);
    delete_it(&b, ns, name, status);
    asked_for = asked(&b, 0, a);
    bench_end(&b);
    return asked_for;
}

#define MADE  "{\"roleCreated\":true,\"roleArn\":\"arn:aws:iam:::role/p/frontdesk-a-b-c\"}"
#define BEGUN "{\"roleCreated\":true}"

static void no_two_integrations_have_a_role_of_one_name(void)
{
    static const char *const pairs[][2] = {
        {"a-b",   "c"    },
        {"a",     "b-c"  },
        {"a",     "b.c"  },
        {"a-b-c", "d"    },
        {"a-b",   "c-d"  },
        {"a",     "b-c-d"},
        {"ab",    "c"    }
    };
    struct sv names[sizeof(pairs) / sizeof(pairs[0])];
    auto_arena a = {0};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        names[i] = role_of(pairs[i][0], pairs[i][1], BEGUN, &a);
        CHECK(sv_starts(names[i], SV("frontdesk-")));
        for (size_t j = 0; j < i; j++)
            CHECK(!sv_eq(names[i], names[j]));
    }
    CHECK_SV(role_of("lakehouse", "production", BEGUN, &a), SV("frontdesk-lakehouse-production"));
}

static void a_long_name_is_cut_and_still_its_own(void)
{
    static const char *const x = "a-name-of-sixty-three-characters-that-goes-on-and-on-and-on-one";
    static const char *const y = "a-name-of-sixty-three-characters-that-goes-on-and-on-and-on-two";
    auto_arena a = {0};
    struct sv one = role_of("lakehouse", x, BEGUN, &a), two = role_of("lakehouse", y, BEGUN, &a);

    CHECK_INT(one.n, 64);
    CHECK_INT(two.n, 64);
    CHECK(!sv_eq(one, two));
    /* As long as the longest, and not taken for one that was cut. */
    CHECK_INT(role_of("n", "53-characters-and-frontdesk-n-are-64-characters-long-", BEGUN, &a).n,
              64);
}

static void a_role_that_status_says_we_made_keeps_its_name(void)
{
    auto_arena a = {0};

    CHECK_SV(role_of("a-b", "c", MADE, &a), SV("frontdesk-a-b-c"));
    CHECK_SV(role_of("a", "b-c", MADE, &a), SV("frontdesk-a-b-c"));
}

static void a_role_that_was_begun_under_an_earlier_name_is_found(void)
{
    static const struct fake_reply replies[] = {NO_ROLE, DENIED};
    struct worker_bench b = {0};
    auto_arena a = {0};

    bench_begin(&b);
    bench_store(&b, replies, 2);
    delete_it(&b, "a-b", "c", BEGUN);
    CHECK_SV(asked(&b, 0, &a), SV("frontdesk-a.b-c"));
    CHECK_SV(asked(&b, 1, &a), SV("frontdesk-a-b-c"));
    bench_end(&b);
}

SUITE("control/role_names", TEST(no_two_integrations_have_a_role_of_one_name),
      TEST(a_long_name_is_cut_and_still_its_own),
      TEST(a_role_that_status_says_we_made_keeps_its_name),
      TEST(a_role_that_was_begun_under_an_earlier_name_is_found))
