/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles events: a page fault in lazy memory gets a page, and one in a guarded copy ends the copy;
 * any other exception is reported. Then a child ends as a whole; in a root only the thread ends,
 * because the rest of the system depends on the root. */
#include <stdlib.h>

#include "fault/fault.h"
#include "memory/region.h"
#include "nova/event.h"
#include "nova/hypercall.h"
#include "nova/portal.h"
#include "nova/utcb.h"
#include "novart/program.h"
#include "start/parent.h"
#include "start/start.h"
#include "thread/thread.h"

/* Bits of a page fault's error code: the page is mapped but the access is forbidden; the access is
 * a write. SDM 3A, 4.7 */
#define ERROR_PRESENT 0x1
#define ERROR_WRITE   0x2

/* Initial flags of a thread: interrupts enabled, and bit 1, which is always 1. SDM 1, 3.4.3 */
#define FLAGS 0x202

/* Stack for a faulting thread whose own stack is unknown. */
#define SPARE_STACK 0x2000

/* Returns the address at which a copy of revocable memory continues after a fault
 * (novart/guard.h). Linked only in programs that make such copies. */
__attribute__((weak)) nova_word_t nova_guard_resume(nova_word_t ip);

/* Ends the calling thread, which has raised an event. Runs on the thread's stack below its
 * frames. If it is the last thread, the program ends without exit(): the functions that exit()
 * calls would need more of the stack, and if they raised an event again, the program would never
 * end. */
static _Noreturn void end_thread(void)
{
        struct nova_thread *const self = nova_thread_self();
        void (*const on_fault)(void *) = self->on_fault;

        self->on_fault = NULL;
        if (on_fault)
                on_fault(self->on_fault_argument);
        if (self->ec == nova_program.ec)
                novart_program_end(EXIT_FAILURE);
        if (self->sc == NOVA_SEL_NONE)
                nova_thread_exit();
        novart_thread_exit(NOVA_FAULT_RESULT, novart_program_end, EXIT_FAILURE);
}

static void reply_with(struct nova_utcb *utcb, nova_word_t ip, nova_word_t sp)
{
        utcb->state.ip = ip;
        utcb->state.sp = sp;
        utcb->state.flags = FLAGS;
        nova_utcb_event_reply(utcb, NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_EFL);
}

/* Replies to an event so that the thread ends itself. @p addr: an address in its stack, if
 * known. */
static void reply_end(struct nova_utcb *utcb, nova_word_t addr)
{
        struct region stack;
        nova_word_t sp;

        if (novart_region_at(addr, &stack) && stack.kind == REGION_STACK) {
                sp = novart_thread_spare_stack(stack.base + stack.pages * NOVA_PAGE_SIZE);
        } else {
                sp = (nova_word_t)nova_stack_alloc(SPARE_STACK);
                sp = sp ? sp + SPARE_STACK : utcb->state.sp & ~(nova_word_t)15;
        }
        /* Aligned as after a call. */
        reply_with(utcb, NOVA_ADDRESS(end_thread), sp - sizeof(sp));
}

static void report_and_end(struct nova_utcb *utcb, unsigned event, nova_word_t cpu,
                           enum nova_fault_reason reason)
{
        struct nova_fault_report report;
        const nova_word_t stack = reason == NOVA_FAULT_STACK_OVERFLOW
                                          ? (nova_word_t)utcb->state.qual[1]
                                          : utcb->state.sp;

        novart_fault_collect(&report, &utcb->state, event, cpu);
        report.reason = (uint16_t)reason;
        novart_fault_copy_name(report.program, nova_program.name);
        if (nova_program_is_root()) {
                novart_fault_print(&report, novart_fault_own_symbols);
                reply_end(utcb, stack);
                return;
        }
        novart_parent_fault(&report);
        novart_parent_exit(NOVA_FAULT_STATUS + (int)event);
        __builtin_trap();
}

static enum region_answer serve_lazy(const struct nova_utcb_state *state)
{
        const nova_word_t addr = (nova_word_t)state->qual[1];

        if (!(state->qual[0] & ERROR_PRESENT))
                return novart_region_fault(addr);
        return state->qual[0] & ERROR_WRITE ? novart_region_forbidden(addr) : REGION_UNKNOWN;
}

/* Handles a page fault.
 * @return true if the thread can continue */
static bool page_fault(struct nova_utcb *utcb, enum nova_fault_reason *reason)
{
        const nova_word_t ip = utcb->state.ip;

        switch (serve_lazy(&utcb->state)) {
        case REGION_SERVED:
                nova_utcb_event_reply(utcb, 0);
                return true;
        case REGION_GUARD:
                *reason = NOVA_FAULT_STACK_OVERFLOW;
                break;
        case REGION_NO_MEMORY:
                *reason = NOVA_FAULT_OUT_OF_MEMORY;
                break;
        case REGION_UNKNOWN:
                break;
        }

        const nova_word_t resume = nova_guard_resume ? nova_guard_resume(ip) : 0;

        if (resume) {
                utcb->state.ip = resume;
                nova_utcb_event_reply(utcb, NOVA_MTD_EIP);
        }
        return resume;
}

void novart_fault_handle(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        const unsigned event = portal % NOVA_HIP_EXC;
        enum nova_fault_reason reason = NOVA_FAULT_UNHANDLED;

        switch (event) {
        case NOVA_EXC_STARTUP:
                /* The thread keeps the stack pointer that create_ec gave it. */
                utcb->state.ip = NOVA_ADDRESS(nova_thread_entry);
                nova_utcb_event_reply(utcb, NOVA_MTD_EIP);
                return;
        case NOVA_EXC_RECALL:
                nova_utcb_event_reply(utcb, 0);
                return;
        case NOVA_EXC_PF:
                if (page_fault(utcb, &reason))
                        return;
                break;
        }
        report_and_end(utcb, event, (nova_word_t)argument, reason);
}

/* Continues the event handler after the handler itself raised an event: ends the handler's caller.
 * The handler then serves the next event. */
static _Noreturn void resume_handler(void)
{
        struct nova_thread *const self = nova_thread_self();

        reply_end(self->utcb, 0);
        nova_reply((nova_word_t)self->stack + self->stack_bytes - sizeof(struct nova_portal_frame));
}

void novart_fault_handle_own(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        const nova_word_t cpu = (nova_word_t)argument;
        const struct nova_thread *const broken = novart_fault_handler_of(cpu);
        struct nova_fault_report report;

        novart_fault_collect(&report, &utcb->state, portal % NOVA_HIP_EXC, cpu);
        report.reason = NOVA_FAULT_IN_HANDLER;
        /* The report does not use the program's record, which may be the cause of the handler's
         * fault. */
        novart_fault_copy_name(report.program, "roottask");
        novart_fault_print_abandon(cpu);
        novart_fault_print(&report, novart_fault_own_symbols);
        reply_with(utcb, NOVA_ADDRESS(resume_handler),
                   (nova_word_t)broken->stack + broken->stack_bytes -
                           sizeof(struct nova_portal_frame) - sizeof(nova_word_t));
}
