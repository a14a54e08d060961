/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the parser of HTTP requests: a path must lie below the root, and the result must not
 * depend on the pieces in which the request arrives. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "novanet/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path)
{
        if (*path != '/' || strlen(path) > NOVA_HTTP_PATH_MAX)
                abort();
        for (const char *part = path; *part && path[1]; part += strcspn(part, "/")) {
                const size_t bytes = strcspn(++part, "/");

                if (!bytes || (bytes <= 2 && !memcmp(part, "..", bytes)))
                        abort();
        }
        for (; *path; path++)
                if ((unsigned char)*path < ' ' || *path == 0x7f)
                        abort();
}

static unsigned read_part(struct nova_http_request *request, const uint8_t *data, size_t bytes)
{
        char *const copy = malloc(bytes ? bytes : 1); /* the sanitizer sees a read beyond the end */
        unsigned status;

        if (!copy)
                abort();
        memcpy(copy, data, bytes);
        status = nova_http_read(request, copy, bytes);
        free(copy);
        return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct nova_http_request all, part;
        const unsigned status = read_part(&all, data, size);

        if (all.bytes > size || (status != 200 && all.keep) ||
            (!status && size >= NOVA_HTTP_HEAD_MAX))
                abort();
        if (status == 200)
                check_path(all.path);
        for (size_t bytes = size < 200 ? size : 200; bytes-- > 0;) {
                const unsigned other = read_part(&part, data, bytes);

                if (other && (other != status || part.bytes != all.bytes ||
                              strcmp(part.path, all.path) != 0))
                        abort();
        }
        return 0;
}
