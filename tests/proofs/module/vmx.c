/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds the control structure of a new virtual CPU of VMX, for any capabilities that the kernel
 * accepts, and enters guests, up to VMLAUNCH or VMRESUME. vmcs.c covers the fields that messages
 * and exits write afterwards. */
#include "../plain.h"

#define rdmsr        hardware_rdmsr
#define read_cr0     hardware_read_cr0
#define read_cr2     hardware_read_cr2
#define read_cr3     hardware_read_cr3
#define read_cr4     hardware_read_cr4
#define sidt         hardware_sidt
#define vmxon        hardware_vmxon
#define vmclear      hardware_vmclear
#define vmptrld      hardware_vmptrld
#define vmcs_write   hardware_vmcs_write
#define vmcs_read64  hardware_vmcs_read64
#define vmcs_write64 hardware_vmcs_write64
#include "arch/x86/insn.h"
#include "virt/vmx/vmcs.h"
#undef rdmsr
#undef read_cr0
#undef read_cr2
#undef read_cr3
#undef read_cr4
#undef sidt
#undef vmxon
#undef vmclear
#undef vmptrld
#undef vmcs_write
#undef vmcs_read64
#undef vmcs_write64

#include "../driver.h"

/* Parts of a field's number (SDM 3D, appendix B). */
#define WIDTH_OF(field) ((field) >> 13 & 3)
#define KIND_OF(field)  ((field) >> 10 & 3)
#define WIDTH_64        1
#define KIND_READ_ONLY  1

/* Values that only the kernel chooses. */
#define CONTROL       0x3000 /* physical addresses */
#define OTHER_CONTROL 0x4000
#define ROOT          0x7000
#define CR3           0x9000
#define OTHER_CR3     0xa000
#define TAG           3

/* The structure's fields, as the last write left them. Names with `lost`: bits whose value the
 * field must not have. */
static struct {
        word_t pin_lost, primary_lost, secondary_lost, exit_lost, entry_lost, cr0_lost;
        word_t exceptions, cr0_mask, cr4_mask, vpid;
        uint64_t eptp, link;
        word_t cs, ss, ds, es, tr, ip, sp, cr3;
} structure;

static uint64_t loaded; /* physical address of the loaded structure, or 0 */

static uint64_t rdmsr(uint32_t msr)
{
        (void)msr;
        return any_u64();
}

static word_t read_cr0(void)
{
        return any_word();
}

static word_t read_cr2(void)
{
        return any_word();
}

static word_t read_cr3(void)
{
        return CR3;
}

static word_t read_cr4(void)
{
        return any_word();
}

static void sidt(struct table_pointer *pointer)
{
        pointer->base = any_word();
}

static bool vmxon(const uint64_t *region)
{
        (void)region;
        return any_bool();
}

static void vmclear(const uint64_t *vmcs)
{
        if (loaded == *vmcs)
                loaded = 0;
}

static void vmptrld(const uint64_t *vmcs)
{
        loaded = *vmcs;
}

static uint64_t vmcs_read64(unsigned field)
{
        (void)field;
        return any_u64();
}

/* Requires that a field may be written, and that it has this width. */
static void check_field(unsigned field, bool wide)
{
        /*@ assert field: KIND_OF(field) != KIND_READ_ONLY && (field & 1) == 0; */
        /*@ assert width: wide == (WIDTH_OF(field) == WIDTH_64); */
        (void)field, (void)wide;
}

static void write_field(unsigned field, word_t value, word_t lost)
{
        check_field(field, false);
        /*@ assert loaded: loaded == CONTROL; */
        switch (field) {
#define FIELD(number, member, what)      \
        case number:                     \
                structure.member = what; \
                break;
                FIELD(VMCS_PIN, pin_lost, lost)
                FIELD(VMCS_PRIMARY, primary_lost, lost)
                FIELD(VMCS_SECONDARY, secondary_lost, lost)
                FIELD(VMCS_EXIT, exit_lost, lost)
                FIELD(VMCS_ENTRY, entry_lost, lost)
                FIELD(VMCS_HOST_CR0, cr0_lost, lost)
                FIELD(VMCS_EXCEPTIONS, exceptions, value)
                FIELD(VMCS_CR0_MASK, cr0_mask, value)
                FIELD(VMCS_CR4_MASK, cr4_mask, value)
                FIELD(VMCS_VPID, vpid, value)
                FIELD(VMCS_HOST_CS_SEL, cs, value)
                FIELD(VMCS_HOST_SS_SEL, ss, value)
                FIELD(VMCS_HOST_DS_SEL, ds, value)
                FIELD(VMCS_HOST_ES_SEL, es, value)
                FIELD(VMCS_HOST_TR_SEL, tr, value)
                FIELD(VMCS_HOST_IP, ip, value)
                FIELD(VMCS_HOST_SP, sp, value)
                FIELD(VMCS_HOST_CR3, cr3, value)
#undef FIELD
        }
}

/* A macro, because Eva's domain of bits does not follow arguments. It may evaluate a value twice.
 */
#define vmcs_write(field, value) write_field(field, value, LOST_OF(field, value))
#define LOST_OF(field, value)                                            \
        ((field) == VMCS_PIN         ? ~(word_t)(value)&VMX_PIN          \
         : (field) == VMCS_PRIMARY   ? ~(word_t)(value)&VMX_CTRL0_FORCED \
         : (field) == VMCS_SECONDARY ? ~(word_t)(value)&VMX_CTRL1_FORCED \
         : (field) == VMCS_EXIT      ? ~(word_t)(value)&VMX_EXIT         \
         : (field) == VMCS_ENTRY     ? ~(word_t)(value)&VMX_ENTRY        \
         : (field) == VMCS_HOST_CR0  ? (word_t)(value)&CR0_TS            \
                                     : 0)

static void vmcs_write64(unsigned field, uint64_t value)
{
        check_field(field, true);
        /*@ assert loaded: loaded == CONTROL; */
        if (field == VMCS_EPTP)
                structure.eptp = value;
        if (field == VMCS_LINK)
                structure.link = value;
}

#include "virt/vmx/vmx.c"
#include "virt/vmx/vmx_offer.c"

word_t pool_offset; /* used by 32-bit kernels */
uint32_t speculation_at_guest_entry;
uint32_t cpu_features[FEATURE_WORDS];
struct second_level_format guest_format;

uint32_t errata_own(void)
{
        return (uint32_t)any_u64();
}

static struct vcpu vcpu, other_vcpu;
static struct ec self, other;
static struct pd pd;
static union {
        struct cpu cpu;
        char page[PAGE_SIZE];
} own_cpu;

/* Requires that the guest can access only its own memory, that all intercepts are in force, and
 * that exits lead to the kernel, with selectors that the CPU accepts. */
static void check_structure(void)
{
        const word_t selectors =
                structure.cs | structure.ss | structure.ds | structure.es | structure.tr;
        const word_t ip = structure.ip - (word_t)vmx_exit, sp = structure.sp - (word_t)&self;

        /*@ assert controls: structure.pin_lost == 0 && structure.primary_lost == 0 &&
              structure.secondary_lost == 0 && structure.exit_lost == 0 &&
              structure.entry_lost == 0; */
        /*@ assert intercepts: structure.exceptions == EXCEPTIONS &&
              structure.cr0_mask == VMX_CR0_MASK && structure.cr4_mask == VMX_CR4_MASK; */
        /*@ assert memory: structure.eptp == (ROOT | EPTP_FLAGS) &&
              structure.link == UINT64_MAX; */
        /*@ assert selectors: (selectors & 7) == 0 && structure.cs != 0 && structure.tr != 0; */
        /*@ assert host: ip == 0 && sp == 0 && structure.cr0_lost == 0; */
        (void)selectors, (void)ip, (void)sp;
}

/* Requires also that the structure is loaded, that exits lead to the present address space, and
 * that the CPU uses the guest's own translations. */
_Noreturn void vmx_enter(struct ec *ec, word_t launched)
{
        (void)ec, (void)launched;
        check_structure();
        /*@ assert loaded: loaded == CONTROL; */
        /*@ assert space: structure.cr3 == CR3; */
        if (vmx_offers_vpid(&vmx_offer)) {
                /*@ assert tag: structure.vpid == TAG; */
        }
        for (;;)
                ;
}

/* Gives the virtual CPU a tag, or leaves it the tag that the structure has. */
bool vcpu_take_tag(struct cpu *cpu, struct ec *ec)
{
        (void)cpu;
        if (any_bool()) {
                ec->vcpu->tag = TAG;
                return true;
        }
        structure.vpid = TAG;
        return false;
}

uint64_t vcpu_take_stolen_time(struct vcpu *of)
{
        (void)of;
        return any_u64();
}

void speculation_enter_guest(struct cpu *cpu, const struct pd *of)
{
        (void)cpu;
        (void)of;
}

void descriptors_reload(struct cpu *cpu)
{
        (void)cpu;
}

void features_remove(enum feature feature)
{
        (void)feature;
}

void *frame_alloc_zeroed(void)
{
        static uint32_t frame[PAGE_SIZE / sizeof(uint32_t)];

        return any_bool() ? frame : NULL;
}

_Noreturn void kernel_stop(const char *cause, ...)
{
        (void)cause;
        for (;;)
                ;
}

/* Loads a structure that was never loaded before. The CPU has loaded the structure of `owner`, or
 * none if `owner` is NULL. */
static void load_new(struct vcpu *owner)
{
        Frama_C_make_unknown((char *)&structure, sizeof(structure));
        vcpu.vmx.known = false;
        vcpu.vmx.host_cr3 = 0;
        cpu_virt_of(&own_cpu.cpu)->vmcs_owner = owner;
        loaded = owner ? OTHER_CONTROL : 0;
        vmx_load(&self);
        check_structure();
        /*@ assert known: vcpu.vmx.known == 1 && loaded == CONTROL; */
}

/* Enters the guest with a known structure, on a CPU on which the structure of a virtual CPU and the
 * MSRs of an EC are loaded. */
static void enter(struct vcpu *owner, struct ec *msr_owner, word_t host_cr3)
{
        struct cpu_virt *const virt = cpu_virt_of(&own_cpu.cpu);

        load_new(NULL);
        vcpu.vmx.host_cr3 = structure.cr3 = host_cr3;
        vcpu.vmx.launched = any_bool();
        vcpu.debugging = any_bool();
        virt->vmcs_owner = owner;
        virt->msr_owner = msr_owner;
        virt->tag_flush = any_bool();
        if (owner != &vcpu)
                loaded = owner ? OTHER_CONTROL : 0;
        if (any_bool())
                vmx_resume(&self);
        vmx_stop(&self);
        /*@ assert stopped: loaded != CONTROL && virt->vmcs_owner != &vcpu; */
}

/* Enters guests on a CPU with these capabilities for extended page tables and VPIDs. */
static void enter_with(uint64_t ept)
{
        vmx_offer.ept = ept;
        enter(&vcpu, &self, CR3);
        enter(&vcpu, NULL, 0);
        enter(&other_vcpu, &other, OTHER_CR3);
        enter(NULL, &other, CR3);
}

int main(void)
{
        static uint32_t control[PAGE_SIZE / sizeof(uint32_t)];

        self.vcpu = &vcpu;
        self.pd = &pd;
        self.cpu = &own_cpu.cpu;
        other.vcpu = &other_vcpu;
        Frama_C_make_unknown((char *)cpu_features, sizeof(cpu_features));
        vmx_check_feature(any_bool());
        vmx_supported();
        vmx_init_cpu(&own_cpu.cpu);
        vcpu.control = control;
        vmx_init(&vcpu, &self);
        vmx_boot();
        Frama_C_make_unknown((char *)&vmx_offer, sizeof(vmx_offer));
        vmx_offer.large_code = any_bool();
        vcpu.control = phys_to_pool(CONTROL);
        pd.guest.root = phys_to_pool(ROOT);
        load_new(NULL);
        load_new(&other_vcpu);
        enter_with(VMX_EPT_NEEDED);
        vmx_offer.ctrl1.may = UINT32_MAX;
        enter_with(UINT64_MAX);
        return 0;
}
