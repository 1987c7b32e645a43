/* test_files.c - objects as files: whole, never over another, never through a link. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/files.h"
#include "unit/suite.h"

struct scene {
    struct arena arena;
    struct sv folder; /* as a path of files.h: without the first slash */
};

static void begin(struct scene *s)
{
    char folder[] = "/tmp/frontdesk-files-XXXXXX";

    NEED(mkdtemp(folder) != NULL);
    s->folder = arena_dup(&s->arena, sv_from(folder + 1));
}

static void end(struct scene *s)
{
    NEED(system(arena_printf(&s->arena, "rm -rf /" SV_FMT, SV_ARG(s->folder)).p) == 0);
    arena_done(&s->arena);
}

static struct sv at(struct scene *s, const char *name)
{
    return arena_printf(&s->arena, SV_FMT "/%s", SV_ARG(s->folder), name);
}

static const char *absolute(struct scene *s, const char *name)
{
    return arena_printf(&s->arena, "/" SV_FMT "/%s", SV_ARG(s->folder), name).p;
}

static enum err_code reads(struct scene *s, const char *name, size_t max_bytes, struct sv *out)
{
    struct err e = {0};

    return stored_file_read(at(s, name), max_bytes, &s->arena, out, &e) ? ERR_NONE : e.code;
}

static void what_was_written_is_read_in_folders_made_for_it(void)
{
    struct scene s = {0};
    struct sv got = {0};
    struct err e = {0};

    begin(&s);
    CHECK_OK(stored_file_write(at(&s, "a/b/x.json"), SV("{}"), &e), &e);
    CHECK_INT(reads(&s, "a/b/x.json", 2, &got), ERR_NONE);
    CHECK_SV(got, SV("{}"));
    end(&s);
}

static void a_file_is_never_written_over(void)
{
    struct scene s = {0};
    struct sv got = {0};
    struct err e = {0};

    begin(&s);
    CHECK_OK(stored_file_write(at(&s, "x"), SV("first"), &e), &e);
    CHECK(!stored_file_write(at(&s, "x"), SV("second"), &e));
    CHECK_INT(e.code, ERR_CONFLICT);
    CHECK_INT(reads(&s, "x", 100, &got), ERR_NONE);
    CHECK_SV(got, SV("first"));
    end(&s);
}

static void a_file_beyond_the_limit_is_refused(void)
{
    struct scene s = {0};
    struct sv got;
    struct err e = {0};

    begin(&s);
    CHECK_OK(stored_file_write(at(&s, "x"), SV("123"), &e), &e);
    CHECK_INT(reads(&s, "x", 3, &got), ERR_NONE);
    CHECK_INT(reads(&s, "x", 2, &got), ERR_INVALID);
    end(&s);
}

static void what_is_not_there_is_not_found_and_gone_already(void)
{
    struct scene s = {0};
    struct sv got;
    struct err e = {0};

    begin(&s);
    CHECK_INT(reads(&s, "x", 1, &got), ERR_NOT_FOUND);
    CHECK_INT(reads(&s, "no/x", 1, &got), ERR_NOT_FOUND);
    CHECK_OK(stored_file_remove(at(&s, "x"), &e), &e);
    CHECK_OK(stored_file_remove(at(&s, "no/x"), &e), &e);
    end(&s);
}

static void a_link_is_not_followed_wherever_it_stands(void)
{
    struct scene s = {0};
    struct sv got;
    struct err e = {0};

    begin(&s);
    NEED(symlink("/etc", absolute(&s, "folder")) == 0);
    NEED(symlink("/etc/passwd", absolute(&s, "file")) == 0);
    CHECK_INT(reads(&s, "folder/passwd", 1 << 20, &got), ERR_DENIED);
    CHECK_INT(reads(&s, "file", 1 << 20, &got), ERR_DENIED);
    CHECK(!stored_file_write(at(&s, "folder/frontdesk-was-here"), SV("x"), &e));
    CHECK(access("/etc/frontdesk-was-here", F_OK) != 0);
    CHECK(!stored_file_remove(at(&s, "folder/passwd"), &e));
    CHECK(access("/etc/passwd", F_OK) == 0);
    end(&s);
}

static void a_pipe_is_no_object_and_holds_nobody_up(void)
{
    struct scene s = {0};
    struct sv got;

    begin(&s);
    NEED(mkfifo(absolute(&s, "pipe"), 0600) == 0);
    CHECK_INT(reads(&s, "pipe", 100, &got), ERR_INVALID);
    end(&s);
}

SUITE("store/files", TEST(what_was_written_is_read_in_folders_made_for_it),
      TEST(a_file_is_never_written_over), TEST(a_file_beyond_the_limit_is_refused),
      TEST(what_is_not_there_is_not_found_and_gone_already),
      TEST(a_link_is_not_followed_wherever_it_stands),
      TEST(a_pipe_is_no_object_and_holds_nobody_up))
