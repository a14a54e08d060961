/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest whose synthetic timers all have the shortest period, which is 100 ns: four direct timers
 * of its virtual CPU. The thread that serves the alarms needs less than a tenth of a CPU, and the
 * guest still runs. Times are counted instructions. */
#include "nova/hypercall.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT   0x1000
#define HANDLER_AT 0x2000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define STATE_AT   0x7000
#define OVER_AT    0x7010
#define STACK_AT   0x9000
#define VECTOR     0x61
#define STORM_MS   400
#define MOST       10 /* per cent of a CPU */

/* State of the guest, at STATE_AT. */
struct state {
        uint32_t taken;  /* interrupts */
        uint32_t rounds; /* of its loop, in thousands */
};

#define WRITE(msr, low) "movl $" #msr ", %ecx\nmovl $" #low ", %eax\nxorl %edx, %edx\nwrmsr\n"
/* Periodic, direct, enabled by its count: vector 0x61. */
#define TIMER(config, count) WRITE(config, 0x161a) WRITE(count, 1)
#define STOP(count)          WRITE(count, 0)

GUEST_CODE(handler, 32, "pushal\nincl 0x7000\n" WRITE(0x40000070, 0) "popal\niret\n");
GUEST_CODE(guest, 32,
           "movl $0x1ff, 0xfee000f0\n" TIMER(0x400000b0, 0x400000b1) TIMER(0x400000b2, 0x400000b3)
                   TIMER(0x400000b4, 0x400000b5)
                           TIMER(0x400000b6,
                                 0x400000b7) "sti\n1:movl $1000, %ebx\n2:decl %ebx\njnz 2b\nincl "
                                             "0x7004\ncmpl $0, 0x7010\nje 1b\n"
                                             "cli\n" STOP(0x400000b1) STOP(0x400000b3)
                                                     STOP(0x400000b5) STOP(0x400000b7) "hlt\n");

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

/* Returns the time that the thread for alarms has used, in us. */
static uint64_t used(void)
{
        uint64_t us = 0;

        return nova_sc_ctrl(nova_thread_sc(vm.timer), &us) == NOVA_SUCCESS ? us : UINT64_MAX;
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "storm", .memory = 2u << 20, .local_apic = true};
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL |
                                                                 NOVA_HV_PRIVILEGE_APIC_REGISTERS |
                                                                 NOVA_HV_PRIVILEGE_TIMERS,
                                                   .direct_timers = true};
        const uint32_t over = 1;
        struct state state;
        enum nova_vm_end end;
        uint64_t ran, begin;
        unsigned share;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        load();
        begin = nova_time_ns();
        nova_vm_run(&vm);
        nova_sleep((uint64_t)STORM_MS * 1000000);
        ran = used();
        share = (unsigned)(ran * 100000 / (nova_time_ns() - begin));
        nova_guest_write(&vm.memory, OVER_AT, &over, sizeof(over));
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        printf("%u interrupts, %u thousand rounds, %u per cent for alarms: it %s\n",
               (unsigned)state.taken, (unsigned)state.rounds, share, nova_vm_end_text(end));
        return !state.taken || !state.rounds || share >= MOST || end != NOVA_VM_HALTED;
}
