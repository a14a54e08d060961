/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest makes each call of the codes below 0x100, in three forms, first with all privileges that
 * a guest can have, then with the usual ones. Calls that only a parent or root partition may make
 * are denied, even in a wrong form. Calls that do not exist are unknown. All others have a
 * different status. */
#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT  0x1000
#define STATE_AT  0x7000
#define STACK_AT  0x9000
#define STATUS_AT 0x20000
#define CODES     256
#define FORMS     3
#define RAM_BYTES 0x200000
#define OF_PARENT 0x139c7u /* bits of EBX in leaf 0x40000003 that no guest has */

/* The codes of a parent: ranges, first and last. */
static const uint8_t denied[][2] = {
        {0x01, 0x01}, {0x04, 0x04}, {0x09, 0x09}, {0x0c, 0x12}, {0x40, 0x4f}, {0x52, 0x54},
        {0x56, 0x56}, {0x58, 0x5b}, {0x5e, 0x5f}, {0x69, 0x6d}, {0x76, 0x77},
};
/* The codes of a guest. */
static const uint8_t permitted[] = {0x02, 0x03, 0x08, 0x0b, 0x13, 0x14, 0x15};
/* The codes that need more than the usual privileges. */
static const uint8_t privileged[] = {0x50, 0x51, 0x5c, 0x5d};

/* Makes each call in three forms: with input in memory, with input in registers, and with a list of
 * one element. */
GUEST_CODE(guest, 32,
           "movl $0x40000003, %eax\ncpuid\nmovl %ebx, 0x7000\n"
           "movl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\nmovl $0x10000, %ebp\n"
           "xorl %esi, %esi\nmovl $0x20000, %edi\n"
           "1: movl %esi, %eax\nxorl %edx, %edx\ncall 2f\n"
           "leal 0x10000(%esi), %eax\nxorl %edx, %edx\ncall 2f\n"
           "movl %esi, %eax\nmovl $1, %edx\ncall 2f\n"
           "incl %esi\ncmpl $256, %esi\njne 1b\ncli\nhlt\n"
           "2: pushl %esi\npushl %edi\nxorl %ebx, %ebx\nmovl $0x14000, %ecx\nxorl %edi, %edi\n"
           "movl $0x15000, %esi\ncall *%ebp\npopl %edi\npopl %esi\nstosb\nret\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static bool is_denied(unsigned code)
{
        for (unsigned i = 0; i < sizeof(denied) / sizeof(*denied); i++)
                if (code >= denied[i][0] && code <= denied[i][1])
                        return true;
        return false;
}

static bool has(const uint8_t *codes, size_t count, unsigned code)
{
        for (size_t i = 0; i < count; i++)
                if (codes[i] == code)
                        return true;
        return false;
}

/* Returns true if a status is right. Calls of a guest succeed or have wrong parameters here. */
static bool is_right(unsigned code, bool all, unsigned status)
{
        const bool needs = has(privileged, sizeof(privileged), code);

        if (is_denied(code) || (needs && !all))
                return status == NOVA_HV_ACCESS_DENIED;
        if (needs || has(permitted, sizeof(permitted), code))
                return status != NOVA_HV_ACCESS_DENIED && status != NOVA_HV_INVALID_CODE;
        return status == NOVA_HV_INVALID_CODE;
}

/* Runs the guest. @return the number of statuses that are wrong, or 1 if it does not run */
static unsigned run(uint64_t privileges, bool all)
{
        static const struct nova_vm_config config = {
                .name = "partition", .memory = RAM_BYTES, .local_apic = true, .same_tsc = true};
        const struct nova_hv_config enlightened = {.privileges = privileges};
        static uint8_t status[CODES][FORMS];
        unsigned wrong = 0, refused = 0;
        enum nova_vm_end end;
        uint32_t ebx;

        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened))
                return 1;
        machine_begin(&vm, GUEST_AT, guest, GUEST_BYTES(guest));
        vm.vcpu[0].start.state.sp = STACK_AT;
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &ebx, sizeof(ebx));
        nova_guest_read(&vm.memory, STATUS_AT, status, sizeof(status));
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        for (unsigned i = 0; i < CODES * FORMS; i++) {
                const unsigned code = i / FORMS, found = status[code][i % FORMS];

                refused += found == NOVA_HV_ACCESS_DENIED;
                if (is_right(code, all, found))
                        continue;
                wrong++;
                printf("call 0x%04x, form %u: status %u\n", code, i % FORMS, found);
        }
        printf("%u denied, %u wrong, privileges of a parent 0x%x: the guest %s\n", refused, wrong,
               (unsigned)ebx & OF_PARENT, nova_vm_end_text(end));
        return wrong + (end != NOVA_VM_HALTED || ebx & OF_PARENT);
}

int main(void)
{
        return run(NOVA_HV_PRIVILEGES_ALL & ~NOVA_HV_PRIVILEGE_TIMERS, true) ||
               run(NOVA_HV_PRIVILEGES_USUAL, false);
}
