/* test_purge.c - what the answers of a store and of its token service make of a purge. */
#include "fakes/api_server.h"
#include "maintain/purge.h"
#include "unit/suite.h"

#define ANSWER(status, body)                                                               \
    {                                                                                      \
        "HTTP/1.1 " status "\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n" body, \
            FAKE_CLOSE, 0                                                                  \
    }
#define KEYS                                                                                 \
    ANSWER("200 OK",                                                                         \
           "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>K</AccessKeyId>" \
           "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"              \
           "<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"  \
           "</AssumeRoleResponse>")
#define ERROR(code) "<Error><Code>" code "</Code></Error>"
/* With members of its one snapshot. */
#define METADATA(snapshot)                                                                   \
    ANSWER("200 OK",                                                                         \
           "{\"format-version\":2,\"table-uuid\":\"9c12d441-03fe-4693-9a96-a0705ddf69c1\","  \
           "\"location\":\"s3://bkt/t\",\"last-sequence-number\":0,\"last-updated-ms\":1,"   \
           "\"last-column-id\":1,\"current-schema-id\":0,\"schemas\":[{\"type\":\"struct\"," \
           "\"schema-id\":0,\"fields\":[]}],\"default-spec-id\":0,\"partition-specs\":[{"    \
           "\"spec-id\":0,\"fields\":[]}],\"last-partition-id\":999,\"sort-orders\":[{"      \
           "\"order-id\":0,\"fields\":[]}],\"default-sort-order-id\":0,\"snapshots\":[{"     \
           "\"snapshot-id\":1,\"timestamp-ms\":1," snapshot "}]}")

static const struct table_row row = {SV_INIT("9c12d441-03fe-4693-9a96-a0705ddf69c1"),
                                     SV_INIT("s3://bkt/t/metadata/00000-x.metadata.json"),
                                     SV_INIT("s3://bkt/t/"),
                                     {0},
                                     {0}};

/* `context` counts how often it is asked. */
static bool always(void *context, UNUSED struct err *e)
{
    ++*(int *)context;
    return true;
}

static bool never(UNUSED void *context)
{
    return false;
}

/* What becomes of a purge of `table` at a store of that script, and how often it asks whether it
 * may go on. */
static enum err_code purge_table(const struct table_row *table, const struct fake_reply *replies,
                                 size_t n, int *asked, struct err *e)
{
    static struct fake_server server;
    auto_arena a = {.wipe = true};
    struct rule_integration store = {.name = SV("store"), .session_name = SV("{principal}")};
    const struct rule_catalog catalog = {.name = SV("c"), .integration = &store};
    struct objects_place place = {.world = &world_os,
                                  .catalog = &catalog,
                                  .folders = {{SV("bkt"), SV("t/")}},
                                  .n_folders = 1,
                                  .words = {.principal = SV("frontdesk")},
                                  .go_on = always,
                                  .has_changed = never,
                                  .context = asked};
    enum err_code code;

    fake_start(&server, replies, n);
    place.http = http_multi_new(&a);
    store.target = (struct target){
        .provider = provider_find(PROVIDER_CEPH_RGW),
        .bucket = SV("bkt"),
        .region = SV("us-east-1"),
        .endpoint = arena_printf(&a, "http://127.0.0.1:%d", server.port),
        .path_style = true,
        .sts_region = SV("us-east-1"),
        .role_arn = SV("arn:aws:iam:::role/r"),
        .own = {.access_key_id = SV("OWN"), .secret_access_key = secret_of(SV("own"))}
    };
    store.target.sts_endpoint = store.target.endpoint;
    *e = (struct err){0};
    code = purge_files(objects_new(&place, &a), table, e) ? ERR_NONE : e->code;
    fake_stop(&server);
    return code;
}

static enum err_code purge_asking(const struct fake_reply *replies, size_t n, int *asked,
                                  struct err *e)
{
    return purge_table(&row, replies, n, asked, e);
}

static enum err_code purge(const struct fake_reply *replies, size_t n, struct err *e)
{
    int asked = 0;

    return purge_asking(replies, n, &asked, e);
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void a_table_whose_metadata_file_the_store_does_not_have_is_purged(void)
{
    static const struct fake_reply gone[] = {KEYS, ANSWER("404 Not Found", ERROR("NoSuchKey"))};
    static const struct fake_reply listed[] = {
        KEYS, ANSWER("403 Forbidden", ERROR("AccessDenied")),
        ANSWER("200 OK", "<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>")};
    struct err e;

    CHECK_INT(purge(gone, COUNT(gone), &e), ERR_NONE);
    CHECK_INT(purge(listed, COUNT(listed), &e), ERR_NONE);
}

/* It names what is deleted, and lies where vended credentials can write. */
static void a_metadata_file_that_is_not_what_was_committed_stops_a_purge(void)
{
    static const struct fake_reply script[] = {KEYS, METADATA("\"manifests\":[]")};
    struct table_row other_bytes = row, other_uuid = row, other_place = row;
    const struct table_row *tables[] = {&other_bytes, &other_uuid, &other_place};
    struct err e;
    int asked = 0;

    other_bytes.metadata_sha256 = SV("0f");
    other_uuid.uuid = SV("00000000-03fe-4693-9a96-a0705ddf69c1");
    other_place.location = SV("s3://bkt/t/inner/");
    for (size_t i = 0; i < COUNT(tables); i++) {
        CHECK_INT(purge_table(tables[i], script, COUNT(script), &asked, &e), ERR_DENIED);
        CHECK(sv_contains(sv_from(e.msg), SV("tampering: its")));
    }
}

static void a_role_that_is_gone_stops_a_purge(void)
{
    static const struct fake_reply script[] = {ANSWER("404 Not Found", ERROR("NoSuchEntity"))};
    struct err e;

    CHECK_INT(purge(script, 1, &e), ERR_UNAVAILABLE);
    CHECK(sv_contains(sv_from(e.msg), SV("token service")));
}

/* A proxy whose store is away, and a store that is another one. */
static void a_404_that_is_not_said_of_the_file_stops_a_purge(void)
{
    static const struct fake_reply proxy[] = {KEYS,
                                              ANSWER("404 Not Found", "default backend - 404")};
    static const struct fake_reply another[] = {KEYS,
                                                ANSWER("404 Not Found", ERROR("NoSuchBucket"))};
    struct err e;

    CHECK_INT(purge(proxy, 2, &e), ERR_UNAVAILABLE);
    CHECK_INT(purge(another, 2, &e), ERR_UNAVAILABLE);
    CHECK(sv_contains(sv_from(e.msg), SV("NoSuchBucket")));
}

static void a_list_that_is_none_does_not_say_that_a_file_is_gone(void)
{
    static const struct fake_reply script[] = {KEYS, ANSWER("403 Forbidden", ERROR("AccessDenied")),
                                               ANSWER("200 OK", "<html>sign in</html>")};
    struct err e;

    CHECK_INT(purge(script, 3, &e), ERR_DENIED);
}

static void a_file_whose_deletion_is_answered_by_nobody_is_not_deleted(void)
{
    static const struct fake_reply proxy[] = {KEYS, METADATA("\"manifests\":[]"),
                                              ANSWER("404 Not Found", "default backend - 404")};
    static const struct fake_reply gone[] = {KEYS, METADATA("\"manifests\":[]"),
                                             ANSWER("404 Not Found", ERROR("NoSuchKey"))};
    struct err e;

    CHECK_INT(purge(proxy, 3, &e), ERR_UNAVAILABLE);
    CHECK_INT(purge(gone, 3, &e), ERR_NONE);
}

/* ---- a manifest that says much ---- */

enum { ENTRIES = 300 * 1000, LEAST_ASKED = 250 };

static void add_long(struct buf *out, uint64_t n)
{
    for (n <<= 1; n > 0x7f; n >>= 7)
        buf_addc(out, (char)((n & 0x7f) | 0x80));
    buf_addc(out, (char)n);
}

static void add_text(struct buf *out, struct sv v)
{
    add_long(out, v.n);
    buf_add(out, v);
}

/* One foreign file, again and again. */
static struct sv manifest(struct arena *a)
{
    static const struct sv sync = SV_INIT("0123456789abcdef");
    struct buf out = buf_new(a, 64 << 20), block = buf_new(a, 64 << 20);

    for (int i = 0; i < ENTRIES; i++)
        add_text(&block, SV("s3://other/f"));
    buf_add(&out, SV("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nObj\x01"));
    add_long(&out, 1);
    add_text(&out, SV("avro.schema"));
    add_text(&out, SV("{\"type\":\"record\",\"name\":\"e\",\"fields\":[{\"name\":\"p\","
                      "\"type\":\"string\",\"field-id\":100}]}"));
    add_long(&out, 0);
    buf_add(&out, sync);
    add_long(&out, ENTRIES);
    add_text(&out, buf_sv(&block));
    buf_add(&out, sync);
    return buf_sv(&out);
}

static void a_manifest_of_many_files_that_are_passed_over_may_be_broken_off(void)
{
    auto_arena a = {0};
    const struct sv bytes = manifest(&a);
    const struct fake_reply replies[] = {
        KEYS,
        METADATA("\"manifests\":[\"s3://bkt/t/metadata/m.avro\"]"),
        {bytes.p, FAKE_CLOSE, bytes.n},
        ANSWER("204 No Content", ""),
        ANSWER("204 No Content", "")
    };
    struct err e;
    int asked = 0;

    CHECK_INT(purge_asking(replies, COUNT(replies), &asked, &e), ERR_NONE);
    CHECK(asked > LEAST_ASKED);
}

SUITE("maintain/purge", TEST(a_table_whose_metadata_file_the_store_does_not_have_is_purged),
      TEST(a_metadata_file_that_is_not_what_was_committed_stops_a_purge),
      TEST(a_role_that_is_gone_stops_a_purge),
      TEST(a_404_that_is_not_said_of_the_file_stops_a_purge),
      TEST(a_list_that_is_none_does_not_say_that_a_file_is_gone),
      TEST(a_file_whose_deletion_is_answered_by_nobody_is_not_deleted),
      TEST(a_manifest_of_many_files_that_are_passed_over_may_be_broken_off))
