/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's page tables (see novavmm/decode.h); SDM 3A, chapter 4. */
#include "novavmm/decode.h"
#include "novavmm/registers.h"

#define PRESENT 0x1u
#define LARGE   0x80u
#define CR4_PSE 0x10u
#define PAGE    4096u
#define ADDRESS 0x000ffffffffff000u

/* Levels with entries of eight bytes, nine bits each. */
static bool walk_wide(const struct nova_guest_memory *memory, uint64_t table, unsigned levels,
                      uint64_t linear, uint64_t *physical)
{
        for (unsigned level = levels; level--;) {
                const unsigned shift = 12 + 9 * level;
                const uint64_t index = linear >> shift & 511;
                uint64_t entry;

                if (!nova_guest_read(memory, (table & ADDRESS) + 8 * index, &entry,
                                     sizeof(entry)) ||
                    !(entry & PRESENT))
                        return false;
                if (level == 0 || (level < 3 && entry & LARGE)) {
                        const uint64_t offset = ((uint64_t)1 << shift) - 1;
                        *physical = (entry & ADDRESS & ~offset) | (linear & offset);
                        return true;
                }
                table = entry;
        }
        return false;
}

/* The three-level form begins with four entries, aligned to 32 bytes. */
static bool walk_pae(const struct nova_guest_memory *memory, uint64_t cr3, uint64_t linear,
                     uint64_t *physical)
{
        uint64_t entry;

        if (!nova_guest_read(memory, (cr3 & 0xffffffe0) + 8 * (linear >> 30 & 3), &entry,
                             sizeof(entry)) ||
            !(entry & PRESENT))
                return false;
        return walk_wide(memory, entry, 2, linear, physical);
}

/* Two levels with entries of four bytes, ten bits each. */
static bool walk_narrow(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                        uint64_t linear, uint64_t *physical)
{
        uint32_t entry;

        if (!nova_guest_read(memory, (paging->cr3 & 0xfffff000) + 4 * (linear >> 22 & 1023), &entry,
                             sizeof(entry)) ||
            !(entry & PRESENT))
                return false;
        if (entry & LARGE && paging->cr4 & CR4_PSE) {
                *physical = (uint64_t)(entry >> 13 & 0xff) << 32 | (entry & 0xffc00000) |
                            (linear & 0x3fffff);
                return true;
        }
        if (!nova_guest_read(memory, (entry & 0xfffff000) + 4 * (linear >> 12 & 1023), &entry,
                             sizeof(entry)) ||
            !(entry & PRESENT))
                return false;
        *physical = (entry & 0xfffff000) | (linear & 0xfff);
        return true;
}

bool nova_translate(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                    uint64_t linear, uint64_t *physical)
{
        if (!(paging->cr0 & NOVA_CR0_PG)) {
                *physical = (uint32_t)linear;
                return true;
        }
        if (paging->efer & NOVA_EFER_LMA)
                return walk_wide(memory, paging->cr3, 4, linear, physical);
        if (paging->cr4 & NOVA_CR4_PAE)
                return walk_pae(memory, paging->cr3, (uint32_t)linear, physical);
        return walk_narrow(memory, paging, (uint32_t)linear, physical);
}

size_t nova_fetch(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                  uint64_t linear, uint8_t *to, size_t bytes)
{
        size_t done = 0;

        while (done < bytes) {
                const size_t rest = PAGE - (linear + done) % PAGE;
                const size_t some = rest < bytes - done ? rest : bytes - done;
                uint64_t physical;

                if (!nova_translate(memory, paging, linear + done, &physical) ||
                    !nova_guest_read(memory, physical, to + done, some))
                        break;
                done += some;
        }
        return done;
}
