/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `disk`: finds the files of an archive by path and by number. The archive is constant,
 * so handlers of all CPUs may run at the same time. */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../files/archive.h"
#include "novart/service/disk.h"

NOVA_STATIC_ASSERT(ARCHIVE_NAME_MAX + 1 == NOVA_DISK_PATH_SIZE, "a path has room");

static struct archive_file *files;
static unsigned file_count;

/* The range of a file that a request names. */
struct part {
        const unsigned char *data;
        size_t bytes;
};

/* Reads the range from words 0 to 2, and cuts it at the file's end. */
static int find_part(const struct nova_request *request, struct part *part)
{
        const nova_word_t number = request->word[0], offset = request->word[1];
        nova_word_t bytes = request->word[2];

        if (number >= file_count)
                return ENOENT;

        const struct archive_file *file = &files[number];
        const nova_word_t left = offset < file->size ? (nova_word_t)file->size - offset : 0;

        if (bytes > left)
                bytes = left;
        part->data = file->data + (left ? offset : 0);
        part->bytes = bytes;
        return 0;
}

static int find_file(struct nova_request *request)
{
        char path[NOVA_DISK_PATH_SIZE];

        if (!nova_request_text(request, 0, path, sizeof(path)))
                return ENOENT;
        for (unsigned i = 0; i < file_count; i++) {
                if (strcmp(files[i].name, path) != 0)
                        continue;
                nova_request_answer(request, i);
                nova_request_answer(request, (nova_word_t)files[i].size);
                return 0;
        }
        return ENOENT;
}

static int stat_file(struct nova_request *request)
{
        if (request->word[0] >= file_count)
                return ENOENT;

        const struct archive_file *file = &files[request->word[0]];

        nova_request_answer(request, (nova_word_t)file->size);
        nova_request_answer_bytes(request, file->name, strlen(file->name) + 1);
        return 0;
}

static int read_words(struct nova_request *request)
{
        const size_t most = NOVA_MESSAGE_BYTES(NOVA_MESSAGE_WORDS - 8);
        struct part part;
        const int error = find_part(request, &part);

        if (error)
                return error;
        if (part.bytes > most)
                part.bytes = most;
        nova_request_answer(request, part.bytes);
        nova_request_answer_bytes(request, part.data, part.bytes);
        return 0;
}

static int fetch_shared(struct nova_request *request)
{
        struct part part;
        int error = find_part(request, &part);

        if (!error)
                error = nova_request_share_write(request, request->word[3], part.data, part.bytes);
        if (!error)
                nova_request_answer(request, part.bytes);
        return error;
}

/* Records the position of each file. The archive has already been checked. */
static int index_files(const void *bytes, size_t size, unsigned count)
{
        struct archive archive;

        files = calloc(count + 1, sizeof(*files));
        if (!files)
                return ENOMEM;
        archive_begin(&archive, bytes, size);
        while (file_count < count && archive_next(&archive, &files[file_count]))
                file_count++;
        return 0;
}

int disk_service_start(const void *bytes, size_t size, const char **error)
{
        static const struct nova_service_operation operations[] = {
                {find_file, 1, NOVA_WORDS_OF(NOVA_DISK_PATH_SIZE), false},
                {stat_file, 1, 1, false},
                {read_words, 3, 3, false},
                {fetch_shared, 4, 4, false},
        };
        const struct nova_service_config config = {
                .name = "disk",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .share_pages = NOVA_DISK_SHARE_PAGES,
                .parallel = true,
        };
        const long count = archive_check(bytes, size, error);

        if (count < 0)
                return EILSEQ;

        const int failed = index_files(bytes, size, (unsigned)count);

        return failed ? failed : nova_service_start(NULL, &config);
}
