/* main.c - the commands by name. */
#include <string.h>
#include <unistd.h>

#include "options.h"

static void print(int fd, struct sv text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);

        if (n <= 0)
            return;
        text = sv_skip(text, (size_t)n);
    }
}

static int help(int fd, int status)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 65536);

    options_help(&b);
    print(fd, buf_sv(&b));
    return status;
}

static const struct command {
    const char *name;
    int (*run)(const struct options *o);
    bool takes_more; /* than options */
} commands[] = {
    {"run",     cmd_run,     false},
    {"check",   cmd_check,   true },
    {"explain", cmd_explain, false},
    {"store",   cmd_store,   true },
    {"table",   cmd_table,   true },
};

static int run_command(const struct command *command, int argc, char **argv)
{
    auto_arena a = {0};
    struct options o = {0};
    struct err e = {0};

    if (options_read(argv[1], argc - 2, argv + 2, &a, &o, &e)) {
        if (o.n_rest == 0 || command->takes_more)
            return command->run(&o);
        (void)err_set(&e, ERR_INVALID, "%s takes no \"%.60s\"; see frontdesk --help", argv[1],
                      o.rest[0]);
    }
    print(STDERR_FILENO, arena_printf(&a, "frontdesk: %s\n", e.msg));
    return 2;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return help(STDOUT_FILENO, 0);
    }
    if (argc < 2)
        return help(STDERR_FILENO, 2);
    if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0) {
        print(STDOUT_FILENO, SV("frontdesk " FRONTDESK_VERSION "\n"));
        return 0;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return run_command(&commands[i], argc, argv);
    }
    return help(STDERR_FILENO, 2);
}
