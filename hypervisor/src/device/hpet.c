/* SPDX-License-Identifier: BSD-2-Clause */
/* HPETs (see hpet.h). */
#include "device/hpet.h"

#include "firmware/acpi.h"
#include "object/pd.h"

bool hpet_find(struct pd *pd, word_t device, uint16_t *number)
{
        struct space *space = &pd->memory.space;
        word_t by_address, by_selector;
        const bool has_address = mapping_source(space, device >> PAGE_BITS, &by_address);
        const bool has_selector = mapping_source(space, device, &by_selector);
        const word_t offset = device & (PAGE_SIZE - 1);

        for (unsigned i = 0; i < acpi.hpets; i++) {
                const paddr_t phys = acpi.hpet[i].phys;

                *number = acpi.hpet[i].number;
                if (has_address && ((paddr_t)by_address << PAGE_BITS | offset) == phys)
                        return true;
                if (has_selector && by_selector == phys >> PAGE_BITS)
                        return true;
        }
        return false;
}
