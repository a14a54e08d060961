/* SPDX-License-Identifier: BSD-2-Clause */
/* A 64-bit guest that holds interrupts back by its task priority, which is both CR8 and a register
 * of the local APIC, and lowers it by either. */
#include <stdio.h>

#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT  0x1000
#define GDT_AT    0x2000
#define IDT_AT    0x3000
#define COUNT_AT  0x5000  /* number of interrupts */
#define LIST_AT   0x5010  /* return address and vector of each interrupt */
#define SEEN_AT   0x6000  /* the values that the guest recorded, in order */
#define TABLES_AT 0x10000 /* four tables, which map 2 MiB at 0 and at the local APIC */

#define PRESENT 3u
#define PAGE_2M 0x83u
#define APIC_AT (NOVA_LAPIC_AT & ~(uint64_t)0x1fffff)

/* RDI points to the local APIC, RSI to the place of the next record. CPUID exits. */
#define NOTE         "movl %eax, (%rsi)\n addq $4, %rsi\n"
#define NOTE_COUNT   "movl 0x5000, %eax\n" NOTE
#define NOTE_TPR     "movl 0x80(%rdi), %eax\n" NOTE
#define NOTE_CR8     "movq %cr8, %rax\n" NOTE
#define SET_TPR(n)   "movl $" #n ", 0x80(%rdi)\n"
#define SET_CR8(n)   "movl $" #n ", %eax\n movq %rax, %cr8\n"
#define SEND(vector) "movl $0x40000 + " #vector ", 0x300(%rdi)\n"
#define FOR_A_WHILE  "movl $100000, %ecx\n 0: decl %ecx\n jnz 0b\n xorl %eax, %eax\n cpuid\n"
#define HANDLER(name, vector)                                                         \
#name ": pushq %rax\n pushq %rbx\n movl 0x5000, %eax\n movl 16(%rsp), %ebx\n" \
              "movl %ebx, 0x5010(, %rax, 8)\n movl $" #vector ", 0x5014(, %rax, 8)\n" \
              "incl 0x5000\n movl $0, 0xb0(%rdi)\n popq %rbx\n popq %rax\n iretq\n"

/* clang-format off */
GUEST_CODE(holder, 64,
           "movl $0x9000, %esp\n movl $0xfee00000, %edi\n movl $0x6000, %esi\n"
           "movl $0x1ff, 0xf0(%rdi)\n sti\n"
           /* The register shows CR8, and CR8 holds back its own class. */
           SET_CR8(15) NOTE_TPR SEND(0x51) FOR_A_WHILE NOTE_COUNT
           SET_CR8(5) FOR_A_WHILE NOTE_TPR NOTE_COUNT
           SET_CR8(4) "by_cr8: nop\n" NOTE_COUNT
           /* CR8 shows the register. */
           SET_TPR(0xf0) NOTE_CR8 SEND(0x51) FOR_A_WHILE NOTE_COUNT
           SET_TPR(0x50) NOTE_CR8 FOR_A_WHILE NOTE_COUNT
           SET_TPR(0x40) "by_register: nop\n" NOTE_COUNT
           /* Two pending interrupts arrive in order of priority. */
           SET_CR8(15) SEND(0x51) SEND(0x71) FOR_A_WHILE
           SET_CR8(6) "high: nop\n" FOR_A_WHILE NOTE_COUNT
           SET_CR8(0) "low: nop\n" NOTE_COUNT
           /* An interrupt arrives while CR8 is lower than at the last exit, and nothing else
            * exits. */
           "movl $0xb, 0x3e0(%rdi)\n movl $0x62, 0x320(%rdi)\n"
           SET_CR8(15) "movl $2000000, 0x380(%rdi)\n" SET_CR8(0)
           "1: cmpl $5, 0x5000\n jne 1b\n"
           /* The guest must have both a lower priority and interrupts enabled. */
           SET_CR8(15) SEND(0x51) "cli\n" SET_CR8(0) FOR_A_WHILE NOTE_COUNT
           "sti\n nop\n after_sti: nop\n" NOTE_COUNT
           "cli\n hlt\n"
           HANDLER(on_low, 0x51) HANDLER(on_high, 0x71) HANDLER(on_timer, 0x62));
/* clang-format on */

extern const char by_cr8[], by_register[], high[], low[], after_sti[];
extern const char on_low[], on_high[], on_timer[];

static struct nova_vm vm;
static struct nova_pc pc;

static uint32_t peek(uint64_t at)
{
        uint32_t value = 0;

        nova_guest_read(&vm.memory, at, &value, sizeof(value));
        return value;
}

static void poke(uint64_t at, uint64_t value)
{
        nova_guest_write(&vm.memory, at, &value, sizeof(value));
}

static void set_gate(unsigned vector, const char *handler)
{
        poke(IDT_AT + 16 * vector, (GUEST_AT + (uint64_t)(handler - holder)) | (uint64_t)8 << 16 |
                                           (uint64_t)0x8e00 << 32);
}

/* Writes the structures that a 64-bit guest needs before its first instruction. */
static void prepare(void)
{
        struct nova_utcb_event *const start = &vm.vcpu[0].start;

        nova_guest_write(&vm.memory, GUEST_AT, holder, GUEST_BYTES(holder));
        poke(GDT_AT + 8, 0x00af9b000000ffff);
        poke(GDT_AT + 16, 0x00cf93000000ffff);
        set_gate(0x51, on_low);
        set_gate(0x71, on_high);
        set_gate(0x62, on_timer);
        poke(TABLES_AT, (TABLES_AT + 0x1000) | PRESENT);
        poke(TABLES_AT + 0x1000, (TABLES_AT + 0x2000) | PRESENT);
        poke(TABLES_AT + 0x1000 + 8 * (APIC_AT >> 30), (TABLES_AT + 0x3000) | PRESENT);
        poke(TABLES_AT + 0x2000, PAGE_2M);
        poke(TABLES_AT + 0x3000 + 8 * (APIC_AT >> 21 & 511), APIC_AT | PAGE_2M);
        nova_registers_long(start, GUEST_AT, TABLES_AT, 8, 16);
        start->state.gdtr.base = GDT_AT;
        start->state.idtr.base = IDT_AT;
}

static bool check(const char *what, unsigned number, uint32_t is, uint32_t expected)
{
        if (is != expected)
                printf("%s %u: 0x%x, not 0x%x\n", what, number, is, expected);
        return is == expected;
}

static bool check_seen(void)
{
        static const uint32_t seen[] = {0xf0, 0, 0x50, 0, 1, 15, 1, 5, 1, 2, 3, 4, 5, 6};
        bool good = true;

        for (unsigned i = 0; i < sizeof(seen) / sizeof(*seen); i++)
                good &= check("seen", i, peek(SEEN_AT + 4 * i), seen[i]);
        return good;
}

/* Checks that each interrupt came before the next instruction. The place of the timer's interrupt
 * depends on time. */
static bool check_interrupts(void)
{
        static const struct {
                const char *next;
                uint32_t vector;
        } interrupts[] = {{by_cr8, 0x51}, {by_register, 0x51}, {high, 0x71},
                          {low, 0x51},    {NULL, 0x62},        {after_sti, 0x51}};
        const unsigned count = sizeof(interrupts) / sizeof(*interrupts);
        bool good = check("interrupts", 0, peek(COUNT_AT), count);

        for (unsigned i = 0; i < count; i++) {
                const char *const next = interrupts[i].next;
                const uint64_t at = LIST_AT + 8 * i;

                good &= check("vector", i, peek(at + 4), interrupts[i].vector);
                if (next)
                        good &= check("place", i, peek(at), GUEST_AT + (uint32_t)(next - holder));
        }
        return good;
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "holder", .memory = 2u << 20, .local_apic = true};

        if (!machine_create(&vm, &config, &pc))
                return 1;
        prepare();
        if (nova_vm_run(&vm))
                return 1;

        const enum nova_vm_end end = nova_vm_wait(&vm);
        const bool seen = check_seen(), came = check_interrupts();
        const bool good = end == NOVA_VM_HALTED && seen && came;

        printf("task priority: %s, %llu exits\n", good ? "as on a CPU" : "wrong",
               (unsigned long long)vm.vcpu[0].exits);
        return !good;
}
