/* SPDX-License-Identifier: BSD-2-Clause */
/* Open files: the numbers 3 and above. Copies from and to the caller's memory are guarded: a thread
 * that faulted during a copy would leave the file locked for all others. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "newlib/files.h"
#include "novart/guard.h"
#include "novart/sync.h"

#define VIEW_MIN    0x4000 /* smallest read in bytes that uses a view of the file */
#define ABOUT_WORDS NOVA_WORDS_OF(sizeof(struct nova_files_about))

/* An open file. */
struct file {
        unsigned session; /* number of the session; 0: not open */
        nova_word_t number;
        int flags;               /* flags of open() */
        struct nova_mutex mutex; /* held by the call that uses the offset, and by close() */
        uint64_t offset;
};

static struct file files[NOVA_FILES_MAX];
static struct nova_mutex mutex; /* protects the table */

static struct file *file_of(int file)
{
        const unsigned index = (unsigned)file - FILES_FIRST;

        return index < NOVA_FILES_MAX && files[index].session ? &files[index] : NULL;
}

/* Returns an open file; NULL: errno is set. */
static struct file *find(int number)
{
        struct file *file = file_of(number);

        if (!file)
                errno = EBADF;
        else if (file->session != novart_files_session())
                errno = EIO; /* the service has ended meanwhile */
        else
                return file;
        return NULL;
}

/* Returns an open file for a call that uses its offset; NULL: errno is set. The caller must unlock
 * the file's mutex. */
static struct file *find_locked(int number)
{
        struct file *const waiting = file_of(number), *file;

        if (!waiting) { /* final, even if another thread opens it now: there is no lock yet */
                errno = EBADF;
                return NULL;
        }
        nova_mutex_lock(&waiting->mutex);
        file = find(number); /* another thread may have closed it meanwhile */
        if (!file)
                nova_mutex_unlock(&waiting->mutex);
        return file;
}

int novart_files_readable(int number, unsigned *session, nova_word_t *at_service)
{
        const struct file *file = file_of(number);

        if (!file || (file->flags & O_ACCMODE) == O_WRONLY)
                return EBADF;
        *session = file->session;
        *at_service = file->number;
        return *session == novart_files_session() ? 0 : EIO;
}

static void put_place(nova_word_t *words, uint64_t place)
{
        words[0] = (nova_word_t)(place & UINT32_MAX);
        words[1] = (nova_word_t)(place >> 32);
}

/* Sets the offset to the start of a write; the service chooses it for a file with O_APPEND. */
static void take_place(uint64_t *offset, const nova_word_t *answer)
{
        const uint64_t end = (uint64_t)answer[2] << 32 | answer[1];

        if (end >= answer[0])
                *offset = end - answer[0];
}

/* Reads or writes a part with one call. @return number of bytes, or a negative errno value */
static long transfer_shared(const struct file *file, uint64_t *offset, char *data, size_t bytes,
                            bool writes)
{
        nova_word_t words[5] = {file->number}, answer[3] = {0};
        size_t room;
        char *shared = novart_files_lock(file->session, &room);
        int error = shared ? 0 : ENOMEM;

        if (!error) {
                words[3] = bytes < room ? bytes : room;
                put_place(words + 1, *offset);
                if (writes)
                        error = nova_copy_guarded(shared, data, words[3]);
        }
        if (!error)
                error = novart_files_call(file->session,
                                          writes ? NOVA_FILES_STORE : NOVA_FILES_FETCH, words, 5,
                                          answer, writes ? 3 : 1, writes ? 3 : 1);
        if (!error && answer[0] > words[3])
                error = EPROTO;
        if (!error && !writes)
                error = nova_copy_guarded(data, shared, answer[0]);
        novart_files_unlock();
        if (!error && writes)
                take_place(offset, answer);
        return error ? -error : (long)answer[0];
}

static long read_message(const struct file *file, uint64_t offset, char *to, size_t bytes)
{
        nova_word_t words[4] = {file->number, 0, 0,
                                bytes < NOVA_FILES_CHUNK ? bytes : NOVA_FILES_CHUNK};
        nova_word_t answer[1 + NOVA_WORDS_OF(NOVA_FILES_CHUNK)];
        int error;

        put_place(words + 1, offset);
        error = novart_files_call(file->session, NOVA_FILES_READ, words, 4, answer,
                                  sizeof(answer) / sizeof(answer[0]), 1);
        if (error || answer[0] > words[3])
                return error ? -error : -EPROTO;
        error = nova_copy_guarded(to, answer + 1, answer[0]);
        return error ? -error : (long)answer[0];
}

static long write_message(const struct file *file, uint64_t *offset, const char *from, size_t bytes)
{
        nova_word_t words[FILES_WORDS(NOVA_FILES_CHUNK)] = {
                file->number, 0, 0, bytes < NOVA_FILES_CHUNK ? bytes : NOVA_FILES_CHUNK};
        nova_word_t answer[3];
        int error;

        put_place(words + 1, *offset);
        error = nova_copy_guarded(words + 4, from, words[3]);
        if (!error)
                error = novart_files_call(file->session, NOVA_FILES_WRITE, words,
                                          (unsigned)FILES_WORDS(words[3]), answer, 3, 3);
        if (!error && answer[0] > words[3])
                error = EPROTO;
        if (error)
                return -error;
        take_place(offset, answer);
        return (long)answer[0];
}

static long transfer(const struct file *file, uint64_t *offset, char *data, size_t bytes,
                     bool writes)
{
        if (!writes) {
                const long done = novart_files_read_view(file->session, file->number, *offset, data,
                                                         bytes, bytes >= VIEW_MIN);

                if (done >= 0)
                        return done;
        }
        if (bytes > NOVA_FILES_CHUNK) {
                const long done = transfer_shared(file, offset, data, bytes, writes);

                if (done != -ENOMEM)
                        return done;
        }
        return writes ? write_message(file, offset, data, bytes)
                      : read_message(file, *offset, data, bytes);
}

/* Reads or writes until all bytes are done or the file ends, and moves the offset. The caller holds
 * the file's mutex. */
static int transfer_all(const struct file *file, uint64_t *offset, char *data, size_t bytes,
                        bool writes)
{
        size_t total = 0;

        if ((file->flags & O_ACCMODE) == (writes ? O_RDONLY : O_WRONLY))
                return novart_files_fail(EBADF);
        if (bytes > INT32_MAX)
                bytes = INT32_MAX;
        while (total < bytes) {
                const long done = transfer(file, offset, data + total, bytes - total, writes);

                if (writes && done == -EINPROGRESS)
                        continue; /* the service fills a gap before the data in parts */
                if (done < 0 && !total)
                        return novart_files_fail((int)-done);
                if (done <= 0)
                        break;
                *offset += (size_t)done;
                total += (size_t)done;
        }
        return (int)total;
}

/* Threads that use a file at the same time take turns, so that each byte is read or written only
 * once. */
static int transfer_locked(int number, char *data, size_t bytes, bool writes)
{
        struct file *const file = find_locked(number);
        int done;

        if (!file)
                return -1;
        done = transfer_all(file, &file->offset, data, bytes, writes);
        nova_mutex_unlock(&file->mutex);
        return done;
}

static int read_file(int number, void *data, size_t bytes)
{
        return transfer_locked(number, data, bytes, false);
}

static int write_file(int number, const void *data, size_t bytes)
{
        return transfer_locked(number, (char *)data, bytes, true);
}

/* Reads or writes at an offset of the call's own. */
static int transfer_at(int number, off_t offset, char *data, size_t bytes, bool writes)
{
        uint64_t at = (uint64_t)offset;
        struct file *file;
        int done;

        if (!file_of(number)) /* ESPIPE for the console and sockets */
                return lseek(number, 0, SEEK_CUR) < 0 ? -1 : novart_files_fail(EBADF);
        if (offset < 0)
                return novart_files_fail(EINVAL);
        file = find_locked(number);
        if (!file)
                return -1;
        done = transfer_all(file, &at, data, bytes, writes);
        nova_mutex_unlock(&file->mutex);
        return done;
}

ssize_t pread(int number, void *data, size_t bytes, off_t offset)
{
        return transfer_at(number, offset, data, bytes, false);
}

ssize_t pwrite(int number, const void *data, size_t bytes, off_t offset)
{
        return transfer_at(number, offset, (char *)data, bytes, true);
}

static int about_file(int number, struct stat *about)
{
        const struct file *file = find(number);
        nova_word_t answer[ABOUT_WORDS];
        int error;

        if (!file)
                return -1;
        error = novart_files_call(file->session, NOVA_FILES_ABOUT, &file->number, 1, answer,
                                  ABOUT_WORDS, ABOUT_WORDS);
        if (!error)
                error = novart_files_fill(answer, about);
        return error ? novart_files_fail(error) : 0;
}

/* Sets the offset. The caller holds the file's mutex. @param size the file's size, for SEEK_END */
static off_t set_offset(struct file *file, off_t offset, int whence, off_t size)
{
        int64_t from = 0;

        if (whence == SEEK_CUR && file->offset > INT64_MAX)
                return novart_files_fail(EOVERFLOW);
        if (whence == SEEK_CUR)
                from = (int64_t)file->offset;
        else if (whence == SEEK_END)
                from = size;
        else if (whence != SEEK_SET)
                return novart_files_fail(EINVAL);
        if (offset < -from)
                return novart_files_fail(EINVAL);
        /* off_t has the size of a long */
        if (offset > 0 ? from > LONG_MAX - offset : from + offset > LONG_MAX)
                return novart_files_fail(EOVERFLOW);
        file->offset = (uint64_t)(from + offset);
        return (off_t)file->offset;
}

static off_t seek_file(int number, off_t offset, int whence)
{
        struct file *const file = find_locked(number);
        struct stat about = {0};
        off_t to = -1;

        if (!file)
                return -1;
        if (whence != SEEK_END || !about_file(number, &about))
                to = set_offset(file, offset, whence, about.st_size);
        nova_mutex_unlock(&file->mutex);
        return to;
}

/* Closes a file. The caller holds its mutex. @return 0 or an errno value */
static int end_file(struct file *file)
{
        int error = 0;

        if (!file->session)
                return EBADF; /* another thread has closed it */
        novart_files_forget_views(file->number);
        if (file->session == novart_files_session())
                error = novart_files_call(file->session, NOVA_FILES_CLOSE, &file->number, 1, NULL,
                                          0, 0);
        else if ((file->flags & O_ACCMODE) != O_RDONLY)
                error = EIO; /* writes may be lost */
        file->session = 0;
        return error;
}

static int close_file(int number)
{
        struct file *const file = file_of(number);
        int error;

        if (!file)
                return novart_files_fail(EBADF);
        nova_mutex_lock(&file->mutex);
        error = end_file(file);
        nova_mutex_unlock(&file->mutex);
        return error ? novart_files_fail(error) : 0;
}

static int control_file(int number, int command, int value)
{
        const struct file *file = find(number);

        (void)value;
        if (!file)
                return -1;
        if (command == F_GETFL)
                return file->flags;
        return command == F_GETFD || command == F_SETFD ? 0 : novart_files_fail(EINVAL);
}

/* Closes the files that were written, so that the disk has their sizes before init ends the system.
 * Takes no lock, because a thread that no longer runs may hold it. */
static void end_files(void)
{
        const unsigned session = novart_files_session();

        for (unsigned i = 0; i < NOVA_FILES_MAX; i++)
                if (files[i].session && files[i].session == session &&
                    (files[i].flags & O_ACCMODE) != O_RDONLY)
                        novart_files_call(session, NOVA_FILES_CLOSE, &files[i].number, 1, NULL, 0,
                                          0);
}

static unsigned flags_of(int flags)
{
        return ((flags & O_ACCMODE) != O_RDONLY ? NOVA_FILES_WRITABLE : 0U) |
               (flags & O_CREAT ? NOVA_FILES_CREATE : 0U) |
               (flags & O_EXCL ? NOVA_FILES_EXCLUSIVE : 0U) |
               (flags & O_TRUNC ? NOVA_FILES_TRUNCATE : 0U) |
               (flags & O_APPEND ? NOVA_FILES_APPEND : 0U);
}

int open(const char *name, int flags, ...)
{
        static const struct files_calls calls = {read_file,  write_file,   seek_file, about_file,
                                                 close_file, control_file, end_files};
        int index = 0, error;
        nova_word_t number;
        unsigned session;

        /* Reads the name before the lock is taken: a thread that faulted here while it held the
         * lock would never release it. */
        if (strlen(name) >= NOVA_FILES_PATH_SIZE)
                return novart_files_fail(ENAMETOOLONG);
        nova_mutex_lock(&mutex);
        while (index < NOVA_FILES_MAX && files[index].session)
                index++;
        error = index == NOVA_FILES_MAX
                        ? EMFILE
                        : novart_files_open(name, flags_of(flags), &number, &session);
        if (!error) {
                files[index].number = number; /* the mutex stays: a thread may wait for it */
                files[index].flags = flags;
                files[index].offset = 0;
                files[index].session = session;
                __atomic_store_n(&novart_files_calls, &calls, __ATOMIC_RELEASE);
        }
        nova_mutex_unlock(&mutex);
        return error ? novart_files_fail(error) : FILES_FIRST + index;
}

int fsync(int number)
{
        const struct file *file = find(number);
        int error;

        if (!file)
                return -1;
        error = novart_files_call(file->session, NOVA_FILES_SYNC, &file->number, 1, NULL, 0, 0);
        return error ? novart_files_fail(error) : 0;
}

static int resize(unsigned session, nova_word_t number, off_t size)
{
        nova_word_t words[3] = {number};
        int error;

        put_place(words + 1, (uint64_t)size);
        do
                error = novart_files_call(session, NOVA_FILES_RESIZE, words, 3, NULL, 0, 0);
        while (error == EINPROGRESS); /* the service adds zeroes in parts */
        return error;
}

int ftruncate(int number, off_t size)
{
        const struct file *file = find(number);
        int error;

        if (!file)
                return -1;
        if (size < 0 || (file->flags & O_ACCMODE) == O_RDONLY)
                return novart_files_fail(EINVAL);
        error = resize(file->session, file->number, size);
        return error ? novart_files_fail(error) : 0;
}

int truncate(const char *name, off_t size)
{
        nova_word_t number;
        unsigned session;
        int error = EINVAL, close_error;

        if (size >= 0)
                error = novart_files_open(name, NOVA_FILES_WRITABLE, &number, &session);
        if (error)
                return novart_files_fail(error);
        error = resize(session, number, size);
        close_error = novart_files_call(session, NOVA_FILES_CLOSE, &number, 1, NULL, 0, 0);
        if (!error)
                error = close_error;
        return error ? novart_files_fail(error) : 0;
}
