/* SPDX-License-Identifier: BSD-2-Clause */
/* The result that the handler of a hypercall returns (see result.h). */
#include "object/result.h"

#include "arch/x86/resume.h"
#include "object/ec.h"
#include "sched/cpu.h"

hypercall_result_t result_of(struct ec *self, enum nova_status status)
{
        if (likely(!self->cpu->pending) || status == NOVA_OUT_OF_MEMORY)
                return status;
        self->wait_status = (uint8_t)status;
        self->cont = resume_woken;
        return RESULT_CONTINUE;
}
