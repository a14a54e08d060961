/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual CPU makes a rep call again and again. Each action of the call changes two counters of
 * the monitor, one after the other. Another virtual CPU makes calls that read both counters, also
 * while a rep call is incomplete. It must never see a difference between the counters, and the
 * actions must occur in the order of the list. */
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define CALLER_AT  0x1000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define STATE_AT   0x7000
#define READY_AT   0x7010
#define STACK_AT   0x9000
#define STARTER_AT 0x12000
#define READER_AT  0x13000
#define LIST_AT    0x14000
#define ELEMENTS   255
#define TIMES      200
#define DELAY      500 /* rounds between the two changes of an action */

/* State of the guest, at STATE_AT. */
struct state {
        uint32_t times;  /* lists that are still to be processed */
        uint32_t torn;   /* readings with different counters */
        uint32_t failed; /* calls that failed */
        uint32_t back;   /* readings that are smaller than the one before */
        uint32_t ready;  /* not 0: virtual CPU 1 may start */
        uint32_t over;
        uint32_t last;
        uint32_t reads;
};

/* Both virtual CPUs enable interrupts: with VMX, Bochs (2.7) holds back the host's interrupts while
 * a guest runs that was entered with IF = 0. */
GUEST_CODE(caller, 32,
           "sti\nmovl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\nmovl $1, 0x7010\n"
           "1: pause\ncmpl $0, 0x701c\nje 1b\nmovl $0x10000, %ebp\n"
           "2: movl $0x9000, %eax\nmovl $255, %edx\nmovl $0x14000, %ecx\nxorl %ebx, %ebx\n"
           "call *%ebp\ntestl %eax, %eax\njnz 3f\ncmpl $255, %edx\nje 4f\n3: incl 0x7008\n"
           "4: decl 0x7000\njnz 2b\nmovl $1, 0x7014\ncli\nhlt\n");

/* Goes from real mode to protected mode. */
GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\n"
           "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

GUEST_CODE(reader, 32,
           "movl $16, %eax\nmovl %eax, %ds\nmovl %eax, %ss\nmovl $0xa000, %esp\nsti\n"
           "movl $0x10000, %ebp\n"
           "1: movl $0x9001, %eax\nxorl %edx, %edx\nxorl %ebx, %ebx\nxorl %ecx, %ecx\n"
           "xorl %edi, %edi\nmovl $0x7180, %esi\ncall *%ebp\ntestl %eax, %eax\njz 2f\n"
           "lock incl 0x7008\n2: movl 0x7180, %eax\ncmpl 0x7188, %eax\nje 3f\nincl 0x7004\n"
           "3: cmpl 0x7018, %eax\njae 4f\nincl 0x700c\n4: movl %eax, 0x7018\nincl 0x701c\n"
           "cmpl $0, 0x7014\nje 1b\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;
static uint64_t first, second;
static unsigned between, disordered;

static enum nova_hv_status act(const struct nova_hv_action *action)
{
        disordered += *(const uint64_t *)action->element != action->index;
        first++;
        for (volatile unsigned i = 0; i < DELAY; i++)
                ;
        second++;
        return NOVA_HV_SUCCESS;
}

static enum nova_hv_status look(const struct nova_hv_action *action)
{
        uint64_t *const out = action->output;

        out[0] = first;
        out[1] = second;
        between += first % ELEMENTS != 0;
        return NOVA_HV_SUCCESS;
}

static const struct nova_hv_call calls[] = {
        {.code = 0x9000, .input_element = 8, .rep = true, .function = act, .name = "act"},
        {.code = 0x9001, .output = 16, .function = look, .name = "look"},
};

static void load(void)
{
        static const struct state state = {.times = TIMES};

        nova_guest_write(&vm.memory, STATE_AT, &state, sizeof(state));
        for (uint64_t i = 0; i < ELEMENTS; i++)
                nova_guest_write(&vm.memory, LIST_AT + i * sizeof(i), &i, sizeof(i));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, READER_AT, reader, GUEST_BYTES(reader));
        machine_begin(&vm, CALLER_AT, caller, GUEST_BYTES(caller));
        machine_set_tables(&vm, GDT_AT, IDT_AT, 0);
        machine_write_operands(&vm, GDT_AT + 0x20);
        vm.vcpu[0].start.state.sp = STACK_AT;
}

int main(void)
{
        static const struct nova_vm_config config = {
                .name = "atomic", .memory = 2u << 20, .vcpus = 2, .local_apic = true};
        static const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
        struct state state;
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened) ||
            nova_hv_add(&hv, &calls[0]) || nova_hv_add(&hv, &calls[1]))
                return 1;
        load();
        nova_vm_run(&vm);
        machine_start_second(&vm, READY_AT, STARTER_AT);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        printf("%u actions, %u readings, %u during a rep call, %u during an action, "
               "%u smaller than before, %u actions out of order, %u calls failed: the guest %s\n",
               (unsigned)second, (unsigned)state.reads, between, (unsigned)state.torn,
               (unsigned)state.back, disordered, (unsigned)state.failed, nova_vm_end_text(end));
        return second != (uint64_t)TIMES * ELEMENTS || !between || state.torn || state.back ||
               disordered || state.failed || end != NOVA_VM_HALTED;
}
