/* memory.c - how much memory this process may have. */
#include "base/memory.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

/* A container sees its own control group as the root, by version 2 or by version 1. */
static const char *const files[] = {"/sys/fs/cgroup/memory.max",
                                    "/sys/fs/cgroup/memory/memory.limit_in_bytes"};

size_t memory_limit_read(struct sv text)
{
    int64_t n = 0;

    return sv_i64(sv_trim(text), &n) && n > 0 ? (size_t)n : SIZE_MAX;
}

static size_t read_file(const char *path)
{
    char text[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

    if (fd >= 0)
        (void)close(fd);
    return n > 0 ? memory_limit_read(sv_of(text, (size_t)n)) : SIZE_MAX;
}

static size_t own_limit(__rlimit_resource_t which)
{
    struct rlimit r;

    return getrlimit(which, &r) == 0 && r.rlim_cur != RLIM_INFINITY ? (size_t)r.rlim_cur : SIZE_MAX;
}

static size_t machine(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);

    return pages > 0 && bytes > 0 ? (size_t)pages * (size_t)bytes : SIZE_MAX;
}

size_t memory_limit(void)
{
    const size_t limits[] = {read_file(files[0]), read_file(files[1]), own_limit(RLIMIT_AS),
                             own_limit(RLIMIT_DATA), machine()};
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        least = limits[i] < least ? limits[i] : least;
    return least;
}

size_t memory_part(size_t limit, unsigned sixteenths, size_t most)
{
    size_t part = limit / 16 * sixteenths;

    return part < most ? part : most;
}
