/* register_steps.h - what registering a table and a view share: whether a file that lies in the
 * bucket already may be looked at, and whether it lies in a place of its own. */
#ifndef CATALOG_REGISTER_STEPS_H
#define CATALOG_REGISTER_STEPS_H

#include "catalog/commit_steps.h"

/* Before anything is read: the folder of `file`, which is allowed. Only what is named as metadata
 * is read: an answer must tell nothing of other files. */
MUST_CHECK bool register_place(struct call *c, struct sv file, struct location *folder,
                               struct err *e);
/* After the file was read: goes on with `then` when `understand` has made o->after of o->text,
 * which is as it lies there. */
MUST_CHECK bool register_understand(struct call *c, struct commit_one *o, query_fn *understand,
                                    call_then_fn *then, struct err *e);
/* Ends a call whose file could not be read. Always false. */
bool register_unread(struct call *c, struct sv file, const struct err *outcome, struct err *e);
/* o->file lies in o->folders: whoever reads the entry reads this file, with a key for those. */
MUST_CHECK bool register_holds(struct call *c, const struct commit_one *o, struct err *e);
/* o->text, as it was before it was packed; the row is to know its bytes as they lie there. Pure. */
MUST_CHECK bool register_unpack(struct call *c, struct commit_one *o, struct err *e);
/* For the record. */
struct json *register_details(struct call *c, struct sv file, bool overwrite);

#endif
