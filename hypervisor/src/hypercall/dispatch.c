/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercall dispatch (see dispatch.h). */
#include "hypercall/dispatch.h"

#include "thread.h"

/* The table entry of each hypercall, which may depend on the flags. A row of NOVA_HYPERCALL_ROWS
 * without a line here causes a compile error. */
#define WAY_call(flags)      ((flags)&NOVA_CALL_DD ? entry_long : entry_call)
#define WAY_reply(flags)     entry_reply
#define WAY_create_pd(flags) ENTRY_OF_FIVE(create_pd)
#define WAY_create_ec(flags) ENTRY_OF_FIVE(create_ec)
#define WAY_create_sc(flags) ENTRY_OF_FIVE(create_sc)
#define WAY_create_pt(flags) ENTRY_OF_FIVE(create_pt)
#define WAY_create_sm(flags) hypercall_create_sm
#define WAY_revoke(flags)    hypercall_revoke
#define WAY_lookup(flags)    hypercall_lookup
#define WAY_ec_ctrl(flags)   hypercall_ec_ctrl
#define WAY_sc_ctrl(flags)   hypercall_sc_ctrl
#define WAY_sm_ctrl(flags)                              \
        ((flags) == NOVA_SM_UP_OP   ? hypercall_sm_up   \
         : (flags) == NOVA_SM_DN_OP ? hypercall_sm_down \
                                    : hypercall_sm_ctrl)
#define WAY_assign_pci(flags) entry_long
#define WAY_assign_gsi(flags) entry_long
#define WAY_extension(flags)  entry_long
#define WAY_invalid(flags)    entry_invalid

#define ENTRY(number, flags, function) [(number) | (flags)] = WAY_##function(flags),
#define FOUR_ENTRIES(number, flags, function)   \
        ENTRY(number, flags, function)          \
        ENTRY(number, (flags) | 0x10, function) \
        ENTRY(number, (flags) | 0x20, function) \
        ENTRY(number, (flags) | 0x30, function)
#define ENTRIES(number, name, function, spec) \
        FOUR_ENTRIES(number, 0x00, function)  \
        FOUR_ENTRIES(number, 0x40, function)  \
        FOUR_ENTRIES(number, 0x80, function)  \
        FOUR_ENTRIES(number, 0xc0, function)

hypercall_handler_t hypercall_table[256] __attribute__((
        aligned(64), section(".data.read_only"))) = {NOVA_HYPERCALL_ROWS(ENTRIES) /* */
                                                     ENTRIES(0xf, NONE, invalid, "")};

#define ONE_ROW(number, name, function, spec) +1
_Static_assert(0 NOVA_HYPERCALL_ROWS(ONE_ROW) == NOVA_HYPERCALL_COUNT - 1,
               "the table has an entry for each number");

#define HANDLER_CASE(number, name, function, spec) \
        case NOVA_##name:                          \
                return hypercall_##function(id, self);

hypercall_result_t hypercall_handle(word_t id, struct ec *self)
{
        switch (nova_id_number(id)) {
                NOVA_HYPERCALL_ROWS(HANDLER_CASE)
        default:
                return NOVA_BAD_HYP;
        }
}
