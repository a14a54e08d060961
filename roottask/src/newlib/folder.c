/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders: opendir() and its relatives. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "newlib/files.h"

#define ABOUT_WORDS  NOVA_WORDS_OF(sizeof(struct nova_files_about))
#define ANSWER_WORDS (2 + ABOUT_WORDS + NOVA_WORDS_OF(NOVA_FILES_NAME_SIZE))

struct novart_folder {
        unsigned session;
        nova_word_t words[3]; /* the service's number of the folder, and the position in it */
        struct dirent entry;
};

DIR *opendir(const char *name)
{
        nova_word_t answer[1 + ABOUT_WORDS], number;
        struct stat about;
        unsigned session;
        DIR *folder;
        int error = novart_files_path(NOVA_FILES_OPEN, 0, name, answer, 1 + ABOUT_WORDS, &session);

        if (error) {
                errno = error;
                return NULL;
        }
        number = answer[0];
        novart_files_fill(answer + 1, &about);
        folder = S_ISDIR(about.st_mode) ? calloc(1, sizeof(*folder)) : NULL;
        if (!folder) {
                novart_files_call(session, NOVA_FILES_CLOSE, &number, 1, NULL, 0, 0);
                errno = S_ISDIR(about.st_mode) ? ENOMEM : ENOTDIR;
                return NULL;
        }
        folder->session = session;
        folder->words[0] = number;
        return folder;
}

struct dirent *readdir(DIR *folder)
{
        nova_word_t answer[ANSWER_WORDS] = {0};
        struct stat about;
        int error = EIO;

        if (folder->session == novart_files_session())
                error = novart_files_call(folder->session, NOVA_FILES_LIST, folder->words, 3,
                                          answer, ANSWER_WORDS, 2 + ABOUT_WORDS + 1);
        if (error) {
                if (error != ENOENT)
                        errno = error;
                return NULL;
        }
        memcpy(folder->words + 1, answer, 2 * sizeof(answer[0]));
        novart_files_fill(answer + 2, &about);
        folder->entry.d_ino = about.st_ino;
        folder->entry.d_type = S_ISDIR(about.st_mode) ? DT_DIR : DT_REG;
        memcpy(folder->entry.d_name, answer + 2 + ABOUT_WORDS, NOVA_FILES_NAME_SIZE);
        folder->entry.d_name[NOVA_FILES_NAME_SIZE - 1] = 0;
        return &folder->entry;
}

void rewinddir(DIR *folder)
{
        folder->words[1] = folder->words[2] = 0;
}

int closedir(DIR *folder)
{
        int error = 0;

        if (folder->session == novart_files_session())
                error = novart_files_call(folder->session, NOVA_FILES_CLOSE, folder->words, 1, NULL,
                                          0, 0);
        free(folder);
        return error ? novart_files_fail(error) : 0;
}
