/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the parts of overlay pages share. */
#ifndef NOVAVMM_SRC_OVERLAY_H
#define NOVAVMM_SRC_OVERLAY_H

#include "novavmm/overlay.h"

struct nova_vcpu;

/* Order of a block of RAM, which the guest has as a large page unless overlay pages cut it. */
#define NOVAVMM_BLOCK_ORDER 9

/* Returns true if a page lies in a block that overlay pages have cut. */
static inline bool novavmm_overlay_is_cut(const struct nova_guest_memory *memory, uint64_t page)
{
        const uint64_t block = page >> NOVAVMM_BLOCK_ORDER;

        return memory->cut[block / 32] >> block % 32 & 1;
}

/* Revokes 2^order pages of the monitor from the guest. */
void novavmm_overlay_take_back(const uint8_t *pages, unsigned order);

/* Revokes from the guest the RAM that overlay pages cover. */
void novavmm_overlay_cover(const struct nova_guest_memory *memory);

/* Answers an access of the guest to a page of RAM that is not mapped, because the page has another
 * frame now, or because its block was joined again: the reply maps the page. @return false if the
 * kernel did not map the page at the previous access */
bool novavmm_overlay_give(struct nova_vcpu *vcpu, uint64_t address);

/* Lets the reply map RAM that overlay pages no longer cover, as far as the reply has room. */
void novavmm_overlay_restore(struct nova_vcpu *vcpu);

/* Returns the place of bytes in the overlay page that the guest sees at an address. @return NULL if
 * there is none, the guest cannot write it (@p write), or it does not have all of the bytes */
void *novavmm_overlay_place(const struct nova_guest_memory *memory, uint64_t address, size_t bytes,
                            bool write);

/* Returns the place of bytes that an instruction of the guest accesses: in RAM, or in an overlay
 * page. @return NULL: there is none */
static inline void *novavmm_guest_place(const struct nova_guest_memory *memory, uint64_t address,
                                        size_t bytes, bool write)
{
        if (memory->find)
                return memory->find(memory->find_context, address, bytes, write);

        void *const ram = nova_guest_pointer(memory, address, bytes);

        return ram ? ram : novavmm_overlay_place(memory, address, bytes, write);
}

#endif
