/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the drivers for virtual CPUs: stubs of functions in other files that the code for states
 * and exits calls. A driver defines check_entry(), whose conditions must hold before each entry
 * into the guest and before each event. */
#ifndef PROOFS_VIRT_H
#define PROOFS_VIRT_H

#include "driver.h"

#define EVENT_MAX 255 /* the last event of a virtual CPU */

static void check_entry(void);

static union {
        struct cpu cpu;
        char page[PAGE_SIZE];
} own_cpu;

bool features_emulated(void)
{
        return any_bool();
}

bool machine_check_happened(void)
{
        return any_bool();
}

bool machine_check_forget_match(void)
{
        return any_bool();
}

bool fpu_xcr0_is_valid(uint64_t value)
{
        (void)value;
        return any_bool();
}

void fpu_read_xmm(const struct ec *ec, uint8_t to[FPU_XMM][FPU_XMM_SIZE])
{
        (void)ec;
        Frama_C_make_unknown((char *)to, sizeof(uint8_t[FPU_XMM][FPU_XMM_SIZE]));
}

void fpu_write_xmm(struct ec *ec, const uint8_t from[FPU_XMM][FPU_XMM_SIZE])
{
        static uint8_t xmm[FPU_XMM][FPU_XMM_SIZE];

        (void)ec;
        memcpy(xmm, from, sizeof(xmm));
}

void vcpu_read_debug_registers(const struct ec *ec, uint64_t dr[4])
{
        (void)ec;
        for (unsigned i = 0; i < 4; i++)
                dr[i] = any_u64();
}

void vcpu_forget_translations(struct ec *ec)
{
        (void)ec;
}

void interrupt_window(struct cpu *cpu)
{
        (void)cpu;
}

void leave_if_ended(struct ec *ec)
{
        (void)ec;
}

bool vcpu_access_port(struct ec *ec, unsigned port, unsigned bytes, bool in)
{
        (void)ec;
        (void)in;
        /*@ assert port: port <= 0xffff && 0 < bytes <= 8; */
        return any_bool();
}

_Noreturn void resume_guest(struct ec *ec)
{
        (void)ec;
        check_entry();
        for (;;)
                ;
}

_Noreturn void block_on_event(struct ec *ec, word_t event, word_t qual0, word_t qual1)
{
        (void)ec;
        (void)qual0;
        (void)qual1;
        check_entry();
        /*@ assert event: event <= EVENT_MAX; */
        for (;;)
                ;
}

_Noreturn void kernel_stop(const char *cause, ...)
{
        (void)cause;
        for (;;)
                ;
}

/* Fills a virtual CPU and its EC as the CPU and earlier messages may have filled them. */
static void any_vcpu(struct ec *ec, struct vcpu *vcpu)
{
        Frama_C_make_unknown((char *)vcpu, sizeof(*vcpu));
        Frama_C_make_unknown((char *)ec, sizeof(*ec));
        vcpu->debugging = any_bool();
        vcpu->wants_dr_exits = any_bool();
        vcpu->wants_wbinvd = any_bool();
        vcpu->unproven = any_bool();
        vcpu->refused = 0;
        ec->vcpu = vcpu;
        ec->cpu = &own_cpu.cpu;
        ec->event_number = (uint8_t)any_u32();
}

#endif
