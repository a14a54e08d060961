/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of files that are special cases of others. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int creat(const char *name, mode_t mode)
{
        return open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* The service has one operation that writes all that it knows about a file. */
int fdatasync(int file)
{
        return fsync(file);
}

/* There is no current folder, and paths without a leading slash begin at the root. As on many
 * systems, the result is memory of malloc() if the caller has no buffer. */
char *getcwd(char *buffer, size_t bytes)
{
        static const char root[] = "/";

        if (buffer && !bytes) {
                errno = EINVAL;
                return NULL;
        }
        if (bytes && bytes < sizeof(root)) {
                errno = ERANGE;
                return NULL;
        }
        if (!buffer)
                return strdup(root);
        return memcpy(buffer, root, sizeof(root));
}
