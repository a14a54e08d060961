/* SPDX-License-Identifier: BSD-2-Clause */
/* Two virtual CPUs that send each other messages through their synthetic interrupt controllers. The
 * first one fills all slots and queues of the second one, which takes no interrupts yet. Then the
 * second one answers each further message with a message. */
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT   0x1000
#define HANDLER_AT 0x2000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define STATE_AT   0x7000
#define READY_AT   0x7010
#define STARTER_AT 0x12000
#define SECOND_AT  0x13000
#define EVENTS_AT  0x17000 /* event flags page of virtual CPU 1 */
#define VECTOR     0x60
#define SOURCES    16
#define WAITING    (SOURCES * (1 + NOVA_HV_QUEUE)) /* messages that slots and queues hold */
#define ROUNDS     200

/* State of the guest, at STATE_AT. */
struct state {
        uint32_t received[2]; /* messages that each virtual CPU has received */
        uint32_t wrong;       /* messages that were out of order */
        uint32_t go;          /* virtual CPU 1 may take interrupts */
        uint32_t ready;       /* not 0: virtual CPU 1 may start */
        uint32_t sent;        /* messages of the first phase */
        uint32_t full;        /* messages refused because the queue was full */
        uint32_t failed;      /* calls that failed for another reason */
        uint32_t answered;    /* answers of virtual CPU 1 */
        uint32_t over;        /* virtual CPU 0 has finished */
        uint32_t begun;       /* virtual CPU 1 has set up its controller */
};

/* Takes all messages. Each message must contain the number in its source's counter; the counters
 * are at 0x7400. The end of the interrupt is automatic. */
GUEST_CODE(handler, 32,
           "pushal\nmovl $0x40000002, %ecx\nrdmsr\nmovl %eax, %ebx\nshll $12, %eax\n"
           "leal 0x14000(%eax), %esi\nmovl %ebx, %edi\nshll $6, %edi\naddl $0x7400, %edi\n"
           "movl $16, %ebp\n"
           "1:cmpl $0, (%esi)\nje 3f\nincl 0x7000(,%ebx,4)\n"
           "movl (%edi), %eax\ncmpl %eax, 16(%esi)\nje 2f\nincl 0x7008\n2:incl (%edi)\n"
           "movl $0, (%esi)\nlock addl $0, (%esp)\ntestb $1, 5(%esi)\njz 3f\n"
           "movl $0x40000084, %ecx\nxorl %eax, %eax\nxorl %edx, %edx\nwrmsr\njmp 1b\n"
           "3:addl $256, %esi\naddl $4, %edi\ndecl %ebp\njnz 1b\npopal\niretl\n");

/* Enables the local APIC and the controller, with vector 0x60 and an automatic end of interrupt for
 * each source. */
#define SET_UP(messages, events)                                                             \
        "movl $0x1ff, 0xfee000f0\nxorl %edx, %edx\nmovl $0x40000083, %ecx\nmovl $" #messages \
        ", %eax\nwrmsr\nmovl $0x40000082, %ecx\nmovl $" #events ", %eax\nwrmsr\n"            \
        "movl $0x40000080, %ecx\nmovl $1, %eax\nwrmsr\nmovl $0x40000090, %ecx\n"             \
        "movl $0x20060, %eax\n1:wrmsr\nincl %ecx\ncmpl $0x400000a0, %ecx\njne 1b\n"

/* Posts a message. `block` is the address of the call's parameters. */
#define POST(block)                                                                    \
        "movl $0x5c, %eax\nxorl %edx, %edx\nxorl %ebx, %ebx\nmovl $" #block ", %ecx\n" \
        "movl $0x10000, %ebp\ncall *%ebp\nmovzwl %ax, %eax\n"

GUEST_CODE(
        guest, 32,
        "movl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
        "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\n" SET_UP(
                0x14001,
                0x16001) "sti\nmovl $1, 0x7010\n"
                         "2:pause\ncmpl $0, 0x7028\nje 2b\n"
                         /* Four messages to each source: the last one finds the queue full. */
                         "xorl %esi, %esi\n3:xorl %edi, %edi\n"
                         "4:leal 1(%esi), %eax\nmovl %eax, 0x7200\nleal 1(%edi), %eax\nmovl %eax, "
                         "0x7208\n"
                         "movl $4, 0x720c\nmovl %edi, 0x7210\n" POST(
                                 0x7200) "testl %eax, %eax\njz 5f\n"
                                         "cmpl $0x13, %eax\nje 6f\nincl 0x701c\njmp 7f\n5:incl "
                                         "0x7014\njmp 7f\n6:incl 0x7018\n"
                                         "7:incl %edi\ncmpl $4, %edi\njb 4b\nincl %esi\ncmpl $16, "
                                         "%esi\njb 3b\n"
                                         "movl $1, 0x700c\n8:pause\ncmpl $48, 0x7000\njb 8b\n"
                                         /* One message at a time, and its answer. */
                                         "movl $1, 0x7200\nmovl $3, 0x7210\n"
                                         "9:" POST(
                                                 0x7200) "addl %eax, 0x701c\nincl 0x7210\nmovl "
                                                         "$45, %eax\naddl 0x7210, %eax\n"
                                                         "1:pause\ncmpl %eax, 0x7000\njb 1b\ncmpl "
                                                         "$203, 0x7210\njb 9b\n"
                                                         /* Event flags 0 to 7. */
                                                         "xorl %ebx, %ebx\n"
                                                         "1:movl $0x1005d, %eax\nxorl %edx, "
                                                         "%edx\nmovl $18, %ecx\ncall *%ebp\n"
                                                         "movzwl %ax, %eax\naddl %eax, "
                                                         "0x701c\nincl %ebx\ncmpl $8, %ebx\njb 1b\n"
                                                         "movl $1, 0x7024\ncli\nhlt\n");

/* Goes from real mode to protected mode. */
GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\nlidtl 0x3028\n"
           "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

/* Answers each message. */
GUEST_CODE(second, 32,
           "movl $16, %eax\nmovl %eax, %ds\nmovl %eax, %es\nmovl %eax, %ss\n"
           "movl $0xa000, %esp\n" SET_UP(
                   0x15001, 0x17001) "movl $1, 0x7028\n"
                                     "2:pause\ncmpl $0, 0x700c\nje 2b\nsti\n"
                                     "movl $17, 0x7300\nmovl $1, 0x7308\nmovl $4, 0x730c\n"
                                     "3:cmpl $0, 0x7024\njne 9f\npause\nmovl 0x7020, %eax\ncmpl "
                                     "%eax, 0x7004\nje 3b\n"
                                     "movl %eax, 0x7310\n" POST(
                                             0x7300) "cmpl $0x13, %eax\nje 3b\naddl %eax, 0x701c\n"
                                                     "incl 0x7020\njmp 3b\n9:cli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static void load(void)
{
        machine_add_handler(&vm, IDT_AT, VECTOR, HANDLER_AT, handler, GUEST_BYTES(handler));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, SECOND_AT, second, GUEST_BYTES(second));
        machine_begin(&vm, GUEST_AT, guest, GUEST_BYTES(guest));
        machine_set_tables(&vm, GDT_AT, IDT_AT, VECTOR);
        machine_write_operands(&vm, GDT_AT + 0x20);
        vm.vcpu[0].start.state.sp = 0x9000;
}

/* Connections 1 to 16 lead to the sources of virtual CPU 1, 17 to source 7 of virtual CPU 0, and 18
 * to event flags of virtual CPU 1. */
static int connect(void)
{
        static struct nova_hv_port port[SOURCES + 2];
        int error = 0;

        for (unsigned i = 0; i < SOURCES; i++)
                port[i] = (struct nova_hv_port){.connection = i + 1, .vcpu = 1, .sint = i};
        port[SOURCES] = (struct nova_hv_port){.connection = 17, .vcpu = 0, .sint = 7};
        port[SOURCES + 1] = (struct nova_hv_port){
                .connection = 18, .events = true, .vcpu = 1, .sint = 9, .flags = 8};
        for (unsigned i = 0; i < SOURCES + 2 && !error; i++)
                error = nova_hv_connect(&hv, &port[i]);
        return error;
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "messages", .memory = 2u << 20, .vcpus = 2, .local_apic = true};
        const struct nova_hv_config enlightened = {
                .privileges = NOVA_HV_PRIVILEGES_USUAL | NOVA_HV_PRIVILEGE_SYNIC |
                              NOVA_HV_PRIVILEGE_POST_MESSAGES | NOVA_HV_PRIVILEGE_SIGNAL_EVENTS};
        struct state state;
        enum nova_vm_end end;
        uint8_t flags = 0;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened) ||
            connect())
                return 1;
        load();
        nova_vm_run(&vm);
        machine_start_second(&vm, READY_AT, STARTER_AT);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        nova_guest_read(&vm.memory, EVENTS_AT + 9 * NOVA_HV_FLAGS / 8, &flags, sizeof(flags));
        printf("%u messages for full slots, %u refused; %u questions, %u answers, %u wrong, "
               "%u failed, flags 0x%x: the guest %s\n",
               (unsigned)state.sent, (unsigned)state.full, (unsigned)state.received[1],
               (unsigned)state.received[0], (unsigned)state.wrong, (unsigned)state.failed, flags,
               nova_vm_end_text(end));
        return state.sent != WAITING || state.full != SOURCES || state.wrong || state.failed ||
               flags != 0xff || state.received[0] != WAITING + ROUNDS || end != NOVA_VM_HALTED;
}
