/* yaml.c - YAML documents as JSON values with the line of each, on libyaml. */
#include "wire/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/limits.h"

struct yaml_line {
    struct sv path;
    int line;
};
struct yaml_lines VEC(struct yaml_line);

struct reading {
    yaml_parser_t parser;
    struct arena *arena;
    struct yaml_lines lines;
    size_t nodes, path_bytes;
    int depth;
};

static bool wrong(const yaml_event_t *event, struct err *e, const char *what)
{
    return err_set(e, ERR_INVALID, "line %zu: %s", event->start_mark.line + 1, what);
}

static void delete_event(void *event)
{
    yaml_event_delete(event);
}

/* The next event; it lives until the arena ends. */
static bool next(struct reading *r, yaml_event_t **out, struct err *e)
{
    yaml_event_t *event = arena_new(r->arena, yaml_event_t);

    if (!yaml_parser_parse(&r->parser, event)) {
        (void)err_set(e, ERR_INVALID, "line %zu: not YAML: %s", r->parser.problem_mark.line + 1,
                      r->parser.problem ? r->parser.problem : "unreadable");
        return false;
    }
    arena_defer(r->arena, delete_event, event);
    *out = event;
    return true;
}

static bool is_one_of(struct sv v, const char *const *words)
{
    for (; *words; words++) {
        if (sv_eq(v, sv_from(*words)))
            return true;
    }
    return false;
}

/* What a plain scalar means: the core schema, and yes/no/on/off as Kubernetes' reader has them. */
static struct json *plain(struct arena *a, struct sv v)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", "yes", "Yes",
                                        "YES",  "on",   "On",   "ON",  NULL};
    static const char *const falses[] = {"false", "False", "FALSE", "no",  "No",
                                         "NO",    "off",   "Off",   "OFF", NULL};
    struct json *number = NULL;
    struct err ignored = {0};

    if (is_one_of(v, nulls))
        return NULL;
    if (is_one_of(v, trues))
        return json_new_bool(a, true);
    if (is_one_of(v, falses))
        return json_new_bool(a, false);
    if (sv_only(v, SV("+-.0123456789eE")) && json_read(v, a, &number, &ignored) &&
        (json_kind(number) == JSON_INT || json_kind(number) == JSON_DOUBLE))
        return number;
    return json_new_str(a, v);
}

/* A core tag says which kind the content must be read as, quoted or not; that is how Kubernetes'
 * reader has it. Any other tag is refused. */
static bool tagged(struct reading *r, const yaml_event_t *event, struct sv v, struct json **out,
                   struct err *e)
{
    static const struct {
        struct sv tag;
        enum json_kind kind, other; /* a number may be whole */
    } core[] = {
        {SV_INIT(YAML_INT_TAG),   JSON_INT,    JSON_INT },
        {SV_INIT(YAML_FLOAT_TAG), JSON_DOUBLE, JSON_INT },
        {SV_INIT(YAML_BOOL_TAG),  JSON_BOOL,   JSON_BOOL},
        {SV_INIT(YAML_NULL_TAG),  JSON_NULL,   JSON_NULL},
    };
    struct sv tag = sv_from((const char *)event->data.scalar.tag);
    struct json *read = plain(r->arena, v);

    if (sv_eq(tag, SV(YAML_STR_TAG)) || sv_eq(tag, SV("!"))) {
        *out = json_new_str(r->arena, v);
        return true;
    }
    for (size_t i = 0; i < sizeof(core) / sizeof(core[0]); i++) {
        if (!sv_eq(tag, core[i].tag))
            continue;
        if (json_kind(read) != core[i].kind && json_kind(read) != core[i].other)
            return wrong(event, e, "a value is not of the kind that its tag says");
        *out = read;
        return true;
    }
    return wrong(event, e, "tags other than the core ones are not taken");
}

static bool scalar(struct reading *r, const yaml_event_t *event, struct json **out, struct err *e)
{
    struct sv v = sv_of((const char *)event->data.scalar.value, event->data.scalar.length);

    if (event->data.scalar.anchor)
        return wrong(event, e, "anchors are not taken");
    if (sv_has_char(v, '\0'))
        return wrong(event, e, "a NUL in a value");
    if (event->data.scalar.tag)
        return tagged(r, event, v, out, e);
    *out = event->data.scalar.plain_implicit ? plain(r->arena, v) : json_new_str(r->arena, v);
    return true;
}

/* Every path is kept whole, so long keys above many values would cost memory by the square. */
static bool afford_path(struct reading *r, const yaml_event_t *event, size_t bytes, struct err *e)
{
    enum { PATH_BYTES = 4 * LIMIT_YAML_BYTES };

    r->path_bytes += bytes;
    return r->path_bytes <= PATH_BYTES ||
           wrong(event, e, "the keys above the values are too long altogether");
}

static bool value(struct reading *r, const yaml_event_t *event, struct sv path, struct json **out,
                  struct err *e);

static bool sequence(struct reading *r, struct sv path, struct json **out, struct err *e)
{
    struct json *list = json_new_array(r->arena);

    for (size_t i = 0;; i++) {
        yaml_event_t *event;
        struct json *item = NULL;

        if (!next(r, &event, e))
            return false;
        if (event->type == YAML_SEQUENCE_END_EVENT)
            break;
        if (!afford_path(r, event, path.n + sizeof("[000000]"), e))
            return false;
        if (!value(r, event, arena_printf(r->arena, SV_FMT "[%zu]", SV_ARG(path), i), &item, e))
            return false;
        json_push(list, item);
    }
    *out = list;
    return true;
}

static bool key_of(const yaml_event_t *event, const struct json *object, struct sv *out,
                   struct err *e)
{
    if (event->type != YAML_SCALAR_EVENT)
        return wrong(event, e, "a key must be text");
    *out = sv_of((const char *)event->data.scalar.value, event->data.scalar.length);
    if (sv_has_char(*out, '\0'))
        return wrong(event, e, "a NUL in a key");
    if (json_has(object, *out))
        return err_set(e, ERR_INVALID, "line %zu: key " SV_FMT " is repeated",
                       event->start_mark.line + 1, SV_ARG(sv_first(*out, 100)));
    return true;
}

/* A key whose event has come, and its value. */
static bool member(struct reading *r, const yaml_event_t *key_event, struct sv path,
                   struct json *object, struct err *e)
{
    struct json *item = NULL;
    struct sv key = {0}, below;
    yaml_event_t *event;

    if (!key_of(key_event, object, &key, e) || !next(r, &event, e) ||
        !afford_path(r, key_event, path.n + key.n, e))
        return false;
    below = path.n ? arena_printf(r->arena, SV_FMT "." SV_FMT, SV_ARG(path), SV_ARG(key)) : key;
    vec_push(&r->lines, r->arena, ((struct yaml_line){below, (int)key_event->start_mark.line + 1}));
    if (!value(r, event, below, &item, e))
        return false;
    json_set(object, key, item);
    return true;
}

static bool mapping(struct reading *r, struct sv path, struct json **out, struct err *e)
{
    struct json *object = json_new_object(r->arena);
    yaml_event_t *event;

    for (;;) {
        if (!next(r, &event, e))
            return false;
        if (event->type == YAML_MAPPING_END_EVENT)
            break;
        if (!member(r, event, path, object, e))
            return false;
    }
    *out = object;
    return true;
}

static bool value(struct reading *r, const yaml_event_t *event, struct sv path, struct json **out,
                  struct err *e)
{
    bool ok;

    if (++r->nodes > LIMIT_YAML_NODES)
        return wrong(event, e, "too many values");
    if (path.n && sv_ends(path, SV("]")))
        vec_push(&r->lines, r->arena, ((struct yaml_line){path, (int)event->start_mark.line + 1}));
    if (event->type == YAML_SCALAR_EVENT)
        return scalar(r, event, out, e);
    if (event->type != YAML_MAPPING_START_EVENT && event->type != YAML_SEQUENCE_START_EVENT)
        return wrong(event, e, "aliases are not taken");
    if ((event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.anchor) ||
        (event->type == YAML_SEQUENCE_START_EVENT && event->data.sequence_start.anchor))
        return wrong(event, e, "anchors are not taken");
    if (++r->depth > LIMIT_JSON_DEPTH)
        return wrong(event, e, "nested too deep");
    ok = event->type == YAML_MAPPING_START_EVENT ? mapping(r, path, out, e)
                                                 : sequence(r, path, out, e);
    r->depth--;
    return ok;
}

static bool document(struct reading *r, struct yaml_docs *out, struct err *e)
{
    struct yaml_doc doc = {0};
    yaml_event_t *event;

    r->lines = (struct yaml_lines){0};
    if (!next(r, &event, e))
        return false;
    doc.line = (int)event->start_mark.line + 1;
    if (!value(r, event, (struct sv){0}, &doc.root, e))
        return false;
    doc.lines = r->lines.p;
    doc.n_lines = r->lines.n;
    if (doc.root)
        vec_push(out, r->arena, doc);
    return true;
}

static void delete_parser(void *parser)
{
    yaml_parser_delete(parser);
}

bool yaml_read(struct sv text, struct arena *a, struct yaml_docs *out, struct err *e)
{
    struct reading *r = arena_new(a, struct reading);
    yaml_event_t *event;

    if (text.n > LIMIT_YAML_BYTES)
        return err_set(e, ERR_INVALID, "%zu bytes of YAML, at most %d", text.n, LIMIT_YAML_BYTES);
    r->arena = a;
    if (!yaml_parser_initialize(&r->parser))
        return err_set(e, ERR_INTERNAL, "no memory for a YAML reader");
    arena_defer(a, delete_parser, &r->parser);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
    do {
        if (!next(r, &event, e))
            return false;
        if (event->type == YAML_DOCUMENT_START_EVENT && !document(r, out, e))
            return false;
    } while (event->type != YAML_STREAM_END_EVENT);
    return true;
}

static int line_at(const struct yaml_doc *doc, struct sv path)
{
    size_t longest = 0;
    int line = doc->line;

    for (size_t i = 0; i < doc->n_lines; i++) {
        struct sv known = doc->lines[i].path;
        bool whole =
            known.n == path.n || (known.n < path.n && sv_has_char(SV(".["), path.p[known.n]));

        if (known.n > longest && whole && sv_starts(path, known)) {
            longest = known.n;
            line = doc->lines[i].line;
        }
    }
    return line;
}

int yaml_line(const struct yaml_doc *doc, struct sv path)
{
    auto_arena a = {0};

    if (!doc->prefix.n)
        return line_at(doc, path);
    return line_at(doc, path.n ? ARENA_JOIN(&a, doc->prefix, SV("."), path) : doc->prefix);
}

/* ---- writing ---- */

static void indent(struct buf *out, int depth)
{
    for (int i = 0; i < depth; i++)
        buf_add(out, SV("  "));
}

static bool is_block(const struct json *v)
{
    return json_count(v) > 0;
}

/* What stands in JSON's strings as it is, but not in YAML's: characters that YAML 1.1 does not take
 * raw, and those that end a line there. Source: YAML 1.1, 5.1 and 5.4. */
static bool needs_escape(uint32_t code)
{
    return (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 || code == 0xfeff ||
           code == 0xfffe || code == 0xffff;
}

/* JSON, in a form that every YAML reader takes: strings always in double quotes. */
static void write_inline(struct buf *out, struct sv json)
{
    uint32_t code = 0;

    for (size_t n; json.n; json = sv_skip(json, n)) {
        n = sv_utf8(json, &code);
        n = n ? n : 1;
        if (needs_escape(code))
            buf_addf(out, "\\u%04x", code);
        else
            buf_add(out, sv_first(json, n));
    }
}

static void write_value(struct buf *out, const struct json *v)
{
    auto_arena a = {0};

    write_inline(out, json_text(&a, v));
    buf_addc(out, '\n');
}

/* A reader looks for the colon on the same line, 1,024 characters far; escapes take up to six. */
enum { SIMPLE_KEY_BYTES = 1024 / 6 - 4 };

static void write_key(struct buf *out, struct sv name, int depth)
{
    auto_arena a = {0};
    struct buf json = buf_new(&a, 6 * name.n + 2);
    bool is_long = name.n > SIMPLE_KEY_BYTES;

    json_write_str(&json, name);
    if (is_long)
        buf_add(out, SV("? "));
    write_inline(out, buf_sv(&json));
    if (is_long) {
        buf_addc(out, '\n');
        indent(out, depth);
    }
}

static void write_at(struct buf *out, const struct json *v, int depth, bool first_inline)
{
    struct sv name;
    struct json *item;

    for (size_t i = 0; i < json_count(v); i++) {
        bool list = json_kind(v) == JSON_ARRAY;

        if (!(first_inline && i == 0))
            indent(out, depth);
        if (list) {
            item = json_at(v, i);
            buf_add(out, SV("- "));
        } else {
            (void)json_member(v, i, &name, &item);
            write_key(out, name, depth);
            buf_add(out, is_block(item) ? SV(":\n") : SV(": "));
        }
        if (!is_block(item))
            write_value(out, item);
        else
            write_at(out, item, depth + 1, list);
    }
}

void yaml_write(struct buf *out, const struct json *v)
{
    if (is_block(v))
        write_at(out, v, 0, false);
    else
        write_value(out, v);
}
