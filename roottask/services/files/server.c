/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of the service `files`. Only one handler runs at a time, so the buffers of paths
 * and data are static. */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cache.h"
#include "session.h"

#define DENIALS_MAX 4 /* messages about clients without a folder */

static const struct grant *grants;
static unsigned grant_count;
static bool wants_folder; /* the request's path ends with a slash */
static uint8_t data[NOVA_FILES_SHARE_PAGES / 4 * NOVA_PAGE_SIZE];

static struct handle *handle_of(const struct nova_request *request)
{
        const nova_word_t number = request->word[0];
        struct session *session = session_of(request);

        return number < NOVA_FILES_MAX && session->handle[number].node ? &session->handle[number]
                                                                       : NULL;
}

static uint64_t place_of(const struct nova_request *request, unsigned word)
{
        return (request->word[word] & UINT32_MAX) | (uint64_t)(request->word[word + 1] & UINT32_MAX)
                                                            << 32;
}

int files_can_write(const struct session *session)
{
        return session->grant->read_only || session->grant->volume->system->read_only ? EROFS : 0;
}

int files_read_path(const struct nova_request *request, const char *from,
                    char path[NOVA_FILES_PATH_SIZE])
{
        const char *folder = session_of(request)->grant->folder;
        static char clean[NOVA_FILES_PATH_SIZE];

        if (!path_clean(from, clean))
                return ENAMETOOLONG;
        wants_folder = *from && from[strlen(from) - 1] == '/';

        const int length = snprintf(path, NOVA_FILES_PATH_SIZE, "%s%s%s", folder,
                                    *folder && *clean ? "/" : "", clean);
        return length < NOVA_FILES_PATH_SIZE ? 0 : ENAMETOOLONG;
}

static int take_path(const struct nova_request *request, unsigned first,
                     char path[NOVA_FILES_PATH_SIZE])
{
        static char text[NOVA_FILES_PATH_SIZE];

        if (!nova_request_text(request, first, text, sizeof(text)))
                return ENAMETOOLONG;
        return *text ? files_read_path(request, text, path) : ENOENT;
}

static void answer_about(struct nova_request *request, const struct files_about *about)
{
        const bool medium = files_can_write(session_of(request)) != 0;
        const struct nova_files_about answer = {
                .size = about->size,
                .number = about->number,
                .modified = about->modified,
                .folder = about->folder,
                .read_only = (about->read_only ? (uint32_t)NOVA_FILES_READ_ONLY : 0) |
                             (medium ? (uint32_t)NOVA_FILES_MEDIUM_READ_ONLY : 0)};

        nova_request_answer_bytes(request, &answer, sizeof(answer));
}

/* Finds the node of a path. The path may not lead to a file that has replaced the client's folder,
 * and a slash may not follow the name of a file. */
static int find(const struct session *session, const char *path, struct files_node **node)
{
        struct files_about about;
        int error = volume_find(session->grant->volume, path, node);

        if (error || (strcmp(path, session->grant->folder) != 0 && !wants_folder))
                return error;
        error = backend_of(*node)->stat(*node, &about);
        if (!error && !about.folder)
                error = ENOTDIR;
        if (error)
                backend_of(*node)->release(*node);
        return error;
}

static int create(const struct session *session, const char *path, bool folder,
                  struct files_node **node)
{
        const struct volume *volume = session->grant->volume;
        char name[FILES_NAME_SIZE];
        struct files_node *in;
        int error;

        if (strcmp(path, session->grant->folder) == 0) { /* the new name would be in another
                                                          * folder */
                error = find(session, path, &in);
                if (!error)
                        volume->system->backend->release(in);
                return error ? error : EEXIST;
        }
        if (wants_folder && !folder)
                return EISDIR;
        error = volume_find_parent(volume, path, &in, name);
        if (error)
                return error;
        error = files_can_write(session);
        if (!error)
                error = volume->system->backend->create(in, name, folder, node);
        volume->system->backend->release(in);
        return error;
}

/* Checks that a file can be opened with the flags of OPEN. */
static int check_open(struct nova_request *request, struct files_node *node, unsigned flags,
                      struct files_about *about)
{
        const struct session *session = session_of(request);
        int error = backend_of(node)->stat(node, about);

        if (error)
                return error;
        if (about->folder && flags & (NOVA_FILES_WRITABLE | NOVA_FILES_CREATE))
                return EISDIR;
        if (!(flags & NOVA_FILES_WRITABLE))
                return 0;
        error = files_can_write(session);
        if (!error && about->read_only)
                error = EACCES;
        if (!error && about->damaged)
                error = EIO;
        if (error || !(flags & NOVA_FILES_TRUNCATE) || !about->size)
                return error;
        about->size = 0;
        cache_forget(request->service, node);
        return backend_of(node)->resize(node, 0);
}

static int open_file(struct nova_request *request)
{
        struct session *session = session_of(request);
        const unsigned flags = (unsigned)request->word[0];
        static char path[NOVA_FILES_PATH_SIZE];
        struct files_about about;
        struct files_node *node;
        unsigned number = 0;
        int error = take_path(request, 1, path);

        if (error)
                return error;
        while (number < NOVA_FILES_MAX && session->handle[number].node)
                number++;
        if (number == NOVA_FILES_MAX)
                return EMFILE;
        error = find(session, path, &node);
        if (!error && flags & NOVA_FILES_CREATE && flags & NOVA_FILES_EXCLUSIVE) {
                backend_of(node)->release(node);
                return EEXIST;
        }
        if (error == ENOENT && flags & NOVA_FILES_CREATE)
                error = create(session, path, false, &node);
        if (error)
                return error;
        error = check_open(request, node, flags, &about);
        if (error) {
                backend_of(node)->release(node);
                return error;
        }
        session->handle[number] = (struct handle){node, flags};
        nova_request_answer(request, number);
        answer_about(request, &about);
        return 0;
}

int files_release(struct nova_service *service, struct handle *handle)
{
        int error;

        if (handle->node->users == 1)
                cache_forget(service, handle->node);
        error = backend_of(handle->node)->release(handle->node);
        handle->node = NULL;
        return error;
}

static int close_file(struct nova_request *request)
{
        struct handle *handle = handle_of(request);

        return handle ? files_release(request->service, handle) : EBADF;
}

/* Checks a file whose data is read or written. */
static int check_data(const struct handle *handle, bool writes)
{
        struct files_about about;
        int error;

        if (!handle || (writes && !(handle->flags & NOVA_FILES_WRITABLE)))
                return EBADF;
        error = backend_of(handle->node)->stat(handle->node, &about);
        return error ? error : about.folder ? EISDIR : 0;
}

/* Reads a part of a file. Sets *from to the address of the bytes. @return 0 or an errno value */
static int read_part(const struct handle *handle, uint64_t place, size_t bytes, const void **from,
                     size_t *done)
{
        *done = bytes < sizeof(data) ? bytes : sizeof(data);
        *from = cache_find(handle->node, place, done);
        if (*from)
                return 0;
        *from = data;
        bytes = *done;
        *done = 0;
        return backend_of(handle->node)->read(handle->node, place, data, bytes, done);
}

static int read_message(struct nova_request *request)
{
        const struct handle *handle = handle_of(request);
        size_t bytes = request->word[3], done = 0;
        int error = check_data(handle, false);
        const void *from;

        if (error)
                return error;
        if (bytes > NOVA_FILES_CHUNK)
                bytes = NOVA_FILES_CHUNK;
        error = read_part(handle, place_of(request, 1), bytes, &from, &done);
        if (error && !done)
                return error;
        nova_request_answer(request, done);
        nova_request_answer_bytes(request, from, done);
        return 0;
}

static int read_shared(struct nova_request *request)
{
        const struct handle *handle = handle_of(request);
        const size_t bytes = request->word[3], at = request->word[4];
        size_t total = 0;
        int error = check_data(handle, false);

        if (!error && bytes > nova_request_share_bytes(request))
                error = EINVAL;
        while (!error && total < bytes) {
                const void *from;
                size_t done;

                error = read_part(handle, place_of(request, 1) + total, bytes - total, &from,
                                  &done);
                if (!error)
                        error = nova_request_share_write(request, at + total, from, done);
                if (error || !done)
                        break;
                total += done;
        }
        if (error && !total)
                return error;
        nova_request_answer(request, total);
        return 0;
}

/* Gives the client the pages of a part of a file, or reports whether the client still has them. */
static int view_file(struct nova_request *request)
{
        const struct handle *handle = handle_of(request);
        const nova_word_t known = request->word[3];
        struct cache_view view = {0, 0, 0};
        int error = check_data(handle, false);

        if (!error && place_of(request, 1) % NOVA_FILES_VIEW_BYTES)
                error = EINVAL;
        if (!error && known && !cache_is_valid(handle->node, place_of(request, 1), known, &view))
                view = (struct cache_view){0, 0, 0};
        if (!error && !known)
                error = cache_view(request->service, handle->node, place_of(request, 1), &view);
        if (error)
                return error;
        nova_request_answer(request, view.number);
        nova_request_answer(request, view.bytes);
        if (!known && view.number)
                nova_request_give(request, view.pages);
        return 0;
}

/* Writes a part of a file. The place of a write to a file that is open for APPEND is the end of the
 * file. Sets @p place to the place after the data. */
static int write_part(const struct nova_request *request, uint64_t *place, const void *from,
                      size_t bytes, size_t *done)
{
        const struct handle *handle = handle_of(request);
        struct files_about about, after;
        int error = backend_of(handle->node)->stat(handle->node, &about);

        *done = 0;
        if (error)
                return error;
        if (handle->flags & NOVA_FILES_APPEND)
                *place = about.size;
        cache_change(request->service, handle->node, *place, bytes);
        error = backend_of(handle->node)->write(handle->node, *place, from, bytes, done);
        /* an error removes a gap that earlier calls filled; the cache may have pieces of it */
        if (backend_of(handle->node)->stat(handle->node, &after) || after.size < about.size)
                cache_forget(request->service, handle->node);
        *place += *done;
        return error;
}

static void answer_write(struct nova_request *request, size_t done, uint64_t place)
{
        nova_request_answer(request, done);
        nova_request_answer(request, (nova_word_t)(place & UINT32_MAX));
        nova_request_answer(request, (nova_word_t)(place >> 32));
}

static int write_message(struct nova_request *request)
{
        const struct handle *handle = handle_of(request);
        const size_t bytes = request->word[3];
        const void *from = nova_request_bytes(request, 4, bytes);
        uint64_t place = place_of(request, 1);
        size_t done = 0;
        int error = check_data(handle, true);

        if (!error && !from)
                error = EINVAL;
        if (!error)
                error = write_part(request, &place, from, bytes, &done);
        if (error && !done)
                return error;
        answer_write(request, done, place);
        return 0;
}

static int write_shared(struct nova_request *request)
{
        const struct handle *handle = handle_of(request);
        const size_t bytes = request->word[3], at = request->word[4];
        uint64_t place = place_of(request, 1);
        size_t total = 0;
        int error = check_data(handle, true);

        if (!error && bytes > nova_request_share_bytes(request))
                error = EINVAL;
        while (!error && total < bytes) {
                const size_t most = bytes - total < sizeof(data) ? bytes - total : sizeof(data);
                size_t done = 0;

                error = nova_request_share_read(request, at + total, data, most);
                if (!error)
                        error = write_part(request, &place, data, most, &done);
                total += done;
        }
        if (error && !total)
                return error;
        answer_write(request, total, place);
        return 0;
}

static int stat_path(struct nova_request *request)
{
        static char path[NOVA_FILES_PATH_SIZE];
        struct files_about about;
        struct files_node *node;
        int error = take_path(request, 0, path);

        if (!error)
                error = find(session_of(request), path, &node);
        if (error)
                return error;
        error = backend_of(node)->stat(node, &about);
        backend_of(node)->release(node);
        if (!error)
                answer_about(request, &about);
        return error;
}

static int stat_file(struct nova_request *request)
{
        const struct handle *handle = handle_of(request);
        struct files_about about;
        const int error = handle ? backend_of(handle->node)->stat(handle->node, &about) : EBADF;

        if (!error)
                answer_about(request, &about);
        return error;
}

static int list_folder(struct nova_request *request)
{
        const struct handle *handle = handle_of(request);
        uint64_t place = place_of(request, 1);
        char name[FILES_NAME_SIZE];
        struct files_about about;
        int error =
                handle ? backend_of(handle->node)->list(handle->node, &place, name, &about) : EBADF;

        if (error)
                return error;
        nova_request_answer(request, (nova_word_t)(place & UINT32_MAX));
        nova_request_answer(request, (nova_word_t)(place >> 32));
        answer_about(request, &about);
        nova_request_answer_bytes(request, name, strlen(name) + 1);
        return 0;
}

static int make_folder(struct nova_request *request)
{
        static char path[NOVA_FILES_PATH_SIZE];
        struct files_node *node;
        int error = take_path(request, 0, path);

        if (!error)
                error = create(session_of(request), path, true, &node);
        return error ? error : backend_of(node)->release(node);
}

static int remove_name(struct nova_request *request)
{
        const struct session *session = session_of(request);
        static char path[NOVA_FILES_PATH_SIZE];
        char name[FILES_NAME_SIZE];
        struct files_node *folder;
        int error = take_path(request, 1, path);

        if (!error && strcmp(path, session->grant->folder) == 0)
                error = EBUSY;
        if (!error)
                error = volume_find_parent(session->grant->volume, path, &folder, name);
        if (error)
                return error;
        error = files_can_write(session);
        if (!error)
                error = backend_of(folder)->remove(folder, name, request->word[0] == 1);
        backend_of(folder)->release(folder);
        return error;
}

static int resize_file(struct nova_request *request)
{
        const struct handle *handle = handle_of(request);
        const int error = check_data(handle, true);

        if (error)
                return error;
        cache_forget(request->service, handle->node);
        return backend_of(handle->node)->resize(handle->node, place_of(request, 1));
}

static int sync_file(struct nova_request *request)
{
        const struct handle *handle = handle_of(request);

        if (!handle)
                return EBADF;
        if (!backend_of(handle->node)->sync)
                return 0;
        return backend_of(handle->node)->sync(handle->node->system, handle->node);
}

/* Only the first 8 characters of a client's name are compared. */
static int open_session(struct nova_request *request, const char *arguments)
{
        static unsigned denials;

        (void)arguments;
        for (unsigned i = 0; i < grant_count; i++)
                if (strncmp(grants[i].client, request->client, 8) == 0) {
                        session_of(request)->grant = &grants[i];
                        return 0;
                }
        if (denials++ < DENIALS_MAX)
                printf("the arguments give %.8s no folder; write \"give %.8s FOLDER\".\n",
                       request->client, request->client);
        return EACCES;
}

static void close_session(struct nova_service *service, void *state)
{
        struct session *session = state;

        for (unsigned i = 0; i < NOVA_FILES_MAX; i++)
                if (session->handle[i].node)
                        files_release(service, &session->handle[i]);
        if (session->renamed.node)
                files_release(service, &session->renamed);
}

int files_service_start(const struct grant *list, unsigned count)
{
        enum { PATH = NOVA_WORDS_OF(NOVA_FILES_PATH_SIZE) };
        static const struct nova_service_operation operations[] = {
                {open_file, 2, 1 + PATH, false},
                {close_file, 1, 1, false},
                {read_message, 4, 4, false},
                {write_message, 4, 4 + NOVA_WORDS_OF(NOVA_FILES_CHUNK), false},
                {read_shared, 5, 5, false},
                {write_shared, 5, 5, false},
                {stat_path, 1, PATH, false},
                {stat_file, 1, 1, false},
                {list_folder, 3, 3, false},
                {make_folder, 1, PATH, false},
                {remove_name, 2, 1 + PATH, false},
                {files_rename, 1, 2 * PATH, false},
                {resize_file, 3, 3, false},
                {sync_file, 1, 1, false},
                {view_file, 4, 4, false},
        };
        static const struct nova_service_config config = {
                .name = "files",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .state_bytes = sizeof(struct session),
                .share_pages = NOVA_FILES_SHARE_PAGES,
                .open = open_session,
                .close = close_session,
        };

        grants = list;
        grant_count = count;
        return nova_service_start(NULL, &config);
}
