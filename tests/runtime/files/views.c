/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that checks views of files. The cache of the service has two pieces. Argument: `views`,
 * or `storm` and a character: the program fills a file with this character and reads the file's
 * views while another program does the same in another folder. It must never see the character of
 * the other program. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "novart/file_view.h"
#include "novart/guard.h"

#include "expect.h"

#define BYTES  200000 /* four views, the last one not full */
#define ROUNDS 300

static char data[BYTES];

static char byte_of(size_t i)
{
        return (char)((i * 7 + (i >> 9)) & 0xff);
}

static int make(const char *path)
{
        const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);

        for (size_t i = 0; i < BYTES; i++)
                data[i] = byte_of(i);
        expect(file >= 3 && write(file, data, BYTES) == BYTES, "the file is written");
        return file;
}

static bool as_written(const char *from, size_t place, size_t bytes)
{
        for (size_t i = 0; i < bytes; i++)
                if (from[i] != byte_of(place + i))
                        return false;
        return true;
}

/* Tests read() with sizes and positions of every kind. */
static void read_all(int file)
{
        static const size_t sizes[] = {65536, 70000, 16384, 5000, 100000};

        for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                size_t total = 0;

                expect(lseek(file, 0, SEEK_SET) == 0, "lseek");
                while (total < BYTES) {
                        const size_t left = BYTES - total;
                        const size_t part = sizes[i] < left ? sizes[i] : left;

                        memset(data, 0, sizeof(data));
                        if (read(file, data, sizes[i]) != (int)part ||
                            !as_written(data, total, part)) {
                                expect(false, "read() returns what was written");
                                break;
                        }
                        total += part;
                }
                expect(read(file, data, sizes[i]) == 0, "then the file ends");
        }
}

static bool at(int file, off_t place, char byte)
{
        return lseek(file, place, SEEK_SET) == place && read(file, data, 65536) > 0 &&
               data[0] == byte;
}

/* Tests that a later reader sees each change, and that each change ends the views of the changed
 * part. */
static void change(int file, int other)
{
        struct nova_file_view view, last;

        expect(nova_file_view_begin(file, 0, &view) == 0 && view.bytes == NOVA_FILE_VIEW_BYTES &&
                       as_written(view.data, 0, view.bytes) && nova_file_view_check(&view) == 0,
               "the view is the file's data");
        expect(nova_copy_guarded((void *)(uintptr_t)view.data, "x", 1) == EFAULT,
               "a view cannot be written");
        expect(nova_file_view_begin(file, 196608, &last) == 0 && last.bytes == BYTES - 196608 &&
                       as_written(last.data, 196608, last.bytes) &&
                       ((const char *)last.data)[last.bytes] == 0 &&
                       nova_file_view_check(&last) == 0,
               "the last view has the rest, and then zeros");
        expect(at(file, 10, byte_of(10)) && lseek(other, 10, SEEK_SET) == 10 &&
                       write(other, "!", 1) == 1,
               "a write");
        expect(((const volatile char *)view.data)[10] == 0 && nova_file_view_check(&view) == ESTALE,
               "a write ends the view");
        nova_file_view_end(&view);
        expect(at(file, 10, '!'), "a read sees the write");
        expect(nova_file_view_begin(file, 0, &view) == 0 && ((const char *)view.data)[10] == '!' &&
                       nova_file_view_check(&view) == 0,
               "and so does a new view");
        nova_file_view_end(&last);
        expect(nova_file_view_begin(file, 196608, &last) == 0 &&
                       at(file, BYTES - 1, byte_of(BYTES - 1)),
               "the end of the file");
        expect(lseek(other, 0, SEEK_END) == BYTES && write(other, "more", 4) == 4, "it grows");
        expect(*(const volatile char *)last.data == 0 && nova_file_view_check(&last) == ESTALE,
               "growth ends the view of the end");
        expect(at(file, BYTES, 'm'), "a read sees what was added");
        expect(ftruncate(other, 5) == 0 && *(const volatile char *)view.data == 0 &&
                       nova_file_view_check(&view) == ESTALE,
               "a new size ends the view");
        nova_file_view_end(&view);
        nova_file_view_end(&last);
        expect(lseek(file, 0, SEEK_SET) == 0 && read(file, data, 65536) == 5, "a read sees it");
}

static void look(void)
{
        const int file = make("/views"), other = open("/views", O_RDWR);
        struct nova_file_view view[NOVA_FILE_VIEWS + 1];
        int folder, writer, error;

        read_all(file);
        change(file, other);
        expect(close(file) == 0 && close(other) == 0, "close");
        writer = make("/views");
        expect(nova_file_view_begin(writer, 1, view) == EINVAL, "a place in a page");
        expect(nova_file_view_begin(writer, 262144, view) == 0 && !view->bytes, "after the end");
        nova_file_view_end(view);
        expect(nova_file_view_begin(99, 0, view) == EBADF, "a file that is not open");
        folder = open("/", O_RDONLY);
        expect(nova_file_view_begin(folder, 0, view) == EISDIR, "a folder");
        close(folder);
        folder = open("/views", O_WRONLY);
        expect(nova_file_view_begin(folder, 0, view) == EBADF, "open for writing only");
        close(folder);
        for (unsigned i = 0; i < NOVA_FILE_VIEWS; i++) {
                error = nova_file_view_begin(writer, i * (uint64_t)NOVA_FILE_VIEW_BYTES, &view[i]);
                expect(!error || error == EAGAIN, "several views");
        }
        expect(*(const volatile char *)view[1].data == 0 &&
                       nova_file_view_check(&view[1]) == ESTALE,
               "the cache keeps no view for ever");
        expect(nova_file_view_begin(writer, 0, &view[NOVA_FILE_VIEWS]) == EMFILE, "one too many");
        for (unsigned i = 0; i < NOVA_FILE_VIEWS; i++)
                nova_file_view_end(&view[i]);
        expect(nova_file_view_begin(writer, 65536, view) == 0 && nova_file_view_check(view) == 0,
               "a view is possible again");
        close(writer);
        expect(*(const volatile char *)view->data == 0 && nova_file_view_check(view) == ESTALE,
               "the end of the last use ends the view");
        nova_file_view_end(view);
        unlink("/views");
}

/* Reads the views of its own file while another program does the same. Both together need more than
 * the whole cache. */
static void storm(char mine)
{
        const int file = open("/storm", O_RDWR | O_CREAT | O_TRUNC, 0666);
        unsigned valid = 0;

        memset(data, mine, sizeof(data));
        expect(file >= 3 && write(file, data, BYTES) == BYTES, "the file is written");
        for (unsigned i = 0; i < ROUNDS && !wrong; i++) {
                const uint64_t place = (uint64_t)(i % 3) * NOVA_FILE_VIEW_BYTES;
                struct nova_file_view view;
                unsigned zeros = 0;

                if (!nova_file_view_begin(file, place, &view)) {
                        for (size_t n = 0; n < view.bytes; n += 64) {
                                const char byte = ((const volatile char *)view.data)[n];

                                expect(byte == mine || !byte, "another program's data");
                                zeros += !byte;
                        }
                        if (!nova_file_view_check(&view)) {
                                expect(!zeros, "a valid view has no zeros");
                                valid++;
                        }
                        nova_file_view_end(&view);
                }
                expect(lseek(file, (off_t)place, SEEK_SET) >= 0 && read(file, data, 65536) == 65536,
                       "read");
                for (size_t n = 0; n < 65536; n += 64)
                        expect(data[n] == mine, "read() returns its own data");
        }
        expect(valid > 0, "some views were valid");
        close(file);
}

int main(int argc, char **argv)
{
        if (argc > 2)
                storm(argv[2][0]);
        else
                look();
        printf("%s %s: %u expectations failed\n", argv[1], argc > 2 ? argv[2] : "", wrong);
        return wrong != 0;
}
