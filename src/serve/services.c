/* services.c - the token services of integrations. */
#include "serve/services.h"

#include "base/limits.h"

enum { SILENT_MS = 60 * 1000 };

static void drop(struct service *s)
{
    struct arena last = s->arena;

    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    arena_done(&last);
}

/* Those of which nothing is to be remembered go. */
static struct service *find(struct services *all, struct sv name, int64_t now_ms)
{
    struct service *found = NULL;

    for (struct service *s = all->first, *next; s; s = next) {
        next = s->next;
        if (sv_eq(s->name, name))
            found = s;
        else if (s->in_flight == 0 && s->silent_until_ms <= now_ms)
            drop(s);
    }
    return found;
}

static struct service *add(struct services *all, struct sv name)
{
    struct arena own = {0};
    struct service *s = arena_new(&own, struct service);

    s->name = arena_dup(&own, name);
    s->arena = own;
    s->next = all->first;
    s->link = &all->first;
    if (s->next)
        s->next->link = &s->next;
    all->first = s;
    return s;
}

struct service *services_begin(struct services *all, struct sv name, int64_t now_ms, struct err *e)
{
    struct service *s = find(all, name, now_ms);

    if (s && s->silent_until_ms > now_ms && s->in_flight > 0) {
        (void)err_set(e, ERR_UNAVAILABLE,
                      "the token service did not answer and is being asked again; try later");
        return NULL;
    }
    if ((s ? s->in_flight : 0) >= LIMIT_MINTS_IN_FLIGHT - all->in_flight) {
        (void)err_set(e, ERR_BUSY,
                      "too many credentials of this integration are being obtained; try again");
        return NULL;
    }
    if (!s)
        s = add(all, name);
    s->in_flight++;
    all->in_flight++;
    return s;
}

void services_end(struct services *all, struct service *s)
{
    s->in_flight--;
    all->in_flight--;
}

void service_answered(struct service *s)
{
    s->silent_until_ms = 0;
}

void service_was_silent(struct service *s, int64_t now_ms)
{
    s->silent_until_ms = now_ms + SILENT_MS;
}

void services_done(struct services *all)
{
    while (all->first)
        drop(all->first);
}
