/*
 * confine.h - what a process gives up, so that whoever gets into it gains little.
 *
 * Nothing of this can be taken back, and all of it holds for the threads and processes that are
 * begun afterwards: call it before there is a second thread. Where a kernel has none of it, the
 * process goes on without, and says so. Source: prctl(2), seccomp(2), landlock(7).
 */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include "base/err.h"
#include "base/vec.h"

/* No core file, nothing of memory in a dump, and nobody but root may read memory or attach. A
 * program that is executed afterwards may be read again, but dumps nothing either. */
void confine_memory(void);

struct confinement {
    struct sv_vec writable; /* files that may be changed, and folders below which files may be made
                               too; others stay as they are */
    bool executes; /* other programs: they need what we do not, and write where they like */
    bool traced;   /* by a sanitizer within this process */
};

/* No new privileges by executing; no system call that only an intruder would make (EPERM); no file
 * made, changed or executed but below `writable`. ERR_UNAVAILABLE: the kernel lacks one of them,
 * which the message names; the others are in force. */
MUST_CHECK bool confine_process(const struct confinement *c, struct err *e);

#endif
