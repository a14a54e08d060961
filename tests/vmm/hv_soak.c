/* SPDX-License-Identifier: BSD-2-Clause */
/* Four virtual CPUs compare their clocks for a number of seconds, which is the argument. They read
 * reference time in turns from its page and from its MSR. No reading may be earlier than a time
 * that a virtual CPU has published before. Meanwhile they cause exits and flush each other. */
#include <stdlib.h>

#include "novart/time.h"
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define FIRST_AT   0x1000
#define GDT_AT     0x3000
#define STATE_AT   0x7000
#define READY_AT   0x7010
#define OVER_AT    0x7020
#define INPUT_AT   0x7100
#define COUNTS_AT  0x7200 /* readings of each virtual CPU */
#define STARTER_AT 0x12000
#define COMMON_AT  0x13000
#define TABLES_AT  0x30000
#define VCPUS      4

/* State of the guest, at STATE_AT. */
struct state {
        uint64_t last;  /* the latest time that was read */
        uint64_t moves; /* readings that were later than all before */
        uint64_t ready; /* the pages exist */
        uint64_t back;  /* readings that were earlier than a time published before */
};

#define WRITE(msr, low) "movl $" #msr ", %ecx\nmovl $" #low ", %eax\nxorl %edx, %edx\nwrmsr\n"

GUEST_CODE(first, 64,
           WRITE(0x40000000, 1) WRITE(0x40000001, 0x10001)
                   WRITE(0x40000021, 0x11001) "movl $1, 0x7010\nmovl $0x13000, %eax\njmp *%rax\n");

/* Goes from real mode to 64-bit mode. */
GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\nmovl $0x20, %eax\nmovl %eax, %cr4\n"
           "movl $0x30000, %eax\nmovl %eax, %cr3\nmovl $0xc0000080, %ecx\nrdmsr\n"
           "orl $0x100, %eax\nwrmsr\nmovl %cr0, %eax\norl $0x80000001, %eax\nmovl %eax, %cr0\n"
           "ljmpl $8, $0x13000\n");

/* R12 is the latest time published before the reading, and RDX is the reading. Of 64 readings, one
 * is followed by a call that flushes all virtual CPUs, and one by CPUID. */
GUEST_CODE(common, 64,
           "movl $0x40000002, %ecx\nrdmsr\nmovl %eax, %r14d\nshll $12, %eax\n"
           "leal 0x21000(%eax), %esp\nxorl %r15d, %r15d\nsti\n"
           "1:movq 0x7000, %r12\nlfence\ntestb $1, %r15b\njnz 3f\n"
           "2:movl 0x11000, %r8d\nrdtsc\nshlq $32, %rdx\norq %rdx, %rax\nmulq 0x11008\n"
           "addq 0x11010, %rdx\ncmpl 0x11000, %r8d\njne 2b\njmp 4f\n"
           "3:movl $0x40000020, %ecx\nrdmsr\nshlq $32, %rdx\norq %rax, %rdx\n"
           "4:cmpq %r12, %rdx\njae 5f\nlock incq 0x7018\n"
           "5:movq 0x7000, %rax\n6:cmpq %rax, %rdx\njbe 7f\nlock cmpxchgq %rdx, 0x7000\njne 6b\n"
           "lock incq 0x7008\n"
           "7:incq 0x7200(, %r14, 8)\nincq %r15\nmovl %r15d, %eax\nandl $63, %eax\n"
           "cmpl $1, %eax\njne 8f\nmovl $2, %ecx\nmovl $0x7100, %edx\nmovl $0x10000, %eax\n"
           "call *%rax\njmp 9f\n8:cmpl $2, %eax\njne 9f\ncpuid\n"
           "9:cmpl $0, 0x7020\nje 1b\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_hv hv;

static void load(void)
{
        static const uint64_t gdt[] = {0, 0xaf9b000000ffff, 0xcf93000000ffff, 0,
                                       23 | (uint64_t)GDT_AT << 16};
        static const uint64_t input[] = {0, 1, 0}; /* flag 1: all virtual processors */
        static const uint64_t tables[] = {(TABLES_AT + 0x1000) | 3, (TABLES_AT + 0x2000) | 3, 0x83};

        for (unsigned i = 0; i < 3; i++)
                nova_guest_write(&vm.memory, TABLES_AT + 0x1000 * i, &tables[i], sizeof(*tables));
        nova_guest_write(&vm.memory, GDT_AT, gdt, sizeof(gdt));
        nova_guest_write(&vm.memory, INPUT_AT, input, sizeof(input));
        nova_guest_write(&vm.memory, FIRST_AT, first, GUEST_BYTES(first));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, COMMON_AT, common, GUEST_BYTES(common));
        nova_registers_long(&vm.vcpu[0].start, FIRST_AT, TABLES_AT, 8, 16);
        vm.vcpu[0].start.state.gdtr.base = GDT_AT;
        vm.vcpu[0].start.state.gdtr.limit = 23;
}

int main(int argc, char **argv)
{
        static const struct nova_vm_config config = {
                .name = "soak", .memory = 2u << 20, .vcpus = VCPUS, .local_apic = true};
        static const struct nova_hv_config enlightened = {
                .privileges = NOVA_HV_PRIVILEGES_USUAL | NOVA_HV_PRIVILEGE_REFERENCE_TSC};
        const uint64_t seconds = argc == 2 ? (uint64_t)atoi(argv[1]) : 1;
        unsigned long long readings = 0;
        const uint32_t over = 1;
        uint64_t counts[VCPUS];
        struct state state;
        enum nova_vm_end end;
        unsigned active = 0;

        if (!machine_create(&vm, &config, NULL) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        load();
        nova_vm_run(&vm);
        machine_start_others(&vm, READY_AT, STARTER_AT);
        nova_sleep(seconds * 1000000000);
        nova_guest_write(&vm.memory, OVER_AT, &over, sizeof(over));
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        nova_guest_read(&vm.memory, COUNTS_AT, counts, sizeof(counts));
        nova_vm_destroy(&vm);
        for (unsigned i = 0; i < VCPUS; i++) {
                active += counts[i] > 100;
                readings += counts[i];
        }
        printf("%u of %u clocks, %llu readings, %llu went back, %u calls: the guest %s\n", active,
               VCPUS, readings, (unsigned long long)state.back, (unsigned)hv.flush_calls,
               nova_vm_end_text(end));
        return active != VCPUS || state.back || !state.moves || end != NOVA_VM_HALTED;
}
