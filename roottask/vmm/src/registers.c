/* SPDX-License-Identifier: BSD-2-Clause */
/* Initial states of virtual CPUs (see novavmm/registers.h). */
#include "novavmm/registers.h"

#include <string.h>

/* Access rights in the layout of struct nova_segment. */
#define AR_CODE16 0x09b
#define AR_DATA16 0x093
#define AR_CODE32 0xc9b
#define AR_DATA32 0xc93
#define AR_CODE64 0xa9b
#define AR_LDT    0x082
#define AR_TSS    0x08b

#define LIMIT_16 0xffff
#define LIMIT_32 0xffffffff

static struct nova_segment segment(uint16_t sel, uint16_t ar, uint32_t limit)
{
        struct nova_segment out;

        memset(&out, 0, sizeof(out));
        out.sel = sel;
        out.ar = ar;
        out.limit = limit;
        return out;
}

static void set_common(struct nova_utcb_event *event, nova_word_t ip, struct nova_segment code,
                       struct nova_segment data)
{
        struct nova_utcb_state *const state = &event->state;

        memset(event, 0, sizeof(*event));
        state->mtd = NOVA_START_MTD;
        state->ip = ip;
        state->flags = NOVA_FLAG_RESERVED;
        state->cr0 = NOVA_CR0_ET;
        state->cs = code;
        state->ss = state->ds = state->es = state->fs = state->gs = data;
        state->ldtr = segment(0, AR_LDT, LIMIT_16);
        state->tr = segment(0, AR_TSS, LIMIT_16);
        state->gdtr = state->idtr = segment(0, 0, LIMIT_16);
}

void nova_registers_real(struct nova_utcb_event *event, uint16_t sel, uint16_t offset)
{
        set_common(event, offset, segment(sel, AR_CODE16, LIMIT_16),
                   segment(0, AR_DATA16, LIMIT_16));
        event->state.cs.base = (nova_word_t)sel << 4;
}

void nova_registers_protected(struct nova_utcb_event *event, uint32_t ip, uint16_t code,
                              uint16_t data)
{
        set_common(event, ip, segment(code, AR_CODE32, LIMIT_32),
                   segment(data, AR_DATA32, LIMIT_32));
        event->state.cr0 |= NOVA_CR0_PE;
}

void nova_registers_long(struct nova_utcb_event *event, uint64_t ip, uint64_t cr3, uint16_t code,
                         uint16_t data)
{
        set_common(event, (nova_word_t)ip, segment(code, AR_CODE64, LIMIT_32),
                   segment(data, AR_DATA32, LIMIT_32));
        event->state.cr0 |= NOVA_CR0_PE | NOVA_CR0_NE | (nova_word_t)NOVA_CR0_PG;
        event->state.cr3 = (nova_word_t)cr3;
        event->state.cr4 = NOVA_CR4_PAE;
        event->more.efer = NOVA_EFER_LME | NOVA_EFER_LMA;
}
