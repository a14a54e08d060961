/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the MSRs and pages of enlightened guests share. */
#ifndef NOVAVMM_SRC_HV_PAGE_H
#define NOVAVMM_SRC_HV_PAGE_H

#include "novavmm/hv.h"

/* Frames of the pages, in the order of nova_guest_memory.frames. */
enum novavmm_hv_frame {
        NOVAVMM_HV_CALL_FRAME,      /* the hypercall page */
        NOVAVMM_HV_REFERENCE_FRAME, /* the page of reference time */
        NOVAVMM_HV_VP_FRAMES        /* the frames of virtual processors follow */
};

/* Frames of a virtual processor. */
enum novavmm_hv_vp_frame {
        NOVAVMM_HV_ASSIST_FRAME,
        NOVAVMM_HV_MESSAGE_FRAME,
        NOVAVMM_HV_EVENT_FRAME,
        NOVAVMM_HV_FRAMES_PER_VP
};

static inline unsigned novavmm_hv_vp_frame(unsigned vcpu, enum novavmm_hv_vp_frame frame)
{
        return NOVAVMM_HV_VP_FRAMES + vcpu * NOVAVMM_HV_FRAMES_PER_VP + frame;
}

/* A register that holds the place of a page: bit 0 enables it, bits 12 and above are the page's
 * number. */
#define NOVAVMM_HV_PAGE_ENABLE   UINT64_C(1)
#define NOVAVMM_HV_PAGE_RESERVED UINT64_C(0xffe)

/* Bit of a source of synthetic interrupts: masked. After a reset each source is masked. */
#define NOVAVMM_HV_SOURCE_MASKED UINT64_C(0x10000)

/* Returns the address of a frame in the monitor. */
uint8_t *novavmm_hv_frame(const struct nova_hv *hv, unsigned frame);

/* Moves a page to the place in a register's new value, or removes it if the value does not enable
 * it. Reserved bits read as 0. @param[out] to the register @return false, and nothing changed, if
 * there is no such page of RAM */
bool novavmm_hv_place(struct nova_hv *hv, unsigned frame, uint64_t value, unsigned rights,
                      uint64_t *to);

/* Writes MSR 0x40000001. A locked register keeps its value. Without an identity the page stays
 * disabled. @return false if there is no such page of RAM */
bool novavmm_hv_page_set(struct nova_hv *hv, uint64_t value);

/* Writes MSR 0x40000000. Without an identity the page becomes disabled, unless its register is
 * locked. */
void novavmm_hv_page_identity(struct nova_hv *hv, uint64_t identity);

/* Writes MSR 0x40000021. @return false if there is no such page of RAM */
bool novavmm_hv_time_set(struct nova_hv *hv, uint64_t value);

/* Read and write MSRs 0x40000070 to 0x40000073 of a virtual processor. @return false: the guest
 * gets #GP */
bool novavmm_hv_assist_get(const struct nova_hv *hv, unsigned vcpu, uint32_t number,
                           uint64_t *value);
bool novavmm_hv_assist_set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value);

/* Read and write MSRs 0x40000100 to 0x40000105. @return false: the guest gets #GP */
bool novavmm_hv_crash_get(const struct nova_hv *hv, unsigned vcpu, uint32_t number,
                          uint64_t *value);
bool novavmm_hv_crash_set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value);

/* Read and write MSRs 0x400000b0 to 0x400000b7 of a virtual processor. @return false: the guest
 * gets #GP */
bool novavmm_hv_stimer_get(const struct nova_hv *hv, unsigned vcpu, uint32_t number,
                           uint64_t *value);
bool novavmm_hv_stimer_set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value);

#endif
