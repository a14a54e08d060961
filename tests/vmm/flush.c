/* SPDX-License-Identifier: BSD-2-Clause */
/* One virtual CPU changes a page table, and flushes the translations of the other virtual CPU by a
 * hypercall. The other virtual CPU reads through this page table all the time, without an exit of
 * its own. After the hypercall it never reads the previous page. */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define MOVER_AT   0x1000
#define GDT_AT     0x3000
#define STATE_AT   0x7000
#define READY_AT   0x7010 /* state.ready, which is set when the hypercall page is at 0x10000 */
#define INPUT_AT   0x7100
#define STARTER_AT 0x12000
#define READER_AT  0x13000
#define TABLES_AT  0x30000 /* page directory and table, which map the first 4 MiB one to one */
#define ONE_AT     0x110000
#define TWO_AT     0x111000
#define MOVES      200

/* State of the guest, at STATE_AT. */
struct state {
        uint32_t moves;  /* bit 0: a move is in progress; bit 1: 0x100000 is the second page */
        uint32_t wrong;  /* reads of the wrong page */
        uint32_t reads;  /* reads while no move was in progress */
        uint32_t over;   /* the mover has finished */
        uint32_t ready;  /* not 0: virtual CPU 1 may start */
        uint32_t failed; /* statuses of the calls, added */
};

/* Writes the entry `to` for 0x100000, and flushes virtual CPU 1 by the call in EDX:EAX. */
#define MOVE(to, call)                                                                       \
        "incl 0x7000\nmovl $" #to ", 0x31400\n" call "movl $0x7100, %ecx\nxorl %ebx, %ebx\n" \
        "movl $0x10000, %ebp\ncall *%ebp\nmovzwl %ax, %eax\naddl %eax, 0x7014\nincl 0x7000\n"
#define SPACE "movl $2, %eax\nxorl %edx, %edx\n"
#define LIST  "movl $3, %eax\nmovl $1, %edx\n"
/* Waits for the reader's next read. */
#define WAIT "movl 0x7008, %eax\n3:pause\ncmpl %eax, 0x7008\nje 3b\n"

/* Both virtual CPUs enable interrupts: with VMX, Bochs (2.7) holds back the host's interrupts while
 * a guest runs that was entered with IF = 0. */
GUEST_CODE(mover, 32,
           "sti\nmovl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\n"
           "movl $1, 0x7010\n" WAIT "movl $100, %edi\n"
           "1:" MOVE(0x111003, SPACE) WAIT MOVE(0x110003, LIST) WAIT
           "decl %edi\njnz 1b\nmovl $1, 0x700c\ncli\nhlt\n");

/* Goes from real mode to protected mode with paging. */
GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\nmovl $0x30000, %eax\nmovl %eax, %cr3\n"
           "movl %cr0, %eax\norl $0x80000001, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

GUEST_CODE(reader, 32,
           "movl $16, %eax\nmovl %eax, %ds\nmovl %eax, %ss\nmovl $0x9000, %esp\nsti\n"
           "1:cmpl $0, 0x700c\njne 9f\n"
           "movl 0x7000, %eax\nmovl 0x100000, %ebx\ncmpl %eax, 0x7000\njne 1b\n"
           "testb $1, %al\njnz 1b\nshrl $1, %eax\nandl $1, %eax\ncmpl %eax, %ebx\nje 2f\n"
           "incl 0x7004\n2:incl 0x7008\njmp 1b\n"
           "9:cli\nhlt\n");

static struct nova_vm vm;
static struct nova_hv hv;

static void load(void)
{
        static const uint64_t gdt[] = {0, 0xcf9b000000ffff, 0xcf93000000ffff, 0,
                                       23 | (uint64_t)GDT_AT << 16};
        static const uint64_t input[] = {TABLES_AT, 0, 2, 0x100000};
        const uint32_t directory = (TABLES_AT + 0x1000) | 3, one = 1;

        nova_guest_write(&vm.memory, GDT_AT, gdt, sizeof(gdt));
        nova_guest_write(&vm.memory, INPUT_AT, input, sizeof(input));
        nova_guest_write(&vm.memory, TABLES_AT, &directory, sizeof(directory));
        for (uint32_t i = 0; i < 1024; i++) {
                const uint32_t entry = (i == 0x100 ? ONE_AT : i << 12) | 3;

                nova_guest_write(&vm.memory, TABLES_AT + 0x1000 + 4 * i, &entry, sizeof(entry));
        }
        nova_guest_write(&vm.memory, TWO_AT, &one, sizeof(one));
        nova_guest_write(&vm.memory, MOVER_AT, mover, GUEST_BYTES(mover));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, READER_AT, reader, GUEST_BYTES(reader));
        nova_registers_protected(&vm.vcpu[0].start, MOVER_AT, 8, 16);
        vm.vcpu[0].start.state.sp = 0xa000;
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "flush", .memory = 4u << 20, .vcpus = 2, .local_apic = true};
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
        struct state state;
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, NULL) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        load();
        nova_vm_run(&vm);
        machine_start_second(&vm, READY_AT, STARTER_AT);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        nova_vm_destroy(&vm);
        printf("%u moves, %u wrong, %u failed, %u calls flushed %u virtual CPUs: the guest %s\n",
               (unsigned)state.moves / 2, (unsigned)state.wrong, (unsigned)state.failed,
               (unsigned)hv.flush_calls, (unsigned)hv.flushes, nova_vm_end_text(end));
        return state.wrong || state.failed || state.reads < MOVES || end != NOVA_VM_HALTED;
}
