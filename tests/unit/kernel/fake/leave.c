/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways out of the kernel: they end the call that a test made. */
#include <setjmp.h>
#include <stdlib.h>

#include "arch/x86/resume.h"
#include "arch/x86/switch.h"
#include "fake.h"
#include "hypercall/dispatch.h"
#include "ipc/reply.h"
#include "thread.h"

static jmp_buf way_out;
static struct ec *left_to;
static enum nova_status left_with;
static bool inside;

static _Noreturn void leave(struct ec *ec, enum nova_status status)
{
        if (!inside)
                abort();
        left_to = ec;
        left_with = status;
        longjmp(way_out, 1);
}

_Noreturn void resume_ec(struct ec *ec)
{
        cpu_self()->current = ec;
        leave(ec, NOVA_SUCCESS);
}

_Noreturn void resume_hypercall(struct ec *self, enum nova_status status)
{
        leave(self, status);
}

_Noreturn void resume_success(struct ec *self)
{
        leave(self, NOVA_SUCCESS);
}

_Noreturn void resume_aborted(struct ec *self)
{
        leave(self, NOVA_COM_ABT);
}

_Noreturn void resume_woken(struct ec *self)
{
        leave(self, (enum nova_status)self->wait_status);
}

_Noreturn void resume_interrupted(struct ec *self)
{
        leave(self, NOVA_SUCCESS);
}

void prepare_portal(struct ec *callee, const struct pt *pt)
{
        (void)callee;
        (void)pt;
}

_Noreturn void resume_portal_slowly(struct ec *callee, const struct pt *pt)
{
        (void)pt;
        leave(callee, NOVA_SUCCESS);
}

_Noreturn void leave_to_portal(struct ec *callee, const struct pt *pt)
{
        (void)pt;
        leave(callee, NOVA_SUCCESS);
}

_Noreturn void leave_by_hypercall(word_t status, struct ec *ec)
{
        leave(ec, (enum nova_status)status);
}

_Noreturn void leave_by_iret(struct ec *ec)
{
        leave(ec, NOVA_SUCCESS);
}

void cpu_drop_dead_pd(struct cpu *cpu)
{
        (void)cpu;
}

struct ec *fake_run(void (*function)(struct ec *ec), struct ec *ec)
{
        struct ec *volatile result = NULL;

        inside = true;
        if (setjmp(way_out))
                result = left_to;
        else
                function(ec);
        inside = false;
        return result;
}

/* What entry.S does with argument 1: all other handlers can be called as if they might not return.
 */
static void dispatch(struct ec *ec)
{
        const word_t id = REG_P1(ec);

        if (!(id & (NOVA_ID_NUMBER_MASK | NOVA_CALL_DD)))
                hypercall_finish(ec, call_donating(ec, id));
        if (nova_id_number(id) == NOVA_REPLY)
                block_on_request(ec);
        hypercall_long(ec, id);
}

enum nova_status fake_hypercall(struct ec *ec)
{
        ec->state = EC_READY;
        ec->cpu->pending = 0;
        fake_run(dispatch, ec);
        return left_with;
}
