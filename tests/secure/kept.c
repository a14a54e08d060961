/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that moves out no page of an added slot, only pages of the image's memory. These pages make
 * room, so the guest does not end. */
#include "../runtime/tap.h"
#include "added.h"
#include "honest.h"

static unsigned refusals, moved;

static void keep(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_OUT)
                return;
        call->words = 2;
        call->status = (nova_word_t)NOVA_H_PARAMETER;
        if (call->word[0] >= ADDED) {
                refusals++;
        } else if (!nova_uv_page_out(&uv, call->word[0], call->word[0], 0, NOVA_UV_ORDER_PAGE)) {
                call->status = NOVA_H_SUCCESS;
                moved++;
        }
}

int main(void)
{
        if (!honest_start(3))
                return 1;
        honest_attack = keep;
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest is secure");
        check(nova_uv_register_mem_slot(&uv, ADDED, ADDED_BYTES, 0, ADDED_SLOT) == NOVA_U_SUCCESS,
              "its VMM adds memory");
        added_write();
        check(added_count() == ADDED_COUNT, "it finds what it has written to each page");
        for (unsigned i = 0; i < 2; i++)
                check(added_count() == ADDED_COUNT, "and it does again");
        check(moved > ADDED_COUNT && refusals, "its VMM refuses to move pages of the added memory");
        honest_end();
        return tap_end();
}
