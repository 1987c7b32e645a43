/* test_schema.c - which schemas there are: types as they are written, ids, names, defaults, and
 * what identifies a row. */
#include "unit/iceberg/table.h"

static const char
    *const
        sound[] =
            {
                "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"boolean\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"int\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"long\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"float\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"double\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"date\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"time\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamp\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamptz\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"string\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"uuid\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"binary\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamp_ns\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamptz_ns\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"unknown\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"variant\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geometry\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geometry(OGC:CRS84)\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geography\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geography(OGC:CRS84)\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geography(OGC:CRS84, karney)\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed[16]\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed[ 1 ]\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(38, 38)\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(1,0)\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal( 9 , 2 )\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":2147483447,\"name\":\"c\",\"required\":false,\"type\":\"int\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":true,\"type\":\"int\"}],\"identifier-field-ids\":[1]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"s\",\"required\":true,\"type\":{\"type\":\"struct\",\"fields\":[{\"id\":2,\"name\":\"d\",\"required\":true,\"type\":\"int\"}]}},{\"id\":3,\"name\":\"e\",\"required\":true,\"type\":\"int\"}],\"identifier-field-ids\":[2,3]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"int\"}],\"identifier-field-ids\":[]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"boolean\",\"initial-default\":false,\"write-default\":false}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"int\",\"initial-default\":-2147483648,\"write-default\":-2147483648}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"long\",\"initial-default\":9223372036854775807,\"write-default\":9223372036854775807}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"float\",\"initial-default\":1.5,\"write-default\":1.5}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"double\",\"initial-default\":1,\"write-default\":1}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"date\",\"initial-default\":\"2017-11-16\",\"write-default\":\"2017-11-16\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"time\",\"initial-default\":\"22:31:08.123456\",\"write-default\":\"22:31:08.123456\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamp\",\"initial-default\":\"2017-11-16T22:31:08.123456\",\"write-default\":\"2017-11-16T22:31:08.123456\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamptz\",\"initial-default\":\"2017-11-16T22:31:08.123456+00:00\",\"write-default\":\"2017-11-16T22:31:08.123456+00:00\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamp_ns\",\"initial-default\":\"2017-11-16T22:31:08.123456789\",\"write-default\":\"2017-11-16T22:31:08.123456789\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamptz_ns\",\"initial-default\":\"2017-11-16T22:31:08.123456789+00:00\",\"write-default\":\"2017-11-16T22:31:08.123456789+00:00\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"string\",\"initial-default\":\"\",\"write-default\":\"\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"uuid\",\"initial-default\":\"f79c3e09-677c-4bbd-a479-3f349cb785e7\",\"write-default\":\"f79c3e09-677c-4bbd-a479-3f349cb785e7\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"binary\",\"initial-default\":\"00Ff\",\"write-default\":\"00Ff\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed[2]\",\"initial-default\":\"00ff\",\"write-default\":\"00ff\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(4,2)\",\"initial-default\":\"-14.20\",\"write-default\":\"-14.20\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(2,2)\",\"initial-default\":\"0.20\",\"write-default\":\"0.20\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(9,0)\",\"initial-default\":\"14\",\"write-default\":\"14\"}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":{\"type\":\"list\",\"element-id\":2,\"element\":\"int\",\"element-required\":false},\"initial-default\":[1,2],\"write-default\":[1,2]}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":{\"type\":\"map\",\"key-id\":2,\"key\":\"string\",\"value-id\":3,\"value\":\"int\",\"value-required\":false},\"initial-default\":{\"keys\":[\"a\"],\"values\":[1]},\"write-default\":{\"keys\":[\"a\"],\"values\":[1]}}]}}", "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":{\"type\":\"struct\",\"fields\":[{\"id\":2,\"name\":\"d\",\"required\":false,\"type\":\"int\"}]},\"initial-default\":{},\"write-default\":{}}]}}"};

static void every_type_of_the_format_is_taken_with_a_default_of_its_own(void)
{
    for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
        auto_arena a = {0};
        static const struct wrong nothing = {"", ""};
        struct err e =
            refusal(upgraded(table(&a), "3", &a), "[]", arena_printf(&a, "[%s]", sound[i]).p, &a);

        check_refused(&e, ERR_NONE, &nothing);
    }
}

static const struct
    wrong
        unsound
            [] =
                {
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"Long\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"integer\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"varchar(3)\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed[]\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed[0]\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed[-1]\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed[x]\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed(3)\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed[3\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed[99999999999]\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal()\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(9)\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(39, 0)\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(0, 0)\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(9, 10)\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(9, -1)\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(9, 2\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal[9, 2]\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geometryx\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geometry()\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geometry(a,b)\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geography(a, flat)\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geography(,karney)\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamp_ms\"}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":7}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":true}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":null}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":[]}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":{}}]}}",
                     "the type of c is not known"                                                                                                                                                                                                                                                                                                                  },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":{\"type\":\"set\"}}]}}",                                                                                                                                                "the type of c is not known"             },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"type\":\"int\"}]}}",
                     "required must be true or false"                                                                                                                                                                                                                                                                                                              },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":\"false\",\"type\":\"int\"}]}}",
                     "required must be true or false"                                                                                                                                                                                                                                                                                                              },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"l\",\"required\":false,\"type\":{\"type\":\"list\",\"element-id\":2,\"element\":\"int\"}}]}}",
                     "element-required must be true or false"                                                                                                                                                                                                                                                                                                      },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"m\",\"required\":false,\"type\":{\"type\":\"map\",\"key-id\":2,\"key\":\"int\",\"value-id\":3,\"value\":\"int\"}}]}}",
                     "value-required must be true or false"                                                                                                                                                                                                                                                                                                        },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":2147483448,\"name\":\"c\",\"required\":false,\"type\":\"int\"}]}}",
                     "must be a number from 1 to 2147483447"                                                                                                                                                                                                                                                                                                       },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":-1,\"name\":\"c\",\"required\":false,\"type\":\"int\"}]}}",
                     "must be a number from"                                                                                                                                                                                                                                                                                                                       },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"int\"},{\"id\":1,\"name\":\"d\",\"required\":false,\"type\":\"int\"}]}}",
                     "field id 1 is used twice"                                                                                                                                                                                                                                                                                                                    },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"d\",\"required\":false,\"type\":\"int\"}]}}]}}",
                     "field id 1 is used twice"                                                                                                                                                                                                                                                                                                                    },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"m\",\"required\":false,\"type\":{\"type\":\"map\",\"key-id\":2,\"key\":\"int\",\"value-id\":2,\"value\":\"int\",\"value-required\":true}}]}}",
                     "field id 2 is used twice"                                                                                                                                                                                                                                                                                                                    },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"int\"},{\"id\":2,\"name\":\"c\",\"required\":false,\"type\":\"int\"}]}}",
                     "a field without a name of its own"                                                                                                                                                                                                                                                                                                           },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"\",\"required\":false,\"type\":\"int\"}]}}",
                     "a field without a name of its own"                                                                                                                                                                                                                                                                                                           },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"u\",\"required\":true,\"type\":\"unknown\"}]}}",
                     "must not be required"                                                                                                                                                                                                                                                                                                                        },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"l\",\"required\":false,\"type\":{\"type\":\"list\",\"element-id\":2,\"element\":\"unknown\",\"element-required\":true}}]}}",
                     "must not be required"                                                                                                                                                                                                                                                                                                                        },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":true,\"type\":\"int\"}],\"identifier-field-ids\":[2]}}",
                     "identifier field 2 does not exist"                                                                                                                                                                                                                                                                                                           },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":true,\"type\":\"int\"}],\"identifier-field-ids\":{\"1\":1}}}",
                     "identifier-field-ids must be a list"                                                                                                                                                                                                                                                                                                         },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"int\"}],\"identifier-field-ids\":[1]}}",
                     "identifier field 1 must be required"                                                                                                                                                                                                                                                                                                         },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":true,\"type\":\"double\"}],\"identifier-field-ids\":[1]}}",
                     "identifier field 1 must be required"                                                                                                                                                                                                                                                                                                         },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":true,\"type\":\"float\"}],\"identifier-field-ids\":[1]}}",
                     "identifier field 1 must be required"                                                                                                                                                                                                                                                                                                         },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"s\",\"required\":true,\"type\":{\"type\":\"struct\",\"fields\":[{\"id\":2,\"name\":\"d\",\"required\":true,\"type\":\"int\"}]}}],\"identifier-field-ids\":[1]}}",
                     "identifier field 1 must be required"                                                                                                                                                                                                                                                                                                         },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"s\",\"required\":false,\"type\":{\"type\":\"struct\",\"fields\":[{\"id\":2,\"name\":\"d\",\"required\":true,\"type\":\"int\"}]}}],\"identifier-field-ids\":[2]}}",
                     "identifier field 2 must be required"                                                                                                                                                                                                                                                                                                         },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"l\",\"required\":true,\"type\":{\"type\":\"list\",\"element-id\":2,\"element\":\"int\",\"element-required\":true}}],\"identifier-field-ids\":[2]}}",
                     "identifier field 2 must be required"                                                                                                                                                                                                                                                                                                         },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"boolean\",\"initial-default\":\"false\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"int\",\"initial-default\":2147483648}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"int\",\"initial-default\":1.5}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"long\",\"initial-default\":\"1\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"float\",\"initial-default\":\"1.5\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"date\",\"initial-default\":\"2017-11\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"date\",\"initial-default\":17486}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"time\",\"initial-default\":\"22\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamp\",\"initial-default\":\"2017-11-16\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamp\",\"initial-default\":\"2017-11-16T22:31:08.1+00:00\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamptz\",\"initial-default\":\"2017-11-16T22:31:08\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"string\",\"initial-default\":7}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"uuid\",\"initial-default\":\"f79c3e09677c4bbda4793f349cb785e7\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"uuid\",\"initial-default\":\"f79c3e09-677c-4bbd-a479-3f349cb785eg\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"binary\",\"initial-default\":\"0\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"binary\",\"initial-default\":\"zz\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"fixed[2]\",\"initial-default\":\"00\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(4,2)\",\"initial-default\":\"14.2\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(4,2)\",\"initial-default\":\"142.00\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"decimal(4,2)\",\"initial-default\":14.2}]}}",                                                                                                                         "initial-default is no value of its type"},
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"unknown\",\"initial-default\":1}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"variant\",\"initial-default\":1}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geometry\",\"initial-default\":\"POINT (0 0)\"}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":{\"type\":\"list\",\"element-id\":2,\"element\":\"int\",\"element-required\":false},\"initial-default\":[\"a\"]}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":{\"type\":\"map\",\"key-id\":2,\"key\":\"string\",\"value-id\":3,\"value\":\"int\",\"value-required\":false},\"initial-default\":{\"keys\":[\"a\"],\"values\":[]}}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":{\"type\":\"struct\",\"fields\":[{\"id\":2,\"name\":\"d\",\"required\":false,\"type\":\"int\"}]},\"initial-default\":[]}]}}",
                     "initial-default is no value of its type"                                                                                                                                                                                                                                                                                                     },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"boolean\",\"write-default\":\"false\"}]}}",
                     "write-default is no value of its type"                                                                                                                                                                                                                                                                                                       },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"int\",\"write-default\":2147483648}]}}",
                     "write-default is no value of its type"                                                                                                                                                                                                                                                                                                       },
                    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"int\",\"write-default\":1.5}]}}",
                     "write-default is no value of its type"                                                                                                                                                                                                                                                                                                       }
};

static void a_schema_that_readers_cannot_read_is_refused_by_name_of_its_field(void)
{
    for (size_t i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++) {
        auto_arena a = {0};
        struct err e = refusal(upgraded(table(&a), "3", &a), "[]",
                               arena_printf(&a, "[%s]", unsound[i].text).p, &a);

        check_refused(&e, ERR_INVALID, &unsound[i]);
    }
}

static const struct wrong too_new[] = {
    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamp_ns\"}]}}",
     "is not supported until v3"                 },
    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"timestamptz_ns\"}]}}",
     "is not supported until v3"                 },
    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"unknown\"}]}}",
     "is not supported until v3"                 },
    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"variant\"}]}}",
     "is not supported until v3"                 },
    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geometry\"}]}}",
     "is not supported until v3"                 },
    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"geography(OGC:CRS84)\"}]}}",
     "is not supported until v3"                 },
    {"{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"c\",\"required\":false,\"type\":\"int\",\"initial-default\":1}]}}",
     "non-null default is not supported until v3"}
};

static void what_came_with_format_3_is_not_taken_before(void)
{
    for (size_t i = 0; i < sizeof(too_new) / sizeof(too_new[0]); i++) {
        auto_arena a = {0};
        struct err e = refusal(table(&a), "[]", arena_printf(&a, "[%s]", too_new[i].text).p, &a);

        check_refused(&e, ERR_INVALID, &too_new[i]);
    }
}

/* ---- while there is data ---- */

#define HELD "{\"id\":1,\"name\":\"a\",\"required\":true,\"type\":\"long\"}"
#define STRUCT(fields)                                                                       \
    "{\"id\":2,\"name\":\"s\",\"required\":false,\"type\":{\"type\":\"struct\",\"fields\":[" \
    "{\"id\":4,\"name\":\"x\",\"required\":false,\"type\":\"int\"}" fields "]}}"
#define LAST "{\"id\":3,\"name\":\"b\",\"required\":false,\"type\":\"string\"}"
#define NEW(required, more) \
    "{\"id\":9,\"name\":\"n\",\"required\":" required ",\"type\":\"int\"" more "}"
#define SCHEMA(fields) \
    "[{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[" fields "]}}]"

static struct json *with_data(struct arena *a)
{
    struct json *m = NULL;

    NEED(commit(upgraded(table(a), "3", a), "[]",
                "[" SNAPSHOT("1", "1", ",\"first-row-id\":0,\"added-rows\":1") "," MAIN("1") "]", a,
                &m) == ERR_NONE);
    return m;
}

static void a_new_required_column_says_what_older_rows_have(void)
{
    static const struct {
        const char *updates;
        enum err_code code;
    } rows[] = {
        {SCHEMA(HELD "," STRUCT("") "," LAST "," NEW("false", "")),                       ERR_NONE   },
        {SCHEMA(HELD "," STRUCT("") "," LAST "," NEW("true",  "")),                       ERR_INVALID},
        {SCHEMA(HELD "," STRUCT("") "," LAST "," NEW("true",  ",\"initial-default\":7")), ERR_NONE   },
        {SCHEMA(HELD "," STRUCT("," NEW("true",               "")) "," LAST),             ERR_INVALID},
        {SCHEMA(HELD "," STRUCT(
             "") "," LAST
                 ",{\"id\":8,\"name\":\"t\",\"required\":false,\"type\":{\"type\":\"struct\",\"fields\":[" NEW(
                     "true",                         "") "]}}"),
         ERR_NONE                                                                                    },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena a = {0};
        struct json *m = NULL;

        CHECK_INT(commit(with_data(&a), "[]", rows[i].updates, &a, &m), rows[i].code);
        CHECK_INT(commit(upgraded(table(&a), "3", &a), "[]", rows[i].updates, &a, &m), ERR_NONE);
    }
}

static void what_older_rows_have_does_not_change(void)
{
    auto_arena a = {0};
    struct json *m = NULL, *next = NULL;

    NEED(commit(with_data(&a), "[]",
                SCHEMA(HELD "," STRUCT("") "," LAST "," NEW("true", ",\"initial-default\":7")), &a,
                &m) == ERR_NONE);
    CHECK_INT(commit(m, "[]",
                     SCHEMA(HELD "," STRUCT("") "," LAST "," NEW("true", ",\"initial-default\":8")),
                     &a, &next),
              ERR_INVALID);
    CHECK_INT(commit(m, "[]", SCHEMA(HELD "," STRUCT("") "," LAST "," NEW("false", "")), &a, &next),
              ERR_INVALID);
    CHECK_INT(commit(m, "[]",
                     SCHEMA(HELD "," STRUCT("") "," LAST "," NEW(
                         "true", ",\"initial-default\":7,\"write-default\":8")),
                     &a, &next),
              ERR_NONE);
}

SUITE("iceberg/schema", TEST(every_type_of_the_format_is_taken_with_a_default_of_its_own),
      TEST(a_schema_that_readers_cannot_read_is_refused_by_name_of_its_field),
      TEST(what_came_with_format_3_is_not_taken_before),
      TEST(a_new_required_column_says_what_older_rows_have),
      TEST(what_older_rows_have_does_not_change))
