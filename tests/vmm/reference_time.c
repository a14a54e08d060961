/* SPDX-License-Identifier: BSD-2-Clause */
/* Two virtual CPUs read the counter of reference time, the TSC, and the counter again. The TSC,
 * converted with scale and offset of the page, must be between the two values. Then one virtual CPU
 * changes its TSC. */
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define FIRST_AT  0x1000
#define SECOND_AT 0x2000
#define STATE_AT  0x7000
#define PAGE_AT   0x10000
#define NOTES_AT  0x20000 /* notes of the first virtual CPU */
#define NOTES_AT2 0x30000 /* notes of the second virtual CPU */
#define ROUNDS    200

/* State of the guest, at STATE_AT. */
struct state {
        uint32_t ready;    /* the page exists */
        uint32_t finished; /* the second virtual CPU has all its notes */
        uint32_t valid;    /* sequence of the page */
        uint32_t broken;   /* sequence of the page after a write of the TSC */
};

/* The counter before, the TSC, the counter after. */
struct note {
        uint64_t before, tsc, after;
};

#define NOTE_COUNTER "movl $0x40000020, %ecx\nrdmsr\nstosl\nmovl %edx, %eax\nstosl\n"
#define NOTE_TSC     "rdtsc\nstosl\nmovl %edx, %eax\nstosl\n"
#define NOTES        "movl $200, %ebx\n2:" NOTE_COUNTER NOTE_TSC NOTE_COUNTER "decl %ebx\njnz 2b\n"

/* Both virtual CPUs enable interrupts: with VMX, Bochs (2.7) holds back the host's interrupts while
 * a guest runs that was entered with IF = 0. */
GUEST_CODE(first, 32,
           "sti\nmovl $0x40000021, %ecx\nmovl $0x10001, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl 0x10000, %eax\nmovl %eax, 0x7008\nmovl $1, 0x7000\nmovl $0x20000, %edi\n" NOTES
           "3:pause\ncmpl $0, 0x7004\nje 3b\n"
           "movl $0x10, %ecx\nmovl $1, %eax\nmovl $1, %edx\nwrmsr\n"
           "movl 0x10000, %eax\nmovl %eax, 0x700c\ncli\nhlt\n");

/* Runs in real mode: DS is at 0, ES at 0x30000. */
GUEST_CODE(second, 16,
           "sti\nxorw %ax, %ax\nmovw %ax, %ds\nmovw $0x3000, %ax\nmovw %ax, %es\n"
           "xorl %edi, %edi\n" NOTES "movl $1, 0x7004\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_hv hv;

/* Returns the upper half of a product. */
static uint64_t high_product(uint64_t a, uint64_t b)
{
        const uint64_t low = (uint64_t)(uint32_t)a * (uint32_t)b;
        const uint64_t one = (a >> 32) * (uint32_t)b + (low >> 32);
        const uint64_t two = (uint32_t)a * (b >> 32) + (uint32_t)one;

        return (a >> 32) * (b >> 32) + (one >> 32) + (two >> 32);
}

/* Returns the number of notes of a virtual CPU whose times are in order. */
static unsigned right(uint64_t at)
{
        uint64_t page[3], last = 0;
        unsigned count = 0;

        nova_guest_read(&vm.memory, PAGE_AT, page, sizeof(page));
        for (unsigned i = 0; i < ROUNDS; i++) {
                struct note note;

                nova_guest_read(&vm.memory, at + i * sizeof(note), &note, sizeof(note));

                const uint64_t by_page = high_product(note.tsc, page[1]) + page[2];

                count += last <= note.before && note.before <= by_page && by_page <= note.after;
                last = note.after;
        }
        return count;
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "time", .memory = 2u << 20, .vcpus = 2, .local_apic = true};
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL |
                                                                 NOVA_HV_PRIVILEGE_REFERENCE_TSC};
        struct state state;
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, NULL) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        nova_guest_write(&vm.memory, FIRST_AT, first, GUEST_BYTES(first));
        nova_guest_write(&vm.memory, SECOND_AT, second, GUEST_BYTES(second));
        nova_registers_protected(&vm.vcpu[0].start, FIRST_AT, 8, 16);
        nova_vm_run(&vm);
        machine_start_second(&vm, STATE_AT, SECOND_AT);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));

        const unsigned one = right(NOTES_AT), two = right(NOTES_AT2);

        nova_vm_destroy(&vm);
        printf("%u and %u of %u are right, sequence %u, then %u: the guest %s\n", one, two, ROUNDS,
               (unsigned)state.valid, (unsigned)state.broken, nova_vm_end_text(end));
        return one != ROUNDS || two != ROUNDS || end != NOVA_VM_HALTED;
}
