/* SPDX-License-Identifier: BSD-2-Clause */
/* Treatment of the CPU's flaws of speculation (see speculation.h). */
#include "arch/x86/speculation.h"

#include "arch/x86/features.h"
#include "arch/x86/flaws.h"
#include "arch/x86/fpu.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "lib/cmdline.h"
#include "lib/console.h"
#include "lib/string.h"
#include "memory/account.h"
#include "nova/abi/hip.h"
#include "object/pd.h"
#include "sched/cpu.h"

#define BIT(word, bit) ((word) >> (bit)&1)

/* A site, as the macro speculation_site records it. Each offset is relative to its own field. */
struct site {
        int32_t at, stub;
        uint8_t kind, opcode, size, reserved;
};

extern const struct site speculation_sites[], speculation_sites_end[]; /* kernel.ld.inc */

uint32_t speculation_at_guest_entry;
uint32_t speculation_control; /* value of SPEC_CTRL in the kernel */

static struct flaws_choice choice;

static enum cpu_vendor speculation_vendor(void)
{
        const uint32_t name = cpuid(0, 0).ecx; /* the last four letters */

        if (name == 0x6c65746e) /* GenuineI"ntel" */
                return VENDOR_INTEL;
        if (name == 0x444d4163 || name == 0x656e6975) /* Authenti"cAMD", HygonGen"uine" */
                return VENDOR_AMD;
        return VENDOR_OTHER;
}

/* Reads family and model (SDM 2A, CPUID). */
static void speculation_read_model(struct cpu_facts *cpu)
{
        const uint32_t version = cpuid(1, 0).eax;

        cpu->family = version >> 8 & 0xf;
        cpu->model = version >> 4 & 0xf;
        if (cpu->family == 0xf || cpu->family == 6)
                cpu->model |= version >> 12 & 0xf0;
        if (cpu->family == 0xf)
                cpu->family += version >> 20 & 0xff;
}

static void speculation_read_intel(struct cpu_facts *cpu, const uint32_t own[FEATURE_WORDS])
{
        if (features_have(own, FEATURE_ARCH_CAPS))
                cpu->capabilities = rdmsr(MSR_ARCH_CAPS);
        if (features_have(own, FEATURE_IBRS)) {
                cpu->can |= CAN_IBRS | CAN_IBPB;
                if (cpu->capabilities & ARCH_CAPS_IBRS_ALL)
                        cpu->can |= CAN_IBRS_ON;
                if (cpuid(7, 0).eax >= 2 && BIT(cpuid(7, 2).edx, 4))
                        cpu->can |= CAN_BHI_DIS;
        }
        if (features_have(own, FEATURE_MD_CLEAR) ||
            cpu->capabilities & (ARCH_CAPS_FB_CLEAR | ARCH_CAPS_RFDS_CLEAR))
                cpu->can |= CAN_VERW;
        if (features_have(own, FEATURE_SRBDS_CTRL))
                cpu->can |= CAN_SRBDS_CTRL;
        /* A hypervisor that reports these features may refuse even a read of MCU_OPT_CTRL. */
        if ((cpu->can & CAN_SRBDS_CTRL ||
             cpu->capabilities & (ARCH_CAPS_GDS_CTRL | ARCH_CAPS_FB_CLEAR_CTRL)) &&
            !features_have(own, FEATURE_HYPERVISOR))
                cpu->can |= CAN_MCU_OPT;
        if (features_have(own, FEATURE_L1D_FLUSH))
                cpu->can |= CAN_L1D_FLUSH;
        cpu->avx2 = features_have(own, FEATURE_AVX2);
        cpu->rtm = features_have(own, FEATURE_RTM);
}

static void speculation_read_amd(struct cpu_facts *cpu, const uint32_t own[FEATURE_WORDS])
{
        const uint32_t last = features_max_extended();
        const uint32_t sizes = last >= 0x80000008 ? cpuid(0x80000008, 0).ebx : 0;
        const struct cpuid more = last >= 0x80000021 ? cpuid(0x80000021, 0) : (struct cpuid){0};

        if (BIT(sizes, 12))
                cpu->can |= CAN_IBPB;
        if (BIT(sizes, 14))
                cpu->can |= CAN_IBRS;
        if (BIT(sizes, 14) && BIT(sizes, 16))
                cpu->can |= CAN_IBRS_ON;
        if (BIT(more.eax, 8))
                cpu->can |= CAN_AUTO_IBRS;
        if (BIT(more.eax, 5))
                cpu->can |= CAN_VERW;
        cpu->ssb_no = BIT(sizes, 26);
        cpu->srso_no = BIT(more.eax, 29);
        cpu->tsa_no = BIT(more.ecx, 1) && BIT(more.ecx, 2);
        if (flaws_is_zen_2(cpu) && !features_have(own, FEATURE_HYPERVISOR))
                cpu->can |= CAN_KEEP_UPPER;
}

/* Reads the vendor, the model and the features of this CPU. */
static struct cpu_facts speculation_read(void)
{
        uint32_t own[FEATURE_WORDS];
        struct cpu_facts cpu = {.vendor = speculation_vendor(), .emulated = features_emulated()};

        features_read_own(own);
        cpu.sse2 = features_have(own, FEATURE_SSE2);
        cpu.smep = features_have(own, FEATURE_SMEP);
        speculation_read_model(&cpu);
        if (cpu.vendor == VENDOR_AMD)
                speculation_read_amd(&cpu, own);
        else
                speculation_read_intel(&cpu, own);
        /* QEMU accepts a write to any MSR. So these treatments are possible there, and tests can
         * observe their actions. */
        if (cpu.emulated)
                cpu.can |= CAN_IBRS | CAN_IBPB | CAN_VERW | CAN_L1D_FLUSH | CAN_KEEP_UPPER;
        return cpu;
}

/* Writes a call or jump to the text. */
static void speculation_write(uint8_t *at, uint8_t opcode, const void *to)
{
        const int32_t offset = (int32_t)((word_t)to - ((word_t)at + SITE_JUMP_SIZE));

        at[0] = opcode;
        memcpy(at + 1, &offset, sizeof(offset));
}

/* Patches a site. The rest of its instruction becomes NOPs. */
static void speculation_patch(const struct site *site)
{
        uint8_t *at = (uint8_t *)((word_t)&site->at + (word_t)site->at);

        speculation_write(at, site->opcode, (void *)((word_t)&site->stub + (word_t)site->stub));
        memset(at + SITE_JUMP_SIZE, 0x90, site->size - SITE_JUMP_SIZE);
}

/* Patches the slots of the stubs to call the chosen actions. Returns the kinds of sites that need
 * their stubs: bit n is for kind n. */
static unsigned speculation_fill_slots(void)
{
        static const struct {
                uint32_t treatment;
                unsigned kind;
                uint8_t *slot;
                void (*action)(void);
        } rows[] = {
                {TREAT_IBPB_ENTRY, SITE_ENTRY, speculation_slot_entry_ibpb, speculation_ibpb},
                {TREAT_IBRS_ENTRY, SITE_ENTRY, speculation_slot_entry_ibrs, speculation_ibrs},
                {TREAT_RSB_ENTRY, SITE_ENTRY, speculation_slot_entry_stack,
                 speculation_fill_return_stack},
                {TREAT_HISTORY_LOOP, SITE_ENTRY, speculation_slot_entry_history,
                 speculation_overwrite_history},
                {TREAT_IBPB_GUEST, SITE_GUEST_EXIT, speculation_slot_guest_ibpb, speculation_ibpb},
                {TREAT_IBRS_ENTRY, SITE_GUEST_EXIT, speculation_slot_guest_ibrs, speculation_ibrs},
                {TREAT_RSB_GUEST, SITE_GUEST_EXIT, speculation_slot_guest_stack,
                 speculation_fill_return_stack},
                {TREAT_HISTORY_LOOP, SITE_GUEST_EXIT, speculation_slot_guest_history,
                 speculation_overwrite_history},
                {TREAT_DIVIDE, SITE_GUEST_EXIT, speculation_slot_guest_divide, speculation_divide},
        };
        unsigned kinds = 0;

        for (unsigned i = 0; i < array_size(rows); i++)
                if (choice.treatments & rows[i].treatment) {
                        speculation_write(rows[i].slot, SITE_CALL, (void *)(word_t)rows[i].action);
                        kinds |= 1u << rows[i].kind;
                }
        return kinds;
}

void speculation_boot(void)
{
        const struct cpu_facts cpu = speculation_read();

        choice = flaws_choose(&cpu, cmdline.mitigations);
        if (choice.treatments & (TREAT_IBRS_ON | TREAT_IBRS_ENTRY))
                speculation_control |= SPEC_CTRL_IBRS;
        if (choice.treatments & TREAT_BHI_DIS)
                speculation_control |= SPEC_CTRL_BHI_DIS;
        speculation_at_guest_entry = choice.treatments & (TREAT_VERW | TREAT_L1D_FLUSH |
                                                          TREAT_IBPB_SWITCH | TREAT_DIVIDE);

        unsigned kinds = speculation_fill_slots();
        if (choice.treatments & TREAT_VERW)
                kinds |= 1u << SITE_EXIT;
        if (choice.treatments & (TREAT_IBPB_SWITCH | TREAT_HIDE_FPU | TREAT_DIVIDE))
                kinds |= 1u << SITE_SWITCH;
        for (const struct site *site = speculation_sites; site < speculation_sites_end; site++)
                if (kinds >> site->kind & 1)
                        speculation_patch(site);
}

bool speculation_suits_cpu(void)
{
        const struct cpu_facts cpu = speculation_read();

        return flaws_suit(&choice, &cpu, cmdline.mitigations);
}

void speculation_report(struct nova_boot *boot)
{
        boot->flaws = choice.flaws;
        boot->treated = choice.treated;
        if (cmdline.mitigations == MITIGATIONS_OFF)
                console_print("NOVA: mitigations=off: no flaw of speculation is treated.\n");
        for (unsigned i = 0; i < FLAWS; i++)
                if (choice.flaws >> i & 1)
                        console_print("NOVA: %s: %s.\n", flaws_name((enum flaw)i), choice.done[i]);
}

/* Switches on the microcode's treatments if the firmware has switched them off. */
static void speculation_use_microcode(void)
{
        const uint64_t value = rdmsr(MSR_MCU_OPT_CTRL);

        if (value & MCU_OPT_OFF) {
                wrmsr_if_accepted(MSR_MCU_OPT_CTRL, value & ~(uint64_t)MCU_OPT_OFF);
                flaws_refuse_microcode(&choice, rdmsr(MSR_MCU_OPT_CTRL));
        }
}

void speculation_init_cpu(void)
{
        if (choice.treatments & TREAT_AUTO_IBRS)
                wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AUTO_IBRS);
        if (choice.treatments & TREAT_KEEP_UPPER &&
            !wrmsr_if_accepted(MSR_DE_CFG, rdmsr(MSR_DE_CFG) | DE_CFG_KEEP_UPPER))
                flaws_refuse_upper(&choice);
        if (choice.treatments & TREAT_MICROCODE)
                speculation_use_microcode();
        if (speculation_control)
                speculation_ibrs();
}

/* Returns the number of a PD's domain: of its account or, with mitigations=full, of the PD itself.
 * The address does not identify a domain, because a new object may have the address of an ended
 * object. */
static uint32_t speculation_domain(const struct pd *pd)
{
        return choice.treatments & TREAT_EACH_PD ? pd->number : pd->account->number;
}

void speculation_switched(void)
{
        struct cpu *cpu = cpu_self();
        const struct pd *pd = cpu->current_pd;

        if (choice.treatments & TREAT_HIDE_FPU)
                fpu_hide(cpu, pd);
        if (choice.treatments & TREAT_DIVIDE)
                speculation_divide();
        if (!(choice.treatments & TREAT_IBPB_SWITCH) || speculation_domain(pd) == cpu->arch.domain)
                return;
        cpu->arch.domain = speculation_domain(pd);
        speculation_ibpb();
        speculation_fill_return_stack();
}

void speculation_enter_guest(struct cpu *cpu, const struct pd *pd)
{
        if (speculation_at_guest_entry & TREAT_IBPB_SWITCH && cpu->arch.guest != pd->number) {
                cpu->arch.guest = pd->number;
                speculation_ibpb();
        }
        if (speculation_at_guest_entry & TREAT_L1D_FLUSH)
                speculation_l1d_flush();
        if (speculation_at_guest_entry & TREAT_DIVIDE)
                speculation_divide();
        if (speculation_at_guest_entry & TREAT_VERW)
                speculation_verw();
}
