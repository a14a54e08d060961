/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual CPU 0 halts with interrupts off. Virtual CPU 1 then sends INIT to itself, so nothing can
 * continue: the machine must end. The second machine must also report it, with the registers of
 * virtual CPU 0. */
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT 0x1000
#define PORT     0xe9
#define LAPIC_AT 0xfee00000u
#define COMMAND  0x300u
#define TARGET   0x310u
#define INIT     0x4500u

/* Runs in real mode. Virtual CPU 1 finds 1 at 0x500. It waits until virtual CPU 0 has halted. */
GUEST_CODE(guest, 16,
           "        xorw %ax, %ax\n"
           "        movw %ax, %ds\n"
           "        cli\n"
           "        movw $1, %ax\n"
           "        xchgw %ax, 0x500\n"
           "        testw %ax, %ax\n"
           "        jnz 1f\n"
           "        outb %al, $0xe9\n"
           "        hlt\n"
           "1:      inb $0xe9, %al\n"
           "        testb %al, %al\n"
           "        jz 1b\n"
           "        outb %al, $0xe9\n"
           "2:      jmp 2b\n");

static struct nova_vm vm;
static struct nova_pc pc;

/* Returns 1 if virtual CPU 0 has halted. */
static uint64_t ask(void *device, uint64_t port, unsigned bytes)
{
        (void)device;
        (void)port;
        (void)bytes;
        return vm.vcpu[0].activity == NOVA_VCPU_DEAD;
}

/* Virtual CPU 0 writes 0: virtual CPU 1 starts. Virtual CPU 1 writes 1: its local APIC sends the
 * message. */
static void tell(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        if (!value) {
                nova_vcpu_start_at(&vm.vcpu[1], GUEST_AT >> 12);
                return;
        }
        nova_bus_put(&vm.mmio, LAPIC_AT + TARGET, 4, 1u << 24);
        nova_bus_put(&vm.mmio, LAPIC_AT + COMMAND, 4, INIT);
}

static enum nova_vm_end run(const char *name, bool report)
{
        const struct nova_vm_config config = {.name = name,
                                              .memory = 2u << 20,
                                              .vcpus = 2,
                                              .local_apic = true,
                                              .report_halt = report};
        const struct nova_bus_range range = {PORT, PORT, ask, tell, NULL};

        if (!machine_create(&vm, &config, &pc) || nova_bus_add(&vm.ports, &range) ||
            nova_flat_load(&vm.memory, guest, GUEST_BYTES(guest), GUEST_AT, &vm.vcpu[0].start) ||
            nova_vm_run(&vm))
                return NOVA_VM_RUNS;

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        printf("%s: it %s\n", name, nova_vm_end_text(end));
        return end;
}

int main(void)
{
        return run("silent", false) != NOVA_VM_HALTED || run("reported", true) != NOVA_VM_ERROR;
}
