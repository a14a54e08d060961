/* SPDX-License-Identifier: BSD-2-Clause */
/* The runtime's session with the service `files`, for the functions of POSIX. */
#ifndef NOVART_NEWLIB_FILES_H
#define NOVART_NEWLIB_FILES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "novart/service/files.h"

#define FILES_FIRST        3 /* number of the first open file that is not the console */
#define SOCKETS_FIRST      (FILES_FIRST + NOVA_FILES_MAX) /* number of the first socket */
#define SOCKETS_MAX        24 /* maximum number of sockets of a program */
#define FILES_WORDS(bytes) (4 + NOVA_WORDS_OF(bytes))

/* Functions that the system calls of the C library need for open files. A program that opens no
 * files does not contain them. */
struct files_calls {
        int (*read)(int file, void *data, size_t bytes);
        int (*write)(int file, const void *data, size_t bytes);
        off_t (*seek)(int file, off_t offset, int whence);
        int (*about)(int file, struct stat *about);
        int (*close)(int file);
        int (*control)(int file, int command, int value); /* fcntl() */
        void (*end)(void);                                /* the program ends; NULL for sockets */
};

extern const struct files_calls *novart_files_calls;   /* NULL: nothing was opened */
extern const struct files_calls *novart_sockets_calls; /* NULL: there are no sockets */

/* Sets errno. @return -1 */
int novart_files_fail(int error);

/* Calls the service in session number @p session. After ECONNRESET the next call of
 * novart_files_begin() opens a new session.
 * @return 0: the answer has at least @p answer_count words; else an errno value, EIO if the session
 * is lost */
int novart_files_call(unsigned session, nova_word_t operation, const nova_word_t *words,
                      unsigned count, nova_word_t *answer, unsigned answer_max,
                      unsigned answer_count);

/* Calls the service as novart_files_call() does, with a receive window. @p window receives the
 * range that has arrived, or 0. */
int novart_files_receive(unsigned session, nova_word_t operation, const nova_word_t *words,
                         unsigned count, nova_word_t *answer, unsigned answer_count,
                         nova_crd_t *window);

/* Opens the session if there is none; @p session receives its number. @return 0 or an errno
 * value */
int novart_files_begin(unsigned *session);

/* Calls an operation on a path. The message's words are @p first, unless it is negative, and the
 * path.
 * @p session, if not NULL, receives the number of the session. */
int novart_files_path(nova_word_t operation, long first, const char *path, nova_word_t *answer,
                      unsigned answer_count, unsigned *session);

/* Opens a path. @return number of the file at the service in @p file, and of its session */
int novart_files_open(const char *path, unsigned flags, nova_word_t *file, unsigned *session);

/* Returns memory that is shared with the service, for larger reads and writes. The caller holds the
 * lock until novart_files_unlock(). @return NULL: use messages */
char *novart_files_lock(unsigned session, size_t *bytes);
void novart_files_unlock(void);

/* Returns the number of the present session; 0: it is lost. A file's number is valid in the file's
 * session only. Another thread may open a new session at any time. So each call names the file's
 * session, even if the caller has just found that this session is the present one. */
unsigned novart_files_session(void);

/* Finds a file that is open for reading. @return 0 and its number in the session, EBADF, EIO */
int novart_files_readable(int file, unsigned *session, nova_word_t *number);

/* Reads from a view of a file; @p may_fill: gets the view if there is none.
 * @return number of bytes, 0 at the end; negative: the caller must read by messages */
long novart_files_read_view(unsigned session, nova_word_t file, uint64_t offset, void *to,
                            size_t bytes, bool may_fill);

/* Ends the views of a file that is closed. */
void novart_files_forget_views(nova_word_t file);

/* Fills in all properties. @return 0, or EOVERFLOW: off_t cannot hold the size */
int novart_files_fill(const nova_word_t *answer, struct stat *about);

#endif
