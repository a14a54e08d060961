/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that looks for other hypervisors: VMware's port, a second range of CPUID leaves, and the
 * calls of KVM, Xen and VMware. The results are the same with the interface for enlightened guests
 * and without it. With the hypercall page enabled, the guest's calls are unknown or denied. */
#include <string.h>

#include "novart/program.h"
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT   0x1000
#define UD_AT      0x2000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define STATE_AT   0x7000
#define ENABLE_AT  0x7100 /* not 0: the guest enables the hypercall page */
#define STACK_AT   0x9000
#define VECTOR_UD  6
#define CALLS      3
#define ALL_ONES   0xffffffffu
#define VMWARE_EAX 0x564d5868u

/* Results of the guest, at STATE_AT. */
struct state {
        uint32_t faults;          /* #UD */
        uint32_t port[2];         /* EAX and EBX after a read of the port */
        uint32_t leaf[4];         /* CPUID leaf 0x40000100 */
        uint32_t ax[CALLS][2][2]; /* EAX and EDX after each call by VMCALL and by VMMCALL */
};

_Static_assert(sizeof(struct state) == 28 + 16 * CALLS, "the guest's code knows the layout");

/* Skips VMCALL or VMMCALL. */
GUEST_CODE(undefined, 32, "incl 0x7000\naddl $3, (%esp)\niretl\n");

#define CALL(ax, dx, instruction)                                                              \
        "movl $" #ax ", %eax\nmovl $" #dx ", %edx\nmovl $10, %ecx\nmovl $1, %ebx\nxorl %esi, " \
        "%esi\n" instruction "\nmovl %eax, (%ebp)\nmovl %edx, 4(%ebp)\naddl $8, %ebp\n"
#define BOTH(ax, dx) CALL(ax, dx, "vmcall") CALL(ax, dx, "vmmcall")

GUEST_CODE(guest, 32,
           "cmpl $0, 0x7100\nje 1f\n"
           "movl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\n"
           /* VMware: function 10 asks for the version, and EBX would get a magic number. */
           "1: movl $0x564d5868, %eax\nmovl $0x11223344, %ebx\nmovl $10, %ecx\n"
           "movl $0x5658, %edx\ninl %dx, %eax\nmovl %eax, 0x7004\nmovl %ebx, 0x7008\n"
           "movl $0x40000100, %eax\nxorl %ecx, %ecx\ncpuid\nmovl %eax, 0x700c\n"
           "movl %ebx, 0x7010\nmovl %ecx, 0x7014\nmovl %edx, 0x7018\nmovl $0x701c, %ebp\n"
           /* KVM: wake CPU 1. Xen: version. VMware by a call. */
           BOTH(5, 0) BOTH(17, 0) BOTH(0x564d5868, 0x5658) "cli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static void load(bool enables)
{
        const uint32_t word = enables;
        machine_add_handler(&vm, IDT_AT, VECTOR_UD, UD_AT, undefined, GUEST_BYTES(undefined));
        nova_guest_write(&vm.memory, ENABLE_AT, &word, sizeof(word));
        machine_begin(&vm, GUEST_AT, guest, GUEST_BYTES(guest));
        machine_set_tables(&vm, GDT_AT, IDT_AT, VECTOR_UD);
        vm.vcpu[0].start.state.sp = STACK_AT;
}

/* Runs the guest on a machine of its own. */
static bool run(bool has_interface, bool enables, struct state *state)
{
        const struct nova_vm_config config = {
                .name = "foreign", .memory = 2u << 20, .local_apic = true};
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, &pc) ||
            (has_interface && nova_hv_enable(&hv, &vm, &enlightened)))
                return false;
        load(enables);
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, state, sizeof(*state));
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return end == NOVA_VM_HALTED;
}

/* Checks the calls of a guest: statuses for the CPU's own instruction, or #UD. */
static bool check(const struct state *state, const uint32_t status[CALLS])
{
        static const uint32_t asked[CALLS][2] = {{5, 0}, {17, 0}, {VMWARE_EAX, 0x5658}};
        const bool svm = nova_program.hip->features & NOVA_HIP_SVM;
        bool good = state->faults == (status ? CALLS : 2 * CALLS);

        for (unsigned i = 0; i < CALLS; i++) {
                const uint32_t answer[2] = {status ? status[i] : asked[i][0],
                                            status ? 0 : asked[i][1]};

                good &= !memcmp(state->ax[i][!svm], asked[i], sizeof(asked[i]));
                good &= !memcmp(state->ax[i][svm], answer, sizeof(answer));
        }
        return good && state->port[0] == ALL_ONES && state->port[1] == 0x11223344;
}

int main(void)
{
        static const uint32_t statuses[CALLS] = {NOVA_HV_INVALID_CODE, NOVA_HV_ACCESS_DENIED,
                                                 NOVA_HV_INVALID_CODE};
        struct state without = {0}, with = {0}, enabled = {0};
        bool good =
                run(false, false, &without) && run(true, false, &with) && run(true, true, &enabled);

        printf("without: %u #UD, port 0x%x, leaf 0x%x\n", (unsigned)without.faults,
               (unsigned)without.port[0], (unsigned)without.leaf[0]);
        good = good && !memcmp(&without, &with, sizeof(with));
        printf("with the interface: %s\n", good ? "the same" : "not the same");
        good = good && check(&without, NULL) && check(&enabled, statuses) &&
               !memcmp(enabled.leaf, without.leaf, sizeof(without.leaf));
        printf("with the page: %u #UD, %u calls: %s\n", (unsigned)enabled.faults,
               (unsigned)hv.last.number, good ? "as expected" : "not as expected");
        return !good;
}
