/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides which flaws a CPU may have, and how the kernel treats them (see flaws.h). The rules
 * follow the guidance of the vendors; docs/kernel/speculation.md has a row for each flaw. */
#include "arch/x86/flaws.h"

#include "arch/x86/msr.h"
#include "nova/abi/hip.h"

_Static_assert(1 << FLAW_UPPER == NOVA_FLAW_UPPER && 1 << FLAW_STORES == NOVA_FLAW_STORES &&
                       1 << FLAW_L1TF == NOVA_FLAW_L1TF,
               "the flaws of the interface are in this order");

#define NOT_TREATED "not treated: "

const char *flaws_name(enum flaw flaw)
{
        static const char *const names[FLAWS] = {
                [FLAW_BRANCHES] = "branch target injection (Spectre v2)",
                [FLAW_RETURNS] = "return target injection (Retbleed)",
                [FLAW_HISTORY] = "branch history injection (BHI)",
                [FLAW_STACK] = "return stack overflow (SRSO)",
                [FLAW_MELTDOWN] = "Meltdown",
                [FLAW_L1TF] = "L1 terminal fault (L1TF)",
                [FLAW_BUFFERS] = "data sampling of buffers (MDS, TAA, MMIO, RFDS, TSA)",
                [FLAW_LAZY_FPU] = "reads of another thread's FPU registers (LazyFP)",
                [FLAW_GATHER] = "gather data sampling (GDS)",
                [FLAW_STORES] = "speculative store bypass (SSB)",
                [FLAW_MONITOR] = "branches of a VMM trained by its guest (VMSCAPE)",
                [FLAW_TARGETS] = "indirect target selection (ITS)",
                [FLAW_UPPER] = "stale upper halves of vector registers (Zenbleed)",
        };

        return names[flaw];
}

/* Records a flaw that is treated. */
static void flaws_treat(struct flaws_choice *choice, enum flaw flaw, uint32_t treatments,
                        const char *done)
{
        choice->treatments |= treatments;
        choice->flaws |= 1u << flaw;
        choice->treated |= 1u << flaw;
        choice->done[flaw] = done;
}

/* Records a flaw that is not treated, or only in part. */
static void flaws_admit(struct flaws_choice *choice, enum flaw flaw, uint32_t treatments,
                        const char *why)
{
        choice->treatments |= treatments;
        choice->flaws |= 1u << flaw;
        choice->done[flaw] = why;
}

static void flaws_choose_for_branches(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        const uint32_t between = cpu->can & CAN_IBPB ? TREAT_IBPB_SWITCH : 0;
        const uint32_t stack = TREAT_RSB_GUEST | (cpu->smep ? 0 : TREAT_RSB_ENTRY);
        const uint32_t always = between | stack;

        if (!between)
                flaws_admit(choice, FLAW_BRANCHES, stack, NOT_TREATED "the CPU has no IBPB");
        else if (cpu->can & CAN_AUTO_IBRS)
                flaws_treat(choice, FLAW_BRANCHES, always | TREAT_AUTO_IBRS,
                            "automatic IBRS, IBPB between domains");
        else if (cpu->can & CAN_IBRS_ON)
                flaws_treat(choice, FLAW_BRANCHES, always | TREAT_IBRS_ON,
                            "IBRS always on, IBPB between domains");
        else if (cpu->can & CAN_IBRS)
                flaws_treat(choice, FLAW_BRANCHES, always | TREAT_IBRS_ENTRY,
                            "IBRS at each entry, IBPB between domains");
        else
                flaws_admit(choice, FLAW_BRANCHES, always,
                            "treated in part: IBPB between domains; the CPU has no IBRS");
}

static void flaws_choose_for_history(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        if (cpu->can & CAN_BHI_DIS)
                flaws_treat(choice, FLAW_HISTORY, TREAT_BHI_DIS, "BHI_DIS_S");
        else if (cpu->sse2)
                flaws_treat(choice, FLAW_HISTORY, TREAT_HISTORY_LOOP, "a loop at each entry");
        else
                flaws_admit(choice, FLAW_HISTORY, 0, NOT_TREATED "the CPU has no LFENCE");
}

static void flaws_choose_for_buffers(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        if (cpu->can & CAN_VERW)
                flaws_treat(choice, FLAW_BUFFERS, TREAT_VERW, "VERW at each exit");
        else
                flaws_admit(choice, FLAW_BUFFERS, 0,
                            NOT_TREATED "VERW of this CPU clears no buffers");
}

static void flaws_choose_for_l1tf(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        if (cpu->can & CAN_L1D_FLUSH)
                flaws_treat(choice, FLAW_L1TF, TREAT_L1D_FLUSH,
                            "the L1 data cache is flushed at each entry of a guest");
        else
                flaws_admit(choice, FLAW_L1TF, 0,
                            NOT_TREATED "the CPU cannot flush its L1 data cache");
}

/* Retbleed and SRSO of AMD CPUs. An IBPB at each entry costs thousands of cycles. */
static void flaws_choose_for_returns(struct flaws_choice *choice, enum flaw flaw,
                                     const struct cpu_facts *cpu, enum mitigations mode)
{
        if (!(cpu->can & CAN_IBPB))
                flaws_admit(choice, flaw, 0, NOT_TREATED "the CPU has no IBPB");
        else if (mode == MITIGATIONS_FULL)
                flaws_treat(choice, flaw, TREAT_IBPB_ENTRY | TREAT_IBPB_GUEST,
                            "IBPB at each entry");
        else
                flaws_admit(choice, flaw, TREAT_IBPB_GUEST,
                            "treated in part: IBPB when a guest exits; mitigations=full adds each "
                            "entry");
}

static void flaws_choose_hide_fpu(struct flaws_choice *choice)
{
        flaws_treat(choice, FLAW_LAZY_FPU, TREAT_HIDE_FPU, "the registers are saved between PDs");
}

/* Reports Meltdown, which this kernel does not treat. */
static void flaws_admit_meltdown(struct flaws_choice *choice)
{
        flaws_admit(choice, FLAW_MELTDOWN, 0,
                    NOT_TREATED "programs can read the kernel's memory; use a newer CPU");
}

static void flaws_admit_targets(struct flaws_choice *choice)
{
        flaws_admit(choice, FLAW_TARGETS, 0,
                    NOT_TREATED "programs can steer the kernel's indirect branches");
}

static void flaws_admit_stores(struct flaws_choice *choice)
{
        flaws_admit(choice, FLAW_STORES, 0, NOT_TREATED "a program must protect itself");
}

/* VMSCAPE: IBRS does not separate a guest's programs from its VMM, which may be in the same PD. The
 * kernel passes nearly all exits on to the VMM, so an IBPB at each exit costs little more than one
 * at each return to the VMM. */
static void flaws_choose_for_monitor(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        if (cpu->can & CAN_IBPB)
                flaws_treat(choice, FLAW_MONITOR, TREAT_IBPB_GUEST, "IBPB when a guest exits");
        else
                flaws_admit(choice, FLAW_MONITOR, 0, NOT_TREATED "the CPU has no IBPB");
}

static void flaws_choose_for_gather(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        if (cpu->capabilities & ARCH_CAPS_GDS_CTRL)
                flaws_treat(choice, FLAW_GATHER, 0, "the CPU's microcode");
        else
                flaws_admit(choice, FLAW_GATHER, 0, NOT_TREATED "the microcode is too old");
}

static void flaws_admit_upper(struct flaws_choice *choice)
{
        flaws_admit(choice, FLAW_UPPER, 0,
                    NOT_TREATED "the hypervisor below must set the CPU's DE_CFG");
}

static void flaws_choose_for_upper(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        if (cpu->can & CAN_KEEP_UPPER)
                flaws_treat(choice, FLAW_UPPER, TREAT_KEEP_UPPER, "a bit of the CPU's DE_CFG");
        else
                flaws_admit_upper(choice);
}

void flaws_refuse_upper(struct flaws_choice *choice)
{
        choice->treated &= ~(1u << FLAW_UPPER);
        flaws_admit_upper(choice);
}

static bool flaws_is_model(const struct cpu_facts *cpu, const uint8_t *models, unsigned count)
{
        for (unsigned i = 0; cpu->family == 6 && i < count; i++)
                if (cpu->model == models[i])
                        return true;
        return false;
}

/* Returns true for the models from Skylake to Comet Lake: their returns use indirect predictions
 * when the return stack is empty. */
static bool flaws_is_skylake(const struct cpu_facts *cpu)
{
        static const uint8_t models[] = {0x4e, 0x55, 0x5e, 0x66, 0x8e, 0x9e, 0xa5, 0xa6};

        return flaws_is_model(cpu, models, array_size(models));
}

/* Returns true for the models from Cascade Lake to Rocket Lake: indirect branches in the lower half
 * of a cache line use predictions of other branches. Older steppings of these models have no IBRS
 * that is always on, and are treated as Skylake. */
static bool flaws_has_targets(const struct cpu_facts *cpu)
{
        static const uint8_t models[] = {0x55, 0x6a, 0x6c, 0x7e, 0x8c, 0x8d,
                                         0x8e, 0x9e, 0xa5, 0xa6, 0xa7};

        return cpu->can & CAN_IBRS_ON && !(cpu->capabilities & ARCH_CAPS_ITS_NO) &&
               flaws_is_model(cpu, models, array_size(models));
}

bool flaws_is_zen_2(const struct cpu_facts *cpu)
{
        const unsigned model = cpu->model;

        return cpu->vendor == VENDOR_AMD && cpu->family == 0x17 &&
               ((model >= 0x30 && model <= 0x4f) || (model >= 0x60 && model <= 0x7f) ||
                (model >= 0x90 && model <= 0x91) || (model >= 0xa0 && model <= 0xaf));
}

static bool flaws_has_buffers(const struct cpu_facts *cpu)
{
        const uint64_t caps = cpu->capabilities;

        return !(caps & ARCH_CAPS_MDS_NO) || (cpu->rtm && !(caps & ARCH_CAPS_TAA_NO)) ||
               (caps & ARCH_CAPS_FB_CLEAR && (caps & ARCH_CAPS_MMIO_NO) != ARCH_CAPS_MMIO_NO) ||
               (caps & ARCH_CAPS_RFDS_CLEAR && !(caps & ARCH_CAPS_RFDS_NO));
}

/* Also used for unknown vendors. */
static void flaws_choose_for_intel(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        const uint64_t caps = cpu->capabilities;

        flaws_choose_for_branches(choice, cpu);
        if (!(cpu->can & CAN_IBRS_ON) && (flaws_is_skylake(cpu) || caps & ARCH_CAPS_RSBA)) {
                if (cpu->can & CAN_IBRS)
                        flaws_treat(choice, FLAW_RETURNS, TREAT_IBRS_ENTRY, "IBRS at each entry");
                else
                        flaws_admit(choice, FLAW_RETURNS, 0, NOT_TREATED "the CPU has no IBRS");
        }
        if (cpu->can & CAN_IBRS_ON && !(caps & ARCH_CAPS_BHI_NO))
                flaws_choose_for_history(choice, cpu);
        if (!(caps & ARCH_CAPS_RDCL_NO)) {
                flaws_admit_meltdown(choice);
                flaws_choose_hide_fpu(choice);
                if (!(caps & ARCH_CAPS_SKIP_L1D))
                        flaws_choose_for_l1tf(choice, cpu);
        }
        if (flaws_has_buffers(cpu))
                flaws_choose_for_buffers(choice, cpu);
        if (cpu->avx2 && !(caps & ARCH_CAPS_GDS_NO))
                flaws_choose_for_gather(choice, cpu);
        if (!(caps & ARCH_CAPS_SSB_NO))
                flaws_admit_stores(choice);
        flaws_choose_for_monitor(choice, cpu);
        if (flaws_has_targets(cpu))
                flaws_admit_targets(choice);
}

static void flaws_choose_for_amd(struct flaws_choice *choice, const struct cpu_facts *cpu,
                                 enum mitigations mode)
{
        flaws_choose_for_branches(choice, cpu);
        if (cpu->family >= 0x15 && cpu->family <= 0x18)
                flaws_choose_for_returns(choice, FLAW_RETURNS, cpu, mode);
        if (cpu->family >= 0x17 && cpu->family <= 0x19 && !cpu->srso_no)
                flaws_choose_for_returns(choice, FLAW_STACK, cpu, mode);
        if (cpu->family == 0x19 && !cpu->tsa_no)
                flaws_choose_for_buffers(choice, cpu);
        if (!cpu->ssb_no)
                flaws_admit_stores(choice);
        if (cpu->family >= 0x17)
                flaws_choose_for_monitor(choice, cpu);
        if (flaws_is_zen_2(cpu))
                flaws_choose_for_upper(choice, cpu);
}

/* mitigations=full: treats most flaws even if the CPU reports that it does not have them. */
static void flaws_choose_all(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        flaws_choose_for_branches(choice, cpu);
        flaws_choose_for_returns(choice, FLAW_RETURNS, cpu, MITIGATIONS_FULL);
        flaws_choose_for_returns(choice, FLAW_STACK, cpu, MITIGATIONS_FULL);
        flaws_choose_for_history(choice, cpu);
        flaws_choose_for_l1tf(choice, cpu);
        flaws_choose_for_buffers(choice, cpu);
        flaws_choose_hide_fpu(choice);
        choice->treatments |= TREAT_RSB_ENTRY | TREAT_EACH_PD;
        if (cpu->vendor != VENDOR_AMD && !(cpu->capabilities & ARCH_CAPS_RDCL_NO))
                flaws_admit_meltdown(choice);
        if (cpu->avx2)
                flaws_choose_for_gather(choice, cpu);
        flaws_admit_stores(choice);
        flaws_choose_for_monitor(choice, cpu);
        if (flaws_has_targets(cpu))
                flaws_admit_targets(choice);
        if (flaws_is_zen_2(cpu) || cpu->can & CAN_KEEP_UPPER)
                flaws_choose_for_upper(choice, cpu);
}

struct flaws_choice flaws_choose(const struct cpu_facts *cpu, enum mitigations mode)
{
        struct flaws_choice choice = {0};

        if (mode == MITIGATIONS_FULL)
                flaws_choose_all(&choice, cpu);
        else if (mode == MITIGATIONS_AUTO && !cpu->emulated) {
                if (cpu->vendor == VENDOR_AMD)
                        flaws_choose_for_amd(&choice, cpu, mode);
                else
                        flaws_choose_for_intel(&choice, cpu);
        }
        return choice;
}

/* Returns the abilities that a CPU needs for the treatments. */
static uint32_t flaws_needs(uint32_t treatments)
{
        static const struct {
                uint32_t treatments, can;
        } rows[] = {
                {TREAT_IBRS_ON | TREAT_IBRS_ENTRY, CAN_IBRS},
                {TREAT_AUTO_IBRS, CAN_AUTO_IBRS},
                {TREAT_BHI_DIS, CAN_BHI_DIS},
                {TREAT_IBPB_SWITCH | TREAT_IBPB_ENTRY | TREAT_IBPB_GUEST, CAN_IBPB},
                {TREAT_VERW, CAN_VERW},
                {TREAT_L1D_FLUSH, CAN_L1D_FLUSH},
                {TREAT_KEEP_UPPER, CAN_KEEP_UPPER},
        };
        uint32_t needs = 0;

        for (unsigned i = 0; i < array_size(rows); i++)
                if (treatments & rows[i].treatments)
                        needs |= rows[i].can;
        return needs;
}

bool flaws_suit(const struct flaws_choice *chosen, const struct cpu_facts *cpu,
                enum mitigations mode)
{
        const struct flaws_choice own = flaws_choose(cpu, mode);

        return !(flaws_needs(chosen->treatments) & ~cpu->can) &&
               (cpu->sse2 || !(chosen->treatments & TREAT_HISTORY_LOOP)) &&
               !(own.treatments & ~chosen->treatments) && !(own.flaws & ~chosen->flaws);
}
