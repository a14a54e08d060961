/* SPDX-License-Identifier: BSD-2-Clause */
/* A 64-bit guest that writes its task priority by CR8, by the local APIC's register and by MSR
 * 0x40000072, and reads it by all three, while the handler of a timer's interrupts does the same.
 */
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT  0x1000
#define GDT_AT    0x2000
#define IDT_AT    0x3000
#define STATE_AT  0x7000
#define TABLES_AT 0x10000 /* four tables, which map 2 MiB at 0 and at the local APIC */

#define PRESENT 3u
#define PAGE_2M 0x83u
#define APIC_AT (NOVA_LAPIC_AT & ~(uint64_t)0x1fffff)

#define CHECKS (10 * 3 * 0xf0) /* rounds, ways to write, values */
#define HELD   6               /* steps at the end of the guest's code */

/* Results of the guest, at STATE_AT. */
struct state {
        uint32_t wrong, checks; /* numbers of wrong values, and of all values that it read */
        uint32_t ticks, late;   /* interrupts of the timer, and those that found a wrong value */
        uint32_t count;         /* interrupts that were held back */
        uint32_t held[HELD];    /* the count after each of these steps */
};

#define WRITE(msr, low)  "movl $" #msr ", %ecx\nmovl $" #low ", %eax\nxorl %edx, %edx\nwrmsr\n"
#define BY_MSR(value)    WRITE(0x40000072, value)
#define BY_MEMORY(value) "movl $" #value ", 0x80(%rdi)\n"
#define BY_CR8(value)    "movl $" #value ", %eax\nmovq %rax, %cr8\n"
#define SEND             "movl $0x40051, 0x300(%rdi)\n"
#define FOR_A_WHILE      "movl $100000, %ecx\n0: decl %ecx\njnz 0b\nxorl %eax, %eax\ncpuid\n"
#define NOTE             FOR_A_WHILE "movl 0x7010, %eax\nmovl %eax, (%rsi)\naddl $4, %esi\n"

/* clang-format off */
GUEST_CODE(guest, 64,
           "movl $0x9000, %esp\nmovl $0xfee00000, %edi\nmovl $0x1ff, 0xf0(%rdi)\n"
           WRITE(0x40000000, 1)
           /* A periodic direct timer: vector 0xf1, each 2 ms. */
           WRITE(0x400000b0, 0x1f1a) WRITE(0x400000b1, 20000)
           "sti\nmovl $10, %r12d\n"
           "1: xorl %ebx, %ebx\n"
           "2: movl $0x40000072, %ecx\nmovl %ebx, %eax\nxorl %edx, %edx\nwrmsr\ncall check\n"
           "movl %ebx, 0x80(%rdi)\ncall check\n"
           /* CR8 is the upper half of the register. A write of CR8 that changes the upper half
            * clears the lower half. */
           "movl %ebx, %ebp\nandl $0xf0, %ebx\nxorl $0x10, %ebx\ncmpl $0xf0, %ebx\njb 3f\n"
           "andl $0x70, %ebx\n3: movl %ebx, %eax\nshrl $4, %eax\nmovq %rax, %cr8\ncall check\n"
           "movl %ebp, %ebx\nincl %ebx\ncmpl $0xf0, %ebx\njb 2b\ndecl %r12d\njnz 1b\n"
           WRITE(0x400000b1, 0) "movl $0x7014, %esi\n"
           /* Each way holds an interrupt back, and another way then lets it through. */
           BY_MSR(0xf0) SEND NOTE BY_CR8(4) NOTE
           BY_CR8(15) SEND BY_MSR(0x50) NOTE BY_MEMORY(0x40) NOTE
           BY_MEMORY(0xf0) SEND BY_CR8(5) NOTE BY_MSR(0x40) NOTE
           "cli\nhlt\n"
           "check: incl 0x7004\nmovl 0x80(%rdi), %eax\ncmpl %ebx, %eax\njne 4f\n"
           "movl $0x40000072, %ecx\nrdmsr\ncmpl %ebx, %eax\njne 4f\n"
           "movq %cr8, %rax\nmovl %ebx, %edx\nshrl $4, %edx\ncmpl %edx, %eax\njne 4f\nret\n"
           "4: incl 0x7000\nret\n"
           /* Writes by each way, and restores the whole value. */
           "on_timer: pushq %rax\npushq %rcx\npushq %rdx\nmovl 0x80(%rdi), %eax\npushq %rax\n"
           BY_MSR(0xf5) "cmpl $0xf5, 0x80(%rdi)\njne 5f\nmovq %cr8, %rax\ncmpl $15, %eax\njne 5f\n"
           BY_CR8(14) "cmpl $0xe0, 0x80(%rdi)\njne 5f\njmp 6f\n5: incl 0x700c\n"
           "6: popq %rax\nmovl $0x40000072, %ecx\nxorl %edx, %edx\nwrmsr\nincl 0x7008\n"
           WRITE(0x40000070, 0) "popq %rdx\npopq %rcx\npopq %rax\niretq\n"
           "on_held: incl 0x7010\nmovl $0, 0xb0(%rdi)\niretq\n");
/* clang-format on */

extern const char on_timer[], on_held[];

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static void poke(uint64_t at, uint64_t value)
{
        nova_guest_write(&vm.memory, at, &value, sizeof(value));
}

static void set_gate(unsigned vector, const char *handler)
{
        poke(IDT_AT + 16 * vector,
             (GUEST_AT + (uint64_t)(handler - guest)) | (uint64_t)8 << 16 | (uint64_t)0x8e00 << 32);
}

static void load(void)
{
        struct nova_utcb_event *const start = &vm.vcpu[0].start;

        nova_guest_write(&vm.memory, GUEST_AT, guest, GUEST_BYTES(guest));
        poke(GDT_AT + 8, 0x00af9b000000ffff);
        poke(GDT_AT + 16, 0x00cf93000000ffff);
        set_gate(0x51, on_held);
        set_gate(0xf1, on_timer);
        poke(TABLES_AT, (TABLES_AT + 0x1000) | PRESENT);
        poke(TABLES_AT + 0x1000, (TABLES_AT + 0x2000) | PRESENT);
        poke(TABLES_AT + 0x1000 + 8 * (APIC_AT >> 30), (TABLES_AT + 0x3000) | PRESENT);
        poke(TABLES_AT + 0x2000, PAGE_2M);
        poke(TABLES_AT + 0x3000 + 8 * (APIC_AT >> 21 & 511), APIC_AT | PAGE_2M);
        nova_registers_long(start, GUEST_AT, TABLES_AT, 8, 16);
        start->state.gdtr.base = GDT_AT;
        start->state.idtr.base = IDT_AT;
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "priority", .memory = 2u << 20, .local_apic = true};
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL |
                                                                 NOVA_HV_PRIVILEGE_APIC_REGISTERS |
                                                                 NOVA_HV_PRIVILEGE_TIMERS,
                                                   .direct_timers = true};
        static const uint32_t held[HELD] = {0, 1, 1, 2, 2, 3};
        struct state state;
        enum nova_vm_end end;
        bool good;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        load();
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        good = end == NOVA_VM_HALTED && state.checks == CHECKS && !state.wrong && !state.late &&
               state.ticks > 10;
        for (unsigned i = 0; i < HELD; i++) {
                if (state.held[i] != held[i])
                        printf("step %u: %u interrupts\n", i, (unsigned)state.held[i]);
                good &= state.held[i] == held[i];
        }
        printf("%u checks, %u wrong, %u of %u ticks wrong: %s, it %s\n", (unsigned)state.checks,
               (unsigned)state.wrong, (unsigned)state.late, (unsigned)state.ticks,
               good ? "one register" : "not one register", nova_vm_end_text(end));
        return !good;
}
