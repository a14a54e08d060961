/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes interrupts, sets the task priority, and changes CR3. */
#include "guest_interrupt.h"

#include "guest_gate.h"
#include "probe.h"

#ifdef __x86_64__

#define ADDRESS_BITS 0x0000007ffffff000ull /* without the encryption bit, which is bit 39 */
#define VECTORS      (PROBE_VECTOR_HIGH + 1)

static uint64_t idt[2 * VECTORS];

/* Written by the handlers. */
volatile uint32_t guest_interrupt_low, guest_interrupt_high;

void guest_interrupt_take_low(void);
void guest_interrupt_take_high(void);

__asm__(".pushsection .text\n"
        "guest_interrupt_take_low: incl guest_interrupt_low(%rip)\niretq\n"
        "guest_interrupt_take_high: incl guest_interrupt_high(%rip)\niretq\n"
        ".popsection\n");

uint32_t guest_interrupt_count(unsigned vector)
{
        const struct operand idtr = {sizeof(idt) - 1, (uintptr_t)idt};

        if (!idt[2 * PROBE_VECTOR_LOW]) {
                guest_set_gate(idt, PROBE_VECTOR_LOW, guest_interrupt_take_low);
                guest_set_gate(idt, PROBE_VECTOR_HIGH, guest_interrupt_take_high);
                __asm__ volatile("lidt %0" : : "m"(idtr));
        }
        return vector == PROBE_VECTOR_LOW ? guest_interrupt_low : guest_interrupt_high;
}

void guest_interrupt_priority(unsigned long priority)
{
        __asm__ volatile("mov %0, %%cr8" : : "r"(priority) : "memory");
}

void guest_plain_out(unsigned port, unsigned long value)
{
        static uint64_t root[512] __attribute__((aligned(4096))); /* above 1 MiB, where pages have
                                                                   * two views */
        const uint32_t word = (uint32_t)value;
        const void *from = &word;
        uint64_t cr3;

        __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
        root[0] = *(const uint64_t *)(uintptr_t)(cr3 & ADDRESS_BITS);
        __asm__ volatile("mov %1, %%cr3\noutsl\nmov %2, %%cr3"
                         : "+S"(from)
                         : "r"((uintptr_t)root), "r"(cr3), "d"(port)
                         : "memory");
}

#else

/* Is never called: secure guests need the x86-64 kernel. */
uint32_t guest_interrupt_count(unsigned vector)
{
        return vector;
}

void guest_interrupt_priority(unsigned long priority)
{
        (void)priority;
}

void guest_plain_out(unsigned port, unsigned long value)
{
        (void)port;
        (void)value;
}

#endif
