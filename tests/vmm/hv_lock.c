/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest locks the register of the hypercall page. An INIT of a virtual CPU, writes of
 * other values and an identity of 0 do not change the register. A reset by MSR 0x40000003 or by
 * port 0xcf9 clears it; then the monitor starts the machine again. */
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define FIRST_AT  0x1000
#define GDT_AT    0x3000
#define IDT_AT    0x3800
#define STATE_AT  0x7000
#define STACK_AT  0x9000
#define SECOND_AT 0x12000
#define LOCKED    0x10003

/* Results of the guest, at STATE_AT. */
struct state {
        uint32_t before;  /* the register when the guest starts */
        uint32_t starts;  /* number of starts of virtual CPU 1 */
        uint32_t other;   /* AND of the register's values on virtual CPU 1 after each start */
        uint32_t after;   /* the register after writes of other values */
        uint32_t status;  /* result of a later call with an unknown code */
        uint32_t by_port; /* 1: resets by port 0xcf9; 0: by MSR */
};

#define WRITE(msr, low) "movl $" #msr ", %ecx\nmovl $" #low ", %eax\nxorl %edx, %edx\nwrmsr\n"
#define READ_PAGE       "movl $0x40000001, %ecx\nrdmsr\n"
#define COMMAND(low)    "movl $0x1000000, 0xfee00310\nmovl $" #low ", 0xfee00300\n"
#define START_SECOND(times) \
        COMMAND(0x4500) COMMAND(0x4612) "1: pause\ncmpl $" #times ", 0x7004\njne 1b\n"

GUEST_CODE(first, 32,
           "sti\nmovl $0x1ff, 0xfee000f0\n" READ_PAGE
           "movl %eax, 0x7000\nmovl $-1, 0x7008\n" WRITE(0x40000000, 1) WRITE(0x40000001, 0x10003)
                   START_SECOND(1) START_SECOND(2) WRITE(0x40000001, 0) WRITE(0x40000001, 0x11001)
                           WRITE(0x40000000, 0) READ_PAGE
           "movl %eax, 0x700c\nmovl $0x7777, %eax\nxorl %edx, %edx\nmovl $0x10000, %ebx\n"
           "call *%ebx\nmovl %eax, 0x7010\nmovb $6, %al\nmovw $0xcf9, %dx\ncmpl $0, 0x7014\n"
           "jne 2f\n" WRITE(0x40000003, 1) "2: outb %al, %dx\ncli\nhlt\n");

GUEST_CODE(second, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\n" READ_PAGE "andl %eax, 0x7008\nincl 0x7004\n"
           "sti\n1: hlt\njmp 1b\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

/* Runs the machine from its start to its reset. */
static bool run(uint32_t by_port)
{
        static const struct nova_vm_config config = {
                .name = "lock", .memory = 2u << 20, .vcpus = 2, .local_apic = true};
        static const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
        const struct state begin = {.before = UINT32_MAX, .by_port = by_port};
        struct state state;
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened))
                return false;
        nova_guest_write(&vm.memory, STATE_AT, &begin, sizeof(begin));
        nova_guest_write(&vm.memory, SECOND_AT, second, GUEST_BYTES(second));
        machine_begin(&vm, FIRST_AT, first, GUEST_BYTES(first));
        machine_set_tables(&vm, GDT_AT, IDT_AT, 0);
        vm.vcpu[0].start.state.sp = STACK_AT;
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        printf("0x%x, after %u starts 0x%x, after writes 0x%x, status %u: the guest %s\n",
               (unsigned)state.before, (unsigned)state.starts, (unsigned)state.other,
               (unsigned)state.after, (unsigned)state.status, nova_vm_end_text(end));
        return end == NOVA_VM_RESET && !state.before && state.starts == 2 &&
               state.other == LOCKED && state.after == LOCKED &&
               state.status == NOVA_HV_INVALID_CODE;
}

int main(void)
{
        const bool good = run(0) && run(1) && run(0);

        printf("%s\n", good ? "locked until the reset" : "not as expected");
        return !good;
}
