/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses that cross the boundary of two pages, and tables in shared pages. */
#include "guest_harm.h"

#include <stdbool.h>

#include "guest_gate.h"
#include "guest_view.h"
#include "probe.h"

#ifdef __x86_64__

#define PAIR         0xffc00000ull /* two pages in the second-to-last 2 MiB below 4 GiB */
#define PAGE         4096u
#define BIT          (1ull << 39)
#define ADDRESS_BITS 0x0000007ffffff000ull
#define ENTRY        0x03u
#define DATA         0x18
#define VECTOR_BP    3

static uint64_t table[512] __attribute__((aligned(4096)));

static void flush(void)
{
        __asm__ volatile("mov %%cr3, %%rax\nmov %%rax, %%cr3" : : : "rax", "memory");
}

/* Sets the page table of the two pages. */
static void set_table(uint64_t entry)
{
        uint64_t at;

        __asm__ volatile("mov %%cr3, %0" : "=r"(at));
        for (unsigned shift = 39; shift > 21; shift -= 9)
                at = ((uint64_t *)(uintptr_t)(at & ADDRESS_BITS))[PAIR >> shift & 511];
        ((volatile uint64_t *)(uintptr_t)(at & ADDRESS_BITS))[PAIR >> 21 & 511] = entry | ENTRY;
        flush();
}

/* Returns the entry of a page. Bit 0 of its address selects the normal view. */
static uint64_t entry_of(unsigned long page)
{
        return (page & ~1ul) | (page & 1 ? 0 : BIT) | ENTRY;
}

static uint32_t map(unsigned long first, unsigned long second)
{
        table[0] = entry_of(first);
        table[1] = entry_of(second);
        set_table((uintptr_t)table | BIT);
        return 0;
}

/* Moves the page table of the two pages to a shared page. */
static uint32_t move_table(unsigned long page)
{
        volatile uint64_t *const to = (volatile uint64_t *)(uintptr_t)page;

        to[0] = table[0];
        to[1] = table[1];
        set_table(page);
        return 0;
}

/* Returns the address of eight bytes that cross the boundary of the two pages. */
static volatile uint64_t *boundary(void)
{
        return (volatile uint64_t *)(uintptr_t)(PAIR + PAGE - 4);
}

/* Compares the eight bytes with the expected value and, if they are equal, writes this value there.
 * If the comparison fails, the instruction must return a value that differs from the expected one.
 * @return bits 0 to 15: number of comparisons that succeeded; bits 16 to 31: number of those that
 * failed; or PROBE_UNKNOWN */
static uint32_t exchange(unsigned long rounds, uint64_t expected)
{
        uint32_t outcomes = 0;

        for (unsigned long i = 0; i < rounds; i++) {
                uint64_t seen = expected;
                bool equal;

                __asm__ volatile("cmpxchgq %3, %1"
                                 : "+a"(seen), "+m"(*boundary()), "=@ccz"(equal)
                                 : "r"(expected)
                                 : "memory");
                if (seen >> 32 != expected >> 32 || equal != (seen == expected))
                        return PROBE_UNKNOWN;
                outcomes += equal ? 1 : 0x10000;
        }
        return outcomes;
}

/* Runs an instruction that crosses the boundary and reads a word. */
static uint32_t run(const volatile uint32_t *from)
{
        static const uint8_t code[] = {0x8b, 0x07, 0xc3}; /* movl (%rdi), %eax; ret */
        volatile uint8_t *const to = (volatile uint8_t *)(uintptr_t)(PAIR + PAGE - 1);
        uint32_t (*const function)(const volatile uint32_t *) =
                (uint32_t(*)(const volatile uint32_t *))(uintptr_t)to;

        for (unsigned i = 0; i < sizeof(code); i++)
                to[i] = code[i];
        return function(from);
}

/* Loads a GDT that is in a page, and CS and DS from it. @p write: writes its descriptors first */
static uint32_t load(unsigned long page, bool write)
{
        const struct operand gdtr = {4 * 8 - 1, page};
        volatile uint64_t *const gdt = (volatile uint64_t *)(uintptr_t)page;

        if (write) {
                gdt[GUEST_CODE / 8] = 0x00af9b000000ffff;
                gdt[DATA / 8] = 0x00cf93000000ffff;
        }
        __asm__ volatile("lgdt %0\nmovw %w1, %%ds\npushq %2\nlea 1f(%%rip), %%rax\npush %%rax\n"
                         "lretq\n1:"
                         :
                         : "m"(gdtr), "r"(DATA), "i"(GUEST_CODE)
                         : "rax", "memory");
        return 1;
}

/* Written by the handler of #BP. */
volatile uint32_t guest_harm_breaks;

void guest_harm_break(void);

__asm__(".pushsection .text\n"
        "guest_harm_break: incl guest_harm_breaks(%rip)\niretq\n"
        ".popsection\n");

/* Loads an IDT that is in a page. @p write: writes its gate for #BP first */
static uint32_t load_gates(unsigned long page, bool write)
{
        const struct operand idtr = {16 * (VECTOR_BP + 1) - 1, page};

        if (write)
                guest_set_gate((volatile uint64_t *)(uintptr_t)page, VECTOR_BP, guest_harm_break);
        __asm__ volatile("lidt %0" : : "m"(idtr));
        return 1;
}

static uint32_t take_break(void)
{
        __asm__ volatile("int3" : : : "memory");
        return guest_harm_breaks;
}

uint32_t guest_harm(uint32_t command, unsigned long first, unsigned long second)
{
        switch (command) {
        case PROBE_IDT:
                return load_gates(first, second);
        case PROBE_BREAK:
                return take_break();
        case PROBE_PAIR:
                return map(first, second);
        case PROBE_PAIR_TABLE:
                return move_table(first);
        case PROBE_PAIR_READ:
                return (uint32_t)(*boundary() >> (first ? 32 : 0));
        case PROBE_PAIR_EXCHANGE:
                return exchange(first, (uint64_t)second << 32);
        case PROBE_PAIR_CODE:
                return run(guest_view(first));
        default:
                return load(first, second);
        }
}

#else

/* Is never called: secure guests need the x86-64 kernel. */
uint32_t guest_harm(uint32_t command, unsigned long first, unsigned long second)
{
        return command + (uint32_t)(first + second);
}

#endif
