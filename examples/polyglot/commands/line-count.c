/* An ordinary command: counts the lines of files. They are its argv; UNIT=bytes in its environment lets it count bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    const char *unit = getenv("UNIT");
    int bytes = unit && !strcmp(unit, "bytes");
    unsigned long long total = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE…\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        unsigned long long count = 0;
        if (!file) {
            perror(argv[i]);
            return 1;
        }
        for (int c; (c = getc(file)) != EOF;) count += bytes || c == '\n';
        fclose(file);
        printf("%8llu %s\n", count, argv[i]);
        total += count;
    }
    printf("%8llu %s in all\n", total, bytes ? "bytes" : "lines");
    return 0;
}
