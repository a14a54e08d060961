/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor of the example secure-linux with two functions replaced: when the guest has ended, it
 * looks for the guest's secrets in its own view of the guest's memory, where all data of virtio
 * devices went through, and on the disk with what the guest has written. */
#include <stdio.h>
#include <string.h>

#include "novavmm/secure.h"
#include "novavmm/virtio_block.h"

#include "search.h"

/* Texts of the encrypted disk, which nova.guest_crypt also has. sdk.guest_crypt compares them. */
#define PHRASE "the phrase of the encrypted disk"
#define MOTD   "This line was on the encrypted disk."
/* The beginning of the disk, which the guest reads and which is not secret. */
#define HEADER "LUKS\xba\xbe"

static const uint8_t *disk;
static size_t disk_bytes;

void search_block_init(struct nova_virtio_block *block, const struct nova_guest_memory *memory,
                       void *data, size_t bytes, bool read_only)
{
        disk = data;
        disk_bytes = bytes;
        nova_virtio_block_init(block, memory, data, bytes, read_only);
}

static unsigned count(const uint8_t *in, size_t bytes, const char *text)
{
        const size_t length = strlen(text);
        unsigned found = 0;

        for (size_t at = 0; at + length <= bytes; at++)
                found += in[at] == (uint8_t)text[0] && !memcmp(in + at, text, length);
        return found;
}

static void report(const struct nova_vm *vm, const char *what, const char *text)
{
        printf("%s: %u times in the memory, %u times on the disk.\n", what,
               count(nova_guest_pointer(&vm->memory, 0, vm->memory.bytes), vm->memory.bytes, text),
               count(disk, disk_bytes, text));
}

enum nova_vm_end search_wait(struct nova_vm *vm)
{
        const enum nova_vm_end end = nova_vm_wait(vm);

        report(vm, "header", HEADER);
        report(vm, "phrase", PHRASE);
        report(vm, "text", MOTD);
        return end;
}
