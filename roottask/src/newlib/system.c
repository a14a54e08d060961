/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls of the C library: the console, which is the files 0 to 2, and a heap. Functions
 * for other files are in file.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "newlib/files.h"
#include "newlib/input.h"
#include "novart/console.h"
#include "novart/region.h"
#include "start/start.h"

const struct files_calls *novart_files_calls;
const struct files_calls *novart_sockets_calls;

/* Returns the functions for a socket or for a file other than the console; NULL: there are none. */
static const struct files_calls *calls_of(int file)
{
        if (file >= SOCKETS_FIRST)
                return __atomic_load_n(&novart_sockets_calls, __ATOMIC_ACQUIRE);
        return file >= FILES_FIRST ? __atomic_load_n(&novart_files_calls, __ATOMIC_ACQUIRE) : NULL;
}

static int fail(int error)
{
        errno = error;
        return -1;
}

static bool is_console(int file)
{
        return file >= STDIN_FILENO && file <= STDERR_FILENO;
}

_READ_WRITE_RETURN_TYPE write(int file, const void *data, size_t bytes)
{
        const struct files_calls *calls = calls_of(file);

        if (calls)
                return calls->write(file, data, bytes);
        if (file != STDOUT_FILENO && file != STDERR_FILENO)
                return fail(EBADF);

        const int error = nova_console_write(data, bytes);

        return error ? fail(error) : (int)bytes;
}

_READ_WRITE_RETURN_TYPE read(int file, void *data, size_t bytes)
{
        const struct files_calls *calls = calls_of(file);

        if (calls)
                return calls->read(file, data, bytes);
        if (file != STDIN_FILENO)
                return fail(EBADF);

        const int got = nova_console_read(data, bytes);

        return got < 0 ? fail(-got) : got;
}

int fcntl(int file, int command, ...)
{
        const struct files_calls *calls = calls_of(file);
        va_list arguments;
        int value = 0;

        if (!calls)
                return fail(EBADF);
        if (command != F_GETFD && command != F_GETFL) {
                va_start(arguments, command);
                value = va_arg(arguments, int);
                va_end(arguments);
        }
        return calls->control(file, command, value);
}

/* Moves the end of the heap. malloc() and related functions hold the heap's lock during the
 * call. */
void *sbrk(ptrdiff_t change)
{
        void *const old = nova_sbrk(change);

        if (old == (void *)-1)
                errno = ENOMEM;
        return old;
}

int close(int file)
{
        const struct files_calls *calls = calls_of(file);

        if (calls)
                return calls->close(file);
        return is_console(file) ? 0 : fail(EBADF);
}

int fstat(int file, struct stat *about)
{
        const struct files_calls *calls = calls_of(file);

        if (calls)
                return calls->about(file, about);
        if (!is_console(file))
                return fail(EBADF);
        *about = (struct stat){.st_mode = S_IFCHR};
        return 0;
}

/* Standard input without a source is at its end, and is not a terminal. */
int isatty(int file)
{
        const bool terminal =
                is_console(file) && (file != STDIN_FILENO || novart_console_has_input());

        if (!terminal)
                errno = is_console(file) || calls_of(file) ? ENOTTY : EBADF;
        return terminal;
}

off_t lseek(int file, off_t offset, int whence)
{
        const struct files_calls *calls = calls_of(file);

        if (calls)
                return calls->seek(file, offset, whence);
        return fail(is_console(file) ? ESPIPE : EBADF);
}

int link(const char *from, const char *to)
{
        (void)from;
        (void)to;
        return fail(ENOSYS);
}

int getpid(void)
{
        return 1;
}

/* Ends the program as the signal would. Called by abort() and raise(). */
int kill(int process, int signal)
{
        if (process != 1)
                return fail(ESRCH);
        if (!signal)
                return 0;
        novart_program_end(128 + signal);
}

/* Called by exit() after it has written the data of the streams. */
void _exit(int status)
{
        const struct files_calls *calls = calls_of(FILES_FIRST);

        if (calls)
                calls->end();
        novart_program_end(status);
}
