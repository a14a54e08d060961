/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths as text. */
#include <string.h>

#include "volume.h"

bool path_clean(const char *path, char clean[NOVA_FILES_PATH_SIZE])
{
        size_t length = 0;

        while (*path) {
                const size_t part = strcspn(path, "/");

                if (part == 2 && path[0] == '.' && path[1] == '.') {
                        while (length && clean[--length] != '/')
                                ;
                } else if (part && !(part == 1 && *path == '.')) {
                        if (length + (length > 0) + part >= NOVA_FILES_PATH_SIZE)
                                return false;
                        if (length)
                                clean[length++] = '/';
                        memcpy(clean + length, path, part);
                        length += part;
                }
                path += part + (path[part] == '/');
        }
        clean[length] = 0;
        return true;
}

const char *path_below(const char *path, const char *folder)
{
        const size_t length = strlen(folder);

        if (!length)
                return path;
        if (strncmp(path, folder, length) != 0 || (path[length] && path[length] != '/'))
                return NULL;
        return path + length + (path[length] == '/');
}
