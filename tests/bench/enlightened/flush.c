/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests of `nova bench enlightened` whose first virtual CPU flushes the other three. Arguments:
 * TIMES WAY…, the number of flushes and the ways. `calls`: by a hypercall; `interrupts`: as Linux
 * does without the interface, by an interrupt, after which the first CPU waits for the handlers;
 * `nothing`: not at all. The flushes in way n are section n of the counts (plugin/guest.c). */
#include <stdlib.h>
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "../sections.h"
#include "vmm/guest_code.h"
#include "vmm/machine.h"

#define CALLER_AT  0x1000
#define HANDLER_AT 0x2800
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define READY_AT   0x7010
#define STATE_AT   0x7020
#define INPUT_AT   0x7100
#define STARTER_AT 0x12000
#define OTHER_AT   0x13000
#define VECTOR     0x61
#define VCPUS      4

/* State of the guest, at STATE_AT. */
struct state {
        uint32_t times;
        uint32_t flushed; /* virtual CPUs that have handled the interrupt */
        uint32_t started; /* virtual CPUs that can be flushed */
        uint32_t over;    /* the caller has finished */
        uint32_t failed;  /* sum of the calls' statuses */
        uint32_t handled; /* total number of interrupts */
};

/* The caller's beginning: sets the identity and the hypercall page, and waits for the others. */
GUEST_CODE(caller, 32,
           "sti\nmovl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\nmovl $0x1ff, 0xfee000f0\n"
           "movl $1, 0x7010\n1:pause\ncmpl $3, 0x7028\njne 1b\nmovl 0x7020, %edi\n");
GUEST_CODE(again, 32,
           "decl %edi\njz 9f\nmovl $0x1200, %eax\njmp *%eax\n"
           "9:" SECTION_TEXT("0") "movl $1, 0x702c\ncli\nhlt\n");

/* Calls the flush with a mask of the other three virtual CPUs. */
GUEST_CODE(calls, 32,
           "movl $2, %eax\nxorl %edx, %edx\nmovl $0x7100, %ecx\nxorl %ebx, %ebx\n"
           "movl $0x10000, %ebp\ncall *%ebp\nmovzwl %ax, %eax\naddl %eax, 0x7030\n");
/* Waits until the APIC has sent its last command, then writes a logical destination and the
 * command. */
GUEST_CODE(interrupts, 32,
           "movl $0, 0x7024\n2:testl $0x1000, 0xfee00300\njnz 2b\nmovl $0xe000000, 0xfee00310\n"
           "movl $0x861, 0xfee00300\n1:pause\ncmpl $3, 0x7024\njne 1b\n");
GUEST_CODE(nothing, 32, "nop\n");

GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\nlidtl 0x3028\n"
           "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

/* Code of another virtual CPU. Takes bit n of the logical destinations, where n is its APIC ID.
 * Runs until the caller has finished. */
GUEST_CODE(other, 32,
           "movl $16, %eax\nmovl %eax, %ds\nmovl %eax, %es\nmovl %eax, %ss\n"
           "movl 0xfee00020, %ecx\nshrl $24, %ecx\nmovl %ecx, %esp\nshll $8, %esp\n"
           "addl $0x9000, %esp\nmovl $0x1000000, %eax\nshll %cl, %eax\nmovl %eax, 0xfee000d0\n"
           "movl $0x1ff, 0xfee000f0\nsti\nlock incl 0x7028\n"
           "1:pause\ncmpl $0, 0x702c\nje 1b\ncli\nhlt\n");
GUEST_CODE(handler, 32,
           "pushl %eax\nmovl $0, 0xfee000b0\nmovl %cr3, %eax\nmovl %eax, %cr3\n"
           "lock incl 0x7034\nlock incl 0x7024\npopl %eax\niretl\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static void load(const char *way, size_t bytes, uint32_t times, uint8_t section)
{
        const uint8_t mark[] = SECTION_BYTES(section);
        static const uint64_t input[] = {0, 0, 0xe};
        const uint32_t body = CALLER_AT + 0x200, begin = body - sizeof(mark);
        const uint32_t first = begin - (uint32_t)GUEST_BYTES(caller);

        nova_guest_write(&vm.memory, STATE_AT, &times, sizeof(times));
        nova_guest_write(&vm.memory, INPUT_AT, input, sizeof(input));
        machine_add_handler(&vm, IDT_AT, VECTOR, HANDLER_AT, handler, GUEST_BYTES(handler));
        nova_guest_write(&vm.memory, first, caller, GUEST_BYTES(caller));
        nova_guest_write(&vm.memory, begin, mark, sizeof(mark));
        nova_guest_write(&vm.memory, body, way, bytes);
        nova_guest_write(&vm.memory, body + bytes, again, GUEST_BYTES(again));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, OTHER_AT, other, GUEST_BYTES(other));
        nova_registers_protected(&vm.vcpu[0].start, first, 8, 16);
        vm.vcpu[0].start.state.sp = 0x9000;
        machine_set_tables(&vm, GDT_AT, IDT_AT, VECTOR);
        machine_write_operands(&vm, GDT_AT + 0x20);
}

/* @return whether the guest flushed as often as it should have */
static bool run(const char *way, uint32_t times, uint8_t section)
{
        static const struct nova_vm_config config = {
                .name = "flush", .memory = 2u << 20, .vcpus = VCPUS, .local_apic = true};
        static const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
        const bool by_calls = !strcmp(way, "calls");
        const bool by_interrupts = !strcmp(way, "interrupts");
        struct state state;
        enum nova_vm_end end;

        vm = (struct nova_vm){0};
        pc = (struct nova_pc){0};
        hv = (struct nova_hv){0};
        if (!times || !machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened))
                return false;
        if (by_calls)
                load(calls, GUEST_BYTES(calls), times, section);
        else if (by_interrupts)
                load(interrupts, GUEST_BYTES(interrupts), times, section);
        else
                load(nothing, GUEST_BYTES(nothing), times, section);
        nova_vm_run(&vm);
        machine_start_others(&vm, READY_AT, STARTER_AT);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        nova_vm_destroy(&vm);
        printf("%s: %u flushed by calls, %u by interrupts, %u failed: it %s\n", way,
               (unsigned)hv.flushes, (unsigned)state.handled, (unsigned)state.failed,
               nova_vm_end_text(end));
        return end == NOVA_VM_HALTED && !state.failed && hv.flushes == (by_calls ? 3 * times : 0) &&
               state.handled == (by_interrupts ? 3 * times : 0);
}

int main(int argc, char **argv)
{
        for (int i = 2; i < argc; i++)
                if (!run(argv[i], (uint32_t)atoi(argv[1]), (uint8_t)(i - 1)))
                        return 1;
        puts("all guests halted");
        return 0;
}
