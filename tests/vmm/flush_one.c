/* SPDX-License-Identifier: BSD-2-Clause */
/* One of four virtual CPUs flushes one address, or all addresses, of a second one, by each call
 * that can do this. The exit counts of the other two, which run meanwhile, stay the same. */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define FIRST_AT   0x1000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define READY_AT   0x7010
#define STATE_AT   0x7020
#define INPUT_AT   0x7100 /* input of the plain calls; 0x7180: of calls with sets */
#define STACK_AT   0x9000
#define STARTER_AT 0x12000
#define OTHER_AT   0x13000
#define VCPUS      4
#define FLUSHES    40

/* State of the guest, at STATE_AT. */
struct state {
        uint32_t started; /* other virtual CPUs that run */
        uint32_t over;
        uint32_t failed; /* statuses of the calls, by OR */
};

/* Calls EDX:EAX. */
#define CALL(low, high, input)                                                              \
        "movl $" #low ", %eax\nmovl $" #high ", %edx\nmovl $" #input ", %ecx\ncall *%ebp\n" \
        "movzwl %ax, %eax\norl %eax, 0x7028\n"
#define MARK CALL(0x9000, 0, 0)

/* All virtual CPUs enable interrupts: with VMX, Bochs (2.7) holds back the host's interrupts while
 * a guest runs that was entered with IF = 0. */
GUEST_CODE(first, 32,
           "sti\nmovl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\nmovl $1, 0x7010\n"
           "1: pause\ncmpl $3, 0x7020\njne 1b\nmovl $0x10000, %ebp\nxorl %ebx, %ebx\n"
           "xorl %edi, %edi\nxorl %esi, %esi\n" MARK "movl $10, 0x8000\n"
           "2:" CALL(3, 1, 0x7100) CALL(2, 0, 0x7100) CALL(0x20014, 1, 0x7180)
                   CALL(0x20013, 0, 0x7180) "decl 0x8000\njnz 2b\n" MARK
                                            "movl $1, 0x7024\ncli\nhlt\n");

/* Goes from real mode to protected mode. */
GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\n"
           "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

GUEST_CODE(other, 32,
           "movl $16, %eax\nmovl %eax, %ds\nsti\nlock incl 0x7020\n"
           "1: cmpl $0, 0x7024\nje 1b\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

/* Exits of each virtual CPU at the two marks. */
static uint64_t exits[2][VCPUS];
static unsigned marks;

static enum nova_hv_status mark(const struct nova_hv_action *action)
{
        (void)action;
        for (unsigned i = 0; i < VCPUS && marks < 2; i++)
                exits[marks][i] = vm.vcpu[i].exits;
        marks++;
        return NOVA_HV_SUCCESS;
}

static const struct nova_hv_call marker = {.code = 0x9000, .function = mark, .name = "mark"};

static void load(void)
{
        static const uint64_t input[] = {0, 0, 2, 0x100000};
        static const uint64_t set_input[] = {0, 0, 0, 1, 2, 0x100000};

        nova_guest_write(&vm.memory, INPUT_AT, input, sizeof(input));
        nova_guest_write(&vm.memory, INPUT_AT + 0x80, set_input, sizeof(set_input));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, OTHER_AT, other, GUEST_BYTES(other));
        machine_begin(&vm, FIRST_AT, first, GUEST_BYTES(first));
        machine_set_tables(&vm, GDT_AT, IDT_AT, 0);
        machine_write_operands(&vm, GDT_AT + 0x20);
        vm.vcpu[0].start.state.sp = STACK_AT;
}

int main(void)
{
        static const struct nova_vm_config config = {
                .name = "flush", .memory = 2u << 20, .vcpus = VCPUS, .local_apic = true};
        static const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
        unsigned more[VCPUS];
        struct state state;
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened) ||
            nova_hv_add(&hv, &marker))
                return 1;
        load();
        nova_vm_run(&vm);
        machine_start_others(&vm, READY_AT, STARTER_AT);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        for (unsigned i = 0; i < VCPUS; i++)
                more[i] = (unsigned)(exits[1][i] - exits[0][i]);
        printf("%u marks, %u flushes, status %u, exits of the flushed one %u, of others %u and %u: "
               "it %s\n",
               marks, (unsigned)hv.flushes, (unsigned)state.failed, more[1], more[2], more[3],
               nova_vm_end_text(end));
        return marks != 2 || hv.flushes != FLUSHES || state.failed || more[1] < FLUSHES ||
               more[2] || more[3] || end != NOVA_VM_HALTED;
}
