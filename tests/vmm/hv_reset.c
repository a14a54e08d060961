/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual CPU resets its machine, in three ways, while another virtual CPU is in the middle of a
 * rep call. The report of the machine's end names the rep call as the guest's last hypercall. The
 * rep call does not continue, and no memory is lost. */
#include "novart/page.h"
#include "novart/selector.h"
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define RESETTER_AT 0x1000
#define GDT_AT      0x3000
#define PROGRESS_AT 0x7000 /* elements that are complete */
#define READY_AT    0x7010
#define WAY_AT      0x7020
#define STARTER_AT  0x12000
#define CALLER_AT   0x13000

#define SETTLE_NS 20000000 /* time in which a call would continue */

enum way { BY_MSR, BY_PORT, BY_KEYBOARD, WAYS };

/* The CPUID in the loop causes exits. The loop needs them under Bochs (2.7): with VMX, Bochs holds
 * back the host's interrupts while a guest runs that was entered with IF = 0. */
GUEST_CODE(resetter, 32,
           "movl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\nmovl $1, 0x7010\n"
           "1: xorl %eax, %eax\ncpuid\ncmpl $100, 0x7000\njb 1b\n"
           "movl 0x7020, %ebx\nmovb $6, %al\nmovw $0xcf9, %dx\ndecl %ebx\njz 2f\n"
           "movb $0xfe, %al\nmovw $0x64, %dx\ndecl %ebx\njz 2f\n"
           "movl $0x40000003, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\nhlt\n"
           "2: outb %al, %dx\nhlt\n");

/* Goes from real mode to protected mode. */
GUEST_CODE(starter, 16,
           "xorw %ax, %ax\nmovw %ax, %ds\nlgdtl 0x3020\n"
           "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $0x13000\n");

GUEST_CODE(caller, 32,
           "movl $16, %eax\nmovl %eax, %ds\nmovl %eax, %ss\nmovl $0x9000, %esp\n"
           "1: movl $0x9000, %eax\nmovl $4095, %edx\nxorl %ebx, %ebx\nmovl $0x14000, %ecx\n"
           "xorl %edi, %edi\nxorl %esi, %esi\nmovl $0x10000, %ebp\ncall *%ebp\njmp 1b\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;
static uint32_t progress;

/* Performs one element of the call. The guest runs after each element, because `slice` is 1. */
static enum nova_hv_status step(const struct nova_hv_action *action)
{
        progress++;
        nova_guest_write(action->hv->memory, PROGRESS_AT, &progress, sizeof(progress));
        return NOVA_HV_SUCCESS;
}

static const struct nova_hv_call slow = {.code = 0x9000,
                                         .input_element = 1,
                                         .slice = 1,
                                         .rep = true,
                                         .function = step,
                                         .name = "slow"};

static void load(uint32_t way)
{
        static const uint64_t gdt[] = {0, 0xcf9b000000ffff, 0xcf93000000ffff, 0,
                                       23 | (uint64_t)GDT_AT << 16};

        nova_guest_write(&vm.memory, GDT_AT, gdt, sizeof(gdt));
        nova_guest_write(&vm.memory, WAY_AT, &way, sizeof(way));
        nova_guest_write(&vm.memory, RESETTER_AT, resetter, GUEST_BYTES(resetter));
        nova_guest_write(&vm.memory, STARTER_AT, starter, GUEST_BYTES(starter));
        nova_guest_write(&vm.memory, CALLER_AT, caller, GUEST_BYTES(caller));
        nova_registers_protected(&vm.vcpu[0].start, RESETTER_AT, 8, 16);
        vm.vcpu[0].start.state.sp = 0xa000;
}

/* Resets a machine in one way. Increments *middle if the reset came in the middle of a rep call.
 * @return true if the reset ended the machine, and the rep call did not continue */
static bool reset(enum way way, unsigned *middle)
{
        const struct nova_vm_config config = {.name = "reset",
                                              .memory = 2u << 20,
                                              .vcpus = 2,
                                              .local_apic = true,
                                              .report_reset = way == BY_KEYBOARD};
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
        enum nova_vm_end end;
        uint64_t calls;

        progress = 0;
        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened) ||
            nova_hv_add(&hv, &slow))
                return false;
        load(way);
        nova_vm_run(&vm);
        machine_start_second(&vm, READY_AT, STARTER_AT);
        end = nova_vm_wait(&vm);
        nova_vm_lock(&vm);
        calls = hv.last.number;
        nova_vm_unlock(&vm);
        nova_sleep(SETTLE_NS);
        *middle += hv.last.outcome == NOVA_HV_CONTINUES && hv.last.vcpu == 1;

        const bool stopped = hv.last.number == calls;

        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        printf("way %u: the guest %s\n", way, nova_vm_end_text(end));
        return end == NOVA_VM_RESET && stopped;
}

int main(void)
{
        unsigned middle = 0;
        bool good = true;

        for (unsigned way = 0; way < WAYS; way++)
                good &= reset((enum way)way, &middle);

        /* Some allocations of the first machines stay. The next machines must lose nothing. */
        const size_t pages = nova_page_free_count(), selectors = nova_sel_used();

        for (unsigned way = 0; way < WAYS; way++)
                good &= reset((enum way)way, &middle);
        printf("%s, %ld pages and %ld selectors lost\n",
               good && middle > WAYS ? "as expected" : "not as expected",
               (long)(pages - nova_page_free_count()), (long)(nova_sel_used() - selectors));
        return !good || middle <= WAYS || pages != nova_page_free_count() ||
               selectors != nova_sel_used();
}
