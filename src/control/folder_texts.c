/* folder_texts.c - what stood in each file, to tell a file that was cut short from one that was
 * changed. */
#include "control/folder.h"

static void drop(struct text *t)
{
    struct arena last = t->arena;

    arena_done(&last);
}

void text_keep(struct folder_backend *f, struct sv path, struct sv text)
{
    struct arena own = {.wipe = true};
    struct text *t, *was;

    if (text.n) {
        t = arena_new(&own, struct text);
        t->text = arena_dup(&own, text);
        t->arena = own;
        was = map_put(&f->texts, path, t);
    } else {
        was = map_remove(&f->texts, path);
    }
    if (was)
        drop(was);
}

bool text_is_cut(const struct folder_backend *f, struct sv path, struct sv text)
{
    const struct text *was = map_get(&f->texts, path);
    struct sv rest;

    if (!was || text.n >= was->text.n || !sv_starts(was->text, text))
        return false;
    rest = sv_skip(was->text, text.n);
    /* Whoever takes whole objects off the end leaves it between two of them. */
    return !sv_ends(sv_trim(text), SV("---")) && !sv_starts(sv_trim(rest), SV("---"));
}

void file_texts_done(struct folder_backend *f)
{
    for (const struct map_entry *i = NULL; (i = map_next(&f->texts, i));)
        drop(i->value);
}
