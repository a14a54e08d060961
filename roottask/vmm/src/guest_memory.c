/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies into a guest's RAM and out of it (see novavmm/memory.h). */
#include "overlay.h"

#include <string.h>

#include "nova/abi/crd.h"

#define PAGE_SHIFT 12
#define PAGE       ((uint64_t)1 << PAGE_SHIFT)

bool nova_guest_write(const struct nova_guest_memory *memory, uint64_t address, const void *from,
                      size_t bytes)
{
        void *const to = nova_guest_pointer(memory, address, bytes);

        if (to)
                memcpy(to, from, bytes);
        return to;
}

/* Returns the overlay page on top at a page, or NULL. */
static const struct nova_overlay *top(const struct nova_guest_memory *memory, uint64_t page)
{
        for (unsigned i = memory->overlays; i-- > 0;)
                if (memory->overlay[i].page == page)
                        return &memory->overlay[i];
        return NULL;
}

const struct nova_overlay *nova_overlay_find(const struct nova_guest_memory *memory,
                                             uint64_t address)
{
        return top(memory, address >> PAGE_SHIFT);
}

void *novavmm_overlay_place(const struct nova_guest_memory *memory, uint64_t address, size_t bytes,
                            bool write)
{
        const struct nova_overlay *const overlay = nova_overlay_find(memory, address);

        if (!overlay || (write && !(overlay->rights & NOVA_MEM_W)) || address % PAGE + bytes > PAGE)
                return NULL;
        return overlay->frame + address % PAGE;
}

bool nova_guest_is_covered(const struct nova_guest_memory *memory, uint64_t address, uint64_t bytes)
{
        const uint64_t last = address + (bytes ? bytes - 1 : 0);

        for (unsigned i = 0; i < memory->overlays; i++)
                if (memory->overlay[i].page >= address >> PAGE_SHIFT &&
                    memory->overlay[i].page <= last >> PAGE_SHIFT)
                        return true;
        return false;
}

/* Copies bytes of one page. */
static void read_page(const struct nova_guest_memory *memory, uint64_t address, void *to,
                      size_t bytes)
{
        const struct nova_overlay *const overlay = nova_overlay_find(memory, address);
        const uint8_t *const from =
                overlay ? overlay->frame + address % PAGE : memory->base + address;

        memcpy(to, from, bytes);
}

bool nova_guest_read(const struct nova_guest_memory *memory, uint64_t address, void *to,
                     size_t bytes)
{
        const void *const from = memory->find
                                         ? memory->find(memory->find_context, address, bytes, false)
                                         : nova_guest_pointer(memory, address, bytes);

        if (from) {
                memcpy(to, from, bytes);
                return true;
        }
        if (!memory->base || address > memory->bytes || bytes > memory->bytes - address)
                return false;
        for (size_t done = 0, part; done < bytes; done += part) {
                part = PAGE - (address + done) % PAGE;
                if (part > bytes - done)
                        part = bytes - done;
                read_page(memory, address + done, (char *)to + done, part);
        }
        return true;
}
