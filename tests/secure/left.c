/* SPDX-License-Identifier: BSD-2-Clause */
/* The normal guest does not continue after its UV_ESM: neither another virtual CPU, which runs
 * during UV_ESM, nor the caller, for which an NMI is pending. */
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

GUEST_CODE(left_count, 16, "movw %cs, %ax\nmovw %ax, %ds\n1: incl 0x800\njmp 1b\n");

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

/* Serves UV_ESM after another virtual CPU runs and an NMI is pending. */
static void convert_late(struct nova_vcpu *vcpu)
{
        nova_vcpu_start_at(&vm.vcpu[1], VECTOR);
        nova_vcpu_call_out(vcpu, wait_for_count, NULL);
        nova_vcpu_nmi(vcpu);
        convert(vcpu);
}

int main(void)
{
        const struct nova_vm_config config = {.name = "left", .local_apic = true, .vcpus = 2};
        uint32_t before;

        if (!monitor_create(config))
                return 1;
        memcpy(nova_guest_pointer(&vm.memory, AT, GUEST_BYTES(left_count)), left_count,
               GUEST_BYTES(left_count));
        convert = vm.handler[NOVA_VM_EXIT_HYPERCALL];
        nova_vm_on(&vm, NOVA_VM_EXIT_HYPERCALL, convert_late);
        if (nova_vm_run(&vm))
                return 1;
        check(guest(PROBE_READ, 0x200000, 0) && nova_secure_is_secure(&secure),
              "a guest is secure");
        nova_sleep(WAIT_NS);
        before = count_now();
        check(before, "another virtual CPU of the normal guest has run");
        nova_sleep(WAIT_NS);
        check(count_now() == before, "it does not run any more");
        check(guest(PROBE_READ, 0x200000, 0), "the secure guest runs");
        /* Each call of the secure guest holds the machine's lock, so the guest halts. */
        drive_begin(PROBE_EXIT, GUEST_EXIT_HALT, 0);
        nova_sleep(WAIT_NS);
        check(vm.end == NOVA_VM_RUNS, "the virtual CPU of UV_ESM does not take its NMI");
        return tap_end();
}
