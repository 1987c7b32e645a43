/* test_avro.c - containers: chosen members are read, traps are not. */
#include "base/buf.h"
#include "base/limits.h"
#include "unit/suite.h"
#include "wire/avro.h"

#define SYNC                  "0123456789abcdef"
#define RECORD(fields)        "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" fields "]}"
#define FIELD(name, id, type) "{\"name\":\"" name "\",\"field-id\":" id ",\"type\":" type "}"
#define PATH                  FIELD("path", "100", "\"string\"")

static void add_long(struct buf *b, int64_t v)
{
    uint64_t n = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);

    for (; n > 0x7f; n >>= 7)
        buf_addc(b, (char)(n | 0x80));
    buf_addc(b, (char)n);
}

static void add_text(struct buf *b, struct sv v)
{
    add_long(b, (int64_t)v.n);
    buf_add(b, v);
}

/* A container of one block. */
static struct sv container(const char *schema, const char *codec, int64_t count, struct sv block,
                           struct arena *a)
{
    struct buf b = buf_new(a, (size_t)2 * LIMIT_AVRO_BLOCK_BYTES);

    buf_add(&b, SV("Obj\x01"));
    add_long(&b, codec ? 2 : 1);
    add_text(&b, SV("avro.schema"));
    add_text(&b, sv_from(schema));
    if (codec) {
        add_text(&b, SV("avro.codec"));
        add_text(&b, sv_from(codec));
    }
    add_long(&b, 0);
    buf_add(&b, SV(SYNC));
    add_long(&b, count);
    add_text(&b, block);
    buf_add(&b, SV(SYNC));
    return buf_sv(&b);
}

struct found {
    int64_t records, sum;
    char text[64];
};

static bool on_record(const struct avro_member *m, void *context, UNUSED struct err *e)
{
    struct found *f = context;

    f->records++;
    (void)snprintf(f->text, sizeof(f->text), SV_FMT "%s", SV_ARG(m[0].text),
                   m[0].is_there ? "" : "(none)");
    f->sum += m[1].number;
    return true;
}

static enum err_code each(struct sv file, struct found *out)
{
    struct avro_member members[] = {{.id = 100}, {.id = 7}};
    struct found ignored = {0};
    struct err e = {0};

    return avro_each(file, &(struct avro_ask){members, 2, on_record, out ? out : &ignored}, &e)
               ? ERR_NONE
               : e.code;
}

/* One record of one block. */
static enum err_code read(const char *schema, struct sv record, struct found *out)
{
    auto_arena a = {0};

    return each(container(schema, NULL, 1, record, &a), out);
}

static void members_are_found_by_their_ids_wherever_they_stand(void)
{
    struct found f = {0};

    CHECK_INT(read(RECORD(FIELD("n", "7", "\"long\"") "," FIELD(
                       "inner", "2", "{\"type\":\"record\",\"name\":\"s\",\"fields\":[" PATH "]}")),
                   SV("\x54\x06"
                      "abc"),
                   &f),
              ERR_NONE);
    CHECK_INT(f.sum, 42);
    CHECK_SV(sv_from(f.text), SV("abc"));
}

static void what_nobody_asks_for_is_passed_over(void)
{
    static const char everything[] =
        RECORD(FIELD("a", "1", "\"null\"") "," FIELD("b", "2", "\"boolean\"") "," FIELD(
            "c", "3", "\"double\"") "," FIELD("d", "4", "\"float\"") "," FIELD("e", "5",
                                                                               "\"bytes\"") "," FIELD("f", "6", "{\"type\":\"fixed\",\"name\":\"x\",\"size\":3}") "," FIELD("g", "8", "{\"type\":\"enum\",\"name\":\"y\",\"symbols\":[\"a\",\"b\"]}") "," FIELD("h", "9", "{\"type\":\"array\",\"items\":\"int\"}") "," FIELD("i", "10",
                                                                                                                                                                                                                                                                                                                              "{\"type\":\"map\",\"values\":[\"null\",\"string\"]}") "," FIELD("j",
                                                                                                                                                                                                                                                                                                                                                                                               "11",
                                                                                                                                                                                                                                                                                                                                                                                               "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}") "," FIELD("k",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "12",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "\"y\"") "," PATH);
    /* The array is in two blocks, one with its size; the map in one. */
    static const struct sv bytes = SV_INIT("\x01"
                                           "12345678"
                                           "1234"
                                           "\x02z"
                                           "xyz"
                                           "\x02"
                                           "\x02\x08\x03\x04\x02\x04\x00"
                                           "\x04\x02p\x00\x02q\x02\x02r\x00"
                                           "\x08"
                                           "\x00"
                                           "\x02!");
    struct found f = {0};

    CHECK_INT(read(everything, bytes, &f), ERR_NONE);
    CHECK_SV(sv_from(f.text), SV("!"));
    for (size_t n = 0; n < bytes.n; n++)
        CHECK_INT(read(everything, sv_first(bytes, n), NULL), ERR_INVALID);
    CHECK_INT(read(everything, SV("\x02"), NULL), ERR_INVALID);
}

static void null_and_absent_are_told_from_empty(void)
{
    struct found f = {0};

    CHECK_INT(read(RECORD(FIELD("p", "100", "[\"null\",\"string\"]")), SV("\x00"), &f), ERR_NONE);
    CHECK_SV(sv_from(f.text), SV("(none)"));
    CHECK_INT(read(RECORD(FIELD("p", "100", "[\"null\",\"string\"]")), SV("\x02\x00"), &f),
              ERR_NONE);
    CHECK_SV(sv_from(f.text), SV(""));
    CHECK_INT(read(RECORD(FIELD("p", "99", "\"int\"")), SV("\x02"), &f), ERR_NONE);
    CHECK_SV(sv_from(f.text), SV("(none)"));
}

static void every_prefix_of_a_file_is_refused(void)
{
    auto_arena a = {0};
    struct sv file = container(RECORD(PATH), "null", 1, SV("\x02x"), &a);
    size_t head = file.n - 1 - 1 - 2 - 16;

    CHECK_INT(each(file, NULL), ERR_NONE);
    for (size_t n = 0; n < file.n; n++)
        CHECK_INT(each(sv_first(file, n), NULL), n == head ? ERR_NONE : ERR_INVALID);
}

static void counts_sizes_and_marks_are_held_to_the_bytes(void)
{
    static const struct {
        int64_t count;
        struct sv block;
    } wrong[] = {
        {2,         SV_INIT("\x02x")                                           },
        {0,         SV_INIT("\x02x")                                           },
        {-1,        SV_INIT("\x02x")                                           },
        {INT64_MAX, SV_INIT("\x02x")                                           },
        {1,         SV_INIT("\x04x")                                           },
        {1,         SV_INIT("\x01x")                                           },
        {1,         SV_INIT("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01")        },
        {1,         SV_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")        },
        {1,         SV_INIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02")        },
        {1,         SV_INIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80")},
    };
    auto_arena a = {0};
    struct buf b = buf_new(&a, 4096);

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CHECK_INT(each(container(RECORD(PATH), NULL, wrong[i].count, wrong[i].block, &a), NULL),
                  ERR_INVALID);
    buf_add(&b, container(RECORD(PATH), NULL, 1, SV("\x02x"), &a));
    b.p[b.n - 1] = '?';
    CHECK_INT(each(buf_sv(&b), NULL), ERR_INVALID);
}

/* What a reader that believes the schema would hang, overflow its stack or its memory on. */
static void schemas_that_are_traps_are_refused(void)
{
    static const char *const traps[] = {
        RECORD(""),
        RECORD(FIELD("a", "1", "\"null\"")),
        RECORD(FIELD("a", "1", "[\"null\",\"r\"]")),
        RECORD(FIELD("a", "1", "\"r\"")),
        RECORD(PATH "," FIELD("a", "1", "{\"type\":\"array\",\"items\":\"null\"}")),
        RECORD(PATH "," FIELD("a", "1",
                              "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"e\","
                              "\"fields\":[]}}")),
        RECORD(PATH "," FIELD("a", "1", "{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}")),
        RECORD(PATH "," FIELD("a", "1",
                              "{\"type\":\"fixed\",\"name\":\"f\",\"size\":9223372036854775807}")),
        RECORD(PATH "," FIELD("a", "1", "{\"type\":\"fixed\",\"name\":\"f\"}")),
        RECORD(PATH "," PATH),
        RECORD(FIELD("p", "100", "{\"type\":\"array\",\"items\":\"int\"}")),
        RECORD(FIELD("p", "100", "[\"null\",{\"type\":\"map\",\"values\":\"int\"}]")),
        RECORD(PATH "," FIELD("a", "1", "\"unheard-of\"")),
        RECORD(PATH "," FIELD("a", "1", "{\"type\":\"unheard-of\"}")),
        RECORD(PATH "," FIELD("a", "1", "7")),
        "{\"type\":\"record\",\"name\":\"r\"}",
        "{\"type\":\"record\",\"name\":\"r\",\"fields\":7}",
        "\"string\"",
        "[\"string\"]",
        "",
        "{",
        NULL};

    for (const char *const *t = traps; *t; t++) {
        CHECK_INT(read(*t, SV("\x02x"), NULL), ERR_INVALID);
        CHECK_INT(read(*t, SV(""), NULL), ERR_INVALID);
    }
}

static void elements_of_lists_are_as_many_as_there_are_bytes(void)
{
    static const char schema[] =
        RECORD(PATH "," FIELD("a", "1", "{\"type\":\"array\",\"items\":\"int\"}"));

    CHECK_INT(read(schema,
                   SV("\x02x"
                      "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                      "\x02\x02"),
                   NULL),
              ERR_INVALID);
    /* A block that is larger than the file, and the least of all counts. */
    CHECK_INT(read(schema,
                   SV("\x02x"
                      "\x01\x7e"
                      "\x02"),
                   NULL),
              ERR_INVALID);
    CHECK_INT(read(schema,
                   SV("\x02x"
                      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                      "\x01"),
                   NULL),
              ERR_INVALID);
}

/* A union within a union within ...: legal nowhere, and deep. */
static enum err_code nested(int depth)
{
    auto_arena a = {0};
    struct buf schema = buf_new(&a, 8192), block = buf_new(&a, 4096);

    buf_add(&schema, SV("{\"type\":\"record\",\"name\":\"r\",\"fields\":[" PATH
                        ",{\"name\":\"a\",\"type\":"));
    buf_add(&block, SV("\x02x"));
    for (int i = 0; i < depth; i++) {
        buf_addc(&schema, '[');
        buf_addc(&block, '\0');
    }
    buf_add(&schema, SV("\"null\""));
    for (int i = 0; i < depth; i++)
        buf_addc(&schema, ']');
    buf_add(&schema, SV("}]}"));
    return each(container(buf_sv(&schema).p, NULL, 1, buf_sv(&block), &a), NULL);
}

static void types_within_types_are_limited(void)
{
    CHECK_INT(nested(LIMIT_AVRO_DEPTH - 1), ERR_NONE);
    CHECK_INT(nested(LIMIT_AVRO_DEPTH), ERR_INVALID);
}

static enum err_code with_types(int n)
{
    auto_arena a = {0};
    struct buf schema = buf_new(&a, LIMIT_AVRO_SCHEMA_BYTES);

    buf_add(&schema, SV("{\"type\":\"record\",\"name\":\"r\",\"fields\":[" PATH));
    for (int i = 1; i < n; i++)
        buf_add(&schema, SV(",{\"name\":\"a\",\"type\":[]}"));
    buf_add(&schema, SV("]}"));
    return each(container(buf_sv(&schema).p, NULL, 0, SV(""), &a), NULL);
}

static void the_number_of_types_is_limited(void)
{
    CHECK_INT(with_types(LIMIT_AVRO_TYPES), ERR_NONE);
    CHECK_INT(with_types(LIMIT_AVRO_TYPES + 1), ERR_INVALID);
}

static enum err_code with_schema_of(size_t bytes)
{
    static const char schema[] = RECORD(PATH);
    auto_arena a = {0};
    struct buf b = buf_new(&a, bytes);

    buf_add(&b, sv_from(schema));
    while (b.n < bytes)
        buf_addc(&b, ' ');
    return each(container(buf_sv(&b).p, NULL, 1, SV("\x02x"), &a), NULL);
}

static void the_size_of_a_schema_is_limited(void)
{
    CHECK_INT(with_schema_of(LIMIT_AVRO_SCHEMA_BYTES), ERR_NONE);
    CHECK_INT(with_schema_of(LIMIT_AVRO_SCHEMA_BYTES + 1), ERR_INVALID);
}

static void a_codec_that_is_not_known_is_named(void)
{
    struct avro_member member = {.id = 100};
    auto_arena a = {0};
    struct found f;
    struct err e = {0};

    CHECK(!avro_each(container(RECORD(PATH), "lzma", 1, SV("\x02x"), &a),
                     &(struct avro_ask){&member, 1, on_record, &f}, &e));
    CHECK_SV(sv_from(e.msg), SV("avro: codec \"lzma\" is not read here"));
}

static void a_packed_block_is_unpacked_and_its_checksum_looked_at(void)
{
    auto_arena a = {0};
    struct found f = {0};

    CHECK_INT(
        each(container(RECORD(PATH), "snappy", 1, SV("\x02\x04\x02x\x00\x00\x00\x00"), &a), &f),
        ERR_INVALID);
    CHECK_INT(each(container(RECORD(PATH), "snappy", 1, SV("\x02"), &a), &f), ERR_INVALID);
    CHECK_INT(each(container(RECORD(PATH), "deflate", 1, SV("\x01\x02\x00\xfd\xff\x02x"), &a), &f),
              ERR_NONE);
    CHECK_SV(sv_from(f.text), SV("x"));
}

SUITE("wire/avro", TEST(members_are_found_by_their_ids_wherever_they_stand),
      TEST(what_nobody_asks_for_is_passed_over), TEST(null_and_absent_are_told_from_empty),
      TEST(every_prefix_of_a_file_is_refused), TEST(counts_sizes_and_marks_are_held_to_the_bytes),
      TEST(schemas_that_are_traps_are_refused),
      TEST(elements_of_lists_are_as_many_as_there_are_bytes), TEST(types_within_types_are_limited),
      TEST(the_number_of_types_is_limited), TEST(the_size_of_a_schema_is_limited),
      TEST(a_codec_that_is_not_known_is_named),
      TEST(a_packed_block_is_unpacked_and_its_checksum_looked_at))
