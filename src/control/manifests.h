/* manifests.h - the objects of manifest files, and what each of them is to us. */
#ifndef CONTROL_MANIFESTS_H
#define CONTROL_MANIFESTS_H

#include "api/meta.h"
#include "wire/yaml.h"

/* Every object of the documents, in their order: those of a list (kind: List, items) and of a JSON
 * array one by one. What is not a list stays as it is. */
void manifests_flatten(const struct yaml_docs *docs, struct arena *a, struct yaml_docs *out);

enum manifest_use {
    MANIFEST_OURS,    /* one of our kinds, with a name */
    MANIFEST_SECRET,  /* with a name */
    MANIFEST_FOREIGN, /* another product's, which may lie in the same file */
    MANIFEST_WRONG    /* meant for us, and cannot be taken: `faults` say why */
};
enum manifest_use manifest_use(const struct json *root, struct arena *a, struct complaints *faults);

#endif
