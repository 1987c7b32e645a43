/* view_steps.h - what several view handlers do: find a view, read its metadata, answer with it. */
#ifndef CATALOG_VIEW_STEPS_H
#define CATALOG_VIEW_STEPS_H

#include "catalog/commit_steps.h"
#include "iceberg/view.h"

/* The row, folders and metadata of the view at o->at.path; c->work must be, or begin with, `o`. */
MUST_CHECK bool view_load(struct call *c, struct commit_one *o, call_then_fn *then, struct err *e);
/* The metadata file of o->at.row, in one of o->at.folders; c->work as above. */
MUST_CHECK bool view_metadata(struct call *c, struct commit_one *o, call_then_fn *then,
                              struct err *e);
/* Answers with a LoadViewResult. Always true. */
bool view_answer(struct call *c, struct sv file, struct json *metadata);
/* "not found" in Iceberg's words. Always false. */
bool view_missing(struct call *c, const struct table_path *path, struct err *e);

#endif
