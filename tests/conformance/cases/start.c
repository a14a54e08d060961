/* SPDX-License-Identifier: BSD-2-Clause */
/* The state in which the roottask starts. */
#include "harness.h"

extern char _start[], __image_end[];
static char data_page[NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));
static const char constant[] = "constant";

static word_t segment(unsigned which)
{
        word_t value = 0;
        switch (which) {
        case 0:
                __asm__("mov %%cs, %0" : "=r"(value));
                break;
        case 1:
                __asm__("mov %%ss, %0" : "=r"(value));
                break;
        case 2:
                __asm__("mov %%ds, %0" : "=r"(value));
                break;
        case 3:
                __asm__("mov %%es, %0" : "=r"(value));
                break;
        case 4:
                __asm__("mov %%fs, %0" : "=r"(value));
                break;
        default:
                __asm__("mov %%gs, %0" : "=r"(value));
                break;
        }
        return value & 0xffff;
}

static uint32_t segment_limit(unsigned which)
{
        uint32_t limit = 0;
        __asm__("lsl %1, %0" : "+r"(limit) : "r"((uint32_t)segment(which)));
        return limit;
}

CASE(start, the_stack_pointer_is_the_address_of_the_information_page,
     "7.1-08 8.1-08 6.1.2.1-03 C-05")
{
        EXPECT_EQ(start_gpr.sp, NOVA_ROOT_HIP);
        EXPECT_EQ(hip->signature, NOVA_HIP_SIGNATURE);
}

CASE(start, the_first_argument_register_is_the_boot_cpu, "7.1-09 8.1-09 C-05")
{
        EXPECT(start_gpr.GPR_A1 < NOVA_CPU_MAX);
        EXPECT(hip->cpu[start_gpr.GPR_A1].flags & NOVA_CPU_ENABLED);
}

CASE(start, the_flags_are_0x202_but_for_arithmetic_bits, "7.1-11 8.1-11")
{
        const word_t arithmetic = 0x8d5;
        EXPECT_EQ((start_gpr.flags | 0x200) & ~arithmetic, 0x202);
        EXPECT_EQ(start_gpr.flags & 0x200, 0x200);
}

CASE(start, the_registers_of_a_fast_return_hold_entry_and_stack, "D-35 D-35.2 D-35.3 7.1-07 8.1-07")
{
        if (sizeof(word_t) == 8) {
                EXPECT_EQ(start_gpr.cx, (word_t)_start);
        } else {
                EXPECT_EQ(start_gpr.cx, NOVA_ROOT_HIP);
                EXPECT_EQ(start_gpr.dx, (word_t)_start);
        }
}

CASE(start, the_stack_segment_is_flat_and_writable, "7.1-02 8.1-02")
{
        EXPECT_EQ(segment(1) & 3, 3);
        EXPECT_EQ(segment_limit(1), 0xffffffff);
}

CASE(start, the_data_segments_are_flat, "7.1-03 7.1-04 7.1-05 7.1-06 8.1-03 8.1-04 8.1-05 8.1-06")
{
        for (unsigned i = 2; i < 6; i++) {
                if (sizeof(word_t) == 4 || segment(i) != 0)
                        EXPECT_EQ(segment_limit(i), 0xffffffff);
        }
}

CASE(start, the_code_segment_is_flat_and_of_user_privilege, "7.1-01 8.1-01")
{
        EXPECT_EQ(segment(0) & 3, 3);
        EXPECT_EQ(segment_limit(0), 0xffffffff);
}

CASE(start, the_root_pd_ec_and_sc_have_their_selectors_and_all_permissions,
     "6.1-01 6.1-02 6.1-03 6.1.2.3-01 6.1.2.3-02 6.1.2.3-03 C-07")
{
        for (nova_sel_t sel = NOVA_SEL_ROOT_PD; sel <= NOVA_SEL_ROOT_SC; sel++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, sel), obj(sel, NOVA_PERM_ALL));
}

CASE(start, the_root_objects_are_of_their_kinds, "6.1.2.3-01 6.1.2.3-02 6.1.2.3-03")
{
        uint64_t time;
        EXPECT_EQ(hc_create_sm(sel_alloc(0), NOVA_SEL_ROOT_PD, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_sc_ctrl(NOVA_SEL_ROOT_SC, &time), NOVA_SUCCESS);
        EXPECT_EQ(hc_sc_ctrl(NOVA_SEL_ROOT_EC, &time), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_pt(sel_alloc(0), ROOT_PD, NOVA_SEL_ROOT_EC, 0, 0), NOVA_BAD_CAP);
}

CASE(start, no_other_object_selector_is_in_use, "6.1.2.3-04 6.1.2-01 4.2-04 C-07")
{
        for (nova_sel_t sel = 0; sel < NOVA_SEL_ROOT_PD; sel++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, sel), 0);
        for (nova_sel_t sel = 0x800000; sel < 0x4000000; sel = sel * 2 + 77)
                EXPECT_EQ(look(NOVA_CRD_OBJ, sel), 0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, ((nova_sel_t)1 << NOVA_SEL_ORDER) - 1), 0);
}

CASE(start, the_image_is_mapped_with_its_permissions, "6.1.2.1-01 6.1.2.1-02")
{
        const nova_crd_t text = look(NOVA_CRD_MEM, page_of(_start));
        const nova_crd_t data = look(NOVA_CRD_MEM, page_of(data_page));
        const nova_crd_t rodata = look(NOVA_CRD_MEM, page_of(constant));
        EXPECT_EQ(nova_crd_perms(text), NOVA_MEM_R | NOVA_MEM_X);
        EXPECT_EQ(nova_crd_perms(data), NOVA_MEM_R | NOVA_MEM_W);
        EXPECT_EQ(nova_crd_perms(rodata), NOVA_MEM_R);
}

CASE(start, code_cannot_be_written, "6.1.2.1-02")
{
        EXPECT_EQ(probe_write(_start, 0), 1);
        EXPECT_EQ(self->event, NOVA_EXC_PF);
        EXPECT_EQ(self->state.qual[0] & 7, 7);
}

CASE_ON(start, data_cannot_be_executed, "6.1.2.1-02 D-26", needs_nx)
{
        data_page[0] = (char)0x31;
        data_page[1] = (char)0xc0;
        data_page[2] = (char)0xc3;
        self->exec_target = (word_t)data_page;
        EXPECT_EQ(probe_exec(data_page), 1);
        EXPECT_EQ(self->event, NOVA_EXC_PF);
}

CASE(start, the_root_utcb_lies_below_the_information_page, "6.1.2.1-04 C-05")
{
        EXPECT_EQ(probe_read((void *)NOVA_ROOT_UTCB), 0);
        EXPECT_EQ(probe_read((void *)(NOVA_ROOT_UTCB - NOVA_PAGE_SIZE)), 1);
}

CASE(start, the_information_page_is_a_readable_capability, "6.1.2.1-03 A-16")
{
        EXPECT_EQ(look(NOVA_CRD_MEM, page_of(hip)), mem(page_of(hip), 0, NOVA_MEM_R));
}

CASE(start, memory_around_the_image_is_not_mapped, "6.1.2.1-05 6.1.2-01")
{
        EXPECT_EQ(probe_read((void *)0x3ff000), 1);
        EXPECT_EQ(probe_read((void *)0x1000), 1);
        EXPECT_EQ(probe_read(__image_end + NOVA_PAGE_SIZE), 1);
        EXPECT_EQ(probe_read((void *)0x90000000), 1);
}

CASE(start, kernel_memory_cannot_be_read, "6.1.2.1-05")
{
        EXPECT_EQ(probe_read((void *)NOVA_USER_END), 1);
        EXPECT_EQ(probe_read((void *)(~(word_t)0 - 7)), 1);
        EXPECT_EQ(probe_write((void *)(~(word_t)0 - 0xffff), 1), 1);
}

CASE(start, ports_that_were_not_requested_are_closed, "6.1.2.2-01 2.1-08")
{
        EXPECT_EQ(probe_in(0x2f8), 1);
        EXPECT_EQ(self->event, NOVA_EXC_GP);
        EXPECT_EQ(self->state.qual[0], 0);
        EXPECT_EQ(look(NOVA_CRD_IO, 0x2f8), 0);
}

CASE(start, a_requested_port_is_open_and_found_by_lookup, "6.1.1-02 5.3.7-05 4.2-03")
{
        const nova_crd_t crd = look(NOVA_CRD_IO, 0x3f9);
        EXPECT_EQ(nova_crd_type(crd), NOVA_CRD_IO);
        EXPECT(nova_crd_perms(crd) & NOVA_IO_A);
        EXPECT_EQ(probe_in(0x3fd), 0);
}
