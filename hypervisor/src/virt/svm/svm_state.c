/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's state in messages (see svm_state.h). @spec 7.4, 8.4 */
#include "virt/svm/svm_state.h"

#include "arch/x86/cpu.h"
#include "arch/x86/features.h"
#include "arch/x86/fpu.h"
#include "arch/x86/msr.h"
#include "lib/string.h"
#include "nova/abi/event.h"
#include "object/ec.h"
#include "virt/vcpu.h"

#define INJ_WINDOW 0x1000 /* in the interface's injection info: an interrupt window is wanted */
#define INJ_EVENT  (SVM_INJ_VALID | 0xfff)
#define INJ_STEP   0x8000 /* an extension: a step over the IRET of an NMI's handler */

#define INJ_TYPE      (7u << SVM_INJ_TYPE_SHIFT)
#define INJ_EXCEPTION (3u << SVM_INJ_TYPE_SHIFT)
#define INJ_SOFTWARE  (4u << SVM_INJ_TYPE_SHIFT)

#define EFER_FFXSR 0x4000

#define SS_DPL_SHIFT 5
#define SS_DPL       (3u << SS_DPL_SHIFT)

/* Groups with state that the CPU checks at an entry (APM 2, 15.5.1). */
#define STATE_CHECKED \
        (NOVA_MTD_CR | NOVA_MTD_CS_SS | NOVA_MTD_DR | NOVA_MTD_MSR | NOVA_MTD_PAT | NOVA_MTD_DEBUG)

/* What a guest's EFER may be; on x86-32 a guest is 32-bit. */
#define EFER_WRITABLE \
        (EFER_SCE | (sizeof(word_t) == 8 ? EFER_LME | EFER_LMA : 0) | EFER_NXE | EFER_FFXSR)

static void copy_segment(struct nova_segment *to, const struct vmcb_segment *from)
{
        memcpy(to, from, sizeof(*to));
}

static void set_segment(struct vmcb_segment *to, const struct nova_segment *from)
{
        memcpy(to, from, sizeof(*to));
}

/* INT n, and what INT3 and INTO raise: the address behind the instruction is pushed (APM 2, 15.20).
 */
static bool is_software_event(uint64_t event)
{
        const unsigned type = event & INJ_TYPE, vector = event & 0xff;

        if (likely(type < INJ_EXCEPTION))
                return false;
        return type == INJ_SOFTWARE ||
               (type == INJ_EXCEPTION && (vector == NOVA_EXC_BP || vector == NOVA_EXC_OF));
}

/* The instruction's length, which its delivery needs, is not known: IP is still at it. One that was
 * injected has no instruction. A task switch does not begin again, it is the VMM's to finish. */
uint64_t svm_interrupted_event(const struct vcpu *vcpu)
{
        const struct vmcb *vmcb = vcpu->control;
        const uint64_t event = vmcb->exit_int_info;

        if (likely(!(event & SVM_INJ_VALID)))
                return 0;
        if (is_software_event(event) && vmcb->exit_code != SVM_EXIT_TASK_SWITCH &&
            ((event & INJ_EVENT) != vcpu->svm.soft_event || vmcb->rip != vcpu->svm.soft_ip))
                return 0;
        return event;
}

static bool is_pending(const struct ec *ec)
{
        return ec->event_number == SVM_EVENT_REFUSED || ec->event_number == NOVA_VMI_RECALL;
}

static void segments_to_utcb(const struct vmcb *vmcb, struct nova_utcb_state *state, nova_mtd_t mtd)
{
        if (mtd & NOVA_MTD_DS_ES) {
                copy_segment(&state->ds, &vmcb->ds);
                copy_segment(&state->es, &vmcb->es);
        }
        if (mtd & NOVA_MTD_FS_GS) {
                copy_segment(&state->fs, &vmcb->fs);
                copy_segment(&state->gs, &vmcb->gs);
        }
        if (mtd & NOVA_MTD_CS_SS) {
                copy_segment(&state->cs, &vmcb->cs);
                copy_segment(&state->ss, &vmcb->ss);
                /* The privilege level, as with VMX: SYSRET leaves the DPL as it was. */
                state->ss.ar = (uint16_t)((state->ss.ar & ~SS_DPL) | vmcb->cpl << SS_DPL_SHIFT);
        }
        if (mtd & NOVA_MTD_TR)
                copy_segment(&state->tr, &vmcb->tr);
        if (mtd & NOVA_MTD_LDTR)
                copy_segment(&state->ldtr, &vmcb->ldtr);
        if (mtd & NOVA_MTD_GDTR)
                copy_segment(&state->gdtr, &vmcb->gdtr);
        if (mtd & NOVA_MTD_IDTR)
                copy_segment(&state->idtr, &vmcb->idtr);
}

word_t svm_instruction_length(const struct vmcb *vmcb)
{
        const uint64_t next = vmcb->exit_code == SVM_EXIT_IO ? vmcb->exit_info[1] : vmcb->next_rip;
        const uint32_t length = (uint32_t)(next - vmcb->rip); /* outside of 64-bit mode IP wraps */

        return length <= 15 ? length : 0;
}

static void system_to_utcb(const struct vmcb *vmcb, struct nova_utcb_state *state, nova_mtd_t mtd)
{
        if (mtd & NOVA_MTD_CR) {
                state->cr0 = (word_t)vmcb->cr0;
                state->cr2 = (word_t)vmcb->cr2;
                state->cr3 = (word_t)vmcb->cr3;
                state->cr4 = (word_t)vmcb->cr4;
        }
        if (mtd & NOVA_MTD_DR)
                state->dr7 = (word_t)vmcb->dr7;
        if (mtd & NOVA_MTD_SYS) {
                state->sysenter_cs = (word_t)vmcb->sysenter_cs;
                state->sysenter_sp = (word_t)vmcb->sysenter_sp;
                state->sysenter_ip = (word_t)vmcb->sysenter_ip;
        }
#if __SIZEOF_POINTER__ == 8
        if (mtd & NOVA_MTD_CR8)
                state->cr8 = vmcb->vintr & SVM_VINTR_TPR;
#endif
}

static void exit_to_utcb(const struct ec *ec, struct nova_utcb_state *state, nova_mtd_t mtd)
{
        const struct vmcb *vmcb = ec->vcpu->control;

        if (mtd & NOVA_MTD_QUAL) {
                state->qual[0] = vmcb->exit_info[0];
                state->qual[1] = vmcb->exit_info[1];
        }
        if (mtd & NOVA_MTD_INJ) {
                const uint64_t event =
                        is_pending(ec) ? vmcb->event_inj : svm_interrupted_event(ec->vcpu);
                state->inj_info = (uint32_t)event & INJ_EVENT;
                if (svm_has_window(vmcb))
                        state->inj_info |= INJ_WINDOW;
                if (unlikely(vmcb->cr_intercepts & SVM_WRITES_CR8))
                        state->inj_info |= VCPU_CR8_WINDOW;
                state->inj_error = (uint32_t)(event >> 32);
        }
        if (mtd & NOVA_MTD_STA) {
                state->intr_state = (uint32_t)vmcb->interrupt_shadow & 1;
                state->actv_state = 0;
        }
        if (mtd & NOVA_MTD_TSC)
                state->tsc_offset = vmcb->tsc_offset;
}

static void more_to_utcb(const struct ec *ec, struct nova_utcb_more *more, nova_mtd_t mtd)
{
        const struct vmcb *vmcb = ec->vcpu->control;
        const struct vcpu_svm *svm = &ec->vcpu->svm;

        if (mtd & NOVA_MTD_MSR) {
                more->efer = (vmcb->efer & ~(uint64_t)EFER_SVME) | (svm->lme ? EFER_LME : 0);
                more->star = vmcb->star;
                more->lstar = vmcb->lstar;
                more->fmask = vmcb->fmask;
                more->kernel_gs_base = vmcb->kernel_gs_base;
        }
        if (mtd & NOVA_MTD_PAT)
                more->pat = vmcb->pat;
        if (mtd & NOVA_MTD_DEBUG) {
                vcpu_read_debug_registers(ec, more->dr);
                more->dr6 = vmcb->dr6;
        }
        if (mtd & NOVA_MTD_GPA)
                more->gpa = ec->event_number == SVM_EVENT_NPF ? vmcb->exit_info[1] : 0;
        if (mtd & NOVA_MTD_XCR0)
                more->xcr0 = ec->vcpu->xcr0;
        if (mtd & NOVA_MTD_CSTAR_AUX) {
                more->cstar = vmcb->cstar;
                more->tsc_aux = ec->vcpu->tsc_aux;
        }
}

void svm_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd)
{
        const struct vmcb *vmcb = ec->vcpu->control;
        struct nova_utcb_state *state = &utcb->state;

        if (mtd & NOVA_MTD_ESP)
                state->sp = (word_t)vmcb->rsp;
        if (mtd & NOVA_MTD_EIP) {
                state->ip = (word_t)vmcb->rip;
                state->inst_len = svm_instruction_length(vmcb);
        }
        if (mtd & NOVA_MTD_EFL)
                state->flags = (word_t)vmcb->rflags;
        if (unlikely(mtd & VCPU_SEGMENTS))
                segments_to_utcb(vmcb, state, mtd);
        if (unlikely(mtd & VCPU_SYSTEM))
                system_to_utcb(vmcb, state, mtd);
        exit_to_utcb(ec, state, mtd);
        if (mtd & NOVA_MTD_MORE)
                more_to_utcb(ec, &utcb->event.more, mtd);
}

static void segments_from_utcb(struct vmcb *vmcb, const struct nova_utcb_state *state,
                               nova_mtd_t mtd)
{
        if (mtd & NOVA_MTD_DS_ES) {
                set_segment(&vmcb->ds, &state->ds);
                set_segment(&vmcb->es, &state->es);
        }
        if (mtd & NOVA_MTD_FS_GS) {
                set_segment(&vmcb->fs, &state->fs);
                set_segment(&vmcb->gs, &state->gs);
        }
        if (mtd & NOVA_MTD_CS_SS) {
                set_segment(&vmcb->cs, &state->cs);
                set_segment(&vmcb->ss, &state->ss);
                vmcb->cpl = vmcb->ss.ar >> SS_DPL_SHIFT & 3;
        }
        if (mtd & NOVA_MTD_TR)
                set_segment(&vmcb->tr, &state->tr);
        if (mtd & NOVA_MTD_LDTR)
                set_segment(&vmcb->ldtr, &state->ldtr);
        if (mtd & NOVA_MTD_GDTR)
                set_segment(&vmcb->gdtr, &state->gdtr);
        if (mtd & NOVA_MTD_IDTR)
                set_segment(&vmcb->idtr, &state->idtr);
}

static void use_debug_registers(struct ec *ec)
{
        struct vmcb *vmcb = ec->vcpu->control;

        ec->vcpu->debugging = true;
        vmcb->dr_intercepts = 0;
}

static void system_from_utcb(struct ec *ec, const struct nova_utcb_state *state, nova_mtd_t mtd)
{
        struct vmcb *vmcb = ec->vcpu->control;

        if (mtd & NOVA_MTD_CR) {
                vmcb->cr0 = state->cr0;
                vmcb->cr2 = state->cr2;
                vmcb->cr3 = state->cr3;
                vmcb->cr4 = state->cr4;
                vcpu_forget_translations(ec);
        }
        if (mtd & NOVA_MTD_DR) {
                vmcb->dr7 = state->dr7;
                use_debug_registers(ec);
        }
        if (mtd & NOVA_MTD_SYS) {
                vmcb->sysenter_cs = state->sysenter_cs;
                vmcb->sysenter_sp = state->sysenter_sp;
                vmcb->sysenter_ip = state->sysenter_ip;
        }
#if __SIZEOF_POINTER__ == 8
        if (mtd & NOVA_MTD_CR8)
                vmcb->vintr =
                        (vmcb->vintr & ~(uint64_t)SVM_VINTR_TPR) | (state->cr8 & SVM_VINTR_TPR);
#endif
}

/* Makes the CPU exit as soon as the guest could take an interrupt: each entry offers one, whatever
 * the guest's task priority, and its delivery is intercepted. */
static void open_window(struct vmcb *vmcb)
{
        vmcb->ctrl[0] |= SVM_CTRL0_VINTR;
}

void svm_close_window(struct vmcb *vmcb)
{
        vmcb->ctrl[0] &= ~(uint32_t)SVM_CTRL0_VINTR;
}

/* Types: 0 interrupt, 2 NMI, 3 exception but NMI's vector, 4 software interrupt (APM 2, 15.20). */
static bool is_injectable(uint32_t info)
{
        const unsigned type = info >> SVM_INJ_TYPE_SHIFT & 7, vector = info & 0xff;

        if (!(info & SVM_INJ_VALID) || type == 0 || type == 2 || type == 4)
                return true;
        return type == 3 && vector < 32 && vector != 2;
}

/* A software event that is injected pushes IP as it is: a CPU that has next_rip pushes that. */
static void inject(struct vcpu *vcpu, uint64_t event)
{
        struct vmcb *vmcb = vcpu->control;

        vmcb->event_inj = event;
        vcpu->svm.soft_event = 0;
        if (likely(!is_software_event(event)))
                return;
        vcpu->svm.soft_event = event & INJ_EVENT;
        vcpu->svm.soft_ip = vmcb->rip;
        if (cpu_has(FEATURE_NEXT_RIP))
                vmcb->next_rip = vmcb->rip;
}

void svm_end_step(struct vcpu *vcpu)
{
        struct vmcb *vmcb = vcpu->control;

        if (vcpu->svm.steps && vmcb->rip == vcpu->svm.step_ip)
                vmcb->rflags =
                        (vmcb->rflags & ~(uint64_t)FLAG_TF) | (vcpu->svm.guest_tf ? FLAG_TF : 0);
        vmcb->exception_intercepts = SVM_EXCEPTIONS_FORCED;
        vcpu->svm.steps = false;
}

static void begin_step(struct vcpu *vcpu)
{
        struct vmcb *vmcb = vcpu->control;

        vcpu->svm.steps = true;
        vcpu->svm.step_ip = vmcb->rip;
        vcpu->svm.guest_tf = vmcb->rflags & FLAG_TF;
        vmcb->rflags |= FLAG_TF;
        vmcb->exception_intercepts = SVM_EXCEPTIONS_STEP;
}

static void controls_from_utcb(struct ec *ec, const struct nova_utcb_state *state, nova_mtd_t mtd)
{
        struct vmcb *vmcb = ec->vcpu->control;

        if (mtd & NOVA_MTD_CTRL) {
                const uint32_t window = vmcb->ctrl[0] & SVM_CTRL0_VINTR;
                vmcb->ctrl[0] =
                        (state->ctrl[0] & ~(uint32_t)SVM_CTRL0_VINTR) | SVM_CTRL0_FORCED | window;
                vmcb->ctrl[1] = (state->ctrl[1] & SVM_CTRL1_ALLOWED) | SVM_CTRL1_FORCED;
                ec->vcpu->svm.wants_wbinvd = state->ctrl[1] & SVM_CTRL1_WBINVD;
        }
        if (mtd & NOVA_MTD_INJ) {
                const uint32_t info = state->inj_info;
                const bool valid = is_injectable(info);
                ec->vcpu->refused |= !valid;
                inject(ec->vcpu, valid ? (info & INJ_EVENT) | (uint64_t)state->inj_error << 32 : 0);
                if (unlikely(info & INJ_STEP))
                        begin_step(ec->vcpu);
                if (info & INJ_WINDOW)
                        open_window(vmcb);
                else
                        svm_close_window(vmcb);
                vmcb->cr_intercepts &= ~(uint32_t)SVM_WRITES_CR8;
                if (unlikely(vcpu_wants_cr8_window(info, mtd)))
                        vmcb->cr_intercepts |= SVM_WRITES_CR8;
        }
        if (mtd & NOVA_MTD_STA)
                vmcb->interrupt_shadow = state->intr_state & 1;
        if (mtd & NOVA_MTD_TSC)
                vmcb->tsc_offset += state->tsc_offset;
}

static void more_from_utcb(struct ec *ec, const struct nova_utcb_more *more, nova_mtd_t mtd)
{
        struct vcpu *vcpu = ec->vcpu;
        struct vmcb *vmcb = vcpu->control;

        if (mtd & NOVA_MTD_MSR) {
                const uint64_t efer = more->efer;
                vcpu->refused |= !!(efer & ~(uint64_t)EFER_WRITABLE);
                vmcb->efer = (efer & EFER_WRITABLE) | EFER_SVME;
                vmcb->cr_intercepts &= SVM_WRITES_CR8;
                vcpu->svm.lme = features_emulated() && efer & EFER_WRITABLE & EFER_LME;
                vmcb->star = more->star;
                vmcb->lstar = more->lstar;
                vmcb->fmask = more->fmask;
                vmcb->kernel_gs_base = more->kernel_gs_base;
                vcpu_forget_translations(ec);
        }
        if (mtd & NOVA_MTD_PAT) {
                vmcb->pat = more->pat;
                vcpu_forget_translations(ec);
        }
        if (mtd & NOVA_MTD_DEBUG) {
                if (ec->cpu->debug_owner == ec)
                        ec->cpu->debug_owner = NULL; /* loaded again at the next entry */
                memcpy(vcpu->dr, more->dr, sizeof(vcpu->dr));
                vmcb->dr6 = more->dr6;
                use_debug_registers(ec);
        }
        if (mtd & NOVA_MTD_XCR0) {
                const uint64_t xcr0 = more->xcr0;
                if (fpu_xcr0_is_valid(xcr0))
                        vcpu->xcr0 = xcr0;
                else
                        vcpu->refused = true;
        }
        if (mtd & NOVA_MTD_CSTAR_AUX) {
                vmcb->cstar = more->cstar;
                vcpu->tsc_aux = (uint32_t)more->tsc_aux;
        }
}

void svm_from_utcb(struct ec *ec, const struct nova_utcb *utcb, nova_mtd_t mtd)
{
        struct vmcb *vmcb = ec->vcpu->control;
        const struct nova_utcb_state *state = &utcb->state;

        ec->vcpu->unproven |= !!(mtd & STATE_CHECKED);
        if (mtd & NOVA_MTD_ESP)
                vmcb->rsp = state->sp;
        if (mtd & NOVA_MTD_EIP)
                vmcb->rip = state->ip;
        if (mtd & NOVA_MTD_EFL)
                vmcb->rflags = state->flags;
        if (unlikely(mtd & VCPU_SEGMENTS))
                segments_from_utcb(vmcb, state, mtd);
        if (unlikely(mtd & VCPU_SYSTEM))
                system_from_utcb(ec, state, mtd);
        controls_from_utcb(ec, state, mtd);
        if (mtd & NOVA_MTD_MORE)
                more_from_utcb(ec, &utcb->event.more, mtd);
}
