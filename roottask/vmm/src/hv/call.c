/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes and performs the hypercalls of enlightened guests (see novavmm/hv.h). */
#include "novavmm/hv.h"

#include <string.h>

#include "novavmm/registers.h"

#define CR0_PE   0x1u
#define EFER_LMA 0x400u
#define RIGHTS_L 0x200u

/* The call value: bits 0 to 15 code, 16 fast, 17 to 26 words of the variable header, 32 to 43 rep
 * count, 48 to 59 rep start index; the others are reserved. */
#define VALUE_FAST           0x10000u
#define VALUE_VARIABLE_SHIFT 17
#define VALUE_VARIABLE_MASK  0x3ffu
#define VALUE_COUNT_SHIFT    32
#define VALUE_START_SHIFT    48
#define VALUE_LIST_MASK      0xfffu
#define VALUE_RESERVED       UINT64_C(0xf000f000f8000000)

#define GENERAL_BYTES 16u /* bytes of parameters in general registers */
#define XMM_BYTES     16u
#define SLICE         64u /* elements before the guest runs again, unless the call says otherwise */

/* A call that is being performed. */
struct execution {
        struct nova_hv *hv;
        const struct nova_hv_call *call;
        struct nova_hv_frame *frame;
        unsigned count, start; /* number of elements, index of the first one */
        size_t variable;       /* words */
        size_t header;         /* bytes of the input header with its variable part */
        size_t input, output;  /* bytes of the blocks */
        size_t output_header;  /* bytes before the first output element */
        bool fast;
        uint8_t registers[NOVA_HV_FAST_MAX]; /* fast: parameters, then output */
};

static size_t padded(size_t bytes)
{
        return (bytes + 7) & ~(size_t)7;
}

enum nova_hv_mode nova_hv_mode_of(const struct nova_utcb_state *state, uint64_t efer)
{
        if (!(state->cr0 & CR0_PE) || nova_registers_privilege(state))
                return NOVA_HV_NOT_ALLOWED;
        return efer & EFER_LMA && state->cs.ar & RIGHTS_L ? NOVA_HV_64 : NOVA_HV_32;
}

static uint64_t joined(nova_word_t high, nova_word_t low)
{
        return (uint64_t)(uint32_t)high << 32 | (uint32_t)low;
}

void nova_hv_frame_load(struct nova_hv_frame *frame, enum nova_hv_mode mode,
                        const struct nova_utcb_state *state)
{
        frame->mode = mode;
        frame->value = frame->input = frame->output = frame->result = 0;
        frame->xmm_changed = false;
        if (mode == NOVA_HV_32) {
                frame->value = joined(state->dx, state->ax);
                frame->input = joined(state->bx, state->cx);
                frame->output = joined(state->di, state->si);
        }
#if __SIZEOF_POINTER__ == 8
        if (mode == NOVA_HV_64) {
                frame->value = state->cx;
                frame->input = state->dx;
                frame->output = state->r8;
        }
#endif
        if (frame->value & VALUE_FAST)
                memset(frame->xmm, 0, sizeof(frame->xmm));
}

static nova_mtd_t store_32(uint64_t value, struct nova_utcb_state *state)
{
        state->ax = (uint32_t)value;
        state->dx = (uint32_t)(value >> 32);
        return NOVA_MTD_ACDB;
}

nova_mtd_t nova_hv_frame_store(const struct nova_hv_frame *frame, enum nova_hv_outcome outcome,
                               struct nova_utcb_state *state)
{
        if (outcome == NOVA_HV_UNDEFINED)
                return 0;
        if (frame->mode == NOVA_HV_32)
                return store_32(outcome == NOVA_HV_DONE ? frame->result : frame->value, state);
        if (outcome == NOVA_HV_CONTINUES)
                state->cx = (nova_word_t)frame->value;
        else
                state->ax = (nova_word_t)frame->result;
#if __SIZEOF_POINTER__ == 8
        if (frame->xmm_changed) {
                state->dx = frame->input;
                state->r8 = frame->output;
                return NOVA_MTD_ACDB | NOVA_MTD_R8_R15;
        }
#endif
        return NOVA_MTD_ACDB;
}

/* Returns true if the call value and the sizes of the call fit its description. */
static bool value_is_valid(struct execution *e)
{
        const uint64_t value = e->frame->value;
        const struct nova_hv_call *const call = e->call;

        e->fast = value & VALUE_FAST;
        e->variable = value >> VALUE_VARIABLE_SHIFT & VALUE_VARIABLE_MASK;
        e->count = value >> VALUE_COUNT_SHIFT & VALUE_LIST_MASK;
        e->start = value >> VALUE_START_SHIFT & VALUE_LIST_MASK;
        if (value & VALUE_RESERVED || (e->fast && !call->fast) || (e->variable && !call->variable))
                return false;
        if (call->rep ? e->start >= e->count : e->count || e->start)
                return false;
        e->header = padded(call->input) + 8 * e->variable;
        e->input = e->header + (size_t)e->count * call->input_element;
        e->output_header = padded(call->output);
        e->output = padded(e->output_header + (size_t)e->count * call->output_element);
        if (!e->fast)
                return true;

        const size_t max = e->frame->mode == NOVA_HV_64 ? NOVA_HV_FAST_MAX : GENERAL_BYTES;
        const size_t used =
                e->output ? (e->input + XMM_BYTES - 1) & ~(size_t)(XMM_BYTES - 1) : e->input;

        return used + e->output <= max && (e->frame->mode == NOVA_HV_64 || !e->output);
}

/* Returns true if a fast call uses only registers that the partition may use. */
static bool registers_are_permitted(const struct execution *e)
{
        if (!e->fast)
                return true;
        return (e->input <= GENERAL_BYTES || e->hv->xmm_input) && (!e->output || e->hv->xmm_output);
}

/* Returns true if a block is in RAM, in one page, and not in an overlay page. */
static bool block_is_valid(const struct nova_hv *hv, uint64_t address, size_t bytes)
{
        if (!bytes)
                return true;
        return bytes <= NOVA_HV_BLOCK_MAX - (address & (NOVA_HV_BLOCK_MAX - 1)) &&
               nova_guest_pointer(hv->memory, address, bytes);
}

/* Returns true if the blocks of a call share bytes. They lie in RAM. */
static bool blocks_overlap(const struct execution *e)
{
        const struct nova_hv_frame *const frame = e->frame;

        return e->input && e->output && frame->input < frame->output + e->output &&
               frame->output < frame->input + e->input;
}

static enum nova_hv_status check_blocks(const struct execution *e)
{
        const struct nova_hv_frame *const frame = e->frame;

        if (e->fast)
                return NOVA_HV_SUCCESS;
        if ((e->input && frame->input & 7) || (e->output && frame->output & 7))
                return NOVA_HV_INVALID_ALIGNMENT;
        if (!block_is_valid(e->hv, frame->input, e->input) ||
            !block_is_valid(e->hv, frame->output, e->output) || blocks_overlap(e))
                return NOVA_HV_INVALID_PARAMETER;
        return NOVA_HV_SUCCESS;
}

/* Reads parameters at an offset of the input. The blocks have been checked. */
static void fetch(const struct execution *e, void *to, size_t offset, size_t bytes)
{
        if (!bytes)
                return;
        if (e->fast)
                memcpy(to, e->registers + offset, bytes);
        else
                nova_guest_read(e->hv->memory, e->frame->input + offset, to, bytes);
}

/* Writes output. In registers it begins after the input, at the next XMM register. */
static void put(struct execution *e, size_t offset, const void *from, size_t bytes)
{
        const size_t begin = (e->input + XMM_BYTES - 1) & ~(size_t)(XMM_BYTES - 1);

        if (!bytes)
                return;
        if (e->fast)
                memcpy(e->registers + begin + offset, from, bytes);
        else
                nova_guest_write(e->hv->memory, e->frame->output + offset, from, bytes);
}

static void load_registers(struct execution *e)
{
        memcpy(e->registers, &e->frame->input, 8);
        memcpy(e->registers + 8, &e->frame->output, 8);
        memcpy(e->registers + GENERAL_BYTES, e->frame->xmm, sizeof(e->frame->xmm));
}

static void store_registers(const struct execution *e)
{
        memcpy(&e->frame->input, e->registers, 8);
        memcpy(&e->frame->output, e->registers + 8, 8);
        memcpy(e->frame->xmm, e->registers + GENERAL_BYTES, sizeof(e->frame->xmm));
        e->frame->xmm_changed = true;
}

/* Writes the output of an action. After the list's last element, also writes its padding. */
static void put_action(struct execution *e, const struct nova_hv_action *action)
{
        const size_t bytes = e->call->output_element;
        const size_t at = e->output_header + action->index * bytes;
        const uint64_t zero = 0;

        put(e, 0, action->output, e->output_header);
        put(e, at, action->output_element, bytes);
        if (bytes && action->index + 1 == e->count)
                put(e, at + bytes, &zero, e->output - at - bytes);
}

static enum nova_hv_status perform(struct execution *e, struct nova_hv_action *action)
{
        struct nova_hv_buffers *const buffers = &e->hv->buffers;
        const struct nova_hv_call *const call = e->call;

        memset(buffers->output, 0, e->output_header);
        memset(buffers->output_element, 0, call->output_element);

        const enum nova_hv_status status = call->function(action);

        if (status == NOVA_HV_SUCCESS)
                put_action(e, action);
        return status;
}

/* Performs an action. Most lists have no output, and many elements. */
static inline enum nova_hv_status act(struct execution *e, struct nova_hv_action *action)
{
        return e->output ? perform(e, action) : e->call->function(action);
}

/* Reads the elements of the slice, beginning with element @p at. They fit, because a block lies in
 * a page.
 * @return the end of the slice */
static unsigned fetch_slice(const struct execution *e, unsigned at)
{
        const struct nova_hv_call *const call = e->call;
        const unsigned most = call->slice ? call->slice : SLICE;
        const unsigned end = e->count - at < most ? e->count : at + most;

        fetch(e, e->hv->buffers.element, e->header + (size_t)at * call->input_element,
              (size_t)(end - at) * call->input_element);
        return end;
}

/* Performs actions up to the end of the slice. @param[in,out] at the next element */
static enum nova_hv_status perform_slice(struct execution *e, unsigned vcpu, unsigned *at)
{
        const struct nova_hv_call *const call = e->call;
        struct nova_hv_buffers *const buffers = &e->hv->buffers;
        struct nova_hv_action action = {
                .hv = e->hv,
                .vcpu = vcpu,
                .input = buffers->input,
                .variable = e->variable,
                .output = call->output ? buffers->output : NULL,
                .output_element = call->output_element ? buffers->output_element : NULL,
        };
        const uint8_t *element = (const uint8_t *)buffers->element;
        enum nova_hv_status status = NOVA_HV_SUCCESS;

        fetch(e, buffers->input, 0, e->header);
        if (!call->rep)
                return act(e, &action);

        const unsigned end = fetch_slice(e, *at), size = call->input_element;

        for (action.index = *at; action.index < end; action.index++, element += size) {
                action.element = size ? element : NULL;
                status = act(e, &action);
                if (status != NOVA_HV_SUCCESS)
                        break;
        }
        *at = action.index;
        return status;
}

static enum nova_hv_outcome finish(struct nova_hv_frame *frame, enum nova_hv_status status,
                                   unsigned completed)
{
        frame->result = (uint64_t)status | (uint64_t)completed << VALUE_COUNT_SHIFT;
        return NOVA_HV_DONE;
}

static enum nova_hv_outcome execute(struct execution *e, unsigned vcpu)
{
        unsigned at = e->start;
        const enum nova_hv_status status = perform_slice(e, vcpu, &at);

        if (e->fast && e->output && (status == NOVA_HV_SUCCESS || at > e->start))
                store_registers(e);
        if (e->call->rep && status == NOVA_HV_SUCCESS && at < e->count) {
                e->frame->value &= ~((uint64_t)VALUE_LIST_MASK << VALUE_START_SHIFT);
                e->frame->value |= (uint64_t)at << VALUE_START_SHIFT;
                return NOVA_HV_CONTINUES;
        }
        return finish(e->frame, status, at);
}

/* Checks a call and performs it. */
static enum nova_hv_outcome check_and_execute(struct nova_hv *hv, unsigned vcpu,
                                              struct nova_hv_frame *frame)
{
        struct execution e;

        e.hv = hv;
        e.frame = frame;
        e.call = nova_hv_find(hv, (uint16_t)frame->value);
        if (!e.call)
                return finish(frame, NOVA_HV_INVALID_CODE, 0);
        if (e.call->privilege & ~hv->privileges)
                return finish(frame, NOVA_HV_ACCESS_DENIED, 0);
        if (!e.call->function)
                return finish(frame, NOVA_HV_INVALID_CODE, 0);
        if (!value_is_valid(&e))
                return finish(frame, NOVA_HV_INVALID_INPUT, 0);
        if (!registers_are_permitted(&e))
                return NOVA_HV_UNDEFINED;

        const enum nova_hv_status status = check_blocks(&e);

        if (status != NOVA_HV_SUCCESS)
                return finish(frame, status, 0);
        if (e.fast)
                load_registers(&e);
        return execute(&e, vcpu);
}

enum nova_hv_outcome nova_hv_execute(struct nova_hv *hv, unsigned vcpu, struct nova_hv_frame *frame)
{
        struct nova_hv_last *const last = &hv->last;

        frame->xmm_changed = false;
        if (!hv->enabled || frame->mode == NOVA_HV_NOT_ALLOWED)
                return NOVA_HV_UNDEFINED;
        last->number++;
        last->value = frame->value;
        last->vcpu = vcpu;
        last->returned = false;
        last->outcome = check_and_execute(hv, vcpu, frame);
        last->result = frame->result;
        last->returned = true;
        return last->outcome;
}
