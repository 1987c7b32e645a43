/* test_folder.c - a folder of manifests looks like a cluster: uid, generation, status, deletion. */
#include "unit/control/folder_bench.h"

static void all_that_exists_is_told_and_then_synced(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}") "---\n" PRINCIPAL("b", "{}"));
    CHECK_SV(hear(&s), SV("+Principal/a 1\n+Principal/b 1\nsynced\n"));
    end(&s);
}

static void a_replaced_file_tells_what_changed_and_nothing_else(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}") "---\n" PRINCIPAL("b", "{}"));
    (void)hear(&s);
    write_manifest(&s, "a.yaml",
                   PRINCIPAL("a", "{}") "---\n" PRINCIPAL("b", "{clientCredentials: {}}"));
    CHECK_SV(hear(&s), SV("+Principal/b 2\n"));
    end(&s);
}

static void hidden_files_are_skipped(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(&s, ".a.yaml", PRINCIPAL("a", "{}"));
    CHECK_SV(hear(&s), SV("synced\n"));
    end(&s);
}

static void a_secret_of_text_becomes_data(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(&s, "s.yaml",
                   "apiVersion: v1\nkind: Secret\nmetadata: {name: k}\nstringData: {a: b}\n");
    CHECK_SV(hear(&s), SV("+Secret/k 0\nsynced\n"));
    CHECK_SV(json_get_str(json_get(s.heard.last, SV("data")), SV("a")), SV("Yg=="));
    end(&s);
}

static void what_vanished_with_our_finalizer_is_deleting_until_it_is_off(void)
{
    struct scene s = {0};
    struct err e = {0};

    begin_with_finalizer(&s);
    (void)hear(&s);
    file_remove(arena_printf(&s.arena, SV_FMT "/a.yaml", SV_ARG(s.options.resources_dir)));
    CHECK_SV(hear(&s), SV("+Principal/a deleting 1\n"));
    NEED_OK(s.backend->ops->put_finalizer(s.writer, s.heard.last, SV(FINALIZER), false, &e), &e);
    CHECK_SV(hear(&s), SV("-Principal/a\n"));
    end(&s);
}

static void a_restart_knows_uid_status_and_finalizer(void)
{
    struct scene s = {0};
    struct json *status;
    struct sv uid;
    struct err e = {0};

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}"));
    (void)hear(&s);
    uid = json_get_str(json_get(s.heard.last, SV("metadata")), SV("uid"));
    status = json_new_object(&s.arena);
    json_set_str(status, &s.arena, SV("clientId"), SV("x"));
    NEED_OK(s.backend->ops->put_status(s.writer, s.heard.last, status, &e), &e);
    s.backend->ops->close(s.backend);
    open_backend(&s);
    CHECK_SV(hear(&s), SV("+Principal/a 1\nsynced\n"));
    CHECK_SV(json_get_str(json_get(s.heard.last, SV("metadata")), SV("uid")), uid);
    CHECK_SV(json_get_str(json_get(s.heard.last, SV("status")), SV("clientId")), SV("x"));
    end(&s);
}

static void a_secret_of_our_own_is_for_its_owner_alone(void)
{
    struct scene s = {0};
    struct tags data = {0};
    struct secret_now made, there;
    struct stat st = {0};
    struct err e = {0};

    begin(&s);
    vec_push(&data, &s.arena, ((struct tag){SV("kid"), SV("one")}));
    NEED_OK(s.backend->ops->own_secret(s.writer, SV("k"), &s.arena, &there, &e), &e);
    CHECK(!there.found);
    NEED_OK(s.backend->ops->make_secret(s.writer, SV("k"), &data, &s.arena, &made, &e), &e);
    NEED_OK(s.backend->ops->own_secret(s.writer, SV("k"), &s.arena, &there, &e), &e);
    NEED(made.data.n == 1 && there.data.n == 1);
    CHECK_SV(there.data.p[0].value, SV("one"));
    NEED(stat(arena_printf(&s.arena, SV_FMT "/secrets/Secret.frontdesk.k.yaml",
                           SV_ARG(s.options.state_dir))
                  .p,
              &st) == 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    end(&s);
}

SUITE("control/folder", TEST(all_that_exists_is_told_and_then_synced),
      TEST(a_replaced_file_tells_what_changed_and_nothing_else), TEST(hidden_files_are_skipped),
      TEST(a_secret_of_text_becomes_data),
      TEST(what_vanished_with_our_finalizer_is_deleting_until_it_is_off),
      TEST(a_restart_knows_uid_status_and_finalizer),
      TEST(a_secret_of_our_own_is_for_its_owner_alone))
