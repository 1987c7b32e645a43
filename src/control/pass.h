/* pass.h - one pass over a StorageIntegration; shared by storage_integration.c, integration_role.c,
 * integration_status.c, bucket_policy.c, other_roles.c and probe.c only. */
#ifndef CONTROL_PASS_H
#define CONTROL_PASS_H

#include "control/job.h"
#include "provider/provider.h"

/* What a store can do, as far as it was tried. */
enum capability { CAPABILITY_UNKNOWN, CAPABILITY_NO, CAPABILITY_YES };

/* One pass. */
struct pass {
    struct worker *w;
    struct job *j;
    struct arena *a;
    const struct storage_integration *spec;
    struct target target;
    struct role_want want;
    struct role_have have;
    struct sv caller;
    struct outcome o;
    bool managed, changed, created;
    bool looked;                    /* the role was read: `have` is known */
    bool bucket_policy;             /* statements of ours stand in it, as far as the status knows */
    struct sv created_at, made_arn; /* made_arn: of the role, as the status knew it before */
    enum capability update_role;    /* change what an existing role was created with */
    struct sv role_left; /* digest of a role that the last attempt could not make as it should be */
    struct sv differences;   /* of the role that stay, as sentences */
    const char *differs_why; /* why they stay: a reason */
    bool verified, begun;
    struct probe_result probe;
    struct other_roles others; /* that may admit our sessions; the probe tries them */
    struct sv other_hole;      /* one that surely does, as a sentence */
    bool roles_listed;
    struct sv probed_hash, probed_at;
    /* Where a probe is due, and may have left something: "s3://bucket/folder/". Set before the role
     * is changed, empty when the probe has ended. */
    struct sv probing;
};

typedef bool talk_fn(struct exchange *x, struct err *e);

/* Sends what the provider says until it is done. */
MUST_CHECK bool pass_talk(struct pass *p, talk_fn *fn, struct exchange *x, struct err *e);

/* ---- integration_role.c ---- */

/* Reads the role, makes it as it should be where that is ours to do, and says what differs. False
 * in `go_on`: the pass has its outcome. */
MUST_CHECK bool pass_ensure_role(struct pass *p, bool *go_on, struct err *e);
/* Takes away what we made, and nothing else. */
MUST_CHECK bool pass_remove_role(struct pass *p, struct err *e);

/* ---- bucket_policy.c ---- */

/* Puts our statements into the bucket's policy, or takes them out. */
MUST_CHECK bool pass_bucket_policy(struct pass *p, bool wanted, struct err *e);

/* ---- probe.c ---- */

/* Remembers that a probe is due before the first thing that calls for it: whoever comes after a
 * crash probes, and knows where to tidy. Once in a pass. */
MUST_CHECK bool pass_begin(struct pass *p, struct err *e);
/* Probes the scope with real, narrowed credentials when a probe is due or what it depends on has
 * changed; sets p->verified. */
MUST_CHECK bool pass_verify(struct pass *p, struct err *e);
/* Takes away what a probe left that was cut short, by a crash or by the store. */
MUST_CHECK bool pass_tidy(struct pass *p, struct err *e);

/* ---- other_roles.c ---- */

/* Fills p->others: roles whose trust policy may admit our sessions, or where roles cannot be listed
 * those that are known by name. */
MUST_CHECK bool pass_look_around(struct pass *p, struct err *e);
/* What that credential could become, as a sentence; empty: nothing. */
MUST_CHECK bool pass_become(struct pass *p, const struct credential *key, struct sv *hole,
                            struct err *e);

/* ---- integration_status.c ---- */

void pass_read_status(struct pass *p);
/* What the status said of ScopeVerified before this pass. */
bool pass_was_verified(struct pass *p);
void pass_not_ready(struct pass *p, const char *reason, struct sv message);
/* Why the integration cannot be used at all, so that the rulebook vends nothing from it. */
void pass_shut(struct pass *p, const char *reason, struct sv message);
void pass_set_verified(struct pass *p, enum condition_status s, const char *reason,
                       struct sv message);
/* What was found stays found where nothing was looked at; of something else it says nothing. */
void pass_keep_verified(struct pass *p);
/* Remembers since when the integration has been known to work. */
void pass_note_works(struct pass *p);
/* RoleInSync, and all that is no condition. */
void pass_finish_status(struct pass *p);
/* Writes into the status what is about to be made at the store, and nothing else of this pass: what
 * status does not know of nobody would take away after a crash. */
MUST_CHECK bool pass_remember(struct pass *p, struct err *e);

#endif
