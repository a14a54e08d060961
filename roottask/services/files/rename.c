/* SPDX-License-Identifier: BSD-2-Clause */
/* The operation RENAME of the service `files`. */
#include <errno.h>
#include <string.h>

#include "session.h"

/* Changes a name. While the backend copies the file in parts, the session uses the file, which
 * keeps the copy. Another result, or the RENAME of another file, ends this use. */
static int change_name(const struct nova_request *request, struct files_node *from,
                       const char *name, struct files_node *to, const char *new_name)
{
        struct handle *const renamed = &session_of(request)->renamed;
        struct handle file = {NULL, 0}, before = *renamed;
        int error = backend_of(from)->lookup(from, name, &file.node);

        if (!error)
                error = backend_of(from)->rename(from, name, to, new_name);
        *renamed = error == EINPROGRESS ? file : (struct handle){NULL, 0};
        if (error != EINPROGRESS && file.node)
                files_release(request->service, &file);
        if (before.node)
                files_release(request->service, &before);
        return error;
}

static int rename_path(const struct nova_request *request, const char *old, const char *new)
{
        const struct session *session = session_of(request);
        const struct volume *volume = session->grant->volume;
        const char *folder = session->grant->folder;
        char name[FILES_NAME_SIZE], new_name[FILES_NAME_SIZE];
        struct files_node *from, *to;
        int error;

        if (strcmp(old, folder) == 0 || strcmp(new, folder) == 0)
                return EBUSY;
        error = volume_find_parent(volume, old, &from, name);
        if (error)
                return error;
        error = volume_find_parent(volume, new, &to, new_name);
        if (!error) {
                error = files_can_write(session);
                if (!error)
                        error = change_name(request, from, name, to, new_name);
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
        return error ? error : rename_path(request, old, new);
}
