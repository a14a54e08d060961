/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes a guest's state from messages with arbitrary content into a control structure of VMX,
 * writes it into messages, and handles exits with arbitrary content of the structure. Only fields
 * of the guest and some controls are written, and each control keeps the bits that the kernel
 * forces. */
#include "../plain.h"

#define read_cr2     hardware_read_cr2
#define read_dr6     hardware_read_dr6
#define vmcs_read    hardware_read
#define vmcs_write   hardware_write
#define vmcs_read64  hardware_read64
#define vmcs_write64 hardware_write64
#include "arch/x86/insn.h"
#include "virt/vmx/vmcs.h"
#undef read_cr2
#undef read_dr6
#undef vmcs_read
#undef vmcs_write
#undef vmcs_read64
#undef vmcs_write64

#include "arch/x86/msr.h"
#include "virt/vmx/vmx.h"

#include "../driver.h"

#define FIELD_KIND  0xc00 /* bits of a field's number (SDM 3D, appendix B) */
#define FIELD_GUEST 0x800

static word_t injected; /* the last value of VMCS_ENTRY_INJ */

static word_t read_cr2(void)
{
        return any_word();
}

static word_t read_dr6(void)
{
        return any_word();
}

/* Reads any value with the bits that vmcs_write() requires. */
static word_t vmcs_read(unsigned field)
{
        switch (field) {
        case VMCS_PRIMARY:
                return any_word() | VMX_CTRL0_FORCED;
        case VMCS_SECONDARY:
                return any_word() | VMX_CTRL1_FORCED;
        case VMCS_ENTRY:
                return any_word() | VMX_ENTRY;
        default:
                return any_word();
        }
}

/* Requires that a field may be written, and that the value has lost no bit that it must keep. */
static void write_field(unsigned field, word_t value, word_t lost)
{
        const bool guest = (field & FIELD_KIND) == FIELD_GUEST;

        /*@ assert field: guest || field == VMCS_PRIMARY || field == VMCS_SECONDARY ||
              field == VMCS_ENTRY || field == VMCS_ENTRY_INJ || field == VMCS_ENTRY_ERROR ||
              field == VMCS_ENTRY_LENGTH || field == VMCS_CR0_SHADOW || field == VMCS_CR4_SHADOW ||
              field == VMCS_TSC_OFFSET || field == VMCS_TSC_OFFSET + 1; */
        /*@ assert forced: lost == 0; */
        if (field == VMCS_ENTRY_INJ)
                injected = value;
        (void)guest, (void)lost;
}

/* A macro, because Eva's domain of bits does not follow arguments. It may evaluate a value twice:
 * vmcs_read() then returns two values with the same bits that must be kept. */
#define vmcs_write(field, value) write_field(field, value, LOST_OF(field, value))
#define LOST_OF(field, value)                                            \
        ((field) == VMCS_PRIMARY     ? ~(word_t)(value)&VMX_CTRL0_FORCED \
         : (field) == VMCS_SECONDARY ? ~(word_t)(value)&VMX_CTRL1_FORCED \
         : (field) == VMCS_ENTRY     ? ~(word_t)(value)&VMX_ENTRY        \
         : (field) == VMCS_GUEST_CR0 ? ~(word_t)(value)&VMX_CR0_SET      \
         : (field) == VMCS_GUEST_CR4 ? ~(word_t)(value)&VMX_CR4_SET      \
                                     : 0)

static uint64_t vmcs_read64(unsigned field)
{
        (void)field;
        return any_u64();
}

static void vmcs_write64(unsigned field, uint64_t value)
{
        const uint64_t efer = value & ~(uint64_t)GUEST_EFER_WRITABLE;

        write_field(field, (word_t)value, 0);
        if (field == VMCS_GUEST_EFER) {
                /*@ assert efer: efer == 0; */
        }
        (void)efer;
}

#include "virt/exit.c"
#include "virt/state.c"
#include "virt/vmx/vmx_exit.c"
#include "virt/vmx/vmx_state.c"

#include "../virt.h"

static const struct vcpu_ops ops = {
        .memory_event = NOVA_VMX_EPT_VIOLATION,
        .efer_writable = GUEST_EFER_WRITABLE,
        .read = vmx_read,
        .write = vmx_write,
        .read_segment = vmx_read_segment,
        .write_segment = vmx_write_segment,
        .read_msrs = vmx_read_msrs,
        .write_msrs = vmx_write_msrs,
        .exception_vector = vmx_exception_vector,
        .next_ip = vmx_next_ip,
        .deliver_again = vmx_deliver_again,
        .reflect_exception = vmx_reflect_exception,
        .raise = vmx_raise,
        .raise_step = vmx_raise_step,
        .end_shadow = vmx_end_shadow,
        .grant_debug_registers = vmx_grant_debug_registers,
};
const struct vcpu_ops *vcpu_ops = &ops;
struct vmx_offer vmx_offer;

static struct vcpu vcpu;
static struct ec self;
static struct nova_utcb utcb;

/* Requires that the registers that the kernel loads cannot fault. */
static void check_entry(void)
{
        const word_t cr8 = vcpu.vmx.cr8;

        /*@ assert cr8: cr8 <= 15; */
        (void)cr8;
}

void vmx_load(const struct ec *ec)
{
        (void)ec;
}

static void begin(void)
{
        any_vcpu(&self, &vcpu);
        Frama_C_make_unknown((char *)&utcb, sizeof(utcb));
        Frama_C_make_unknown((char *)&vmx_offer, sizeof(vmx_offer));
        vmx_offer.large_code = any_bool();
        vcpu.vmx.known = any_bool();
        vcpu.vmx.launched = any_bool();
        vcpu.vmx.cr8_window = any_bool();
        vcpu.vmx.cr8 = any_word() & 15;
}

/* Returns true if the CPU accepts an event (SDM 3C, 26.2.1.3): interrupts and software interrupts,
 * NMIs with vector 2, exceptions with other vectors below 32, INT1 with vector 1, INT3 and INTO
 * with their vectors. */
static bool is_accepted(unsigned type, unsigned vector)
{
        return type == 0 || type == 4 || (type == 2 && vector == 2) ||
               (type == 3 && vector < 32 && vector != 2) || (type == 5 && vector == 1) ||
               (type == 6 && (vector == 3 || vector == 4));
}

/* Takes a message that injects an event with this type and vector. */
static void take_event(unsigned type, unsigned vector)
{
        begin();
        utcb.state.inj_info &= ~(uint32_t)(NOVA_INJ_TYPE | NOVA_INJ_VECTOR);
        utcb.state.inj_info |= NOVA_INJ_VALID | type << 8 | vector;
        vmx_controls_from_utcb(&self, &utcb.state, NOVA_MTD_INJ);
        if (is_accepted(type, vector)) {
                /*@ assert accepted: vcpu.refused == 0; */
        } else {
                /*@ assert refused: injected == 0 && vcpu.refused == 1; */
        }
}

int main(void)
{
        begin();
        vmx_from_utcb(&self, &utcb, any_word());
        check_entry();
        vmx_to_utcb(&self, &utcb, any_word());
        /*@ loop unroll 8; */
        for (unsigned type = 0; type < 8; type++) {
                take_event(type, 1);
                take_event(type, 2);
                take_event(type, 4);
                take_event(type, 31);
                take_event(type, 32);
                take_event(type, UINT8_MAX);
        }
        begin();
        if (any_bool())
                finish_vmx_exit(&self);
        if (any_bool())
                finish_vmx_refusal(&self);
        return 0;
}
