/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that single-steps over emulated instructions, and a guest that switches tasks. CPUs with
 * SVM switch tasks themselves. CPUs with VMX leave the switch to the monitor, which reports that it
 * does not support task switches. */
#include <stdio.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT 0x1000
#define LIST_AT  0x5000 /* return address and DR6 of each step */
#define STEPS_AT 0x6000 /* number of steps */
#define DR6_STEP 0x4000u
#define DR6_WHY  0xe00fu

/* Segments 8 and 16 are flat, 24 is a task at 0x7000; the GDT is at 0, the IDT at 0x3000. */
#define TABLES                   \
        "movl $0x8000, %esp\n"   \
        "movl $0x0000ffff, 8\n"  \
        "movl $0x00cf9b00, 12\n" \
        "movl $0x0000ffff, 16\n" \
        "movl $0x00cf9300, 20\n" \
        "movl $0x70000067, 24\n" \
        "movl $0x00008900, 28\n" \
        "movw $0x7ff, 0x3ff0\n"  \
        "movl $0x3000, 0x3ff2\n" \
        "lidt 0x3ff0\n"

GUEST_CODE(stepper, 32,
           TABLES "              movl $(stepped - stepper + 0x1000) + 0x80000, 0x3008\n"
                  "              movl $0x8e00, 0x300c\n"
                  "              movl $0xc0000080, %ecx\n"
                  "              pushf\n"
                  "              orl $0x100, (%esp)\n"
                  "              popf\n"
                  "              rdmsr\n"
                  "after_rdmsr:  cpuid\n"
                  "after_cpuid:  inb $0x80, %al\n"
                  "after_in:     wbinvd\n"
                  "after_wbinvd: movl $0x400000f0, %ecx\n"
                  "at_idle:      rdmsr\n" /* does not sleep */
                  "after_idle:   movl 0xd0000000, %eax\n"
                  "after_mov:    hlt\n"
                  "after_hlt:    movl $0x5000, %esi\n"
                  "after_si:     movl $2, %ecx\n"
                  "after_cx:     movw $0x80, %dx\n"
                  "at_outs:      rep outsb\n"
                  "after_outs:   pushf\n"
                  "after_pushf:  andl $~0x100, (%esp)\n"
                  "after_and:    popf\n"
                  "              hlt\n"
                  "stepped:      pushl %eax\n"
                  "              pushl %ebx\n"
                  "              movl 0x6000, %ebx\n"
                  "              movl 8(%esp), %eax\n"
                  "              movl %eax, 0x5000(, %ebx, 8)\n"
                  "              movl %dr6, %eax\n"
                  "              movl %eax, 0x5004(, %ebx, 8)\n"
                  "              movl $0xffff0ff0, %eax\n"
                  "              movl %eax, %dr6\n"
                  "              incl 0x6000\n"
                  "              popl %ebx\n"
                  "              popl %eax\n"
                  "              iret\n");

/* Switches to a task in which everything but the stack is unchanged. */
GUEST_CODE(switcher, 32,
           TABLES "              movl $(switched - switcher + 0x1000), 0x7020\n"
                  "              movl $2, 0x7024\n"
                  "              movl $0x8f00, 0x7038\n"
                  "              movl $16, 0x7048\n"
                  "              movl $8, 0x704c\n"
                  "              movl $16, 0x7050\n"
                  "              movl $16, 0x7054\n"
                  "              ljmp $24, $0\n"
                  "              ud2\n"
                  "switched:     movl %esp, 0x6000\n"
                  "              hlt\n");

extern const char after_rdmsr[], after_cpuid[], after_in[], after_wbinvd[], after_mov[];
extern const char at_idle[], after_idle[], after_hlt[], after_si[], after_cx[], at_outs[];
extern const char after_outs[], after_pushf[], after_and[];

static uint32_t peek(const struct nova_vm *vm, uint64_t at)
{
        uint32_t value = 0;

        nova_guest_read(&vm->memory, at, &value, sizeof(value));
        return value;
}

static bool check(const char *what, bool good)
{
        printf("%s: %s\n", what, good ? "as on a CPU" : "wrong");
        return good;
}

/* Checks that each instruction, or each iteration of a repeated instruction, is one step, as DR6
 * shows. The step of POPF comes last. */
static bool check_steps(const struct nova_vm *vm)
{
        static const struct {
                const char *name, *after;
        } steps[] = {
                {"rdmsr", after_rdmsr},   {"cpuid", after_cpuid}, {"in", after_in},
                {"wbinvd", after_wbinvd}, {"cx", at_idle},        {"the idle register", after_idle},
                {"mov", after_mov},       {"hlt", after_hlt},     {"si", after_si},
                {"cx", after_cx},         {"dx", at_outs},        {"a round of outs", at_outs},
                {"outs", after_outs},     {"pushf", after_pushf}, {"and", after_and}};
        const unsigned count = sizeof(steps) / sizeof(*steps);
        bool good = vm->end == NOVA_VM_HALTED && peek(vm, STEPS_AT) == count + 1;

        for (unsigned i = 0; i < count; i++) {
                const uint32_t next = GUEST_AT + (uint32_t)(steps[i].after - stepper);

                good &= check(steps[i].name,
                              peek(vm, LIST_AT + 8 * i) == next &&
                                      (peek(vm, LIST_AT + 8 * i + 4) & DR6_WHY) == DR6_STEP);
        }
        return check("steps", good);
}

/* Checks that the CPU switched tasks, or, on VMX, that the machine ended with a message. */
static bool check_task(const struct nova_vm *vm)
{
        if (!vm->svm)
                return check("task", vm->end == NOVA_VM_ERROR && peek(vm, STEPS_AT) == 0);
        return check("task", vm->end == NOVA_VM_HALTED && peek(vm, STEPS_AT) == 0x8f00);
}

static bool run(const char *name, const char *code, const char *end,
                bool (*judge)(const struct nova_vm *vm))
{
        static struct nova_vm vm;
        static struct nova_hv hv;
        const struct nova_vm_config config = {.name = name, .memory = 2u << 20};
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGE_IDLE};

        if (!machine_create(&vm, &config, NULL) || nova_hv_enable(&hv, &vm, &enlightened))
                return false;
        nova_guest_write(&vm.memory, GUEST_AT, code, (size_t)(end - code));
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        nova_vm_run(&vm);
        nova_vm_wait(&vm);

        const bool good = judge(&vm);

        nova_vm_destroy(&vm);
        return good;
}

int main(void)
{
        const bool steps = run("steps", stepper, stepper_end, check_steps);
        const bool task = run("task", switcher, switcher_end, check_task);

        return !(steps && task);
}
