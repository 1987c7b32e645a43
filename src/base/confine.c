/* confine.c - what a process gives up. */
#include "base/confine.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"

/* ---- memory ---- */

/* Written before the process is not dumpable: its files in /proc are root's from then on. */
static void dump_nothing(void)
{
    int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, "0", 1) < 0) {
        /* A container may hide it; the two below stand all the same. */
    }
    (void)close(fd);
}

void confine_memory(void)
{
    const struct rlimit none = {0, 0};

    dump_nothing();
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
}

/* ---- system calls ---- */

#if defined(__x86_64__)
#define OUR_ARCH  AUDIT_ARCH_X86_64
#define FIRST_X32 0x40000000U
#elif defined(__aarch64__)
#define OUR_ARCH  AUDIT_ARCH_AARCH64
#define FIRST_X32 0xffffffffU /* there is none */
#endif

/* Into other processes; other roots and namespaces; the kernel's inside; the machine's clock and
 * name; other users. Some of them an architecture or an older kernel's headers do not have. */
static const unsigned never[] = {
    SYS_kcmp,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_quotactl,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_reboot,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_syslog,
    SYS_fanotify_init,
    SYS_vhangup,
    SYS_personality,
    SYS_pidfd_getfd,
    SYS_process_madvise,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_capset,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef __x86_64__
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
    SYS_uselib,
    SYS_ustat,
    SYS_sysfs,
    SYS__sysctl,
#endif
};

/* A sanitizer that looks for leaks attaches to its own threads from a process that it makes. */
static const unsigned not_traced[] = {SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev};

static const unsigned not_executed[] = {
    SYS_execve, SYS_execveat, SYS_memfd_create,
#ifdef __x86_64__
    SYS_fork,   SYS_vfork,
#endif
};

#ifdef OUR_ARCH

enum { MAX_FILTER = 250 }; /* a jump is one byte */

struct filter {
    struct sock_filter code[MAX_FILTER];
    unsigned short n;
};

static void add(struct filter *f, unsigned code, unsigned k, unsigned char if_true,
                unsigned char if_false)
{
    assert(f->n < MAX_FILTER);
    f->code[f->n++] = (struct sock_filter){(unsigned short)code, if_true, if_false, k};
}

static void answer(struct filter *f, unsigned action)
{
    add(f, BPF_RET | BPF_K, action, 0, 0);
}

/* Each refusal stands behind its number, so that no jump is long. */
static void refuse(struct filter *f, unsigned number, int error)
{
    add(f, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    answer(f, SECCOMP_RET_ERRNO | (unsigned)error);
}

static void refuse_all(struct filter *f, const unsigned *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        refuse(f, numbers[i], EPERM);
}

/* A thread is begun by clone too; what clone3 is asked for stands where a filter cannot look, and
 * the C library falls back to clone where there is none. */
static void refuse_processes(struct filter *f)
{
    refuse(f, SYS_clone3, ENOSYS);
    add(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
    add(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]), 0, 0);
    add(f, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0);
    answer(f, SECCOMP_RET_ERRNO | EPERM);
    answer(f, SECCOMP_RET_ALLOW);
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool filter_calls(const struct confinement *c)
{
    struct filter f = {0};
    struct sock_fprog program = {.filter = f.code};

    add(&f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    add(&f, BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
    answer(&f, SECCOMP_RET_ERRNO | EPERM);
    add(&f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    add(&f, BPF_JMP | BPF_JGE | BPF_K, FIRST_X32, 0, 1);
    answer(&f, SECCOMP_RET_ERRNO | EPERM);
    refuse_all(&f, never, COUNT(never));
    if (!c->traced)
        refuse_all(&f, not_traced, COUNT(not_traced));
    if (!c->traced && !c->executes) {
        refuse_all(&f, not_executed, COUNT(not_executed));
        refuse_processes(&f);
    }
    answer(&f, SECCOMP_RET_ALLOW);
    program.len = f.n;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#else

static bool filter_calls(const struct confinement *c)
{
    (void)c, (void)never, (void)not_traced, (void)not_executed;
    errno = ENOSYS;
    return false;
}

#endif

/* ---- files ---- */

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* since the kernel's version 3 of it */
#endif

enum { VERSION_WITH_REFER = 2, VERSION_WITH_TRUNCATE = 3 };

static uint64_t handled(long version)
{
    uint64_t all =
        LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
        LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
        LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
        LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

    if (version >= VERSION_WITH_REFER)
        all |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= VERSION_WITH_TRUNCATE)
        all |= LANDLOCK_ACCESS_FS_TRUNCATE;
    return all;
}

/* A writable folder takes files and folders; no devices, and nothing in it is executed. */
static uint64_t granted(const struct stat *s)
{
    uint64_t file = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;

    if (!S_ISDIR(s->st_mode))
        return file;
    return file | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
           LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER;
}

/* A path that does not exist is not granted. */
static void grant(int rules, struct sv path, uint64_t among)
{
    auto_arena a = {0};
    struct landlock_path_beneath_attr rule = {.parent_fd =
                                                  open(arena_cstr(&a, path), O_PATH | O_CLOEXEC)};
    struct stat s;

    if (rule.parent_fd < 0)
        return;
    if (fstat(rule.parent_fd, &s) == 0) {
        rule.allowed_access = granted(&s) & among;
        (void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    (void)close(rule.parent_fd);
}

static bool close_files(const struct sv_vec *writable)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct landlock_ruleset_attr all = {.handled_access_fs = handled(version)};
    int rules;
    bool ok;

    if (version < 1)
        return false;
    rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
    if (rules < 0)
        return false;
    grant(rules, SV("/dev/null"), all.handled_access_fs);
    for (size_t i = 0; i < writable->n; i++)
        grant(rules, writable->p[i], all.handled_access_fs);
    ok = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    (void)close(rules);
    return ok;
}

/* Landlock first: the filter may take away what it needs. A program that we execute has folders of
 * its own, for what it caches. */
bool confine_process(const struct confinement *c, struct err *e)
{
    bool privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    bool files = c->executes || (privileges && close_files(&c->writable));
    bool calls = privileges && filter_calls(c);

    return (privileges && files && calls) ||
           err_set(e, ERR_UNAVAILABLE, "the kernel does not offer%s%s%s: %s",
                   privileges ? "" : " no-new-privileges", files ? "" : " Landlock",
                   calls ? "" : " seccomp filters", strerrordesc_np(errno));
}
