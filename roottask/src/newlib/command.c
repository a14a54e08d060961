/* SPDX-License-Identifier: BSD-2-Clause */
/* system(), for a system without a command processor. The C library's own needs fork(). */
#include <errno.h>
#include <reent.h>
#include <stdlib.h>

int system(const char *command)
{
        if (!command)
                return 0; /* there is no command processor */
        errno = ENOSYS;
        return -1;
}

/* The C library's object of system() has this function, too. A program must not link both
 * objects. */
int _system_r(struct _reent *reent, const char *command)
{
        (void)reent; /* that of the calling thread, which has errno */
        return system(command);
}
