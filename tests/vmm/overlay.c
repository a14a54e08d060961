/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's accesses to the hypercall page, which covers RAM: reads, writes, calls, moves, in
 * protected mode without paging. The guest records the values that it finds. */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "enlightened.h"
#include "guest_code.h"

#define GUEST_AT   0x1000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define GP_AT      0x4000
#define UD_AT      0x4800
#define NOTES_AT   0x6000
#define STACK_AT   0x8000
#define RAM_BYTES  0x200000
#define BELOW      0x11223344
#define BELOW_NEXT 0x55667788

/* The handlers count in ESI (#GP) and EBX (#UD), and continue at EBP. */
GUEST_CODE(gp_handler, 32, "incl %esi\naddl $4, %esp\nmovl %ebp, (%esp)\niret\n");
GUEST_CODE(ud_handler, 32, "incl %ebx\nmovl %ebp, (%esp)\niret\n");

#define NOTE_EAX       "stosl\n"
#define NOTE_ESI       "movl %esi, %eax\nstosl\n"
#define NOTE_EBX       "movl %ebx, %eax\nstosl\n"
#define NOTE_AT(at)    "movl " #at ", %eax\nstosl\n"
#define RESUME         "movl $(0x1000 + 1f - guest), %ebp\n"
#define MOVE(value)    "movl $0x40000001, %ecx\nmovl $" #value ", %eax\nxorl %edx, %edx\nwrmsr\n"
#define NOTE_REGISTER  "movl $0x40000001, %ecx\nrdmsr\nstosl\n"
#define IDENTITY(high) "movl $0x40000000, %ecx\nmovl $0, %eax\nmovl $" #high ", %edx\nwrmsr\n"
/* A call with an unknown code, whose status is 2. EBX, EDI and ESI are parameters. */
#define CALL(at) "movl $0xffff, %eax\nxorl %edx, %edx\nmovl $" #at ", %ecx\ncall *%ecx\nstosl\n"

GUEST_CODE(
        guest, 32,
        "movl $0x6000, %edi\nxorl %esi, %esi\nxorl %ebx, %ebx\n"
        "movl $0x11223344, 0x10000\nmovl $0x55667788, 0x11000\n" IDENTITY(0x81000000) MOVE(0x10001)
                NOTE_AT(0x10000) CALL(0x10000)
        /* writes: MOV, a string instruction, a port's string instruction, a locked one */
        RESUME
        "movl %eax, 0x10000\n1:" NOTE_ESI RESUME
        "pushl %edi\nmovl $0x10010, %edi\nmovl $8, %ecx\nrep stosb\n1:popl %edi\n" NOTE_ESI RESUME
        "pushl %edi\nmovl $0x10010, %edi\nmovl $0x3f8, %edx\ninsb\n1:popl %edi\n" NOTE_ESI RESUME
        "lock incl 0x10020\n1:" NOTE_ESI NOTE_AT(0x10000)
        /* moves: to the next page, onto itself, out of RAM, to the last page, away */
        MOVE(0x11001) NOTE_AT(0x10000) NOTE_AT(0x11000) CALL(0x11000) MOVE(0x11001) NOTE_AT(0x11000)
                RESUME MOVE(0xd0000001) "1:" NOTE_ESI NOTE_REGISTER MOVE(0x1ff001) NOTE_AT(0x11000)
                        NOTE_AT(0x1ff000) CALL(0x1ff000) IDENTITY(0) NOTE_AT(0x1ff000)
                                NOTE_REGISTER RESUME
        "vmcall\n1:" NOTE_EBX RESUME "vmmcall\n1:" NOTE_EBX MOVE(0x10001) NOTE_AT(0x10000)
        /* a lock */
        IDENTITY(0x81000000) MOVE(0x10003) MOVE(0) NOTE_REGISTER NOTE_AT(0x10000) "hlt\n");

static struct nova_vm vm;
static struct nova_hv hv;

static void load(void)
{
        static const uint64_t gdt[] = {0, 0xcf9b000000ffff, 0xcf93000000ffff};
        static const uint64_t gate = 0x8e0000080000;
        const uint64_t gp = gate | GP_AT, ud = gate | UD_AT;
        struct nova_utcb_state *const start = &vm.vcpu[0].start.state;

        nova_guest_write(&vm.memory, GDT_AT, gdt, sizeof(gdt));
        nova_guest_write(&vm.memory, IDT_AT + 13 * sizeof(gate), &gp, sizeof(gp));
        nova_guest_write(&vm.memory, IDT_AT + 6 * sizeof(gate), &ud, sizeof(ud));
        nova_guest_write(&vm.memory, GP_AT, gp_handler, GUEST_BYTES(gp_handler));
        nova_guest_write(&vm.memory, UD_AT, ud_handler, GUEST_BYTES(ud_handler));
        nova_guest_write(&vm.memory, GUEST_AT, guest, GUEST_BYTES(guest));
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        start->sp = STACK_AT;
        start->gdtr.base = GDT_AT;
        start->gdtr.limit = sizeof(gdt) - 1;
        start->idtr.base = IDT_AT;
        start->idtr.limit = 14 * sizeof(gate) - 1;
}

/* Compares the guest's notes with the expected ones. */
static bool notes_are_right(void)
{
        const uint32_t code = vm.svm ? 0xc3d9010f : 0xc3c1010f;
        const uint32_t expected[] = {
                code,       2,                                      /* the page, a call */
                1,          2,       3,    4,    code,              /* #GP of the writes */
                BELOW,      code,    2,    code, 5,        0x11001, /* moves */
                BELOW_NEXT, code,    2,    0,    0x1ff000, 1,
                2,                         /* the last page, away, #UD */
                BELOW,      0x10003, code, /* no identity, a lock */
        };
        uint32_t notes[sizeof(expected) / sizeof(*expected) + 1];
        bool good = true;

        nova_guest_read(&vm.memory, NOTES_AT, notes, sizeof(notes));
        for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
                if (notes[i] != expected[i]) {
                        printf("note %u is 0x%x instead of 0x%x\n", (unsigned)i, (unsigned)notes[i],
                               (unsigned)expected[i]);
                        good = false;
                }
        return good;
}

/* Checks what the monitor finds under the page and on it. */
static bool memory_is_right(void)
{
        uint32_t below, seen;

        memcpy(&below, vm.memory.base + 0x10000, sizeof(below));
        nova_guest_read(&vm.memory, 0x10000, &seen, sizeof(seen));
        return below == BELOW && seen != BELOW &&
               !nova_guest_write(&vm.memory, 0x10000, &below, sizeof(below));
}

int main(void)
{
        const struct nova_vm_config config = {.name = "overlay", .memory = RAM_BYTES};
        bool good;

        if (!machine_create_enlightened(&vm, &hv, &config))
                return 1;
        load();
        nova_vm_run(&vm);
        good = nova_vm_wait(&vm) == NOVA_VM_HALTED;
        good &= notes_are_right() && memory_is_right();
        nova_vm_destroy(&vm);
        printf("overlay: %s\n", good ? "as described" : "wrong");
        return !good;
}
