/* SPDX-License-Identifier: BSD-2-Clause */
/* The operation RENAME of the service `files`. */
#include <errno.h>
#include <string.h>

#include "session.h"

static int rename_path(const struct session *session, const char *old, const char *new)
{
        const struct volume *volume = session->grant->volume;
        const char *folder = session->grant->folder;
        char name[FILES_NAME_SIZE], new_name[FILES_NAME_SIZE];
        struct files_node *from, *to;
        int error;

        if (strcmp(old, folder) == 0 || strcmp(new, folder) == 0)
                return EBUSY;
        if (path_below(new, old) && strcmp(new, old) != 0)
                return EINVAL; /* a folder cannot be moved into itself */
        error = volume_find_parent(volume, old, &from, name);
        if (error)
                return error;
        error = volume_find_parent(volume, new, &to, new_name);
        if (!error) {
                error = files_can_write(session);
                if (!error)
                        error = backend_of(from)->rename(from, name, to, new_name);
                backend_of(to)->release(to);
        }
        backend_of(from)->release(from);
        return error;
}

int files_rename(struct nova_request *request)
{
        static char old[NOVA_FILES_PATH_SIZE], new[NOVA_FILES_PATH_SIZE];
        const char *text = nova_request_bytes(request, 0, 1);
        const size_t bytes = NOVA_MESSAGE_BYTES(request->word_count);
        const char *second = memchr(text, 0, bytes);
        int error;

        if (!second || ++second == text + bytes ||
            !memchr(second, 0, (size_t)(text + bytes - second)))
                return EINVAL;
        if (!*text || !*second)
                return ENOENT;
        error = files_read_path(request, text, old);
        if (!error)
                error = files_read_path(request, second, new);
        return error ? error : rename_path(session_of(request), old, new);
}
