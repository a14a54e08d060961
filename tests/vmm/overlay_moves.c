/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest moves its hypercall page through all of its RAM, and writes each page that the hypercall
 * page has left. The kernel memory that this takes does not grow with the RAM. */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "enlightened.h"
#include "guest_code.h"

#define GUEST_AT      0x1000
#define GDT_AT        0x3000
#define STACK_AT      0x8000
#define FIRST_AT      0x200000
#define RAM_BYTES     (64u << 20)
#define KERNEL_MEMORY (512u << 10)

/* EBX: the address of the hypercall page. The guest writes the address of each page to the page. */
GUEST_CODE(guest, 32,
           "movl $0x40000000, %ecx\nmovl $0, %eax\nmovl $0x81000000, %edx\nwrmsr\n"
           "movl $0x200000, %ebx\n"
           "1: movl $0x40000001, %ecx\nmovl %ebx, %eax\norl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl %ebx, -0x1000(%ebx)\nsubl $0x1000, -0x1000(%ebx)\n"
           "addl $0x1000, %ebx\ncmpl $0x4000000, %ebx\njb 1b\n"
           "movl $0x40000001, %ecx\nxorl %eax, %eax\nwrmsr\n"
           "movl $0x3fff000, 0x3fff000\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_hv hv;

static void load(void)
{
        static const uint64_t gdt[] = {0, 0xcf9b000000ffff, 0xcf93000000ffff};
        struct nova_utcb_state *const start = &vm.vcpu[0].start.state;

        nova_guest_write(&vm.memory, GDT_AT, gdt, sizeof(gdt));
        nova_guest_write(&vm.memory, GUEST_AT, guest, GUEST_BYTES(guest));
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        start->sp = STACK_AT;
        start->gdtr.base = GDT_AT;
        start->gdtr.limit = sizeof(gdt) - 1;
}

/* Returns the number of pages that have the guest's word. */
static unsigned written(void)
{
        unsigned pages = 0;
        uint32_t word;

        for (uint32_t at = FIRST_AT; at < RAM_BYTES; at += 0x1000)
                pages += nova_guest_read(&vm.memory, at, &word, sizeof(word)) && word == at;
        return pages;
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "moves", .memory = RAM_BYTES, .kernel_memory = KERNEL_MEMORY};
        enum nova_vm_end end;

        if (!machine_create_enlightened(&vm, &hv, &config))
                return 1;
        load();
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        printf("%u of %u pages were written: the guest %s\n", written(),
               (RAM_BYTES - FIRST_AT) / 0x1000, nova_vm_end_text(end));
        nova_vm_destroy(&vm);
        return end != NOVA_VM_HALTED;
}
