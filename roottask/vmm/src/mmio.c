/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses to devices in memory: the instruction is fetched, decoded and done in the guest's place.
 */
#include "novavmm/decode.h"
#include "novavmm/registers.h"
#include "vm.h"

#define AR_LONG 0x200u
#define AR_BIG  0x400u

static unsigned bits_of(const struct nova_vcpu *vcpu)
{
        const uint16_t rights = vcpu->state->cs.ar;

        if (vcpu->more->efer & NOVA_EFER_LMA && rights & AR_LONG)
                return 64;
        return rights & AR_BIG ? 32 : 16;
}

static size_t fetch(const struct nova_vcpu *vcpu, uint8_t *code)
{
        const struct nova_utcb_state *const state = vcpu->state;
        const struct nova_paging paging = {state->cr0, state->cr3, state->cr4, vcpu->more->efer};
        uint64_t linear = state->ip;

        if (bits_of(vcpu) != 64)
                linear = (uint32_t)(linear + state->cs.base);
        return nova_fetch(&vcpu->vm->memory, &paging, linear, code, NOVA_CODE_BYTES);
}

/* Does the instruction at a device's address. */
static void perform(struct nova_vcpu *vcpu, const struct nova_instruction *in, uint64_t address)
{
        struct nova_utcb_state *const state = vcpu->state;
        const struct nova_bus *const bus = &vcpu->vm->mmio;
        const bool stores = in->operation == NOVA_OP_STORE;
        const uint64_t memory = stores ? 0 : nova_bus_get(bus, address, in->bytes);
        const uint64_t operand = nova_operand_get(state, in);
        uint64_t result = operand;

        if (in->operation == NOVA_OP_LOAD) {
                vcpu->changed |= nova_operand_set(state, in, memory);
                return;
        }
        if (in->operation == NOVA_OP_EXCHANGE) {
                vcpu->changed |= nova_operand_set(state, in, memory);
        } else if (!stores) {
                result = in->to_register ? nova_compute(in->operation, in->bytes, operand, memory,
                                                        &state->flags)
                                         : nova_compute(in->operation, in->bytes, memory, operand,
                                                        &state->flags);
                vcpu->changed |= NOVA_MTD_EFL;
        }
        if (in->operation == NOVA_OP_CMP || in->operation == NOVA_OP_TEST)
                return;
        if (in->to_register)
                vcpu->changed |= nova_operand_set(state, in, result);
        else
                nova_bus_put(bus, address, in->bytes, result);
}

void mmio_access(struct nova_vcpu *vcpu, uint64_t address)
{
        struct nova_instruction in;
        uint8_t code[NOVA_CODE_BYTES];
        const size_t count = fetch(vcpu, code);

        if (vcpu->state->inj_info & INJECT_VALID) {
                nova_vcpu_fail(vcpu,
                               "an exception whose delivery needs memory at 0x%llx, where "
                               "there is none",
                               (unsigned long long)address);
                return;
        }
        if (!count) {
                nova_vcpu_fail(vcpu, "it jumped to where there is no memory: 0x%llx",
                               (unsigned long long)address);
                return;
        }
        if (!nova_decode(code, count, bits_of(vcpu), &in)) {
                nova_vcpu_fail(vcpu,
                               "an access to 0x%llx by an instruction that nothing here can do: "
                               "%02x %02x %02x %02x",
                               (unsigned long long)address, code[0], count > 1 ? code[1] : 0,
                               count > 2 ? code[2] : 0, count > 3 ? code[3] : 0);
                return;
        }
        perform(vcpu, &in, address);
        vcpu->state->inst_len = in.length;
        nova_vcpu_skip(vcpu, in.length);
}
