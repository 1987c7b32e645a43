/* files.c - objects of storageType file. */
#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
#define auto_fd CLEANUP(close_fd) int

static bool failed(struct sv path, struct err *e)
{
    enum err_code code = errno == ENOENT                      ? ERR_NOT_FOUND
                         : errno == EEXIST                    ? ERR_CONFLICT
                         : errno == ELOOP || errno == ENOTDIR ? ERR_DENIED
                                                              : ERR_UNAVAILABLE;

    return err_set(e, code, "file:/" SV_FMT ": %s", SV_ARG(sv_first(path, 150)),
                   strerrordesc_np(errno));
}

static struct sv name_of(struct sv path, struct sv *folder)
{
    ptrdiff_t slash = sv_rfind(path, '/');

    *folder = slash < 0 ? (struct sv){0} : sv_first(path, (size_t)slash);
    return sv_skip(path, (size_t)(slash + 1));
}

/* The name of a folder that was made lasts once the folder above has been synced: without it a loss
 * of power takes away all that is below. */
static bool make_part(int above, const char *name)
{
    return mkdirat(above, name, 0755) == 0 ? fsync(above) == 0 : errno == EEXIST;
}

/* The folder, opened part by part so that no link is followed; made, when it is to be. -1: errno.
 */
static int enter(struct sv folder, bool make)
{
    int at = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct sv part;

    while (at >= 0 && folder.n && sv_cut(&folder, '/', &part)) {
        auto_arena a = {0};
        const char *name = arena_cstr(&a, part);
        auto_fd above = at;

        if (make && !make_part(above, name))
            return -1;
        at = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    return at;
}

static bool read_all(int fd, size_t max_bytes, struct arena *a, struct sv *out)
{
    struct stat st;
    size_t n = 0, size;
    ssize_t got = 1;
    char *p;

    if (fstat(fd, &st) != 0)
        return false;
    size = (size_t)st.st_size;
    errno = EFBIG;
    if (!S_ISREG(st.st_mode) || size > max_bytes)
        return false;
    p = arena_alloc(a, size + 1);
    while (n < size && (got = read(fd, p + n, size - n)) != 0) {
        if (got < 0 && errno != EINTR)
            return false;
        n += got > 0 ? (size_t)got : 0;
    }
    *out = sv_of(p, n);
    return true;
}

bool stored_file_read(struct sv path, size_t max_bytes, struct arena *a, struct sv *out,
                      struct err *e)
{
    struct sv folder, name = name_of(path, &folder);
    auto_arena scratch = {0};
    auto_fd at = enter(folder, false);
    auto_fd fd = at < 0 ? -1
                        : openat(at, arena_cstr(&scratch, name),
                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    bool is_unfit;

    if (fd >= 0 && read_all(fd, max_bytes, a, out))
        return true;
    is_unfit = errno == EFBIG;
    (void)failed(path, e);
    if (is_unfit)
        e->code = ERR_INVALID;
    return false;
}

static bool write_all(int fd, struct sv body)
{
    while (body.n) {
        ssize_t n = write(fd, body.p, body.n);

        if (n < 0 && errno != EINTR)
            return false;
        body = sv_skip(body, n > 0 ? (size_t)n : 0);
    }
    return fsync(fd) == 0;
}

bool stored_file_write(struct sv path, struct sv body, struct err *e)
{
    struct sv folder, name = name_of(path, &folder);
    auto_arena scratch = {0};
    const char *file = arena_cstr(&scratch, name);
    auto_fd at = enter(folder, true);
    auto_fd fd =
        at < 0 ? -1 : openat(at, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0)
        return failed(path, e);
    if (write_all(fd, body) && fsync(at) == 0)
        return true;
    (void)failed(path, e);
    (void)unlinkat(at, file, 0);
    return false;
}

bool stored_file_remove(struct sv path, struct err *e)
{
    struct sv folder, name = name_of(path, &folder);
    auto_arena scratch = {0};
    auto_fd at = enter(folder, false);

    if ((at >= 0 && unlinkat(at, arena_cstr(&scratch, name), 0) == 0) || errno == ENOENT)
        return true;
    return failed(path, e);
}
