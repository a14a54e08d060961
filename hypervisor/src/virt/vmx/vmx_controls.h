/* SPDX-License-Identifier: BSD-2-Clause */
/* What VMX does for a guest: bits of the control fields (SDM 3C, 24.6 to 24.8), and which of them
 * are always on, may be chosen by a VMM, or stay off. */
#ifndef VIRT_VMX_CONTROLS_H
#define VIRT_VMX_CONTROLS_H

#include "lib/types.h"
#include "nova/abi/event.h"
#include "space/second_level.h"

#define VMX_PIN_INTERRUPT   0x1
#define VMX_PIN_NMI         0x8
#define VMX_PIN_VIRTUAL_NMI 0x20
#define VMX_PIN             (VMX_PIN_INTERRUPT | VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMI)

#define VMX_CTRL0_WINDOW     0x4
#define VMX_CTRL0_TSC_OFFSET 0x8
#define VMX_CTRL0_HLT        0x80
#define VMX_CTRL0_MWAIT      0x400
#define VMX_CTRL0_RDPMC      0x800
#define VMX_CTRL0_RDTSC      0x1000
#define VMX_CTRL0_CR8        0x180000 /* loads and stores */
#define VMX_CTRL0_NMI_WINDOW 0x400000
#define VMX_CTRL0_DR         0x800000
#define VMX_CTRL0_IO         0x1000000
#define VMX_CTRL0_TRAP       0x8000000
#define VMX_CTRL0_MONITOR    0x20000000
#define VMX_CTRL0_PAUSE      0x40000000
#define VMX_CTRL0_SECONDARY  0x80000000
#define VMX_CTRL0_WINDOWS    (VMX_CTRL0_WINDOW | VMX_CTRL0_NMI_WINDOW)
#define VMX_CTRL0_FORCED                                                         \
        (VMX_CTRL0_TSC_OFFSET | VMX_CTRL0_HLT | VMX_CTRL0_RDPMC | VMX_CTRL0_IO | \
         VMX_CTRL0_SECONDARY | (sizeof(word_t) == 8 ? (uint32_t)VMX_CTRL0_CR8 : 0))
#define VMX_CTRL0_CHOICE                                                                         \
        (VMX_CTRL0_MWAIT | VMX_CTRL0_RDTSC | VMX_CTRL0_DR | VMX_CTRL0_TRAP | VMX_CTRL0_MONITOR | \
         VMX_CTRL0_PAUSE)

#define VMX_CTRL1_EPT          0x2
#define VMX_CTRL1_TABLES       0x4 /* LGDT, SIDT, LTR, … */
#define VMX_CTRL1_RDTSCP       0x8 /* the instruction exists */
#define VMX_CTRL1_VPID         0x20
#define VMX_CTRL1_WBINVD       0x40
#define VMX_CTRL1_UNRESTRICTED 0x80 /* real mode, and no paging */
#define VMX_CTRL1_RDRAND       0x800
#define VMX_CTRL1_INVPCID      0x1000 /* the instruction exists */
#define VMX_CTRL1_VMFUNC       0x2000 /* exits: no function is there */
#define VMX_CTRL1_RDSEED       0x10000
#define VMX_CTRL1_FORCED       (VMX_CTRL1_EPT | VMX_CTRL1_UNRESTRICTED) /* … and WBINVD */
#define VMX_CTRL1_CHOICE                                                             \
        (VMX_CTRL1_TABLES | VMX_CTRL1_RDTSCP | VMX_CTRL1_WBINVD | VMX_CTRL1_RDRAND | \
         VMX_CTRL1_INVPCID | VMX_CTRL1_VMFUNC | VMX_CTRL1_RDSEED)

#define VMX_EXIT_DEBUG     0x4 /* debug registers are saved */
#define VMX_EXIT_HOST_64   0x200
#define VMX_EXIT_SAVE_PAT  0x40000
#define VMX_EXIT_LOAD_PAT  0x80000
#define VMX_EXIT_SAVE_EFER 0x100000
#define VMX_EXIT_LOAD_EFER 0x200000
#define VMX_EXIT                                                                       \
        (VMX_EXIT_DEBUG | VMX_EXIT_SAVE_PAT | VMX_EXIT_LOAD_PAT | VMX_EXIT_SAVE_EFER | \
         VMX_EXIT_LOAD_EFER | (sizeof(word_t) == 8 ? VMX_EXIT_HOST_64 : 0))

#define VMX_ENTRY_DEBUG 0x4
#define VMX_ENTRY_LONG  0x200 /* the guest is in long mode */
#define VMX_ENTRY_PAT   0x4000
#define VMX_ENTRY_EFER  0x8000
#define VMX_ENTRY       (VMX_ENTRY_DEBUG | VMX_ENTRY_PAT | VMX_ENTRY_EFER)

/* The last basic exit reason that is an event. */
#define VMX_EXIT_LAST NOVA_VMX_VMFUNC

/* Injected and interrupted events (SDM 3C, 24.8.3): nova/abi/inject.h, and in that of an exit: */
#define VMX_INJ_UNBLOCKED 0x1000

/* Extended page tables and VPIDs that a CPU offers (SDM 3D, A.10). */
#define VMX_EPT_LEVELS_4   ((uint64_t)1 << 6)
#define VMX_EPT_WRITE_BACK ((uint64_t)1 << 14)
#define VMX_EPT_2M         ((uint64_t)1 << 16)
#define VMX_EPT_INVEPT     ((uint64_t)1 << 20)
#define VMX_EPT_INVEPT_ONE ((uint64_t)1 << 25)
#define VMX_EPT_INVEPT_ALL ((uint64_t)1 << 26)
#define VMX_EPT_INVVPID    ((uint64_t)1 << 32 | (uint64_t)1 << 42)
#define VMX_EPT_NEEDED                                                                 \
        (VMX_EPT_LEVELS_4 | VMX_EPT_WRITE_BACK | VMX_EPT_INVEPT | VMX_EPT_INVEPT_ONE | \
         VMX_EPT_INVEPT_ALL)

/* A pair of words from a capability MSR: bits that have to be 1, and those that can be. */
struct vmx_range {
        uint32_t must, may;
};

static inline struct vmx_range vmx_range_of(uint64_t msr)
{
        return (struct vmx_range){(uint32_t)msr, (uint32_t)(msr >> 32)};
}

/* What a CPU can do. */
struct vmx_offer {
        struct vmx_range pin, ctrl0, ctrl1, exit, entry;
        uint64_t ept;
        bool large_code; /* a guest that splits a large page of code does no harm */
};

/** Whether it is all that the kernel needs. */
bool vmx_offer_suffices(const struct vmx_offer *offer);

/** Whether translations can be tagged. */
bool vmx_offers_vpid(const struct vmx_offer *offer);

#define VMX_EPT_LEVELS 4

/** Entries of guest page tables. */
struct second_level_format vmx_guest_format(const struct vmx_offer *offer);

/** The control words when a VMM asks for some: what has to be, and of its wishes what may be. */
uint32_t vmx_ctrl0(const struct vmx_offer *offer, uint32_t wanted);
uint32_t vmx_ctrl1(const struct vmx_offer *offer, uint32_t wanted);

/** Number of the event that an exit with a basic reason is. Reasons that 2012 reserves, and newer
 *  ones, which no control of the kernel asks for, are those of a state that cannot go on. @spec 7.2
 */
unsigned vmx_event_of(uint32_t reason);

/** Whether there is such an event: types 0 interrupt, 2 NMI, 3 exception but NMI's vector, 4
 *  software interrupt, 5 INT1, 6 INT3 and INTO. */
bool vmx_is_injectable(uint32_t info);

#endif
