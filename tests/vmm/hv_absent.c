/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest looks for the interface for enlightened guests: it tries leaves of CPUID, MSRs, and calls
 * by both instructions. On a machine without the interface it finds no part of it, and causes the
 * same exits before and after another machine of its monitor has the interface. On that other
 * machine, the same guest finds parts of it. */
#include <string.h>

#include "novart/program.h"
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT  0x1000
#define UD_AT     0x2000
#define GP_AT     0x2800
#define GDT_AT    0x3000
#define IDT_AT    0x3800
#define STATE_AT  0x7000
#define STACK_AT  0x9000
#define VECTOR_UD 6
#define VECTOR_GP 13
#define LEAVES    0x100 /* they begin at 0x40000000, like the MSRs */
#define MSRS      0x200

/* Results of the guest, at STATE_AT. */
struct state {
        uint32_t undefined; /* #UD */
        uint32_t faults;    /* #GP */
        uint32_t first[4];  /* leaf 0x40000000: EAX, EBX, ECX, EDX */
        uint32_t others;    /* bits that are set in any register of the other leaves */
};

/* A run: what the guest found, and its exits. */
struct found {
        struct state state;
        unsigned exits[NOVA_VM_EXIT_COUNT];
};

/* The handlers skip VMCALL or VMMCALL, and RDMSR or WRMSR. */
GUEST_CODE(undefined, 32, "incl 0x7000\naddl $3, (%esp)\niretl\n");
GUEST_CODE(fault, 32, "incl 0x7004\naddl $4, %esp\naddl $2, (%esp)\niretl\n");

GUEST_CODE(guest, 32,
           "movl $0x40000000, %eax\nxorl %ecx, %ecx\ncpuid\nmovl %eax, 0x7008\nmovl %ebx, 0x700c\n"
           "movl %ecx, 0x7010\nmovl %edx, 0x7014\nmovl $0x40000001, %esi\n"
           "1: movl %esi, %eax\nxorl %ecx, %ecx\ncpuid\norl %eax, 0x7018\norl %ebx, 0x7018\n"
           "orl %ecx, 0x7018\norl %edx, 0x7018\nincl %esi\ncmpl $0x40000100, %esi\njne 1b\n"
           "movl $0x40000000, %ecx\n"
           "2: rdmsr\nxorl %eax, %eax\nxorl %edx, %edx\nwrmsr\nincl %ecx\n"
           "cmpl $0x40000200, %ecx\njne 2b\nvmcall\nvmmcall\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;
static struct found *current;
static nova_vcpu_handler *handler[NOVA_VM_EXIT_COUNT];

/* Counts an exit, and calls the library's handler. */
static void count(struct nova_vcpu *vcpu)
{
        current->exits[vcpu->exit]++;
        handler[vcpu->exit](vcpu);
}

static void load(void)
{
        machine_add_handler(&vm, IDT_AT, VECTOR_UD, UD_AT, undefined, GUEST_BYTES(undefined));
        machine_add_handler(&vm, IDT_AT, VECTOR_GP, GP_AT, fault, GUEST_BYTES(fault));
        machine_begin(&vm, GUEST_AT, guest, GUEST_BYTES(guest));
        machine_set_tables(&vm, GDT_AT, IDT_AT, VECTOR_GP);
        vm.vcpu[0].start.state.sp = STACK_AT;
        for (unsigned i = 0; i < NOVA_VM_EXIT_COUNT; i++) {
                handler[i] = vm.handler[i];
                nova_vm_on(&vm, (enum nova_vm_exit)i, count);
        }
}

/* Runs the guest on a machine of its own. */
static bool run(bool has_interface, struct found *found)
{
        static const struct nova_vm_config config = {
                .name = "absent", .memory = 2u << 20, .local_apic = true};
        static const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL &
                                                                        ~NOVA_HV_PRIVILEGE_RESET};
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, &pc) ||
            (has_interface && nova_hv_enable(&hv, &vm, &enlightened)))
                return false;
        current = found;
        load();
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &found->state, sizeof(found->state));
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return end == NOVA_VM_HALTED;
}

/* Checks what a guest without the interface finds, and its exits. If the messages of exits carry no
 * control registers, each #GP also causes an exit for a recall. */
static bool is_plain(const struct found *found)
{
        static const uint32_t first[4] = {0x40000000, 0x61766f4e, 0x61766f4e, 0x61766f4e};
        const unsigned recalls = found->exits[NOVA_VM_EXIT_RECALL];
        unsigned all = 0;

        for (unsigned i = 0; i < NOVA_VM_EXIT_COUNT; i++)
                all += found->exits[i];
        return found->state.undefined == 2 && found->state.faults == 2 * MSRS &&
               !memcmp(found->state.first, first, sizeof(first)) && !found->state.others &&
               found->exits[NOVA_VM_EXIT_CPUID] == LEAVES &&
               found->exits[NOVA_VM_EXIT_RDMSR] == MSRS &&
               found->exits[NOVA_VM_EXIT_WRMSR] == MSRS &&
               found->exits[NOVA_VM_EXIT_HYPERCALL] == 1 && (!recalls || recalls == 2 * MSRS) &&
               all == LEAVES + 2 * MSRS + recalls + 3; /* start, call, halt */
}

int main(void)
{
        static struct found before, with, after;
        bool good = run(false, &before) && run(true, &with) && run(false, &after);

        printf("without the interface: %u #GP, %u #UD, %u exits by CPUID, the same again: %s\n",
               (unsigned)before.state.faults, (unsigned)before.state.undefined,
               before.exits[NOVA_VM_EXIT_CPUID],
               !memcmp(&before, &after, sizeof(after)) ? "yes" : "no");
        good = good && is_plain(&before) && !memcmp(&before, &after, sizeof(after)) &&
               !is_plain(&with) && with.state.others && with.state.faults < 2 * MSRS;
        printf("with it: %u #GP: %s\n", (unsigned)with.state.faults,
               good ? "as expected" : "not as expected");
        return !good;
}
