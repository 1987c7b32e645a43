/* config.c - the options of a command as one YAML file, checked whole. */
#include "base/limits.h"
#include "kube/file.h"
#include "options.h"
#include "wire/yaml.h"

struct config {
    struct options *options;
    const char *command;
    struct arena *arena;
    struct sv file;
    const struct yaml_doc *doc;
    struct buf *faults;
    size_t n_faults;
};

static void say(struct config *c, int line, struct sv name, const char *what)
{
    buf_addf(c->faults, SV_FMT ":%d: " SV_FMT "%s%s\n", SV_ARG(c->file), line, SV_ARG(name),
             name.n ? ": " : "", what);
    c->n_faults++;
}

/* The value as the command line would have it; false with what is wrong. */
static bool text_of(struct config *c, const struct option *o, const struct json *v, struct sv *out,
                    struct err *e)
{
    if (json_kind(v) == JSON_NULL)
        return err_set(e, ERR_INVALID, "has no value");
    if (json_kind(v) == JSON_STRING)
        *out = json_str(v, (struct sv){0});
    else if (option_takes_number(o))
        *out = json_text(c->arena, v);
    else if (json_kind(v) == JSON_ARRAY)
        return err_set(e, ERR_INVALID, "must be one text, not a list");
    else
        return err_set(e, ERR_INVALID, "must be a text; put it in quotes");
    return out->n ? option_check(o, *out, e) : err_set(e, ERR_INVALID, "is empty");
}

static void take(struct config *c, const struct option *o, struct sv name, const struct json *v,
                 int line)
{
    struct sv text = {0};
    struct err e = {0};

    if (!text_of(c, o, v, &text, &e))
        say(c, line, name, e.msg);
    else if (!option_is_given(o, c->options))
        option_set(o, text, c->arena, c->options);
}

static void take_member(struct config *c, struct sv name, const struct json *v)
{
    const struct option *o = option_named(ARENA_JOIN(c->arena, SV("--"), name), c->command);

    /* A file that names another would have to say which of them counts. */
    if (!o || sv_eq(name, SV("config")))
        say(c, yaml_line(c->doc, name), name, "there is no such option; see frontdesk --help");
    else if (!option_takes_list(o) || json_kind(v) != JSON_ARRAY)
        take(c, o, name, v, yaml_line(c->doc, name));
    for (size_t i = 0; o && option_takes_list(o) && i < json_count(v); i++)
        take(c, o, name, json_at(v, i),
             yaml_line(c->doc, arena_indexed(c->arena, name, i, (struct sv){0})));
}

static void check_pair(struct config *c)
{
    const struct options *o = c->options;
    struct sv there = o->tls_cert.n ? SV("tls-cert") : SV("tls-key");

    if (!o->tls_cert.n != !o->tls_key.n && json_has(c->doc->root, there))
        say(c, yaml_line(c->doc, there), there,
            o->tls_cert.n ? "goes together with tls-key" : "goes together with tls-cert");
}

static void take_all(struct config *c, const struct yaml_docs *docs)
{
    struct json *value;
    struct sv name;

    if (docs->n > 1) {
        say(c, docs->p[1].line, (struct sv){0}, "one document only");
        return;
    }
    if (docs->n == 0)
        return;
    c->doc = &docs->p[0];
    if (json_kind(c->doc->root) != JSON_OBJECT) {
        say(c, c->doc->line, (struct sv){0}, "must be a list of options, NAME: VALUE");
        return;
    }
    for (size_t i = 0; json_member(c->doc->root, i, &name, &value); i++)
        take_member(c, name, value);
    check_pair(c);
}

/* The reader's "line 7: why". */
static void say_unreadable(struct config *c, const struct err *e)
{
    struct sv text = sv_from(e->msg), number;
    int64_t line;

    if (sv_starts(text, SV("line ")) && sv_cut(&text, ':', &number) &&
        sv_i64(sv_skip(number, sizeof("line ") - 1), &line))
        say(c, (int)line, (struct sv){0}, arena_cstr(c->arena, sv_trim(text)));
    else
        say(c, 1, (struct sv){0}, e->msg);
}

bool config_read(struct options *o, const char *command, struct arena *a, struct buf *faults)
{
    struct config c = {
        .options = o, .command = command, .arena = a, .file = o->config, .faults = faults};
    struct yaml_docs docs = {0};
    struct sv text = {0};
    struct err e = {0};

    if (!file_read(o->config, LIMIT_YAML_BYTES, a, &text, &e)) {
        buf_addf(faults, "frontdesk: --config: %s\n", e.msg);
        return false;
    }
    if (yaml_read(text, a, &docs, &e))
        take_all(&c, &docs);
    else
        say_unreadable(&c, &e);
    return c.n_faults == 0;
}
