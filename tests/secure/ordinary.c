/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM without the ultravisor, which boots a normal VM on request (flood.h). */
#include <stdio.h>

#include "../vmm/guest_code.h"
#include "../vmm/machine.h"
#include "novart/service.h"
#include "novart/sync.h"

#define CODE_AT 0x1000

static struct nova_semaphore asked = NOVA_SEMAPHORE_INITIALIZER(0);
static struct nova_semaphore booted = NOVA_SEMAPHORE_INITIALIZER(0);
static bool good;

/* The code of the normal VM: counts, executes CPUID, and writes to a port. */
GUEST_CODE(boots, 32,
           "movl $400, %edi\n1: movl $50000, %ecx\n2: decl %ecx\njnz 2b\nmovl $10, %esi\n"
           "3: xorl %eax, %eax\ncpuid\noutb %al, $0x80\ndecl %esi\njnz 3b\n"
           "decl %edi\njnz 1b\nhlt\n");

static bool boot(void)
{
        static const struct nova_vm_config config = {.name = "ordinary", .memory = 2u << 20};
        static struct nova_vm vm;
        enum nova_vm_end end = NOVA_VM_ERROR;

        if (!machine_create(&vm, &config, NULL))
                return false;
        machine_begin(&vm, CODE_AT, boots, GUEST_BYTES(boots));
        if (!nova_vm_run(&vm))
                end = nova_vm_wait(&vm);
        nova_vm_destroy(&vm);
        return end == NOVA_VM_HALTED;
}

static int serve(struct nova_request *request)
{
        nova_semaphore_up(&asked);
        nova_semaphore_down(&booted);
        nova_request_answer(request, good);
        return 0;
}

int main(void)
{
        static const struct nova_service_operation operations[] = {{serve, 1, 1, false}};
        const struct nova_service_config config = {
                .name = "ordinary", .operations = operations, .operation_count = 1};

        if (nova_service_start(NULL, &config))
                return 1;
        for (;;) {
                nova_semaphore_down(&asked);
                good = boot();
                nova_semaphore_up(&booted);
        }
}
