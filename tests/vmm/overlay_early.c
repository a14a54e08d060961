/* SPDX-License-Identifier: BSD-2-Clause */
/* A hypercall page that the monitor enables before the machine starts: the guest's first
 * instruction reads the page, not the RAM below it, and a call works without a setup by the guest.
 */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/registers.h"

#include "enlightened.h"
#include "guest_code.h"

#define GUEST_AT  0x1000
#define GDT_AT    0x3000
#define NOTES_AT  0x6000
#define STACK_AT  0x8000
#define PAGE_AT   0x10000
#define RAM_BYTES 0x200000
#define BELOW     0x11223344
#define IDENTITY  (UINT64_C(0x8100) << 48)

/* Notes the first word of the page, the status of a call with an unknown code, and the word after
 * the page was disabled. */
GUEST_CODE(guest, 32,
           "movl 0x10000, %eax\nmovl %eax, 0x6000\n"
           "movl $0xffff, %eax\nxorl %edx, %edx\nmovl $0x10000, %ecx\ncall *%ecx\n"
           "movl %eax, 0x6004\n"
           "movl $0x40000001, %ecx\nxorl %eax, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl 0x10000, %eax\nmovl %eax, 0x6008\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_hv hv;

static void load(void)
{
        static const uint64_t gdt[] = {0, 0xcf9b000000ffff, 0xcf93000000ffff};
        const uint32_t below = BELOW;
        struct nova_utcb_state *const start = &vm.vcpu[0].start.state;

        nova_guest_write(&vm.memory, GDT_AT, gdt, sizeof(gdt));
        nova_guest_write(&vm.memory, GUEST_AT, guest, GUEST_BYTES(guest));
        nova_guest_write(&vm.memory, PAGE_AT, &below, sizeof(below));
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        start->sp = STACK_AT;
        start->gdtr.base = GDT_AT;
        start->gdtr.limit = sizeof(gdt) - 1;
}

int main(void)
{
        const struct nova_vm_config config = {.name = "early", .memory = RAM_BYTES};
        uint32_t notes[3] = {0, 0, 0};

        if (!machine_create_enlightened(&vm, &hv, &config))
                return 1;
        load();
        nova_hv_msr_set(&hv, 0, 0x40000000, IDENTITY);
        nova_hv_msr_set(&hv, 0, 0x40000001, PAGE_AT | 1);
        nova_vm_run(&vm);
        nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, NOTES_AT, notes, sizeof(notes));
        nova_vm_destroy(&vm);
        printf("the first word is %s, status %u, below is 0x%x\n",
               notes[0] == (vm.svm ? 0xc3d9010f : 0xc3c1010f) ? "a call" : "another",
               (unsigned)notes[1], (unsigned)notes[2]);
        return 0;
}
