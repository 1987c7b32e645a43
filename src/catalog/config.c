/* config.c - GET /v1/config: what a client needs to go on. */
#include "catalog/routes.h"

static struct json *endpoints(struct arena *a)
{
    struct json *list = json_new_array(a);

    for (size_t i = 0; i < catalog_routes.n; i++) {
        if (catalog_routes.p[i].advertised)
            json_push(
                list,
                json_new_str(a, arena_printf(a, SV_FMT " %s",
                                             SV_ARG(http_method_text(catalog_routes.p[i].method)),
                                             catalog_routes.p[i].path)));
    }
    return list;
}

/* The one catalog that the caller sees, when there is one. */
static const struct rule_catalog *only_catalog(struct call *c)
{
    const struct rule_catalog *const *all, *found = NULL;
    size_t n = rulebook_catalogs(c->rules, &all);

    for (size_t i = 0; i < n; i++) {
        struct subject s = {.catalog = all[i]};

        if (!rulebook_sees(c->rules, &c->who, &s))
            continue;
        if (found)
            return NULL;
        found = all[i];
    }
    return found;
}

bool config_show(struct call *c, struct err *e)
{
    const struct sv *warehouse = form_get(&c->query, SV("warehouse"));
    struct json *body = json_new_object(c->arena), *overrides = json_new_object(c->arena),
                *defaults = json_new_object(c->arena);

    if (warehouse && warehouse->n) {
        c->params[0] = uri_encoded(c->arena, *warehouse);
        if (!call_catalog(c, e))
            return false;
    } else if (!(c->catalog = only_catalog(c))) {
        return err_set(e, ERR_INVALID, "name a catalog: add the parameter warehouse");
    }
    for (size_t i = 0; i < c->catalog->n_properties; i++)
        json_set_str(defaults, c->arena, c->catalog->properties[i].key,
                     c->catalog->properties[i].value);
    json_set_str(overrides, c->arena, SV("prefix"), c->catalog->name);
    json_set(body, SV("defaults"), defaults);
    json_set(body, SV("overrides"), overrides);
    json_set(body, SV("endpoints"), endpoints(c->arena));
    json_set_str(body, c->arena, SV("idempotency-key-lifetime"), SV("PT30M"));
    http_header_add(&c->out.headers, c->arena, SV("Cache-Control"), SV("no-store"));
    return call_reply_json(c, 200, body);
}
