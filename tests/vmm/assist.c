/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that reaches its local APIC by MSRs, and ends interrupts in the assist page. It sends
 * itself interrupts, in protected mode without paging. */
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT   0x1000
#define HANDLER_AT 0x2000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define STATE_AT   0x7000
#define STACK_AT   0x9000
#define VECTOR     0x41
#define ROUNDS     100

/* Results of the guest, at STATE_AT. */
struct state {
        uint32_t taken;  /* interrupts */
        uint32_t ends;   /* interrupts that ended by a write of the register */
        uint32_t held;   /* interrupts that the task priority did not hold back */
        uint32_t memory; /* the task priority, written by MSR and read from the APIC's page */
};

/* Ends the interrupt in the assist page, at 0x10000, and if necessary with the EOI MSR. */
GUEST_CODE(handler, 32,
           "pushal\nincl 0x7000\nxorl %eax, %eax\nxchgl %eax, 0x10000\ntestb $1, %al\njnz 1f\n"
           "incl 0x7004\nmovl $0x40000070, %ecx\nxorl %eax, %eax\nxorl %edx, %edx\nwrmsr\n"
           "1:popal\niret\n");

/* Sends vector 0x41 to itself. */
#define SEND "movl $0x40000071, %ecx\nmovl $0x40041, %eax\nxorl %edx, %edx\nwrmsr\nnop\n"
#define PRIORITY(value) \
        "movl $0x40000072, %ecx\nmovl $" #value ", %eax\nxorl %edx, %edx\nwrmsr\nnop\n"

/* The guest's code. Its first access to the assist page is a write. */
GUEST_CODE(guest, 32,
           "movl $0x1ff, 0xfee000f0\nmovl $0x40000073, %ecx\nmovl $0x10001, %eax\nxorl %edx, %edx\n"
           "wrmsr\nxorl %eax, %eax\nxchgl %eax, 0x10000\nsti\n"
           "movl $100, %ebx\n2:" SEND "decl %ebx\njnz 2b\n" PRIORITY(
                   0x50) "movl 0xfee00080, %eax\nmovl %eax, 0x700c\nmovl 0x7000, %ebx\n" SEND
                         "subl 0x7000, %ebx\nmovl %ebx, 0x7008\n" PRIORITY(0) "cli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static void load(void)
{
        machine_add_handler(&vm, IDT_AT, VECTOR, HANDLER_AT, handler, GUEST_BYTES(handler));
        machine_begin(&vm, GUEST_AT, guest, GUEST_BYTES(guest));
        machine_set_tables(&vm, GDT_AT, IDT_AT, VECTOR);
        vm.vcpu[0].start.state.sp = STACK_AT;
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "assist", .memory = 2u << 20, .local_apic = true};
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL |
                                                                 NOVA_HV_PRIVILEGE_APIC_REGISTERS,
                                                   .hints = NOVA_HV_HINT_APIC_REGISTERS};
        struct state state;
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        load();
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        printf("%u interrupts, %u ends with the EOI MSR, %u in the assist page, priority 0x%x, "
               "%u early: it %s\n",
               (unsigned)state.taken, (unsigned)state.ends, (unsigned)hv.vp[0].quiet_ends,
               (unsigned)state.memory, (unsigned)state.held, nova_vm_end_text(end));
        return state.taken != ROUNDS + 1 || state.held || end != NOVA_VM_HALTED;
}
