/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits and options of the system, as POSIX names them. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "memory/page.h"
#include "newlib/files.h"
#include "novart/program.h"

/* The last of the C library's names, which are contiguous. */
#define SC_LAST _SC_POSIX_26_VERSION

static long pages(size_t count)
{
        return count < LONG_MAX ? (long)count : LONG_MAX;
}

int getpagesize(void)
{
        return NOVA_PAGE_SIZE;
}

long sysconf(int name)
{
        switch (name) {
        case _SC_PAGESIZE:
                return NOVA_PAGE_SIZE;
        case _SC_NPROCESSORS_CONF:
        case _SC_NPROCESSORS_ONLN:
                return __builtin_popcountll(nova_program.cpus);
        case _SC_PHYS_PAGES:
                return pages(novart_page_total());
        case _SC_AVPHYS_PAGES:
                return pages(nova_page_free_count());
        case _SC_OPEN_MAX:
                return SOCKETS_FIRST + SOCKETS_MAX;
        case _SC_CLK_TCK:
                return CLOCKS_PER_SEC;
        case _SC_THREAD_KEYS_MAX:
                return PTHREAD_KEYS_MAX;
        case _SC_THREAD_DESTRUCTOR_ITERATIONS:
                return PTHREAD_DESTRUCTOR_ITERATIONS;
        case _SC_THREAD_STACK_MIN:
                return PTHREAD_STACK_MIN;
        case _SC_MONOTONIC_CLOCK:
                return _POSIX_MONOTONIC_CLOCK;
        default: /* a name without a limit, or an option that is not supported, is no error */
                if (name < 0 || name > SC_LAST)
                        errno = EINVAL;
                return -1;
        }
}
