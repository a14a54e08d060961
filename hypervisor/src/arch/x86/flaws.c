/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides which flaws a CPU may have, and how the kernel treats them (see flaws.h). The rules
 * follow the guidance of the vendors; docs/kernel/speculation.md has a row for each flaw. */
#include "arch/x86/flaws.h"

#include "arch/x86/msr.h"
#include "nova/abi/hip.h"

_Static_assert(1 << FLAW_UPPER == NOVA_FLAW_UPPER && 1 << FLAW_STORES == NOVA_FLAW_STORES &&
                       1 << FLAW_RANDOM == NOVA_FLAW_RANDOM && 1 << FLAW_L1TF == NOVA_FLAW_L1TF,
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
                [FLAW_DIVIDER] = "stale results of the divider (DIV0)",
                [FLAW_RANDOM] = "sampling of other CPUs' random numbers (SRBDS)",
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

/* Records that the chosen treatment of a flaw has failed. */
static void flaws_refuse(struct flaws_choice *choice, enum flaw flaw, const char *why)
{
        choice->treated &= ~(1u << flaw);
        flaws_admit(choice, flaw, 0, why);
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

static bool flaws_is_model(const struct cpu_facts *cpu, const uint8_t *models, unsigned count)
{
        for (unsigned i = 0; cpu->family == 6 && i < count; i++)
                if (cpu->model == models[i])
                        return true;
        return false;
}

/* Returns true if the CPU has MMIO stale data, and its microcode does not let VERW clear the fill
 * buffers. On CPUs with MDS, VERW clears them anyway. */
static bool flaws_has_old_mmio(const struct cpu_facts *cpu)
{
        static const uint8_t models[] = {0x3f, 0x4e, 0x4f, 0x55, 0x56, 0x5e, 0x6a,
                                         0x6c, 0x7e, 0x86, 0x8a, 0x8c, 0x8d, 0x8e,
                                         0x96, 0x9c, 0x9e, 0xa5, 0xa6, 0xa7};
        const uint64_t caps = cpu->capabilities;

        return caps & ARCH_CAPS_MDS_NO && !(caps & ARCH_CAPS_FB_CLEAR) &&
               (caps & ARCH_CAPS_MMIO_NO) != ARCH_CAPS_MMIO_NO &&
               flaws_is_model(cpu, models, array_size(models));
}

/* Returns true if the CPU has RFDS, like the Atom cores since Goldmont, and its microcode does not
 * let VERW clear the register files. */
static bool flaws_has_old_rfds(const struct cpu_facts *cpu)
{
        static const uint8_t models[] = {0x5c, 0x5f, 0x7a, 0x86, 0x8a, 0x96, 0x97,
                                         0x9a, 0x9c, 0xb7, 0xba, 0xbe, 0xbf};

        return !(cpu->capabilities & (ARCH_CAPS_RFDS_NO | ARCH_CAPS_RFDS_CLEAR)) &&
               flaws_is_model(cpu, models, array_size(models));
}

static bool flaws_has_old_verw(const struct cpu_facts *cpu)
{
        return flaws_has_old_mmio(cpu) || flaws_has_old_rfds(cpu);
}

/* Returns the setting that switches the microcode's treatments on. */
static uint32_t flaws_use_microcode(const struct cpu_facts *cpu)
{
        return cpu->can & CAN_MCU_OPT ? TREAT_MICROCODE : 0;
}

static void flaws_choose_for_buffers(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        const uint32_t treatments = TREAT_VERW | flaws_use_microcode(cpu);

        if (!(cpu->can & CAN_VERW))
                flaws_admit(choice, FLAW_BUFFERS, 0,
                            NOT_TREATED "VERW of this CPU clears no buffers");
        else if (flaws_has_old_verw(cpu))
                flaws_admit(choice, FLAW_BUFFERS, treatments,
                            "treated in part: VERW at each exit; the microcode is too old for all "
                            "buffers");
        else
                flaws_treat(choice, FLAW_BUFFERS, treatments, "VERW at each exit");
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
 * kernel passes nearly all exits on to the VMM, so an IBPB at each exit costs little more than an
 * IBPB at each return to the VMM. */
static void flaws_choose_for_monitor(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        if (cpu->can & CAN_IBPB)
                flaws_treat(choice, FLAW_MONITOR, TREAT_IBPB_GUEST, "IBPB when a guest exits");
        else
                flaws_admit(choice, FLAW_MONITOR, 0, NOT_TREATED "the CPU has no IBPB");
}

static void flaws_choose_microcode(struct flaws_choice *choice, enum flaw flaw, bool is_new,
                                   const struct cpu_facts *cpu)
{
        if (is_new)
                flaws_treat(choice, flaw, flaws_use_microcode(cpu), "the CPU's microcode");
        else
                flaws_admit(choice, flaw, 0, NOT_TREATED "the microcode is too old");
}

static void flaws_choose_for_gather(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        flaws_choose_microcode(choice, FLAW_GATHER, cpu->capabilities & ARCH_CAPS_GDS_CTRL, cpu);
}

/* SRBDS: RDRAND and RDSEED leave their results in a buffer that all CPUs share. */
static void flaws_choose_for_random(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        flaws_choose_microcode(choice, FLAW_RANDOM, cpu->can & CAN_SRBDS_CTRL, cpu);
}

void flaws_refuse_microcode(struct flaws_choice *choice, uint64_t off)
{
        static const struct {
                uint64_t bit;
                enum flaw flaw;
        } rows[] = {{MCU_OPT_SRBDS_OFF, FLAW_RANDOM},
                    {MCU_OPT_VERW_OFF, FLAW_BUFFERS},
                    {MCU_OPT_GDS_OFF, FLAW_GATHER}};

        for (unsigned i = 0; i < array_size(rows); i++)
                if (off & rows[i].bit && choice->flaws >> rows[i].flaw & 1)
                        flaws_refuse(choice, rows[i].flaw,
                                     NOT_TREATED "the firmware has switched the microcode's "
                                                 "treatment off");
}

/* The divider of Zen 1 keeps a result that a later division by zero uses speculatively. The results
 * of the kernel, times and sizes, are not secret; the results of programs and guests are. */
static void flaws_choose_for_divider(struct flaws_choice *choice)
{
        flaws_treat(choice, FLAW_DIVIDER, TREAT_DIVIDE, "a division between PDs");
}

static const char upper_not_treated[] =
        NOT_TREATED "the hypervisor below must set the CPU's DE_CFG";

static void flaws_choose_for_upper(struct flaws_choice *choice, const struct cpu_facts *cpu)
{
        if (cpu->can & CAN_KEEP_UPPER)
                flaws_treat(choice, FLAW_UPPER, TREAT_KEEP_UPPER, "a bit of the CPU's DE_CFG");
        else
                flaws_admit(choice, FLAW_UPPER, 0, upper_not_treated);
}

void flaws_refuse_upper(struct flaws_choice *choice)
{
        flaws_refuse(choice, FLAW_UPPER, upper_not_treated);
}

/* Returns true for the models from Skylake to Comet Lake: their returns use indirect predictions
 * when the return stack is empty. */
static bool flaws_is_skylake(const struct cpu_facts *cpu)
{
        static const uint8_t models[] = {0x4e, 0x55, 0x5e, 0x66, 0x8e, 0x9e, 0xa5, 0xa6};

        return flaws_is_model(cpu, models, array_size(models));
}

/* Returns true for the models from Cascade Lake to Rocket Lake: indirect branches in the lower half
 * of a cache line use predictions of other branches. Older steppings of these models lack IBRS that
 * is always on, and are treated like Skylake. */
static bool flaws_has_targets(const struct cpu_facts *cpu)
{
        static const uint8_t models[] = {0x55, 0x6a, 0x6c, 0x7e, 0x8c, 0x8d,
                                         0x8e, 0x9e, 0xa5, 0xa6, 0xa7};

        return cpu->can & CAN_IBRS_ON && !(cpu->capabilities & ARCH_CAPS_ITS_NO) &&
               flaws_is_model(cpu, models, array_size(models));
}

/* Returns true for the models that have SRBDS, from Ivy Bridge to Comet Lake. Also returns true for
 * a CPU that reports the microcode's treatment of SRBDS. */
static bool flaws_has_random(const struct cpu_facts *cpu)
{
        static const uint8_t models[] = {0x3a, 0x3c, 0x3d, 0x45, 0x46, 0x47,
                                         0x4e, 0x5e, 0x8e, 0x9e, 0xa5, 0xa6};

        return cpu->can & CAN_SRBDS_CTRL || flaws_is_model(cpu, models, array_size(models));
}

static bool flaws_is_zen_1(const struct cpu_facts *cpu)
{
        const unsigned model = cpu->model;

        return cpu->family == 0x18 ||
               (cpu->family == 0x17 && (model <= 0x2f || (model >= 0x50 && model <= 0x5f)));
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
               (caps & ARCH_CAPS_RFDS_CLEAR && !(caps & ARCH_CAPS_RFDS_NO)) ||
               flaws_has_old_verw(cpu);
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
        if (flaws_has_random(cpu))
                flaws_choose_for_random(choice, cpu);
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
        if (flaws_is_zen_1(cpu))
                flaws_choose_for_divider(choice);
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
        if (cpu->vendor != VENDOR_AMD && flaws_has_random(cpu))
                flaws_choose_for_random(choice, cpu);
        flaws_choose_for_divider(choice);
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
                {TREAT_MICROCODE, CAN_MCU_OPT},
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
               !(own.treatments & ~chosen->treatments) && !(own.flaws & ~chosen->flaws) &&
               !(own.flaws & ~own.treated & chosen->treated);
}
