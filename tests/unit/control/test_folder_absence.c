/* test_folder_absence.c - nothing is removed because a file or the folder is broken or away for a
 * moment, and nothing is taken in silence. */
#include "unit/control/folder_bench.h"

/* Two files, of which b.yaml names b and c, and has become this. */
static void break_file(struct scene *s, const char *text)
{
    begin(s);
    write_manifest(s, "a.yaml", PRINCIPAL("a", "{}"));
    write_manifest(s, "b.yaml", PRINCIPAL("b", "{}") "---\n" PRINCIPAL("c", "{}"));
    CHECK_SV(hear(s), SV("+Principal/a 1\n+Principal/b 1\n+Principal/c 1\nsynced\n"));
    write_manifest(s, "b.yaml", text);
}

static void a_file_that_cannot_be_used_removes_nothing(void)
{
    static const char *const broken[][2] = {
        {"kind: [unclosed",              "not YAML"                  },
        {"",                             "is empty"                  },
        {"# nothing\n---\n",             "is empty"                  },
        {"[1, {",                        "not YAML"                  },
        {PRINCIPAL("b",                  "{}") "---\napiVersion: pol", "is cut short"},
        {PRINCIPAL("b",                              "{}") "---\napiVer",                                              "must be an object"},
        {"apiVersion: polaris.apache.org/v9\nkind: Principal\nmetadata: {name: b}\n",
         "is \"polaris.apache.org/v9\""},
        {"apiVersion: polaris.apache.org/v1\nkind: Principl\nmetadata: {name: b}\n",
         "must be one of"                                   },
        {"apiVersion: v1\nkind: List\n",               "items is required"       },
        {"apiVersion: polaris.apache.org/v1\nkind: Principal\nmetadata: {name: b}\nspec",
         "not YAML"                 },
        {"apiVersion: polaris.apache.org/v1\nkind: Principal\nmetadata: {name: b}\n",
         "is cut short"                               },
    };

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct scene s = {0};

        break_file(&s, broken[i][0]);
        (void)hear_in(&s, 10);
        CHECK(!sv_contains(buf_sv(&s.heard.text), SV("-Principal")));
        CHECK(sv_contains(s.heard.unread, SV("b.yaml: ")));
        CHECK(sv_contains(s.heard.unread, sv_from(broken[i][1])));
        if (i < 3)
            hear_nothing(&s);
        /* Nothing else is removed either: nobody knows what the broken file names. */
        if (i == 0) {
            file_remove(path_of(&s, "a.yaml"));
            hear_nothing(&s);
        }
        end(&s);
    }
}

static void a_mended_file_is_taken_and_what_it_names_no_more_is_gone(void)
{
    struct scene s = {0};

    break_file(&s, "kind: [unclosed");
    (void)hear_in(&s, 10);
    write_manifest(&s, "b.yaml", PRINCIPAL("b", "{}"));
    CHECK_SV(hear(&s), SV("-Principal/c\n"));
    CHECK_SV(s.heard.unread, SV(""));
    end(&s);
}

static void a_file_that_is_replaced_in_two_steps_is_not_gone(void)
{
    struct scene s = {0};
    struct sv away;

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}"));
    write_manifest(&s, "z.yaml", PRINCIPAL("z", "{}"));
    (void)hear(&s);
    away = path_of(&s, "a.yaml~");
    NEED(rename(path_of(&s, "a.yaml").p, away.p) == 0);
    s.backend->ops->poll(s.backend, 100);
    NEED(rename(away.p, path_of(&s, "a.yaml").p) == 0);
    hear_nothing(&s);
    end(&s);
}

static void a_file_that_another_takes_over_from_is_not_gone(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}"));
    write_manifest(&s, "b.yaml", PRINCIPAL("a", "{}") "---\n" PRINCIPAL("b", "{}"));
    CHECK_SV(hear(&s), SV("+Principal/a 1\n+Principal/b 1\nsynced\n"));
    CHECK(
        sv_contains(s.heard.unread, SV("/b.yaml: line 1: Principal/default/a stands already in ")));
    file_remove(path_of(&s, "a.yaml"));
    CHECK_SV(hear(&s), SV("+Principal/a 1\n"));
    hear_nothing(&s);
    CHECK_SV(s.heard.unread, SV(""));
    end(&s);
}

static void of_two_that_name_one_object_the_first_counts_and_the_second_is_told(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(&s, "a.yaml",
                   PRINCIPAL("a", "{}") "---\n" PRINCIPAL("a", "{clientCredentials: {}}"));
    write_manifest(&s, "b.yaml", PRINCIPAL("a", "{clientCredentials: {}}"));
    CHECK_SV(hear(&s), SV("+Principal/a 1\nsynced\n"));
    CHECK_INT(json_count(json_get(s.heard.last, SV("spec"))), 0);
    CHECK(
        sv_contains(s.heard.unread, SV("/a.yaml: line 6: Principal/default/a stands here twice")));
    CHECK(
        sv_contains(s.heard.unread, SV("/b.yaml: line 1: Principal/default/a stands already in ")));
    end(&s);
}

/* The folder is taken away, as a mount goes, and an empty one is there instead, or none. */
static void a_folder_that_is_away_removes_nothing(void)
{
    for (int empty = 0; empty < 2; empty++) {
        struct scene s = {0};
        struct sv away;
        struct err e = {0};

        begin(&s);
        write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}"));
        (void)hear(&s);
        away = arena_printf(&s.arena, SV_FMT "-away", SV_ARG(s.options.resources_dir));
        NEED(rename(s.options.resources_dir.p, away.p) == 0);
        if (empty)
            NEED_OK(folder_make(s.options.resources_dir, &e), &e);
        hear_nothing(&s);
        CHECK(sv_contains(s.heard.unread, empty ? SV("resources: holds no manifest")
                                                : SV("resources: No such file")));
        if (empty)
            (void)rmdir(s.options.resources_dir.p);
        NEED(rename(away.p, s.options.resources_dir.p) == 0);
        write_manifest(&s, "b.yaml", PRINCIPAL("b", "{}"));
        CHECK_SV(hear(&s), SV("+Principal/b 1\n"));
        CHECK_SV(s.heard.unread, SV(""));
        end(&s);
    }
}

static void a_start_without_the_folders_files_removes_nothing(void)
{
    struct scene s = {0};

    begin_with_finalizer(&s);
    s.backend->ops->close(s.backend);
    file_remove(path_of(&s, "a.yaml"));
    open_backend(&s);
    CHECK_SV(hear(&s), SV("+Principal/a 1\nsynced\n"));
    CHECK(sv_contains(s.heard.unread, SV("holds no manifest")));
    hear_nothing(&s);
    end(&s);
}

static void what_was_removed_meanwhile_is_gone_after_a_start(void)
{
    struct scene s = {0};

    begin_with_finalizer(&s);
    s.backend->ops->close(s.backend);
    file_remove(path_of(&s, "a.yaml"));
    write_manifest(&s, "b.yaml", PRINCIPAL("b", "{}"));
    open_backend(&s);
    CHECK_SV(hear(&s), SV("+Principal/b 1\nsynced\n"));
    CHECK_SV(hear(&s), SV("+Principal/a deleting 1\n"));
    end(&s);
}

static void a_pipe_and_a_folder_are_no_manifests_and_hold_nobody_up(void)
{
    struct scene s = {0};
    struct sv below;
    struct err e = {0};

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}"));
    NEED(mkfifo(path_of(&s, "p.yaml").p, 0600) == 0);
    below = path_of(&s, "below");
    NEED_OK(folder_make(below, &e), &e);
    NEED_OK(file_replace(ARENA_JOIN(&s.arena, below, SV("/b.yaml")), SV(PRINCIPAL("b", "{}")), &e),
            &e);
    CHECK_SV(hear(&s), SV("+Principal/a 1\nsynced\n"));
    CHECK(sv_contains(s.heard.unread, SV("/p.yaml: is not a file")));
    CHECK(sv_contains(s.heard.unread, SV("/below: is a folder with manifests")));
    clear(below);
    end(&s);
}

static void lists_and_arrays_are_read_item_by_item(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(
        &s, "a.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: polaris.apache.org/v1, kind: "
        "Principal, metadata: {name: a, deletionTimestamp: x}, spec: {}}\n"
        "- {apiVersion: polaris.apache.org/v1, kind: PrincipalList, items: [{metadata: "
        "{name: b}, spec: {}}]}\n");
    write_manifest(&s, "c.json",
                   "[{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"Principal\","
                   "\"metadata\":{\"name\":\"c\"},\"spec\":{}}]");
    CHECK_SV(hear(&s), SV("+Principal/a 1\n+Principal/b 1\n+Principal/c 1\nsynced\n"));
    CHECK_SV(s.heard.unread, SV(""));
    end(&s);
}

static void what_is_seen_first_is_elder(void)
{
    struct scene s = {0};
    struct sv first;

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("z", "{}"));
    (void)hear(&s);
    first = json_get_str(json_get(s.heard.last, SV("metadata")), SV("creationTimestamp"));
    write_manifest(&s, "b.yaml", PRINCIPAL("a", "{}"));
    (void)hear(&s);
    CHECK(sv_cmp(first, json_get_str(json_get(s.heard.last, SV("metadata")),
                                     SV("creationTimestamp"))) < 0);
    end(&s);
}

SUITE("control/folder_absence", TEST(a_file_that_cannot_be_used_removes_nothing),
      TEST(a_mended_file_is_taken_and_what_it_names_no_more_is_gone),
      TEST(a_file_that_is_replaced_in_two_steps_is_not_gone),
      TEST(a_file_that_another_takes_over_from_is_not_gone),
      TEST(of_two_that_name_one_object_the_first_counts_and_the_second_is_told),
      TEST(a_folder_that_is_away_removes_nothing),
      TEST(a_start_without_the_folders_files_removes_nothing),
      TEST(what_was_removed_meanwhile_is_gone_after_a_start),
      TEST(a_pipe_and_a_folder_are_no_manifests_and_hold_nobody_up),
      TEST(lists_and_arrays_are_read_item_by_item), TEST(what_is_seen_first_is_elder))
