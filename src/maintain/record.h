/* record.h - what the audit says of a purge: one record for each attempt that ended. */
#ifndef MAINTAIN_RECORD_H
#define MAINTAIN_RECORD_H

#include "store/store.h"

struct purge_done {
    struct sv catalog; /* its name, or what it was */
    int64_t now_ms, deleted, foreign;
};

/* One JSON object; `why` is NULL when it went well. */
struct sv purge_record(const struct purge_row *row, const struct purge_done *done,
                       const struct err *why, struct arena *a);

#endif
