/* folder_scan.c - the manifests of the folder, read; and what no file names any more. */
#include <errno.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "control/files.h"
#include "control/folder.h"
#include "control/manifests.h"
#include "wire/time.h"

static int64_t now_ms(const struct folder_backend *f)
{
    return world_mono_ms(f->options->world);
}

/* ---- one file ---- */

/* A file under way: what it names, and what is wrong with it. */
struct reading {
    struct folder_backend *folder;
    struct arena *arena;
    struct sv path;
    struct map named;
    struct buf why;
    bool holds;
};

static void find_fault(struct reading *r, bool holds, struct sv what)
{
    if (r->why.n)
        buf_add(&r->why, SV("; "));
    buf_add(&r->why, what);
    r->holds |= holds;
}

static void find_faults(struct reading *r, const struct yaml_doc *doc,
                        const struct complaints *faults)
{
    for (size_t i = 0; i < faults->n; i++)
        find_fault(r, true,
                   arena_printf(r->arena, "line %d: " SV_FMT " " SV_FMT,
                                yaml_line(doc, faults->p[i].field), SV_ARG(faults->p[i].field),
                                SV_ARG(faults->p[i].text)));
}

/* Of two files that name one object the first keeps it. */
static bool is_anothers(struct reading *r, const struct yaml_doc *doc, struct sv key)
{
    const struct entry *n = map_get(&r->folder->entries, key);
    const char *where = NULL;

    if (map_get(&r->named, key))
        where = "stands here twice; the first counts";
    else if (n && n->file.n && !n->missing_ms && !entry_is_deleting(n) && !sv_eq(n->file, r->path))
        where = "stands already in ";
    if (!where)
        return false;
    find_fault(r, false,
               arena_printf(r->arena, "line %d: " SV_FMT " %s" SV_FMT, doc->line, SV_ARG(key),
                            where, SV_ARG(map_get(&r->named, key) || !n ? SV("") : n->file)));
    return true;
}

static void take(struct reading *r, const struct yaml_doc *doc)
{
    struct complaints faults = {0};
    enum manifest_use use = manifest_use(doc->root, r->arena, &faults);
    struct sv key;

    find_faults(r, doc, &faults);
    if (use != MANIFEST_OURS && use != MANIFEST_SECRET)
        return;
    key = entry_key(doc->root, r->arena);
    if (is_anothers(r, doc, key))
        return;
    (void)map_put(&r->named, key, r);
    entry_take(r->folder, doc->root, r->path);
}

/* What this file named once and does not name now. */
static bool is_missing(struct reading *r, const struct entry *n)
{
    return sv_eq(n->file, r->path) && !entry_is_deleting(n) && !map_get(&r->named, n->key);
}

static bool misses_some(struct reading *r)
{
    for (const struct map_entry *i = NULL; (i = map_next(&r->folder->entries, i));) {
        if (is_missing(r, i->value))
            return true;
    }
    return false;
}

static void note_missing(struct reading *r)
{
    for (const struct map_entry *i = NULL; (i = map_next(&r->folder->entries, i));) {
        struct entry *n = i->value;

        if (is_missing(r, n) && !n->missing_ms)
            n->missing_ms = now_ms(r->folder);
    }
}

/* The file is there, though nobody can say what it names. */
static void keep_named(struct folder_backend *f, struct sv path)
{
    for (const struct map_entry *i = NULL; (i = map_next(&f->entries, i));) {
        struct entry *n = i->value;

        if (sv_eq(n->file, path) && !entry_is_deleting(n))
            n->missing_ms = 0;
    }
}

static void read_docs(struct reading *r, struct sv text, const struct yaml_docs *docs)
{
    for (size_t i = 0; i < docs->n; i++)
        take(r, &docs->p[i]);
    if (!docs->n)
        find_fault(r, true, SV("is empty: what it named stays in force; remove the file instead"));
    else if (text_is_cut(r->folder, r->path, text) && misses_some(r))
        find_fault(r, true, SV("is cut short: it is the beginning of what stood there before"));
    else
        note_missing(r);
    if (!r->holds)
        text_keep(r->folder, r->path, text);
    fault_set(r->folder, r->path, buf_sv(&r->why), r->holds);
}

void folder_read(struct folder_backend *f, struct sv path)
{
    auto_arena a = {.wipe = true};
    struct yaml_docs docs = {0};
    struct err e = {0};
    struct sv text = {0};
    struct reading r = {f, &a, path, map_new(&a), buf_new(&a, 4096), false};

    if (!manifest_exists(path)) {
        note_missing(&r);
        fault_set(f, path, (struct sv){0}, false);
        return;
    }
    if (manifest_read(path, LIMIT_YAML_BYTES, &a, &text, &e) && file_documents(text, &a, &docs, &e))
        read_docs(&r, text, &docs);
    else
        fault_set(f, path, sv_from(e.msg), true);
    if (fault_at(f, path) && fault_at(f, path)->holds)
        keep_named(f, path);
}

/* ---- all of them ---- */

/* The folder itself may be another than before: a mount that came or went, a link that was moved.
 */
static bool is_another(const struct folder_backend *f)
{
    auto_arena a = {0};
    struct stat st;

    return stat(arena_cstr(&a, f->options->resources_dir), &st) != 0 || f->watch < 0 ||
           st.st_dev != f->device || st.st_ino != f->inode;
}

bool folder_follow(struct folder_backend *f, struct err *e)
{
    auto_arena a = {0};
    const char *path = arena_cstr(&a, f->options->resources_dir);
    struct stat st;

    if (stat(path, &st) != 0)
        return err_set(e, ERR_INVALID, "%s", strerrordesc_np(errno));
    if (f->watch >= 0)
        (void)inotify_rm_watch(f->inotify, f->watch);
    f->device = st.st_dev;
    f->inode = st.st_ino;
    f->watch =
        inotify_add_watch(f->inotify, path,
                          IN_ONLYDIR | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                              IN_CREATE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
    return f->watch >= 0 || err_set(e, ERR_INVALID, "%s", strerrordesc_np(errno));
}

static bool has_files(const struct folder_backend *f)
{
    for (const struct map_entry *i = NULL; (i = map_next(&f->entries, i));) {
        const struct entry *n = i->value;

        if (entry_is_ours(n->object) && !entry_is_deleting(n))
            return true;
    }
    return false;
}

/* Faults of files that are not there any more, and all entries that no file named. */
static void look_for_gone(struct folder_backend *f)
{
    auto_arena a = {0};
    struct sv_vec gone = {0};

    for (size_t i = 0; i < f->faults.n; i++) {
        if (!manifest_exists(f->faults.p[i].path))
            vec_push(&gone, &a, arena_dup(&a, f->faults.p[i].path));
    }
    for (size_t i = 0; i < gone.n; i++)
        fault_set(f, gone.p[i], (struct sv){0}, false);
    for (const struct map_entry *i = NULL; (i = map_next(&f->entries, i));) {
        struct entry *n = i->value;
        bool orphan = !n->file.n && entry_is_ours(n->object);

        if (!n->missing_ms && (orphan || (n->file.n && !manifest_exists(n->file))))
            n->missing_ms = now_ms(f);
    }
}

static void tell_folders(struct folder_backend *f, const struct sv_vec *folders)
{
    for (size_t i = 0; i < folders->n; i++)
        fault_set(f, folders->p[i],
                  SV("is a folder with manifests: those in sub-folders are not read; move them up"),
                  false);
}

/* A file of the folder, not the folder itself, a folder below it or a file of the state. */
static bool is_resource(const struct folder_backend *f, struct sv path)
{
    ptrdiff_t slash = sv_rfind(path, '/');

    return slash >= 0 && sv_eq(sv_first(path, (size_t)slash), f->options->resources_dir) &&
           file_is_manifest(sv_skip(path, (size_t)slash + 1));
}

/* An object that another file gave up can be taken by one that was read before. */
static void read_faulty(struct folder_backend *f)
{
    auto_arena a = {0};
    struct sv_vec paths = {0};

    for (size_t i = 0; i < f->faults.n; i++) {
        if (is_resource(f, f->faults.p[i].path))
            vec_push(&paths, &a, arena_dup(&a, f->faults.p[i].path));
    }
    for (size_t i = 0; i < paths.n; i++)
        folder_read(f, paths.p[i]);
}

/* Its values are not remembered: they are read once more. */
static void announce_secret(struct folder_backend *f, const struct entry *n)
{
    auto_arena a = {.wipe = true};
    struct yaml_docs docs = {0};
    struct sv text, path = entry_state_path(f, n->key, &a);
    struct err e = {0};

    if (!manifest_read(path, LIMIT_YAML_BYTES, &a, &text, &e) ||
        !file_documents(text, &a, &docs, &e))
        fault_set(f, path, sv_from(e.msg), true);
    else if (docs.n)
        entry_announce(f, docs.p[0].root);
}

static void announce_remembered(struct folder_backend *f)
{
    for (const struct map_entry *i = NULL; (i = map_next(&f->entries, i));) {
        const struct entry *n = i->value;

        /* What was removed while we were away is not in force again until that is sure. */
        if (n->file.n || (n->missing_ms && !entry_is_deleting(n) && !faults_hold(f)))
            continue;
        if (entry_is_ours(n->object))
            entry_announce(f, n->object);
        else
            announce_secret(f, n);
    }
}

static bool list_files(struct folder_backend *f, struct arena *a, struct sv_vec *files,
                       struct sv_vec *folders, struct err *e)
{
    bool another = is_another(f) || !f->scanned;

    if ((another && !folder_follow(f, e)) ||
        !file_list(f->options->resources_dir, a, files, folders, e))
        return false;
    another = another || fault_at(f, f->options->resources_dir);
    return files->n || !another || !has_files(f) ||
           err_set(e, ERR_INVALID,
                   "holds no manifest, and may be a mount that is not there: what "
                   "stood there stays in force; put a manifest there");
}

static void read_all(struct folder_backend *f)
{
    auto_arena a = {0};
    struct sv_vec files = {0}, folders = {0};
    struct err e = {0};

    if (!list_files(f, &a, &files, &folders, &e)) {
        fault_set(f, f->options->resources_dir, sv_from(e.msg), true);
        return;
    }
    fault_set(f, f->options->resources_dir, (struct sv){0}, false);
    for (size_t i = 0; i < files.n; i++)
        folder_read(f, files.p[i]);
    look_for_gone(f);
    tell_folders(f, &folders);
    read_faulty(f);
}

void folder_scan(struct folder_backend *f)
{
    read_all(f);
    f->looked_ms = now_ms(f);
    if (f->scanned)
        return;
    announce_remembered(f);
    f->scanned = true;
    f->events.synced(f->events.context);
}

/* ---- what is gone for good ---- */

static bool is_due(const struct folder_backend *f, const struct entry *n)
{
    return n->missing_ms && !entry_is_deleting(n) && now_ms(f) - n->missing_ms >= FOLDER_GRACE_MS;
}

static bool misses(const struct folder_backend *f)
{
    for (const struct map_entry *i = NULL; (i = map_next(&f->entries, i));) {
        const struct entry *n = i->value;

        if (n->missing_ms && !entry_is_deleting(n))
            return true;
    }
    return fault_at(f, f->options->resources_dir) != NULL;
}

static void remove_due(struct folder_backend *f)
{
    auto_arena a = {0};
    struct sv_vec lost = {0};

    for (const struct map_entry *i = NULL; (i = map_next(&f->entries, i));) {
        const struct entry *n = i->value;

        if (is_due(f, n))
            vec_push(&lost, &a, arena_dup(&a, n->key));
    }
    for (size_t i = 0; i < lost.n; i++)
        entry_lose(f, map_get(&f->entries, lost.p[i]));
}

void folder_settle(struct folder_backend *f)
{
    bool due = now_ms(f) - f->looked_ms >= FOLDER_GRACE_MS, missing = misses(f);

    /* The whole folder is looked at before anything goes: another file may name it by now. */
    if ((due && missing) || is_another(f)) {
        folder_scan(f);
        if (!faults_hold(f))
            remove_due(f);
    } else if (due && faults_hold(f)) {
        read_faulty(f);
        f->looked_ms = now_ms(f);
    }
}

int folder_due_ms(const struct folder_backend *f, int most)
{
    int64_t left = f->looked_ms + FOLDER_GRACE_MS - now_ms(f);

    if ((!misses(f) && !faults_hold(f)) || left > most)
        return most;
    return left > 0 ? (int)left : 0;
}

/* ---- what is remembered ---- */

static void recall(struct folder_backend *f, const struct json *object)
{
    struct err ignored = {0};
    int64_t created = 0;
    struct entry *n = entry_put(f, object, (struct sv){0});

    if (time_read(json_get_str(json_get(n->object, SV("metadata")), SV("creationTimestamp")),
                  &created, &ignored) &&
        created > f->created_ms)
        f->created_ms = created;
}

void folder_recall(struct folder_backend *f, struct sv folder)
{
    auto_arena a = {.wipe = true};
    struct sv_vec files = {0}, folders = {0};
    struct err e = {0};

    if (!file_list(folder, &a, &files, &folders, &e))
        fault_set(f, folder, sv_from(e.msg), true);
    for (size_t i = 0; i < files.n; i++) {
        struct yaml_docs docs = {0};

        struct sv text = {0};

        e = (struct err){0};
        if (!manifest_read(files.p[i], LIMIT_YAML_BYTES, &a, &text, &e) ||
            !file_documents(text, &a, &docs, &e))
            fault_set(f, files.p[i], sv_from(e.msg), true);
        for (size_t j = 0; j < docs.n; j++) {
            struct complaints ignored = {0};

            if (manifest_use(docs.p[j].root, &a, &ignored) < MANIFEST_FOREIGN)
                recall(f, docs.p[j].root);
        }
    }
}
