/* replay.c - feeds each file of a corpus to a fuzz target, so that any compiler can replay it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *folder, const char *name)
{
    static uint8_t data[8 * 1024 * 1024];
    char path[4096];
    FILE *f;
    size_t n;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "rb");
    if (!f)
        return 0;
    n = fread(data, 1, sizeof(data), f);
    (void)fclose(f);
    /* An exact copy on the heap lets AddressSanitizer see a read past the end. */
    uint8_t *exact = malloc(n ? n : 1);

    if (!exact)
        return 0;
    memcpy(exact, data, n);
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 1;
}

int main(int argc, char **argv)
{
    int replayed = 0;
    DIR *d = argc > 1 ? opendir(argv[1]) : NULL;
    struct dirent *entry;

    if (!d) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(d))) {
        if (entry->d_name[0] != '.')
            replayed += replay_file(argv[1], entry->d_name);
    }
    (void)closedir(d);
    printf("%d inputs replayed\n", replayed);
    return replayed ? 0 : 1;
}
