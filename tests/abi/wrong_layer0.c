/* SPDX-License-Identifier: BSD-2-Clause */
/* Must be refused by the layer 0 check: a function that stores to the stack and calls. */
#include "nova/hypercall.h"

void elsewhere(volatile nova_word_t *word);
enum nova_status layer0_wrong(nova_sel_t sel);

enum nova_status layer0_wrong(nova_sel_t sel)
{
        volatile nova_word_t word = sel;

        elsewhere(&word);
        return nova_sm_up(word);
}
