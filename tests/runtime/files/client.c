/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that uses files. Argument: `write` leaves files for the host, `exit` closes none of
 * them, `confined` tries to leave its folder, `read` has a folder that cannot be written, `full`
 * fills the disk, and a number is the number of files to replace. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expect.h"

/* Returns byte @p i of the file with this number. */
static char byte_of(unsigned number, size_t i)
{
        return (char)((i * 7 + number * 31 + (i >> 9)) & 0xff);
}

static void write_bytes(const char *path, unsigned number, size_t bytes)
{
        const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
        char *data = malloc(bytes);

        for (size_t i = 0; data && i < bytes; i++)
                data[i] = byte_of(number, i);
        if (!data) {
                expect(false, "memory");
                return;
        }
        expect(file >= 3 && write(file, data, bytes) == (int)bytes, path);
        expect(fsync(file) == 0 && lseek(file, 0, SEEK_SET) == 0, "it can be read again");
        memset(data, 0, bytes);
        expect(read(file, data, bytes) == (int)bytes, "all is read");
        for (size_t i = 0; i < bytes; i++)
                if (data[i] != byte_of(number, i)) {
                        expect(false, "the content is what was written");
                        break;
                }
        expect(read(file, data, 1) == 0, "then the file ends");
        expect(close(file) == 0, "close");
        free(data);
}

static void use_stdio(void)
{
        FILE *file = fopen("/stdio.txt", "w+");
        char line[32] = "";

        expect(file && fprintf(file, "first %d\nsecond\n", 1) > 0, "fprintf");
        expect(fseek(file, 6, SEEK_SET) == 0 && fgets(line, sizeof(line), file) &&
                       !strcmp(line, "1\n"),
               "fseek and fgets");
        expect(fclose(file) == 0, "fclose");
        file = fopen("/stdio.txt", "a");
        expect(file && fputs("third\n", file) >= 0 && fclose(file) == 0, "append");
        expect(!fopen("/absent.txt", "r") && errno == ENOENT, "an absent file");
}

static void change_names(void)
{
        struct stat about;
        int file;

        expect(mkdir("/folder", 0777) == 0, "mkdir");
        expect(mkdir("/folder", 0777) == -1 && errno == EEXIST, "a second mkdir");
        write_bytes("/folder/a long name of a file.data", 2, 5000);
        write_bytes("/moved", 3, 3000);
        expect(rename("/moved", "/folder/Renamed") == 0, "rename");
        expect(stat("/moved", &about) == -1 && errno == ENOENT, "the old name is gone");
        expect(stat("/folder/Renamed", &about) == 0 && about.st_size == 3000 &&
                       S_ISREG(about.st_mode),
               "the new name is there");
        write_bytes("/large", 5, 300000);
        expect(rename("/large", "/folder/large") == 0, "rename of a file that is copied in parts");
        expect(stat("/large", &about) == -1 && errno == ENOENT, "its old name is gone");
        expect(stat("/folder/large", &about) == 0 && about.st_size == 300000, "its new name");
        expect(unlink("/folder/large") == 0, "its end");
        expect(stat("/folder", &about) == 0 && S_ISDIR(about.st_mode), "a folder");
        expect(rmdir("/folder") == -1 && errno == ENOTEMPTY, "rmdir of a full folder");
        expect(rename("/folder", "/folder/inside") == -1 && errno == EINVAL, "into itself");
        expect(rename("/absent", "/absent/inside") == -1 && errno == ENOENT, "no file into itself");
        expect(rename("/folder", "/folder/absent/x") == -1 && errno == ENOENT, "no such folder");
        write_bytes("/gone", 4, 10);
        expect(rename("/gone", "/gone/inside") == -1 && errno == ENOTDIR, "a file into itself");
        expect(mkdir("/absent/inside", 0777) == -1 && errno == ENOENT, "mkdir in no folder");
        expect(mkdir("/gone/inside", 0777) == -1 && errno == ENOTDIR, "mkdir in a file");
        expect(open("/absent/x", O_RDWR | O_CREAT, 0666) == -1 && errno == ENOENT, "O_CREAT");
        expect(open("/gone/x", O_RDWR | O_CREAT, 0666) == -1 && errno == ENOTDIR, "O_CREAT below");
        expect(unlink("/gone") == 0, "unlink");
        expect(unlink("/gone") == -1 && errno == ENOENT, "a second unlink");
        file = open("/cut", O_RDWR | O_CREAT | O_EXCL, 0666);
        expect(file >= 3 && write(file, "0123456789", 10) == 10 && ftruncate(file, 4) == 0 &&
                       lseek(file, 6, SEEK_SET) == 6 && write(file, "x", 1) == 1 &&
                       fstat(file, &about) == 0 && about.st_size == 7,
               "ftruncate and a gap");
        expect(close(file) == 0, "close");
        expect(open("/cut", O_RDWR | O_CREAT | O_EXCL, 0666) == -1 && errno == EEXIST, "O_EXCL");
}

/* Tests gaps that the service fills in several calls. */
static void fill_gaps(void)
{
        const int file = open("/gaps", O_RDWR | O_CREAT, 0666);
        char data[4] = "";
        struct stat about;

        expect(file >= 3 && ftruncate(file, 700001) == 0 && fstat(file, &about) == 0 &&
                       about.st_size == 700001,
               "a large ftruncate");
        expect(lseek(file, 700000, SEEK_SET) == 700000 && read(file, data, 4) == 1 && !data[0],
               "its last byte");
        expect(lseek(file, 1300000, SEEK_SET) == 1300000 && write(file, "end", 3) == 3 &&
                       fstat(file, &about) == 0 && about.st_size == 1300003,
               "a write after a large gap");
        expect(lseek(file, 1299999, SEEK_SET) == 1299999 && read(file, data, 4) == 4 &&
                       !memcmp(data, "\0end", 4),
               "the end of the gap");
        expect(close(file) == 0 && unlink("/gaps") == 0, "no gaps");
}

/* Tests that each write to an O_APPEND file goes to its end, also after another descriptor moved
 * the end. */
static void append(void)
{
        const int file = open("/append", O_RDWR | O_CREAT, 0666);
        const int end = open("/append", O_WRONLY | O_APPEND);
        char text[8] = "";

        expect(file >= 3 && end >= 3 && write(end, "ab", 2) == 2, "the first append");
        expect(lseek(end, 0, SEEK_CUR) == 2, "an append moves the offset");
        expect(lseek(file, 0, SEEK_END) == 2 && write(file, "cd", 2) == 2, "a write of another");
        expect(write(end, "e", 1) == 1, "an append after it");
        expect(lseek(end, 0, SEEK_CUR) == 5, "it moves the offset to the new end");
        expect(lseek(end, 0, SEEK_SET) == 0 && write(end, "f", 1) == 1, "an append after lseek");
        expect(lseek(end, 0, SEEK_CUR) == 6, "it moves the offset, too");
        expect(lseek(file, 0, SEEK_SET) == 0 && read(file, text, sizeof(text)) == 6 &&
                       !memcmp(text, "abcdef", 6),
               "appended bytes are at the end");
        expect(close(file) == 0 && close(end) == 0 && unlink("/append") == 0, "close");
}

static bool fails_with(ssize_t result, int error)
{
        return result == -1 && errno == error;
}

/* Tests pread() and pwrite(), which leave the offset unchanged. */
static void use_offsets(void)
{
        static char data[70000];
        const int file = open("/offsets", O_RDWR | O_CREAT, 0666);
        const int reader = open("/offsets", O_RDONLY), writer = open("/offsets", O_WRONLY);

        expect(write(file, "0123456789", 10) == 10 && lseek(file, 3, SEEK_SET) == 3, "an offset");
        expect(pwrite(file, "ab", 2, 6) == 2 && lseek(file, 0, SEEK_CUR) == 3, "pwrite");
        expect(pread(file, data, 4, 5) == 4 && !memcmp(data, "5ab8", 4), "pread");
        expect(read(file, data, 2) == 2 && !memcmp(data, "34", 2), "the offset stays");
        expect(pread(file, data, 9, 10) == 0 && pread(file, data, 9, 99) == 0, "after the end");
        memset(data, 'x', sizeof(data));
        expect(pwrite(file, data, sizeof(data), 300000) == sizeof(data), "a large pwrite, a gap");
        memset(data, 0, sizeof(data));
        expect(pread(reader, data, sizeof(data), 299999) == sizeof(data) && !data[0] &&
                       data[1] == 'x' && data[sizeof(data) - 1] == 'x',
               "a large pread");
        expect(lseek(file, 0, SEEK_CUR) == 5 && lseek(reader, 0, SEEK_CUR) == 0, "both offsets");
        expect(fails_with(pread(file, data, 1, -1), EINVAL), "a negative offset");
        expect(fails_with(pwrite(file, data, 1, -1), EINVAL), "a negative offset of a write");
        expect(fails_with(pread(writer, data, 1, 0), EBADF), "pread of a file for writing");
        expect(fails_with(pwrite(reader, data, 1, 0), EBADF), "pwrite to a file for reading");
        expect(fails_with(pread(0, data, 1, 0), ESPIPE), "pread of standard input");
        expect(fails_with(pwrite(1, data, 1, 0), ESPIPE), "pwrite to standard output");
        expect(close(file) == 0 && close(reader) == 0 && close(writer) == 0, "close");
        expect(fails_with(pread(file, data, 1, 0), EBADF), "pread of a closed file");
        expect(fails_with(pwrite(-1, data, 1, 0), EBADF), "pwrite to no file");
        expect(unlink("/offsets") == 0, "unlink");
}

static void resize_by_name(void)
{
        struct stat about;

        write_bytes("/resized", 6, 1000);
        expect(truncate("/resized", 300) == 0 && stat("/resized", &about) == 0 &&
                       about.st_size == 300,
               "truncate to a smaller size");
        expect(truncate("/resized", 700001) == 0 && stat("/resized", &about) == 0 &&
                       about.st_size == 700001,
               "truncate to a larger size");
        expect(fails_with(truncate("/resized", -1), EINVAL), "a negative size");
        expect(fails_with(truncate("/absent", 0), ENOENT), "an absent file");
        expect(fails_with(truncate("/folder", 0), EISDIR), "a folder");
        for (int i = 0; i < 40; i++)
                expect(truncate("/resized", i) == 0, "it leaves no file open");
        expect(unlink("/resized") == 0, "unlink");
}

static void create_again(void)
{
        int file = creat("/created", 0666);
        struct stat about;

        expect(file >= 3 && write(file, "text", 4) == 4 && fdatasync(file) == 0, "creat");
        expect(fails_with(pread(file, &file, 1, 0), EBADF), "it is open for writing");
        expect(close(file) == 0 && fails_with(fdatasync(file), EBADF), "close");
        file = creat("/created", 0666);
        expect(fstat(file, &about) == 0 && about.st_size == 0, "creat of an existing file");
        expect(close(file) == 0 && unlink("/created") == 0, "close and unlink");
}

static void remove_both(void)
{
        expect(mkdir("/kept", 0777) == 0, "mkdir");
        write_bytes("/kept/one", 4, 10);
        expect(remove("/kept") == -1 && errno == ENOTEMPTY, "remove of a full folder");
        errno = 0;
        expect(remove("/kept/one") == 0 && remove("/kept") == 0 && !errno, "remove of both");
        expect(remove("/kept") == -1 && errno == ENOENT, "a second remove");
}

static void list(const char *path, unsigned entries)
{
        DIR *folder = opendir(path);
        unsigned count = 0;

        expect(folder != NULL, "opendir");
        while (folder && readdir(folder))
                count++;
        expect(count == entries, "readdir finds all");
        expect(folder && closedir(folder) == 0, "closedir");
}

static int is_file(const struct dirent *entry)
{
        return entry->d_type == DT_REG;
}

/* Tests scandir() with more entries than the first piece of its list holds. */
static void scan(void)
{
        struct dirent **entry = NULL;
        char name[32];
        int count;

        expect(mkdir("/scan", 0777) == 0 && mkdir("/scan/folder", 0777) == 0, "mkdir");
        expect(scandir("/scan/folder", &entry, NULL, alphasort) == 0, "an empty folder");
        free(entry);
        for (int i = 0; i < 20; i++) {
                snprintf(name, sizeof(name), "/scan/%c", 'a' + i * 7 % 20);
                write_bytes(name, 1, 1);
        }
        count = scandir("/scan", &entry, is_file, alphasort);
        expect(count == 20, "scandir");
        for (int i = 0; i < count; i++) {
                snprintf(name, sizeof(name), "/scan/%c", 'a' + i);
                expect(!strcmp(entry[i]->d_name, name + 6) && remove(name) == 0, "the order");
                free(entry[i]);
        }
        free(entry);
        expect(remove("/scan/folder") == 0 && remove("/scan") == 0, "remove");
        expect(fails_with(scandir("/scan", &entry, NULL, NULL), ENOENT), "no folder");
}

static void bad_input(void)
{
        char name[400];
        int file[40], count = 0;

        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = 0;
        expect(open(name, O_RDWR | O_CREAT, 0666) == -1 && errno == ENAMETOOLONG, "a long name");
        expect(open("/what?", O_RDWR | O_CREAT, 0666) == -1 && errno == EINVAL, "a bad name");
        expect(open("", O_RDONLY) == -1 && errno == ENOENT, "an empty path");
        expect(open("/folder", O_RDWR) == -1 && errno == EISDIR, "a folder is not written");
        expect(open("/folder", O_RDONLY | O_CREAT, 0666) == -1 && errno == EISDIR,
               "a folder is not created as a file");
        expect(open("/cut/", O_RDONLY) == -1 && errno == ENOTDIR, "a slash after a file");
        expect(open("/new/", O_WRONLY | O_CREAT, 0666) == -1 && errno == EISDIR,
               "a slash after a new file");
        expect(access("/cut/", F_OK) == -1 && errno == ENOTDIR && access("/folder/", W_OK) == 0,
               "a slash after a folder");
        expect(open("/cut/x", O_RDONLY) == -1 && errno == ENOTDIR, "a file is not a folder");
        expect(!opendir("/cut") && errno == ENOTDIR, "a file is not listed");
        expect(read(77, name, 1) == -1 && errno == EBADF, "a file that is not open");
        while (count < 40 && (file[count] = open("/cut", O_RDONLY)) >= 0)
                count++;
        expect(count == 32 && errno == EMFILE, "32 files are open");
        expect(count && write(file[0], name, 1) == -1 && errno == EBADF, "opened for reading");
        expect(count && ftruncate(file[0], 0) == -1 && errno == EINVAL, "not resized either");
        while (count--)
                close(file[count]);
}

static void do_write(void)
{
        write_bytes("/BIG.BIN", 1, 100000);
        use_stdio();
        change_names();
        fill_gaps();
        append();
        use_offsets();
        resize_by_name();
        remove_both();
        create_again();
        scan();
        list("/", 4);
        list("/folder", 2);
        bad_input();
}

/* Ends with files that are open. */
static void do_exit(void)
{
        FILE *buffered = fopen("/buffered", "w"), *flushed = fopen("/flushed", "w");
        const int file = open("/plain", O_WRONLY | O_CREAT, 0666);

        expect(buffered && fputs("in the buffer\n", buffered) >= 0, "fputs");
        expect(flushed && fputs("flushed\n", flushed) >= 0 && !fflush(flushed), "fflush");
        expect(file >= 3 && write(file, "written\n", 8) == 8, "write");
        exit(end_of("exit"));
}

static void do_confined(void)
{
        struct stat about;

        expect(stat("/in.txt", &about) == 0, "its own file");
        for (const char *const *path =
                     (const char *const[]){"/secret.txt", "/../secret.txt", "../secret.txt",
                                           "/x/../../secret.txt", "/data/secret.txt",
                                           "//..//./../secret.txt", NULL};
             *path; path++)
                expect(stat(*path, &about) == -1 && open(*path, O_RDONLY) == -1 && errno == ENOENT,
                       *path);
        expect(rename("/in.txt", "/../out.txt") == 0 && stat("/out.txt", &about) == 0,
               "a new name stays in the folder");
        expect(unlink("/../../secret.txt") == -1 && errno == ENOENT, "nothing outside is removed");
        expect(rename("/", "/x") == -1 && errno == EBUSY && rmdir("/..") == -1 && errno == EBUSY,
               "the folder itself stays");
        list("/..", 1);
}

static void do_read(void)
{
        char text[32] = "";
        const int file = open("/in.txt", O_RDONLY);

        expect(read(file, text, sizeof(text)) == 7 && !memcmp(text, "inside\n", 7), "read");
        close(file);
        expect(open("/in.txt", O_RDWR) == -1 && errno == EROFS, "open for writing");
        expect(open("/new", O_WRONLY | O_CREAT, 0666) == -1 && errno == EROFS, "create");
        expect(access("/in.txt", R_OK) == 0 && access("/in.txt", W_OK) == -1 && errno == EROFS,
               "access");
        expect(unlink("/in.txt") == -1 && errno == EROFS, "unlink");
        expect(fails_with(truncate("/in.txt", 0), EROFS), "truncate");
        expect(fails_with(remove("/in.txt"), EROFS), "remove");
        expect(mkdir("/folder", 0777) == -1 && errno == EROFS, "mkdir");
        expect(rename("/in.txt", "/other") == -1 && errno == EROFS, "rename");
        list("/", 1);
}

/* Fills the disk: each function that needs space fails with ENOSPC, and the data already written
 * stays. */
static void do_full(void)
{
        static char data[65536];
        struct stat about;
        size_t bytes = 0;
        int file = open("/full", O_RDWR | O_CREAT, 0666);
        ssize_t wrote;

        expect(ftruncate(file, 0x10000000) == -1 && errno == ENOSPC, "ftruncate beyond the disk");
        expect(lseek(file, 0x10000000, SEEK_SET) == 0x10000000 && write(file, data, 1) == -1 &&
                       errno == ENOSPC,
               "a write beyond the disk");
        expect(stat("/full", &about) == 0 && about.st_size == 0, "they change nothing");
        write_bytes("/other", 6, 10000);
        expect(unlink("/other") == 0 && lseek(file, 0, SEEK_SET) == 0, "the disk has room");
        memset(data, 'f', sizeof(data));
        while ((wrote = write(file, data, sizeof(data))) > 0)
                bytes += (size_t)wrote;
        expect(wrote == -1 && errno == ENOSPC, "write");
        expect(mkdir("/folder", 0777) == -1 && errno == ENOSPC, "mkdir");
        expect(fsync(file) == 0 && close(file) == 0, "what was written can be flushed");
        expect(stat("/full", &about) == 0 && bytes && (size_t)about.st_size == bytes,
               "the file has what was written");
        printf("ENOSPC: %s\n", strerror(ENOSPC));
        expect(unlink("/full") == 0, "unlink");
        write_bytes("/again", 5, 10000);
        expect(unlink("/again") == 0, "a second unlink");
}

/* Writes a block to the journal, which shows the host which files must survive. The block already
 * has a place on the disk, so it needs no fsync(). */
static void write_journal(int journal, unsigned round)
{
        char block[512] = "";

        snprintf(block, sizeof(block), "round %u is lasting", round);
        expect(lseek(journal, (off_t)(round * sizeof(block)), SEEK_SET) >= 0 &&
                       write(journal, block, sizeof(block)) == sizeof(block),
               "the journal");
}

/* Replaces files by a write, fsync() and rename(). */
static void do_load(unsigned rounds)
{
        const int journal = open("/journal", O_RDWR | O_CREAT, 0666);
        char path[48];

        mkdir("/load", 0777);
        expect(journal >= 3 && ftruncate(journal, rounds * 512) == 0 && fsync(journal) == 0,
               "the journal");
        for (unsigned i = 0; i < rounds && !wrong; i++) {
                write_bytes("/load/new.tmp", i, 600 + i * 389 % 9000);
                write_journal(journal, i);
                snprintf(path, sizeof(path), "/load/a file with the number %u", i % 7);
                expect(rename("/load/new.tmp", path) == 0, "rename");
                snprintf(path, sizeof(path), "/load/other %u", i % 3);
                if (i % 6 < 3)
                        write_bytes(path, i, 2000);
                else
                        expect(unlink(path) == 0, "unlink");
        }
        close(journal);
}

int main(int argc, char **argv)
{
        const char *what = argc > 1 ? argv[1] : "";

        if (!strcmp(what, "write"))
                do_write();
        else if (!strcmp(what, "exit"))
                do_exit();
        else if (!strcmp(what, "confined"))
                do_confined();
        else if (!strcmp(what, "read"))
                do_read();
        else if (!strcmp(what, "full"))
                do_full();
        else if (!strcmp(what, "none"))
                expect(open("/in.txt", O_RDONLY) == -1 && errno == EACCES, "it has no folder");
        else
                do_load((unsigned)atoi(what));
        return end_of(what);
}
