/* SPDX-License-Identifier: BSD-2-Clause */
/* The session with the service `files`, and functions that take paths. */
#include "newlib/files.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "novart/page.h"
#include "novart/session.h"

#define SHARE_ORDER 2
#define ABOUT_WORDS NOVA_WORDS_OF(sizeof(struct nova_files_about))

static struct nova_mutex mutex; /* protects the session */
static struct nova_cond idle;   /* the last call in a lost session has ended */
static struct nova_mutex share_mutex;
static struct nova_mutex rename_mutex; /* the service copies one file for a session at a time */
static struct nova_session *session;
static bool lost;
static unsigned sessions;
static unsigned calls; /* number of calls in progress; changes without the lock */
static char *shared;

int novart_files_fail(int error)
{
        errno = error;
        return -1;
}

unsigned novart_files_session(void)
{
        return __atomic_load_n(&lost, __ATOMIC_SEQ_CST)
                       ? 0
                       : __atomic_load_n(&sessions, __ATOMIC_RELAXED);
}

static void end_call(void)
{
        if (__atomic_sub_fetch(&calls, 1, __ATOMIC_SEQ_CST) ||
            !__atomic_load_n(&lost, __ATOMIC_SEQ_CST))
                return;
        nova_mutex_lock(&mutex);
        nova_cond_broadcast(&idle);
        nova_mutex_unlock(&mutex);
}

/* Begins a call in a session, which open_session() does not replace before end_call(). This
 * function counts the call before it reads `lost`, and open_session() reads the count after `lost`
 * was set. So open_session() waits for the call, or the call finds that the session is lost.
 * @return false: the session is lost */
static bool begin_call(unsigned number)
{
        if (number != novart_files_session())
                return false;
        __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
        if (number == novart_files_session())
                return true;
        end_call();
        return false;
}

/* Opens the session, or replaces the lost one when no thread uses it. The caller holds the lock. */
static int open_session(void)
{
        struct nova_session *opened;
        int error;

        while (lost && __atomic_load_n(&calls, __ATOMIC_SEQ_CST))
                nova_cond_wait(&idle, &mutex);
        if (session)
                return lost ? nova_session_reopen(session) : 0;
        error = nova_session_open(&opened, "files", NULL);
        if (!error)
                session = opened;
        return error;
}

int novart_files_begin(unsigned *number)
{
        int error = 0;

        nova_mutex_lock(&mutex);
        do { /* repeat if the service ends meanwhile */
                error = open_session();
        } while (error == ECONNRESET);
        if (!error && (lost || !sessions))
                sessions++;
        __atomic_store_n(&lost, error && session, __ATOMIC_SEQ_CST);
        *number = sessions;
        nova_mutex_unlock(&mutex);
        return error;
}

static int call(unsigned number, struct nova_message *message, unsigned answer_count)
{
        int error;

        if (!begin_call(number))
                return EIO;
        error = nova_session_call(session, message);
        if (error == ECONNRESET || error == EBADF) {
                __atomic_store_n(&lost, true, __ATOMIC_SEQ_CST);
                error = EIO;
        } else if (!error && message->answer_count < answer_count) {
                error = EPROTO;
        }
        end_call();
        return error;
}

int novart_files_call(unsigned number, nova_word_t operation, const nova_word_t *words,
                      unsigned count, nova_word_t *answer, unsigned answer_max,
                      unsigned answer_count)
{
        struct nova_message message = {.operation = operation,
                                       .words = words,
                                       .word_count = count,
                                       .answer = answer,
                                       .answer_max = answer_max};

        return call(number, &message, answer_count);
}

int novart_files_receive(unsigned number, nova_word_t operation, const nova_word_t *words,
                         unsigned count, nova_word_t *answer, unsigned answer_count,
                         nova_crd_t *window)
{
        struct nova_message message = {.operation = operation,
                                       .words = words,
                                       .word_count = count,
                                       .window = *window,
                                       .answer = answer,
                                       .answer_max = answer_count};
        const int error = call(number, &message, answer_count);

        *window = message.received;
        return error;
}

int novart_files_path(nova_word_t operation, long first, const char *path, nova_word_t *answer,
                      unsigned answer_count, unsigned *number)
{
        nova_word_t words[1 + NOVA_WORDS_OF(NOVA_FILES_PATH_SIZE)] = {0};
        const unsigned begin = first >= 0;
        const size_t bytes = strlen(path) + 1;
        unsigned here;
        int error;

        if (bytes > NOVA_FILES_PATH_SIZE)
                return ENAMETOOLONG;
        if (bytes == 1)
                return ENOENT;
        error = novart_files_begin(&here);
        if (error)
                return error;
        if (number)
                *number = here;
        words[0] = (nova_word_t)first;
        memcpy(words + begin, path, bytes);
        return novart_files_call(here, operation, words, begin + (unsigned)NOVA_WORDS_OF(bytes),
                                 answer, answer_count, answer_count);
}

int novart_files_open(const char *path, unsigned flags, nova_word_t *file, unsigned *number)
{
        return novart_files_path(NOVA_FILES_OPEN, (long)flags, path, file, 1, number);
}

char *novart_files_lock(unsigned number, size_t *bytes)
{
        nova_mutex_lock(&share_mutex);
        if (!shared && begin_call(number)) {
                shared = nova_page_alloc(SHARE_ORDER);
                if (shared && nova_session_share(session, shared, 1U << SHARE_ORDER) != 0) {
                        nova_page_free(shared, SHARE_ORDER);
                        shared = NULL;
                }
                end_call();
        }
        *bytes = (size_t)NOVA_PAGE_SIZE << SHARE_ORDER;
        return shared;
}

void novart_files_unlock(void)
{
        nova_mutex_unlock(&share_mutex);
}

int novart_files_fill(const nova_word_t *answer, struct stat *about)
{
        struct nova_files_about from;

        memcpy(&from, answer, sizeof(from));
        *about = (struct stat){.st_ino = (ino_t)from.number,
                               .st_nlink = 1,
                               .st_size = (off_t)from.size,
                               .st_blksize = NOVA_PAGE_SIZE << SHARE_ORDER,
                               .st_blocks = (blkcnt_t)((from.size + 511) / 512)};
        about->st_mode = (from.folder ? S_IFDIR : S_IFREG) |
                         (from.read_only & NOVA_FILES_READ_ONLY ? 0555 : 0777);
        about->st_mtime = about->st_atime = about->st_ctime = (time_t)from.modified;
        return from.size > LONG_MAX ? EOVERFLOW : 0; /* off_t has the size of a long */
}

int stat(const char *restrict name, struct stat *restrict about)
{
        nova_word_t answer[ABOUT_WORDS];
        int error = novart_files_path(NOVA_FILES_STAT, -1, name, answer, ABOUT_WORDS, NULL);

        if (!error)
                error = novart_files_fill(answer, about);
        return error ? novart_files_fail(error) : 0;
}

int access(const char *name, int mode)
{
        nova_word_t answer[ABOUT_WORDS];
        struct nova_files_about about;
        int error = novart_files_path(NOVA_FILES_STAT, -1, name, answer, ABOUT_WORDS, NULL);

        memcpy(&about, answer, sizeof(about));
        if (!error && mode & W_OK && about.read_only)
                error = about.read_only & NOVA_FILES_MEDIUM_READ_ONLY ? EROFS : EACCES;
        return error ? novart_files_fail(error) : 0;
}

int unlink(const char *name)
{
        const int error = novart_files_path(NOVA_FILES_REMOVE, 0, name, NULL, 0, NULL);

        return error ? novart_files_fail(error) : 0;
}

int rmdir(const char *name)
{
        const int error = novart_files_path(NOVA_FILES_REMOVE, 1, name, NULL, 0, NULL);

        return error ? novart_files_fail(error) : 0;
}

int mkdir(const char *name, mode_t mode)
{
        const int error = novart_files_path(NOVA_FILES_MAKE, -1, name, NULL, 0, NULL);

        (void)mode;
        return error ? novart_files_fail(error) : 0;
}

int rename(const char *old, const char *new)
{
        nova_word_t words[NOVA_WORDS_OF(2 * NOVA_FILES_PATH_SIZE)] = {0};
        const size_t first = strlen(old) + 1, second = strlen(new) + 1;
        unsigned number;
        int error;

        if (first > NOVA_FILES_PATH_SIZE || second > NOVA_FILES_PATH_SIZE)
                return novart_files_fail(ENAMETOOLONG);
        memcpy(words, old, first);
        memcpy((char *)words + first, new, second);
        error = novart_files_begin(&number);
        if (error)
                return novart_files_fail(error);
        nova_mutex_lock(&rename_mutex);
        do
                error = novart_files_call(number, NOVA_FILES_RENAME, words,
                                          (unsigned)NOVA_WORDS_OF(first + second), NULL, 0, 0);
        while (error == EINPROGRESS); /* the service copies a file in parts */
        nova_mutex_unlock(&rename_mutex);
        return error ? novart_files_fail(error) : 0;
}
