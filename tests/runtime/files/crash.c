/* SPDX-License-Identifier: BSD-2-Clause */
/* A client that replaces files while the service `files` ends again and again. Argument: the number
 * of ends to wait for. The data that it has flushed must exist after each end. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES 5
#define BYTES 6000

static unsigned kept[NAMES]; /* number of the content that must survive; 0: none */
static unsigned ends, retried;
static int held; /* a file that is open at each end */
static DIR *folder;

static void require(bool good, const char *text)
{
        if (good)
                return;
        printf("check failed: %s (%s)\n", text, strerror(errno));
        exit(1);
}

static size_t size_of(unsigned number)
{
        return 600 + number * 389 % (BYTES - 600);
}

static void fill(char *data, unsigned number)
{
        for (size_t i = 0; i < size_of(number); i++)
                data[i] = (char)((i * 7 + number * 31 + (i >> 9)) & 0xff);
}

/* Returns true if a call failed because the service has ended. No other error is expected. */
static bool failed(bool good, const char *text)
{
        if (!good)
                require(errno == EIO, text);
        return !good;
}

static const char *path_of(unsigned number)
{
        static char path[40];

        snprintf(path, sizeof(path), "/a file with the number %u", number % NAMES);
        return path;
}

/* Writes a file and flushes it. */
static bool put(const char *path, unsigned number)
{
        static char data[BYTES];
        const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
        const int size = (int)size_of(number);
        bool good;

        if (failed(file >= 0, "open"))
                return false;
        fill(data, number);
        good = !failed(write(file, data, (size_t)size) == size, "write") &&
               !failed(fsync(file) == 0, "fsync");
        return !failed(close(file) == 0, "close") && good;
}

/* Flushes the new name of a file. */
static bool flush(const char *path)
{
        const int file = open(path, O_RDWR);
        bool good;

        if (failed(file >= 0, "open after rename"))
                return false;
        good = !failed(fsync(file) == 0, "fsync after rename");
        return !failed(close(file) == 0, "close after rename") && good;
}

static bool replace(unsigned number)
{
        return put("/new", number) && !failed(rename("/new", path_of(number)) == 0, "rename") &&
               flush(path_of(number));
}

/* Reads a file. @return its size; -1: it is absent; -2: the service has ended */
static int get(const char *path, char data[BYTES + 1])
{
        const int file = open(path, O_RDONLY);
        int size;

        if (file < 0 && errno == ENOENT)
                return -1;
        if (failed(file >= 0, "open for reading"))
                return -2;
        size = (int)read(file, data, BYTES + 1);
        if (failed(size >= 0, "read"))
                size = -2;
        else if (size && read(file, data + size, 1) != 0)
                size = -2; /* the service ended between two calls */
        close(file);
        return size;
}

static bool has_content(const char *data, int size, unsigned number)
{
        static char wanted[BYTES];

        fill(wanted, number);
        return number && size == (int)size_of(number) && !memcmp(data, wanted, (size_t)size);
}

/* Checks the contents of all names. The name to which content @p tried was written may have the old
 or the new content. */
static void check_all(unsigned tried)
{
        static char data[BYTES + 1];

        for (unsigned i = 0; i < NAMES; i++) {
                int size = get(path_of(i), data);

                while (size == -2) {
                        retried++;
                        size = get(path_of(i), data);
                }
                require((size == -1 && !kept[i]) || has_content(data, size, kept[i]) ||
                                (tried % NAMES == i && has_content(data, size, tried)),
                        path_of(i));
        }
}

static void hold(void)
{
        do {
                if (folder)
                        closedir(folder);
                folder = NULL;
                held = open("/held", O_RDWR);
                if (!failed(held >= 0, "open again"))
                        folder = opendir("/");
                if (!folder && held >= 0)
                        close(held);
        } while (!folder);
}

/* Checks that open files are lost with the service, and opens them again. */
static void recover(unsigned tried)
{
        char byte;
        int file;

        ends++;
        for (unsigned i = 0; i < 2; i++) { /* before and after the restart of the service */
                require(read(held, &byte, 1) == -1 && errno == EIO, "read of a lost file");
                require(write(held, &byte, 1) == -1 && errno == EIO, "write of a lost file");
                require(fsync(held) == -1 && errno == EIO, "fsync of a lost file");
                require(ftruncate(held, 0) == -1 && errno == EIO, "ftruncate of a lost file");
                require(!readdir(folder) && errno == EIO, "readdir of a lost folder");
                while ((file = open("/held", O_RDONLY)) < 0)
                        require(errno == EIO, "open by path");
                close(file);
        }
        require(close(held) == -1 && errno == EIO, "close of a lost file that could be written");
        require(close(held) == -1 && errno == EBADF, "its number is free then");
        require(closedir(folder) == 0, "closedir of a lost folder");
        folder = NULL;
        hold();
        check_all(tried);
}

int main(int argc, char **argv)
{
        const unsigned wanted = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
        unsigned number = 0;

        while (!put("/held", 1))
                retried++;
        hold();
        while (ends < wanted) {
                number++;
                while (!replace(number))
                        recover(number);
                kept[number % NAMES] = number;
        }
        check_all(0);
        printf("%u files were replaced and %u ends seen, nothing flushed is lost\n", number, ends);
        return 0;
}
