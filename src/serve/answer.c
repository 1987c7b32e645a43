/* answer.c - the LoadTableResult of load, create, stage and register. */
#include "serve/routes.h"
#include "serve/table_steps.h"

static bool reply_result(struct call *c, UNUSED const struct err *outcome, UNUSED struct err *e)
{
    http_header_add(&c->out.headers, c->arena, SV("Cache-Control"), SV("no-store"));
    return call_reply_json(c, 200, c->work);
}

bool table_answer(struct call *c, const struct table_at *t, struct sv file, struct json *metadata,
                  struct err *e)
{
    struct vend_ask ask = {.ns = t->path.ns, .table = t->path.table, .n_folders = t->n_folders};
    struct json *result = json_new_object(c->arena);

    if (file.n)
        json_set_str(result, c->arena, SV("metadata-location"), file);
    else
        json_set(result, SV("metadata-location"), NULL);
    json_set(result, SV("metadata"), metadata);
    json_set(result, SV("config"), json_new_object(c->arena));
    for (size_t i = 0; i < t->n_folders; i++)
        ask.folders[i] = t->folders[i];
    ask.result = result;
    c->work = result;
    return call_vend(c, &ask, reply_result, e);
}
