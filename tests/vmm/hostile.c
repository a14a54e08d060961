/* SPDX-License-Identifier: BSD-2-Clause */
/* Four virtual CPUs that make random hypercalls and access random registers of the interface, while
 * they move all its pages over each other. The argument is the number of calls that each
 * virtual CPU makes. */
#include <stdlib.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT   0x1000
#define FAULT_AT   0x2800
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define READY_AT   0x7010
#define TIMES_AT   0x7020
#define BLOCKS_AT  0x7100
#define STARTER_AT 0x12000
#define COMMON_AT  0x13000
#define VCPUS      4
#define VECTOR_GP  13

/* Counts of a virtual CPU's actions, at BLOCKS_AT. */
struct block {
        uint32_t seed;
        uint32_t calls;
        uint32_t good;   /* calls with status 0 */
        uint32_t faults; /* #GP */
};

GUEST_CODE(guest, 32,
           "movl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\nmovl $1, 0x7010\n"
           "movl $0x13000, %eax\njmp *%eax\n");

GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\nlidtl 0x3028\n"
           "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

/* Skips RDMSR or WRMSR. */
GUEST_CODE(fault, 32, "addl $4, %esp\naddl $2, (%esp)\nincl 12(%ebp)\niretl\n");

/* The next random number, in EAX. */
#define RANDOM                                                                      \
        "imull $1664525, (%ebp), %eax\naddl $1013904223, %eax\nmovl %eax, (%ebp)\n" \
        "roll $13, %eax\n"

/* Half of the calls have a code and a list that exist, and an input in RAM. Output goes to the
 * second MiB or outside of RAM, and pages cover the second MiB, so the guest keeps its code. After
 * each call the guest reads or writes one register; half of the register numbers have only bits
 * that occur in most existing numbers. Registers that reset, interrupt or stop a virtual CPU, or
 * disable the interface, are left out. */
GUEST_CODE(common, 32,
           "movl $16, %eax\nmovl %eax, %ds\nmovl %eax, %es\nmovl %eax, %ss\n"
           "movl $0x40000002, %ecx\nrdmsr\nmovl %eax, %ebp\nshll $12, %eax\n"
           "leal 0x18000(%eax), %esp\nshll $4, %ebp\naddl $0x7100, %ebp\n"
           "1:" RANDOM "movl %eax, %edx\n" RANDOM "movl %eax, %ecx\n" RANDOM
           "movl %eax, %esi\n" RANDOM "movl %eax, %ebx\n"
           "xorl %edi, %edi\ntestl $4, %ebx\njz 2f\nmovl %ebx, %edi\n2:andl $0xffff8, %esi\n"
           "orl $0x100000, %esi\n" RANDOM "testl $1, %ebx\njz 3f\nandl $0x1007f, %eax\n"
           "andl $0x30003, %edx\ntestl $8, %ebx\njz 3f\nxorl %edx, %edx\n3:testl $2, %ebx\njz "
           "4f\nandl $0x1ffff8, %ecx\nxorl %ebx, %ebx\n"
           "4:pushl %ebp\nmovl $0x10000, %ebp\ncall *%ebp\npopl %ebp\nincl 4(%ebp)\n"
           "testw %ax, %ax\njnz 5f\nincl 8(%ebp)\n"
           "5:" RANDOM "movl %eax, %ecx\nandl $0x1ff, %ecx\ntestl $0x200, %eax\njz 6f\n"
           "andl $0xb7, %ecx\n6:cmpl $3, %ecx\nje 8f\n"
           "cmpl $1, %ecx\njbe 8f\ncmpl $0x71, %ecx\nje 8f\ncmpl $0xf0, %ecx\nje 8f\n"
           "orl $0x40000000, %ecx\n" RANDOM "testl $0x80000, %eax\njnz 7f\nrdmsr\njmp 8f\n"
           "7:movl %eax, %edx\nshrl $31, %edx\nandl $0x7ffff, %eax\norl $0x100000, %eax\nwrmsr\n"
           "8:movl 4(%ebp), %eax\ncmpl 0x7020, %eax\njb 1b\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static void load(uint32_t times)
{
        for (uint32_t i = 0; i < VCPUS; i++) {
                const struct block block = {.seed = 19 + i};

                nova_guest_write(&vm.memory, BLOCKS_AT + i * sizeof(block), &block, sizeof(block));
        }
        nova_guest_write(&vm.memory, TIMES_AT, &times, sizeof(times));
        machine_add_handler(&vm, IDT_AT, VECTOR_GP, FAULT_AT, fault, GUEST_BYTES(fault));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, COMMON_AT, common, GUEST_BYTES(common));
        machine_begin(&vm, GUEST_AT, guest, GUEST_BYTES(guest));
        machine_set_tables(&vm, GDT_AT, IDT_AT, VECTOR_GP);
        machine_write_operands(&vm, GDT_AT + 0x20);
}

static void crashed(void *context, unsigned vcpu, const struct nova_hv_crash *crash)
{
        unsigned *const crashes = context;

        (void)vcpu;
        (void)crash;
        ++*crashes;
}

int main(int argc, char **argv)
{
        static const struct nova_hv_port message = {.connection = 1, .vcpu = 1, .sint = 2};
        static const struct nova_hv_port event = {
                .connection = 2, .events = true, .vcpu = 2, .sint = 3, .flags = NOVA_HV_FLAGS};
        const struct nova_vm_config config = {
                .name = "hostile", .memory = 2u << 20, .vcpus = VCPUS, .local_apic = true};
        unsigned crashes = 0;
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_ALL,
                                                   .hints = NOVA_HV_HINTS_ALL,
                                                   .direct_timers = true,
                                                   .crashed = crashed,
                                                   .crash_context = &crashes};
        const uint32_t times = argc == 2 ? (uint32_t)atoi(argv[1]) : 0;
        struct block block, sum = {0};
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened) ||
            nova_hv_connect(&hv, &message) || nova_hv_connect(&hv, &event))
                return 1;
        load(times);
        nova_vm_run(&vm);
        machine_start_others(&vm, READY_AT, STARTER_AT);
        end = nova_vm_wait(&vm);
        for (unsigned i = 0; i < VCPUS; i++) {
                nova_guest_read(&vm.memory, BLOCKS_AT + i * sizeof(block), &block, sizeof(block));
                sum.calls += block.calls;
                sum.good += block.good;
                sum.faults += block.faults;
        }
        nova_vm_destroy(&vm);
        printf("%u calls, %u good ones, %u faults: the guest %s\n", (unsigned)sum.calls,
               (unsigned)sum.good, (unsigned)sum.faults, nova_vm_end_text(end));
        return sum.calls != VCPUS * times || end != NOVA_VM_HALTED;
}
