/* SPDX-License-Identifier: BSD-2-Clause */
/* One virtual CPU moves the hypercall page back and forth; another one reads both places all the
 * time. The reader must never see the page at its previous place. */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define MOVER_AT  0x1000
#define READER_AT 0x12000
#define STATE_AT  0x7000
#define READY_AT  0x7010 /* not 0: the page is at 0x10000 */
#define MOVES     100

/* State of the guest, at STATE_AT. */
struct state {
        uint32_t moves; /* bit 0: a move is in progress; bit 1: the page is at 0x11000 */
        uint32_t wrong; /* reads of the wrong page */
        uint32_t reads; /* pairs of reads while no move was in progress */
        uint32_t over;  /* the mover has finished */
};

#define MOVE(value)                                                                             \
        "incl 0x7000\nmovl $0x40000001, %ecx\nmovl $" #value ", %eax\nxorl %edx, %edx\nwrmsr\n" \
        "incl 0x7000\n"
/* Waits for the reader's next pair of reads. */
#define WAIT "movl 0x7008, %eax\n3:pause\ncmpl %eax, 0x7008\nje 3b\n"
/* Counts an error if the place `ram` does not show RAM, or the place `page` does not show the
 * hypercall page. */
#define CHECK(ram, page)                                                             \
        "cmpl $0x11223344, " #ram "\nje 4f\nincl 0x7004\n4:cmpl $0x11223344, " #page \
        "\njne 4f\nincl 0x7004\n4:"

/* Both virtual CPUs enable interrupts: with VMX, Bochs (2.7) holds back the host's interrupts while
 * a guest runs that was entered with IF = 0. */
GUEST_CODE(mover, 32,
           "sti\nmovl $0x11223344, 0x10000\nmovl $0x11223344, 0x11000\n"
           "movl $0x40000000, %ecx\nmovl $1, %eax\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $1, 0x7010\n"
           "movl $100, %esi\n"
           "1:" MOVE(0x11001) CHECK(0x10000, 0x11000) WAIT MOVE(0x10001) CHECK(0x11000, 0x10000)
                   WAIT "decl %esi\njnz 1b\nmovl $1, 0x700c\ncli\nhlt\n");

/* Runs in real mode: DS is at 0x10000, ES at 0x11000, FS at 0. */
GUEST_CODE(reader, 16,
           "sti\nmovw $0x1000, %ax\nmovw %ax, %ds\nmovw $0x1100, %ax\nmovw %ax, %es\n"
           "xorw %ax, %ax\nmovw %ax, %fs\n"
           "1:cmpl $0, %fs:0x700c\njne 9f\n"
           "movl %fs:0x7000, %eax\nmovl 0, %ebx\nmovl %es:0, %ecx\n"
           "cmpl %eax, %fs:0x7000\njne 1b\ntestb $1, %al\njnz 1b\n"
           "testb $2, %al\njz 2f\nxchgl %ebx, %ecx\n"
           "2:cmpl $0x11223344, %ebx\njne 3f\nincl %fs:0x7004\n"
           "3:cmpl $0x11223344, %ecx\nje 4f\nincl %fs:0x7004\n"
           "4:incl %fs:0x7008\njmp 1b\n"
           "9:cli\nhlt\n");

static struct nova_vm vm;
static struct nova_hv hv;

int main(void)
{
        const struct nova_vm_config config = {
                .name = "overlay", .memory = 2u << 20, .vcpus = 2, .local_apic = true};
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
        struct state state;
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, NULL) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        nova_guest_write(&vm.memory, MOVER_AT, mover, GUEST_BYTES(mover));
        nova_guest_write(&vm.memory, READER_AT, reader, GUEST_BYTES(reader));
        nova_registers_protected(&vm.vcpu[0].start, MOVER_AT, 8, 16);
        nova_vm_run(&vm);
        machine_start_second(&vm, READY_AT, READER_AT);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        nova_vm_destroy(&vm);
        printf("%u moves, %u wrong, %u reads: the guest %s\n", (unsigned)state.moves / 2,
               (unsigned)state.wrong, (unsigned)state.reads, nova_vm_end_text(end));
        return state.wrong || state.reads < MOVES || end != NOVA_VM_HALTED;
}
