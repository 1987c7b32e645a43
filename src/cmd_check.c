/* cmd_check.c - manifests held against the rules, for pipelines. */
#include <stdio.h>

#include "control/control.h"
#include "options.h"

enum { MAX_FAULTS_BYTES = 16 * 1024 * 1024 };

int cmd_check(const struct options *o)
{
    auto_arena a = {0};
    struct check_report r = {.faults = buf_new(&a, MAX_FAULTS_BYTES),
                             .notes = buf_new(&a, MAX_FAULTS_BYTES)};
    bool good;

    if (o->n_rest == 0) {
        (void)fputs("frontdesk: check: name the files or folders to look at\n", stderr);
        return 2;
    }
    good = control_check(o->rest, o->n_rest, &r);
    (void)fwrite(r.faults.p, 1, r.faults.n, stdout);
    (void)fwrite(r.notes.p, 1, r.notes.n, stderr);
    (void)fprintf(stderr,
                  "frontdesk: check: %zu objects in %zu files; passed over %zu of other kinds\n",
                  r.objects, r.files, r.passed_over);
    return good ? 0 : 1;
}
