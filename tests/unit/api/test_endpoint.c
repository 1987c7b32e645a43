/* test_endpoint.c - one store has one identity, however its address is spelt. */
#include "api/endpoint.h"
#include "unit/suite.h"

static struct sv identity(const char *url, struct arena *a)
{
    return endpoint_identity(sv_from(url), a);
}

static void spellings_of_one_address_are_one_store(void)
{
    static const char *const same[][2] = {
        {"http://rgw.example",                             "http://RGW.Example"              },
        {"http://rgw.example",                             "HTTP://rgw.example/"             },
        {"http://rgw.example",                             "http://rgw.example:80"           },
        {"http://rgw.example",                             "http://rgw.example."             },
        {"http://rgw.example",                             "https://rgw.example:443/"        },
        {"https://rgw.example:8443",                       "https://RGW.example.:08443"      },
        {"http://[2001:db8::1]:7480",                      "http://[2001:DB8:0:0::0001]:7480"},
        {"http://[::ffff:10.0.0.1]",                       "http://10.0.0.1"                 },
        {"http://[::ffff:a00:1]",                          "http://10.0.0.1:80"              },
        {"http://10.1",                                    "http://10.0.0.1"                 },
        {"http://0x0a000001",                              "http://10.0.0.1"                 },
        {"http://167772161",                               "http://10.0.0.1"                 },
        {"http://localhost:7480",                          "http://127.0.0.1:7480"           },
        {"http://LocalHost.:7480",                         "http://[::1]:7480"               },
        {"http://127.1:7480",                              "http://localhost:7480"           },
        {"http://127.9.9.9:7480",                          "http://0.0.0.0:7480"             },
        {"http://rgw.localhost:7480",                      "http://[::]:7480"                },
        {"http://[::ffff:127.0.0.1]:1",                    "http://localhost:1"              },
        {"https://s3.eu-west-1.amazonaws.com",             "https://s3.amazonaws.com"        },
        {"https://b.s3.dualstack.us-east-1.amazonaws.com", "https://S3.amazonaws.com:443"    },
    };
    auto_arena a = {0};

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        CHECK(endpoint_is_valid(sv_from(same[i][0])));
        CHECK(endpoint_is_valid(sv_from(same[i][1])));
        CHECK_SV(identity(same[i][0], &a), identity(same[i][1], &a));
    }
}

static void other_addresses_are_other_stores(void)
{
    static const char *const all[] = {"http://rgw",
                                      "http://rgw2",
                                      "http://rgw:7480",
                                      "http://rgw:7481",
                                      "http://10.0.0.1",
                                      "http://10.0.0.2",
                                      "http://[2001:db8::1]",
                                      "http://[2001:db8::1]:7480",
                                      "http://localhost",
                                      "http://localhost:7480",
                                      "https://s3.amazonaws.com",
                                      "https://s3.cn-north-1.amazonaws.com.cn",
                                      "https://amazonaws.com.evil.example"};
    auto_arena a = {0};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        for (size_t j = 0; j < i; j++)
            CHECK(!sv_eq(identity(all[i], &a), identity(all[j], &a)));
    }
}

static void what_a_client_would_have_to_decode_is_no_address(void)
{
    static const char *const bad[] = {"ftp://x",
                                      "http://",
                                      "http://r%67w",
                                      "http://rgw..",
                                      "http://.rgw",
                                      "http://a..b",
                                      "http://rgw/b",
                                      "http://rgw/?x",
                                      "http://rgw?",
                                      "http://u@rgw",
                                      "http://rgw#x",
                                      "http://rgw:",
                                      "http://rgw:0",
                                      "http://rgw:65536",
                                      "http://[::1",
                                      "http://[::g]",
                                      "http://[1.2.3.4]",
                                      "http://[fe80::1%25eth0]",
                                      "http://r\xc3\xa9w",
                                      ("http://rgw\xef\xbc\x8e"
                                       "example"),
                                      "http://rgw\\x",
                                      "http://rg w",
                                      "rgw",
                                      "//rgw",
                                      ""};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!endpoint_is_valid(sv_from(bad[i])));
}

static void a_region_is_a_part_of_a_host_name_and_nothing_else(void)
{
    static const char *const good[] = {"us-east-1", "default", "us_east", "A", "zone1"};
    static const char *const bad[] = {"",         "-a",  "a-",   "_a", "a.b", "a/b",
                                      "a b",      "a@b", "a:80", "a#", "a?",  "evil.example/",
                                      "\xc3\xa9", "a\n", "a%2e"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CHECK(region_is_valid(sv_from(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!region_is_valid(sv_from(bad[i])));
}

SUITE("api/endpoint", TEST(spellings_of_one_address_are_one_store),
      TEST(other_addresses_are_other_stores),
      TEST(what_a_client_would_have_to_decode_is_no_address),
      TEST(a_region_is_a_part_of_a_host_name_and_nothing_else))
