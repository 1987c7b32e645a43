/* test_status.c - conditions as kstatus reads them, and no write without a difference. */
#include "unit/control/worker_bench.h"

#define PRINCIPAL(status)                                                                        \
    "{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"Principal\",\"metadata\":{\"name\":"   \
    "\"etl\",\"namespace\":\"n\",\"uid\":\"u\",\"generation\":7},\"spec\":{},\"status\":" status \
    "}"

/* The types of all conditions that are True, in order. */
static struct sv true_ones(const struct outcome *o, struct arena *a)
{
    struct buf b = buf_new(a, 1024);

    for (size_t i = 0; i < o->conditions.n; i++) {
        if (o->conditions.p[i].status == CONDITION_TRUE)
            buf_addf(&b, SV_FMT " ", SV_ARG(o->conditions.p[i].type));
    }
    return buf_sv(&b);
}

static void what_is_ready_is_neither_reconciling_nor_stalled(void)
{
    struct worker_bench b = {0};
    struct outcome o = {0};
    struct job *j;

    bench_begin(&b);
    j = bench_job(&b, SV(PRINCIPAL("null")));
    set_ready(&o, j, CONDITION_TRUE, "Reconciled", SV("fine"));
    CHECK_SV(true_ones(&o, &j->arena), SV("Ready "));
    CHECK_INT(o.conditions.n, 1);
    CHECK_INT(o.conditions.p[0].observed_generation, 7);
    bench_end(&b);
}

static void what_waits_is_reconciling_and_what_a_person_must_mend_is_stalled(void)
{
    static const struct {
        const char *reason, *want;
    } rows[] = {
        {"DependencyNotReady", "Reconciling "},
        {"ReferenceNotFound",  "Reconciling "},
        {"Unavailable",        "Reconciling "},
        {"DeletionBlocked",    "Reconciling "},
        {"Denied",             "Reconciling "},
        {"InvalidSpec",        "Stalled "    },
        {"AdoptionConflict",   "Stalled "    },
        {"ScopeNotVerified",   "Stalled "    },
        {"SessionTooLong",     "Stalled "    },
        {"LocationOverlap",    "Stalled "    },
    };
    struct worker_bench b = {0};
    struct job *j;

    bench_begin(&b);
    j = bench_job(&b, SV(PRINCIPAL("null")));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome o = {0};

        set_ready(&o, j, CONDITION_FALSE, rows[i].reason, SV("m"));
        CHECK_SV(true_ones(&o, &j->arena), sv_from(rows[i].want));
        CHECK_SV(o.conditions.p[1].reason, sv_from(rows[i].reason));
    }
    bench_end(&b);
}

static void the_first_complaint_is_the_condition_field_first(void)
{
    struct worker_bench b = {0};
    struct outcome o = {0};
    struct job *j;

    bench_begin(&b);
    j = bench_job(&b, SV(PRINCIPAL("null")));
    CHECK(!set_complaints(&o, j));
    complain(&j->complaints, &j->arena, "InvalidSpec", SV("spec.a"), "first");
    complain(&j->complaints, &j->arena, "Other", SV("spec.b"), "second");
    CHECK(set_complaints(&o, j));
    CHECK_SV(o.conditions.p[0].reason, SV("InvalidSpec"));
    CHECK_SV(o.conditions.p[0].message, SV("spec.a: first"));
    bench_end(&b);
}

static void put(struct worker_bench *b, const char *object, const char *message)
{
    struct job *j = bench_job(b, sv_from(object));
    struct outcome o = {0};
    struct err e = {0};

    set_ready(&o, j, CONDITION_TRUE, "Reconciled", sv_from(message));
    NEED_OK(put_outcome(&b->worker, j, &o, &e), &e);
}

#define READY                                                                           \
    "{\"observedGeneration\":%d,\"conditions\":[{\"type\":\"Ready\",\"status\":\"%s\"," \
    "\"reason\":\"Reconciled\",\"message\":\"fine\",\"observedGeneration\":7,"          \
    "\"lastTransitionTime\":\"2020-01-01T00:00:00Z\"}]}"

static const char *object_with(struct worker_bench *b, int generation, const char *status)
{
    struct sv text = arena_printf(&b->arena, READY, generation, status);

    return arena_printf(&b->arena, PRINCIPAL("%.*s"), SV_ARG(text)).p;
}

static void a_status_that_is_equal_is_not_written(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    put(&b, object_with(&b, 7, "True"), "fine");
    CHECK_INT(bench_writes(&b), 0);
    bench_end(&b);
}

static void another_generation_or_message_is_written_and_keeps_the_transition(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    put(&b, object_with(&b, 6, "True"), "fine");
    CHECK_INT(json_i64(bench_kept(&b, "status.observedGeneration"), 0), 7);
    put(&b, object_with(&b, 7, "True"), "still fine");
    CHECK_SV(bench_condition(&b, "Ready"), SV("True Reconciled: still fine"));
    CHECK_SV(
        json_get_str(json_at(bench_kept(&b, "status.conditions"), 0), SV("lastTransitionTime")),
        SV("2020-01-01T00:00:00Z"));
    bench_end(&b);
}

static void only_another_status_is_a_transition(void)
{
    struct worker_bench b = {0};
    struct sv at;

    bench_begin(&b);
    put(&b, object_with(&b, 7, "False"), "fine");
    at = json_get_str(json_at(bench_kept(&b, "status.conditions"), 0), SV("lastTransitionTime"));
    CHECK(at.n && !sv_eq(at, SV("2020-01-01T00:00:00Z")));
    bench_end(&b);
}

SUITE("control/status", TEST(what_is_ready_is_neither_reconciling_nor_stalled),
      TEST(what_waits_is_reconciling_and_what_a_person_must_mend_is_stalled),
      TEST(the_first_complaint_is_the_condition_field_first),
      TEST(a_status_that_is_equal_is_not_written),
      TEST(another_generation_or_message_is_written_and_keeps_the_transition),
      TEST(only_another_status_is_a_transition))
