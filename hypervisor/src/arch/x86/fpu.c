/* SPDX-License-Identifier: BSD-2-Clause */
/* FPU state (see fpu.h). */
#include "arch/x86/fpu.h"

#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "lib/string.h"
#include "memory/frame.h"
#include "object/ec.h"
#include "sched/cpu.h"

/* State components: x87, SSE, AVX, and the three of AVX-512 (SDM 1, 13.1). */
#define XCR0_AVX512 0xe0
#define XCR0_AVX    0x4
#define XCR0_WANTED 0x2e7 /* also PKRU, which guests may use */

#define XSAVE_HEADER_SIZE 64
#define FCW_INITIAL       0x37f
#define MXCSR_OFFSET      24
#define MXCSR_INITIAL     0x1f80
#define XCR0_SSE          0x2
#define XMM_OFFSET        160 /* offset of XMM0 in a saved state (SDM 1, table 10-2) */
#define XMM_END           416

/* Numbers of the components that CPUs may place differently: all but x87 and SSE. */
#define PLACED_FIRST 2
#define PLACED_END   10
_Static_assert(XCR0_WANTED >> PLACED_END == 0, "each component has a number below the end");

static uint64_t components; /* XCR0; 0: no XSAVE */
static size_t state_size = FPU_SIZE_MIN;

/* Size and offset in a saved state, in bytes, of each component on the boot CPU. */
static struct fpu_place {
        uint32_t size, offset;
} places[PLACED_END];

/* The state of an EC that has never used the FPU. */
static uint8_t *initial;

/* Returns the place of a component on this CPU, for any value of XCR0. */
static struct fpu_place fpu_place_of(unsigned component)
{
        const struct cpuid leaf = cpuid(0xd, component);

        return (struct fpu_place){leaf.eax, leaf.ebx};
}

bool fpu_boot(void)
{
        initial = frame_alloc_zeroed();
        if (!initial)
                return false;
        *(uint16_t *)(void *)initial = FCW_INITIAL;
        *(uint32_t *)(void *)(initial + MXCSR_OFFSET) = MXCSR_INITIAL;
        if (!cpu_has(FEATURE_XSAVE))
                return true;

        const struct cpuid supported = cpuid(0xd, 0);
        components = (supported.eax | (uint64_t)supported.edx << 32) & XCR0_WANTED;
        if ((components & XCR0_AVX512) != XCR0_AVX512)
                components &= ~(uint64_t)XCR0_AVX512; /* all three are used, or none */
        fpu_init_cpu();
        state_size = cpuid(0xd, 0).ebx; /* for the current value of XCR0 */
        if (state_size > FPU_SIZE_MAX) {
                components = XCR0_X87_SSE;
                fpu_init_cpu();
                state_size = cpuid(0xd, 0).ebx;
        }
        for (unsigned i = PLACED_FIRST; i < PLACED_END; i++)
                places[i] = fpu_place_of(i);
        return true;
}

bool fpu_suits_cpu(void)
{
        if (!components)
                return true;

        const struct cpuid supported = cpuid(0xd, 0);
        if (components & ~(supported.eax | (uint64_t)supported.edx << 32))
                return false;
        for (unsigned i = PLACED_FIRST; i < PLACED_END; i++) {
                const struct fpu_place place = fpu_place_of(i);

                if (components >> i & 1 &&
                    (place.size != places[i].size || place.offset != places[i].offset))
                        return false;
        }
        return true;
}

void fpu_init_cpu(void)
{
        if (components) {
                xsetbv(0, components);
                cpu_self()->arch.xcr0 = components;
        }
}

size_t fpu_size(void)
{
        return state_size;
}

void fpu_prepare(void *state)
{
        /* XSAVE does not write the reserved part of its header, but XRSTOR requires it to be 0. */
        if (components)
                memset((char *)state + FPU_SIZE_MIN, 0, XSAVE_HEADER_SIZE);
}

static void fpu_save(void *state)
{
        const uint32_t low = (uint32_t)components, high = (uint32_t)(components >> 32);

        if (components)
                __asm__ volatile("xsave" FPU_SUFFIX " (%0)"
                                 :
                                 : "r"(state), "a"(low), "d"(high)
                                 : "memory");
        else
                __asm__ volatile("fxsave" FPU_SUFFIX " (%0)" : : "r"(state) : "memory");
}

/* On AMD CPUs before Zen 2, a restore keeps the last instruction's address, operand and opcode
 * unless an exception is pending (APM 5, FXRSTOR). FNINIT removes the values of the last owner. */
static void fpu_restore(const void *state)
{
        const uint32_t low = (uint32_t)components, high = (uint32_t)(components >> 32);

        __asm__ volatile("fninit");
        if (components)
                __asm__ volatile("xrstor" FPU_SUFFIX " (%0)"
                                 :
                                 : "r"(state), "a"(low), "d"(high)
                                 : "memory");
        else
                __asm__ volatile("fxrstor" FPU_SUFFIX " (%0)" : : "r"(state) : "memory");
}

void fpu_switch(struct cpu *cpu, const struct ec *ec)
{
        if (!((cpu->special ^ ec->special) & SPECIAL_FPU))
                return;
        if (ec->special & SPECIAL_FPU)
                clts();
        else
                write_cr0(read_cr0() | CR0_TS);
        cpu->special ^= SPECIAL_FPU;
}

/* Saves the registers in the memory of the EC that owns them. There is such an EC, TS is clear, and
 * XCR0 is the kernel's, so that all components are saved. */
static void fpu_save_owner(struct cpu *cpu)
{
        struct ec *owner = cpu->arch.fpu_owner;

        fpu_save(owner->fpu);
        owner->special &= (uint8_t)~SPECIAL_FPU;
        cpu->arch.fpu_owner = NULL;
}

void fpu_hide(struct cpu *cpu, const struct pd *pd)
{
        const struct ec *owner = cpu->arch.fpu_owner;

        if (owner ? owner->pd == pd : !cpu->arch.fpu_left)
                return;
        clts();
        fpu_leave_guest(cpu);
        if (owner)
                fpu_save_owner(cpu);
        fpu_restore(initial);
        cpu->arch.fpu_left = false;
        write_cr0(read_cr0() | CR0_TS);
        cpu->special &= (uint8_t)~SPECIAL_FPU;
}

void fpu_load(struct cpu *cpu, struct ec *ec)
{
        clts();
        cpu->special |= SPECIAL_FPU;
        if (cpu->arch.fpu_owner == ec)
                return;
        fpu_leave_guest(cpu); /* the kernel's XCR0: all components are saved and loaded */
        if (cpu->arch.fpu_owner)
                fpu_save_owner(cpu);
        ec->special |= SPECIAL_FPU;
        fpu_restore(ec->fpu_used ? ec->fpu : initial);
        ec->fpu_used = true;
        cpu->arch.fpu_owner = ec;
}

void fpu_enter_guest(struct cpu *cpu, struct ec *ec, uint64_t xcr0)
{
        if (cpu->arch.fpu_owner != ec)
                fpu_load(cpu, ec);
        if (components && cpu->arch.xcr0 != xcr0) {
                xsetbv(0, xcr0);
                cpu->arch.xcr0 = xcr0;
        }
}

void fpu_leave_guest(struct cpu *cpu)
{
        if (cpu->arch.xcr0 == components)
                return;
        xsetbv(0, components);
        cpu->arch.xcr0 = components;
}

bool fpu_xcr0_is_valid(uint64_t value)
{
        const uint64_t avx512 = value & XCR0_AVX512;

        if (!(value & 1) || value & ~(components | 1)) /* without XSAVE, XCR0 reads as 1 */
                return false;
        if (value & XCR0_AVX && !(value & 2))
                return false;
        return !avx512 || (avx512 == XCR0_AVX512 && value & XCR0_AVX);
}

/* Ends an access to the registers, for which TS was cleared. */
static void fpu_end_access(const struct cpu *cpu)
{
        if (!(cpu->special & SPECIAL_FPU))
                write_cr0(read_cr0() | CR0_TS);
}

/* Offset in an EC of its XSAVE area's header. The low byte shows whether the area contains x87 and
 * SSE state. */
#define FPU_HEADER (offsetof(struct ec, fpu) + FPU_SIZE_MIN)

/* Returns true if the memory for ec's state contains its XMM registers; else they are 0. */
static bool fpu_has_xmm(const struct ec *ec)
{
        return ec->fpu_used && (!components || ((const uint8_t *)ec)[FPU_HEADER] & XCR0_SSE);
}

void fpu_read_xmm(const struct ec *ec, uint8_t to[FPU_XMM][FPU_XMM_SIZE])
{
        if (ec->cpu->arch.fpu_owner == ec) {
                clts();
                movups_from_xmm0(to[0]);
                movups_from_xmm1(to[1]);
                movups_from_xmm2(to[2]);
                movups_from_xmm3(to[3]);
                movups_from_xmm4(to[4]);
                movups_from_xmm5(to[5]);
                fpu_end_access(ec->cpu);
        } else if (fpu_has_xmm(ec)) {
                memcpy(to, ec->fpu + XMM_OFFSET, FPU_XMM * FPU_XMM_SIZE);
        } else {
                memset(to, 0, FPU_XMM * FPU_XMM_SIZE);
        }
}

/* Makes the memory for ec's state contain its XMM registers. */
static void fpu_prepare_xmm(struct ec *ec)
{
        if (fpu_has_xmm(ec))
                return;
        if (!ec->fpu_used)
                memcpy(ec->fpu, initial, FPU_SIZE_MIN);
        memset(ec->fpu + XMM_OFFSET, 0, XMM_END - XMM_OFFSET);
        if (components)
                ((uint8_t *)ec)[FPU_HEADER] |= XCR0_SSE;
        ec->fpu_used = true;
}

/* Does not load ec's state into the registers if they hold another EC's state: the next EC that
 * runs may belong to another PD, and the registers would have to be cleared for it. */
void fpu_write_xmm(struct ec *ec, const uint8_t from[FPU_XMM][FPU_XMM_SIZE])
{
        if (ec->cpu->arch.fpu_owner == ec) {
                clts();
                movups_to_xmm0(from[0]);
                movups_to_xmm1(from[1]);
                movups_to_xmm2(from[2]);
                movups_to_xmm3(from[3]);
                movups_to_xmm4(from[4]);
                movups_to_xmm5(from[5]);
                fpu_end_access(ec->cpu);
        } else {
                fpu_prepare_xmm(ec);
                memcpy(ec->fpu + XMM_OFFSET, from, FPU_XMM * FPU_XMM_SIZE);
        }
}

void fpu_drop(struct ec *ec)
{
        struct cpu *cpu = ec->cpu;

        if (cpu->arch.fpu_owner != ec)
                return;
        cpu->arch.fpu_owner = NULL;
        cpu->arch.fpu_left = true;
        ec->special &= (uint8_t)~SPECIAL_FPU;
        fpu_switch(cpu, ec);
}
