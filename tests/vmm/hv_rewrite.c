/* SPDX-License-Identifier: BSD-2-Clause */
/* One virtual CPU makes flush calls (argument: how many), while another one rewrites their
 * parameters all the time. Each call must return the status that belongs to parameters that were in
 * memory at some time. A successful call must flush exactly one virtual processor. */
#include <stdlib.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define CALLER_AT  0x1000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define STATE_AT   0x7000
#define READY_AT   0x7010
#define INPUT_AT   0x7100
#define STACK_AT   0x9000
#define STARTER_AT 0x12000
#define WRITER_AT  0x13000

/* State of the guest, at STATE_AT. */
struct state {
        uint32_t times; /* calls that are left */
        uint32_t good;
        uint32_t parameter; /* calls with invalid parameters */
        uint32_t index;     /* calls with virtual processors that do not exist */
        uint32_t ready;     /* not 0: virtual CPU 1 may start */
        uint32_t over;
        uint32_t other;  /* calls with other statuses */
        uint32_t writes; /* rounds of the other virtual CPU */
};

/* Begins when the other virtual CPU has written, and counts the statuses. Both virtual CPUs enable
 * interrupts: with VMX, Bochs (2.7) holds back the host's interrupts while a guest runs that was
 * entered with IF = 0. */
GUEST_CODE(caller, 32,
           "sti\nmovl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\nmovl $1, 0x7010\n"
           "1: pause\ncmpl $0, 0x701c\nje 1b\nmovl $0x10000, %ebp\n"
           "2: movl $2, %eax\nxorl %edx, %edx\nmovl $0x7100, %ecx\nxorl %ebx, %ebx\ncall *%ebp\n"
           "testl %eax, %eax\njz 3f\ncmpl $5, %eax\nje 4f\ncmpl $14, %eax\nje 5f\n"
           "incl 0x7018\njmp 6f\n3: incl 0x7004\njmp 6f\n4: incl 0x7008\njmp 6f\n5: incl 0x700c\n"
           "6: decl 0x7000\njnz 2b\nmovl $1, 0x7014\ncli\nhlt\n");

/* Goes from real mode to protected mode. */
GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\n"
           "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

/* Writes invalid flags and a set with the missing virtual processor 15; then valid flags and a
 * valid set. */
GUEST_CODE(writer, 32,
           "movl $16, %eax\nmovl %eax, %ds\nsti\n"
           "1: movl $8, 0x7108\nmovl $0x8001, 0x7110\nmovl $0, 0x7108\nincl 0x701c\n"
           "movl $1, 0x7110\nmovl $1, 0x7110\ncmpl $0, 0x7014\nje 1b\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static void load(uint32_t times)
{
        static const uint64_t input[] = {0, 0, 1};
        const struct state state = {.times = times};

        nova_guest_write(&vm.memory, STATE_AT, &state, sizeof(state));
        nova_guest_write(&vm.memory, INPUT_AT, input, sizeof(input));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, WRITER_AT, writer, GUEST_BYTES(writer));
        machine_begin(&vm, CALLER_AT, caller, GUEST_BYTES(caller));
        machine_set_tables(&vm, GDT_AT, IDT_AT, 0);
        machine_write_operands(&vm, GDT_AT + 0x20);
        vm.vcpu[0].start.state.sp = STACK_AT;
}

int main(int argc, char **argv)
{
        static const struct nova_vm_config config = {
                .name = "rewrite", .memory = 2u << 20, .vcpus = 2, .local_apic = true};
        static const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
        const uint32_t times = argc == 2 ? (uint32_t)atoi(argv[1]) : 0;
        struct state state;
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        load(times);
        nova_vm_run(&vm);
        machine_start_second(&vm, READY_AT, STARTER_AT);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        printf("%u good calls flushed %u, %u invalid parameters, %u unknown processors, %u others, "
               "%u writes: the guest %s\n",
               (unsigned)state.good, (unsigned)hv.flushes, (unsigned)state.parameter,
               (unsigned)state.index, (unsigned)state.other, (unsigned)state.writes,
               nova_vm_end_text(end));
        return state.good + state.parameter + state.index != times || hv.flushes != state.good ||
               !state.good || !state.parameter || !state.index || end != NOVA_VM_HALTED;
}
