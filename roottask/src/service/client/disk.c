/* SPDX-License-Identifier: BSD-2-Clause */
/* Client stub of the service `disk`. */
#include "novart/service/disk.h"

#include <errno.h>
#include <string.h>

#define PATH_WORDS  NOVA_WORDS_OF(NOVA_DISK_PATH_SIZE)
#define CHUNK_WORDS 128 /* words of data in one message */

int nova_disk_open(struct nova_session **disk)
{
        return nova_session_open(disk, "disk", NULL);
}

int nova_disk_find(struct nova_session *disk, const char *path, struct nova_disk_file *file)
{
        nova_word_t words[PATH_WORDS] = {0}, answer[2];
        const size_t bytes = strlen(path) + 1;
        struct nova_message message = {.operation = NOVA_DISK_FIND,
                                       .words = words,
                                       .word_count = (unsigned)NOVA_WORDS_OF(bytes),
                                       .answer = answer,
                                       .answer_max = 2};

        if (bytes > NOVA_DISK_PATH_SIZE)
                return ENOENT;
        memcpy(words, path, bytes);

        const int error = nova_session_call(disk, &message);

        if (error)
                return error;
        if (message.answer_count < 2)
                return EPROTO;
        file->number = answer[0];
        file->size = answer[1];
        memcpy(file->path, path, bytes);
        return 0;
}

int nova_disk_stat(struct nova_session *disk, nova_word_t number, struct nova_disk_file *file)
{
        nova_word_t answer[1 + PATH_WORDS] = {0};
        struct nova_message message = {.operation = NOVA_DISK_STAT,
                                       .words = &number,
                                       .word_count = 1,
                                       .answer = answer,
                                       .answer_max = 1 + PATH_WORDS};
        const int error = nova_session_call(disk, &message);

        if (error)
                return error;
        if (!message.answer_count)
                return EPROTO;
        file->number = number;
        file->size = answer[0];
        memcpy(file->path, &answer[1], NOVA_DISK_PATH_SIZE);
        file->path[NOVA_DISK_PATH_SIZE - 1] = 0;
        return 0;
}

static int read_part(struct nova_session *disk, nova_word_t number, size_t offset, char *to,
                     size_t max, size_t *bytes)
{
        nova_word_t answer[1 + CHUNK_WORDS];
        const nova_word_t words[] = {number, offset, max};
        struct nova_message message = {.operation = NOVA_DISK_READ,
                                       .words = words,
                                       .word_count = 3,
                                       .answer = answer,
                                       .answer_max = 1 + CHUNK_WORDS};
        const int error = nova_session_call(disk, &message);

        if (error)
                return error;
        if (!message.answer_count || answer[0] > max ||
            NOVA_WORDS_OF(answer[0]) > message.answer_count - 1)
                return EPROTO;
        *bytes = answer[0];
        memcpy(to, &answer[1], *bytes);
        return 0;
}

int nova_disk_read(struct nova_session *disk, const struct nova_disk_file *file, size_t offset,
                   void *to, size_t max, size_t *bytes)
{
        const size_t most = NOVA_MESSAGE_BYTES(CHUNK_WORDS);

        *bytes = 0;
        while (*bytes < max) {
                const size_t left = max - *bytes;
                size_t came;
                const int error = read_part(disk, file->number, offset + *bytes,
                                            (char *)to + *bytes, left < most ? left : most, &came);

                if (error)
                        return error;
                if (!came)
                        break;
                *bytes += came;
        }
        return 0;
}

int nova_disk_fetch(struct nova_session *disk, const struct nova_disk_file *file, size_t offset,
                    size_t at, size_t max, size_t *bytes)
{
        nova_word_t answer = 0;
        const nova_word_t words[] = {file->number, offset, max, at};
        struct nova_message message = {.operation = NOVA_DISK_FETCH,
                                       .words = words,
                                       .word_count = 4,
                                       .answer = &answer,
                                       .answer_max = 1};
        const int error = nova_session_call(disk, &message);

        *bytes = 0;
        if (error)
                return error;
        if (!message.answer_count || answer > max)
                return EPROTO;
        *bytes = answer;
        return 0;
}
