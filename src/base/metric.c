/* metric.c - per-thread cells, linked once and summed at scrape. */
#include "base/metric.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Only the owning thread writes its cells; relaxed atomics make the reader's sum well defined. */
struct cells {
    struct cells *next;
    _Atomic int64_t value[METRIC_COUNT];
};

static struct cells *_Atomic all;
static _Thread_local struct cells *mine;

static struct cells *my_cells(void)
{
    if (!mine) {
        mine = calloc(1, sizeof(*mine));
        if (!mine)
            abort();
        mine->next = atomic_load(&all);
        while (!atomic_compare_exchange_weak(&all, &mine->next, mine))
            continue;
    }
    return mine;
}

void metric_add(enum metric m, int64_t n)
{
    _Atomic int64_t *cell = &my_cells()->value[m];
    int64_t was = atomic_load_explicit(cell, memory_order_relaxed);

    atomic_store_explicit(cell, was + n, memory_order_relaxed);
}

void metric_set(enum metric m, int64_t value)
{
    atomic_store_explicit(&my_cells()->value[m], value, memory_order_relaxed);
}

int64_t metric_read(enum metric m)
{
    int64_t sum = 0;

    for (struct cells *c = atomic_load(&all); c; c = c->next)
        sum += atomic_load_explicit(&c->value[m], memory_order_relaxed);
    return sum;
}

void metric_write(struct buf *out)
{
    static const struct {
        const char *type, *name, *labels, *help;
    } rows[] = {
#define X(constant, type, name, labels, help) {type, name, labels, help},
        METRICS(X)
#undef X
    };

    for (int m = 0; m < METRIC_COUNT; m++) {
        if (m == 0 || strcmp(rows[m].name, rows[m - 1].name) != 0)
            buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[m].name, rows[m].help, rows[m].name,
                     rows[m].type);
        buf_addf(out, "%s%s%s%s %" PRId64 "\n", rows[m].name, rows[m].labels[0] ? "{" : "",
                 rows[m].labels, rows[m].labels[0] ? "}" : "", metric_read((enum metric)m));
    }
}
