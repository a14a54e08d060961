/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU that a secure guest sees. CPUID reports memory encryption with a bit of guest-physical
 * addresses, as AMD CPUs do, so that an unmodified Linux uses both views of its memory. */
#include "novavmm/cpuid.h"

#include "vm.h"

#define LEAF_EXTENDED   0x80000000u
#define LEAF_SIZES      0x80000008u
#define LEAF_ENCRYPTION 0x8000001fu
#define ENCRYPTED_VM    2u /* EAX: memory of VMs is encrypted */
#define REDUCTION_SHIFT 6  /* EBX: how many bits shorter addresses are than LEAF_SIZES says */

#define MSR_SEV_STATUS 0xc0010131u
#define SEV_ENABLED    1u

/* Guest-physical addresses are addresses of a protection domain, which have 47 bits. */
#define BIT_MAX 46u

uint64_t cpu_bit(void)
{
        const unsigned bits = nova_cpuid_host(LEAF_SIZES, 0).eax & 0xff;

        return UINT64_C(1) << (bits - 1 < BIT_MAX ? bits - 1 : BIT_MAX);
}

void cpu_cpuid(struct nova_vcpu *vcpu, nova_vcpu_handler *usual)
{
        const uint32_t bit = (uint32_t)__builtin_ctzll(vm_of(vcpu)->bit);
        const uint32_t leaf = (uint32_t)vcpu->state->ax;
        struct nova_utcb_state *const state = vcpu->state;

        usual(vcpu);
        if (leaf == LEAF_EXTENDED) {
                state->ax = LEAF_ENCRYPTION;
        } else if (leaf == LEAF_SIZES) {
                state->ax = (state->ax & 0xff00) | (bit + 1);
        } else if (leaf == LEAF_ENCRYPTION) {
                state->ax = ENCRYPTED_VM;
                state->bx = bit | 1u << REDUCTION_SHIFT;
        }
}

bool cpu_rdmsr(struct nova_vcpu *vcpu)
{
        if ((uint32_t)vcpu->state->cx != MSR_SEV_STATUS)
                return false;
        vcpu->state->ax = SEV_ENABLED;
        vcpu->state->dx = 0;
        vcpu->changed |= NOVA_MTD_ACDB;
        nova_vcpu_skip(vcpu, 2);
        return true;
}
