/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of a guest's state in messages: the part that SVM and VMX share. @spec 7.4, 8.4
 *
 * The vendor's to_utcb() and from_utcb() call these functions for groups that few messages use. */
#ifndef VIRT_STATE_H
#define VIRT_STATE_H

#include "virt/vcpu.h"

/* Groups of segments. */
#define GUEST_SEGMENTS                                                                    \
        (NOVA_MTD_DS_ES | NOVA_MTD_FS_GS | NOVA_MTD_CS_SS | NOVA_MTD_TR | NOVA_MTD_LDTR | \
         NOVA_MTD_GDTR | NOVA_MTD_IDTR)

/* Groups that guest_groups_to_utcb() copies, as one mask. */
#define GUEST_GROUPS (GUEST_SEGMENTS | NOVA_MTD_CR | NOVA_MTD_DR | NOVA_MTD_SYS | NOVA_MTD_CR8)

/** Copies segments and system registers to or from a message. */
void guest_groups_to_utcb(const struct ec *ec, struct nova_utcb_state *state, nova_mtd_t mtd);
void guest_groups_from_utcb(struct ec *ec, const struct nova_utcb_state *state, nova_mtd_t mtd);

/* Groups that guest_more_to_utcb() copies. */
#define GUEST_MORE (NOVA_MTD_MORE | NOVA_MTD_XMM)

/** Copies the state that the layout of 2012 lacks, and sets the words of the message. */
void guest_more_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd);
/** Copies the state that the layout of 2012 lacks from a message. */
void guest_more_from_utcb(struct ec *ec, const struct nova_utcb_event *event, nova_mtd_t mtd);

/** Records that the guest uses DR0 to DR3 and DR6. From now on, the kernel switches these registers
 * for the guest. */
void guest_use_debug_registers(struct ec *ec);

#endif
