/* SPDX-License-Identifier: BSD-2-Clause */
/* Connects the interface for enlightened guests to a machine, and answers its exits. */
#include "hv/exits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hv/numbers.h"
#include "hv/page.h"
#include "hv/registers.h"
#include "nova/arch/tsc.h"
#include "nova/hip.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novavmm/pc.h"
#include "novavmm/registers.h"

#define VECTOR_UD  6
#define CALL_BYTES 3 /* length of VMCALL and VMMCALL */

#define UNITS_PER_US 10 /* units of reference time */

_Static_assert(NOVA_HV_VPS == NOVA_VM_VCPUS, "each virtual CPU is a virtual processor");
_Static_assert(NOVAVMM_HV_VP_FRAMES + NOVA_HV_VPS * NOVAVMM_HV_FRAMES_PER_VP <= NOVA_OVERLAYS,
               "each page can be mapped");

static int refuse(struct nova_vm *vm, int error, const char *why)
{
        snprintf(vm->why, sizeof(vm->why), "%s", why);
        return error;
}

static uint64_t read_tsc(void *unused)
{
        (void)unused;
        return nova_rdtsc();
}

/* The kernel's count includes the time since the virtual CPU's SC last got the CPU, and the time in
 * which handlers of its exits run. */
static uint64_t run_time(void *context, unsigned vcpu)
{
        const struct nova_vm *const vm = context;
        uint64_t us;

        return nova_sc_ctrl(vm->vcpu[vcpu].ec + VCPU_SC, &us) == NOVA_SUCCESS ? us * UNITS_PER_US
                                                                              : 0;
}

/* A report of the guest, for the monitor. */
struct report {
        const struct nova_hv *hv;
        unsigned vcpu;
};

static void pass_report(void *argument)
{
        const struct report *const report = argument;
        const struct nova_hv *const hv = report->hv;

        hv->reported(hv->report_context, report->vcpu, &hv->crash);
}

/* Passes a report to the monitor's function. This function may print, and printf() in a child
 * program overwrites the UTCB, so the message of the exit is kept. @p number: the virtual CPU whose
 * register was written */
static void crashed(void *context, unsigned number, const struct nova_hv_crash *crash)
{
        const struct nova_vm *const vm = context;
        struct report report = {vm->hv, number};

        (void)crash;
        nova_vcpu_keep_message(vm->serving, pass_report, &report);
}

/* Fills in the partition of a machine. The configuration has been checked. */
static void begin(struct nova_hv *hv, struct nova_vm *vm, const struct nova_hv_config *config)
{
        nova_hv_init(hv, &vm->memory, config->privileges);
        hv->hints = config->hints;
        hv->crashed = config->crashed ? crashed : NULL;
        hv->crash_context = vm;
        hv->reported = config->crashed;
        hv->report_context = config->crash_context;
        hv->run_time = run_time;
        hv->run_time_context = vm;
        hv->vcpus = vm->vcpus;
        hv->svm = vm->svm;
        hv->direct_timers = config->direct_timers;
        hv->xmm_input = config->xmm_input;
        hv->xmm_output = config->xmm_output;
        hv->clock = vm->clock;
        hv->tsc.now = read_tsc;
        nova_hv_time_begin(hv, (uint64_t)nova_program.hip->tsc_khz * 1000);
        hv->apic_hz = NOVA_LAPIC_HZ;
        for (unsigned i = 0; i < vm->vcpus && vm->apics; i++)
                hv->vp[i].lapic = &((struct nova_pc *)vm->apics)->lapic[i];
        nova_hv_timers_begin(hv);
        nova_hv_page_fill(vm->memory.frames, vm->svm);
}

/* Returns whether messages of hypercalls contain the XMM registers of a 64-bit guest. */
static bool has_xmm(const struct nova_vm *vm)
{
        return sizeof(nova_word_t) == 8 && nova_hip_has(nova_program.hip, NOVA_HIP_XMM) &&
               vm->mtd[NOVA_VM_EXIT_HYPERCALL] & NOVA_MTD_XMM;
}

/* Flushes the virtual processors that a call names. */
static void flush(struct nova_vcpu *vcpu)
{
        struct nova_hv *const hv = vcpu->vm->hv;

        if (!hv->stale)
                return;
        for (unsigned i = 0; i < hv->vcpus; i++)
                if (hv->stale >> i & 1)
                        vcpu->vm->vcpu[i].stale = true;
        hv->flushes += (unsigned)__builtin_popcountll(hv->stale);
        hv->stale = 0;
        nova_vcpu_settle(vcpu);
}

/* Copies the guest's XMM registers to or from a call, if it may have parameters there. */
static void load_xmm(struct nova_hv_frame *frame, const struct nova_vcpu *vcpu)
{
        const struct nova_hv *const hv = vcpu->vm->hv;
        const struct nova_utcb_event *const event = (const void *)vcpu->state;

        if (frame->mode == NOVA_HV_64 && (hv->xmm_input || hv->xmm_output))
                memcpy(frame->xmm, event->xmm, sizeof(frame->xmm));
}

static void store_xmm(const struct nova_hv_frame *frame, struct nova_vcpu *vcpu)
{
        struct nova_utcb_event *const event = (void *)vcpu->state;

        if (!frame->xmm_changed)
                return;
        memcpy(event->xmm, frame->xmm, sizeof(event->xmm));
        vcpu->changed |= NOVA_MTD_XMM;
}

static void call(struct nova_vcpu *vcpu)
{
        struct nova_hv *const hv = vcpu->vm->hv;
        struct nova_hv_frame frame;

        nova_hv_frame_load(&frame, nova_hv_mode_of(vcpu->state, vcpu->more->efer), vcpu->state);
        load_xmm(&frame, vcpu);
        if ((uint16_t)frame.value == NOVAVMM_HV_SET_REGISTERS)
                nova_vcpu_settle(vcpu);

        const enum nova_hv_outcome outcome = nova_hv_execute(hv, vcpu->number, &frame);

        flush(vcpu);
        vcpu->changed |= nova_hv_frame_store(&frame, outcome, vcpu->state);
        store_xmm(&frame, vcpu);
        if (outcome == NOVA_HV_DONE)
                nova_vcpu_skip(vcpu, CALL_BYTES);
        else if (outcome == NOVA_HV_UNDEFINED)
                nova_vcpu_raise(vcpu, VECTOR_UD);
}

static bool has(const struct nova_vcpu *vcpu, uint32_t number)
{
        return number < NOVAVMM_MSR_APIC_END || number > NOVAVMM_MSR_APIC_PRIORITY ||
               nova_msr_apic_is_on(&vcpu->msr);
}

/* A guest that reads the idle register sleeps until an interrupt is pending, even with interrupts
 * disabled. It does not sleep if it single-steps: its #DB would wake it. */
static bool get_msr(struct nova_vcpu *vcpu, uint32_t number, uint64_t *value)
{
        if (!has(vcpu, number) || !nova_hv_msr_get(vcpu->vm->hv, vcpu->number, number, value))
                return false;
        if (number == NOVAVMM_MSR_IDLE && !(vcpu->state->flags & NOVA_FLAG_TF))
                vcpu->activity = NOVA_VCPU_HALTS;
        return true;
}

static bool set_msr(struct nova_vcpu *vcpu, uint32_t number, uint64_t value)
{
        struct nova_vm *const vm = vcpu->vm;

        if (!has(vcpu, number))
                return false;
        if (nova_hv_moves_page(number))
                nova_vcpu_settle(vcpu);
        if (!nova_hv_msr_set(vm->hv, vcpu->number, number, value))
                return false;
        if (vm->hv->resets)
                nova_vm_reset(vm, "MSR 0x40000003");
        return true;
}

static const struct novavmm_hv_exits exits = {
        .call = call,
        .cpuid = nova_hv_cpuid,
        .has_msr = nova_hv_has_msr,
        .get_msr = get_msr,
        .set_msr = set_msr,
        .time_break = nova_hv_time_break,
        .begin = nova_hv_assist_begin,
        .end = nova_hv_assist_end,
        .last_text = nova_hv_last_text,
};

int nova_hv_enable(struct nova_hv *hv, struct nova_vm *vm, const struct nova_hv_config *config)
{
        const struct nova_hv_machine machine = {
                .same_tsc = vm->same_tsc, .local_apic = vm->apics, .xmm = has_xmm(vm)};
        const char *why;
        int error = nova_hv_check(config, &machine, &why);

        if (error)
                return refuse(vm, error, why);
        if (novavmm_exit_mtd(NOVA_VM_EXIT_HYPERCALL, true) & ~vm->mtd[NOVA_VM_EXIT_HYPERCALL])
                return refuse(vm, ENOTSUP, "its hypercalls have too little state (plain_calls)");
        if (vm->hv)
                return refuse(vm, EBUSY, "the machine has the hypercall interface already");
        if (vm->vcpu[0].running)
                return refuse(vm, EBUSY,
                              "the machine runs already; the hypercall interface is "
                              "for machines that have not started");
        if (vm->memory.frames)
                return refuse(vm, EBUSY,
                              "the machine has other overlay pages (nova_overlay_create())");
        if (config->privileges & NOVA_HV_PRIVILEGE_TIMERS && vm->alarms == NOVA_VM_ALARMS)
                return refuse(vm, ENOSPC, "the machine has too many alarms (NOVA_VM_ALARMS)");
        error = nova_overlay_create(&vm->memory, novavmm_hv_vp_frame(vm->vcpus, 0));
        if (error)
                return error;
        begin(hv, vm, config);
        vm->hv = hv;
        vm->hv_exits = &exits;
        return config->privileges & NOVA_HV_PRIVILEGE_TIMERS ? nova_vm_add_alarm(vm, &hv->alarm)
                                                             : 0;
}
