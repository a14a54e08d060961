/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests (see guest.h). The thread that receives the events passes each one to the case and waits
 * for the reply. */
#include "guest.h"

#define EVENT_ORDER 8

/* Number of guests until the structure of an earlier guest is reused. A case makes fewer, because
 * the thread of an earlier guest of the case may still read its argument. */
#define GUESTS 64

static struct guest guests[GUESTS];
static unsigned guests_made;

const char *needs_svm(void)
{
        return hip->features & NOVA_HIP_SVM ? NULL : "needs SVM";
}

const char *needs_vmx(void)
{
        return hip->features & NOVA_HIP_VMX ? NULL : "needs VMX";
}

const char *needs_virtualization_64(void)
{
        return needs_x86_64() ? needs_x86_64() : needs_virtualization();
}

word_t guest_event(enum guest_exit exit)
{
        static const struct {
                uint8_t svm, vmx;
        } number[] = {
                [EXIT_TRIPLE_FAULT] = {0x7f, 0x02}, [EXIT_WINDOW] = {0x64, 0x07},
                [EXIT_CR8] = {0x18, 0x1c},          [EXIT_CPUID] = {0x72, 0x0a},
                [EXIT_HLT] = {0x78, 0x0c},          [EXIT_INVD] = {0x76, 0x0d},
                [EXIT_RDTSC] = {0x6e, 0x10},        [EXIT_PORT] = {0x7b, 0x1e},
                [EXIT_RDMSR] = {0x7c, 0x1f},        [EXIT_WRMSR] = {0x7c, 0x20},
                [EXIT_STATE] = {0xfd, 0x21},        [EXIT_MEMORY] = {0xfc, 0x30},
                [EXIT_STARTUP] = {0xfe, 0xfe},      [EXIT_RECALL] = {0xff, 0xff},
        };
        return needs_svm() ? number[exit].vmx : number[exit].svm;
}

/* Serves an event portal: passes the event to the case, and waits for the reply. */
static void hand_over(struct thread *t)
{
        struct guest *g = t->arg;

        t->fn = hand_over;
        g->event = t->portal - g->portals;
        g->items = 0;
        g->count++;
        if (hc_sm_ctrl(g->arrived, NOVA_SM_UP_OP) != NOVA_SUCCESS ||
            hc_sm_ctrl(g->go, NOVA_SM_DN_OP) != NOVA_SUCCESS)
                t->utcb->items = nova_utcb_items(1, 0); /* the case is over */
}

struct guest *guest_new(unsigned cpu, const char *code, const char *end)
{
        return guest_new_portals(cpu, code, end, NULL, 0);
}

struct guest *guest_new_mtd(unsigned cpu, const char *code, const char *end, enum guest_exit exit,
                            nova_mtd_t mtd)
{
        const struct guest_portal own = {exit, mtd, NULL, portal_entry};

        return guest_new_portals(cpu, code, end, &own, 1);
}

static void create_portal(const struct guest *g, word_t event, const struct guest_portal *own,
                          unsigned count)
{
        struct guest_portal portal = {.mtd = GUEST_MTD, .entry = portal_entry};

        for (unsigned i = 0; i < count; i++)
                if (guest_event(own[i].exit) == event)
                        portal = own[i];
        if (!portal.entry)
                return;
        const struct thread *server = portal.server ? portal.server : g->server;
        EXPECT_EQ(hc_create_pt(g->portals + event, ROOT_PD, server->ec, portal.mtd,
                               (word_t)portal.entry),
                  NOVA_SUCCESS);
}

struct guest *guest_new_portals(unsigned cpu, const char *code, const char *end,
                                const struct guest_portal *own, unsigned count)
{
        struct guest *g = &guests[guests_made++ % GUESTS];

        *g = (struct guest){.cpu = cpu, .quantum_us = QUANTUM};
        g->server = server(cpu);
        g->server->fn = hand_over;
        g->server->arg = g;
        g->utcb = g->server->utcb;
        g->state = &g->utcb->state;
        g->arrived = semaphore(0);
        g->go = semaphore(0);
        g->portals = sel_alloc(EVENT_ORDER);
        for (word_t event = 0; event < (word_t)1 << EVENT_ORDER; event++)
                create_portal(g, event, own, count);
        g->pd = sel_alloc(0);
        EXPECT_EQ(hc_create_pd(g->pd, ROOT_PD,
                               nova_crd(NOVA_CRD_OBJ, g->portals, EVENT_ORDER, NOVA_PERM_ALL)),
                  NOVA_SUCCESS);
        g->ec = sel_alloc(0);
        g->sc = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(g->ec, g->pd, cpu, 0, 0, 0), NOVA_SUCCESS);
        g->memory = memory(GUEST_ORDER);
        for (unsigned i = 0; i < NOVA_PAGE_SIZE << GUEST_ORDER; i++)
                g->memory[i] = 0;
        for (unsigned i = 0; code + i < end; i++)
                g->memory[GUEST_CODE + i] = code[i];
        return g;
}

/* Starts the guest. Its SC has the same priority as the thread that watches over cases, so that
 * this thread does not starve. */
void guest_start(struct guest *g)
{
        EXPECT_EQ(hc_create_sc(g->sc, ROOT_PD, g->ec, nova_qpd(g->quantum_us, 1)), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(g->arrived, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(g->event, NOVA_VMI_STARTUP);
}

void guest_give(struct guest *g, nova_crd_t crd, word_t page, word_t flags)
{
        const unsigned index = nova_utcb_item_index(g->items++);

        g->utcb->word[index] = crd;
        g->utcb->word[index + 1] = item_upper(NOVA_ITEM_DELEGATE | flags, page);
}

void guest_answer(struct guest *g, nova_mtd_t mtd)
{
        g->state->mtd = mtd;
        g->utcb->items = nova_utcb_items(1, g->items);
        EXPECT_EQ(hc_sm_ctrl(g->go, NOVA_SM_UP_OP), NOVA_SUCCESS);
}

word_t guest_run(struct guest *g, nova_mtd_t mtd)
{
        guest_answer(g, mtd);
        EXPECT_EQ(hc_sm_ctrl(g->arrived, NOVA_SM_DN_OP), NOVA_SUCCESS);
        return g->event;
}

void guest_until(struct guest *g, nova_mtd_t mtd, enum guest_exit exit)
{
        EXPECT_EQ(guest_run(g, mtd), guest_event(exit));
}

bool guest_wait(struct guest *g, unsigned ms)
{
        return hc_sm_until(g->arrived, 0, tsc() + ms * tsc_per_ms()) == NOVA_SUCCESS;
}

static void set_segments(struct nova_utcb_state *s, struct nova_segment code,
                         struct nova_segment data)
{
        s->cs = code;
        s->ss = s->ds = s->es = s->fs = s->gs = data;
        s->ldtr = (struct nova_segment){.ar = 0x82};
        s->tr = (struct nova_segment){.ar = 0x8b, .limit = 0xffff};
        s->gdtr = s->idtr = (struct nova_segment){.limit = 0xffff};
}

static nova_mtd_t begin(struct guest *g)
{
        struct nova_utcb_state *s = g->state;

        guest_start(g);
        s->ip = GUEST_CODE;
        s->sp = GUEST_STACK;
        s->flags = 0x2;
        s->cr0 = 0x10;
        s->cr2 = s->cr3 = s->cr4 = 0;
        s->ax = s->bx = s->cx = s->dx = s->bp = s->si = s->di = 0;
        for (word_t page = 1; page < (word_t)1 << GUEST_ORDER; page++)
                guest_give(g, mem(page_of(g->memory) + page, 0, NOVA_MEM_RWX), page, NOVA_ITEM_G);
        return NOVA_MTD_ACDB | NOVA_MTD_BSD | NOVA_MTD_ESP | NOVA_MTD_EIP | NOVA_MTD_EFL |
               NOVA_MTD_DS_ES | NOVA_MTD_FS_GS | NOVA_MTD_CS_SS | NOVA_MTD_TR | NOVA_MTD_LDTR |
               NOVA_MTD_GDTR | NOVA_MTD_IDTR | NOVA_MTD_CR;
}

nova_mtd_t guest_real(struct guest *g)
{
        const nova_mtd_t mtd = begin(g);

        set_segments(g->state, (struct nova_segment){.ar = 0x9b, .limit = 0xffff},
                     (struct nova_segment){.ar = 0x93, .limit = 0xffff});
        return mtd;
}

nova_mtd_t guest_flat(struct guest *g)
{
        const nova_mtd_t mtd = begin(g);

        set_segments(g->state, (struct nova_segment){8, 0xc9b, .limit = 0xffffffff},
                     (struct nova_segment){16, 0xc93, .limit = 0xffffffff});
        g->state->cr0 = 0x11;
        g->state->gdtr.base = GUEST_GDT;
        g->state->idtr.base = GUEST_IDT;
        uint64_t *gdt = (uint64_t *)(void *)(g->memory + GUEST_GDT);
        gdt[1] = 0x00cf9b000000ffff;
        gdt[2] = 0x00cf93000000ffff;
        return mtd;
}

void guest_gate(struct guest *g, unsigned vector, word_t handler)
{
        uint64_t *idt = (uint64_t *)(void *)(g->memory + GUEST_IDT);

        idt[vector] = handler | (uint64_t)8 << 16 | (uint64_t)0x8e00 << 32;
}

unsigned guest_tries(void)
{
        return needs_hardware() ? 5 : 1;
}

void guest_user(struct guest *g)
{
        uint32_t *tss = guest_word(g, GUEST_TSS);

        tss[1] = GUEST_STACK;
        tss[2] = 16;
        g->state->tr.base = GUEST_TSS;
        /* VMX requires a busy TR; under SVM, QEMU (7.2) ends at a change of stack if TR is busy. */
        if (!needs_svm())
                g->state->tr.ar = 0x89;
        g->state->cs = (struct nova_segment){0x1b, 0xcfb, .limit = 0xffffffff};
        g->state->ss = (struct nova_segment){0x23, 0xcf3, .limit = 0xffffffff};
        g->state->ds = g->state->ss;
}

void guest_gates(struct guest *g)
{
        for (unsigned i = 0; i < 256; i++) {
                g->memory[GUEST_HANDLERS + i] = (char)0xf4;
                guest_gate(g, i, GUEST_HANDLERS + i);
        }
}

#if __SIZEOF_POINTER__ == 8
nova_mtd_t guest_long(struct guest *g)
{
        const nova_mtd_t mtd = begin(g);
        uint64_t *tables = (uint64_t *)(void *)(g->memory + GUEST_TABLE);
        uint64_t *gdt = (uint64_t *)(void *)(g->memory + GUEST_GDT);

        tables[0] = GUEST_TABLE + 0x1003;
        tables[512] = GUEST_TABLE + 0x2003;
        for (unsigned i = 0; i < 512; i++)
                tables[1024 + i] = (uint64_t)i << 21 | 0x83;
        gdt[1] = 0x00af9b000000ffff;
        gdt[2] = 0x00cf93000000ffff;
        set_segments(g->state, (struct nova_segment){8, 0xa9b, .limit = 0xffffffff},
                     (struct nova_segment){16, 0xc93, .limit = 0xffffffff});
        g->state->cr0 = 0x80000011;
        g->state->cr3 = GUEST_TABLE;
        g->state->cr4 = 0x20;
        g->state->gdtr.base = GUEST_GDT;
        g->utcb->event.more.efer = 0x500;
        g->utcb->event.more.star = g->utcb->event.more.lstar = g->utcb->event.more.fmask = 0;
        g->utcb->event.more.kernel_gs_base = 0;
        return mtd | NOVA_MTD_MSR;
}
#endif
