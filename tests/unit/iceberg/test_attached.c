/* test_attached.c - what hangs on snapshots: statistics and encryption keys. */
#include "unit/iceberg/table.h"

static struct json *with_snapshot(struct arena *a)
{
    struct json *m = NULL;

    NEED(commit(table(a), "[]", "[" SNAPSHOT("1", "1", "") "," MAIN("1") "]", a, &m) == ERR_NONE);
    return m;
}

static size_t count(const struct json *m, const char *list)
{
    return json_count(json_get(m, sv_from(list)));
}

static const struct wrong no_statistics[] = {
    {"{\"action\":\"set-statistics\",\"statistics\":{\"statistics-path\":\"s3://b/t/s\",\"file-size-in-bytes\":1,\"file-footer-size-in-bytes\":1,\"blob-metadata\":[]}}",
     "snapshot-id must be"                        },
    {"{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":1,\"file-size-in-bytes\":1,\"file-footer-size-in-bytes\":1,\"blob-metadata\":[]}}",
     "statistics-path must be"                    },
    {"{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":1,\"statistics-path\":\"s3://b/t/s\",\"file-footer-size-in-bytes\":1,\"blob-metadata\":[]}}",
     "file-size-in-bytes must be"                 },
    {"{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":1,\"statistics-path\":\"s3://b/t/s\",\"file-size-in-bytes\":1,\"blob-metadata\":[]}}",
     "file-footer-size-in-bytes must be"          },
    {"{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":1,\"statistics-path\":\"s3://b/t/s\",\"file-size-in-bytes\":1,\"file-footer-size-in-bytes\":1}}",
     "blob-metadata must be"                      },
    {"{\"action\":\"set-partition-statistics\",\"partition-statistics\":{\"statistics-path\":\"s3://b/t/s\",\"file-size-in-bytes\":1}}",
     "snapshot-id must be"                        },
    {"{\"action\":\"set-partition-statistics\",\"partition-statistics\":{\"snapshot-id\":1,\"file-size-in-bytes\":1}}",
     "statistics-path must be"                    },
    {"{\"action\":\"set-partition-statistics\",\"partition-statistics\":{\"snapshot-id\":1,\"statistics-path\":\"s3://b/t/s\"}}",
     "file-size-in-bytes must be"                 },
    {"{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":1,\"statistics-path\":\"\",\"file-size-in-bytes\":1,\"file-footer-size-in-bytes\":1,\"blob-metadata\":[]}}",
     "statistics-path is required"                },
    {"{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":-1,\"statistics-path\":\"s3://b/t/s\",\"file-size-in-bytes\":1,\"file-footer-size-in-bytes\":1,\"blob-metadata\":[]}}",
     "must not be negative"                       },
    {"{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":1,\"statistics-path\":\"s3://b/t/s\",\"file-size-in-bytes\":1,\"file-footer-size-in-bytes\":1,\"blob-metadata\":[]},\"snapshot-id\":2}",
     "snapshot-id is not that of the statistics"  },
    {"{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":2,\"statistics-path\":\"s3://b/t/s\",\"file-size-in-bytes\":1,\"file-footer-size-in-bytes\":1,\"blob-metadata\":[]}}",
     "statistics of unknown snapshot: 2"          },
    {"{\"action\":\"set-partition-statistics\",\"partition-statistics\":{\"snapshot-id\":2,\"statistics-path\":\"s3://b/t/s\",\"file-size-in-bytes\":1}}",
     "partition-statistics of unknown snapshot: 2"},
    {"{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":1,\"statistics-path\":\"s3://b/t/s\",\"file-size-in-bytes\":1,\"file-footer-size-in-bytes\":1,\"blob-metadata\":{}}}",
     "blob-metadata must be a list"               },
    {"{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":1,\"statistics-path\":\"s3://b/t/s\",\"file-size-in-bytes\":\"1\",\"file-footer-size-in-bytes\":1,\"blob-metadata\":[]}}",
     "file-size-in-bytes must be a whole number"  }
};

static void statistics_are_complete_and_of_a_snapshot_that_is_there(void)
{
    for (size_t i = 0; i < sizeof(no_statistics) / sizeof(no_statistics[0]); i++) {
        auto_arena a = {0};
        struct err e =
            refusal(with_snapshot(&a), "[]", arena_printf(&a, "[%s]", no_statistics[i].text).p, &a);

        check_refused(&e, ERR_INVALID, &no_statistics[i]);
    }
}

#define OF(id)                                                           \
    "{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":" id \
    ",\"statistics-path\":\"s3://b/t/s\","                               \
    "\"file-size-in-bytes\":1,\"file-footer-size-in-bytes\":1,\"blob-metadata\":[]}}"
#define GONE(id) "{\"action\":\"remove-snapshots\",\"snapshot-ids\":[" id "]}"

static void statistics_may_come_before_their_snapshot_and_go_with_it(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(with_snapshot(&a), "[]", "[" OF("2") "," SNAPSHOT("2", "2", "") "]", &a, &m) ==
         ERR_NONE);
    CHECK_INT(count(m, "statistics"), 1);
    NEED(commit(m, "[]", "[" OF("1") "," GONE("1") "]", &a, &m) == ERR_NONE);
    CHECK_INT(count(m, "statistics"), 1);
    CHECK_INT(commit(m, "[]", "[" GONE("2") "," OF("2") "]", &a, &m), ERR_INVALID);
}

/* What another writer left there is none of a request's that does not touch it. */
static void statistics_of_an_absent_snapshot_that_were_there_stay(void)
{
    auto_arena a = {0};
    struct json *base = with_snapshot(&a), *m = NULL;

    json_set(base, SV("statistics"), json("[{\"snapshot-id\":99,\"statistics-path\":\"x\"}]", &a));
    NEED(commit(base, "[]", "[" OF("1") "]", &a, &m) == ERR_NONE);
    CHECK_INT(count(m, "statistics"), 2);
}

static void a_snapshot_has_one_entry_of_statistics(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(with_snapshot(&a), "[]", "[" OF("1") "," OF("1") "]", &a, &m) == ERR_NONE);
    CHECK_INT(count(m, "statistics"), 1);
    NEED(commit(m, "[]", "[{\"action\":\"remove-statistics\",\"snapshot-id\":1}]", &a, &m) ==
         ERR_NONE);
    CHECK_INT(count(m, "statistics"), 0);
}

/* ---- encryption keys ---- */

#define ADD_KEY(id)                                                           \
    "{\"action\":\"add-encryption-key\",\"encryption-key\":{\"key-id\":\"" id \
    "\",\"encrypted-key-metadata\":\"c2VjcmV0\"}}"
#define REMOVE_KEY(id) "{\"action\":\"remove-encryption-key\",\"key-id\":\"" id "\"}"

static const struct wrong no_keys[] = {
    {"{\"action\":\"add-encryption-key\",\"encryption-key\":{\"key-id\":\"\",\"encrypted-key-metadata\":\"c2VjcmV0\"}}",
     "key-id must not be empty"           },
    {"{\"action\":\"add-encryption-key\",\"encryption-key\":{\"key-id\":\"k\"}}",
     "encrypted-key-metadata must be text"},
    {"{\"action\":\"add-encryption-key\",\"encryption-key\":{\"encrypted-key-metadata\":\"c2VjcmV0\"}}",
     "key-id must be text"                },
    {"{\"action\":\"add-encryption-key\",\"encryption-key\":{\"key-id\":\"k\",\"encrypted-key-metadata\":\"no base64!\"}}",
     "encrypted-key-metadata"             },
    {"{\"action\":\"add-encryption-key\",\"encryption-key\":{\"key-id\":\"k\",\"encrypted-key-metadata\":\"c2VjcmV0\",\"encrypted-by-id\":7}}",
     "encrypted-by-id must be text"       },
    {"{\"action\":\"add-encryption-key\",\"encryption-key\":{\"key-id\":\"k\",\"encrypted-key-metadata\":\"c2VjcmV0\",\"properties\":[]}}",
     "properties must be an object"       }
};

static void a_key_is_complete(void)
{
    for (size_t i = 0; i < sizeof(no_keys) / sizeof(no_keys[0]); i++) {
        auto_arena a = {0};
        struct err e = refusal(upgraded(table(&a), "3", &a), "[]",
                               arena_printf(&a, "[%s]", no_keys[i].text).p, &a);

        check_refused(&e, ERR_INVALID, &no_keys[i]);
    }
}

static void a_key_is_added_once_and_removing_an_absent_one_changes_nothing(void)
{
    auto_arena a = {0};
    struct json *m = upgraded(table(&a), "3", &a);

    NEED(commit(m, "[]", "[" ADD_KEY("k") "," ADD_KEY("k") "," REMOVE_KEY("j") "]", &a, &m) ==
         ERR_NONE);
    CHECK_INT(count(m, "encryption-keys"), 1);
    NEED(commit(m, "[]", "[" REMOVE_KEY("k") "]", &a, &m) == ERR_NONE);
    CHECK_INT(count(m, "encryption-keys"), 0);
}

#define UNDER_KEY SNAPSHOT("1", "1", ",\"first-row-id\":0,\"added-rows\":1,\"key-id\":\"k\"")

static void a_key_that_a_snapshot_needs_stays(void)
{
    auto_arena a = {0};
    struct json *m = NULL, *next = NULL;

    NEED(commit(upgraded(table(&a), "3", &a), "[]", "[" ADD_KEY("k") "," UNDER_KEY "]", &a, &m) ==
         ERR_NONE);
    CHECK_INT(commit(m, "[]", "[" REMOVE_KEY("k") "]", &a, &next), ERR_INVALID);
    CHECK_INT(commit(m, "[]", "[" REMOVE_KEY("k") "," GONE("1") "]", &a, &next), ERR_NONE);
}

SUITE("iceberg/attached", TEST(statistics_are_complete_and_of_a_snapshot_that_is_there),
      TEST(statistics_may_come_before_their_snapshot_and_go_with_it),
      TEST(statistics_of_an_absent_snapshot_that_were_there_stay),
      TEST(a_snapshot_has_one_entry_of_statistics), TEST(a_key_is_complete),
      TEST(a_key_is_added_once_and_removing_an_absent_one_changes_nothing),
      TEST(a_key_that_a_snapshot_needs_stays))
