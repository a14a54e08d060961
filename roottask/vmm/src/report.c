/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports of errors: virtual CPU, cause, and registers. */
#include "report.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "hv/exits.h"
#include "novart/time.h"
#include "output.h"
#include "vm.h"

#define CAUSE_BYTES 240
#define TEXT_BYTES  (CAUSE_BYTES + 120)

static void to_output(void *unused, const char *text)
{
        (void)unused;
        fputs(text, stdout);
}

/* The destination of reports by default: the program's console. */
static const struct report_sink output = {to_output, NULL};

__attribute__((format(printf, 2, 3))) static void say(const struct report_sink *to,
                                                      const char *format, ...)
{
        char text[TEXT_BYTES];
        va_list list;

        va_start(list, format);
        vsnprintf(text, sizeof(text), format, list);
        va_end(list);
        to->write(to->context, text);
}

/* Bit of a segment's rights in the layout of struct nova_segment: the stack pointer has 32 bits. */
#define AR_BIG 0x400

/* Groups of state that are needed to read code and stack. */
#define NEAR_MTD (FETCH_MTD | NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_EFL)

#define STACK_WORDS 8

/* Code and stack at a virtual CPU's position. */
struct near {
        uint64_t efer;
        uint8_t code[NOVA_CODE_BYTES];
        size_t codes;                /* number of bytes in `code` */
        uint64_t stack[STACK_WORDS]; /* words at the stack pointer and above */
        unsigned stacks;             /* number of words in `stack` */
        unsigned word;               /* bytes of a word */
};

#define RESET_BY " reset the machine by"

/* Time in ns to wait for a virtual CPU, which may get no CPU time. */
#define PATIENCE_NS 1000000000

#define FIELD(name, group)                                           \
        {                                                            \
#name, group, offsetof(struct nova_utcb_state, name) \
        }

struct field {
        const char *name;
        nova_mtd_t group;
        size_t offset;
};

static const struct field words[] = {
        FIELD(ip, NOVA_MTD_EIP),     FIELD(flags, NOVA_MTD_EFL),  FIELD(sp, NOVA_MTD_ESP),
        FIELD(ax, NOVA_MTD_ACDB),    FIELD(bx, NOVA_MTD_ACDB),    FIELD(cx, NOVA_MTD_ACDB),
        FIELD(dx, NOVA_MTD_ACDB),    FIELD(si, NOVA_MTD_BSD),     FIELD(di, NOVA_MTD_BSD),
        FIELD(bp, NOVA_MTD_BSD),     FIELD(cr0, NOVA_MTD_CR),     FIELD(cr2, NOVA_MTD_CR),
        FIELD(cr3, NOVA_MTD_CR),     FIELD(cr4, NOVA_MTD_CR),
#if __SIZEOF_POINTER__ == 8
        FIELD(r8, NOVA_MTD_R8_R15),  FIELD(r9, NOVA_MTD_R8_R15),  FIELD(r10, NOVA_MTD_R8_R15),
        FIELD(r11, NOVA_MTD_R8_R15), FIELD(r12, NOVA_MTD_R8_R15), FIELD(r13, NOVA_MTD_R8_R15),
        FIELD(r14, NOVA_MTD_R8_R15), FIELD(r15, NOVA_MTD_R8_R15),
#endif
};

static const struct field segments[] = {
        FIELD(cs, NOVA_MTD_CS_SS),  FIELD(ss, NOVA_MTD_CS_SS),  FIELD(ds, NOVA_MTD_DS_ES),
        FIELD(es, NOVA_MTD_DS_ES),  FIELD(fs, NOVA_MTD_FS_GS),  FIELD(gs, NOVA_MTD_FS_GS),
        FIELD(tr, NOVA_MTD_TR),     FIELD(ldtr, NOVA_MTD_LDTR), FIELD(gdtr, NOVA_MTD_GDTR),
        FIELD(idtr, NOVA_MTD_IDTR),
};

static void print_segment(const struct report_sink *to, const char *name,
                          const struct nova_segment *segment)
{
        say(to, "  %-4s %04x base %016llx limit %08x rights %03x\n", name, segment->sel,
            (unsigned long long)segment->base, (unsigned)segment->limit, segment->ar);
}

/* Prints the registers of the groups in @p mtd. */
static void print_registers(const struct report_sink *to, const struct nova_utcb_state *state,
                            nova_mtd_t mtd)
{
        const char *const bytes = (const char *)state;
        unsigned column = 0;

        for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
                if (!(words[i].group & mtd))
                        continue;
                say(to, "  %-5s %016llx%s", words[i].name,
                    (unsigned long long)*(const nova_word_t *)(bytes + words[i].offset),
                    column == 2 ? "\n" : "");
                column = (column + 1) % 3;
        }
        if (column)
                say(to, "\n");
        for (unsigned i = 0; i < sizeof(segments) / sizeof(*segments); i++)
                if (segments[i].group & mtd)
                        print_segment(to, segments[i].name,
                                      (const struct nova_segment *)(bytes + segments[i].offset));
}

/* Reads only the part of the stack that is RAM, because a read may change a device. */
static void read_stack(const struct nova_vcpu *vcpu, const struct nova_access *access,
                       struct near *near)
{
        const unsigned bits = nova_access_bits(access);
        uint64_t sp = access->state->sp;

        near->word = bits / 8;
        if (bits != 64)
                sp = access->state->ss.ar & AR_BIG ? (uint32_t)sp : (uint16_t)sp;
        for (; near->stacks < STACK_WORDS; near->stacks++, sp += near->word) {
                struct nova_place place;
                struct nova_fault fault;

                if (!nova_access_find(access, NOVA_SEGMENT_SS, sp, near->word, false, &place,
                                      &fault) ||
                    place.first != place.bytes ||
                    !nova_guest_read(&vcpu->vm->memory, place.physical[0],
                                     &near->stack[near->stacks], near->word))
                        break;
        }
}

static void read_near(const struct nova_vcpu *vcpu, nova_mtd_t mtd, struct near *near)
{
        const struct nova_access access = novavmm_vcpu_access(vcpu);

        memset(near, 0, sizeof(*near));
        near->efer = vcpu->more->efer;
        if ((mtd & NEAR_MTD) != NEAR_MTD)
                return;
        near->codes = nova_access_fetch(&access, near->code);
        read_stack(vcpu, &access, near);
}

static void print_near(const struct report_sink *to, const struct near *near, nova_mtd_t mtd)
{
        if (mtd & NOVA_MTD_MSR)
                say(to, "  efer  %016llx\n", (unsigned long long)near->efer);
        if ((mtd & NEAR_MTD) != NEAR_MTD)
                return;
        say(to, "  code at ip:%s", near->codes ? "" : " cannot be read");
        for (size_t i = 0; i < near->codes; i++)
                say(to, " %02x", near->code[i]);
        say(to, "\n  stack at sp:%s", near->stacks ? "" : " cannot be read");
        for (unsigned i = 0; i < near->stacks; i++)
                say(to, " %0*llx", (int)(2 * near->word), (unsigned long long)near->stack[i]);
        say(to, "\n");
}

/* Reports the last hypercall of the guest, if the machine has the interface for them. */
static void say_last_call(const struct nova_vm *vm, const struct report_sink *to)
{
        char text[NOVA_HV_LAST_BYTES];

        if (!vm->hv)
                return;
        vm->hv_exits->last_text(vm->hv, text, sizeof(text));
        say(to, "  last hypercall: %s\n", text);
}

/* The report is made from a copy of the state, because writing the report may overwrite the UTCB. A
 * virtual CPU that has never exited has no state; only a secure guest causes a report in this
 * case. */
void novavmm_report_exit(struct nova_vcpu *vcpu, const struct report_sink *to, const char *what,
                         const char *cause)
{
        const nova_mtd_t mtd = vcpu->vm->mtd[vcpu->exit];
        struct nova_utcb_state state = {.mtd = 0};
        struct near near = {.codes = 0};

        if (to == &output && vcpu->vm->may_report && !vcpu->vm->may_report(vcpu->vm))
                return;
        if (vcpu->state)
                state = *vcpu->state;
        if (!vcpu->vm->hide_state)
                read_near(vcpu, mtd, &near);
        if (to == &output)
                novavmm_output_begin();
        say(to, "VM: guest %s, vCPU %u%s %s", vcpu->vm->name, vcpu->number, what, cause);
        if (vcpu->vm->hide_state)
                say(to, ".\n");
        else
                say(to, " (exit 0x%x, qualification %llx %llx).\n", vcpu->event,
                    (unsigned long long)state.qual[0], (unsigned long long)state.qual[1]);
        say_last_call(vcpu->vm, to);
        if (!vcpu->vm->hide_state) {
                print_registers(to, &state, mtd);
                print_near(to, &near, mtd);
        }
        if (to == &output)
                novavmm_output_end();
        if (vcpu->state)
                *vcpu->state = state;
}

void nova_vcpu_fail(struct nova_vcpu *vcpu, const char *format, ...)
{
        char cause[CAUSE_BYTES];
        va_list list;

        if (vcpu->vm->end != NOVA_VM_RUNS)
                return;
        va_start(list, format);
        vsnprintf(cause, sizeof(cause), format, list);
        va_end(list);
        novavmm_report_exit(vcpu, &output, " cannot continue:", cause);
        nova_vm_end_with(vcpu->vm, NOVA_VM_ERROR);
}

void novavmm_report_reset(struct nova_vcpu *vcpu)
{
        novavmm_report_exit(vcpu, &output, RESET_BY, vcpu->vm->reset_means);
        nova_vm_end_with(vcpu->vm, NOVA_VM_RESET);
}

/* A virtual CPU that has been stopped has no registers to show. */
void nova_vm_reset(struct nova_vm *vm, const char *means)
{
        struct nova_vcpu *const vcpu = vm->serving;

        if (vm->end != NOVA_VM_RUNS)
                return;
        vm->reset_means = means;
        if (vcpu && vm->report_reset && vcpu->activity != NOVA_VCPU_OFF) {
                novavmm_vcpu_recall_for(vcpu, VCPU_RESETS_MACHINE);
                return;
        }
        novavmm_output_begin();
        printf("VM: guest %s", vm->name);
        if (vcpu)
                printf(", vCPU %u", vcpu->number);
        printf(RESET_BY " %s.\n", means);
        say_last_call(vm, &output);
        novavmm_output_end();
        nova_vm_end_with(vm, NOVA_VM_RESET);
}

int nova_vm_not_loaded(const struct nova_vm *vm, const char *why)
{
        novavmm_output_begin();
        printf("VM: guest %s cannot be loaded: %s.\n", vm->name, why);
        novavmm_output_end();
        return 1;
}

const char *nova_vm_end_text(enum nova_vm_end end)
{
        switch (end) {
        case NOVA_VM_RUNS:
                return "still runs";
        case NOVA_VM_OFF:
                return "switched itself off";
        case NOVA_VM_RESET:
                return "reset itself";
        case NOVA_VM_HALTED:
                return "halted";
        case NOVA_VM_STOPPED:
                return "was stopped";
        default:
                return "ended with an error";
        }
}

/* Makes a virtual CPU copy its state. One thread at a time waits for a copy. If the copy arrives
 * after the wait has ended, the semaphore keeps its up.
 * @return true if the copy arrived */
static bool get_state(struct nova_vcpu *vcpu, struct nova_utcb_state *state)
{
        const uint64_t deadline = nova_tsc_of_ns(nova_vm_now(NULL) + PATIENCE_NS);
        bool late, came;

        nova_vm_lock(vcpu->vm);
        vcpu->report = state;
        novavmm_vcpu_recall_for(vcpu, VCPU_REPORT);
        nova_vm_unlock(vcpu->vm);
        late = nova_semaphore_down_until(&vcpu->reported, deadline);
        nova_vm_lock(vcpu->vm);
        came = !vcpu->report;
        vcpu->report = NULL;
        nova_vm_unlock(vcpu->vm);
        if (came && late)
                nova_semaphore_down(&vcpu->reported);
        return came;
}

static void report(struct nova_vcpu *vcpu)
{
        static const char *const texts[] = {
                [NOVA_VCPU_OFF] = "has not started",
                [NOVA_VCPU_RUNS] = "runs",
                [NOVA_VCPU_HALTS] = "waits for an interrupt",
                [NOVA_VCPU_DEAD] = "halted with interrupts off",
        };
        const struct nova_vm *const vm = vcpu->vm;
        const bool is_off = vcpu->activity == NOVA_VCPU_OFF;
        struct nova_utcb_state state;
        const bool known = !is_off && get_state(vcpu, &state);

        novavmm_output_begin();
        printf("VM: guest %s, vCPU %u ", vm->name, vcpu->number);
        if (is_off) {
                printf("%s.\n", texts[NOVA_VCPU_OFF]);
        } else if (!known) {
                printf("gets no CPU time.\n");
        } else {
                printf("%s, after %llu exits; the last was 0x%x.\n", texts[vcpu->activity],
                       (unsigned long long)vcpu->exits, vcpu->event);
                if (!vm->hide_state)
                        print_registers(&output, &state, vm->mtd[NOVA_VM_EXIT_RECALL]);
        }
        novavmm_output_end();
}

void nova_vm_report(struct nova_vm *vm)
{
        if (vm->end != NOVA_VM_RUNS) {
                novavmm_output_begin();
                printf("VM: guest %s has ended.\n", vm->name);
                novavmm_output_end();
        }
        nova_mutex_lock(&vm->report_lock);
        for (unsigned i = 0; i < vm->vcpus && vm->end == NOVA_VM_RUNS; i++)
                report(&vm->vcpu[i]);
        nova_mutex_unlock(&vm->report_lock);
}
