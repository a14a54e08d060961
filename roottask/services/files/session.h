/* SPDX-License-Identifier: BSD-2-Clause */
/* The sessions of the service `files`, for its operations. */
#ifndef NOVART_FILES_SESSION_H
#define NOVART_FILES_SESSION_H

#include "novart/service.h"
#include "volume.h"

/* An open file or folder. */
struct handle {
        struct files_node *node; /* NULL: not open */
        unsigned flags;
};

struct session {
        const struct grant *grant;
        struct handle handle[NOVA_FILES_MAX];
        struct handle renamed; /* the file whose RENAME is in progress */
};

static inline struct session *session_of(const struct nova_request *request)
{
        return request->state;
}

static inline const struct files_backend *backend_of(const struct files_node *node)
{
        return node->system->backend;
}

/* Reads a client's path, and puts the client's folder before the path. */
int files_read_path(const struct nova_request *request, const char *from,
                    char path[NOVA_FILES_PATH_SIZE]);

/* @return 0, or EROFS: the client's folder or its disk is read-only */
int files_can_write(const struct session *session);

/* Ends the use of a file or folder. @return 0, or the error of the backend */
int files_release(struct nova_service *service, struct handle *handle);

/* rename.c */
int files_rename(struct nova_request *request);

#endif
