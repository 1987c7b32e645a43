/* files.c - manifests on disk. */
#include "control/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "control/manifests.h"

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

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Names directly in a folder, as paths, sorted. What begins with a dot is hidden. */
static bool names_in(struct sv folder, struct arena *a, struct sv_vec *out, struct err *e)
{
    DIR *d = opendir(arena_cstr(a, folder));
    struct dirent *entry;

    if (!d)
        return err_set(e, ERR_INVALID, "%s", strerrordesc_np(errno));
    errno = 0;
    while ((entry = readdir(d))) { // NOLINT(concurrency-mt-unsafe): nobody else has this stream
        if (entry->d_name[0] != '.')
            vec_push(out, a, arena_printf(a, SV_FMT "/%s", SV_ARG(folder), entry->d_name));
    }
    if (errno)
        (void)err_set(e, ERR_INVALID, "%s", strerrordesc_np(errno));
    (void)closedir(d);
    if (out->n)
        qsort(out->p, out->n, sizeof(out->p[0]), by_text);
    return e->code == ERR_NONE;
}

static struct sv name_of(struct sv path)
{
    return sv_skip(path, (size_t)(sv_rfind(path, '/') + 1));
}

/* A manifest below it, at whatever depth to a limit. */
static bool holds_manifests(struct sv folder, struct arena *a, int depth)
{
    struct sv_vec names = {0};
    struct err ignored = {0};

    if (!names_in(folder, a, &names, &ignored))
        return false;
    for (size_t i = 0; i < names.n; i++) {
        if (is_folder(names.p[i].p) ? depth > 0 && holds_manifests(names.p[i], a, depth - 1)
                                    : file_is_manifest(name_of(names.p[i])))
            return true;
    }
    return false;
}

static void sort_out(struct sv path, struct arena *a, struct sv_vec *files, struct sv_vec *folders)
{
    enum { DEPTH = 8 };
    struct sv_vec *to = is_folder(path.p) ? folders : files;

    if (to == folders ? holds_manifests(path, a, DEPTH) : file_is_manifest(name_of(path)))
        vec_push(to, a, path);
}

bool file_list(struct sv folder, struct arena *a, struct sv_vec *files, struct sv_vec *folders,
               struct err *e)
{
    struct sv_vec names = {0};

    if (!names_in(folder, a, &names, e))
        return false;
    for (size_t i = 0; i < names.n; i++)
        sort_out(names.p[i], a, files, folders);
    return true;
}

static bool read_all(int fd, struct buf *b)
{
    char piece[16384];
    ssize_t n;

    while ((n = read(fd, piece, sizeof(piece))) > 0)
        buf_add(b, sv_of(piece, (size_t)n));
    explicit_bzero(piece, sizeof(piece));
    return n == 0;
}

static bool read_plain(int fd, struct buf *b, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return err_set(e, ERR_INVALID, "is not a file");
    if (!read_all(fd, b))
        return err_set(e, ERR_INVALID, "cannot be read");
    if (b->over)
        return err_set(e, ERR_INVALID, "is too large: more than %zu bytes", b->max);
    return true;
}

/* A pipe of that name must not hold up whoever looks: it is opened without waiting. */
bool manifest_read(struct sv path, size_t max_bytes, struct arena *a, struct sv *out, struct err *e)
{
    struct buf b = buf_new(a, max_bytes);
    int fd = open(arena_cstr(a, path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok;

    if (fd < 0)
        return err_set(e, ERR_INVALID, "%s", strerrordesc_np(errno));
    ok = read_plain(fd, &b, e);
    (void)close(fd);
    *out = buf_sv(&b);
    return ok;
}

bool file_documents(struct sv text, struct arena *a, struct yaml_docs *out, struct err *e)
{
    struct yaml_docs docs = {0};

    if (!yaml_read(text, a, &docs, e))
        return false;
    manifests_flatten(&docs, a, out);
    return true;
}

static bool take_manifest(const struct yaml_doc *doc, struct arena *a, struct yaml_docs *out,
                          struct err *e)
{
    struct complaints faults = {0};
    enum manifest_use use = manifest_use(doc->root, a, &faults);

    if (use == MANIFEST_WRONG)
        return err_set(e, ERR_INVALID, "line %d: " SV_FMT " " SV_FMT,
                       yaml_line(doc, faults.p[0].field), SV_ARG(faults.p[0].field),
                       SV_ARG(faults.p[0].text));
    if (use != MANIFEST_FOREIGN)
        vec_push(out, a, *doc);
    return true;
}

bool file_manifests(struct sv path, struct arena *a, struct yaml_docs *out, struct err *e)
{
    struct yaml_docs all = {0};
    struct sv text = {0};
    bool ok =
        manifest_read(path, LIMIT_YAML_BYTES, a, &text, e) && file_documents(text, a, &all, e);

    for (size_t i = 0; i < all.n && ok; i++)
        ok = take_manifest(&all.p[i], a, out, e);
    return ok || err_wrap(e, SV_FMT, SV_ARG(path));
}

static bool write_file(const char *path, struct sv text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && fchmod(fd, 0600) == 0; /* also what a broken write left */

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
