/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual CPU 1 halts with interrupts off. Virtual CPU 0 sends it an NMI and halts, too; the
 * machine must continue. The NMI's handler sends a second NMI to its own virtual CPU. This NMI must
 * arrive right after the handler's IRET, although the IRET returns to a loop that has interrupts
 * off and causes no exit.
 *
 * With the argument `late`, another guest gets an exception and an NMI in one exit. The handler of
 * the exception waits for the NMI with interrupts off. */
#include <stdio.h>
#include <string.h>

#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT 0x1000
#define PORT     0xe9

#define VECTOR_UD 6

/* Words that a virtual CPU writes to the port. */
enum word {
        START = 1, /* starts virtual CPU 1 */
        SEND,      /* sends an NMI to virtual CPU 1 */
        ARRIVED,   /* the last NMI has arrived */
        RAISE      /* raises #UD and sends an NMI to virtual CPU 0 */
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

/* Vectors 2 and 6 are at 8 and 24. */
GUEST_CODE(both, 16,
           "        xorw %ax, %ax\n"
           "        movw %ax, %ds\n"
           "        movw %ax, %ss\n"
           "        movw $0x4000, %sp\n"
           "        movw $(nmi - both + 0x1000), 8\n"
           "        movw $0, 10\n"
           "        movw $(undefined - both + 0x1000), 24\n"
           "        movw $0, 26\n"
           "        movb $4, %al\n"
           "        outb %al, $0xe9\n"
           "undefined: jmp undefined\n"
           "nmi:    movb $3, %al\n"
           "        outb %al, $0xe9\n");

static struct nova_vm vm;
static struct nova_pc pc;

static void raise_both(void)
{
        nova_vcpu_raise(vm.serving, VECTOR_UD);
        nova_vcpu_nmi(vm.serving);
}

static void said(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        if (value == START)
                nova_vcpu_start_at(&vm.vcpu[1], GUEST_AT >> 12);
        else if (value == SEND)
                nova_vcpu_nmi(&vm.vcpu[1]);
        else if (value == RAISE)
                raise_both();
        else
                nova_vm_end_with(&vm, NOVA_VM_OFF);
}

/* Runs a guest. @return true if its last NMI has arrived */
static bool run(const char *code, size_t bytes, unsigned vcpus)
{
        const struct nova_vm_config config = {
                .name = "nmi", .memory = 2u << 20, .vcpus = vcpus, .local_apic = true};
        const struct nova_bus_range port = {PORT, PORT, NULL, said, NULL};

        if (!machine_create(&vm, &config, &pc))
                return false;

        const bool runs = !nova_flat_load(&vm.memory, code, bytes, GUEST_AT, &vm.vcpu[0].start) &&
                          !nova_bus_add(&vm.ports, &port) && !nova_vm_run(&vm);
        return runs && nova_vm_wait(&vm) == NOVA_VM_OFF;
}

int main(int argc, char **argv)
{
        const bool late = argc == 2 && !strcmp(argv[1], "late");
        const bool good =
                late ? run(both, GUEST_BYTES(both), 1) : run(guest, GUEST_BYTES(guest), 2);

        printf("an NMI %s: %s\n", late ? "after an exception" : "for a halted virtual CPU",
               good ? "as on a CPU" : "wrong");
        return !good;
}
