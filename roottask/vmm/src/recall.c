/* SPDX-License-Identifier: BSD-2-Clause */
/* Recalls. A recall gives the library all state of a virtual CPU after an exit whose message has
 * only a part of it. So exits need not carry state that is rarely needed. */
#include <stddef.h>
#include <string.h>

#include "nova/hypercall.h"
#include "novavmm/registers.h"
#include "overlay.h"
#include "report.h"
#include "vm.h"

/* Values of debug registers after INIT. */
#define DR6_RESET 0xffff0ff0u
#define DR7_RESET 0x400u

void novavmm_vcpu_recall_for(struct nova_vcpu *vcpu, enum vcpu_recall purpose)
{
        vcpu->recalled_for |= purpose;
        nova_ec_ctrl(vcpu->ec);
        if (vcpu->waits)
                novavmm_vcpu_wake(vcpu);
}

/* Sets the state after INIT (SDM 3A, table 10-1). All MSRs but EFER stay unchanged, and so do the
 * controls of the control block. */
static void begin_again(struct nova_vcpu *vcpu)
{
        struct nova_utcb_state *const state = vcpu->state;
        struct nova_utcb_more *const more = vcpu->more;
        const nova_mtd_t mtd =
                (NOVA_START_MTD & ~(nova_mtd_t)NOVA_MTD_SYS) | NOVA_MTD_DR | NOVA_MTD_DEBUG;

        *state = vcpu->start.state;
        state->dr7 = DR7_RESET;
        more->efer = vcpu->start.more.efer;
        more->dr6 = DR6_RESET;
        memset(more->dr, 0, sizeof(more->dr));
        vcpu->changed |= mtd;
        novavmm_exit_controls(vcpu);
}

void novavmm_vcpu_recalled(struct nova_vcpu *vcpu)
{
        const unsigned purposes = vcpu->recalled_for;

        vcpu->recalled_for = 0;
        if (purposes & VCPU_REPORT && vcpu->report) {
                *vcpu->report = *vcpu->state;
                vcpu->report = NULL;
                nova_semaphore_up(&vcpu->reported);
        }
        if (purposes & VCPU_RESETS_MACHINE) {
                novavmm_report_reset(vcpu);
                return;
        }
        if (purposes & VCPU_RESET) {
                begin_again(vcpu);
                return;
        }
        if (purposes & VCPU_CUT_IP) {
                const struct nova_access access = novavmm_vcpu_access(vcpu);

                vcpu->state->ip = nova_access_cut(&access, vcpu->state->ip);
                vcpu->changed |= NOVA_MTD_EIP;
        }
        if (purposes & VCPU_COVER)
                novavmm_overlay_cover(&vcpu->vm->memory);
        if (purposes & VCPU_STEP)
                novavmm_vcpu_raise_step(vcpu);
        if (purposes & VCPU_RAISE)
                nova_vcpu_raise_error(vcpu, vcpu->vector, vcpu->injection_error);
        if (purposes & VCPU_PORT_STRING)
                novavmm_port_string(vcpu);
        if (purposes & VCPU_DEAD)
                nova_vcpu_fail(vcpu, "it halted with interrupts off, and nothing can wake it");
}
