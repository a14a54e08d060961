/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands in for entry.S, which has the kernel's entry and exits on the target. An exit ends the
 * call that a test made with fake_run(). The registers that the user would see are then in the EC,
 * whichever exit was used. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/fpu.h"
#include "arch/x86/resume.h"
#include "arch/x86/switch.h"
#include "fake.h"
#include "hypercall/dispatch.h"
#include "hypercall/finish.h"
#include "ipc/call.h"
#include "ipc/reply.h"
#include "thread.h"

static jmp_buf way_out;
static struct ec *left_to;
static continuation_t left_by; /* continuation of the last exit; NULL: to user mode */
static enum nova_status left_with;
static bool inside;

static _Noreturn void leave(struct ec *ec, continuation_t cont)
{
        if (!inside)
                abort();
        left_to = ec;
        left_by = cont;
        longjmp(way_out, 1);
}

_Noreturn void continue_on_empty_stack(struct ec *ec, continuation_t cont, word_t stack);

_Noreturn void continue_on_empty_stack(struct ec *ec, continuation_t cont, word_t stack)
{
        (void)stack;
        leave(ec, cont);
}

_Noreturn void leave_by_hypercall(word_t status, struct ec *ec)
{
        if (!thread_ip_is_user(ec->regs.ip))
                abort(); /* SYSRET would fault in the kernel */
        left_with = (enum nova_status)status;
        REG_P1(ec) = status;
        thread_frame_from_hypercall(ec);
        leave(ec, NULL);
}

_Noreturn void leave_with_success(struct ec *ec)
{
        leave_by_hypercall(NOVA_SUCCESS, ec);
}

_Noreturn void leave_to_portal(word_t id, const struct ec *self, struct ec *ec, word_t ip)
{
        (void)self;
        thread_enter_portal(ec, ip);
        leave_by_hypercall(id, ec);
}

_Noreturn void leave_by_iret(struct ec *ec)
{
        leave(ec, NULL);
}

/* The simulated CPU stays in the idle thread. */
void sti_hlt(void)
{
        leave(cpu_self()->idle_ec, NULL);
}

void fpu_switch(struct cpu *cpu, const struct ec *ec)
{
        cpu->special = (uint8_t)((cpu->special & ~SPECIAL_FPU) | (ec->special & SPECIAL_FPU));
}

struct ec *fake_run(void (*function)(struct ec *ec), struct ec *ec)
{
        struct ec *volatile result = NULL;
        const bool was_inside = inside;
        jmp_buf outer; /* way_out of an enclosing fake_run(), whose simulated CPU waits until this
                        * call returns */

        memcpy(outer, way_out, sizeof(outer));
        inside = true;
        left_by = NULL;
        if (setjmp(way_out))
                result = left_to;
        else
                function(ec);
        inside = was_inside;
        memcpy(way_out, outer, sizeof(outer));
        return result;
}

struct ec *fake_run_to_user(void (*function)(struct ec *ec), struct ec *ec)
{
        for (; function && ec; function = left_by)
                ec = fake_run(function, ec);
        return ec;
}

/* Entries of hypercall_table that are not handlers. */
hypercall_result_t entry_call(word_t id, struct ec *self)
{
        return call_donating(id, self);
}

hypercall_result_t entry_reply(word_t id, struct ec *self)
{
        hypercall_reply(id, self);
}

hypercall_result_t entry_long(word_t id, struct ec *self)
{
        hypercall_long(id, self);
}

hypercall_result_t entry_invalid(word_t id, struct ec *self)
{
        (void)id;
        (void)self;
        return NOVA_BAD_HYP;
}

/* Makes the hypercall in the registers of ec. If the CPU had pending work before, does that work
 * afterwards. On hardware, no work is pending at an entry, but a test may have left some. */
void fake_enter(struct ec *ec)
{
        const word_t id = REG_P1(ec);
        const uint32_t pending = ec->cpu->pending;
        const hypercall_result_t result = hypercall_table[id & 0xff](id, ec);

        if (pending || (result | ec->pending) > RESULT_PLAIN_MAX)
                hypercall_finish(ec, result | ec->pending);
        leave_by_hypercall(result, ec);
}

enum nova_status fake_hypercall(struct ec *ec)
{
        ec->state = EC_READY;
        ec->cpu->pending = 0;
        left_with = NOVA_SUCCESS;
        fake_run(fake_enter, ec);
        return left_with;
}
