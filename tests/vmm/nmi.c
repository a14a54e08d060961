/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual CPU 1 halts with interrupts off. Virtual CPU 0 sends it an NMI and halts, too; the
 * machine must continue. The NMI's handler sends a second NMI to its own virtual CPU. This NMI must
 * arrive right after the handler's IRET, although the IRET returns to a loop that has interrupts
 * off and causes no exit. */
#include <stdio.h>

#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT 0x1000
#define PORT     0xe9

/* Words that a virtual CPU writes to the port. */
enum word {
        START = 1, /* starts virtual CPU 1 */
        SEND,      /* sends an NMI to virtual CPU 1 */
        ARRIVED    /* virtual CPU 1 has received both NMIs */
};

/* Runs in real mode; vector 2 is at 8. Virtual CPU 1 finds 1 at 0x5000, sets a flag at 0x5002, and
 * halts. Virtual CPU 0 waits for the flag, and then until virtual CPU 1 has surely halted. */
GUEST_CODE(guest, 16,
           "        xorw %ax, %ax\n"
           "        movw %ax, %ds\n"
           "        movw %ax, %ss\n"
           "        movw $0x4000, %sp\n"
           "        cmpw $1, 0x5000\n"
           "        je second\n"
           "        movw $(arrived - guest + 0x1000), 8\n"
           "        movw $0, 10\n"
           "        movw $1, 0x5000\n"
           "        movb $1, %al\n"
           "        outb %al, $0xe9\n"
           "1:      pause\n"
           "        cmpw $1, 0x5002\n"
           "        jne 1b\n"
           "        movl $20000000, %ecx\n"
           "2:      decl %ecx\n"
           "        jnz 2b\n"
           "        movb $2, %al\n"
           "        outb %al, $0xe9\n"
           "        hlt\n"
           "second: movw $1, 0x5002\n"
           "        hlt\n"
           "3:      jmp 3b\n"
           "arrived: incw 0x5004\n"
           "        cmpw $2, 0x5004\n"
           "        je 4f\n"
           "        movb $2, %al\n"
           "        outb %al, $0xe9\n"
           "        cmpw $1, 0x5004\n" /* the second NMI is pending */
           "        jne 3b\n"
           "        iretw\n"
           "4:      movb $3, %al\n"
           "        outb %al, $0xe9\n");

static struct nova_vm vm;
static struct nova_pc pc;

static void said(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        if (value == START)
                nova_vcpu_start_at(&vm.vcpu[1], GUEST_AT >> 12);
        else if (value == SEND)
                nova_vcpu_nmi(&vm.vcpu[1]);
        else
                nova_vm_end_with(&vm, NOVA_VM_OFF);
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "nmi", .memory = 2u << 20, .vcpus = 2, .local_apic = true};
        const struct nova_bus_range port = {PORT, PORT, NULL, said, NULL};

        if (!machine_create(&vm, &config, &pc))
                return 1;

        const bool runs = !nova_flat_load(&vm.memory, guest, GUEST_BYTES(guest), GUEST_AT,
                                          &vm.vcpu[0].start) &&
                          !nova_bus_add(&vm.ports, &port) && !nova_vm_run(&vm);
        const bool good = runs && nova_vm_wait(&vm) == NOVA_VM_OFF;

        printf("an NMI for a halted virtual CPU: %s\n", good ? "as on a CPU" : "wrong");
        return !good;
}
