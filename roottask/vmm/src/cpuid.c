/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID of guests (see novavmm/cpuid.h). Offers features that need no support by the monitor, and
 * features that the monitor supports. docs/manual/vmm.md gives the reasons. */
#include "novavmm/cpuid.h"

#define ALL UINT32_MAX

#define LAST_BASIC      0xd
#define HYPERVISOR_LEAF 0x40000000
#define LAST_HYPERVISOR 0x400000ff
#define EXTENDED_LEAF   0x80000000

/* Signature of QEMU's software emulation: "TCGTCGTCGTCG". */
#define TCG     0x54474354u
#define TCG_ECX 0x43544743u
#define TCG_EDX 0x47435447u

#define LAST_EXTENDED 0x80000008
#define FEATURE_LEAF  7
#define POWER_LEAF    0x80000007

/* Leaf 1, ecx: SSE3, PCLMULQDQ, SSSE3, FMA, CMPXCHG16B, SSE4.1, SSE4.2, MOVBE, POPCNT, AES, XSAVE,
 * AVX, F16C, RDRAND. Not: MONITOR, VMX, TSC deadline, x2APIC, PCID, and features that count or
 * trace. */
#define LEAF1_ECX            0x76d83203
#define LEAF1_ECX_OSXSAVE    0x08000000
#define LEAF1_ECX_BY_XSAVE   0x34001000 /* XSAVE and features that need it: FMA, AVX, F16C */
#define LEAF1_ECX_HYPERVISOR 0x80000000

/* Leaf 1, edx: FPU, DE, PSE, TSC, MSR, PAE, CX8, SEP, MTRR, PGE, CMOV, PAT, PSE36, CLFSH, MMX,
 * FXSR, SSE, SSE2. Not: machine checks, hyper-threading; APIC as the machine has it. */
#define LEAF1_EDX      0x078bb97d
#define LEAF1_EDX_APIC 0x200

/* Leaf 7, ebx: FSGSBASE, BMI1, AVX2, SMEP, BMI2, ERMS, INVPCID, RDSEED, ADX, SMAP, CLFLUSHOPT,
 * CLWB, SHA. */
#define LEAF7_EBX          0x219c07a9
#define LEAF7_EBX_BY_XSAVE 0x00000020 /* AVX2 */
#define LEAF7_ECX          0x00000004 /* UMIP */

/* Extended leaf 1, ecx: LAHF, CR8 by a LOCK prefix, LZCNT, SSE4A, misaligned SSE, PREFETCHW. */
#define EXT1_ECX     0x000001f1
#define EXT1_ECX_CR8 0x00000010u
/* Extended leaf 1, edx: bits of leaf 1, and SYSCALL, NX, MMX+, pages of 1 GiB, RDTSCP, LM, 3DNow!.
 * Not: FFXSR, for which EFER has no bit here. */
#define EXT1_EDX    0xedd3b97d
#define EXT1_EDX_LM 0x20000000u

/* Extended leaf 7, edx: invariant TSC. If the kernel subtracts stolen time from the TSCs, the TSCs
 * of several virtual CPUs drift apart, and none of them is invariant. */
#define EXT7_EDX_TSC 0x100

/* State components that are offered: x87, SSE, AVX. Not: AVX-512 and protection keys, which leaf 7
 * does not offer, MPX, AMX, and components that need XSAVES. */
#define XCR0_X87     0x1u
#define XCR0_SSE     0x2u
#define XCR0_AVX     0x4u
#define XCR0_OFFERED (XCR0_X87 | XCR0_SSE | XCR0_AVX)
/* State components that the kernel switches. With SVM, the kernel lets a guest enable them without
 * an exit to the monitor. */
#define XCR0_SWITCHED 0x2e7u

/* Leaf 0xd, subleaf 1, eax: XSAVEOPT, XSAVEC, XGETBV of components in use. Not: XSAVES, XFD. */
#define XSAVE_LEAF  0xd
#define XSAVE_FORMS 0x7
#define XSAVE_C     0x2
/* Other subleaves, ecx: in the compacted form the component begins at a multiple of 64. */
#define XSAVE_ALIGNED 0x2
/* Bytes of x87, SSE and the header; SDM 1, 13.4. */
#define XSAVE_MIN 576

const struct nova_cpuid_row nova_cpuid_rows[] = {
        {0x0, 0x0, {ALL, ALL, ALL, ALL}},
        {0x1, 0x1, {ALL, 0xff00, LEAF1_ECX, LEAF1_EDX}},
        {0x7, 0x7, {0, LEAF7_EBX, LEAF7_ECX, 0}},
        {0xd, 0xd, {ALL, ALL, ALL, ALL}},
        {0x80000000, 0x80000000, {ALL, ALL, ALL, ALL}},
        {0x80000001, 0x80000001, {ALL, 0, EXT1_ECX, EXT1_EDX}},
        {0x80000002, 0x80000006, {ALL, ALL, ALL, ALL}},
        {0x80000007, 0x80000007, {0, 0, 0, EXT7_EDX_TSC}},
        {0x80000008, 0x80000008, {0xffff, 0, 0, 0}},
        {1, 0, {0, 0, 0, 0}},
};

struct nova_cpuid nova_cpuid_host(uint32_t leaf, uint32_t subleaf)
{
        struct nova_cpuid out;

        __asm__ volatile("cpuid"
                         : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
                         : "a"(leaf), "c"(subleaf));
        return out;
}

/* Returns the smaller value. Leaves 0 and 0x80000000 return the highest leaf, which is limited to
 * the leaves of the table. */
static uint32_t least(uint32_t a, uint32_t b)
{
        return a < b ? a : b;
}

/* Returns the size of an area that holds components @p set. It includes the XSAVE_MIN bytes that
 * every area has. */
static uint32_t xsave_bytes(nova_cpuid_source *source, uint64_t set, bool compacted)
{
        uint32_t end = XSAVE_MIN;

        for (unsigned i = 2; set >> i; i++) {
                if (!(set >> i & 1))
                        continue;

                const struct nova_cpuid part = source(XSAVE_LEAF, i);
                const uint32_t next = part.ecx & XSAVE_ALIGNED ? (end + 63) & ~63u : end;
                const uint32_t begin = compacted ? next : part.ebx;

                if (begin + part.eax > end)
                        end = begin + part.eax;
        }
        return end;
}

/* Computes the sizes of XSAVE areas. They depend on the components that the guest has enabled or
 * can enable, not on those that the host has enabled. */
static void xsave(struct nova_cpuid *out, nova_cpuid_source *source, uint64_t xcr0,
                  uint32_t subleaf)
{
        const uint32_t has = source(XSAVE_LEAF, 0).eax & XCR0_SWITCHED;
        const uint32_t offered = has & XCR0_OFFERED;
        const struct nova_cpuid nothing = {0, 0, 0, 0};

        if (subleaf == 0) {
                out->eax = offered;
                out->ebx = xsave_bytes(source, xcr0 & has, false);
                out->ecx = xsave_bytes(source, offered, false);
                out->edx = 0;
        } else if (subleaf == 1) {
                const uint32_t forms = out->eax & XSAVE_FORMS;

                *out = nothing;
                out->eax = forms;
                if (forms & XSAVE_C)
                        out->ebx = xsave_bytes(source, xcr0 & has, true);
        } else if (subleaf > 31 || !(XCR0_OFFERED >> subleaf & 1)) {
                *out = nothing;
        }
}

static void without_xsave(struct nova_cpuid *out, uint32_t leaf)
{
        if (leaf == 1)
                out->ecx &= ~LEAF1_ECX_BY_XSAVE;
        else if (leaf == FEATURE_LEAF)
                out->ebx &= ~LEAF7_EBX_BY_XSAVE;
        else if (leaf == XSAVE_LEAF)
                *out = (struct nova_cpuid){0, 0, 0, 0};
}

static void add_own(struct nova_cpuid *out, nova_cpuid_source *source,
                    const struct nova_cpuid_view *view, uint32_t leaf, uint32_t subleaf)
{
        switch (leaf) {
        case 0:
                out->eax = least(out->eax, LAST_BASIC);
                break;
        case 1:
                out->ebx |= (uint32_t)view->vcpu << 24 | (uint32_t)view->vcpus << 16;
                out->ecx |= LEAF1_ECX_HYPERVISOR;
                if (view->os_xsave)
                        out->ecx |= LEAF1_ECX_OSXSAVE;
                if (view->local_apic)
                        out->edx |= LEAF1_EDX_APIC;
                break;
        case FEATURE_LEAF: /* eax of subleaf 0, the highest subleaf, is 0 */
                if (subleaf)
                        *out = (struct nova_cpuid){0, 0, 0, 0};
                break;
        case XSAVE_LEAF:
                xsave(out, source, view->xcr0, subleaf);
                break;
        case EXTENDED_LEAF:
                out->eax = least(out->eax, LAST_EXTENDED);
                break;
        case EXTENDED_LEAF + 1:
                if (view->no_long_mode) { /* a 32-bit kernel's messages also lack CR8 */
                        out->ecx &= ~EXT1_ECX_CR8;
                        out->edx &= ~EXT1_EDX_LM;
                }
                break;
        case POWER_LEAF:
                if (view->vcpus > 1 && !view->same_tsc)
                        out->edx = 0;
                break;
        default:
                break;
        }
}

/* Returns true if the CPU has a leaf. For a leaf that it lacks, a CPU returns the values of its
 * last leaf. */
static bool has(nova_cpuid_source *source, uint32_t leaf)
{
        return leaf <= source(leaf & EXTENDED_LEAF, 0).eax;
}

struct nova_cpuid nova_cpuid_answer(nova_cpuid_source *source, const struct nova_cpuid_view *view,
                                    uint32_t leaf, uint32_t subleaf)
{
        const struct nova_cpuid nothing = {0, 0, 0, 0};
        const struct nova_cpuid_row *row = nova_cpuid_rows;

        /* software that looks for a hypervisor finds one without an interface */
        if (leaf >= HYPERVISOR_LEAF && leaf <= LAST_HYPERVISOR) {
                const struct nova_cpuid own = {HYPERVISOR_LEAF, 0x61766f4e, 0x61766f4e, 0x61766f4e};
                return leaf == HYPERVISOR_LEAF ? own : nothing;
        }
        while (row->first <= row->last && (leaf < row->first || leaf > row->last))
                row++;
        if (row->first > row->last || !has(source, leaf))
                return nothing;

        struct nova_cpuid out = source(leaf, subleaf);

        out.eax &= row->mask.eax;
        out.ebx &= row->mask.ebx;
        out.ecx &= row->mask.ecx;
        out.edx &= row->mask.edx;
        add_own(&out, source, view, leaf, subleaf);
        if (!view->xsave)
                without_xsave(&out, leaf);
        return out;
}

static bool is_emulated(nova_cpuid_source *source)
{
        const struct nova_cpuid name = source(HYPERVISOR_LEAF, 0);

        return source(1, 0).ecx & LEAF1_ECX_HYPERVISOR && name.ebx == TCG && name.ecx == TCG_ECX &&
               name.edx == TCG_EDX;
}

/* With SVM, QEMU's CPU executes a guest's XSETBV without the exit that the kernel requests. So the
 * kernel does not know the guest's state components, and loses them at the next exit. */
bool nova_cpuid_has_xsave(nova_cpuid_source *source, bool svm)
{
        return source(1, 0).ecx & LEAF1_ECX_OSXSAVE && !(svm && is_emulated(source));
}

bool nova_xcr0_is_valid(nova_cpuid_source *source, uint64_t value)
{
        const uint64_t has = source(XSAVE_LEAF, 0).eax & XCR0_OFFERED;

        return value & XCR0_X87 && !(value & ~has) && (value & XCR0_SSE || !(value & XCR0_AVX));
}
