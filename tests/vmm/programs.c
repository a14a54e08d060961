/* SPDX-License-Identifier: BSD-2-Clause */
/* The argument selects the guest's program:
 *
 * kernel, user: at CPL 0 or 3, an instruction that the library does not know reads a device.
 * device: at CPL 3, the guest jumps to a device's memory.
 * page: the guest executes the page of its reference counter, which it can only read.
 *
 * The guest has no IDT, so an exception ends it with a triple fault. */
#include <string.h>

#include "novavmm/hv.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT  0x1000
#define RAM_BYTES 0x200000
#define RING_3    0x60 /* DPL in a segment's rights */

GUEST_CODE(reads, 32, "fldl 0xfed00000\nhlt\n");
GUEST_CODE(jumps, 32, "movl $0xfed00000, %ecx\njmp *%ecx\n");
GUEST_CODE(executes, 32,
           "movl $0x40000021, %ecx\nmovl $0x10001, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl 0x10000, %eax\nmovl $0x10000, %ecx\njmp *%ecx\n");

static struct nova_vm vm;
static struct nova_hv hv;

/* Starts the code of a program, which has flat segments. */
static void begin(const char *code, size_t bytes, bool user)
{
        struct nova_utcb_state *const start = &vm.vcpu[0].start.state;

        machine_begin(&vm, GUEST_AT, code, bytes);
        if (!user)
                return;
        start->cs.sel |= 3;
        start->ss.sel |= 3;
        start->cs.ar |= RING_3;
        start->ss.ar |= RING_3;
}

int main(int argc, char **argv)
{
        static const struct nova_vm_config config = {
                .name = "programs", .memory = RAM_BYTES, .same_tsc = true};
        static const struct nova_hv_config enlightened = {
                .privileges = NOVA_HV_PRIVILEGES_USUAL | NOVA_HV_PRIVILEGE_REFERENCE_TSC};
        const char *const what = argc > 1 ? argv[1] : "";
        int error;

        if (!machine_create(&vm, &config, NULL))
                return 1;
        error = nova_hv_enable(&hv, &vm, &enlightened);
        if (!strcmp(what, "page"))
                begin(executes, GUEST_BYTES(executes), false);
        else if (!strcmp(what, "device"))
                begin(jumps, GUEST_BYTES(jumps), true);
        else
                begin(reads, GUEST_BYTES(reads), !strcmp(what, "user"));
        if (!error)
                error = nova_vm_run(&vm);
        if (error) {
                printf("The machine does not run: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }
        printf("The guest %s.\n", nova_vm_end_text(nova_vm_wait(&vm)));
        return 0;
}
