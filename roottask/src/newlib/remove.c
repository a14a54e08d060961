/* SPDX-License-Identifier: BSD-2-Clause */
/* remove() for files and folders. The C library's own calls unlink() only. */
#include <errno.h>
#include <reent.h>
#include <stdio.h>
#include <unistd.h>

int remove(const char *name)
{
        const int before = errno;

        if (!unlink(name))
                return 0;
        if (errno != EISDIR)
                return -1;
        errno = before;
        return rmdir(name);
}

/* The C library's object of remove() has this function, too. A program must not link both
 * objects. */
int _remove_r(struct _reent *reent, const char *name)
{
        (void)reent; /* that of the calling thread, which has errno */
        return remove(name);
}
