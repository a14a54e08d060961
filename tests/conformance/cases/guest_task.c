/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: each way to switch tasks. CPUs with SVM perform the switch unless an exit is requested;
 * CPUs with VMX leave every switch to the monitor. */
#include "guest.h"

#define OLD_TSS  0x9800
#define NEW_TSS  0x9900
#define OLD_TASK 0x18
#define NEW_TASK 0x20
#define GATE     0x28
#define STACK    0x7800   /* stack of the new task */
#define IN_TASK  0x3000   /* code of the new task: hlt, iret */
#define LOST     0x50     /* a selector beyond the end of the GDT */
#define TASK_BIT 1u << 29 /* bit of SVM's ctrl[0] for task switches */

#define FLAG_NT  0x4000
#define CR0_TS   0x8
#define SOFT     NOVA_INJ_SOFTWARE_INTERRUPT /* the type of INT n */
#define BUSY     ((uint64_t)2 << 40)
#define TASK     ((uint64_t)0x89 << 40)
#define LEADS_TO ((uint64_t)NEW_TASK << 16 | (uint64_t)0x8500 << 32) /* a task gate */

/* Byte offsets in a task-state segment. */
enum tss {
        LINK = 0,
        EIP = 0x20,
        EFLAGS = 0x24,
        ESP = 0x38,
        ES = 0x48,
        CS = 0x4c,
        SS = 0x50,
        DS = 0x54
};

GUEST(by_jmp_32, 32, "ljmp $0x20, $0; hlt");
GUEST(by_gate_32, 32, "ljmp $0x28, $0; hlt");
GUEST(by_call_32, 32, "lcall $0x20, $0; hlt");
GUEST(by_int_32, 32, "int $0x80; hlt");
GUEST(by_fault_32, 32, "ud2; hlt");
GUEST(by_error_32, 32, "movl %ecx, %ds; hlt");
GUEST(by_iret_32, 32, "iret; hlt");
GUEST(task_32, 32, "hlt; iret");

/* Sources as VMX reports them: bits 31 and 30 of the qualification. */
enum source { BY_CALL, BY_IRET, BY_JMP, BY_IDT };

static const struct way {
        const char *code, *end;
        enum source source;
        uint32_t info; /* the event whose delivery leads to the new task; 0: there is none */
        bool links;    /* the new task can return to the old one */
        bool faults;   /* the old task resumes at the instruction itself, not after it */
} ways[] = {
        {by_jmp_32, by_jmp_32_end, BY_JMP, 0, false, false},
        {by_gate_32, by_gate_32_end, BY_JMP, 0, false, false},
        {by_call_32, by_call_32_end, BY_CALL, 0, true, false},
        {by_int_32, by_int_32_end, BY_IDT, 0x80000480, true, false},
        {by_fault_32, by_fault_32_end, BY_IDT, 0x80000306, true, true},
        {by_error_32, by_error_32_end, BY_IDT, 0x80000b0d, true, true},
        {by_iret_32, by_iret_32_end, BY_IRET, 0, false, false},
};

#define WAYS (sizeof(ways) / sizeof(*ways))

static uint64_t *descriptor(const struct guest *g, word_t table, unsigned index)
{
        return (uint64_t *)(void *)(g->memory + table) + index;
}

/* Makes a flat guest in the old task, and a new task like it. */
static struct guest *prepare(const struct way *way, nova_mtd_t *mtd)
{
        struct guest *g = guest_new(boot_cpu, way->code, way->end);
        const unsigned data[] = {ES, SS, DS};

        *mtd = guest_flat(g);
        g->memory[IN_TASK] = task_32[0];
        g->memory[IN_TASK + 1] = task_32[1];
        *descriptor(g, GUEST_GDT, OLD_TASK / 8) = TASK | BUSY | (uint64_t)OLD_TSS << 16 | 0x67;
        *descriptor(g, GUEST_GDT, NEW_TASK / 8) = TASK | (uint64_t)NEW_TSS << 16 | 0x67;
        *descriptor(g, GUEST_GDT, GATE / 8) = LEADS_TO;
        *descriptor(g, GUEST_IDT, 6) = *descriptor(g, GUEST_IDT, 13) = LEADS_TO;
        *descriptor(g, GUEST_IDT, 0x80) = LEADS_TO;
        *guest_word(g, NEW_TSS + EIP) = IN_TASK;
        *guest_word(g, NEW_TSS + EFLAGS) = 0x2;
        *guest_word(g, NEW_TSS + ESP) = STACK;
        *guest_word(g, NEW_TSS + CS) = 8;
        for (unsigned i = 0; i < 3; i++)
                *guest_word(g, NEW_TSS + data[i]) = 16;
        g->state->gdtr.limit = GATE + 7;
        g->state->tr = (struct nova_segment){OLD_TASK, 0x8b, .limit = 0x67, .base = OLD_TSS};
        g->state->cx = LOST;
        if (way->source == BY_IRET) { /* IRET returns to the task that called this one */
                *descriptor(g, GUEST_GDT, NEW_TASK / 8) |= BUSY;
                *guest_word(g, OLD_TSS + LINK) = NEW_TASK;
                g->state->flags |= FLAG_NT;
        }
        return g;
}

static word_t next_of(const struct way *way)
{
        return GUEST_CODE + (way->faults ? 0 : (word_t)(way->end - way->code) - 1);
}

/* Checks that the guest halts in its new task. */
static void expect_new_task(const struct guest *g, const struct way *way)
{
        const bool error = way->info & 0x800;

        EXPECT_EQ(g->state->ip, IN_TASK);
        EXPECT_EQ(g->state->tr.sel, NEW_TASK);
        EXPECT_EQ(g->state->tr.base, NEW_TSS);
        EXPECT_EQ(g->state->cr0 & CR0_TS, CR0_TS);
        EXPECT_EQ(g->state->flags & FLAG_NT, way->links ? FLAG_NT : 0);
        EXPECT_EQ(g->state->sp, error ? STACK - 4 : STACK);
        if (error)
                EXPECT_EQ(*guest_word(g, g->state->sp), LOST);
        EXPECT_EQ(*guest_word(g, OLD_TSS + EIP), next_of(way));
        if (way->links)
                EXPECT_EQ(*guest_word(g, NEW_TSS + LINK) & 0xffff, OLD_TASK);
        EXPECT(*descriptor(g, GUEST_GDT, NEW_TASK / 8) & BUSY);
        EXPECT_EQ(!!(*descriptor(g, GUEST_GDT, OLD_TASK / 8) & BUSY), way->links);
}

CASE_ON(guest_task, a_switch_of_each_kind_is_done_by_the_cpu_on_svm, "7.2-136", needs_svm)
{
        for (unsigned i = 0; i < WAYS; i++) {
                nova_mtd_t mtd;
                struct guest *g = prepare(&ways[i], &mtd);
                guest_until(g, mtd, EXIT_HLT);
                expect_new_task(g, &ways[i]);
                if (!ways[i].links)
                        continue;
                g->memory[next_of(&ways[i])] = task_32[0];
                g->state->ip++;
                guest_until(g, NOVA_MTD_EIP, EXIT_HLT); /* and back */
                EXPECT_EQ(g->state->ip, next_of(&ways[i]));
                EXPECT_EQ(g->state->tr.sel, OLD_TASK);
                EXPECT_EQ(g->state->flags & FLAG_NT, 0);
        }
}

/* Checks that the guest's state is unchanged, and that the message describes the event that led to
 * the task as an event whose delivery was interrupted. */
static void expect_event(const struct guest *g, const struct way *way)
{
        EXPECT_EQ(g->state->ip, GUEST_CODE);
        EXPECT_EQ(g->state->tr.sel, OLD_TASK);
        EXPECT_EQ(g->state->inj_info & NOVA_INJ_EVENT, way->info);
        if (way->info & 0x800)
                EXPECT_EQ(g->state->inj_error, LOST);
        EXPECT_EQ(*guest_word(g, OLD_TSS + EIP), 0);
}

CASE_ON(guest_task, a_switch_of_each_kind_is_an_event_on_vmx, "7.2-31 7.4-46 8.4-31 7.4-50 8.4-35",
        needs_vmx)
{
        for (unsigned i = 0; i < WAYS; i++) {
                nova_mtd_t mtd;
                struct guest *g = prepare(&ways[i], &mtd);
                EXPECT_EQ(guest_run(g, mtd), 0x09);
                EXPECT_EQ(g->state->qual[0], (word_t)ways[i].source << 30 | NEW_TASK);
                expect_event(g, &ways[i]);
                if (!ways[i].faults)
                        EXPECT_EQ(g->state->inst_len, next_of(&ways[i]) - GUEST_CODE);
        }
}

static const char *needs_svm_of_hardware(void)
{
        return needs_svm() ? needs_svm() : needs_hardware();
}

/* Sources as SVM reports them, in the second qualification (APM 2, 15.14.1). */
#define SVM_BY_IRET ((uint64_t)1 << 36)
#define SVM_BY_JMP  ((uint64_t)1 << 38)
#define SVM_ERROR   ((uint64_t)1 << 44)

CASE_ON(guest_task, a_switch_of_each_kind_is_an_event_on_request_on_svm,
        "7.2-115 7.4-46 8.4-31 7.4-50 8.4-35", needs_svm_of_hardware)
{
        for (unsigned i = 0; i < WAYS; i++) {
                nova_mtd_t mtd;
                struct guest *g = prepare(&ways[i], &mtd);
                g->state->ctrl[0] = TASK_BIT;
                g->state->ctrl[1] = 0;
                EXPECT_EQ(guest_run(g, mtd | NOVA_MTD_CTRL), 0x7d);
                EXPECT_EQ(g->state->qual[0], NEW_TASK);
                EXPECT_EQ(!!(g->state->qual[1] & SVM_BY_IRET), ways[i].source == BY_IRET);
                EXPECT_EQ(!!(g->state->qual[1] & SVM_BY_JMP), ways[i].source == BY_JMP);
                EXPECT_EQ(!!(g->state->qual[1] & SVM_ERROR), !!(ways[i].info & 0x800));
                if ((ways[i].info & 0x700) == SOFT && g->state->inj_info != ways[i].info)
                        continue; /* Bochs does not report INT n, but an earlier event */
                expect_event(g, &ways[i]);
        }
}
