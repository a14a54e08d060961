/* SPDX-License-Identifier: BSD-2-Clause */
/* The layer 0 check must refuse each function: the first uses the stack and makes a call, the
 * second reads memory, the third has a loop, and the fourth has two traps. */
#include "nova/hypercall.h"

void elsewhere(volatile nova_word_t *word);
enum nova_status layer0_wrong(nova_sel_t sel);
enum nova_status layer0_wrong_memory(void);
enum nova_status layer0_wrong_loop(nova_sel_t sel);
enum nova_status layer0_wrong_twice(nova_sel_t sel);

extern nova_sel_t somewhere;

enum nova_status layer0_wrong(nova_sel_t sel)
{
        volatile nova_word_t word = sel;

        elsewhere(&word);
        return nova_sm_up(word);
}

enum nova_status layer0_wrong_memory(void)
{
        return nova_sm_up(somewhere);
}

enum nova_status layer0_wrong_loop(nova_sel_t sel)
{
        enum nova_status status;

        do
                status = nova_sm_up(sel);
        while (status != NOVA_SUCCESS);
        return status;
}

enum nova_status layer0_wrong_twice(nova_sel_t sel)
{
        nova_sm_up(sel);
        return nova_sm_up(sel);
}
