/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of any length. The C library's __getdelim() writes to a wrong address if no memory is left,
 * so these functions do not use it. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BYTES 120            /* initial size of a line's buffer */
#define BYTES_MAX   (SIZE_MAX / 2) /* largest number of bytes in ssize_t */

/* Makes room for one more character and the 0. @return 0 or an errno value */
static int make_room(char **line, size_t *size, size_t used)
{
        const size_t room = *line ? *size : 0;
        const size_t more = room < FIRST_BYTES ? FIRST_BYTES : 2 * room;
        char *new;

        if (used + 1 < room)
                return 0;
        if (room > BYTES_MAX)
                return EOVERFLOW;
        new = realloc(*line, more);
        if (!new)
                return ENOMEM;
        *line = new;
        *size = more;
        return 0;
}

/* Reads a line. @return 0 or an errno value; *used is the number of bytes before the 0 */
static int read_line(char **line, size_t *size, int delimiter, FILE *stream, size_t *used)
{
        int c, error;

        for (;;) {
                error = make_room(line, size, *used);
                if (error)
                        return error;
                c = getc_unlocked(stream);
                if (c == EOF)
                        break;
                (*line)[(*used)++] = (char)c;
                if (c == delimiter)
                        break;
        }
        (*line)[*used] = 0;
        return 0;
}

ssize_t getdelim(char **line, size_t *size, int delimiter, FILE *stream)
{
        size_t used = 0;
        int error = EINVAL;

        if (line && size && stream) {
                flockfile(stream);
                error = read_line(line, size, delimiter, stream, &used);
                funlockfile(stream);
        }
        if (error)
                errno = error;
        return error || !used ? -1 : (ssize_t)used;
}

ssize_t getline(char **line, size_t *size, FILE *stream)
{
        return getdelim(line, size, '\n', stream);
}
