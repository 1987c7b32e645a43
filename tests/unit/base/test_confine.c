/* test_confine.c - what a confined process cannot do any more, tried; each in a process of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/confine.h"
#include "unit/suite.h"

static char folder[] = "/tmp/frontdesk-confine-XXXXXX", outside[64], inside[64];

/* What `claim` said in a process that is then over: 0, or the line of what did not hold. */
static int in_child(int (*claim)(void))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(claim());
    (void)waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define HOLDS(claim)               \
    do {                           \
        if (!(claim))              \
            return __LINE__ % 255; \
    } while (0)

#define LACKS "the kernel does not offer Landlock:"

static bool confined(bool executes)
{
    auto_arena a = {0};
    struct confinement c = {.executes = executes};
    struct err e = {0};

    vec_push(&c.writable, &a, sv_from(inside));
    /* A kernel may be built without Landlock. */
    return confine_process(&c, &e) || sv_eq(sv_first(sv_from(e.msg), sizeof(LACKS) - 1), SV(LACKS));
}

static bool is_refused(long answer, int error)
{
    return answer == -1 && errno == error;
}

static bool runs(const char *path)
{
    char *const argv[] = {strdup(path), NULL};
    int status = -1;
    pid_t child = vfork();

    if (child == 0) {
        (void)execv(path, argv);
        _exit(127);
    }
    free(argv[0]);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static int no_other_program_is_run(void)
{
    char *const argv[] = {NULL};

    HOLDS(runs("/bin/true") && confined(false));
    HOLDS(is_refused(execv("/bin/true", argv), EPERM));
    HOLDS(is_refused(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, argv, 0), EPERM));
    HOLDS(is_refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), EPERM));
    HOLDS(is_refused(syscall(SYS_clone3, NULL, 0), ENOSYS));
    HOLDS(is_refused(syscall(SYS_memfd_create, "x", 0), EPERM));
#ifdef __x86_64__
    HOLDS(is_refused(syscall(SYS_fork), EPERM));
    HOLDS(is_refused(syscall(SYS_vfork), EPERM));
#endif
    return 0;
}

static int a_plugin_is_run_and_gains_nothing(void)
{
    HOLDS(confined(true) && runs("/bin/true"));
    HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    HOLDS(is_refused(syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL), EPERM));
    HOLDS(is_refused(syscall(SYS_ptrace, 0, 0, 0, 0), EPERM));
    return 0;
}

static int nothing_else_is_reached(void)
{
    static const long refused[] = {
        SYS_ptrace,
        SYS_process_vm_readv,
        SYS_process_vm_writev,
        SYS_pidfd_getfd,
        SYS_mount,
        SYS_umount2,
        SYS_pivot_root,
        SYS_chroot,
        SYS_setns,
        SYS_unshare,
        SYS_bpf,
        SYS_perf_event_open,
        SYS_keyctl,
        SYS_userfaultfd,
        SYS_io_uring_setup,
        SYS_finit_module,
        SYS_reboot,
        SYS_open_by_handle_at,
        SYS_setuid,
        SYS_setresuid,
        SYS_capset,
        SYS_settimeofday,
        SYS_personality,
        SYS_kexec_load,
#ifdef __x86_64__
        0x40000000 + 39, /* getpid, by another way in */
#endif
    };

    HOLDS(confined(false));
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        /* Arguments that the kernel itself would answer with something else. */
        if (!is_refused(syscall(refused[i], -1, -1, -1, -1, -1, -1), EPERM))
            return (int)i + 1;
    }
    return 0;
}

static void *nothing(void *unused)
{
    return unused;
}

static int what_the_program_does_goes_on(void)
{
    pthread_t t = 0;
    int ends[2];

    HOLDS(confined(false) && pthread_create(&t, NULL, nothing, NULL) == 0);
    HOLDS(pthread_join(t, NULL) == 0 && pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    HOLDS(open("/etc/passwd", O_RDONLY) >= 0 && open("/dev/null", O_WRONLY) >= 0);
    return 0;
}

static int only_its_folders_are_written(void)
{
    HOLDS(confined(false));
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1)
        return 0; /* the kernel is built without */
    HOLDS(is_refused(open(outside, O_WRONLY), EACCES));
    HOLDS(is_refused(truncate(outside, 0), EACCES));
    HOLDS(is_refused(unlink(outside), EACCES));
    HOLDS(chdir(folder) == 0 && is_refused(open("new", O_WRONLY | O_CREAT, 0600), EACCES));
    HOLDS(is_refused(mkdir("new", 0700), EACCES));
    HOLDS(chdir(inside) == 0 && open("new", O_RDWR | O_CREAT | O_TRUNC, 0600) >= 0);
    HOLDS(mkdir("below", 0700) == 0 && rename("new", "below/newer") == 0);
    HOLDS(unlink("below/newer") == 0 && rmdir("below") == 0);
    HOLDS(is_refused(symlink("/etc/passwd", "link"), EACCES));
    return 0;
}

static void folders(void)
{
    NEED(mkdtemp(folder) != NULL);
    (void)snprintf(outside, sizeof(outside), "%s/outside", folder);
    (void)snprintf(inside, sizeof(inside), "%s/inside", folder);
    NEED(mkdir(inside, 0700) == 0 && close(open(outside, O_CREAT | O_WRONLY, 0600)) == 0);
}

static void a_confined_process_cannot_leave(void)
{
    folders();
    CHECK_INT(in_child(no_other_program_is_run), 0);
    CHECK_INT(in_child(nothing_else_is_reached), 0);
    CHECK_INT(in_child(what_the_program_does_goes_on), 0);
    CHECK_INT(in_child(a_plugin_is_run_and_gains_nothing), 0);
}

static void a_confined_process_writes_in_its_folders_only(void)
{
    CHECK_INT(in_child(only_its_folders_are_written), 0);
    (void)rmdir(inside);
    (void)unlink(outside);
    (void)rmdir(folder);
}

static int ends_without_a_core(void)
{
    struct rlimit r;
    int status = 0;
    pid_t child;

    HOLDS(getrlimit(RLIMIT_CORE, &r) == 0);
    r.rlim_cur = r.rlim_max;
    HOLDS(setrlimit(RLIMIT_CORE, &r) == 0);
    child = fork();
    if (child == 0) {
        confine_memory();
        (void)kill(getpid(), SIGABRT);
        _exit(1);
    }
    HOLDS(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && !WCOREDUMP(status));
    return 0;
}

static int is_hidden(void)
{
    struct rlimit r;
    char text[16] = "";
    int fd = open("/proc/self/coredump_filter", O_RDONLY);

    confine_memory();
    HOLDS(getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_cur == 0 && r.rlim_max == 0);
    HOLDS(prctl(PR_GET_DUMPABLE) == 0);
    HOLDS(fd < 0 || (read(fd, text, sizeof(text) - 1) > 0 && strtol(text, NULL, 16) == 0));
    return 0;
}

/* By its own user; root may read whatever it likes. */
static int is_read_by_nobody(void)
{
    char path[64];
    int ready[2], status = 0;
    pid_t child;

    HOLDS(pipe(ready) == 0);
    HOLDS(geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0));
    child = fork();
    if (child == 0) {
        confine_memory();
        (void)!write(ready[1], "x", 1);
        (void)pause();
    }
    HOLDS(read(ready[0], path, 1) == 1);
    (void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)child);
    status = open(path, O_RDONLY);
    (void)kill(child, SIGKILL);
    HOLDS(status < 0 && (errno == EACCES || errno == EPERM));
    return 0;
}

static void a_process_that_hid_its_memory_is_not_dumped_or_read(void)
{
    CHECK_INT(in_child(is_hidden), 0);
    CHECK_INT(in_child(ends_without_a_core), 0);
    CHECK_INT(in_child(is_read_by_nobody), 0);
}

SUITE("base/confine", TEST(a_confined_process_cannot_leave),
      TEST(a_confined_process_writes_in_its_folders_only),
      TEST(a_process_that_hid_its_memory_is_not_dumped_or_read))
