/*
 * log.h - structured lines on stderr, one JSON object each.
 *
 *     log_line(LOG_INFO, "serve", "listening", LOG_SV("address", addr), LOG_I64("loops", n));
 *
 * Only control/, serve/ and main.c log; everything below explains itself through `struct err`.
 * Keys: ts, level, logger, msg, then the fields. Any thread may log; a line is one write.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"
#include "base/sv.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log_field {
    const char *key; /* NULL ends the list */
    enum { LOG_FIELD_TEXT, LOG_FIELD_NUMBER } kind;
    struct sv text;
    int64_t number;
};

#define LOG_SV(key, value)  ((struct log_field){(key), LOG_FIELD_TEXT, (value), 0})
#define LOG_STR(key, value) LOG_SV((key), sv_from(value))
#define LOG_I64(key, value) ((struct log_field){(key), LOG_FIELD_NUMBER, {0}, (int64_t)(value)})
#define LOG_ERR(e)          LOG_STR("error", (e)->msg)

#define log_line(level, logger, ...)                         \
    log_fields((level), (logger), LOG_FIRST(__VA_ARGS__, 0), \
               (const struct log_field[]){LOG_REST(__VA_ARGS__, (struct log_field){0})})
#define LOG_FIRST(first, ...) first
#define LOG_REST(first, ...)  __VA_ARGS__

void log_fields(enum log_level level, const char *logger, const char *msg,
                const struct log_field *fields);

/* Lines below this level are dropped; LOG_INFO at the start. */
void log_set_level(enum log_level level);
/* Where lines go: a descriptor, stderr's at the start. For tests. */
void log_set_fd(int fd);

#endif
