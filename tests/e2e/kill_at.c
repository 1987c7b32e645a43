/*
 * kill_at.c - preloaded into the program: ends it at one of the calls by which it changes something
 * outside of itself or hears of it.
 *
 * KILL_AT names a file that the test maps as well, a struct plan. While `left` is above 0 each such
 * call takes one away, and the one that takes the last does not happen: SIGKILL. So the test runs
 * an operation with left = 1, 2, 3, ... until it passes untouched. `how` says what else is lost:
 *
 *   KILL   nothing: what the kernel was told, it keeps
 *   TEAR   of the last call, if it writes, the first half happens
 *   POWER  as when the machine loses power: all that no fsync has made lasting is undone, bytes of
 *          files by their files' fsync, new names by their folder's. (What was taken away or
 * renamed stays so: what is undone is what a program may wrongly rely on.)
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum how { KILL, TEAR, POWER };

/* In the order of rounds.CALLS. */
enum call { ANY, RECV, SEND, WRITE, PWRITE, FSYNC, TRUNCATE, CREATE, MKDIR, UNLINK, RENAME, CALLS };

struct plan {
    _Atomic int64_t left;
    int64_t how, call;
    _Atomic int64_t seen[CALLS];
    char last[240]; /* what the call that did not happen was about */
};

static struct plan *plan;

__attribute__((constructor)) static void map_plan(void)
{
    const char *path = getenv("KILL_AT");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
    void *p =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    plan = p == MAP_FAILED ? NULL : p;
    (void)syscall(SYS_close, fd);
}

/* ---- what power would take ---- */

/* Newest first: bytes that were there before a write, or a name that was not. */
struct undo {
    struct undo *next;
    struct stat of; /* the file, or the folder of the name: whose fsync makes it lasting */
    int fd;         /* of the same */
    off_t at, size;
    size_t n;
    char old[]; /* the bytes, or the name */
};

static struct undo *undos;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct undo *remember(int fd, size_t n)
{
    struct undo *u = calloc(1, sizeof(*u) + n + 1);

    if (!u || fstat(fd, &u->of) != 0)
        abort();
    u->fd = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 1000);
    u->next = undos;
    undos = u;
    return u;
}

static void before_write(int fd, size_t n, off_t at)
{
    struct undo *u;
    ssize_t got;

    (void)pthread_mutex_lock(&lock);
    u = remember(fd, n);
    u->size = u->of.st_size;
    u->at = at < 0 ? lseek(fd, 0, SEEK_CUR) : at;
    got = pread(fd, u->old, n, u->at);
    u->n = got > 0 ? (size_t)got : 0;
    (void)pthread_mutex_unlock(&lock);
}

static void after_making(int folder, const char *path)
{
    const char *slash = strrchr(path, '/');
    char above[4096];
    int fd;

    (void)snprintf(above, sizeof(above), "%.*s/.", slash ? (int)(slash - path) : 1,
                   slash ? path : ".");
    (void)pthread_mutex_lock(&lock);
    fd = (int)syscall(SYS_openat, folder, above, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd >= 0) {
        const char *name = slash ? slash + 1 : path;
        struct undo *u = remember(fd, strlen(name));

        memcpy(u->old, name, strlen(name));
        u->size = -1;
    }
    (void)syscall(SYS_close, fd);
    (void)pthread_mutex_unlock(&lock);
}

static void after_sync(int fd)
{
    struct stat of;

    (void)pthread_mutex_lock(&lock);
    for (struct undo **at = &undos; fstat(fd, &of) == 0 && *at;) {
        struct undo *u = *at;

        if (u->of.st_ino != of.st_ino || u->of.st_dev != of.st_dev) {
            at = &u->next;
            continue;
        }
        *at = u->next;
        (void)syscall(SYS_close, u->fd);
        free(u);
    }
    (void)pthread_mutex_unlock(&lock);
}

/* A name is moved aside, so that one who looks can see what there was. */
static void lose_power(void)
{
    (void)pthread_mutex_lock(&lock);
    for (const struct undo *u = undos; u; u = u->next) {
        char lost[300];

        (void)snprintf(lost, sizeof(lost), "%.255s.lost", u->old);
        if (u->size < 0)
            (void)syscall(SYS_renameat2, u->fd, u->old, u->fd, lost, 0);
        else if (syscall(SYS_pwrite64, u->fd, u->old, u->n, u->at) < 0 ||
                 syscall(SYS_ftruncate, u->fd, u->size) < 0)
            abort();
    }
}

/* ---- the call that does not happen ---- */

static void say(int fd, const char *path)
{
    char link[32], target[160] = "";

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (fd >= 0)
        (void)syscall(SYS_readlinkat, AT_FDCWD, link, target, sizeof(target) - 1);
    (void)snprintf(plan->last, sizeof(plan->last), "%s %s", target, path);
}

static void die(void)
{
    if (plan->how == POWER)
        lose_power();
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

/* True: the caller does half of it, and dies. */
static bool is_last(enum call call, int fd, const char *path)
{
    if (!plan)
        return false;
    (void)atomic_fetch_add(&plan->seen[call], 1);
    if ((plan->call != ANY && plan->call != (int64_t)call) || atomic_load(&plan->left) <= 0 ||
        atomic_fetch_sub(&plan->left, 1) != 1)
        return false;
    say(fd, path);
    if (plan->how != TEAR)
        die();
    return true;
}

static bool is(int fd, mode_t kind)
{
    struct stat st;

    return plan && fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

static bool undoes(int fd)
{
    return plan && plan->how == POWER && is(fd, S_IFREG);
}

/* ---- files ---- */

static ssize_t write_at(enum call call, int fd, const void *p, size_t n, off_t at)
{
    bool last = (is(fd, S_IFREG) || is(fd, S_IFSOCK)) && is_last(call, fd, "");

    if (undoes(fd))
        before_write(fd, n, at);
    n = last ? n / 2 : n;
    n = (size_t)(at < 0 ? syscall(SYS_write, fd, p, n) : syscall(SYS_pwrite64, fd, p, n, at));
    if (last)
        die();
    return (ssize_t)n;
}

ssize_t write(int fd, const void *p, size_t n)
{
    return write_at(WRITE, fd, p, n, -1);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return write_at(PWRITE, fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return write_at(PWRITE, fd, p, n, at);
}

static int sync_by(long number, int fd)
{
    long r;

    if (is_last(FSYNC, fd, ""))
        die();
    r = syscall(number, fd);
    if (r == 0 && plan && plan->how == POWER)
        after_sync(fd);
    return (int)r;
}

int fsync(int fd)
{
    return sync_by(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return sync_by(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t size)
{
    if (is_last(TRUNCATE, fd, ""))
        die();
    if (undoes(fd))
        before_write(fd, is(fd, S_IFREG) ? 1 << 20 : 0, size);
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

/* ---- names ---- */

static int open_at(int folder, const char *path, int flags, mode_t mode)
{
    struct stat st;
    bool makes = plan && (flags & O_CREAT) && fstatat(folder, path, &st, AT_SYMLINK_NOFOLLOW) != 0;
    int fd;

    if (makes && is_last(CREATE, folder, path))
        die();
    fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (fd >= 0 && makes && plan->how == POWER)
        after_making(folder, path);
    return fd;
}

/* The mode is there only if the flags say so. */
#define OPEN(folder)                 \
    mode_t mode = 0;                 \
    va_list more;                    \
    va_start(more, flags);           \
    if (flags & O_CREAT)             \
        mode = va_arg(more, mode_t); \
    va_end(more);                    \
    return open_at(folder, path, flags, mode)

int open(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD);
}

int open64(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD);
}

int openat(int folder, const char *path, int flags, ...)
{
    OPEN(folder);
}

int openat64(int folder, const char *path, int flags, ...)
{
    OPEN(folder);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    long r;

    if (is_last(MKDIR, folder, path))
        die();
    r = syscall(SYS_mkdirat, folder, path, mode);
    if (r == 0 && plan && plan->how == POWER)
        after_making(folder, path);
    return (int)r;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int unlinkat(int folder, const char *path, int flags)
{
    if (is_last(UNLINK, folder, path))
        die();
    return (int)syscall(SYS_unlinkat, folder, path, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rename(const char *from, const char *to)
{
    if (is_last(RENAME, -1, to))
        die();
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- sockets ---- */

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    bool last = is_last(SEND, fd, "");
    ssize_t sent = syscall(SYS_sendto, fd, p, last ? n / 2 : n, flags, NULL, 0);

    if (last)
        die();
    return sent;
}

/* A step only once there is something to hear: before that it is the step of the send. */
ssize_t recv(int fd, void *p, size_t n, int flags)
{
    char peeked;

    if (plan && syscall(SYS_recvfrom, fd, &peeked, 1, flags | MSG_PEEK, NULL, NULL) >= 0 &&
        is_last(RECV, fd, ""))
        die();
    return syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
}
