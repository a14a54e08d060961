/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: instructions that exit, the exit's number, and the control bits that request it. */
#include "intercept.h"

/* ---- SVM ------------------------------------------------------------------------------------- */

static const struct intercept svm_always[] = {
        ALWAYS("\x0f\x33", 0x6f),     /* rdpmc */
        ALWAYS("\xf4", 0x78),         /* hlt */
        ALWAYS("\x0f\x01\xdf", 0x7a), /* invlpga */
        ALWAYS("\xe4\xe9", 0x7b),     /* in */
        ALWAYS("\x6e", 0x7b),         /* outs */
        ALWAYS("\x0f\x32", 0x7c),     /* rdmsr */
        ALWAYS("\x0f\x01\xd8", 0x80), /* vmrun */
        ALWAYS("\x0f\x01\xda", 0x82), /* vmload */
        ALWAYS("\x0f\x01\xdb", 0x83), /* vmsave */
        ALWAYS("\x0f\x01\xdd", 0x85), /* clgi */
};

static const struct intercept svm_tables[] = {
        SWITCHED("\x0f\x01\x0d\x00\x90\x00\x00", 0x66, 6),  /* sidt 0x9000 */
        SWITCHED("\x0f\x01\x05\x00\x90\x00\x00", 0x67, 7),  /* sgdt 0x9000 */
        SWITCHED("\x0f\x00\xc0", 0x68, 8),                  /* sldt */
        SWITCHED("\x0f\x00\xc8", 0x69, 9),                  /* str */
        SWITCHED("\x0f\x01\x1d\x00\x94\x00\x00", 0x6a, 10), /* lidt 0x9400 */
        SWITCHED("\x0f\x01\x15\x00\x90\x00\x00", 0x6b, 11), /* lgdt 0x9000 */
        SWITCHED("\x0f\x00\xd1", 0x6c, 12),                 /* lldt %cx */
        ASKED("\x0f\x00\xd9", 0x6d, 13),                    /* ltr %cx */
};

static const struct intercept svm_asked[] = {
        ASKED("\x0f\x22\xc0", 0x65, 5),     /* mov %eax, %cr0 */
        SWITCHED("\x0f\x31", 0x6e, 14),     /* rdtsc */
        SWITCHED("\x9c", 0x70, 16),         /* pushf */
        SWITCHED("\x9d", 0x71, 17),         /* popf */
        SWITCHED("\x0f\xa2", 0x72, 18),     /* cpuid */
        ASKED("\x0f\xaa", 0x73, 19),        /* rsm */
        ASKED("\xcf", 0x74, 20),            /* iret */
        SWITCHED("\xf3\x90", 0x77, 23),     /* pause */
        SWITCHED("\x0f\x01\x38", 0x79, 25), /* invlpg (%eax) */
        ASKED("\x0f\x01\xd9", 0x81, 33),    /* vmmcall */
        SWITCHED("\x0f\x09", 0x89, 41),     /* wbinvd */
};

CASE_ON(guest_intercept, exits_that_the_kernel_needs_occur_without_a_request_on_svm,
        "7.2-101 7.2-112 7.2-113 7.2-114 7.2-118 7.2-120 7.2-121 7.2-123 7.2-136", needs_svm)
{
        expect_exits(guest_new(boot_cpu, NULL, NULL), ROWS(svm_always));
}

CASE_ON(guest_intercept, accesses_to_descriptor_tables_exit_on_request_on_svm,
        "7.2-92 7.2-93 7.2-94 7.2-95 7.2-96 7.2-97 7.2-98 7.2-99", needs_svm)
{
        expect_exits(guest_new(boot_cpu, NULL, NULL), ROWS(svm_tables));
}

CASE_ON(guest_intercept, instructions_exit_on_request_on_svm,
        "7.2-91 7.2-100 7.2-102 7.2-103 7.2-105 7.2-106 7.2-109 7.2-119 7.2-127 7.4-49 "
        "8.4-34",
        needs_svm)
{
        expect_exits(guest_new(boot_cpu, NULL, NULL), ROWS(svm_asked));
}

CASE_ON(guest_intercept, no_instruction_exits_without_a_request_on_svm, "7.2-136", needs_svm)
{
        expect_no_exits(guest_new(boot_cpu, NULL, NULL), ROWS(svm_asked));
        expect_no_exits(guest_new(boot_cpu, NULL, NULL), ROWS(svm_tables));
}

/* ---- VMX ------------------------------------------------------------------------------------- */

static const struct intercept vmx_always[] = {
        ALWAYS("\x0f\xa2", 0x0a), /* cpuid */
        ALWAYS("\xf4", 0x0c),     /* hlt */
        ALWAYS("\x0f\x08", 0x0d), /* invd */
        ALWAYS("\x0f\x33", 0x0f), /* rdpmc */
        ALWAYS("\xe4\xe9", 0x1e), /* in */
        ALWAYS("\x6e", 0x1e),     /* outs */
        ALWAYS("\x0f\x32", 0x1f), /* rdmsr */
        ALWAYS("\x0f\x30", 0x20), /* wrmsr */
};

static const struct intercept vmx_own[] = {
        ALWAYS("\x0f\x01\xc1", 0x12),     /* vmcall */
        ALWAYS("\x66\x0f\xc7\x30", 0x13), /* vmclear (%eax) */
        ALWAYS("\x0f\x01\xc2", 0x14),     /* vmlaunch */
        ALWAYS("\x0f\xc7\x30", 0x15),     /* vmptrld (%eax) */
        ALWAYS("\x0f\xc7\x38", 0x16),     /* vmptrst (%eax) */
        ALWAYS("\x0f\x78\xc1", 0x17),     /* vmread %eax, %ecx */
        ALWAYS("\x0f\x01\xc3", 0x18),     /* vmresume */
        ALWAYS("\x0f\x79\xc1", 0x19),     /* vmwrite %ecx, %eax */
        ALWAYS("\x0f\x01\xc4", 0x1a),     /* vmxoff */
        ALWAYS("\xf3\x0f\xc7\x30", 0x1b), /* vmxon (%eax) */
};

static const struct intercept vmx_invalidations[] = {
        ALWAYS("\x66\x0f\x38\x80\x08", 0x32), /* invept (%eax), %ecx */
        ALWAYS("\x66\x0f\x38\x81\x08", 0x35), /* invvpid (%eax), %ecx */
};

static const struct intercept vmx_asked[] = {
        SWITCHED("\x0f\x31", 0x10, 12),                     /* rdtsc */
        SWITCHED("\x0f\x21\xf8", 0x1d, 23),                 /* mov %dr7, %eax */
        SWITCHED("\x0f\x01\x0d\x00\x90\x00\x00", 0x2e, 34), /* sidt 0x9000 */
        SWITCHED("\x0f\x01\x05\x00\x90\x00\x00", 0x2e, 34), /* sgdt 0x9000 */
        SWITCHED("\x0f\x00\xc0", 0x2f, 34),                 /* sldt */
        SWITCHED("\x0f\x00\xc8", 0x2f, 34),                 /* str */
        SWITCHED("\xf3\x90", 0x28, 30),                     /* pause */
        SWITCHED("\x0f\x09", 0x36, 38),                     /* wbinvd */
};

static const struct intercept vmx_monitor[] = {
        ASKED("\x0f\x01\xc8", 0x27, 29), /* monitor */
        ASKED("\x0f\x01\xc9", 0x24, 10), /* mwait */
};

CASE_ON(guest_intercept, exits_that_the_kernel_needs_occur_without_a_request_on_vmx,
        "7.2-32 7.2-34 7.2-35 7.2-37 7.2-52 7.2-53 7.2-54 7.2-80 8.2-22", needs_vmx)
{
        expect_exits(guest_new(boot_cpu, NULL, NULL), ROWS(vmx_always));
}

CASE_ON(guest_intercept, instructions_of_vmx_exit,
        "7.2-40 7.2-41 7.2-42 7.2-43 7.2-44 7.2-45 7.2-46 7.2-47 7.2-48 7.2-49", needs_vmx)
{
        expect_exits(guest_new(boot_cpu, NULL, NULL), ROWS(vmx_own));
}

CASE_ON(guest_intercept, invalidations_of_translations_exit_on_vmx, "7.2-68 7.2-71", needs_vmx)
{
        expect_exits(guest_new(boot_cpu, NULL, NULL), ROWS(vmx_invalidations));
}

CASE_ON(guest_intercept, instructions_exit_on_request_on_vmx,
        "7.2-38 7.2-51 7.2-60 7.2-64 7.2-65 7.2-72 7.4-49 8.4-34", needs_vmx)
{
        expect_exits(guest_new(boot_cpu, NULL, NULL), ROWS(vmx_asked));
        expect_no_exits(guest_new(boot_cpu, NULL, NULL), ROWS(vmx_asked));
}

CASE_ON(guest_intercept, monitor_and_mwait_exit_on_request_on_vmx, "7.2-57 7.2-59", needs_vmx)
{
        expect_exits(guest_new(boot_cpu, NULL, NULL), ROWS(vmx_monitor));
}

/* ---- Both ------------------------------------------------------------------------------------ */

GUEST(nop_32, 32, "nop; hlt");

CASE_ON(guest_intercept, no_control_bit_does_harm, "7.4-49 8.4-34 7.4-48 8.4-33",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, nop_32, nop_32_end);
        nova_mtd_t mtd = intercept_prepare(g);

        for (unsigned control = 0; control <= 65; control++) {
                intercept_registers(g, control);
                if (control == 65)
                        g->state->ctrl[0] = g->state->ctrl[1] = UINT32_MAX;
                const uint32_t sent[2] = {g->state->ctrl[0], g->state->ctrl[1]};
                word_t event = guest_run(g, mtd);
                if (!needs_vmx() && event == 0x25) /* a step */
                        event = guest_run(g, 0);
                EXPECT_EQ(event, guest_event(EXIT_HLT));
                EXPECT(g->state->ctrl[0] == sent[0] && g->state->ctrl[1] == sent[1]);
                mtd = NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_ACDB | NOVA_MTD_CTRL;
        }
}
