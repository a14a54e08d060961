/* SPDX-License-Identifier: BSD-2-Clause */
/* The size that CPUID reports for XSAVE's state follows the features that the guest has enabled. */
#include <stdio.h>

#include "novavmm/cpuid.h"
#include "novavmm/load.h"
#include "novavmm/vm.h"

#include "guest_code.h"

#define GUEST_AT 0x1000
#define PORT     0x80

/* Sizes in bytes that the guest wrote: a pair with x87 and SSE, then a pair with AVX, too. Each
 * pair has the size of XSAVE's standard format (CPUID subleaf 0), and the size of the compacted
 * format (subleaf 1). */
static uint32_t size[4];
static unsigned sizes;
static struct nova_vm vm;

GUEST_CODE(code, 32,
           "        movl %cr4, %eax\n"
           "        orl $0x40000, %eax\n"
           "        movl %eax, %cr4\n"
           "        movl $3, %esi\n"
           "1:      movl %esi, %eax\n"
           "        xorl %edx, %edx\n"
           "        xorl %ecx, %ecx\n"
           "        xsetbv\n"
           "        movl $0xd, %eax\n"
           "        xorl %ecx, %ecx\n"
           "        cpuid\n"
           "        movl %ebx, %eax\n"
           "        outl %eax, $0x80\n"
           "        movl $0xd, %eax\n"
           "        movl $1, %ecx\n"
           "        cpuid\n"
           "        movl %ebx, %eax\n"
           "        outl %eax, $0x80\n"
           "        addl $4, %esi\n"
           "        cmpl $7, %esi\n"
           "        jbe 1b\n"
           "        hlt\n");

static void note(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        if (sizes < 4)
                size[sizes++] = (uint32_t)value;
}

int main(void)
{
        const struct nova_vm_config config = {.name = "xsave", .memory = 2u << 20};
        const struct nova_bus_range range = {PORT, PORT + 3, NULL, note, NULL};
        const uint32_t compacted = nova_cpuid_host(0xd, 1).eax & 2;
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_bus_add(&vm.ports, &range);
        if (!error) {
                nova_guest_write(&vm.memory, GUEST_AT, code, GUEST_BYTES(code));
                nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
                error = nova_vm_run(&vm);
        }
        if (error) {
                printf("The machine cannot be started: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }
        if (nova_vm_wait(&vm) != NOVA_VM_HALTED || sizes != 4)
                return 1;
        printf("with SSE %u and %u bytes, with AVX %u and %u\n", (unsigned)size[0],
               (unsigned)size[1], (unsigned)size[2], (unsigned)size[3]);
        return size[0] != 576 || size[2] != 832 || size[1] != (compacted ? 576 : 0) ||
               size[3] != (compacted ? 832 : 0);
}
