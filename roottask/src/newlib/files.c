/* SPDX-License-Identifier: BSD-2-Clause */
/* The session with the service files, and functions that take paths. */
#include "newlib/files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "novart/page.h"
#include "novart/session.h"

#define SHARE_ORDER 2
#define ABOUT_WORDS NOVA_WORDS_OF(sizeof(struct nova_files_about))

static struct nova_mutex mutex; /* protects the session */
static struct nova_mutex share_mutex;
static struct nova_session *session;
static bool lost;
static unsigned sessions;
static char *shared;

int novart_files_fail(int error)
{
        errno = error;
        return -1;
}

static int open_session(void)
{
        struct nova_session *opened;
        const int error = nova_session_open(&opened, "files", NULL);

        if (!error)
                session = opened;
        return error;
}

int novart_files_begin(void)
{
        int error = 0;

        nova_mutex_lock(&mutex);
        do { /* again if the service ends meanwhile */
                if (session && lost)
                        error = nova_session_reopen(session);
                else if (!session)
                        error = open_session();
        } while (error == ECONNRESET);
        if (!error && (lost || !sessions))
                sessions++;
        lost = error && session;
        nova_mutex_unlock(&mutex);
        return error;
}

unsigned novart_files_session(void)
{
        return __atomic_load_n(&lost, __ATOMIC_RELAXED) ? 0 : sessions;
}

static int call(struct nova_message *message, unsigned answer_count)
{
        const int error = nova_session_call(session, message);

        if (error == ECONNRESET || error == EBADF) {
                __atomic_store_n(&lost, true, __ATOMIC_RELAXED);
                return EIO;
        }
        return error || message->answer_count >= answer_count ? error : EPROTO;
}

int novart_files_call(nova_word_t operation, const nova_word_t *words, unsigned count,
                      nova_word_t *answer, unsigned answer_max, unsigned answer_count)
{
        struct nova_message message = {.operation = operation,
                                       .words = words,
                                       .word_count = count,
                                       .answer = answer,
                                       .answer_max = answer_max};

        return call(&message, answer_count);
}

int novart_files_receive(nova_word_t operation, const nova_word_t *words, unsigned count,
                         nova_word_t *answer, unsigned answer_count, nova_crd_t *window)
{
        struct nova_message message = {.operation = operation,
                                       .words = words,
                                       .word_count = count,
                                       .window = *window,
                                       .answer = answer,
                                       .answer_max = answer_count};
        const int error = call(&message, answer_count);

        *window = message.received;
        return error;
}

int novart_files_path(nova_word_t operation, long first, const char *path, nova_word_t *answer,
                      unsigned answer_count)
{
        nova_word_t words[1 + NOVA_WORDS_OF(NOVA_FILES_PATH_SIZE)] = {0};
        const unsigned begin = first >= 0;
        const size_t bytes = strlen(path) + 1;
        int error;

        if (bytes > NOVA_FILES_PATH_SIZE)
                return ENAMETOOLONG;
        if (bytes == 1)
                return ENOENT;
        error = novart_files_begin();
        if (error)
                return error;
        words[0] = (nova_word_t)first;
        memcpy(words + begin, path, bytes);
        return novart_files_call(operation, words, begin + (unsigned)NOVA_WORDS_OF(bytes), answer,
                                 answer_count, answer_count);
}

int novart_files_open(const char *path, unsigned flags, nova_word_t *file)
{
        return novart_files_path(NOVA_FILES_OPEN, (long)flags, path, file, 1);
}

char *novart_files_lock(size_t *bytes)
{
        nova_mutex_lock(&share_mutex);
        if (!shared) {
                shared = nova_page_alloc(SHARE_ORDER);
                if (shared && nova_session_share(session, shared, 1U << SHARE_ORDER) != 0) {
                        nova_page_free(shared, SHARE_ORDER);
                        shared = NULL;
                }
        }
        *bytes = (size_t)NOVA_PAGE_SIZE << SHARE_ORDER;
        return shared;
}

void novart_files_unlock(void)
{
        nova_mutex_unlock(&share_mutex);
}

void novart_files_fill(const nova_word_t *answer, struct stat *about)
{
        struct nova_files_about from;

        memcpy(&from, answer, sizeof(from));
        *about = (struct stat){.st_ino = (ino_t)from.number,
                               .st_nlink = 1,
                               .st_size = (off_t)from.size,
                               .st_blksize = NOVA_PAGE_SIZE << SHARE_ORDER,
                               .st_blocks = (blkcnt_t)((from.size + 511) / 512)};
        about->st_mode = (from.folder ? S_IFDIR : S_IFREG) | (from.read_only ? 0555 : 0777);
        about->st_mtime = about->st_atime = about->st_ctime = (time_t)from.modified;
}

int stat(const char *restrict name, struct stat *restrict about)
{
        nova_word_t answer[ABOUT_WORDS];
        const int error = novart_files_path(NOVA_FILES_STAT, -1, name, answer, ABOUT_WORDS);

        if (error)
                return novart_files_fail(error);
        novart_files_fill(answer, about);
        return 0;
}

int access(const char *name, int mode)
{
        struct stat about;

        if (stat(name, &about))
                return -1;
        return mode & W_OK && !(about.st_mode & 0222) ? novart_files_fail(EACCES) : 0;
}

int unlink(const char *name)
{
        const int error = novart_files_path(NOVA_FILES_REMOVE, 0, name, NULL, 0);

        return error ? novart_files_fail(error) : 0;
}

int rmdir(const char *name)
{
        const int error = novart_files_path(NOVA_FILES_REMOVE, 1, name, NULL, 0);

        return error ? novart_files_fail(error) : 0;
}

int mkdir(const char *name, mode_t mode)
{
        const int error = novart_files_path(NOVA_FILES_MAKE, -1, name, NULL, 0);

        (void)mode;
        return error ? novart_files_fail(error) : 0;
}

int rename(const char *old, const char *new)
{
        nova_word_t words[NOVA_WORDS_OF(2 * NOVA_FILES_PATH_SIZE)] = {0};
        const size_t first = strlen(old) + 1, second = strlen(new) + 1;
        int error;

        if (first > NOVA_FILES_PATH_SIZE || second > NOVA_FILES_PATH_SIZE)
                return novart_files_fail(ENAMETOOLONG);
        memcpy(words, old, first);
        memcpy((char *)words + first, new, second);
        error = novart_files_begin();
        if (!error)
                error = novart_files_call(NOVA_FILES_RENAME, words,
                                          (unsigned)NOVA_WORDS_OF(first + second), NULL, 0, 0);
        return error ? novart_files_fail(error) : 0;
}
