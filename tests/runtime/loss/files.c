/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes files. Before and after each change it writes a sentence to block 0 of a partition, so a
 * recording of the disk's writes shows what must survive a power loss. Argument: the name of the
 * partition.
 *
 * touch V S NAME: the file may change in any way, whatever V and S are
 * either V S NAME: the file gets S bytes of version V; until then it has the old version and size
 * flushed V S NAME: the file has S bytes of version V */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "novart/service/block.h"

#define STEPS     80
#define NAMES     6
#define BYTES_MAX 6000

static const char *const names[NAMES] = {"/A.BIN",
                                         "/a long name of a file.data",
                                         "/folder/b",
                                         "/folder/B2.LONGER",
                                         "/folder/another long name of a file.data",
                                         "/new.tmp"};
static unsigned version_of[NAMES], size_of[NAMES], last_version;
static struct nova_block *marks;
static uint32_t seed = 18;

static unsigned random_number(unsigned below)
{
        seed = seed * 1664525 + 1013904223;
        return (unsigned)((uint64_t)seed * below >> 32);
}

static void die(const char *what)
{
        printf("%s: %s\n", what, strerror(errno));
        exit(1);
}

static void mark(const char *verb, unsigned name, unsigned version, unsigned size)
{
        static char block[4096]; /* as large as the largest block of a disk */

        memset(block, 0, sizeof(block));
        snprintf(block, sizeof(block), "%s %u %u %s\n", verb, version, size, names[name]);
        errno = nova_block_write(marks, 0, 1, block);
        if (errno)
                die("mark");
}

/* Writes bytes of a version from the end of the file up to a size, and flushes them. */
static void write_to(int file, unsigned from, unsigned size, unsigned version)
{
        static unsigned char data[2 * BYTES_MAX];

        for (unsigned i = from; i < size; i++)
                data[i] = (unsigned char)(i * 7 + version * 31 + (i >> 9));
        if (write(file, data + from, size - from) != (ssize_t)(size - from))
                die("write");
        if (fsync(file) || close(file))
                die("fsync");
}

static void open_and_write(unsigned name, bool append)
{
        const unsigned from = append ? size_of[name] : 0;
        int file;

        if (!append)
                version_of[name] = ++last_version;
        size_of[name] = from + 1 + random_number(BYTES_MAX);
        if (append)
                mark("either", name, version_of[name], size_of[name]);
        file = open(names[name], O_CREAT | O_WRONLY | (append ? O_APPEND : O_TRUNC), 0666);
        if (file < 0)
                die("open");
        write_to(file, from, size_of[name], version_of[name]);
        mark("flushed", name, version_of[name], size_of[name]);
}

/* Replaces a file by a new one. At any time either the old version or the new one exists. */
static void replace(unsigned name)
{
        const unsigned new = NAMES - 1;
        int file;

        mark("touch", new, 0, 0);
        open_and_write(new, false);
        mark("touch", new, 0, 0);
        mark(version_of[name] ? "either" : "touch", name, version_of[new], size_of[new]);
        if (rename(names[new], names[name]))
                die("rename");
        version_of[name] = version_of[new];
        size_of[name] = size_of[new];
        version_of[new] = 0;
        file = open(names[name], O_WRONLY);
        if (file < 0 || fsync(file) || close(file))
                die("fsync after rename");
        mark("flushed", name, version_of[name], size_of[name]);
}

/* Renames a folder. The judge does not check this folder, but fsck.fat must find no damage. The
 * service refuses a rename whose new name needs an entry in another sector. */
static void move_folder(void)
{
        static const char *const places[] = {"/moving", "/moved to a longer name"};
        static unsigned place;

        if (rename(places[place], places[!place]) == 0)
                place = !place;
        else if (errno != EXDEV)
                die("rename of a folder");
        if (rename(places[place], "/folder/moving") == 0 || errno != EXDEV)
                die("rename of a folder to another folder");
}

static void step(void)
{
        const unsigned name = random_number(NAMES - 1), what = random_number(6);

        if (what == 0 && version_of[name]) {
                mark("touch", name, 0, 0);
                if (unlink(names[name]))
                        die("unlink");
                version_of[name] = 0;
        } else if (what <= 2 && version_of[name] && size_of[name] < BYTES_MAX) {
                open_and_write(name, true);
        } else if (what <= 4) {
                replace(name);
        } else {
                mark("touch", name, 0, 0);
                open_and_write(name, false);
        }
}

int main(int argc, char **argv)
{
        if (argc < 2)
                return 1;
        errno = nova_block_open(&marks, "partitions", argv[1], 0);
        if (errno)
                die("marks");
        if (mkdir("/folder", 0777) || mkdir("/moving", 0777) || mkdir("/moving/below", 0777))
                die("mkdir");
        for (unsigned i = 0; i < STEPS; i++) {
                step();
                if (i % 8 == 0)
                        move_folder();
        }
        printf("%u steps are done\n", STEPS);
        return 0;
}
