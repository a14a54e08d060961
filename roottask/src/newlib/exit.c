/* SPDX-License-Identifier: BSD-2-Clause */
/* exit(). The C library's exit() knows no objects of threads, which C++ destroys before all others.
 */
#include <reent.h>
#include <stdlib.h>
#include <unistd.h>

#include "thread/thread.h"

/* Calls the functions of atexit() and the destructors of static objects, the last one first. Only
 * private headers of the C library declare it. */
void __call_exitprocs(int status, void *library);

void exit(int status)
{
        if (novart_thread_objects_end)
                novart_thread_objects_end(nova_thread_self());
        __call_exitprocs(status, NULL);
        if (_GLOBAL_REENT->__cleanup) /* writes the data of the streams */
                _GLOBAL_REENT->__cleanup(_GLOBAL_REENT);
        _exit(status);
}
