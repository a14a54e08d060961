/* SPDX-License-Identifier: BSD-2-Clause */
/* One changed bit in each part of a sealed image and in its blob: the guest does not become secure,
 * and executes no instruction as a secure guest. */
#include <stdio.h>
#include <string.h>

#include "novart/time.h"

#include "../runtime/tap.h"
#include "honest.h"

#define MS    1000000u
#define FRESH 0x500000u /* a page that belongs to no part */

/* Fields of the start page (docs/manual/secure-format.md). */
#define PARTS_AT     72u
#define ROWS_AT      80u
#define ROW_BYTES    32u
#define ROW_PLACE    16u
#define ROW_BYTES_AT 24u
#define KINDS        6u

/* Places in the blob. */
#define BLOB_VERSION 8u
#define BLOB_SIZE    12u
#define BLOB_MACHINE 40u /* identity */
#define BLOB_KEY     104u
#define BLOB_CONTENT 152u

static unsigned executed; /* calls that only a guest's instruction can cause */

static uint64_t field(unsigned at, unsigned bytes)
{
        uint64_t value = 0;

        memcpy(&value, (const uint8_t *)image + at, bytes);
        return value;
}

static void count(struct call *call)
{
        switch (call->number) {
        case NOVA_H_SVM_INIT_START:
        case NOVA_H_SVM_PAGE_IN:
        case NOVA_H_SVM_INIT_ABORT:
        case NOVA_H_SVM_INIT_DONE:
                break;
        default:
                executed++;
        }
}

/* Returns the status of UV_ESM for an image with one changed bit. */
static enum nova_u_status esm_with(uint64_t place, unsigned bit)
{
        honest_load();
        memory.base[place] ^= (uint8_t)(1u << bit);
        esm_status = NOVA_U_SUCCESS;
        if (nova_uv_esm(&uv, BLOB, PARAMS))
                return NOVA_U_INVALID;
        nova_semaphore_down(&converted);
        return esm_status;
}

/* Returns true if the image with a changed bit is refused with the given status, the VM is not
 * secure, and no instruction was executed. */
static bool is_refused(uint64_t place, unsigned bit, enum nova_u_status status)
{
        const unsigned before = executed;
        const enum nova_u_status got = esm_with(place, bit);
        bool good;

        nova_sleep(5 * MS);
        good = got == status && executed == before && nova_uv_state(&uv) != NOVA_UV_SECURE;
        if (!good)
                printf("The bit %u at 0x%llx: status %d, %u calls.\n", bit,
                       (unsigned long long)place, got, executed - before);
        honest_end();
        return good;
}

static void parts(void)
{
        static const char *const names[1 + KINDS] = {
                NULL,
                "a bit of the start page",
                "a bit of the kernel",
                "a bit of the initrd",
                "a bit of the boot parameters",
                "a bit of the command line",
                "a bit of the ACPI tables",
        };
        unsigned tried[1 + KINDS] = {0}, refused[1 + KINDS] = {0};

        for (unsigned i = 0; i < field(PARTS_AT, 4); i++) {
                const unsigned row = ROWS_AT + i * ROW_BYTES, kind = (unsigned)field(row, 4);
                const uint64_t at = field(row + ROW_PLACE, 8), bytes = field(row + ROW_BYTES_AT, 8);

                if (kind > KINDS)
                        continue;
                tried[kind] += 2;
                refused[kind] += is_refused(at, 0, NOVA_U_PERMISSION);
                refused[kind] += is_refused(at + bytes - 1, 7, NOVA_U_PERMISSION);
        }
        for (unsigned i = 1; i <= KINDS; i++)
                check(tried[i] && refused[i] == tried[i], names[i]);
}

static void blob(void)
{
        uint32_t bytes;

        honest_load();
        memcpy(&bytes, memory.base + BLOB + BLOB_SIZE, sizeof(bytes));
        check(is_refused(BLOB, 0, NOVA_U_PARAMETER), "a bit of the blob's mark");
        check(is_refused(BLOB + BLOB_VERSION, 1, NOVA_U_PERMISSION), "a bit of its version");
        check(is_refused(BLOB + BLOB_MACHINE, 2, NOVA_U_NO_KEY), "a bit of the machine's identity");
        check(is_refused(BLOB + BLOB_KEY, 3, NOVA_U_PERMISSION), "a bit of its key");
        check(is_refused(BLOB + BLOB_CONTENT, 4, NOVA_U_PERMISSION), "a bit of its content");
        check(is_refused(BLOB + bytes - 1, 5, NOVA_U_PERMISSION), "a bit of its tag");
}

int main(void)
{
        if (!honest_start(3))
                return 1;
        honest_attack = count;
        check(esm_with(FRESH, 0) == NOVA_U_SUCCESS && guest(PROBE_READ, KERNEL, 0) && executed > 2,
              "the guest runs if a bit outside of the parts is changed");
        honest_end();
        parts();
        blob();
        return tap_end();
}
