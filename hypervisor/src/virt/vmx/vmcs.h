/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel's virtual machine control structure: the numbers of its fields (SDM 3D, appendix B), and
 * access to the fields of the loaded structure. */
#ifndef VIRT_VMCS_H
#define VIRT_VMCS_H

#include "lib/types.h"

enum vmcs_field {
        VMCS_VPID = 0x0000,
        VMCS_GUEST_ES_SEL = 0x0800, /* CS, SS, DS, FS, GS, LDTR and TR follow in steps of 2 */
        VMCS_HOST_ES_SEL = 0x0c00,
        VMCS_HOST_CS_SEL = 0x0c02,
        VMCS_HOST_SS_SEL = 0x0c04,
        VMCS_HOST_DS_SEL = 0x0c06,
        VMCS_HOST_TR_SEL = 0x0c0c,
        VMCS_TSC_OFFSET = 0x2010,
        VMCS_VM_FUNCTIONS = 0x2018,
        VMCS_EPTP = 0x201a,
        VMCS_GPA = 0x2400,
        VMCS_LINK = 0x2800,
        VMCS_GUEST_PAT = 0x2804,
        VMCS_GUEST_EFER = 0x2806,
        VMCS_HOST_PAT = 0x2c00,
        VMCS_HOST_EFER = 0x2c02,
        VMCS_PIN = 0x4000,
        VMCS_PRIMARY = 0x4002,
        VMCS_EXCEPTIONS = 0x4004,
        VMCS_EXIT = 0x400c,
        VMCS_ENTRY = 0x4012,
        VMCS_ENTRY_INJ = 0x4016,
        VMCS_ENTRY_ERROR = 0x4018,
        VMCS_ENTRY_LENGTH = 0x401a,
        VMCS_SECONDARY = 0x401e,
        VMCS_REASON = 0x4402,
        VMCS_EXIT_INFO = 0x4404,
        VMCS_VECTORING = 0x4408,
        VMCS_VECTORING_ERROR = 0x440a,
        VMCS_EXIT_LENGTH = 0x440c,
        VMCS_GUEST_ES_LIMIT = 0x4800,
        VMCS_GUEST_GDTR_LIMIT = 0x4810,
        VMCS_GUEST_IDTR_LIMIT = 0x4812,
        VMCS_GUEST_ES_AR = 0x4814,
        VMCS_GUEST_CS_AR = 0x4816,
        VMCS_INTERRUPTIBILITY = 0x4824,
        VMCS_ACTIVITY = 0x4826,
        VMCS_GUEST_SYSENTER_CS = 0x482a,
        VMCS_HOST_SYSENTER_CS = 0x4c00,
        VMCS_CR0_MASK = 0x6000,
        VMCS_CR4_MASK = 0x6002,
        VMCS_CR0_SHADOW = 0x6004,
        VMCS_CR4_SHADOW = 0x6006,
        VMCS_QUAL = 0x6400,
        VMCS_GUEST_CR0 = 0x6800,
        VMCS_GUEST_CR3 = 0x6802,
        VMCS_GUEST_CR4 = 0x6804,
        VMCS_GUEST_ES_BASE = 0x6806,
        VMCS_GUEST_GDTR_BASE = 0x6816,
        VMCS_GUEST_IDTR_BASE = 0x6818,
        VMCS_GUEST_DR7 = 0x681a,
        VMCS_GUEST_SP = 0x681c,
        VMCS_GUEST_IP = 0x681e,
        VMCS_GUEST_FLAGS = 0x6820,
        VMCS_PENDING_DEBUG = 0x6822,
        VMCS_GUEST_SYSENTER_SP = 0x6824,
        VMCS_GUEST_SYSENTER_IP = 0x6826,
        VMCS_HOST_CR0 = 0x6c00,
        VMCS_HOST_CR3 = 0x6c02,
        VMCS_HOST_CR4 = 0x6c04,
        VMCS_HOST_TR_BASE = 0x6c0a,
        VMCS_HOST_GDTR_BASE = 0x6c0c,
        VMCS_HOST_IDTR_BASE = 0x6c0e,
        VMCS_HOST_SYSENTER_SP = 0x6c10,
        VMCS_HOST_SYSENTER_IP = 0x6c12,
        VMCS_HOST_SP = 0x6c14,
        VMCS_HOST_IP = 0x6c16,
};

static inline word_t vmcs_read(unsigned field)
{
        word_t value;

        __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"((word_t)field) : "cc");
        return value;
}

static inline void vmcs_write(unsigned field, word_t value)
{
        __asm__ volatile("vmwrite %1, %0" : : "r"((word_t)field), "r"(value) : "cc");
}

/* Reads a 64-bit field. A 32-bit kernel reads its high half under a second number. */
static inline uint64_t vmcs_read64(unsigned field)
{
        return sizeof(word_t) == 8 ? vmcs_read(field)
                                   : vmcs_read(field) | (uint64_t)vmcs_read(field + 1) << 32;
}

static inline void vmcs_write64(unsigned field, uint64_t value)
{
        vmcs_write(field, (word_t)value);
        if (sizeof(word_t) == 4)
                vmcs_write(field + 1, (word_t)(value >> 32));
}

/* The operand of these instructions is a word in memory that contains a physical address. */

/* Enters VMX operation. Returns false if the CPU refuses. */
static inline bool vmxon(const uint64_t *region)
{
        bool done;

        __asm__ volatile("vmxon %1" : "=@cca"(done) : "m"(*region) : "cc", "memory");
        return done;
}

static inline void vmclear(const uint64_t *vmcs)
{
        __asm__ volatile("vmclear %0" : : "m"(*vmcs) : "cc", "memory");
}

static inline void vmptrld(const uint64_t *vmcs)
{
        __asm__ volatile("vmptrld %0" : : "m"(*vmcs) : "cc", "memory");
}

/* Scope of INVEPT and INVVPID (SDM 3C, 30.3). */
#define INVALIDATE_ONE 1
#define INVALIDATE_ALL 2

struct invalidation {
        uint64_t of, address;
};

static inline void invept(word_t type, uint64_t eptp)
{
        const struct invalidation what = {eptp, 0};

        __asm__ volatile("invept %0, %1" : : "m"(what), "r"(type) : "cc", "memory");
}

static inline void invvpid(word_t type, uint64_t vpid)
{
        const struct invalidation what = {vpid, 0};

        __asm__ volatile("invvpid %0, %1" : : "m"(what), "r"(type) : "cc", "memory");
}

#endif
