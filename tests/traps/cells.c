/* SPDX-License-Identifier: BSD-2-Clause */
/* The cells that table.py makes of outcomes.tsv, and a case for each group. */
#include "cell.h"

const struct cell cells[] = {
#include "cells.inc"
};
const unsigned cell_count = sizeof(cells) / sizeof(cells[0]);

static void expect_group(const char *group)
{
        const unsigned which = emulator();
        unsigned bad = 0, done = 0;

        cell_pages();
        for (unsigned i = 0; i < cell_count; i++) {
                const struct cell *c = &cells[i];
                const struct outcome *o = &c->outcome[which];

                if (!same(c->group, group) || o->event == SKIPPED)
                        continue;
                cell_run(c, cell_place(c), self);
                bad += cell_differences(c, o) != 0;
                done++;
        }
        remark(group, done);
        EXPECT(done > 0);
        EXPECT_EQ(bad, 0);
}

#define GROUP(case_, group_)          \
        CASE(traps, case_, "")        \
        {                             \
                expect_group(group_); \
        }

GROUP(int3_is_event_3, "int3")
GROUP(into_is_event_4_or_nothing, "into")
GROUP(a_far_call_reaches_user_code_only, "call")
GROUP(int_n_is_event_13_but_for_3_and_4, "int")
GROUP(int1_is_event_1, "int1")
GROUP(int_80_is_event_13, "int80")
GROUP(syscall_is_a_hypercall_in_64_bit_code_only, "syscall")
GROUP(sysenter_is_a_hypercall_on_x86_32_only, "sysenter")
GROUP(ud0_to_ud2_are_event_6, "ud")
GROUP(bound_is_event_5_outside_of_its_bounds, "bound")
GROUP(prefixes_but_lock_change_nothing, "prefix")
GROUP(lock_makes_each_an_invalid_instruction, "lock")
GROUP(the_last_bytes_of_a_page_are_an_instruction, "page-end")
GROUP(a_single_step_does_not_hide_them, "step")
GROUP(a_new_stack_segment_does_not_hide_them, "mov-ss")
GROUP(a_bad_stack_does_not_matter, "stack")
