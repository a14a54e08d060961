/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients that try to see more than their folder. Argument: `names` tries paths, `messages` sends
 * messages to the service directly, without the C library, and `outer` moves and removes the folder
 * of `inner`. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "novart/service/files.h"
#include "novart/session.h"
#include "novart/time.h"

#include "expect.h"

#define TEN_TIMES "/a/../b/../c/../d/../e/../f/../g/../h/../i/../j/.."

/* ---- names ----------------------------------------------------------------------------------- */

/* Paths that look like a way to /secret.txt, which is beside the client's folder. */
static const char *const outside[] = {
        "/../secret.txt",
        "../../../../secret.txt",
        "/./.././//..//secret.txt",
        "/absent/../../secret.txt",
        "/in.txt/../../secret.txt",
        (TEN_TIMES TEN_TIMES "/../../secret.txt"),
        "//secret.txt",
        "/.../secret.txt",
        "/.. /secret.txt",
        "/../ /secret.txt",
        "/..\\secret.txt",
        "..\\secret.txt",
        "/..\x01/secret.txt",
        "/%2e%2e/secret.txt",
        "/\xc0\xae\xc0\xae/secret.txt", /* ".." in forms that are not UTF-8 */
        "/\xe0\x80\xae\xe0\x80\xae/secret.txt",
        "/..\xc0\xafsecret.txt",
        "/\xef\xbc\x8e\xef\xbc\x8e/secret.txt", /* full-width ".." */
        "/HOME/../SECRET.TXT",
        "/data/secret.txt",
        "/home/in.txt",
        "/SECRET.TXT",
        "/secret.txt.",
        "/secret.txt ",
        "/secret.txt/",
        "/\xe5",
        "/\x05",
        "/read/in.txt",
};

/* Names that FAT cannot have. */
static const char *const bad[] = {
        "/dot.",  "/space ", "/ .",       "/...",          "/a:b",   "/a\\b",  "/a*",
        "/a?",    "/a\"b",   "/a<b",      "/a>b",          "/a|b",   "/\x05x", "/\xe5x",
        "/a\x7f", "/a\nb",   "/\xc0\xaf", "/\xed\xa0\x80", "/\xf5x", "/x\xc3", ". ",
};

static void try_paths(void)
{
        struct stat about;
        DIR *folder;

        for (unsigned i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
                const char *path = outside[i];
                const int file = open(path, O_RDONLY);

                expect(file == -1 && (errno == ENOENT || errno == ENOTDIR || errno == EINVAL),
                       path);
                expect(stat(path, &about) == -1 && unlink(path) == -1 && rmdir(path) == -1, path);
                expect(rename(path, "/stolen") == -1, path);
                folder = opendir(path);
                expect(!folder, path);
        }
        for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                expect(open(bad[i], O_RDWR | O_CREAT, 0666) == -1 && errno == EINVAL, bad[i]);
                expect(mkdir(bad[i], 0777) == -1 && errno == EINVAL, bad[i]);
                expect(rename("/in.txt", bad[i]) == -1 && errno == EINVAL, bad[i]);
        }
}

static ino_t number_of(const char *path)
{
        struct stat about;

        return stat(path, &about) ? 0 : about.st_ino;
}

/* Checks that a file's long and short names, in upper or lower case, name the same file. */
static void try_aliases(void)
{
        const int file = open("/a long name.data", O_RDWR | O_CREAT, 0666);
        const ino_t number = number_of("/a long name.data");

        expect(file >= 0 && close(file) == 0 && number, "a file with a long name");
        expect(number_of("/ALONGN~1.DAT") == number, "its short name");
        expect(number_of("/A LONG NAME.data") == number, "another case");
        expect(open("/alongn~1.dat", O_RDWR | O_CREAT | O_EXCL, 0666) == -1 && errno == EEXIST,
               "the short name is taken");
        expect(mkdir("/A Long Name.DATA", 0777) == -1 && errno == EEXIST,
               "a name in another case is taken");
        expect(mkdir("/a long folder", 0777) == 0 && mkdir("/a long folder/in", 0777) == 0,
               "folders");
        expect(rename("/a long folder", "/ALONGF~1/in/x") == -1 && errno == EINVAL,
               "a folder cannot be moved into itself by its short name");
        expect(rename("/ALONGN~1.DAT", "/a long folder/../../ALONGN~1.DAT") == 0,
               "a rename to its own short name");
        expect(rename("/in.txt", "/../../in2.txt") == 0 && rename("/../in2.txt", "/in.txt") == 0,
               "a path above the folder leads into the folder");
        expect(unlink("/alongn~1.dat") == 0 && number_of("/a long name.data") == 0, "it is gone");
        expect(rmdir("/ALONGF~1/IN/") == 0 && rmdir("/../a LONG folder") == 0,
               "folders are removed");
        expect(mkdir("/\xc3\xa5\xc3\xa4", 0777) == 0 && number_of("/\xc3\xa5\xc3\xa4") &&
                       rmdir("/\xc3\xa5\xc3\xa4") == 0,
               "a name whose first character is 0xe5 in a code page");
}

static unsigned count_entries(const char *path)
{
        DIR *folder = opendir(path);
        unsigned count = 0;

        while (folder && readdir(folder))
                count++;
        if (folder)
                closedir(folder);
        return count;
}

static void try_names(void)
{
        char path[NOVA_FILES_PATH_SIZE + 8];

        try_paths();
        try_aliases();
        memset(path, '/', sizeof(path));
        memcpy(path + NOVA_FILES_PATH_SIZE - 12, "/secret.txt", 12);
        expect(open(path, O_RDONLY) == -1 && errno == ENOENT, "511 characters");
        path[NOVA_FILES_PATH_SIZE - 1] = 'x';
        path[NOVA_FILES_PATH_SIZE] = 0;
        expect(open(path, O_RDONLY) == -1 && errno == ENAMETOOLONG, "512 characters");
        expect(count_entries("/") == 1 && count_entries("/../..") == 1, "nothing else appeared");
        expect(rename("/in.txt", "/out.txt") == 0, "a rename for the host to see");
}

/* ---- messages -------------------------------------------------------------------------------- */

static struct nova_session *session;
static nova_word_t words[NOVA_WORDS_OF(2 * NOVA_FILES_PATH_SIZE)], answer[256];

static int call(nova_word_t operation, unsigned count)
{
        struct nova_message message = {.operation = operation,
                                       .words = words,
                                       .word_count = count,
                                       .answer = answer,
                                       .answer_max = sizeof(answer) / sizeof(answer[0])};

        return nova_session_call(session, &message);
}

/* Calls an operation with the first @p count of five words. */
static int call_file(nova_word_t operation, nova_word_t file, unsigned count, nova_word_t low,
                     nova_word_t high, nova_word_t bytes, nova_word_t at)
{
        const nova_word_t all[] = {file, low, high, bytes, at};

        memset(words, 0, sizeof(words));
        memcpy(words, all, sizeof(all));
        return call(operation, count);
}

static int call_text(nova_word_t operation, unsigned first, const char *text, size_t bytes)
{
        memset(words, 0, sizeof(words));
        memcpy(words + first, text, bytes);
        return call(operation, first + (unsigned)NOVA_WORDS_OF(bytes));
}

static void try_texts(void)
{
        static char long_text[NOVA_FILES_PATH_SIZE];

        memset(long_text, 'x', sizeof(long_text));
        expect(call_text(NOVA_FILES_STAT, 0, "/in.txt\0/../secret.txt", 23) == 0,
               "a path ends at its first 0");
        expect(call_text(NOVA_FILES_STAT, 0, "\0/../secret.txt", 16) == ENOENT, "an empty path");
        expect(call_text(NOVA_FILES_STAT, 0, long_text, sizeof(long_text)) == ENAMETOOLONG,
               "a path without a 0");
        expect(call_text(NOVA_FILES_OPEN, 1, long_text, sizeof(long_text)) == ENAMETOOLONG,
               "a path without a 0 to open");
        expect(call_text(NOVA_FILES_RENAME, 0, "/in.txt", 8) == EINVAL, "a rename with one path");
        memset(long_text, 'x', 8);
        memcpy(long_text, "/in.txt", 8); /* copies the zero byte, too; the second path has none */
        expect(call_text(NOVA_FILES_RENAME, 0, long_text, 16) == EINVAL,
               "a second path without a 0");
        expect(call_text(NOVA_FILES_RENAME, 0, "\0/other", 8) == ENOENT, "an empty first path");
        expect(call_text(NOVA_FILES_RENAME, 0, "/../secret.txt\0/stolen", 24) == ENOENT,
               "a file outside");
        expect(call_text(NOVA_FILES_REMOVE, 1, "/../read", 9) == ENOENT, "a folder outside");
        expect(call(NOVA_FILES_SYNC + 100, 1) != 0, "an unknown operation");
}

/* Tries numbers that name no file of the session. One file is open, and has number 0. */
static void try_numbers(void)
{
        static const nova_word_t numbers[] = {1,  NOVA_FILES_MAX - 1, NOVA_FILES_MAX,
                                              33, 0x80000000u,        (nova_word_t)-1};

        for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                const nova_word_t file = numbers[i];

                expect(call_file(NOVA_FILES_READ, file, 4, 0, 0, 8, 0) == EBADF &&
                               call_file(NOVA_FILES_WRITE, file, 5, 0, 0, 8, 0) == EBADF &&
                               call_file(NOVA_FILES_FETCH, file, 5, 0, 0, 8, 0) == EBADF &&
                               call_file(NOVA_FILES_STORE, file, 5, 0, 0, 8, 0) == EBADF &&
                               call_file(NOVA_FILES_ABOUT, file, 1, 0, 0, 0, 0) == EBADF &&
                               call_file(NOVA_FILES_LIST, file, 3, 0, 0, 0, 0) == EBADF &&
                               call_file(NOVA_FILES_RESIZE, file, 3, 0, 0, 0, 0) == EBADF &&
                               call_file(NOVA_FILES_SYNC, file, 1, 0, 0, 0, 0) == EBADF &&
                               call_file(NOVA_FILES_CLOSE, file, 1, 0, 0, 0, 0) == EBADF,
                       "a number without an open file");
        }
}

/* Tries positions beyond a file's end, sizes beyond the message, and no shared memory. */
static void try_places(void)
{
        const nova_word_t most = UINT32_MAX;

        expect(call_file(NOVA_FILES_READ, 0, 4, most, most, most, 0) == 0 && answer[0] == 0,
               "a read at the last place");
        expect(call_file(NOVA_FILES_READ, 0, 4, 0, 0, (nova_word_t)-1, 0) == 0 && answer[0] == 7,
               "a read of more than there is");
        expect(call_file(NOVA_FILES_WRITE, 0, 5, 0, 0, most, 0) == EINVAL,
               "a write of more than the message");
        expect(call_file(NOVA_FILES_FETCH, 0, 5, 0, 0, 8, 0) == EINVAL,
               "a fetch without shared memory");
        expect(call_file(NOVA_FILES_WRITE, 0, 5, most, most, 1, 0) == EFBIG,
               "a write at the last place");
        expect(call_file(NOVA_FILES_RESIZE, 0, 3, most, most, 0, 0) == EFBIG, "the largest size");
}

static void try_shared(void)
{
        static char page[0x1000] __attribute__((aligned(0x1000)));

        expect(nova_session_share(session, page, 1) == 0, "a page is shared");
        expect(call_file(NOVA_FILES_FETCH, 0, 5, 0, 0, 0x1000, 0) == 0 && answer[0] == 7 &&
                       !memcmp(page, "inside\n", 7),
               "a read into it");
        for (unsigned i = 0; i < 2; i++) {
                const nova_word_t operation = i ? NOVA_FILES_STORE : NOVA_FILES_FETCH;

                expect(call_file(operation, 0, 5, 0, 0, 0x1001, 0) != 0,
                       "a byte more than the page");
                expect(call_file(operation, 0, 5, 0, 0, 7, 0x1000) != 0, "a range after the page");
                expect(call_file(operation, 0, 5, 0, 0, 7, (nova_word_t)-4) != 0,
                       "a range that wraps around");
                expect(call_file(operation, 0, 5, 0, 0, (nova_word_t)-1, 1) != 0, "too many bytes");
        }
        expect(call_file(NOVA_FILES_FETCH, 0, 5, 0, 0, 7, 0xff9) == 0 &&
                       !memcmp(page + 0xff9, "inside\n", 7),
               "the last bytes of the page");
}

/* Lists the folder from random positions, and checks that no other folder's entry appears. */
static void try_lists(void)
{
        uint32_t random = 1;
        unsigned found = 0;
        int error;

        expect(call_text(NOVA_FILES_OPEN, 1, "/", 2) == 0 && answer[0] == 1, "the folder is open");
        for (unsigned i = 0; i < 300; i++) {
                const nova_word_t low = i < 40 ? i : random >> i % 32;

                random = random * 1664525 + 1013904223;
                error = call_file(NOVA_FILES_LIST, 1, 3, low, i % 3 ? 0 : random >> i % 31, 0, 0);
                found += error == 0;
                expect(error == ENOENT ||
                               (!error &&
                                !strcmp((char *)&answer[2 + NOVA_WORDS_OF(sizeof(
                                                                    struct nova_files_about))],
                                        "in.txt")),
                       "a place in the folder");
        }
        expect(found > 0 && found < 20, "few places have the entry");
        expect(call_file(NOVA_FILES_READ, 1, 4, 0, 0, 8, 0) == EISDIR &&
                       call_file(NOVA_FILES_FETCH, 1, 5, 0, 0, 8, 0) == EISDIR &&
                       call_file(NOVA_FILES_WRITE, 1, 5, 0, 0, 8, 0) == EBADF &&
                       call_file(NOVA_FILES_RESIZE, 1, 3, 0, 0, 0, 0) == EBADF,
               "a folder is neither read nor written");
        expect(call_file(NOVA_FILES_LIST, 0, 3, 0, 0, 0, 0) == ENOTDIR, "a file is not listed");
}

static void try_messages(void)
{
        expect(nova_session_open(&session, "files", NULL) == 0, "a session");
        if (wrong)
                return;
        try_texts();
        memset(words, 0, sizeof(words));
        words[0] = NOVA_FILES_WRITABLE;
        memcpy(words + 1, "/in.txt", 8);
        expect(call(NOVA_FILES_OPEN, 1 + (unsigned)NOVA_WORDS_OF(8)) == 0 && answer[0] == 0,
               "a file is open");
        try_numbers();
        try_places();
        try_shared();
        try_lists();
        nova_session_close(session);
}

/* ---- a folder in a folder -------------------------------------------------------------------- */

static bool exists(const char *path)
{
        return access(path, F_OK) == 0;
}

static void wait_for(const char *path, bool there)
{
        while (exists(path) != there)
                nova_sleep(1000000);
}

static void make(const char *path)
{
        const int file = open(path, O_RDWR | O_CREAT, 0666);

        expect(file >= 0 && write(file, "text", 4) == 4 && close(file) == 0, path);
}

static void be_outer(void)
{
        int error;

        wait_for("/inner/ready", true);
        expect(rename("/inner", "/moved") == 0 && exists("/moved/held"), "the folder moves");
        make("/held"); /* the inner client must not see it */
        expect(mkdir("/inner", 0777) == 0, "a new folder takes its place");
        make("/inner/another");
        wait_for("/inner/seen", true);
        expect(unlink("/inner/another") == 0 && unlink("/inner/seen") == 0,
               "the new folder is emptied");
        do
                error = rmdir("/inner") ? errno : 0;
        while (error == ENOTEMPTY);
        expect(error == EBUSY, "a folder in use stays");
        make("/inner/go");
        wait_for("/inner/go", false);
        do
                error = rmdir("/inner") ? errno : 0;
        while (error == ENOTEMPTY || error == EBUSY);
        expect(!error, "an empty folder is removed");
        nova_sleep(100000000);
        expect(!exists("/inner"), "nothing takes its place");
        make("/inner"); /* the inner client must not open it */
        expect(unlink("/moved/held") == 0 && unlink("/moved/ready") == 0 && rmdir("/moved") == 0,
               "the first folder is removed");
        expect(count_entries("/") == 3, "in.txt, held and the file inner are left");
}

static void be_inner(void)
{
        DIR *folder;
        char text[8];
        int file;

        make("/held");
        file = open("/held", O_RDWR);
        make("/ready");
        wait_for("/another", true);
        expect(!exists("/held") && !exists("/../held") && !exists("/../moved/held") &&
                       !exists("/moved") && count_entries("/") == 1,
               "it sees the new folder only");
        expect(file >= 0 && write(file, "kept", 4) == 4 && lseek(file, 0, SEEK_SET) == 0 &&
                       read(file, text, 8) == 4 && !memcmp(text, "kept", 4) && close(file) == 0,
               "its open file is still there");
        folder = opendir("/");
        expect(folder != NULL, "the folder is open");
        make("/seen");
        wait_for("/go", true);
        expect(closedir(folder) == 0 && unlink("/go") == 0, "the folder is closed and empty");
        wait_for("/", false);
        expect(!exists("/") && !exists("/..") && !opendir("/") && errno == ENOENT, "it is gone");
        expect(open("/new", O_RDWR | O_CREAT, 0666) == -1 && errno == ENOENT, "no new file");
        expect(mkdir("/new", 0777) == -1 && errno == ENOENT, "no new folder");
        /* The outer client puts a file in its place. */
        expect(mkdir("/", 0777) == -1 && (errno == ENOENT || errno == ENOTDIR),
               "the folder is not created again");
        expect(open("/", O_RDWR | O_CREAT, 0666) == -1 && (errno == ENOENT || errno == ENOTDIR),
               "a file is not created in its place");
        expect(rename("/x", "/") == -1 && rmdir("/") == -1, "rename and rmdir do not create it");
        expect(unlink("/../held") == -1 && (errno == ENOENT || errno == ENOTDIR),
               "nothing outside is removed");
        while ((file = open("/", O_RDONLY)) == -1 && errno == ENOENT)
                nova_sleep(1000000);
        expect(file == -1 && errno == ENOTDIR, "a file in place of the folder is not opened");
        expect(!exists("/") && !opendir("/") && mkdir("/", 0777) == -1,
               "a file in place of the folder is not found");
}

int main(int argc, char **argv)
{
        const char *what = argc > 1 ? argv[1] : "";

        if (!strcmp(what, "names"))
                try_names();
        else if (!strcmp(what, "messages"))
                try_messages();
        else if (!strcmp(what, "outer"))
                be_outer();
        else
                be_inner();
        return end_of(what);
}
