/* record.c - what the audit says of a purge. */
#include "maintain/record.h"

#include "base/vec.h"
#include "wire/json.h"
#include "wire/names.h"
#include "wire/time.h"

/* Levels are kept joined by 0x1F. */
static struct sv dotted(struct sv ns, struct arena *a)
{
    struct sv_vec levels = {0};
    struct sv level;

    while (sv_cut(&ns, '\x1f', &level))
        vec_push(&levels, a, level);
    return names_text(a, levels.p, levels.n);
}

static struct json *details(const struct purge_row *row, const struct purge_done *done,
                            struct arena *a)
{
    struct json *v = json_new_object(a);

    json_set_str(v, a, SV("purge"), row->mark);
    json_set_str(v, a, SV("location"), row->row.location);
    json_set_i64(v, a, SV("attempt"), row->attempts);
    json_set_i64(v, a, SV("deleted"), done->deleted);
    json_set_i64(v, a, SV("foreign"), done->foreign);
    return v;
}

/* The request and the principal are those of the drop: it was decided then. */
struct sv purge_record(const struct purge_row *row, const struct purge_done *done,
                       const struct err *why, struct arena *a)
{
    struct json *v = json_new_object(a);

    json_set_str(v, a, SV("time"), time_text(a, done->now_ms, TIME_MILLISECONDS));
    json_set_str(v, a, SV("requestId"), row->request);
    json_set_str(v, a, SV("principal"), row->principal);
    json_set_str(v, a, SV("operation"), SV("purge-files"));
    json_set_str(v, a, SV("catalog"), done->catalog);
    json_set_str(v, a, SV("namespace"), dotted(row->table.ns, a));
    json_set_str(v, a, SV("table"), row->table.name);
    if (why)
        json_set_str(v, a, SV("reason"), sv_from(why->msg));
    json_set(v, SV("details"), details(row, done, a));
    json_set_str(v, a, SV("result"), why ? SV("unfinished") : SV("done"));
    json_set_str(v, a, SV("decision"), SV("allowed"));
    return json_text(a, v);
}
