/* properties.c - the properties of a table by which we write its metadata files. */
#include "iceberg/inside.h"

typedef bool value_fn(struct sv value);

static bool is_count(struct sv value)
{
    int64_t n;

    return sv_i64(value, &n) && n > 0;
}

static bool is_boolean(struct sv value)
{
    return sv_eq_nocase(value, SV("true")) || sv_eq_nocase(value, SV("false"));
}

static bool is_codec(struct sv value)
{
    return sv_eq_nocase(value, SV("none")) || sv_eq_nocase(value, SV("gzip"));
}

static const struct {
    struct sv name;
    value_fn *is_good;
    const char *must;
} properties[] = {
    {SV_INIT("write.metadata.previous-versions-max"),       is_count,   "a number from 1"},
    {SV_INIT("write.metadata.delete-after-commit.enabled"), is_boolean, "true or false"  },
    {SV_INIT("write.metadata.compression-codec"),           is_codec,   "none or gzip"   },
};

bool property_check(struct sv name, struct sv value, struct err *e)
{
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        if (sv_eq(name, properties[i].name) && !properties[i].is_good(value))
            return err_set(e, ERR_INVALID, "property " SV_FMT " must be %s, not \"" SV_FMT "\"",
                           SV_ARG(name), properties[i].must, SV_ARG(sv_first(value, 60)));
    }
    return true;
}
