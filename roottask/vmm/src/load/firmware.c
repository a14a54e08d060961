/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads firmware of a PC (see novavmm/load.h). */
#include "novavmm/load.h"

#define END       0x100000u
#define BYTES_MAX 0x20000u
#define PAGE      4096u

/* After a reset a CPU starts 16 bytes before the end. */
#define RESET_SEL    0xf000
#define RESET_OFFSET 0xfff0

const char *nova_firmware_load(const struct nova_guest_memory *memory, const void *file,
                               size_t bytes, struct nova_utcb_event *start)
{
        if (!bytes || bytes > BYTES_MAX || bytes % PAGE)
                return "its size is not a multiple of 4 KiB up to 128 KiB";
        if (!nova_guest_write(memory, END - bytes, file, bytes))
                return "the guest has too little memory for it";
        nova_registers_real(start, RESET_SEL, RESET_OFFSET);
        return NULL;
}
