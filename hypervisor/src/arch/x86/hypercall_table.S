/* SPDX-License-Identifier: BSD-2-Clause */
/* Where entry.S goes by the low byte of argument 1, the hypercall's number and flags: to a handler
 * that always returns (dispatch.h), to entry_reply, or to entry_long. A call that donates never
 * comes here. */
#include "asm_offsets.h"

.macro entry function
        .if     WORD_SIZE == 8
        .quad   \function
        .else
        .long   \function
        .endif
.endm

/* Of five arguments: on x86-32 two lie in registers that C keeps, which entry.S saves first. */
.macro entry_five function
        .if     WORD_SIZE == 8
        entry   hypercall_\function
        .else
        entry   entry_\function
        .endif
.endm

        .section .rodata.hypercall_table, "a"
        .globl  hypercall_table
        .balign 64
hypercall_table:
        .set    id, 0
        .rept   256
        .set    number, id & ID_NUMBER_MASK
        .if     number == NUMBER_REPLY
        entry   entry_reply
        .elseif number == NUMBER_CREATE_PD
        entry_five create_pd
        .elseif number == NUMBER_CREATE_EC
        entry_five create_ec
        .elseif number == NUMBER_CREATE_SC
        entry_five create_sc
        .elseif number == NUMBER_CREATE_PT
        entry_five create_pt
        .elseif number == NUMBER_CREATE_SM
        entry   hypercall_create_sm
        .elseif number == NUMBER_REVOKE
        entry   hypercall_revoke
        .elseif number == NUMBER_LOOKUP
        entry   hypercall_lookup
        .elseif number == NUMBER_EC_CTRL
        entry   hypercall_ec_ctrl
        .elseif number == NUMBER_SC_CTRL
        entry   hypercall_sc_ctrl
        .elseif id == ID_SM_UP
        entry   hypercall_sm_up
        .elseif id == ID_SM_DOWN
        entry   hypercall_sm_down
        .elseif number == NUMBER_SM_CTRL
        entry   hypercall_sm_ctrl
        .elseif number >= NUMBER_END
        entry   entry_invalid
        .else
        entry   entry_long
        .endif
        .set    id, id + 1
        .endr
