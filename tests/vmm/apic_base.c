/* SPDX-License-Identifier: BSD-2-Clause */
/* IA32_APIC_BASE of two virtual CPUs: only that of the first one has the BSP bit. A write that
 * moves the local APIC raises #GP. A write may disable the APIC; its registers then disappear. */
#include <stdio.h>

#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT     0x1000
#define FOUND_AT     0x5000 /* for each virtual CPU: the value read, and the writes that faulted */
#define SEEN_AT      0x5010 /* for each virtual CPU: whether CPUID reported an APIC that was off */
#define THROUGH_PORT 0xe9

/* Runs in real mode; vector 13 is at 0x34. Writes the present value, another address, and the
 * x2APIC bit. Then disables the APIC, reads CPUID, and enables it again. The second virtual CPU
 * runs this code, too, and has its own number in bit 8. */
GUEST_CODE(reader, 16,
           "        xorw %ax, %ax\n"
           "        movw %ax, %ds\n"
           "        movw %ax, %ss\n"
           "        movw $0x4000, %sp\n"
           "        movw $(fault - reader + 0x1000), 0x34\n"
           "        movw $0, 0x36\n"
           "        xorl %edi, %edi\n"
           "        movl $0x1b, %ecx\n"
           "        rdmsr\n"
           "        movl %eax, %ebx\n"
           "        wrmsr\n"
           "        xorl $0x100000, %eax\n"
           "        wrmsr\n"
           "        movl %ebx, %eax\n"
           "        xorl $0x400, %eax\n"
           "        wrmsr\n"
           "        movl %ebx, %eax\n"
           "        xorl $0x800, %eax\n"
           "        wrmsr\n"
           "        movl $1, %eax\n"
           "        cpuid\n"
           "        shrl $9, %edx\n"
           "        andl $1, %edx\n"
           "        movl %edx, %ebp\n"
           "        movl $0x1b, %ecx\n"
           "        rdmsr\n"
           "        xorl $0x800, %eax\n"
           "        wrmsr\n"
           "        movl %eax, %ebx\n"
           "        movw $0x5000, %si\n"
           "        testb $1, %bh\n"
           "        jnz 1f\n"
           "        movw $0x5008, %si\n"
           "1:      movl %ebx, (%si)\n"
           "        movl %edi, 4(%si)\n"
           "        movl %ebp, 16(%si)\n"
           "        outb %al, $0xe9\n"
           "2:      sti\n"
           "        hlt\n"
           "        jmp 2b\n"
           "fault:  incl %edi\n"
           "        movw %sp, %bp\n"
           "        addw $2, (%bp)\n"
           "        iretw\n");

static struct nova_vm vm;
static struct nova_pc pc;

static bool check(unsigned vcpu, uint32_t base)
{
        uint32_t found[2] = {0}, seen = 1;

        nova_guest_read(&vm.memory, FOUND_AT + vcpu * sizeof(found), found, sizeof(found));
        nova_guest_read(&vm.memory, SEEN_AT + vcpu * sizeof(found), &seen, sizeof(seen));
        printf("vCPU %u has %08x, %u writes faulted\n", vcpu, (unsigned)found[0],
               (unsigned)found[1]);
        return found[0] == base && found[1] == 2 && !seen;
}

/* Starts the second virtual CPU when the first one has finished. The second one ends the
 * machine. */
static void next(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        (void)value;
        if (vm.serving->number)
                nova_vm_end_with(&vm, NOVA_VM_OFF);
        else
                nova_vcpu_start_at(&vm.vcpu[1], GUEST_AT >> 12);
}

static bool run(void)
{
        const struct nova_bus_range through = {THROUGH_PORT, THROUGH_PORT, NULL, next, NULL};
        const char *const why = nova_flat_load(&vm.memory, reader, GUEST_BYTES(reader), GUEST_AT,
                                               &vm.vcpu[0].start);

        return !why && !nova_bus_add(&vm.ports, &through) && !nova_vm_run(&vm) &&
               nova_vm_wait(&vm) == NOVA_VM_OFF;
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "reader", .memory = 2u << 20, .vcpus = 2, .local_apic = true};

        if (!machine_create(&vm, &config, &pc))
                return 1;

        bool good = run();

        good &= check(0, NOVA_LAPIC_AT | 0x900);
        good &= check(1, NOVA_LAPIC_AT | 0x800);
        printf("IA32_APIC_BASE: %s\n", good ? "as on a CPU" : "wrong");
        return !good;
}
