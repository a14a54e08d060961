/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a disk that mksquashfs has made. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES 40000
#define FILES 500

/* Reads lines that contain the numbers 1, 2, and so on. @return the number of lines */
static unsigned read_lines(void)
{
        FILE *file = fopen("/folder/numbers", "r");
        char line[32];
        unsigned count = 0;

        while (file && fgets(line, sizeof(line), file) && strtoul(line, NULL, 10) == count + 1)
                count++;
        if (file)
                fclose(file);
        return count;
}

static unsigned count_files(void)
{
        DIR *folder = opendir("/many");
        unsigned count = 0;

        for (const struct dirent *i; folder && (i = readdir(folder));)
                count += strncmp(i->d_name, "file ", 5) == 0;
        if (folder)
                closedir(folder);
        return count;
}

int main(void)
{
        const unsigned lines = read_lines(), files = count_files();
        const bool refused = open("/folder/numbers", O_RDWR) < 0 && errno == EROFS;

        printf("%u lines, %u files, %s\n", lines, files,
               refused ? "cannot be written" : "can be written");
        return lines == LINES && files == FILES && refused ? 0 : 1;
}
