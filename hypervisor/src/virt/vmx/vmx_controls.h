/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits of the VMX control fields (SDM 3C, 24.6 to 24.8). nova/abi/control.h has the bits that a VMM
 * sees. FORCED bits are always on. A VMM may set the bits of CHOICE. The kernel sets all other bits
 * as it needs them. */
#ifndef VIRT_VMX_CONTROLS_H
#define VIRT_VMX_CONTROLS_H

#include "lib/types.h"
#include "nova/abi/control.h"
#include "nova/abi/event.h"
#include "space/second_level.h"

#define VMX_PIN_INTERRUPT   0x1
#define VMX_PIN_NMI         0x8
#define VMX_PIN_VIRTUAL_NMI 0x20
#define VMX_PIN             (VMX_PIN_INTERRUPT | VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMI)

#define VMX_CTRL0_WINDOWS (NOVA_VMX_CTRL0_WINDOW | NOVA_VMX_CTRL0_NMI_WINDOW)
#define VMX_CTRL0_FORCED                                                         \
        (NOVA_VMX_CTRL0_TSC_OFFSET | NOVA_VMX_CTRL0_HLT | NOVA_VMX_CTRL0_RDPMC | \
         NOVA_VMX_CTRL0_IO | NOVA_VMX_CTRL0_SECONDARY |                          \
         (sizeof(word_t) == 8 ? (uint32_t)NOVA_VMX_CTRL0_CR8 : 0))
#define VMX_CTRL0_CHOICE                                                                         \
        (NOVA_VMX_CTRL0_MWAIT | NOVA_VMX_CTRL0_RDTSC | NOVA_VMX_CTRL0_DR | NOVA_VMX_CTRL0_TRAP | \
         NOVA_VMX_CTRL0_MONITOR | NOVA_VMX_CTRL0_PAUSE)

#define VMX_CTRL1_FORCED (NOVA_VMX_CTRL1_EPT | NOVA_VMX_CTRL1_UNRESTRICTED)
#define VMX_CTRL1_CHOICE                                                          \
        (NOVA_VMX_CTRL1_TABLES | NOVA_VMX_CTRL1_RDTSCP | NOVA_VMX_CTRL1_WBINVD |  \
         NOVA_VMX_CTRL1_RDRAND | NOVA_VMX_CTRL1_INVPCID | NOVA_VMX_CTRL1_VMFUNC | \
         NOVA_VMX_CTRL1_RDSEED)

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

/* Bits of CR0 and CR4 that the kernel owns: bits that VMX fixes, bits that an exit does not switch,
 * and MCE, which stays on. The guest gets a bit of CR4 only if it is known to enable nothing but
 * state that an exit switches. All other bits of CR4 stay off. With CET, a guest would use the
 * kernel's IA32_S_CET (arch/x86/tracking.h). With KL (Key Locker), it could replace the wrapping
 * key of all guests of the CPU. PKS, UINTR and FRED have MSRs that neither exits nor the kernel
 * switch. The guest reads all these bits as it wrote them. */
#define VMX_CR0_MASK 0x60000020 /* CD, NW, NE */
#define VMX_CR0_SET  0x20
#define VMX_CR4_FREE ((word_t)0x18775fbf) /* the guest's: most bits up to PKE, LASS, LAM */
#define VMX_CR4_MASK (~VMX_CR4_FREE)
#define VMX_CR4_SET  0x2040                                /* VMXE, MCE */
#define VMX_CR4_OFF  (VMX_CR4_MASK & ~(word_t)VMX_CR4_SET) /* a guest cannot set them */

/* The last basic exit reason that is an event. */
#define VMX_EXIT_LAST NOVA_VMX_VMFUNC

/* nova/abi/inject.h has the bits of injected and interrupted events (SDM 3C, 24.8.3). The
 * interruption info of an exit has one more bit: an IRET has unblocked NMIs. */
#define VMX_INJ_UNBLOCKED 0x1000

/* Capabilities of a CPU for extended page tables and VPIDs (SDM 3D, A.10). */
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

/* The two words of a capability MSR: bits that must be 1, and bits that may be 1. */
struct vmx_range {
        uint32_t must, may;
};

static inline struct vmx_range vmx_range_of(uint64_t msr)
{
        return (struct vmx_range){(uint32_t)msr, (uint32_t)(msr >> 32)};
}

/* VMX capabilities of a CPU. */
struct vmx_offer {
        uint32_t revision; /* format of its control structures */
        struct vmx_range pin, ctrl0, ctrl1, exit, entry;
        uint64_t ept;
        bool large_code; /* large pages of code are safe: the CPU lacks the flaw "iTLB multihit" */
};

/** Returns true if a CPU has all capabilities that the kernel needs. */
bool vmx_offer_suffices(const struct vmx_offer *offer);

/** Returns true if a CPU can run with all values that the kernel derives from the capabilities of
 * another CPU, `used`: formats, controls, VPIDs and large pages. */
bool vmx_offer_covers(const struct vmx_offer *offer, const struct vmx_offer *used);

/** Returns true if a CPU can tag translations with VPIDs. */
bool vmx_offers_vpid(const struct vmx_offer *offer);

/** Returns the value of MSR_FEATURE_CTRL that permits VMX and all features that firmware has
 * permitted. lock: the present value of the MSR, which is not locked. */
uint64_t vmx_lock(uint64_t lock);

#define VMX_EPT_LEVELS 4

/** Returns the format of entries in guest page tables. */
struct second_level_format vmx_guest_format(const struct vmx_offer *offer);

/** Returns a control word: all bits that must be on, and the bits of `wanted` that a VMM may choose
 * and the CPU supports. vmx_ctrl1() also sets WBINVD and VPID if the CPU supports them. */
uint32_t vmx_ctrl0(const struct vmx_offer *offer, uint32_t wanted);
uint32_t vmx_ctrl1(const struct vmx_offer *offer, uint32_t wanted);

/** Returns the event number for a basic exit reason. Reasons that the specification reserves become
 *  NOVA_VMX_INVALID_GUEST_STATE, and so do newer reasons, which no control of the kernel enables.
 *  @spec 7.2 */
unsigned vmx_event_of(uint32_t reason);

/** Returns true if the CPU accepts an injection info: it has no event, or a valid type and a vector
 *  that fits the type. Valid types are 0 (interrupt), 2 (NMI), 3 (exception, but not vector 2), 4
 *  (software interrupt), 5 (INT1) and 6 (INT3 or INTO). */
bool vmx_is_injectable(uint32_t info);

#endif
