/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: like every exit from the kernel, the entry of a guest ends fake_run() (see leave.c). */
#include "arch/x86/fpu.h"
#include "arch/x86/machine_check.h"
#include "arch/x86/pte.h"
#include "arch/x86/speculation.h"
#include "arch/x86/switch.h"
#include "fake.h"
#include "lib/string.h"
#include "object/ec.h"
#include "space/second_level.h"
#include "virt/vcpu.h"

unsigned fake_guest_entries;

_Noreturn void svm_enter(struct ec *ec, word_t guest, word_t host);

_Noreturn void svm_enter(struct ec *ec, word_t guest, word_t host)
{
        (void)guest;
        (void)host;
        fake_guest_entries++;
        leave_by_iret(ec);
}

/* On the host, SVM represents both vendors. */
const struct vcpu_ops vmx_ops;

void fpu_enter_guest(struct cpu *cpu, struct ec *ec, uint64_t xcr0)
{
        (void)cpu;
        (void)ec;
        (void)xcr0;
}

/* The XMM registers, one set for all virtual CPUs: no test has two virtual CPUs that use them. */
static uint8_t xmm[FPU_XMM][FPU_XMM_SIZE];

void fpu_read_xmm(const struct ec *ec, uint8_t to[FPU_XMM][FPU_XMM_SIZE])
{
        (void)ec;
        memcpy(to, xmm, sizeof(xmm));
}

void fpu_write_xmm(struct ec *ec, const uint8_t from[FPU_XMM][FPU_XMM_SIZE])
{
        (void)ec;
        memcpy(xmm, from, sizeof(xmm));
}

bool fpu_xcr0_is_valid(uint64_t value)
{
        return value == 1 || value == 3 || value == 7;
}

void fpu_leave_guest(struct cpu *cpu)
{
        (void)cpu;
}

void fake_guest_boot(bool has_tables)
{
        guest_format = (struct second_level_format){0};
        if (!has_tables)
                return;
        guest_format.levels = 4;
        guest_format.large = 1;
        guest_format.write = PTE_WRITE;
        guest_format.no_execute = PTE_NOEXECUTE;
        guest_format.page = PTE_PRESENT | PTE_USER;
        guest_format.table = guest_format.top_table = PTE_PRESENT | PTE_USER | PTE_WRITE;
}

bool fake_machine_check, fake_match;

void machine_check_forget(void)
{
}

bool machine_check_happened(void)
{
        return fake_machine_check;
}

bool machine_check_forget_match(void)
{
        const bool match = fake_match;

        fake_match = false;
        return match;
}

uint32_t speculation_at_guest_entry;

void speculation_enter_guest(struct cpu *cpu, const struct pd *pd)
{
        (void)cpu;
        (void)pd;
}
