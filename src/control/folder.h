/* folder.h - the folder backend from within; shared by backend_folder.c, folder_*.c and
 * entries.c only. */
#ifndef CONTROL_FOLDER_H
#define CONTROL_FOLDER_H

#include <sys/types.h>

#include "base/map.h"
#include "control/backend.h"
#include "net/mailbox.h"

/* One object: its manifest, and what we remember of it. */
struct entry {
    struct arena arena;  /* holds this */
    struct sv key;       /* "Kind/ns/name" */
    struct json *object; /* whole; of a Secret a digest in place of its data */
    struct sv file;      /* which names it, or named it last; empty: none has yet */
    int64_t missing_ms;  /* monotonic: since when no file names it; 0: one does, or none need */
};

/* What stood in a file. */
struct text {
    struct arena arena; /* holds this; wipes */
    struct sv text;
};

/* What is wrong with a file, or with the folder. */
struct fault {
    struct sv path, why;
    bool holds; /* nobody knows what the file names: nothing is removed meanwhile */
};
struct faults {
    struct arena arena; /* of the list */
    struct fault *p;
    size_t n;
};

struct folder_backend {
    struct backend base;
    struct arena *arena;
    const struct control_options *options;
    struct backend_events events;
    struct map entries;
    struct faults faults;
    struct map texts;       /* by path: struct text, as it was when all of it could be used */
    struct mailbox mailbox; /* what workers wrote */
    int inotify, bell;
    int watch; /* of the folder as it was when we looked at it; -1: none */
    dev_t device;
    ino_t inode;
    int64_t looked_ms;  /* monotonic: when all files were read last */
    int64_t created_ms; /* the newest creationTimestamp that was given */
    bool scanned;
};

/* An object that no file names any more is removed after so long, if none has named it until then:
 * editors and copies take a file away before they put the new one there. */
enum { FOLDER_GRACE_MS = 2000 };

/* ---- entries.c ---- */

/* "Kind/ns/name". */
struct sv entry_key(const struct json *object, struct arena *a);
/* One of our kinds, not a Secret. */
bool entry_is_ours(const struct json *object);
/* Where the state folder keeps it. */
struct sv entry_state_path(const struct folder_backend *f, struct sv key, struct arena *a);
/* Replaces what is known of an object; `file` names it, or is empty. */
struct entry *entry_put(struct folder_backend *f, const struct json *object, struct sv file);
void entry_announce(struct folder_backend *f, const struct json *object);
/* A manifest as it stands in a file now. */
void entry_take(struct folder_backend *f, const struct json *manifest, struct sv file);
/* Our finalizer holds an object that no file names any more. */
bool entry_is_deleting(const struct entry *n);
/* No file names it any more: gone at once, or deleting while our finalizer holds it. */
void entry_lose(struct folder_backend *f, struct entry *n);

/* ---- folder_faults.c ---- */

/* What is wrong there from now on; an empty `why`: nothing. Told when it changes. */
void fault_set(struct folder_backend *f, struct sv path, struct sv why, bool holds);
const struct fault *fault_at(const struct folder_backend *f, struct sv path);
/* Whether nothing may be removed. */
bool faults_hold(const struct folder_backend *f);
void faults_done(struct faults *x);

/* ---- folder_texts.c ---- */

/* Remembers what stands in a file; an empty text: nothing does any more. */
void text_keep(struct folder_backend *f, struct sv path, struct sv text);
/* Whether the text may be what is left of a file that was cut short: the beginning of what stood
 * there, ending within an object. */
bool text_is_cut(const struct folder_backend *f, struct sv path, struct sv text);
void file_texts_done(struct folder_backend *f);

/* ---- folder_scan.c ---- */

/* Has the kernel tell of changes in the folder as it is now. */
MUST_CHECK bool folder_follow(struct folder_backend *f, struct err *e);

/* What the state folder remembers. */
void folder_recall(struct folder_backend *f, struct sv folder);
/* Reads all files. */
void folder_scan(struct folder_backend *f);
/* Reads one file that may have changed. */
void folder_read(struct folder_backend *f, struct sv path);
/* Removes what has been gone for long enough, and looks again at what was wrong. */
void folder_settle(struct folder_backend *f);
/* In how many milliseconds folder_settle has something to do, at most `most`. */
int folder_due_ms(const struct folder_backend *f, int most);

#endif
