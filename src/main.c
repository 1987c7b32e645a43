/* main.c - the commands by name. */
#include <string.h>
#include <unistd.h>

#include "base/confine.h"
#include "options.h"

enum { MAX_FAULTS_BYTES = 4 * 1024 * 1024 };

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
    {"audit",   cmd_audit,   false},
};

/* 0, or the exit status with what is wrong said. */
static int read_options(const struct command *command, int argc, char **argv, struct arena *a,
                        struct options *o)
{
    struct buf faults = buf_new(a, MAX_FAULTS_BYTES);
    struct err e = {0};

    if (!options_read(argv[1], argc - 2, argv + 2, a, o, &e))
        buf_addf(&faults, "frontdesk: %s\n", e.msg);
    else if (o->n_rest && !command->takes_more)
        buf_addf(&faults, "frontdesk: %s takes no \"%.60s\"; see frontdesk --help\n", argv[1],
                 o->rest[0]);
    else if (!o->config.n || config_read(o, argv[1], a, &faults))
        return 0;
    print(STDERR_FILENO, buf_sv(&faults));
    return 2;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    auto_arena a = {0};
    struct options o = {0};
    int status = read_options(command, argc, argv, &a, &o);

    return status ? status : command->run(&o);
}

int main(int argc, char **argv)
{
    /* Each command may come to hold a secret. Leak detection must be able to attach. */
    if (!SANITIZED)
        confine_memory();
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
