/* types.c - the types of columns as they are written, and the values that a column may begin with.
 */
#include "iceberg/types.h"

enum { MAX_DIGITS = 38, UUID_CHARS = 36 };

/* ---- as they are written ---- */

/* What stands between "name(" and ")", trimmed. */
static bool inside(struct sv type, struct sv name, const char *brackets, struct sv *out)
{
    struct sv rest = sv_trim(sv_skip(type, name.n));

    if (!sv_starts(type, name) || rest.n < 2 || rest.p[0] != brackets[0] ||
        rest.p[rest.n - 1] != brackets[1])
        return false;
    *out = sv_trim(sv_first(sv_skip(rest, 1), rest.n - 2));
    return true;
}

bool type_decimal(struct sv type, int64_t *precision, int64_t *scale)
{
    struct sv rest, part;

    return inside(type, SV("decimal"), "()", &rest) && sv_cut(&rest, ',', &part) &&
           sv_i64(sv_trim(part), precision) && sv_i64(sv_trim(rest), scale) && *precision > 0 &&
           *precision <= MAX_DIGITS && *scale >= 0 && *scale <= *precision;
}

bool type_fixed(struct sv type, int64_t *length)
{
    struct sv text;

    return inside(type, SV("fixed"), "[]", &text) && sv_i64(text, length) && *length > 0 &&
           *length <= INT32_MAX;
}

static bool is_algorithm(struct sv name)
{
    static const char *const known[] = {"spherical", "vincenty", "thomas",
                                        "andoyer",   "karney",   NULL};

    for (const char *const *k = known; *k; k++) {
        if (sv_eq(name, sv_from(*k)))
            return true;
    }
    return false;
}

/* "geometry", "geometry(crs)", "geography", "geography(crs)", "geography(crs, algorithm)". */
static bool is_geo(struct sv type)
{
    struct sv rest, crs;

    if (sv_eq(type, SV("geometry")) || sv_eq(type, SV("geography")))
        return true;
    if (inside(type, SV("geometry"), "()", &rest))
        return rest.n && !sv_has_char(rest, ',') && !sv_has_char(rest, ')');
    if (!inside(type, SV("geography"), "()", &rest) || sv_has_char(rest, ')'))
        return false;
    (void)sv_cut(&rest, ',', &crs);
    return sv_trim(crs).n && (!rest.n || is_algorithm(sv_trim(rest)));
}

/* ---- values ---- */

typedef bool value_fn(const struct json *v);

static bool is_bool(const struct json *v)
{
    return json_kind(v) == JSON_BOOL;
}

static bool is_int(const struct json *v)
{
    int64_t n = json_i64(v, INT64_MAX);

    return n >= INT32_MIN && n <= INT32_MAX;
}

static bool is_long(const struct json *v)
{
    return json_kind(v) == JSON_INT;
}

static bool is_number(const struct json *v)
{
    return json_kind(v) == JSON_INT || json_kind(v) == JSON_DOUBLE;
}

static bool is_text(const struct json *v)
{
    return json_kind(v) == JSON_STRING;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct sv skip_digits(struct sv text)
{
    while (text.n && is_digit(text.p[0]))
        text = sv_skip(text, 1);
    return text;
}

/* '0' stands for a digit, '*' for as many as there are; all else for itself. */
static bool looks_like(struct sv text, const char *form)
{
    for (; *form; form++) {
        if (*form == '*') {
            text = skip_digits(text);
            continue;
        }
        if (!text.n || (*form == '0' ? !is_digit(text.p[0]) : text.p[0] != *form))
            return false;
        text = sv_skip(text, 1);
    }
    return text.n == 0;
}

static bool any_form(const struct json *v, const char *const *forms)
{
    for (; *forms; forms++) {
        if (looks_like(json_str(v, (struct sv){0}), *forms))
            return true;
    }
    return false;
}

static bool is_date(const struct json *v)
{
    static const char *const forms[] = {"0000-00-00", NULL};

    return any_form(v, forms);
}

#define CLOCK "00:00:00"
#define DAY   "0000-00-00T"

static bool is_time(const struct json *v)
{
    static const char *const forms[] = {"00:00", CLOCK, CLOCK ".0*", NULL};

    return any_form(v, forms);
}

static bool is_moment(const struct json *v)
{
    static const char *const forms[] = {DAY "00:00", DAY CLOCK, DAY CLOCK ".0*", NULL};

    return any_form(v, forms);
}

static bool is_moment_of_zone(const struct json *v)
{
    static const char *const forms[] = {DAY "00:00+00:00",     DAY CLOCK "+00:00",
                                        DAY CLOCK ".0*+00:00", DAY "00:00-00:00",
                                        DAY CLOCK "-00:00",    DAY CLOCK ".0*-00:00",
                                        DAY "00:00Z",          DAY CLOCK "Z",
                                        DAY CLOCK ".0*Z",      NULL};

    return any_form(v, forms);
}

#define HEX_DIGITS "0123456789abcdefABCDEF"

bool text_is_uuid(struct sv text)
{
    struct sv part;

    if (text.n != UUID_CHARS)
        return false;
    for (int i = 0; i < 5 && sv_cut(&text, '-', &part); i++) {
        static const size_t lengths[] = {8, 4, 4, 4, 12};

        if (part.n != lengths[i] || !sv_only(part, SV(HEX_DIGITS)))
            return false;
    }
    return text.n == 0;
}

static bool is_uuid(const struct json *v)
{
    return text_is_uuid(json_str(v, (struct sv){0}));
}

static bool is_hex(const struct json *v)
{
    struct sv text = json_str(v, SV("?"));

    return text.n % 2 == 0 && sv_only(text, SV(HEX_DIGITS));
}

static const struct {
    struct sv name;
    int format;
    value_fn *takes; /* NULL: no default but null */
} primitives[] = {
    {SV_INIT("boolean"),        1, is_bool          },
    {SV_INIT("int"),            1, is_int           },
    {SV_INIT("long"),           1, is_long          },
    {SV_INIT("float"),          1, is_number        },
    {SV_INIT("double"),         1, is_number        },
    {SV_INIT("date"),           1, is_date          },
    {SV_INIT("time"),           1, is_time          },
    {SV_INIT("timestamp"),      1, is_moment        },
    {SV_INIT("timestamptz"),    1, is_moment_of_zone},
    {SV_INIT("string"),         1, is_text          },
    {SV_INIT("uuid"),           1, is_uuid          },
    {SV_INIT("binary"),         1, is_hex           },
    {SV_INIT("timestamp_ns"),   3, is_moment        },
    {SV_INIT("timestamptz_ns"), 3, is_moment_of_zone},
    {SV_INIT("unknown"),        3, NULL             },
    {SV_INIT("variant"),        3, NULL             },
};

bool type_is_primitive(struct sv type, int *needs_format)
{
    int64_t ignored, too;

    for (size_t i = 0; i < sizeof(primitives) / sizeof(primitives[0]); i++) {
        if (sv_eq(type, primitives[i].name)) {
            *needs_format = primitives[i].format;
            return true;
        }
    }
    *needs_format = is_geo(type) ? 3 : 1;
    return *needs_format == 3 || type_fixed(type, &ignored) || type_decimal(type, &ignored, &too);
}

/* "14.20" for a scale of 2. */
static bool is_decimal(const struct json *v, int64_t precision, int64_t scale)
{
    struct sv text = json_str(v, (struct sv){0}), whole;
    size_t digits;

    if (text.n && text.p[0] == '-')
        text = sv_skip(text, 1);
    digits = text.n - (size_t)sv_has_char(text, '.');
    (void)sv_cut(&text, '.', &whole);
    return whole.n && sv_only(whole, SV("0123456789")) && sv_only(text, SV("0123456789")) &&
           text.n == (size_t)scale &&
           (digits <= (size_t)precision || (digits == (size_t)precision + 1 && whole.p[0] == '0'));
}

static bool primitive_takes(struct sv type, const struct json *value)
{
    int64_t precision = 0, scale = 0;

    for (size_t i = 0; i < sizeof(primitives) / sizeof(primitives[0]); i++) {
        if (sv_eq(type, primitives[i].name))
            return primitives[i].takes && primitives[i].takes(value);
    }
    if (type_decimal(type, &precision, &scale))
        return is_decimal(value, precision, scale);
    return type_fixed(type, &precision) && is_hex(value) &&
           json_str(value, (struct sv){0}).n == 2 * (size_t)precision;
}

static bool all_taken(const struct json *type, const struct json *values)
{
    for (size_t i = 0; i < json_count(values); i++) {
        if (json_at(values, i) && !type_takes(type, json_at(values, i)))
            return false;
    }
    return json_kind(values) == JSON_ARRAY;
}

/* A struct's default names its fields by id; a map's has keys and values of one length. */
bool type_takes(const struct json *type, const struct json *value)
{
    struct sv name = json_get_str(type, SV("type"));
    const struct json *keys = json_get(value, SV("keys")), *values = json_get(value, SV("values"));

    if (json_kind(type) != JSON_OBJECT)
        return primitive_takes(json_str(type, (struct sv){0}), value);
    if (sv_eq(name, SV("list")))
        return all_taken(json_get(type, SV("element")), value);
    if (sv_eq(name, SV("map")))
        return all_taken(json_get(type, SV("key")), keys) &&
               all_taken(json_get(type, SV("value")), values) &&
               json_count(keys) == json_count(values);
    return json_kind(value) == JSON_OBJECT;
}
