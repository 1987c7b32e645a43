/* log.c - one JSON object a line. */
#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 4096, END_BYTES = 4 };

static _Atomic int min_level = LOG_INFO;
static _Atomic int out_fd = STDERR_FILENO;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct line {
    size_t n;
    char text[LINE_BYTES];
};

/* All or nothing, so that a line that is too long loses whole characters and whole fields and stays
 * one valid object: END_BYTES are kept for the closing quote, brace and newline. */
static void add_raw(struct line *l, const char *text, size_t n)
{
    if (l->n + n + END_BYTES > sizeof(l->text))
        return;
    memcpy(l->text + l->n, text, n);
    l->n += n;
}

static void add_cstr(struct line *l, const char *text)
{
    add_raw(l, text, strlen(text));
}

/* A byte that is not UTF-8, or a NUL, would make the whole line unreadable: U+FFFD stands there. */
static void add_escaped(struct line *l, struct sv v)
{
    while (v.n) {
        uint32_t c = 0;
        size_t n = sv_utf8(v, &c);
        char code[8];

        if (n == 0 || c == 0) {
            add_cstr(l, "\xef\xbf\xbd");
        } else if (c == '"' || c == '\\') {
            add_raw(l, (const char[]){'\\', (char)c}, 2);
        } else if (c < 0x20 || c == 0x7f) {
            (void)snprintf(code, sizeof(code), "\\u%04x", c);
            add_cstr(l, code);
        } else {
            add_raw(l, v.p, n);
        }
        v = sv_skip(v, n ? n : 1);
    }
}

static void add_pair(struct line *l, const char *key, struct sv value)
{
    size_t before = l->n;
    char head[64];

    (void)snprintf(head, sizeof(head), "%s\"%.50s\":\"", l->n == 1 ? "" : ",", key);
    add_cstr(l, head);
    if (l->n == before)
        return;
    add_escaped(l, value);
    l->text[l->n++] = '"';
}

static void add_field(struct line *l, const struct log_field *f)
{
    char number[64];

    if (f->kind == LOG_FIELD_TEXT) {
        add_pair(l, f->key, f->text);
        return;
    }
    (void)snprintf(number, sizeof(number), ",\"%.30s\":%" PRId64, f->key, f->number);
    add_cstr(l, number);
}

static void add_time(struct line *l)
{
    struct timespec t = {0};
    struct tm parts = {0};
    char text[96];

    (void)clock_gettime(CLOCK_REALTIME, &t);
    (void)gmtime_r(&t.tv_sec, &parts);
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                   parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                   (int)(t.tv_nsec / 1000000));
    add_pair(l, "ts", sv_from(text));
}

void log_fields(enum log_level level, const char *logger, const char *msg,
                const struct log_field *fields)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    struct line l = {.n = 1, .text = "{"};

    if ((int)level < atomic_load_explicit(&min_level, memory_order_relaxed))
        return;
    add_time(&l);
    add_pair(&l, "level", sv_from(levels[level]));
    add_pair(&l, "logger", sv_from(logger));
    add_pair(&l, "msg", sv_from(msg));
    for (; fields->key; fields++)
        add_field(&l, fields);
    l.text[l.n++] = '}';
    l.text[l.n++] = '\n';
    (void)pthread_mutex_lock(&lock);
    if (write(atomic_load(&out_fd), l.text, l.n) < 0) {
        /* Nobody is left to tell. */
    }
    (void)pthread_mutex_unlock(&lock);
}

void log_set_level(enum log_level level)
{
    atomic_store(&min_level, (int)level);
}

void log_set_fd(int fd)
{
    atomic_store(&out_fd, fd);
}
