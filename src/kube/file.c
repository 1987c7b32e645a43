/* file.c - a small file, read whole. */
#include "kube/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bool fail(struct err *e, struct sv path)
{
    return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                   "cannot read " SV_FMT ": %s", SV_ARG(path), strerrordesc_np(errno));
}

bool file_read(struct sv path, size_t max_bytes, struct arena *a, struct sv *out, struct err *e)
{
    CLEANUP(close_fd) int fd = open(arena_cstr(a, path), O_RDONLY | O_CLOEXEC);
    struct buf text = buf_new(a, max_bytes);
    ssize_t got;

    if (fd < 0)
        return fail(e, path);
    do {
        char piece[4096];

        got = read(fd, piece, sizeof(piece));
        if (got < 0)
            return fail(e, path);
        buf_add(&text, sv_of(piece, (size_t)got));
        explicit_bzero(piece, sizeof(piece));
    } while (got > 0);
    if (text.over)
        return err_set(e, ERR_INVALID, SV_FMT " has more than %zu bytes", SV_ARG(path), max_bytes);
    *out = buf_sv(&text);
    return true;
}

struct sv file_resolve(struct arena *a, struct sv beside, struct sv path)
{
    ptrdiff_t slash = sv_rfind(beside, '/');

    if (sv_starts(path, SV("/")) || slash < 0)
        return path;
    return arena_printf(a, SV_FMT "/" SV_FMT, SV_ARG(sv_first(beside, (size_t)slash)),
                        SV_ARG(path));
}
