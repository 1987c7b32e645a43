/*
 * control.h - the operator: watches resources, compiles the rulebook, makes the storage side true.
 *
 * One control thread owns the object cache and the work queue; worker threads carry plans out: one
 * what needs no store, the others what does.
 * Desired state comes from a cluster or from a folder of manifests; both look the same from here on
 * (see backend.h).
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "base/err.h"
#include "base/vec.h"
#include "base/world.h"
#include "policy/rulebook.h"

struct control;

struct control_options {
    const struct world *world;
    struct sv resources_dir, state_dir; /* folder mode when resources_dir is set */
    struct sv kubeconfig;               /* else: empty means the usual places */
    struct sv_vec namespaces;           /* empty: all */
    struct sv file_storage;             /* --file-storage */
    struct sv audience;                 /* of service account tokens; default "frontdesk" */
    struct sv system_namespace; /* where our own Secret (token keys) lives; default the context's or
                                   pod's */
    int lease_ms;               /* how long a leader that is gone is waited for; 0: 15 s */
    int resync_ms;              /* look at every integration again after so long; 0: ten minutes */
    /* A new rulebook is in force; runs on the control thread; the reference is the callee's. */
    void (*publish)(struct rulebook *r, void *context);
    void *context;
};

MUST_CHECK bool control_start(const struct control_options *o, struct control **out, struct err *e);
/* Any thread: a token named a key that we do not know; the key set is fetched again, at most once a
 * minute. */
void control_want_keys(struct control *c);
/* Stops taking work, lets a running plan finish, ends the threads. Until control_free,
 * control_want_keys may be called, and does nothing. */
void control_stop(struct control *c);
void control_free(struct control *c);

/* ---- the commands that need no server ---- */

/* `frontdesk check FILE...`: prints "FILE:LINE: Kind/name: field: what is wrong" for each fault to
 * `out`; false when there was one. Files may be folders. */
struct check_report {
    struct buf faults, notes;           /* notes: what was not read, and is no fault */
    size_t files, objects, passed_over; /* passed_over: objects of others, and Secrets */
};
bool control_check(const char *const *files, size_t n, struct check_report *out);
/* Compiles the manifests of a folder (and what --state remembers of the world) once, offline, for
 * `explain`. `file_storage` is the server's --file-storage; empty: anywhere. */
MUST_CHECK bool control_compile_folder(struct sv resources_dir, struct sv state_dir,
                                       struct sv file_storage, struct rulebook **out,
                                       struct err *e);
/* The same from the cluster's resources. */
MUST_CHECK bool control_compile_cluster(struct sv kubeconfig, const struct sv_vec *namespaces,
                                        struct rulebook **out, struct err *e);

#endif
