/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: exits that not every emulator raises. Bochs' AMD model raises exits that QEMU's TCG
 * omits; its Intel models have SMX, RDRAND and VM functions. */
#include "intercept.h"

static const char *needs_svm_of_hardware(void)
{
        return needs_svm() ? needs_svm() : needs_hardware();
}

static const struct intercept svm_rare[] = {
        ASKED("\xcd\x80", 0x75, 21),           /* int */
        ALWAYS("\x0f\x08", 0x76),              /* invd */
        ASKED("\x0f\x01\xdc", 0x84, 36),       /* stgi */
        ALWAYS("\x0f\x01\xde", 0x86),          /* skinit */
        SWITCHED("\x0f\x01\xf9", 0x87, 39),    /* rdtscp */
        ASKED("\xf1", 0x88, 40),               /* icebp */
        SWITCHED("\x0f\x01\xc8", 0x8a, 42),    /* monitor */
        ASKED("\x0f\x01\xc9", 0x8b, 43),       /* mwait */
        ASKED("\xea\0\0\0\0\x18\0", 0x7d, 29), /* ljmp $0x18, $0: a task */
};

CASE_ON(guest_rare, instructions_that_tcg_leaves_out_exit_on_svm,
        "7.2-107 7.2-108 7.2-115 7.2-122 7.2-124 7.2-125 7.2-126 7.2-128 7.2-129 7.2-136",
        needs_svm_of_hardware)
{
        expect_exits(guest_new(boot_cpu, NULL, NULL), ROWS(svm_rare));
        expect_no_exits(guest_new(boot_cpu, NULL, NULL), ROWS(svm_rare));
}

GUEST(armed_32, 32, "monitor; mwait; hlt");

CASE_ON(guest_rare, an_mwait_exits_when_its_monitor_is_armed_on_svm, "7.2-130",
        needs_svm_of_hardware)
{
        struct guest *g = guest_new(boot_cpu, armed_32, armed_32_end);
        const nova_mtd_t mtd = intercept_prepare(g);

        intercept_registers(g, 44);
        EXPECT_EQ(guest_run(g, mtd), 0x8c);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 3);
}

GUEST(xsetbv_32, 32, "xsetbv; hlt");

/* Requires more than QEMU's TCG, which executes XSETBV without an exit. */
static const char *needs_svm_of_hardware_with_xsave(void)
{
        uint32_t r[4];

        cpuid(1, 0, r);
        if (needs_svm_of_hardware())
                return needs_svm_of_hardware();
        return r[2] & 1u << 26 ? NULL : "needs XSAVE";
}

/* The kernel handles the CPU's exit 0x8d itself; the events 0x8d to 0x8f stay reserved. */
CASE_ON(guest_rare, an_xsetbv_is_not_an_event_on_svm, "7.2-131", needs_svm_of_hardware_with_xsave)
{
        struct guest *g = guest_new(boot_cpu, xsetbv_32, xsetbv_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->cr4 = 0x40000; /* OSXSAVE */
        g->state->ax = 3;
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->utcb->event.more.xcr0, 3);
}

static const char *needs_vmx_with_rdrand(void)
{
        uint32_t r[4];

        cpuid(1, 0, r);
        if (needs_vmx())
                return needs_vmx();
        return r[2] & 1u << 30 ? NULL : "needs RDRAND";
}

GUEST(vmfunc_32, 32, "rdrand %eax; xorl %eax, %eax; vmfunc; hlt");

/* A guest has no VM function to call: every VMFUNC exits. */
CASE_ON(guest_rare, rdrand_and_vmfunc_exit_on_request_on_vmx, "7.2-74 7.2-76",
        needs_vmx_with_rdrand)
{
        struct guest *g = guest_new(boot_cpu, vmfunc_32, vmfunc_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->ctrl[0] = 0;
        g->state->ctrl[1] = 1u << 11 | 1u << 13;
        EXPECT_EQ(guest_run(g, mtd | NOVA_MTD_CTRL), 0x39);
        EXPECT_EQ(g->state->ip, GUEST_CODE);
        g->state->ip += g->state->inst_len;
        EXPECT_EQ(guest_run(g, NOVA_MTD_EIP), 0x3b);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 5);
}

GUEST(getsec_32, 32, "xorl %eax, %eax; getsec; hlt");

CASE_ON(guest_rare, getsec_exits_without_a_request_on_vmx, "7.2-33", needs_vmx)
{
        struct guest *g = guest_new(boot_cpu, getsec_32, getsec_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->cr4 = 0x4000; /* SMXE */
        const word_t event = guest_run(g, mtd);
        if (event == guest_event(EXIT_STATE))
                NOT_RAISED("needs SMX");
        EXPECT_EQ(event, 0x0b);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 2);
}

CASE_ON(guest_rare, a_step_exits_when_the_trap_flag_of_the_monitor_is_set, "7.2-58 7.4-49 8.4-34",
        needs_vmx)
{
        static const struct intercept nop = ASKED("\x90", 0x25, 27);
        struct guest *g = guest_new(boot_cpu, NULL, NULL);
        const nova_mtd_t mtd = intercept_prepare(g);

        intercept_place(g, &nop);
        intercept_registers(g, 27);
        if (guest_run(g, mtd) == guest_event(EXIT_HLT))
                NOT_RAISED("needs a monitor trap flag that works");
        EXPECT_EQ(g->event, 0x25);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 1);
}
