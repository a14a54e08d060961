/* SPDX-License-Identifier: BSD-2-Clause */
/* The normal guest does not continue after its UV_ESM: neither its other virtual CPU, which runs
 * during UV_ESM, nor the caller, for which an NMI is pending. The secure guest gets an interrupt
 * that a device raises in an exit of the normal guest. */
#include <string.h>

#include "novart/time.h"

#include "../runtime/tap.h"
#include "../vmm/guest_code.h"
#include "guest_exits.h"
#include "monitor.h"

#define VECTOR  7u /* page of the other virtual CPU's code */
#define AT      (VECTOR * 4096u)
#define COUNTER (AT + 0x800)
#define WAIT_NS 50000000u
#define WAITS   100u
#define LATE_NS 5000000000u

GUEST_CODE(left_count, 16, "movw %cs, %ax\nmovw %ax, %ds\n1: incl 0x800\njmp 1b\n");

static bool is_due;                /* the device raises an interrupt at the next exit */
static bool pending;               /* it has raised it */
static nova_vcpu_handler *convert; /* the library's handler of hypercalls */

static uint32_t count_now(void)
{
        return *(volatile uint32_t *)nova_guest_pointer(&vm.memory, COUNTER, sizeof(uint32_t));
}

static void wait_for_count(void *unused)
{
        (void)unused;
        while (!count_now())
                nova_sleep(1000000);
}

/* Returns true if the other virtual CPU stops soon. Its CPU gets the request to stop at any time,
 * because the host may have other load. */
static bool stops(void)
{
        for (unsigned i = 0; i < WAITS; i++) {
                const uint32_t before = count_now();

                nova_sleep(WAIT_NS);
                if (count_now() == before)
                        return true;
        }
        return false;
}

/* Lets another virtual CPU run, makes an NMI pending, and then serves UV_ESM. */
static void convert_late(struct nova_vcpu *vcpu)
{
        nova_vcpu_start_at(&vm.vcpu[1], VECTOR);
        nova_vcpu_call_out(vcpu, wait_for_count, NULL);
        nova_vcpu_nmi(vcpu);
        convert(vcpu);
}

static bool has_interrupt(void *unused, unsigned vcpu)
{
        (void)unused;
        return pending && !vcpu;
}

static int take_interrupt(void *unused, unsigned vcpu)
{
        const bool taken = has_interrupt(unused, vcpu);

        pending &= !taken;
        return taken ? PROBE_VECTOR_LOW : -1;
}

/* Raises the device's interrupt if it is due. The library calls this function at each exit of the
 * normal guest and of the secure guest. */
static void look(void *unused)
{
        (void)unused;
        if (!__atomic_exchange_n(&is_due, false, __ATOMIC_SEQ_CST))
                return;
        pending = true;
        nova_vcpu_kick(&vm.vcpu[0]);
}

/* Tests an interrupt that a device raises in an exit of the normal guest. While the secure guest
 * halts, a report causes an exit of the virtual CPU that is in UV_ESM. */
static void interrupt_from_normal_exit(void)
{
        uint64_t late;

        __atomic_store_n(&is_due, true, __ATOMIC_SEQ_CST);
        nova_vm_report(&vm);
        late = nova_tsc_of_ns(nova_time_ns() + LATE_NS);
        check(!nova_semaphore_down_until(&drive_answered, late),
              "an interrupt that a device raises in an exit of the normal guest wakes it");
}

int main(void)
{
        const struct nova_vm_config config = {.name = "left", .local_apic = true, .vcpus = 2};

        if (!monitor_create(config))
                return 1;
        vm.interrupts = (struct nova_vm_interrupts){has_interrupt, take_interrupt, NULL};
        vm.look = look;
        memcpy(nova_guest_pointer(&vm.memory, AT, GUEST_BYTES(left_count)), left_count,
               GUEST_BYTES(left_count));
        convert = vm.handler[NOVA_VM_EXIT_HYPERCALL];
        nova_vm_on(&vm, NOVA_VM_EXIT_HYPERCALL, convert_late);
        if (nova_vm_run(&vm))
                return 1;
        check(guest(PROBE_READ, 0x200000, 0) && nova_secure_is_secure(&secure),
              "a guest is secure");
        check(count_now(), "another virtual CPU of the normal guest has run");
        check(stops(), "it does not run any more");
        check(guest(PROBE_TAKEN, PROBE_VECTOR_LOW, 0) == 0, "the secure guest runs");
        /* Each call of the secure guest holds the machine's lock, so the guest halts. */
        drive_begin(PROBE_EXIT, GUEST_EXIT_HALT, 0);
        nova_sleep(WAIT_NS);
        check(vm.end == NOVA_VM_RUNS, "the virtual CPU of UV_ESM does not take its NMI");
        interrupt_from_normal_exit();
        return tap_end();
}
