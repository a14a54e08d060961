/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls of the C library: three open files, which are the console, and a heap. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "novart/console.h"
#include "novart/region.h"
#include "start/start.h"

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
        if (file != STDOUT_FILENO && file != STDERR_FILENO)
                return fail(EBADF);

        const int error = nova_console_write(data, bytes);

        return error ? fail(error) : (int)bytes;
}

_READ_WRITE_RETURN_TYPE read(int file, void *data, size_t bytes)
{
        if (file != STDIN_FILENO)
                return fail(EBADF);

        const int got = nova_console_read(data, bytes);

        return got < 0 ? fail(-got) : got;
}

/* Moves the end of the heap. The C library holds its lock of the heap during the call. */
void *sbrk(ptrdiff_t change)
{
        void *const old = nova_sbrk(change);

        if (old == (void *)-1)
                errno = ENOMEM;
        return old;
}

int close(int file)
{
        return is_console(file) ? 0 : fail(EBADF);
}

int fstat(int file, struct stat *about)
{
        if (!is_console(file))
                return fail(EBADF);
        *about = (struct stat){.st_mode = S_IFCHR};
        return 0;
}

int isatty(int file)
{
        if (!is_console(file))
                errno = EBADF;
        return is_console(file);
}

off_t lseek(int file, off_t offset, int whence)
{
        (void)offset;
        (void)whence;
        return fail(is_console(file) ? ESPIPE : EBADF);
}

/* Fails, because only the three open files exist. */
int open(const char *name, int flags, ...)
{
        (void)name;
        (void)flags;
        return fail(ENOENT);
}

int stat(const char *restrict name, struct stat *restrict about)
{
        (void)name;
        (void)about;
        return fail(ENOENT);
}

int unlink(const char *name)
{
        (void)name;
        return fail(ENOENT);
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

/* Ends the program as the signal would. abort() and raise() call this function. */
int kill(int process, int signal)
{
        if (process != 1)
                return fail(ESRCH);
        if (!signal)
                return 0;
        novart_program_end(128 + signal);
}

void _exit(int status)
{
        novart_program_end(status);
}
