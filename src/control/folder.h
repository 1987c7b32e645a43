/* folder.h - the folder backend from within; shared by backend_folder.c and entries.c only. */
#ifndef CONTROL_FOLDER_H
#define CONTROL_FOLDER_H

#include "base/map.h"
#include "control/backend.h"
#include "net/mailbox.h"

/* One object: its manifest, and what we remember of it. */
struct entry {
    struct arena arena;  /* holds this */
    struct sv key;       /* "Kind/ns/name" */
    struct json *object; /* whole */
    struct sv file;      /* which names it; empty: none does any more */
};

struct folder_backend {
    struct backend base;
    struct arena *arena;
    const struct control_options *options;
    struct backend_events events;
    struct map entries;
    struct mailbox mailbox; /* what workers wrote */
    int inotify, bell;
    bool scanned;
};

/* "Kind/ns/name". */
struct sv entry_key(const struct json *object, struct arena *a);
/* One of our kinds, not a Secret. */
bool entry_is_ours(const struct json *object);
/* Where the state folder keeps it. */
struct sv entry_state_path(const struct folder_backend *f, struct sv key, struct arena *a);
/* Replaces what is known of an object; `file` names it, or is empty. */
struct entry *entry_put(struct folder_backend *f, const struct json *object, struct sv file);
void entry_announce(struct folder_backend *f, const struct entry *n);
/* A manifest as it stands in a file now. */
void entry_take(struct folder_backend *f, const struct json *manifest, struct sv file);
/* No file names it any more: gone at once, or deleting while our finalizer holds it. */
void entry_lose(struct folder_backend *f, struct entry *n);

#endif
