/* test_audit.c - a sink that does not keep up: what waits is bounded, and nothing is lost silently.
 */
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "serve/audit.h"
#include "unit/suite.h"

enum { REFUSALS = 1000, PIPE_BYTES = 64 * 1024 };

/* What came out of the sink. */
struct reading {
    int fd;
    long lines;
    bool said; /* how many refusals had no room */
};

static void take_line(struct reading *r, struct sv line)
{
    r->lines++;
    r->said = r->said || sv_contains(line, SV("\"details\":{\"refusals\":1000},"));
}

static void *read_all(void *argument)
{
    struct reading *r = argument;
    auto_arena a = {0};
    struct buf text = buf_new(&a, 1 << 28);
    struct sv rest, line;
    char piece[PIPE_BYTES];
    ssize_t n;

    while ((n = read(r->fd, piece, sizeof(piece))) > 0)
        buf_add(&text, sv_of(piece, (size_t)n));
    rest = buf_sv(&text);
    while (sv_cut(&rest, '\n', &line) && line.n)
        take_line(r, line);
    return NULL;
}

/* A pipe that nobody reads yet. */
static struct audit *start(struct arena *a, int *pipe_out)
{
    struct audit_options o = {.world = &world_os};
    struct audit *audit = NULL;
    struct err e = {0};
    int ends[2];

    NEED(pipe(ends) == 0);
    vec_push(&o.sinks, a, arena_printf(a, "file:/dev/fd/%d", ends[1]));
    NEED_OK(audit_start(&o, a, &audit, &e), &e);
    (void)close(ends[1]);
    *pipe_out = ends[0];
    return audit;
}

/* As many as find room, once the sink takes no more: what is waiting then goes on waiting. Returns
 * how many there are. */
static long fill(struct audit *audit, int pipe)
{
    long written = 0;
    int in_pipe = 0;

    while (audit_has_room(audit) || in_pipe < PIPE_BYTES - 4096) {
        if (audit_has_room(audit)) {
            audit_write(audit, 1, SV("{\"decision\":\"denied\"}"));
            written++;
        }
        NEED(ioctl(pipe, FIONREAD, &in_pipe) == 0);
    }
    return written;
}

static void refusals_of_the_unknown_are_counted_where_there_is_no_room(void)
{
    auto_arena a = {0};
    struct reading r = {0};
    struct audit *audit = start(&a, &r.fd);
    long written = fill(audit, r.fd);
    pthread_t thread;

    for (int i = 0; i < REFUSALS; i++)
        audit_write_refusal(audit, 1, SV("{\"decision\":\"denied\"}"));
    NEED(pthread_create(&thread, NULL, read_all, &r) == 0);
    audit_stop(audit);
    (void)pthread_join(thread, NULL);
    (void)close(r.fd);
    CHECK(r.said);
    CHECK_INT(r.lines, written + 1);
}

static void a_refusal_with_room_is_a_record_like_any(void)
{
    auto_arena a = {0};
    struct reading r = {0};
    struct audit *audit = start(&a, &r.fd);

    audit_write_refusal(audit, 1, SV("{\"decision\":\"denied\"}"));
    audit_stop(audit);
    (void)read_all(&r);
    (void)close(r.fd);
    CHECK_INT(r.lines, 1);
    CHECK(!r.said);
}

/* 100,000 of the longest would be 100 GB: it is their bytes that count. */
static void what_waits_is_bounded_by_its_bytes(void)
{
    auto_arena a = {0};
    struct reading r = {0};
    struct audit *audit = start(&a, &r.fd);
    struct buf line = buf_new(&a, AUDIT_RECORD_BYTES);
    pthread_t thread;
    long written = 0;

    buf_add(&line, SV("{\"reason\":\""));
    while (line.n < 500 * 1000)
        buf_add(&line, SV("0123456789"));
    buf_add(&line, SV("\"}"));
    for (; audit_has_room(audit); written++)
        audit_write(audit, 1, buf_sv(&line));
    /* Beside those there may be some on their way into the pipe. */
    CHECK((size_t)written * line.n < LIMIT_AUDIT_BYTES + 4 * (size_t)AUDIT_RECORD_BYTES);
    NEED(pthread_create(&thread, NULL, read_all, &r) == 0);
    audit_stop(audit);
    (void)pthread_join(thread, NULL);
    (void)close(r.fd);
    CHECK_INT(r.lines, written);
}

SUITE("serve/audit", TEST(refusals_of_the_unknown_are_counted_where_there_is_no_room),
      TEST(what_waits_is_bounded_by_its_bytes), TEST(a_refusal_with_room_is_a_record_like_any))
