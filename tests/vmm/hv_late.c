/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest waits for a timer of 100 to 152 us while it makes calls with long lists. The interrupt
 * comes at most 55,000 counted instructions late, also with the calls whose elements are the
 * slowest. The interrupt's handler finds incomplete calls: EIP is at their instruction, and they
 * have a higher start index and otherwise the same registers. Seven other virtual CPUs halt. With
 * the argument `run`, each of them runs on another CPU. */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define FIRST_AT   0x1000
#define HANDLER_AT 0x2000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define STATE_AT   0x7000
#define READY_AT   0x7010
#define STACK_AT   0x9000
#define STARTER_AT 0x12000
#define OTHER_AT   0x13000
#define INPUT_AT   0x14000
#define OUTPUT_AT  0x15000
#define VECTOR     0x61
#define VCPUS      8
#define ROUNDS     40
#define MOST       55000 /* instructions */

/* State of the guest, at STATE_AT. Times are in units of 100 ns, which are 100 instructions. */
struct state {
        uint32_t due;    /* lower half of the time at which the timer expires */
        uint32_t taken;  /* interrupts */
        uint32_t late;   /* longest delay of an interrupt */
        uint32_t runs;   /* not 0: the other virtual CPUs run */
        uint32_t ready;  /* not 0: the other virtual CPUs may start */
        uint32_t over;   /* the caller has finished */
        uint32_t calls;  /* calls that are complete */
        uint32_t status; /* statuses and numbers of complete elements, by OR */
        uint32_t complete;
        uint32_t started;  /* other virtual CPUs that have started */
        uint32_t value[2]; /* call value */
        uint32_t middle;   /* interrupts in the middle of a call */
        uint32_t changed;  /* rounds that found other registers */
};

#define WRITE(msr, low) "movl $" #msr ", %ecx\nmovl $" #low ", %eax\nxorl %edx, %edx\nwrmsr\n"

/* clang-format off */
/* Waits for the others. Then, 40 times, arms the timer and makes calls until its interrupt. */
GUEST_CODE(first, 32,
           WRITE(0x40000000, 1) WRITE(0x40000001, 0x10001) WRITE(0x400000b0, 0x1618)
           "movl $0x1ff, 0xfee000f0\nmovl $1, 0x7010\n1: pause\ncmpl $7, 0x7024\njne 1b\n"
           "movl $0x10000, %ebp\nmovl $40, 0x8000\nsti\n"
           /* Arms the timer. */
           "2: movl $0x40000020, %ecx\nrdmsr\nimull $13, 0x8000, %ecx\naddl $1000, %ecx\n"
           "addl %ecx, %eax\nadcl $0, %edx\nmovl %eax, 0x7000\nmovl $0x400000b1, %ecx\nwrmsr\n"
           /* Calls. */
           "3: movl 0x7028, %eax\nmovl 0x702c, %edx\nmovl $0x14000, %ecx\nxorl %ebx, %ebx\n"
           "movl $0x15000, %esi\nxorl %edi, %edi\ncall *%ebp\n"
           "incl 0x7018\norl %eax, 0x701c\norl %edx, 0x7020\n"
           "cmpl $0, 0x7000\njne 3b\ndecl 0x8000\njnz 2b\ncli\nmovl $1, 0x7014\nhlt\n");
/* clang-format on */

/* The interrupted registers are above ESP: ESI at 4, EBX at 16, EDX at 20, ECX at 24, EAX at 28,
 * EIP at 32. The instruction for calls is at 0x10000. */
GUEST_CODE(handler, 32,
           "pushal\nmovl $0x40000020, %ecx\nrdmsr\nsubl 0x7000, %eax\ncmpl 0x7008, %eax\njbe 1f\n"
           "movl %eax, 0x7008\n1: incl 0x7004\nmovl $0, 0x7000\n"
           "cmpl $0x10000, 32(%esp)\njne 3f\ntestl $0xfff0000, 20(%esp)\njz 3f\nincl 0x7030\n"
           "movzwl 20(%esp), %eax\ncmpl %eax, 0x702c\njne 2f\nmovl 28(%esp), %eax\n"
           "cmpl %eax, 0x7028\njne 2f\ncmpl $0x14000, 24(%esp)\njne 2f\ncmpl $0, 16(%esp)\n"
           "jne 2f\ncmpl $0x15000, 4(%esp)\nje 3f\n2: incl 0x7034\n"
           "3: movl $0, 0xfee000b0\npopal\niret\n");

/* Goes from real mode to protected mode. */
GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\n"
           "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

/* PAUSE lets QEMU continue with another CPU. */
GUEST_CODE(other, 32,
           "movl $16, %eax\nmovl %eax, %ds\nlock incl 0x7024\ncmpl $0, 0x700c\nje 2f\n"
           "1: pause\ncmpl $0, 0x7014\nje 1b\n2: cli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static enum nova_hv_status nothing(const struct nova_hv_action *action)
{
        (void)action;
        return NOVA_HV_SUCCESS;
}

static const struct nova_hv_call list = {
        .code = 0x9000, .input_element = 1, .rep = true, .function = nothing, .name = "list"};

/* Calls whose lists are as long as possible. The block of a call lies within a page. */
static const struct way {
        const char *name;
        unsigned code, elements;
        unsigned words; /* words of the variable header */
} ways[] = {
        {"list", 0x9000, 4095, 0},          {"flush_list", 0x0003, 509, 0},
        {"flush_list_set", 0x0014, 507, 1}, {"get_registers", 0x0050, 256, 0},
        {"move_pages", 0x0051, 127, 0},     {"set_timers", 0x0051, 127, 0},
        {"set_sources", 0x0051, 127, 0},
};

/* Element of a call that writes registers. */
struct write {
        uint32_t name, padding[3];
        uint64_t value[2];
};

/* Returns element @p i of a call. The assist page and the pages of reference time, messages and
 * events move at each write. */
static struct write write_of(const char *name, unsigned i)
{
        static const uint32_t pages[] = {0x90013, 0x90017, 0xa0012, 0xa0013};
        struct write write = {.name = pages[i % 4], .value = {0x20001 + (uint64_t)i * 0x1000}};

        if (!strcmp(name, "set_timers")) /* the first timer is the one that is measured */
                write = (struct write){.name = 0xb0003, .value = {UINT64_MAX - i}};
        if (!strcmp(name, "set_sources"))
                write = (struct write){.name = 0xa0000 + i % 16, .value = {0x20000 + 0x20 + i}};
        return write;
}

static void load_input(const struct way *way)
{
        const uint64_t flush[] = {0, 0, 0xff};
        const uint64_t flush_set[] = {0, 0, 0, 1, 0xff};
        const uint64_t header[] = {~UINT64_C(0), 0};

        if (way->code == 0x0003)
                nova_guest_write(&vm.memory, INPUT_AT, flush, sizeof(flush));
        if (way->code == 0x0014)
                nova_guest_write(&vm.memory, INPUT_AT, flush_set, sizeof(flush_set));
        if (way->code == 0x0050 || way->code == 0x0051)
                nova_guest_write(&vm.memory, INPUT_AT, header, sizeof(header));
        for (unsigned i = 0; way->code == 0x0050 && i < way->elements; i++) {
                const uint32_t name = 0x90000; /* run time */

                nova_guest_write(&vm.memory, INPUT_AT + 16 + 4 * i, &name, sizeof(name));
        }
        for (unsigned i = 0; way->code == 0x0051 && i < way->elements; i++) {
                const struct write write = write_of(way->name, i);

                nova_guest_write(&vm.memory, INPUT_AT + 16 + 32 * i, &write, sizeof(write));
        }
}

static void load(const struct way *way, bool runs)
{
        const struct state state = {.runs = runs,
                                    .value = {way->code | way->words << 17, way->elements}};

        nova_guest_write(&vm.memory, STATE_AT, &state, sizeof(state));
        load_input(way);
        machine_add_handler(&vm, IDT_AT, VECTOR, HANDLER_AT, handler, GUEST_BYTES(handler));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, OTHER_AT, other, GUEST_BYTES(other));
        machine_begin(&vm, FIRST_AT, first, GUEST_BYTES(first));
        machine_set_tables(&vm, GDT_AT, IDT_AT, VECTOR);
        machine_write_operands(&vm, GDT_AT + 0x20);
        vm.vcpu[0].start.state.sp = STACK_AT;
}

/* Measures one kind of call. @return whether no interrupt was too late, and each call had its
 * effect */
static bool measure(const struct way *way, bool runs)
{
        static const struct nova_vm_config config = {
                .name = "late", .memory = 2u << 20, .vcpus = VCPUS, .local_apic = true};
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_ALL,
                                                   .direct_timers = true};
        struct state state;
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened) ||
            nova_hv_add(&hv, &list))
                return false;
        load(way, runs);
        nova_vm_run(&vm);
        machine_start_others(&vm, READY_AT, STARTER_AT);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        printf("%s: %u calls, %u interrupts, %u in the middle, %u with other registers, the latest "
               "%u instructions, status 0x%x, complete %u: the guest %s\n",
               way->name, (unsigned)state.calls, (unsigned)state.taken, (unsigned)state.middle,
               (unsigned)state.changed, (unsigned)state.late * 100, (unsigned)state.status,
               (unsigned)state.complete, nova_vm_end_text(end));
        return state.taken == ROUNDS && state.calls && state.late * 100 <= MOST && !state.status &&
               state.middle && !state.changed && state.complete == way->elements &&
               end == NOVA_VM_HALTED;
}

/* When QEMU's main thread needs QEMU's lock, QEMU ends the turn of the current CPU early and runs
 * the next CPU. The measured time includes the instructions of the other CPUs, so this delays an
 * interrupt by up to 60,000 instructions. Such a delay depends on the host and is rare. A call that
 * delays the interrupt does so each time, so a second measurement decides. */
static bool in_time(const struct way *way, bool runs)
{
        return measure(way, runs) || (runs && measure(way, runs));
}

int main(int argc, char **argv)
{
        const bool runs = argc == 2 && !strcmp(argv[1], "run");
        unsigned good = 0;

        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
                good += in_time(&ways[i], runs);
        printf("%u of %u calls: in time\n", good, (unsigned)(sizeof(ways) / sizeof(ways[0])));
        return good != sizeof(ways) / sizeof(ways[0]);
}
