/* test_maintain.c - a purge on its thread, with the rules in force. */
#include <fcntl.h>
#include <ftw.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "maintain/maintain.h"
#include "store/store.h"
#include "unit/suite.h"
#include "wire/yaml.h"

#define HEAD(kind, name)                                                        \
    "apiVersion: polaris.apache.org/v1\nkind: " kind "\nmetadata: {name: " name \
    ", namespace: l}\nspec: "
#define CATALOG(name)            \
    HEAD("PolarisCatalog", name) \
    "{storageIntegrationRef: {name: s}, defaultBaseLocation: 'file:%s/lake/" name "'}\n---\n"
#define UUID "9c12d441-03fe-4693-9a96-a0705ddf69c1"

/* A folder of this machine with one table's metadata file in it, which is to be purged. */
struct bench {
    struct arena arena;
    char base[64];
    const char *file; /* the metadata file */
    struct sv location, url;
    struct store *store;
    struct maintain *maintain;
    sem_t told;
    struct sv record; /* what the audit was told */
    struct err e;
};

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    NEED(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

/* `place` is below the folder of all tables. */
static void lay_out(struct bench *b, const char *place)
{
    struct arena *a = &b->arena;

    (void)snprintf(b->base, sizeof(b->base), "/tmp/fd-maintain-XXXXXX");
    NEED(mkdtemp(b->base));
    for (const char *const *at = (const char *const[]){"lake", "lake/a", "lake/b", place, NULL};
         *at; at++)
        NEED(mkdir(arena_printf(a, "%s/%s", b->base, *at).p, 0755) == 0);
    b->location = arena_printf(a, "file:%s/%s/", b->base, place);
    b->file = arena_printf(a, "%s/%s/x.metadata.json", b->base, place).p;
    write_file(b->file,
               arena_printf(
                   a,
                   "{\"format-version\":2,\"table-uuid\":\"" UUID "\",\"location\":\"" SV_FMT "\","
                   "\"last-sequence-number\":0,\"last-updated-ms\":1,\"last-column-id\":1,"
                   "\"current-schema-id\":0,\"schemas\":[{\"type\":\"struct\",\"schema-id\":0,"
                   "\"fields\":[]}],\"default-spec-id\":0,\"partition-specs\":[{\"spec-id\":0,"
                   "\"fields\":[]}],\"last-partition-id\":999,\"sort-orders\":[{\"order-id\":0,"
                   "\"fields\":[]}],\"default-sort-order-id\":0}",
                   SV_ARG(b->location))
                   .p);
}

/* A table of catalog a. */
static void drop_table(struct bench *b)
{
    static const struct ns_name ns = {SV_INIT("l/a"), SV_INIT("sales")};
    static const struct table_name t = {SV_INIT("l/a"), SV_INIT("sales"), SV_INIT("t")};
    static const struct dropping d = {.mark = SV_INIT("m"),
                                      .principal = SV_INIT("l/etl"),
                                      .request = SV_INIT("r"),
                                      .purge = true};
    const struct table_row row = {.uuid = SV(UUID),
                                  .metadata_location = arena_printf(&b->arena, "file:%s", b->file),
                                  .location = b->location};
    struct table_change c = {.row = &row, .principal = SV("l/etl")};

    b->url = arena_printf(&b->arena, "sqlite:%s/catalog.db", b->base);
    NEED_OK(store_open(b->url, &b->arena, &b->store, &b->e), &b->e);
    NEED_OK(store_namespace_create(b->store, &ns, SV("{}"), &b->e), &b->e);
    NEED_OK(store_table_create(b->store, &t, &c, &b->arena, &b->e), &b->e);
    NEED_OK(store_table_drop(b->store, &t, &d, &b->e), &b->e);
}

static void on_record(UNUSED int64_t now_ms, struct sv line, void *context)
{
    struct bench *b = context;

    b->record = arena_dup(&b->arena, line);
    (void)sem_post(&b->told);
}

static struct rulebook *rules(struct bench *b, const char *manifests)
{
    struct integration_facts store = {.namespace_ = SV("l"), .name = SV("s"), .vendable = true};
    struct policy_input in = {
        .integrations = {&store, 1, 1},
          .file_storage = sv_from(b->base)
    };
    struct compile_result result;
    const struct resource **resources;
    struct yaml_docs d = {0};

    NEED_OK(yaml_read(sv_from(manifests), &b->arena, &d, &b->e), &b->e);
    resources = arena_array(&b->arena, const struct resource *, d.n);
    for (; in.n_resources < d.n; in.n_resources++) {
        struct resource *r;

        NEED_OK(resource_read(d.p[in.n_resources].root, &b->arena, &r, &b->e), &b->e);
        resources[in.n_resources] = r;
    }
    in.resources = resources;
    policy_compile(&in, &b->arena, &result);
    return result.rulebook;
}

static int remove_one(const char *path, UNUSED const struct stat *st, UNUSED int kind,
                      UNUSED struct FTW *at)
{
    return remove(path);
}

static void clean_up(struct bench *b)
{
    arena_done(&b->arena);
    (void)sem_destroy(&b->told);
    CHECK(nftw(b->base, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

/* The first attempt at the purge of a table in `place`: what is said of it, and whether its file is
 * there still. */
static void purge(struct bench *b, const char *place, bool *is_there)
{
    struct timespec until;

    *b = (struct bench){0};
    CHECK(sem_init(&b->told, 0, 0) == 0);
    lay_out(b, place);
    drop_table(b);
    NEED_OK(maintain_start(&(struct maintain_options){&world_os, b->url, on_record, b},
                           &b->maintain, &b->e),
            &b->e);
    maintain_publish(
        b->maintain,
        rules(b, arena_printf(&b->arena,
                              HEAD("StorageIntegration", "s") "{storageType: file, bucket: lake}\n"
                                                              "---\n" CATALOG("a") CATALOG("b"),
                              b->base, b->base)
                     .p));
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    CHECK(sem_timedwait(&b->told, &until) == 0);
    maintain_stop(b->maintain);
    maintain_free(b->maintain);
    *is_there = access(b->file, F_OK) == 0;
}

static void a_table_in_its_catalogs_own_place_is_purged(void)
{
    struct bench b;
    bool is_there;

    purge(&b, "lake/a/t", &is_there);
    CHECK(sv_contains(b.record, SV("\"result\":\"done\"")));
    CHECK(!is_there);
    clean_up(&b);
}

static void nothing_is_deleted_in_the_place_of_another_catalog(void)
{
    struct bench b;
    bool is_there;

    purge(&b, "lake/b/t", &is_there);
    CHECK(sv_contains(b.record, SV("\"result\":\"unfinished\"")));
    CHECK(sv_contains(b.record, SV("in the place of another catalog")));
    CHECK(is_there);
    clean_up(&b);
}

SUITE("maintain/maintain", TEST(a_table_in_its_catalogs_own_place_is_purged),
      TEST(nothing_is_deleted_in_the_place_of_another_catalog))
