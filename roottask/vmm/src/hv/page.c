/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypercall page of enlightened guests: its code, its address, its lock. TLFS 3.13 */
#include "hv/page.h"

#include <string.h>

#include "nova/abi/crd.h"

#define PAGE_BYTES 4096u
#define PAGE_SHIFT 12
#define INT3       0xcc

/* MSR 0x40000001: bit 0: the page is enabled; bit 1: the register is locked; bits 12 and above:
 * page number. Bits 2 to 11 read as 0. */
#define ENABLE   NOVAVMM_HV_PAGE_ENABLE
#define LOCKED   UINT64_C(2)
#define RESERVED UINT64_C(0xffc)

void nova_hv_page_fill(uint8_t *page, bool svm)
{
        const uint8_t vmmcall[] = {0x0f, 0x01, 0xd9, 0xc3};
        const uint8_t vmcall[] = {0x0f, 0x01, 0xc1, 0xc3};

        memset(page, INT3, PAGE_BYTES);
        memcpy(page, svm ? vmmcall : vmcall, sizeof(vmcall));
}

uint8_t *novavmm_hv_frame(const struct nova_hv *hv, unsigned frame)
{
        return hv->memory->frames + (size_t)frame * PAGE_BYTES;
}

/* Moves a page to its place, or removes it. @return false if there is no such page of RAM */
static bool move(struct nova_hv *hv, unsigned frame, uint64_t value, unsigned rights)
{
        uint8_t *const page = novavmm_hv_frame(hv, frame);

        if (value & NOVAVMM_HV_PAGE_ENABLE)
                return !nova_overlay_map(hv->memory, value >> PAGE_SHIFT, page, rights);
        nova_overlay_unmap(hv->memory, page);
        return true;
}

bool novavmm_hv_place(struct nova_hv *hv, unsigned frame, uint64_t value, unsigned rights,
                      uint64_t *to)
{
        value &= ~NOVAVMM_HV_PAGE_RESERVED;
        if (!move(hv, frame, value, rights))
                return false;
        *to = value;
        return true;
}

/* Moves the hypercall page to its place, or removes it. @return false if there is no such page of
 * RAM */
static bool place(struct nova_hv *hv, uint64_t value)
{
        if (!move(hv, NOVAVMM_HV_CALL_FRAME, value, NOVA_MEM_R | NOVA_MEM_X))
                return false;
        hv->hypercall = value;
        hv->enabled = value & ENABLE;
        return true;
}

bool novavmm_hv_page_set(struct nova_hv *hv, uint64_t value)
{
        if (hv->hypercall & LOCKED)
                return true;
        value &= ~RESERVED;
        if (!hv->identity)
                value &= ~ENABLE;
        return place(hv, value);
}

void novavmm_hv_page_identity(struct nova_hv *hv, uint64_t identity)
{
        hv->identity = identity;
        if (!identity && !(hv->hypercall & LOCKED))
                place(hv, hv->hypercall & ~ENABLE);
}
