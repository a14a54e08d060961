/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks of streams for programs. The C library's own functions use the same locks. */
#include <reent.h>
#include <stdio.h>
#include <sys/lock.h>

/* Initialises stdio for a thread. Only private headers of the C library declare it. */
void __sinit(struct _reent *reent);

/* Returns the lock of a stream; NULL: the stream is a string, which only one thread uses. */
static _LOCK_RECURSIVE_T lock_of(const FILE *stream)
{
        if (!_REENT->__sdidinit) /* stdin, stdout and stderr get their locks with the first use */
                __sinit(_REENT);
        return stream->_flags & __SSTR ? NULL : stream->_lock;
}

void flockfile(FILE *stream)
{
        const _LOCK_RECURSIVE_T lock = lock_of(stream);

        if (lock)
                __lock_acquire_recursive(lock);
}

int ftrylockfile(FILE *stream)
{
        const _LOCK_RECURSIVE_T lock = lock_of(stream);

        return lock && !__lock_try_acquire_recursive(lock);
}

void funlockfile(FILE *stream)
{
        const _LOCK_RECURSIVE_T lock = lock_of(stream);

        if (lock)
                __lock_release_recursive(lock);
}
