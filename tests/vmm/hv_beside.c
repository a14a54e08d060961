/* SPDX-License-Identifier: BSD-2-Clause */
/* Four virtual CPUs of one machine make hypercalls for ever, while another machine boots: a guest
 * of this test, or Debian with the argument `linux`. The boot takes at most 1.1 times as long as
 * beside four virtual CPUs that only count. Times are counted instructions. */
#include <string.h>

#include "novart/time.h"
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define FIRST_AT   0x1000
#define HANDLER_AT 0x2000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define READY_AT   0x7010
#define WAY_AT     0x7020
#define FLUSH_AT   0x7100
#define STACK_AT   0x9000
#define STARTER_AT 0x12000
#define COMMON_AT  0x13000
#define VECTOR     0x61
#define VCPUS      4

/* Activity of the virtual CPUs beside the booting machine. HALT: none, for comparison. */
enum way { HALT, COUNT, WRONG, FLUSH, WAYS };

GUEST_CODE(first, 32,
           "movl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\nmovl $1, 0x7010\n"
           "movl $0x13000, %eax\njmp *%eax\n");

/* Goes from real mode to protected mode. */
GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\n"
           "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

/* WRONG: a rep call of 4,095 elements that begins at each element in turn; each call is refused.
 * FLUSH: a list of 509 addresses, which flushes all virtual CPUs. All virtual CPUs share one
 * stack. It only ever holds one return address, which is the same for all. */
GUEST_CODE(common, 32,
           "movl $16, %eax\nmovl %eax, %ds\nmovl %eax, %ss\nmovl $0x9000, %esp\n"
           "movl $0x10000, %ebp\nxorl %ebx, %ebx\nxorl %edi, %edi\nxorl %esi, %esi\n"
           "movl 0x7020, %eax\ndecl %eax\njz 1f\ndecl %eax\njz 2f\ndecl %eax\njz 5f\ncli\nhlt\n"
           "1: incl %eax\njmp 1b\n"
           "2: movl $0x14000, %ecx\n3: incl %edx\ncmpl $4095, %edx\njb 4f\nxorl %edx, %edx\n"
           "4: shll $16, %edx\norl $4095, %edx\nmovl $0x9000, %eax\ncall *%ebp\njmp 3b\n"
           "5: movl $0x15000, %ecx\n6: movl $509, %edx\nmovl $3, %eax\ncall *%ebp\njmp 6b\n");

/* The machine that boots: it counts, executes CPUID, writes to a port, and waits for its timer. */
GUEST_CODE(boots, 32,
           "movl $0x1ff, 0xfee000f0\nmovl $0xb, 0xfee003e0\nmovl $0x61, 0xfee00320\n"
           "movl $400, %edi\n1: movl $50000, %ecx\n2: decl %ecx\njnz 2b\nmovl $10, %esi\n"
           "3: xorl %eax, %eax\ncpuid\noutb %al, $0x80\ndecl %esi\njnz 3b\n"
           "movl $1000, 0xfee00380\nsti\nhlt\ncli\ndecl %edi\njnz 1b\nhlt\n");
GUEST_CODE(handler, 32, "movl $0, 0xfee000b0\niret\n");

static struct nova_vm hostile, vm;
static struct nova_pc hostile_pc, pc;
static struct nova_hv hv;
static unsigned long long refused;

static enum nova_hv_status refuse(const struct nova_hv_action *action)
{
        (void)action;
        refused++;
        return NOVA_HV_INVALID_PARAMETER;
}

static const struct nova_hv_call bad = {
        .code = 0x9000, .input_element = 1, .rep = true, .function = refuse, .name = "bad"};

static void load_hostile(uint32_t way)
{
        static const uint64_t input[] = {0, 1, 0}; /* flag 1: all virtual processors */

        nova_guest_write(&hostile.memory, WAY_AT, &way, sizeof(way));
        nova_guest_write(&hostile.memory, 0x15000, input, sizeof(input));
        nova_guest_write(&hostile.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&hostile.memory, COMMON_AT, common, GUEST_BYTES(common));
        machine_begin(&hostile, FIRST_AT, first, GUEST_BYTES(first));
        machine_set_tables(&hostile, GDT_AT, IDT_AT, VECTOR);
        machine_write_operands(&hostile, GDT_AT + 0x20);
}

static bool start_hostile(enum way way)
{
        static const struct nova_vm_config config = {
                .name = "hostile", .memory = 2u << 20, .vcpus = VCPUS, .local_apic = true};
        static const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};

        if (!machine_create(&hostile, &config, &hostile_pc) ||
            nova_hv_enable(&hv, &hostile, &enlightened) || nova_hv_add(&hv, &bad))
                return false;
        load_hostile(way);
        nova_vm_run(&hostile);
        machine_start_others(&hostile, READY_AT, STARTER_AT);
        return true;
}

static bool load_linux(void)
{
        struct nova_linux image = {.command_line =
                                           "console=ttyS0 reboot=k panic=-1 no_timer_check quiet "
                                           "cryptomgr.notests run=poweroff,-f",
                                   .rsdp = pc.rsdp};
        const char *why;

        image.kernel = open_module("vmlinuz", &image.kernel_bytes);
        image.initrd = open_module("initrd", &image.initrd_bytes);
        if (!image.kernel || !image.initrd)
                return false;
        why = nova_linux_load(&vm.memory, &image, &vm.vcpu[0].start);
        if (why)
                nova_vm_not_loaded(&vm, why);
        return !why;
}

static bool load_small(void)
{
        machine_add_handler(&vm, IDT_AT, VECTOR, HANDLER_AT, handler, GUEST_BYTES(handler));
        machine_begin(&vm, FIRST_AT, boots, GUEST_BYTES(boots));
        machine_set_tables(&vm, GDT_AT, IDT_AT, VECTOR);
        vm.vcpu[0].start.state.sp = STACK_AT;
        return true;
}

/* Returns the time of a boot in us, or 0 after an error. */
static unsigned long long boot(bool debian)
{
        const struct nova_vm_config config = {
                .name = "boots", .memory = (debian ? 96u : 2u) << 20, .local_apic = true};
        const enum nova_vm_end expected = debian ? NOVA_VM_OFF : NOVA_VM_HALTED;
        uint64_t begin, ns;
        bool good;

        if (!machine_create(&vm, &config, &pc) || !(debian ? load_linux() : load_small()))
                return 0;
        begin = nova_time_ns();
        nova_vm_run(&vm);
        good = nova_vm_wait(&vm) == expected;
        ns = nova_time_ns() - begin;
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return good ? ns / 1000 : 0;
}

/* Returns the time of a boot beside the hostile machine, or 0 after an error. */
static unsigned long long boot_beside(enum way way, bool debian)
{
        static const char *const names[] = {"halt", "count", "make bad calls", "flush"};
        unsigned long long us;

        refused = 0;
        if (!start_hostile(way))
                return 0;
        us = boot(debian);
        nova_pc_destroy(&hostile_pc);
        nova_vm_destroy(&hostile);
        printf("They %s: %llu us, %llu calls refused, %u calls flushed.\n", names[way], us, refused,
               (unsigned)hv.flush_calls);
        if ((way == WRONG) != (refused > 0) || (way == FLUSH) != (hv.flush_calls > 0))
                return 0;
        return us;
}

int main(int argc, char **argv)
{
        const bool debian = argc == 2 && !strcmp(argv[1], "linux");
        unsigned long long us[WAYS];
        bool good = true;

        for (unsigned way = 0; way < WAYS; way++) {
                us[way] = boot_beside((enum way)way, debian);
                good &= us[way] > 0;
        }
        /* The four virtual CPUs that count, and the one that boots, share a CPU. */
        good &= us[COUNT] > 2 * us[HALT];
        for (unsigned way = WRONG; way <= FLUSH; way++)
                good &= us[way] * 10 <= us[COUNT] * 11;
        printf("%s\n", good ? "as expected" : "not as expected");
        return !good;
}
