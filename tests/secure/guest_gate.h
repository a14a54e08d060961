/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptor tables of the guest of the ultravisor's tests. */
#ifndef NOVA_TESTS_SECURE_GUEST_GATE_H
#define NOVA_TESTS_SECURE_GUEST_GATE_H

#include <stdint.h>

#define GUEST_CODE 0x10 /* selector of the kernel's code segment */

/* Operand of LGDT and LIDT. */
struct __attribute__((packed)) operand {
        uint16_t limit;
        uint64_t base;
};

/* Writes the interrupt gate of a vector, which leads to a handler of the kernel. */
static inline void guest_set_gate(volatile uint64_t *idt, unsigned vector, void (*handler)(void))
{
        const uint64_t at = (uintptr_t)handler, kind = 0x8e00;

        idt[2 * vector] = (at & 0xffff) | GUEST_CODE << 16 | kind << 32 | (at >> 16 & 0xffff) << 48;
        idt[2 * vector + 1] = at >> 32;
}

#endif
