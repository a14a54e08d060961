/* SPDX-License-Identifier: BSD-2-Clause */
/* Two virtual CPUs move all pages of the interface to one address and away, in different orders,
 * while two others read there and make calls with parameters there. Each read must find one of the
 * pages or the RAM, and each call must return a status. Then the pages cover each other one by one:
 * each virtual CPU must see the page that came last, and, when this page leaves, the page below
 * it. */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define FIRST_AT   0x1000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define STATE_AT   0x7000
#define READY_AT   0x7010
#define SEEN_AT    0x7200 /* words that each virtual CPU has seen at each step */
#define STARTER_AT 0x12000
#define COMMON_AT  0x13000
#define CALL_AT    0x16000 /* the instruction for calls, and RET */
#define PILE_AT    0x100000
#define INPUT_AT   0x100800
#define RAM_WORD   0x11223344
#define VCPUS      4
#define STEPS      6

/* State of the guest, at STATE_AT. */
struct state {
        uint32_t wrong;  /* words that are in no page */
        uint32_t calls;  /* calls that are complete */
        uint32_t failed; /* calls whose status is neither success nor invalid parameter */
        uint32_t opcode; /* the hypercall page's first word */
        uint32_t ready;  /* not 0: the other virtual CPUs may start */
        uint32_t over;   /* virtual CPUs that no longer move pages */
        uint32_t step;
        uint32_t acks; /* reads of other virtual CPUs after a step */
};

#define WRITE(msr, low) "movl $" #msr ", %ecx\nmovl $" #low ", %eax\nxorl %edx, %edx\nwrmsr\n"

/* The hypercall page, the page of reference time, the assist page, the event flags page and the
 * message page. Each of them moves to the pile and away. */
#define CALLS_ON     WRITE(0x40000001, 0x100001)
#define CALLS_OFF    WRITE(0x40000001, 0x10001)
#define TIME_ON      WRITE(0x40000021, 0x100001)
#define TIME_OFF     WRITE(0x40000021, 0)
#define ASSIST_ON    WRITE(0x40000073, 0x100001)
#define ASSIST_OFF   WRITE(0x40000073, 0)
#define EVENTS_ON    WRITE(0x40000082, 0x100001)
#define EVENTS_OFF   WRITE(0x40000082, 0)
#define MESSAGES_ON  WRITE(0x40000083, 0x100001)
#define MESSAGES_OFF WRITE(0x40000083, 0)

/* The orders of virtual CPU 0 and of virtual CPU 1. */
#define ORDER_0                                                                          \
        TIME_ON MESSAGES_ON EVENTS_ON ASSIST_ON CALLS_ON CALLS_OFF MESSAGES_OFF TIME_OFF \
                ASSIST_OFF EVENTS_OFF
#define ORDER_1                                                                                   \
        CALLS_ON ASSIST_ON EVENTS_ON MESSAGES_ON TIME_ON EVENTS_OFF TIME_OFF ASSIST_OFF CALLS_OFF \
                MESSAGES_OFF

/* Notes the word that virtual CPU 0 reads after a step, and waits for the other virtual CPUs. */
#define STEP(number, acks)                                                                      \
        "movl 0x100000, %eax\nmovl %eax, 0x7200 + 4 * " #number "\nmovl $" #number ", 0x7018\n" \
        "4: pause\ncmpl $" #acks ", 0x701c\njne 4b\n"

GUEST_CODE(first, 32,
           WRITE(0x40000000, 1) CALLS_OFF "movl $1, 0x7010\nmovl $0x13000, %eax\njmp *%eax\n");

/* Goes from real mode to protected mode. */
GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\n"
           "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

#define STEPS_UP   TIME_ON STEP(1, 3) CALLS_ON STEP(2, 6) MESSAGES_ON STEP(3, 9)
#define STEPS_DOWN MESSAGES_OFF STEP(4, 12) CALLS_OFF STEP(5, 15) TIME_OFF STEP(6, 18)

/* EBP is the number of the virtual CPU. All enable interrupts: with VMX, Bochs (2.7) holds back the
 * host's interrupts while a guest runs that was entered with IF = 0. */
GUEST_CODE(common, 32,
           "movl $16, %eax\nmovl %eax, %ds\nmovl %eax, %ss\nmovl $0x40000002, %ecx\nrdmsr\n"
           "movl %eax, %ebp\nshll $8, %eax\nleal 0x9000(%eax), %esp\nsti\n"
           "movl $100, %edi\ncmpl $1, %ebp\nje 2f\nja 5f\n"
           "1:" ORDER_0 "decl %edi\njnz 1b\nlock incl 0x7014\n"
           "3: pause\ncmpl $2, 0x7014\njne 3b\n" STEPS_UP STEPS_DOWN "cli\nhlt\n"
           "2:" ORDER_1 "decl %edi\njnz 2b\nlock incl 0x7014\njmp 8f\n"
           "5: movl 0x100000, %eax\ncmpl $1, %eax\njbe 6f\ncmpl $0x11223344, %eax\nje 6f\n"
           "cmpl 0x700c, %eax\nje 6f\nlock incl 0x7000\n"
           "6: movl $2, %eax\nxorl %edx, %edx\nxorl %ebx, %ebx\nmovl $0x100800, %ecx\n"
           "movl $0x16000, %esi\nxorl %edi, %edi\ncall *%esi\nlock incl 0x7004\n"
           "testl %eax, %eax\njz 7f\ncmpl $5, %eax\nje 7f\nlock incl 0x7008\n"
           "7: cmpl $2, 0x7014\njne 5b\n"
           "8: xorl %esi, %esi\nshll $6, %ebp\n"
           "9: pause\nmovl 0x7018, %eax\ncmpl %eax, %esi\nje 9b\nmovl %eax, %esi\n"
           "movl 0x100000, %eax\nmovl %eax, 0x7200(%ebp, %esi, 4)\nlock incl 0x701c\n"
           "cmpl $6, %esi\njb 9b\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;
static uint8_t call_page[4096];

static void load(uint32_t opcode)
{
        static const uint64_t input[] = {0, 0, 1}; /* a flush of virtual CPU 0 */
        static const uint32_t word = RAM_WORD;
        const struct state state = {.opcode = opcode};

        nova_guest_write(&vm.memory, STATE_AT, &state, sizeof(state));
        nova_guest_write(&vm.memory, CALL_AT, call_page, 4);
        nova_guest_write(&vm.memory, PILE_AT, &word, sizeof(word));
        nova_guest_write(&vm.memory, INPUT_AT, input, sizeof(input));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, COMMON_AT, common, GUEST_BYTES(common));
        machine_begin(&vm, FIRST_AT, first, GUEST_BYTES(first));
        machine_set_tables(&vm, GDT_AT, IDT_AT, 0);
        machine_write_operands(&vm, GDT_AT + 0x20);
}

/* Counts the correct words among those that the virtual CPUs saw at the steps. */
static unsigned count_right(uint32_t opcode)
{
        const uint32_t expected[STEPS] = {1, opcode, 0, opcode, 1, RAM_WORD};
        unsigned right = 0;

        for (unsigned vcpu = 0; vcpu < VCPUS; vcpu++)
                for (unsigned i = 0; i < STEPS; i++) {
                        uint32_t word;

                        nova_guest_read(&vm.memory, SEEN_AT + 64 * vcpu + 4 * (i + 1), &word,
                                        sizeof(word));
                        right += word == expected[i];
                }
        return right;
}

int main(void)
{
        static const struct nova_vm_config config = {
                .name = "pile", .memory = 2u << 20, .vcpus = VCPUS, .local_apic = true};
        static const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_ALL,
                                                          .direct_timers = true};
        struct state state;
        enum nova_vm_end end;
        uint32_t opcode;
        unsigned right;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        nova_hv_page_fill(call_page, vm.svm);
        memcpy(&opcode, call_page, sizeof(opcode));
        load(opcode);
        nova_vm_run(&vm);
        machine_start_others(&vm, READY_AT, STARTER_AT);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        right = count_right(opcode);
        printf("%u calls, %u failed, %u words wrong, then %u of %u right, %u pages: the guest %s\n",
               (unsigned)state.calls, (unsigned)state.failed, (unsigned)state.wrong, right,
               VCPUS * STEPS, vm.memory.overlays, nova_vm_end_text(end));
        return !state.calls || state.failed || state.wrong || right != VCPUS * STEPS ||
               vm.memory.overlays != 1 || end != NOVA_VM_HALTED;
}
