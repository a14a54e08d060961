/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the hypercalls of guests: a call must end with a status, and access only its own blocks of
 * input and output. */
#include "novavmm/hv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BYTES 0x4000u
#define OVERLAY   2u /* page that belongs to the monitor */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void novavmm_overlay_take_back(const uint8_t *page, unsigned order);

void novavmm_overlay_take_back(const uint8_t *page, unsigned order)
{
        (void)order; /* the RAM has no whole block */
        (void)page;
}

static uint8_t ram[RAM_BYTES];
static struct nova_hv hv;

/* Fails at elements and headers that begin with a zero, and fills in its output. */
static enum nova_hv_status act(const struct nova_hv_action *action)
{
        const uint8_t *const input = action->element ? action->element : action->input;

        if (action->output)
                memset(action->output, 'o', 4);
        if (action->output_element)
                memset(action->output_element, 'e', 12);
        ram[0x1000] ^= 0xff; /* as another virtual CPU could do */
        return *input ? NOVA_HV_SUCCESS : NOVA_HV_INVALID_PARAMETER;
}

static const struct nova_hv_call calls[] = {
        {.code = 0x9000, .input = 20, .fast = true, .function = act},
        {.code = 0x9001, .input = 8, .output = 4, .fast = true, .function = act},
        {.code = 0x9002,
         .input = 8,
         .input_element = 8,
         .rep = true,
         .fast = true,
         .function = act},
        {.code = 0x9003,
         .input = 8,
         .input_element = 1,
         .output_element = 12,
         .rep = true,
         .variable = true,
         .fast = true,
         .slice = 3,
         .function = act},
        {.code = 0x9004, .input = 8, .output = 4, .variable = true, .function = act},
};

static void call(const uint8_t *data)
{
        struct nova_utcb_state state, before;
        struct nova_hv_frame frame;
        unsigned rounds = 0;
        enum nova_hv_outcome outcome;

        memset(&state, 0, sizeof(state));
        memcpy(&state.ax, data, 8 * 8);
        state.r8 = data[64] * 8u;
        if (data[65] & 1) /* a code that exists */
                state.cx = (state.cx & ~(nova_word_t)0xffff) | (0x9000 + data[65] % 5);
        if (data[65] & 2) /* an address in RAM */
                state.dx %= RAM_BYTES;
        state.cr0 = data[66] & 1;
        state.ss.ar = data[66] & 0x40;
        state.cs.ar = data[66] & 2 ? 0x200 : 0;
        before = state;
        nova_hv_frame_load(&frame, nova_hv_mode_of(&state, data[66] & 4 ? 0x400 : 0), &state);
        memcpy(frame.xmm, data, 67);
        do {
                outcome = nova_hv_execute(&hv, 0, &frame);
                if (++rounds > 4096)
                        abort();
        } while (outcome == NOVA_HV_CONTINUES);

        const bool changed = nova_hv_frame_store(&frame, outcome, &state) != 0;

        if (outcome == NOVA_HV_UNDEFINED ? changed : frame.result & UINT64_C(0xfffff000ffff0000))
                abort();
        if (state.bx != before.bx || state.bp != before.bp || state.si != before.si ||
            state.ip != before.ip || state.r9 != before.r9 || state.sp != before.sp)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static uint8_t frame[0x1000];
        struct nova_guest_memory memory = {
                .base = ram,
                .bytes = RAM_BYTES,
                .overlay = {{.page = OVERLAY, .frame = frame, .rights = 1}},
                .overlays = 1,
        };

        if (nova_hv_init(&hv, &memory, NOVA_HV_PRIVILEGE_EXTENDED_CALLS))
                abort();
        memset(ram, 0, sizeof(ram));
        memcpy(ram + 0xff0, data, size < 0x1000 ? size : 0x1000);
        memset(ram + OVERLAY * 0x1000, 0x55, 0x1000);
        hv.enabled = true;
        hv.xmm_input = size & 1;
        hv.xmm_output = size & 2;
        for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
                if (nova_hv_add(&hv, &calls[i]))
                        abort();
        for (size_t at = 0; size - at >= 67; at += 67)
                call(data + at);
        for (unsigned i = 0; i < 0x1000; i++)
                if (ram[OVERLAY * 0x1000 + i] != 0x55 || frame[i])
                        abort();
        return 0;
}
