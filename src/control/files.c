/* files.c - manifests on disk. */
#include "control/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/limits.h"

bool file_is_manifest(struct sv name)
{
    return name.n && name.p[0] != '.' &&
           (sv_ends(name, SV(".yaml")) || sv_ends(name, SV(".yml")) || sv_ends(name, SV(".json")));
}

bool manifest_exists(struct sv path)
{
    auto_arena a = {0};

    return access(arena_cstr(&a, path), F_OK) == 0;
}

void file_remove(struct sv path)
{
    auto_arena a = {0};

    (void)unlink(arena_cstr(&a, path));
}

static int by_text(const void *x, const void *y)
{
    const struct sv *a = x, *b = y;

    return sv_cmp(*a, *b);
}

void file_list(struct sv folder, struct arena *a, struct sv_vec *out)
{
    DIR *d = opendir(arena_cstr(a, folder));
    struct dirent *entry;

    while (d &&
           (entry = readdir(d))) { // NOLINT(concurrency-mt-unsafe): nobody else has this stream
        if (file_is_manifest(sv_from(entry->d_name)))
            vec_push(out, a, arena_printf(a, SV_FMT "/%s", SV_ARG(folder), entry->d_name));
    }
    if (d)
        (void)closedir(d);
    if (out->n)
        qsort(out->p, out->n, sizeof(out->p[0]), by_text);
}

static bool read_all(int fd, struct buf *b)
{
    char piece[16384];
    ssize_t n;

    while ((n = read(fd, piece, sizeof(piece))) > 0)
        buf_add(b, sv_of(piece, (size_t)n));
    return n == 0;
}

bool manifest_read(struct sv path, size_t max_bytes, struct arena *a, struct sv *out, struct err *e)
{
    struct buf b = buf_new(a, max_bytes);
    int fd = open(arena_cstr(a, path), O_RDONLY | O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return err_set(e, ERR_INVALID, SV_FMT ": %s", SV_ARG(path), strerrordesc_np(errno));
    ok = read_all(fd, &b);
    (void)close(fd);
    if (!ok || b.over)
        return err_set(e, ERR_INVALID, SV_FMT ": %s", SV_ARG(path),
                       b.over ? "is too large" : "cannot be read");
    *out = buf_sv(&b);
    return true;
}

static bool is_wanted(const struct json *object)
{
    enum kind k;

    return json_get_str(json_get(object, SV("metadata")), SV("name")).n &&
           (sv_eq(json_get_str(object, SV("kind")), SV("Secret")) ||
            kind_read(json_get_str(object, SV("kind")), &k));
}

bool file_manifests(struct sv path, struct arena *a, struct yaml_docs *out, struct err *e)
{
    struct yaml_docs all = {0};
    struct sv text = {0};

    if (!manifest_read(path, LIMIT_YAML_BYTES, a, &text, e))
        return false;
    if (!yaml_read(text, a, &all, e))
        return err_wrap(e, SV_FMT, SV_ARG(path));
    for (size_t i = 0; i < all.n; i++) {
        if (is_wanted(all.p[i].root))
            vec_push(out, a, all.p[i]);
    }
    return true;
}

static bool write_file(const char *path, struct sv text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0;

    while (ok && text.n) {
        ssize_t n = write(fd, text.p, text.n);

        ok = n > 0;
        text = sv_skip(text, n > 0 ? (size_t)n : 0);
    }
    ok = ok && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

bool file_replace(struct sv path, struct sv text, struct err *e)
{
    auto_arena a = {0};
    char *to = arena_cstr(&a, path);
    struct sv beside = arena_printf(&a, SV_FMT ".new", SV_ARG(path));

    if (!write_file(beside.p, text) || rename(beside.p, to) != 0)
        return err_set(e, ERR_UNAVAILABLE, SV_FMT ": %s", SV_ARG(path), strerrordesc_np(errno));
    return true;
}

bool folder_make(struct sv path, struct err *e)
{
    auto_arena a = {0};

    if (mkdir(arena_cstr(&a, path), 0700) != 0 && errno != EEXIST)
        return err_set(e, ERR_INVALID, "folder " SV_FMT ": %s", SV_ARG(path),
                       strerrordesc_np(errno));
    return true;
}
