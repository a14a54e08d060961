/* SPDX-License-Identifier: BSD-2-Clause */
/* read(), write(), lseek(), fstat(), close() and fcntl() of sockets. */
#include "calls.h"

#include <errno.h>
#include <sys/stat.h>

#include "lwip/sockets.h"
#include "newlib/files.h"

_Static_assert(LWIP_SOCKET_OFFSET == SOCKETS_FIRST,
               "the runtime and lwIP begin the numbers of sockets at one value");
_Static_assert(NUM_SOCKETS == SOCKETS_MAX, "the runtime and lwIP have one limit of sockets");

static int read_socket(int number, void *data, size_t bytes)
{
        return (int)lwip_read(number, data, bytes);
}

static int write_socket(int number, const void *data, size_t bytes)
{
        return (int)lwip_write(number, data, bytes);
}

static off_t seek_socket(int number, off_t offset, int whence)
{
        (void)number;
        (void)offset;
        (void)whence;
        errno = ESPIPE;
        return -1;
}

static int about_socket(int number, struct stat *about)
{
        (void)number;
        *about = (struct stat){.st_mode = S_IFSOCK};
        return 0;
}

static int close_socket(int number)
{
        return lwip_close(number);
}

void novanet_use_calls(void)
{
        static const struct files_calls calls = {
                .read = read_socket,
                .write = write_socket,
                .seek = seek_socket,
                .about = about_socket,
                .close = close_socket,
                .control = lwip_fcntl,
        };

        __atomic_store_n(&novart_sockets_calls, &calls, __ATOMIC_RELEASE);
}
