/* test_members.c - what requirements and updates must bring along, and what they are told. */
#include "base/limits.h"
#include "unit/iceberg/table.h"

static const struct wrong requirements[] = {
    {"{\"type\":\"assert-table-uuid\"}",                                                   "uuid must be text"                   },
    {"{\"type\":\"assert-table-uuid\",\"uuid\":7}",                                        "uuid must be text"                   },
    {"{\"type\":\"assert-ref-snapshot-id\",\"snapshot-id\":1}",                            "ref must be text"                    },
    {"{\"type\":\"assert-ref-snapshot-id\",\"ref\":\"main\",\"snapshot-id\":\"1\"}",
     "snapshot-id must be a whole number"                                                                                        },
    {"{\"type\":\"assert-ref-snapshot-id\",\"ref\":\"main\",\"snapshot-id\":1.5}",
     "snapshot-id must be a whole number"                                                                                        },
    {"{\"type\":\"assert-last-assigned-field-id\"}",
     "last-assigned-field-id must be a whole number"                                                                             },
    {"{\"type\":\"assert-current-schema-id\",\"current-schema-id\":null}",
     "current-schema-id must be a whole number"                                                                                  },
    {"{\"type\":\"assert-last-assigned-partition-id\",\"last-assigned-partition-id\":[]}",
     "last-assigned-partition-id must be"                                                                                        },
    {"{\"type\":\"assert-default-spec-id\",\"default-spec-id\":true}",
     "default-spec-id must be a whole number"                                                                                    },
    {"{\"type\":\"assert-default-sort-order-id\",\"default-sort-order-id\":{}}",
     "default-sort-order-id must be"                                                                                             },
    {"{\"type\":\"assert-nothing\"}",                                                      "type \"assert-nothing\" is not known"},
    {"{\"type\":7}",                                                                       "type \"\" is not known"              },
    {"{}",                                                                                 "type \"\" is not known"              },
    {"7",                                                                                  "type \"\" is not known"              },
    {"null",                                                                               "type \"\" is not known"              },
    {"[]",                                                                                 "type \"\" is not known"              }
};

static void a_requirement_that_is_no_requirement_is_invalid_and_told_what_it_lacks(void)
{
    for (size_t i = 0; i < sizeof(requirements) / sizeof(requirements[0]); i++) {
        auto_arena a = {0};
        struct err e =
            refusal(table(&a), arena_printf(&a, "[%s]", requirements[i].text).p, "[]", &a);

        check_refused(&e, ERR_INVALID, &requirements[i]);
    }
}

static const struct wrong updates[] = {
    {"{\"action\":\"assign-uuid\"}",                                                                                                                                                                                    "uuid must be text"                       },
    {"{\"action\":\"assign-uuid\",\"uuid\":\"9c12d441-03fe-4693-9a96-a0705ddf69cx\"}",
     "a UUID of 36"                                                                                                                                                                                                                                               },
    {"{\"action\":\"upgrade-format-version\",\"format-version\":\"2\"}",
     "format-version must be a whole number"                                                                                                                                                                                                                      },
    {"{\"action\":\"upgrade-format-version\",\"format-version\":4}",
     "Cannot change format version"                                                                                                                                                                                                                               },
    {"{\"action\":\"add-schema\"}",                                                                                                                                                                                     "schema must be an object"                },
    {"{\"action\":\"add-schema\",\"schema\":[]}",                                                                                                                                                                       "schema must be an object"                },
    {"{\"action\":\"add-schema\",\"schema\":{}}",                                                                                                                                                                       "a struct without a list of fields"       },
    {"{\"action\":\"set-current-schema\"}",                                                                                                                                                                             "schema-id must be a whole number"        },
    {"{\"action\":\"add-spec\",\"spec\":null}",                                                                                                                                                                         "spec must be an object"                  },
    {"{\"action\":\"set-default-spec\",\"spec-id\":\"0\"}",                                                                                                                                                             "spec-id must be a whole number"          },
    {"{\"action\":\"set-default-spec\",\"spec-id\":9223372036854775807}",                                                                                                                                               "there is no such one"                    },
    {"{\"action\":\"add-sort-order\",\"sort-order\":0}",                                                                                                                                                                "sort-order must be an object"            },
    {"{\"action\":\"set-default-sort-order\"}",                                                                                                                                                                         "sort-order-id must be a whole number"    },
    {"{\"action\":\"add-snapshot\",\"snapshot\":\"1\"}",                                                                                                                                                                "snapshot must be an object"              },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"}}}",
     "snapshot-id must be a whole number"                                                                                                                                                                                                                         },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":\"1\",\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"}}}",
     "snapshot-id must be a whole number"                                                                                                                                                                                                                         },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":-1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"}}}",
     "must not be negative"                                                                                                                                                                                                                                       },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"}}}",
     "timestamp-ms must be a whole number"                                                                                                                                                                                                                        },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":-5,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"}}}",
     "must not be negative"                                                                                                                                                                                                                                       },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"sequence-number\":\"1\",\"snapshot-id\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"}}}",
     "sequence-number must be a whole number"                                                                                                                                                                                                                     },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"summary\":{\"operation\":\"append\"}}}",
     "manifest-list must be text"                                                                                                                                                                                                                                 },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":[\"s3://b/t/m\"],\"summary\":{\"operation\":\"append\"}}}",
     "manifest-list must be text"                                                                                                                                                                                                                                 },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\"}}",
     "summary must be an object"                                                                                                                                                                                                                                  },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{}}}",
     "summary.operation must be append"                                                                                                                                                                                                                           },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"merge\"}}}",
     "summary.operation must be append"                                                                                                                                                                                                                           },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\",\"added-files\":1}}}",
     "summary.added-files must be text"                                                                                                                                                                                                                           },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"},\"parent-snapshot-id\":\"7\"}}",
     "parent-snapshot-id must be a whole number"                                                                                                                                                                                                                  },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"},\"schema-id\":9}}",
     "there is no schema 9"                                                                                                                                                                                                                                       },
    {"{\"action\":\"set-snapshot-ref\",\"type\":\"branch\",\"snapshot-id\":1}",
     "ref-name must be text"                                                                                                                                                                                                                                      },
    {"{\"action\":\"set-snapshot-ref\",\"ref-name\":\"main\",\"snapshot-id\":1}",
     "type must be text"                                                                                                                                                                                                                                          },
    {"{\"action\":\"set-snapshot-ref\",\"ref-name\":\"main\",\"type\":\"twig\",\"snapshot-id\":1}",
     "type must be branch or tag, not \"twig\""                                                                                                                                                                                                                   },
    {"{\"action\":\"set-snapshot-ref\",\"ref-name\":\"main\",\"type\":\"branch\"}",
     "snapshot-id must be a whole number"                                                                                                                                                                                                                         },
    {"{\"action\":\"set-snapshot-ref\",\"ref-name\":\"main\",\"type\":\"branch\",\"snapshot-id\":77}",
     "unknown snapshot: 77"                                                                                                                                                                                                                                       },
    {"{\"action\":\"set-snapshot-ref\",\"ref-name\":\"b\",\"type\":\"branch\",\"snapshot-id\":1,\"max-ref-age-ms\":\"1\"}",
     "max-ref-age-ms must be a whole number"                                                                                                                                                                                                                      },
    {"{\"action\":\"remove-snapshots\"}",                                                                                                                                                                               "snapshot-ids must be a list"             },
    {"{\"action\":\"remove-snapshots\",\"snapshot-ids\":[\"1\"]}",                                                                                                                                                      "element 0 is not an integer"             },
    {"{\"action\":\"remove-snapshot-ref\"}",                                                                                                                                                                            "ref-name must be text"                   },
    {"{\"action\":\"set-location\",\"location\":7}",                                                                                                                                                                    "location must be text"                   },
    {"{\"action\":\"set-location\",\"location\":\"///\"}",                                                                                                                                                              "location is required"                    },
    {"{\"action\":\"set-properties\"}",                                                                                                                                                                                 "updates is required"                     },
    {"{\"action\":\"set-properties\",\"updates\":[]}",                                                                                                                                                                  "updates is required"                     },
    {"{\"action\":\"set-properties\",\"updates\":{\"a\":null}}",                                                                                                                                                        "property a must be text"                 },
    {"{\"action\":\"remove-properties\",\"removals\":{\"a\":\"b\"}}",                                                                                                                                                   "removals is required"                    },
    {"{\"action\":\"remove-properties\",\"removals\":[\"a\",1]}",
     "removals must be a list of texts"                                                                                                                                                                                                                           },
    {"{\"action\":\"set-statistics\",\"statistics\":[]}",                                                                                                                                                               "statistics must be an object"            },
    {"{\"action\":\"remove-statistics\"}",                                                                                                                                                                              "snapshot-id must be a whole number"      },
    {"{\"action\":\"set-partition-statistics\"}",                                                                                                                                                                       "partition-statistics must be an object"  },
    {"{\"action\":\"remove-partition-statistics\",\"snapshot-id\":\"1\"}",
     "snapshot-id must be a whole number"                                                                                                                                                                                                                         },
    {"{\"action\":\"remove-partition-specs\",\"spec-ids\":5}",                                                                                                                                                          "spec-ids must be a list"                 },
    {"{\"action\":\"remove-partition-specs\",\"spec-ids\":[{}]}",                                                                                                                                                       "element 0 is not an integer"             },
    {"{\"action\":\"remove-schemas\",\"schema-ids\":[1.5]}",                                                                                                                                                            "element 0 is not an integer"             },
    {"{\"action\":\"add-encryption-key\",\"key-id\":\"k\"}",                                                                                                                                                            "encryption-key must be an object"        },
    {"{\"action\":\"remove-encryption-key\",\"encryption-key\":{\"key-id\":\"k\"}}",
     "key-id must be text"                                                                                                                                                                                                                                        },
    {"{\"action\":\"add-view-version\"}",                                                                                                                                                                               "action \"add-view-version\" is not known"},
    {"{\"action\":\"\"}",                                                                                                                                                                                               "action \"\" is not known"                },
    {"7",                                                                                                                                                                                                               "action \"\" is not known"                },
    {"null",                                                                                                                                                                                                            "action \"\" is not known"                },
    {"{\"action\":[\"add-schema\"]}",                                                                                                                                                                                   "action \"\" is not known"                }
};

static void an_update_that_is_no_update_is_invalid_and_told_what_it_lacks(void)
{
    for (size_t i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
        auto_arena a = {0};
        struct err e = refusal(table(&a), "[]", arena_printf(&a, "[%s]", updates[i].text).p, &a);

        check_refused(&e, ERR_INVALID, &updates[i]);
    }
}

/* Known before any takes effect: the message counts, and names the kind. */
static void a_wrong_update_is_told_with_its_place_and_kind(void)
{
    static const struct wrong w = {"", "updates[1]: set-current-schema: schema-id must be"};
    auto_arena a = {0};
    struct err e = refusal(table(&a), "[]",
                           "[{\"action\":\"set-properties\",\"updates\":{}},"
                           "{\"action\":\"set-current-schema\"}]",
                           &a);

    check_refused(&e, ERR_INVALID, &w);
}

static const struct wrong third[] = {
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"}}}",
     "first-row-id must be a whole number"       },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"},\"first-row-id\":0}}",
     "added-rows is required beside first-row-id"},
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"},\"first-row-id\":-1,\"added-rows\":1}}",
     "must not be negative"                      },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"},\"first-row-id\":0,\"added-rows\":-1}}",
     "must not be negative"                      },
    {"{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/l\",\"summary\":{\"operation\":\"append\"},\"first-row-id\":0,\"added-rows\":1,\"key-id\":7}}",
     "key-id must be text"                       }
};

static void a_snapshot_of_format_3_says_which_rows_it_adds(void)
{
    for (size_t i = 0; i < sizeof(third) / sizeof(third[0]); i++) {
        auto_arena a = {0};
        struct err e = refusal(upgraded(table(&a), "3", &a), "[]",
                               arena_printf(&a, "[%s]", third[i].text).p, &a);

        check_refused(&e, ERR_INVALID, &third[i]);
    }
}

static void rows_behind_a_gap_are_never_given_out_again(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(upgraded(table(&a), "3", &a), "[]",
                "[" SNAPSHOT("1", "1", ",\"first-row-id\":50,\"added-rows\":10") "]", &a,
                &m) == ERR_NONE);
    CHECK_INT(json_i64(json_get(m, SV("next-row-id")), 0), 60);
}

#define REF(more)                                                                                             \
    "[" SNAPSHOT(                                                                                             \
        "1", "1",                                                                                             \
        "") ",{\"action\":\"set-snapshot-ref\",\"ref-name\":\"b\",\"type\":\"branch\",\"snapshot-id\":1" more \
            "}]"

static void a_branch_keeps_a_positive_number_of_snapshots_for_a_positive_time(void)
{
    static const struct {
        const char *updates;
        enum err_code code;
    } rows[] = {
        {REF(",\"min-snapshots-to-keep\":1,\"max-snapshot-age-ms\":1,\"max-ref-age-ms\":1"),
         ERR_NONE                                                                                       },
        {REF(",\"min-snapshots-to-keep\":0"),                                                ERR_INVALID},
        {REF(",\"min-snapshots-to-keep\":2147483648"),                                       ERR_INVALID},
        {REF(",\"max-snapshot-age-ms\":-1"),                                                 ERR_INVALID},
        {REF(",\"max-ref-age-ms\":0"),                                                       ERR_INVALID},
        {REF(",\"max-ref-age-ms\":9223372036854775807"),                                     ERR_NONE   },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena a = {0};
        struct json *m = NULL;

        CHECK_INT(commit(table(&a), "[]", rows[i].updates, &a, &m), rows[i].code);
    }
}

/* A file that we write is one that we read. */
static void no_list_grows_past_what_a_reader_takes(void)
{
    auto_arena a = {0};
    struct json *base = table(&a), *entry = json_new_object(&a), *list = json_new_array(&a);
    static const struct wrong w = {"", "statistics is not what it must be, or too long"};
    struct err e;

    json_set_i64(entry, &a, SV("snapshot-id"), 9);
    for (int i = 0; i < LIMIT_METADATA_ENTRIES; i++)
        json_push(list, entry);
    json_set(base, SV("statistics"), list);
    e = refusal(
        base, "[]",
        "[" SNAPSHOT(
            "1", "1",
            "") ",{\"action\":\"set-statistics\",\"statistics\":{"
                "\"snapshot-id\":1,\"statistics-path\":\"s3://b/t/x\",\"file-size-in-bytes\":1,"
                "\"file-footer-size-in-bytes\":1,\"blob-metadata\":[]}}]",
        &a);
    /* Those of snapshot 9 name a snapshot that is not there, and were not set by this request. */
    check_refused(&e, ERR_INVALID, &w);
}

SUITE("iceberg/members",
      TEST(a_requirement_that_is_no_requirement_is_invalid_and_told_what_it_lacks),
      TEST(an_update_that_is_no_update_is_invalid_and_told_what_it_lacks),
      TEST(a_wrong_update_is_told_with_its_place_and_kind),
      TEST(a_snapshot_of_format_3_says_which_rows_it_adds),
      TEST(rows_behind_a_gap_are_never_given_out_again),
      TEST(a_branch_keeps_a_positive_number_of_snapshots_for_a_positive_time),
      TEST(no_list_grows_past_what_a_reader_takes))
