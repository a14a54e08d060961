/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs tables of instructions in a guest (see intercept.h). */
#include "intercept.h"

nova_mtd_t intercept_prepare(struct guest *g)
{
        const nova_mtd_t mtd = guest_flat(g);
        uint64_t *gdt = (uint64_t *)(void *)(g->memory + GUEST_GDT);

        gdt[3] = (uint64_t)0x67 | (uint64_t)INTERCEPT_TSS << 16 | (uint64_t)0x89 << 40;
        g->state->gdtr.limit = 0xff;
        g->state->idtr.limit = 0; /* an exception is a triple fault */
        g->utcb->event.more.efer = 0;
        return mtd | NOVA_MTD_CTRL;
}

void intercept_place(struct guest *g, const struct intercept *row)
{
        for (unsigned i = 0; i < row->size; i++)
                g->memory[GUEST_CODE + i] = row->code[i];
        g->memory[GUEST_CODE + row->size] = (char)0xf4; /* hlt */
}

void intercept_registers(struct guest *g, unsigned control)
{
        g->state->ip = GUEST_CODE;
        g->state->sp = GUEST_STACK - 0x100;
        g->state->ax = 0x9000;
        g->state->cx = g->state->dx = 0;
        g->state->ctrl[0] = control < 32 ? 1u << control : 0;
        g->state->ctrl[1] = control >= 32 && control < 64 ? 1u << (control - 32) : 0;
}

void expect_exits(struct guest *g, const struct intercept *rows, unsigned count)
{
        nova_mtd_t mtd = intercept_prepare(g);

        for (unsigned i = 0; i < count; i++) {
                const struct intercept *row = &rows[i];
                intercept_place(g, row);
                intercept_registers(g, row->control == FORCED ? 64 : (unsigned)row->control);
                EXPECT_EQ(guest_run(g, mtd), row->event);
                EXPECT_EQ(g->state->ip, GUEST_CODE);
                mtd = NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_ACDB | NOVA_MTD_CTRL;
        }
}

void expect_no_exits(struct guest *g, const struct intercept *rows, unsigned count)
{
        nova_mtd_t mtd = intercept_prepare(g);

        for (unsigned i = 0; i < count; i++) {
                const struct intercept *row = &rows[i];
                if (!row->stays)
                        continue;
                intercept_place(g, row);
                intercept_registers(g, 64);
                const word_t event = guest_run(g, mtd);
                EXPECT_EQ(event << 8 | row->event, guest_event(EXIT_HLT) << 8 | row->event);
                EXPECT_EQ(g->state->ip, GUEST_CODE + row->size);
                mtd = NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_ACDB | NOVA_MTD_CTRL;
        }
}
