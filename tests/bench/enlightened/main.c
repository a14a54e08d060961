/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests of `nova bench enlightened`, each of which repeats one operation. Arguments: the number of
 * repetitions, then the operations. The repetitions of operation n are section n of the counts
 * (plugin/guest.c). */
#include <stdlib.h>
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "../sections.h"
#include "vmm/guest_code.h"
#include "vmm/machine.h"

#define GUEST_AT   0x1000
#define HANDLER_AT 0x2000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define TIMES_AT   0x7000 /* number of repetitions, then the value of MSR 0x40000073 */
#define INPUT_AT   0x8000
#define READS_AT   0xa000
#define OUTPUT_AT  0xb000
#define WRITES_AT  0xc000
#define SET_AT     0xd000
#define SLICE      32 /* registers of one slice of a read; a slice of a write has 4 */
#define TABLES_AT  0x30000
#define VECTOR     0x61
#define RAM_BYTES  (4u << 20)

/* Calls the hypercall page, which is at 0x10000. */
#define CALL "movl $0x10000, %ebx\ncall *%rbx\n"
#define WRITE(msr, low, high) \
        "movl $" #msr ", %ecx\nmovl $" #low ", %eax\nmovl $" #high ", %edx\nwrmsr\n"
/* Sends VECTOR to the virtual CPU itself, which takes it at once. */
#define SEND WRITE(0x40000071, 0x40061, 0) "sti\nnop\ncli\n"

/* Sets up the identity, hypercall page, reference page, a polled source of synthetic interrupts and
 * the page of its event flags, a timer, the assist page, and the local APIC. */
GUEST_CODE(set_up, 64,
           WRITE(0x40000000, 1, 0) WRITE(0x40000001, 0x10001,
                                         0) WRITE(0x40000021, 0x11001,
                                                  0) WRITE(0x40000082, 0x12001,
                                                           0) WRITE(0x40000092, 0x40060,
                                                                    0) WRITE(0x40000080, 1, 0)
                   WRITE(0x400000b0, 0x1618,
                         0) "movl $0x40000073, %ecx\nmovl 0x7004, %eax\nxorl %edx, %edx\nwrmsr\n"
                            "movl $0xfee000f0, %eax\nmovl $0x1ff, (%rax)\nmovl $0xfee003e0, %eax\n"
                            "movl $0xb, (%rax)\nmovl $0xfee00320, %eax\nmovl $0x61, (%rax)\n"
                            "movl 0x7000, %esi\ntestl %esi, %esi\njnz 1f\ncli\nhlt\n1:\n");
/* The code after the operation: repeats it. After the last repetition, section 0 begins. */
GUEST_CODE(again, 64,
           "decl %esi\njz 9f\nmovl $0x1200, %eax\njmp *%rax\n"
           "9:" SECTION_TEXT("0") "cli\nhlt\n");

GUEST_CODE(nothing, 64, "nop\n");
GUEST_CODE(cpuid, 64, "movl $1, %eax\ncpuid\n");
GUEST_CODE(refused, 64, "movl $0x7777, %ecx\n" CALL);
GUEST_CODE(signal, 64, "movl $0x1005d, %ecx\nmovl $1, %edx\n" CALL);
/* Flushes that name no virtual processor, so that they cost only the walk of the list. */
GUEST_CODE(list_1, 64, "movabsq $0x100000003, %rcx\nmovl $0x8000, %edx\n" CALL);
GUEST_CODE(list_201, 64, "movabsq $0xc900000003, %rcx\nmovl $0x8000, %edx\n" CALL);
GUEST_CODE(list_256, 64, "movabsq $0x10000000003, %rcx\nmovl $0x8000, %edx\n" CALL);
GUEST_CODE(set_128, 64, "movabsq $0x8000020014, %rcx\nmovl $0xd000, %edx\n" CALL);
/* Calls that read and write as many registers as one slice can have. They read the run time, and
 * move a page. */
GUEST_CODE(reads, 64, "movabsq $0x2000000050, %rcx\nmovl $0xa000, %edx\nmovl $0xb000, %r8d\n" CALL);
GUEST_CODE(writes, 64, "movabsq $0x400000051, %rcx\nmovl $0xc000, %edx\n" CALL);
GUEST_CODE(time_page, 64,
           "2:movl 0x11000, %r8d\nrdtsc\nshlq $32, %rdx\norq %rdx, %rax\nmulq 0x11008\n"
           "addq 0x11010, %rdx\ncmpl 0x11000, %r8d\njne 2b\n");
GUEST_CODE(time_msr, 64, "movl $0x40000020, %ecx\nrdmsr\n");
GUEST_CODE(time_port, 64, "movl $0x608, %edx\ninl %dx, %eax\n");
GUEST_CODE(send, 64, SEND);
/* A timer of the enlightened interface whose time has already passed, and a timer of the local
 * APIC. */
GUEST_CODE(timer, 64, WRITE(0x400000b1, 1, 0) "sti\nhlt\ncli\n");
GUEST_CODE(apic_timer, 64, "movl $0xfee00380, %eax\nmovl $1, (%rax)\nsti\nhlt\ncli\n");

/* Handlers of VECTOR, which end the interrupt in three ways. */
GUEST_CODE(end_page, 64,
           "xorl %eax, %eax\nxchgl %eax, 0x13000\ntestb $1, %al\njnz 1f\n" WRITE(0x40000070, 0,
                                                                                 0) "1:iretq\n");
GUEST_CODE(end_msr, 64, WRITE(0x40000070, 0, 0) "iretq\n");
GUEST_CODE(end_memory, 64, "movl $0xfee000b0, %eax\nmovl $0, (%rax)\niretq\n");

#define CODE(name) name, GUEST_BYTES(name)

static const struct operation {
        const char *name;
        const char *code;
        size_t bytes;
        const char *handler;
        size_t handler_bytes;
        bool assist; /* the assist page is enabled, at 0x13000 */
} * find(const char *name)
{
        static struct operation operations[32];
        unsigned n = 0;

#define OPERATION(name, code, handler, assist) \
        operations[n++] = (struct operation){name, CODE(code), CODE(handler), assist}
        OPERATION("nothing", nothing, end_msr, false);
        OPERATION("cpuid", cpuid, end_msr, false);
        OPERATION("refused", refused, end_msr, false);
        OPERATION("signal", signal, end_msr, false);
        OPERATION("list_1", list_1, end_msr, false);
        OPERATION("list_201", list_201, end_msr, false);
        OPERATION("list_256", list_256, end_msr, false);
        OPERATION("set_128", set_128, end_msr, false);
        OPERATION("reads", reads, end_msr, false);
        OPERATION("writes", writes, end_msr, false);
        OPERATION("time_page", time_page, end_msr, false);
        OPERATION("time_msr", time_msr, end_msr, false);
        OPERATION("time_port", time_port, end_msr, false);
        OPERATION("end_page", send, end_page, true);
        OPERATION("end_msr", send, end_msr, false);
        OPERATION("end_memory", send, end_memory, false);
        OPERATION("timer", timer, end_page, true);
        OPERATION("apic_timer", apic_timer, end_memory, false);
        for (unsigned i = 0; i < n; i++)
                if (!strcmp(operations[i].name, name))
                        return &operations[i];
        return NULL;
}

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

/* Maps the first GiB, and the fourth GiB, which contains the local APIC, one to one. */
static void write_tables(void)
{
        const uint64_t root = (TABLES_AT + 0x1000) | 3;
        const uint64_t table[] = {(TABLES_AT + 0x2000) | 3, 0, 0, (TABLES_AT + 0x3000) | 3};

        nova_guest_write(&vm.memory, TABLES_AT, &root, sizeof(root));
        nova_guest_write(&vm.memory, TABLES_AT + 0x1000, table, sizeof(table));
        for (uint64_t i = 0; i < 512; i++) {
                const uint64_t low = i << 21 | 0x83, high = low | UINT64_C(3) << 30;

                nova_guest_write(&vm.memory, TABLES_AT + 0x2000 + 8 * i, &low, sizeof(low));
                nova_guest_write(&vm.memory, TABLES_AT + 0x3000 + 8 * i, &high, sizeof(high));
        }
}

/* Writes the parameters of the calls that read and write registers: the message page moves from one
 * place to another and back. */
static void write_lists(void)
{
        static const uint64_t header[] = {~UINT64_C(0), 0};
        static const uint64_t set[] = {0, 0, 0, 1, 0}; /* a bank without a virtual processor */

        nova_guest_write(&vm.memory, SET_AT, set, sizeof(set));
        nova_guest_write(&vm.memory, READS_AT, header, sizeof(header));
        nova_guest_write(&vm.memory, WRITES_AT, header, sizeof(header));
        for (unsigned i = 0; i < SLICE; i++) {
                const uint32_t run_time = 0x90000;

                nova_guest_write(&vm.memory, READS_AT + sizeof(header) + i * sizeof(run_time),
                                 &run_time, sizeof(run_time));
        }
        for (unsigned i = 0; i < 4; i++) {
                const uint64_t write[] = {0xa0013, 0, 0x20001 + (i & 1) * 0x1000, 0};

                nova_guest_write(&vm.memory, WRITES_AT + sizeof(header) + i * sizeof(write), write,
                                 sizeof(write));
        }
}

static void load(const struct operation *operation, uint32_t times, uint8_t section)
{
        const uint8_t mark[] = SECTION_BYTES(section);
        static const uint64_t gdt[] = {0, 0xaf9b000000ffff, 0xcf93000000ffff};
        const uint64_t gate[] = {0x8e0000080000 | HANDLER_AT, 0};
        const uint32_t body = GUEST_AT + 0x200, begin = body - sizeof(mark);
        const uint32_t words[] = {times, operation->assist ? 0x13001 : 0};
        struct nova_utcb_state *const start = &vm.vcpu[0].start.state;

        write_tables();
        write_lists();
        nova_guest_write(&vm.memory, GDT_AT, gdt, sizeof(gdt));
        nova_guest_write(&vm.memory, IDT_AT + VECTOR * sizeof(gate), gate, sizeof(gate));
        nova_guest_write(&vm.memory, HANDLER_AT, operation->handler, operation->handler_bytes);
        nova_guest_write(&vm.memory, body, operation->code, operation->bytes);
        nova_guest_write(&vm.memory, body + operation->bytes, CODE(again));
        nova_guest_write(&vm.memory, begin, mark, sizeof(mark));
        nova_guest_write(&vm.memory, begin - GUEST_BYTES(set_up), CODE(set_up));
        nova_guest_write(&vm.memory, TIMES_AT, words, sizeof(words));
        nova_registers_long(&vm.vcpu[0].start, begin - GUEST_BYTES(set_up), TABLES_AT, 8, 16);
        start->sp = 0x9f00;
        start->gdtr.base = GDT_AT;
        start->gdtr.limit = sizeof(gdt) - 1;
        start->idtr.base = IDT_AT;
        start->idtr.limit = (VECTOR + 1) * sizeof(gate) - 1;
}

static enum nova_vm_end run(const struct operation *operation, uint32_t times, uint8_t section)
{
        static const struct nova_hv_port port = {
                .connection = 1, .events = true, .sint = 2, .flags = 1};
        const struct nova_vm_config config = {
                .name = "bench", .memory = RAM_BYTES, .local_apic = true, .same_tsc = true};
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_ALL,
                                                   .direct_timers = true};
        enum nova_vm_end end;

        vm = (struct nova_vm){0};
        pc = (struct nova_pc){0};
        hv = (struct nova_hv){0};
        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened) ||
            nova_hv_connect(&hv, &port))
                exit(1);
        load(operation, times, section);
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_vm_destroy(&vm);
        return end;
}

int main(int argc, char **argv)
{
        for (int i = 2; i < argc; i++) {
                const struct operation *const operation = find(argv[i]);
                enum nova_vm_end end;

                if (!operation)
                        return 1;
                end = run(operation, (uint32_t)atoi(argv[1]), (uint8_t)(i - 1));
                printf("%s: it %s\n", operation->name, nova_vm_end_text(end));
                if (end != NOVA_VM_HALTED)
                        return 1;
        }
        puts("all guests halted");
        return 0;
}
