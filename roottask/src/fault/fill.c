/* SPDX-License-Identifier: BSD-2-Clause */
/* Fills in a report's registers from the state of an event message. */
#include "nova/event.h"
#include "novart/fault.h"

void nova_fault_fill(struct nova_fault_report *report, const struct nova_utcb_state *state,
                     unsigned event, unsigned cpu)
{
        *report = (struct nova_fault_report){
                .bytes = sizeof(*report), .event = (uint16_t)event, .cpu = (uint16_t)cpu};
        report->error = state->qual[0];
        report->address = event == NOVA_EXC_PF ? state->qual[1] : 0;
        report->regs = (struct nova_fault_registers)
        {
                .ip = state->ip, .flags = state->flags, .ax = state->ax, .cx = state->cx,
                .dx = state->dx, .bx = state->bx, .sp = state->sp, .bp = state->bp, .si = state->si,
                .di = state->di,
#if __SIZEOF_POINTER__ == 8
                .r8 = state->r8, .r9 = state->r9, .r10 = state->r10, .r11 = state->r11,
                .r12 = state->r12, .r13 = state->r13, .r14 = state->r14, .r15 = state->r15,
#endif
        };
        report->frame[0] = state->ip;
        report->frames = 1;
}
