/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest whose synthetic timers, four for each of its eight virtual CPUs, all have the shortest
 * period, 100 ns. The timers raise interrupts or, with the argument `messages`, send messages. The
 * thread that serves the alarms needs less than a tenth of a CPU, and the guest still runs. Times
 * are counted instructions. */
#include <string.h>

#include "nova/hypercall.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define FIRST_AT   0x1000
#define HANDLER_AT 0x2000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define STATE_AT   0x7000
#define READY_AT   0x7008
#define OVER_AT    0x7010
#define CONFIG_AT  0x7014
#define STARTER_AT 0x12000
#define COMMON_AT  0x13000
#define VECTOR     0x61
#define VCPUS      8
#define STORM_MS   400
#define MOST       10 /* per cent of a CPU */

/* Configurations of a periodic timer that a write of its count enables: direct, with vector 0x61;
 * or with messages to source 2. */
#define DIRECT   0x161a
#define MESSAGES 0x2000a

/* State of the guest, at STATE_AT. */
struct state {
        uint32_t taken;  /* interrupts */
        uint32_t rounds; /* loops of the guest, in thousands */
        uint32_t ready;  /* not 0: the other virtual CPUs may start */
        uint32_t began;  /* virtual CPUs that have set their timers */
        uint32_t over;   /* not 0: the monitor has ended the storm */
        uint32_t config; /* configuration of the timers, from the monitor */
};

#define WRITE(msr, low)   "movl $" #msr ", %ecx\nmovl $" #low ", %eax\nxorl %edx, %edx\nwrmsr\n"
#define TIMER(msr, count) "movl $" #msr ", %ecx\nmovl 0x7014, %eax\nwrmsr\n" WRITE(count, 1)
#define STOP(count)       WRITE(count, 0)

GUEST_CODE(first, 32, "movl $1, 0x7008\nmovl $0x13000, %eax\njmp *%eax\n");

/* Goes from real mode to protected mode. */
GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\nlidtl 0x3028\n"
           "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

/* Frees the slot of source 2 in the virtual CPU's message page, which is at EBP. */
GUEST_CODE(handler, 32,
           "pushal\nlock incl 0x7000\nmovl $0, 0x200(%ebp)\n" WRITE(0x40000084, 0)
                   WRITE(0x40000070, 0) "popal\niret\n");

/* Virtual CPU n has its message page at 0x20000 + n * 0x1000, and its stack ends at 0x9000 + n *
 * 0x100. */
GUEST_CODE(common, 32,
           "movl $16, %eax\nmovl %eax, %ds\nmovl %eax, %ss\nmovl $0x40000002, %ecx\nrdmsr\n"
           "movl %eax, %esp\nshll $8, %esp\naddl $0x9000, %esp\n"
           "movl %eax, %ebp\nshll $12, %ebp\naddl $0x20000, %ebp\n"
           "movl $0x40000083, %ecx\nleal 1(%ebp), %eax\nxorl %edx, %edx\nwrmsr\n" WRITE(0x40000092,
                                                                                        0x61)
                   WRITE(0x40000080, 1) "movl $0x1ff, 0xfee000f0\n" TIMER(
                           0x400000b0, 0x400000b1) TIMER(0x400000b2, 0x400000b3) TIMER(0x400000b4,
                                                                                       0x400000b5)
                           TIMER(0x400000b6,
                                 0x400000b7) "lock incl 0x700c\nsti\n1: movl $1000, %ebx\n2: decl "
                                             "%ebx\njnz 2b\n"
                                             "lock incl 0x7004\ncmpl $0, 0x7010\nje 1b\ncli\n" STOP(
                                                     0x400000b1) STOP(0x400000b3) STOP(0x400000b5)
                                                     STOP(0x400000b7) "hlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static void load(uint32_t timers)
{
        nova_guest_write(&vm.memory, CONFIG_AT, &timers, sizeof(timers));
        machine_add_handler(&vm, IDT_AT, VECTOR, HANDLER_AT, handler, GUEST_BYTES(handler));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, COMMON_AT, common, GUEST_BYTES(common));
        machine_begin(&vm, FIRST_AT, first, GUEST_BYTES(first));
        machine_set_tables(&vm, GDT_AT, IDT_AT, VECTOR);
        machine_write_operands(&vm, GDT_AT + 0x20);
}

/* Returns the time that the thread for alarms has used, in us. */
static uint64_t used(void)
{
        uint64_t us = 0;

        return nova_sc_ctrl(nova_thread_sc(vm.timer), &us) == NOVA_SUCCESS ? us : UINT64_MAX;
}

/* Waits until each virtual CPU has set its timers. */
static void wait_for_storm(void)
{
        struct state state = {0};

        while (state.began < VCPUS && vm.end == NOVA_VM_RUNS) {
                nova_sleep(1000000);
                nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        }
}

/* Returns the thread's share of a CPU during the storm, in per cent. */
static unsigned share_of_alarms(void)
{
        const uint64_t begin = nova_time_ns(), before = used();

        nova_sleep((uint64_t)STORM_MS * 1000000);
        return (unsigned)((used() - before) * 100000 / (nova_time_ns() - begin));
}

int main(int argc, char **argv)
{
        static const struct nova_vm_config config = {
                .name = "storm", .memory = 2u << 20, .vcpus = VCPUS, .local_apic = true};
        static const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_ALL,
                                                          .direct_timers = true};
        const bool messages = argc == 2 && !strcmp(argv[1], "messages");
        const uint32_t over = 1;
        struct state state;
        enum nova_vm_end end;
        unsigned share;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        load(messages ? MESSAGES : DIRECT);
        nova_vm_run(&vm);
        machine_start_others(&vm, READY_AT, STARTER_AT);
        wait_for_storm();
        share = share_of_alarms();
        nova_guest_write(&vm.memory, OVER_AT, &over, sizeof(over));
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        printf("%u interrupts, %u thousand rounds, %u per cent for alarms: the guest %s\n",
               (unsigned)state.taken, (unsigned)state.rounds, share, nova_vm_end_text(end));
        return !state.taken || !state.rounds || share >= MOST || end != NOVA_VM_HALTED;
}
