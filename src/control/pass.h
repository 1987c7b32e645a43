/* pass.h - one pass over a StorageIntegration; shared by storage_integration.c and probe.c only. */
#ifndef CONTROL_PASS_H
#define CONTROL_PASS_H

#include "control/job.h"
#include "provider/provider.h"

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
    struct sv created_at;
    bool verified;
    struct probe_result probe;
    struct sv probed_hash, probed_at;
    struct sv probing; /* where a probe began that has not ended: "s3://bucket/folder/" */
};

typedef bool talk_fn(struct exchange *x, struct err *e);

/* Sends what the provider says until it is done. */
MUST_CHECK bool pass_talk(struct pass *p, talk_fn *fn, struct exchange *x, struct err *e);
/* What the status said of ScopeVerified before this pass. */
bool pass_was_verified(struct pass *p);
/* Probes the scope with a real, narrowed credential when what it depends on has changed; sets
 * p->verified. */
MUST_CHECK bool pass_verify(struct pass *p, struct err *e);
/* Takes away what a probe left that was cut short, by a crash or by the store. */
MUST_CHECK bool pass_tidy(struct pass *p, struct err *e);

#endif
