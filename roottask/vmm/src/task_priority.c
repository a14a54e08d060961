/* SPDX-License-Identifier: BSD-2-Clause */
/* CR8 and the task priority of a local APIC, which are one register (SDM 3A, 11.8.6). The CPU holds
 * the value while the guest runs; the APIC holds it while an exit is being handled. */
#include "novavmm/decode.h"
#include "novavmm/lapic.h"
#include "novavmm/registers.h"
#include "vm.h"

#define VECTOR_GP 13

#define CR8_BITS 0xf

void novavmm_vcpu_take_priority(struct nova_vcpu *vcpu)
{
        if (vcpu->lapic)
                nova_lapic_set_cr8(vcpu->lapic, (unsigned)*nova_registers_cr8(vcpu->state));
}

/* Copies the APIC's value to CR8, unless a handler or the initial state has set CR8. */
void novavmm_vcpu_give_priority(struct nova_vcpu *vcpu)
{
        if (vcpu->changed & NOVA_MTD_CR8) {
                novavmm_vcpu_take_priority(vcpu);
        } else if (vcpu->lapic && *nova_registers_cr8(vcpu->state) != nova_lapic_cr8(vcpu->lapic)) {
                *nova_registers_cr8(vcpu->state) = nova_lapic_cr8(vcpu->lapic);
                vcpu->changed |= NOVA_MTD_CR8;
        }
}

void novavmm_vcpu_write_cr8(struct nova_vcpu *vcpu)
{
        const struct nova_access access = novavmm_vcpu_access(vcpu);
        uint8_t code[NOVA_CODE_BYTES] = {0};
        const size_t count = nova_access_fetch(&access, code);
        struct nova_instruction in;

        if (!nova_registers_cr8(vcpu->state) ||
            !nova_decode_cr8_write(code, count, nova_access_bits(&access), &in)) {
                nova_vcpu_fail(vcpu,
                               "a write to a control register by code that was changed meanwhile");
                return;
        }

        const uint64_t value = nova_operand_get(vcpu->state, &in);

        if (value & ~(uint64_t)CR8_BITS) {
                nova_vcpu_raise_error(vcpu, VECTOR_GP, 0);
                return;
        }
        if (vcpu->lapic) /* a write clears the lower half, even if the upper one stays the same */
                vcpu->lapic->task_priority = (uint8_t)(value << 4);
        *nova_registers_cr8(vcpu->state) = (nova_word_t)value;
        vcpu->changed |= NOVA_MTD_CR8;
        vcpu->state->inst_len = in.length;
        nova_vcpu_skip(vcpu, in.length);
}
