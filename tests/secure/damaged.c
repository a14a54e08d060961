/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a VM with each of the damaged blobs of damaged.py in turn. The ultravisor must refuse each
 * blob with the sentence that `nova seal --check` has for it, and accept unusual blobs and the
 * right one. */
#include <stdio.h>
#include <string.h>

#include "../runtime/tap.h"
#include "honest.h"

#define ROOM    0x11000u   /* room for a blob */
#define WAIT_NS 200000000u /* the ultravisor prints few sentences in a second */

/* Head of a record of the module `blobs`. The bytes of the blob follow. */
struct record {
        char title[48], status[16];
        uint32_t bytes;
};

static enum nova_u_status status_of(const char *name)
{
        if (!strcmp(name, "U_SUCCESS"))
                return NOVA_U_SUCCESS;
        if (!strcmp(name, "U_NO_KEY"))
                return NOVA_U_NO_KEY;
        return strcmp(name, "U_PARAMETER") ? NOVA_U_PERMISSION : NOVA_U_PARAMETER;
}

/* Returns the status of UV_ESM with a blob. */
static enum nova_u_status open_blob(const void *blob, size_t bytes)
{
        enum nova_u_status status;

        honest_load();
        memset(memory.base + BLOB, 0, ROOM);
        memcpy(memory.base + BLOB, blob, bytes);
        status = nova_uv_esm(&uv, BLOB, PARAMS);
        if (!status)
                nova_semaphore_down(&converted);
        return status ? status : esm_status;
}

static void refuse_all(const uint8_t *data, size_t bytes)
{
        enum nova_u_status expected;
        struct record record;
        bool good;

        while (bytes >= sizeof(record)) {
                memcpy(&record, data, sizeof(record));
                data += sizeof(record);
                bytes -= sizeof(record);
                if (record.bytes > bytes || record.bytes > ROOM)
                        break;
                printf("%.48s:\n", record.title);
                expected = status_of(record.status);
                good = open_blob(data, record.bytes) == expected &&
                       (!expected || nova_uv_state(&uv) != NOVA_UV_SECURE);
                if (expected)
                        check(good, "a damaged blob is refused with its status");
                else
                        check(good, "an unusual blob is accepted");
                honest_end();
                nova_sleep(WAIT_NS);
                data += record.bytes;
                bytes -= record.bytes;
        }
        check(!bytes, "these are all blobs");
}

int main(void)
{
        const void *blobs;
        size_t bytes;

        if (!honest_start(3) || nova_parent_module("blobs", &blobs, &bytes))
                return 1;
        refuse_all(blobs, bytes);
        check(honest_become_secure() == NOVA_U_SUCCESS, "the right blob is accepted");
        honest_end();
        return tap_end();
}
