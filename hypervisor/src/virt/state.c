/* SPDX-License-Identifier: BSD-2-Clause */
/* State that SVM and VMX share (see state.h). */
#include "virt/state.h"

#include "arch/x86/fpu.h"
#include "guest_width.h"
#include "lib/string.h"
#include "object/ec.h"
#include "sched/cpu.h"
#include "virt/cpu.h"

static const struct {
        nova_mtd_t mtd;
        uint16_t offset;
        uint8_t segment;
} state_segments[] = {
        {NOVA_MTD_DS_ES, offsetof(struct nova_utcb_state, ds), GUEST_DS},
        {NOVA_MTD_DS_ES, offsetof(struct nova_utcb_state, es), GUEST_ES},
        {NOVA_MTD_FS_GS, offsetof(struct nova_utcb_state, fs), GUEST_FS},
        {NOVA_MTD_FS_GS, offsetof(struct nova_utcb_state, gs), GUEST_GS},
        {NOVA_MTD_CS_SS, offsetof(struct nova_utcb_state, cs), GUEST_CS},
        {NOVA_MTD_CS_SS, offsetof(struct nova_utcb_state, ss), GUEST_SS},
        {NOVA_MTD_TR, offsetof(struct nova_utcb_state, tr), GUEST_TR},
        {NOVA_MTD_LDTR, offsetof(struct nova_utcb_state, ldtr), GUEST_LDTR},
        {NOVA_MTD_GDTR, offsetof(struct nova_utcb_state, gdtr), GUEST_GDTR},
        {NOVA_MTD_IDTR, offsetof(struct nova_utcb_state, idtr), GUEST_IDTR},
};

#define STATE_SEGMENTS (sizeof(state_segments) / sizeof(*state_segments))

static word_t state_read(const struct ec *ec, enum guest_register reg)
{
        return (word_t)vcpu_ops->read(ec, reg);
}

void guest_groups_to_utcb(const struct ec *ec, struct nova_utcb_state *state, nova_mtd_t mtd)
{
        const unsigned segments = mtd & GUEST_SEGMENTS ? STATE_SEGMENTS : 0;

        for (unsigned i = 0; i < segments; i++)
                if (mtd & state_segments[i].mtd)
                        vcpu_ops->read_segment(ec, state_segments[i].segment,
                                               (void *)((char *)state + state_segments[i].offset));
        if (mtd & NOVA_MTD_CR) {
                state->cr0 = state_read(ec, GUEST_CR0);
                state->cr2 = state_read(ec, GUEST_CR2);
                state->cr3 = state_read(ec, GUEST_CR3);
                state->cr4 = state_read(ec, GUEST_CR4);
        }
        if (mtd & NOVA_MTD_DR)
                state->dr7 = state_read(ec, GUEST_DR7);
        if (mtd & NOVA_MTD_SYS) {
                state->sysenter_cs = state_read(ec, GUEST_SYSENTER_CS);
                state->sysenter_sp = state_read(ec, GUEST_SYSENTER_SP);
                state->sysenter_ip = state_read(ec, GUEST_SYSENTER_IP);
        }
        if (mtd & NOVA_MTD_CR8)
                guest_cr8_to_utcb(state, state_read(ec, GUEST_CR8));
}

void guest_groups_from_utcb(struct ec *ec, const struct nova_utcb_state *state, nova_mtd_t mtd)
{
        const struct vcpu_ops *ops = vcpu_ops;
        const unsigned segments = mtd & GUEST_SEGMENTS ? STATE_SEGMENTS : 0;

        for (unsigned i = 0; i < segments; i++)
                if (mtd & state_segments[i].mtd)
                        ops->write_segment(
                                ec, state_segments[i].segment,
                                (const void *)((const char *)state + state_segments[i].offset));
        if (mtd & NOVA_MTD_CR) {
                ops->write(ec, GUEST_CR0, state->cr0);
                ops->write(ec, GUEST_CR2, state->cr2);
                ops->write(ec, GUEST_CR3, state->cr3);
                ops->write(ec, GUEST_CR4, state->cr4);
                vcpu_forget_translations(ec);
        }
        if (mtd & NOVA_MTD_DR) {
                ops->write(ec, GUEST_DR7, state->dr7);
                guest_use_debug_registers(ec);
        }
        if (mtd & NOVA_MTD_SYS) {
                ops->write(ec, GUEST_SYSENTER_CS, state->sysenter_cs);
                ops->write(ec, GUEST_SYSENTER_SP, state->sysenter_sp);
                ops->write(ec, GUEST_SYSENTER_IP, state->sysenter_ip);
        }
        if (mtd & NOVA_MTD_CR8)
                ops->write(ec, GUEST_CR8, guest_cr8_from_utcb(state, ops->read(ec, GUEST_CR8)));
}

static void state_give_msrs(const struct ec *ec, struct nova_utcb_more *more, nova_mtd_t mtd)
{
        struct guest_msrs msrs;

        vcpu_ops->read_msrs(ec, &msrs);
        if (mtd & NOVA_MTD_MSR) {
                more->efer = vcpu_ops->read(ec, GUEST_EFER);
                more->star = msrs.star;
                more->lstar = msrs.lstar;
                more->fmask = msrs.fmask;
                more->kernel_gs_base = msrs.kernel_gs_base;
        }
        if (mtd & NOVA_MTD_CSTAR_AUX) {
                more->cstar = msrs.cstar;
                more->tsc_aux = ec->vcpu->tsc_aux;
        }
}

void guest_more_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd)
{
        struct nova_utcb_more *more = &utcb->event.more;

        utcb->items = mtd & NOVA_MTD_XMM ? NOVA_UTCB_XMM_WORDS : NOVA_UTCB_MORE_WORDS;
        if (mtd & (NOVA_MTD_MSR | NOVA_MTD_CSTAR_AUX))
                state_give_msrs(ec, more, mtd);
        if (mtd & NOVA_MTD_PAT)
                more->pat = vcpu_ops->read(ec, GUEST_PAT);
        if (mtd & NOVA_MTD_DEBUG) {
                vcpu_read_debug_registers(ec, more->dr);
                more->dr6 = vcpu_ops->read(ec, GUEST_DR6);
        }
        if (mtd & NOVA_MTD_GPA)
                more->gpa = ec->event_number == vcpu_ops->memory_event
                                    ? vcpu_ops->read(ec, GUEST_FAULT_ADDRESS)
                                    : 0;
        if (mtd & NOVA_MTD_XCR0)
                more->xcr0 = ec->vcpu->xcr0;
        if (mtd & NOVA_MTD_XMM)
                fpu_read_xmm(ec, utcb->event.xmm);
}

static void state_take_msrs(struct ec *ec, const struct nova_utcb_more *more)
{
        struct vcpu *vcpu = ec->vcpu;
        const uint64_t efer = more->efer, writable = vcpu_ops->efer_writable;
        struct guest_msrs msrs;

        vcpu_ops->read_msrs(ec, &msrs);
        msrs.star = more->star;
        msrs.lstar = more->lstar;
        msrs.fmask = more->fmask;
        msrs.kernel_gs_base = more->kernel_gs_base;
        vcpu->refused |= !!(efer & ~writable);
        vcpu_ops->write(ec, GUEST_EFER, efer & writable);
        vcpu->refused |= !vcpu_ops->write_msrs(ec, &msrs);
        vcpu_forget_translations(ec);
}

static void state_take_cstar_aux(struct ec *ec, const struct nova_utcb_more *more)
{
        struct guest_msrs msrs;

        vcpu_ops->read_msrs(ec, &msrs);
        msrs.cstar = more->cstar;
        ec->vcpu->tsc_aux = (uint32_t)more->tsc_aux;
        ec->vcpu->refused |= !vcpu_ops->write_msrs(ec, &msrs);
}

static void state_take_debug(struct ec *ec, const struct nova_utcb_more *more)
{
        /* the next entry loads the debug registers again */
        if (cpu_virt_of(ec->cpu)->debug_owner == ec)
                cpu_virt_of(ec->cpu)->debug_owner = NULL;
        memcpy(ec->vcpu->dr, more->dr, sizeof(ec->vcpu->dr));
        vcpu_ops->write(ec, GUEST_DR6, more->dr6);
        guest_use_debug_registers(ec);
}

void guest_more_from_utcb(struct ec *ec, const struct nova_utcb_event *event, nova_mtd_t mtd)
{
        const struct nova_utcb_more *more = &event->more;

        if (mtd & NOVA_MTD_MSR)
                state_take_msrs(ec, more);
        if (mtd & NOVA_MTD_PAT) {
                vcpu_ops->write(ec, GUEST_PAT, more->pat);
                vcpu_forget_translations(ec);
        }
        if (mtd & NOVA_MTD_DEBUG)
                state_take_debug(ec, more);
        if (mtd & NOVA_MTD_XCR0) {
                const uint64_t xcr0 = more->xcr0;
                if (fpu_xcr0_is_valid(xcr0))
                        ec->vcpu->xcr0 = xcr0;
                else
                        ec->vcpu->refused |= REFUSED_ONCE;
        }
        if (mtd & NOVA_MTD_CSTAR_AUX)
                state_take_cstar_aux(ec, more);
        if (mtd & NOVA_MTD_XMM)
                fpu_write_xmm(ec, event->xmm);
}

void guest_use_debug_registers(struct ec *ec)
{
        ec->vcpu->debugging = true;
        if (!ec->vcpu->wants_dr_exits)
                vcpu_ops->grant_debug_registers(ec->vcpu);
}
