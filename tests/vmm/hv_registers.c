/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that sleeps in the idle register with interrupts disabled until its synthetic timer
 * expires, reads its run time, reads registers by a call, and reports a crash. */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT   0x1000
#define HANDLER_AT 0x2000
#define FAULT_AT   0x2800
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define STATE_AT   0x7000
#define TEXT_AT    0x7080
#define INPUT_AT   0x7100
#define OUTPUT_AT  0x7200
#define STACK_AT   0x9000
#define VECTOR     0x61
#define VECTOR_GP  13

/* Results of the guest, at STATE_AT. */
struct state {
        uint32_t expired; /* interrupts of the timer */
        uint32_t early;   /* interrupts of the timer before the guest enabled interrupts */
        uint32_t faults;  /* #GP */
        uint32_t status;  /* status of the call */
        uint64_t slept;   /* reference time that passed in the idle register */
        uint64_t ran;     /* run time after the idle register */
        uint32_t after;   /* ESI after the report of the crash */
};

GUEST_CODE(handler, 32,
           "pushl %eax\npushl %ecx\npushl %edx\nincl 0x7000\nmovl $0x40000070, %ecx\n"
           "xorl %eax, %eax\nxorl %edx, %edx\nwrmsr\npopl %edx\npopl %ecx\npopl %eax\niretl\n");

/* Skips RDMSR or WRMSR. */
GUEST_CODE(fault, 32, "addl $4, %esp\naddl $2, (%esp)\nincl 0x7008\niretl\n");

#define WRITE(msr, low, high) \
        "movl $" #msr ", %ecx\nmovl $" #low ", %eax\nmovl $" #high ", %edx\nwrmsr\n"
#define READ(msr) "movl $" #msr ", %ecx\nrdmsr\n"

GUEST_CODE(
        guest, 32,
        "movl $0x1ff, 0xfee000f0\n" WRITE(0x40000000, 1, 0) WRITE(0x40000001, 0x10001, 0)
        /* A direct timer, 20 ms from now. */
        WRITE(0x400000b0, 0x1618, 0) READ(
                0x40000020) "movl %eax, %esi\nmovl %edx, %edi\naddl $200000, %eax\nadcl "
                            "$0, %edx\n"
                            "movl $0x400000b1, %ecx\nwrmsr\n" READ(
                                    0x400000f0) "movl 0x7000, %eax\nmovl %eax, "
                                                "0x7004\n" READ(
                                                        0x40000020) "subl %esi, "
                                                                    "%eax\nsbbl "
                                                                    "%edi, "
                                                                    "%edx\nmovl "
                                                                    "%eax, "
                                                                    "0x7010\nmovl "
                                                                    "%edx, 0x7014\n"
                                                                    "sti\nnop\ncli"
                                                                    "\n" READ(
                                                                            0x40000010) "movl "
                                                                                        "%eax, "
                                                                                        "0x7018\nmo"
                                                                                        "vl %edx, "
                                                                                        "0x701c\n"
        /* Writes that are refused: run time, idle, version, a register without privilege. */
        WRITE(0x40000010, 0, 0) WRITE(0x400000f0, 0, 0) WRITE(0x40000021, 0, 0) READ(0x40000021)
                READ(0x40000083)
        /* Reads identity and number by a call. */
        "movl $0x50, %eax\nmovl $2, %edx\nmovl $0x7100, %ecx\nxorl %ebx, %ebx\n"
        "movl $0x7200, %esi\nxorl %edi, %edi\nmovl $0x10000, %ebp\ncall *%ebp\n"
        "movw %ax, 0x700c\nmovw %dx, 0x700e\n"
        /* The crash. */
        WRITE(0x40000100, 0xdead, 0) WRITE(0x40000103, 0x7080, 0)
                WRITE(0x40000104, 13, 0) "movl $0x5eed, %esi\n" WRITE(0x40000105, 0, 0xc0000000)
        /* The guest continues with its registers. */
        "movl %esi, 0x7020\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static void load(void)
{
        static const uint64_t input[] = {~UINT64_C(0), 0xfffffffe,
                                         UINT64_C(0x90003) << 32 | 0x90002};
        machine_add_handler(&vm, IDT_AT, VECTOR, HANDLER_AT, handler, GUEST_BYTES(handler));
        machine_add_handler(&vm, IDT_AT, VECTOR_GP, FAULT_AT, fault, GUEST_BYTES(fault));
        nova_guest_write(&vm.memory, TEXT_AT, "out\1of coffee", 13);
        nova_guest_write(&vm.memory, INPUT_AT, input, sizeof(input));
        machine_begin(&vm, GUEST_AT, guest, GUEST_BYTES(guest));
        machine_set_tables(&vm, GDT_AT, IDT_AT, VECTOR);
        vm.vcpu[0].start.state.sp = STACK_AT;
}

static void crashed(void *context, unsigned vcpu, const struct nova_hv_crash *crash)
{
        (void)context;
        printf("vCPU %u reports a crash: 0x%llx, 0x%llx, 0x%llx: %s\n", vcpu,
               (unsigned long long)crash->parameter[0], (unsigned long long)crash->parameter[1],
               (unsigned long long)crash->parameter[3], crash->text);
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "registers", .memory = 2u << 20, .local_apic = true};
        const struct nova_hv_config enlightened = {
                .privileges = NOVA_HV_PRIVILEGES_USUAL | NOVA_HV_PRIVILEGE_APIC_REGISTERS |
                              NOVA_HV_PRIVILEGE_TIMERS | NOVA_HV_PRIVILEGE_IDLE |
                              NOVA_HV_PRIVILEGE_RUN_TIME | NOVA_HV_PRIVILEGE_VP_REGISTERS,
                .direct_timers = true,
                .crashed = crashed};
        uint64_t read[4] = {0};
        struct state state;
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        load();
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        nova_guest_read(&vm.memory, OUTPUT_AT, read, sizeof(read));
        printf("%u interrupts, %u early, %u faults, status 0x%x, identity %u, %s, %s, then 0x%x: "
               "the guest %s\n",
               (unsigned)state.expired, (unsigned)state.early, (unsigned)state.faults,
               (unsigned)state.status, (unsigned)read[0], state.slept >= 200000 ? "slept" : "awake",
               state.ran > 0 && state.ran < 100000000 ? "ran" : "idle", (unsigned)state.after,
               nova_vm_end_text(end));
        return state.expired != 1 || state.early || read[2] || state.after != 0x5eed ||
               end != NOVA_VM_HALTED;
}
