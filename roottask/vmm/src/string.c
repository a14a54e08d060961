/* SPDX-License-Identifier: BSD-2-Clause */
/* String instructions (see novavmm/access.h); SDM 1, 7.3.9, and 2, REP. */
#include "novavmm/access.h"
#include "novavmm/registers.h"

#define FLAG_ZERO 0x40u

/* State of a string instruction. */
struct string {
        const struct nova_access *access;
        const struct nova_instruction *in;
        nova_mtd_t *changed;
        struct nova_fault *fault;
};

static bool compares(enum nova_operation operation)
{
        return operation == NOVA_OP_CMPS || operation == NOVA_OP_SCAS;
}

/* Returns true if SI points to a string; the next function does so for DI. */
static bool uses_si(enum nova_operation operation)
{
        return operation == NOVA_OP_MOVS || operation == NOVA_OP_CMPS ||
               operation == NOVA_OP_LODS || operation == NOVA_OP_OUTS;
}

static bool uses_di(enum nova_operation operation)
{
        return operation != NOVA_OP_LODS && operation != NOVA_OP_OUTS;
}

static uint64_t mask(unsigned bytes)
{
        return UINT64_MAX >> (64 - 8 * bytes);
}

/* Sets an index or counter: 16 bits leave the rest of the register unchanged; 32 bits clear it. */
static void set_index(const struct string *string, nova_word_t *to, uint64_t value)
{
        if (string->in->address_bytes == 2)
                *to = (*to & ~(nova_word_t)0xffff) | (nova_word_t)(value & 0xffff);
        else
                *to = (nova_word_t)(value & mask(string->in->address_bytes));
}

static void advance(const struct string *string, nova_word_t *index)
{
        const bool down = string->access->state->flags & NOVA_FLAG_DF;

        set_index(string, index, down ? *index - string->in->bytes : *index + string->in->bytes);
        *string->changed |= NOVA_MTD_BSD;
}

static bool find(const struct string *string, bool source, struct nova_place *place)
{
        const struct nova_instruction *const in = string->in;
        const struct nova_utcb_state *const state = string->access->state;
        const bool write = !source && !compares(in->operation);

        return nova_access_find(string->access, source ? in->from : NOVA_SEGMENT_ES,
                                (source ? state->si : state->di) & mask(in->address_bytes),
                                in->bytes, write, place, string->fault);
}

/* Moves or compares one element. Its addresses have been checked. */
static void move(const struct string *string, const struct nova_place *from,
                 const struct nova_place *to)
{
        const struct nova_instruction *const in = string->in;
        const struct nova_access *const access = string->access;
        struct nova_utcb_state *const state = access->state;
        const uint16_t port = (uint16_t)state->dx;
        uint64_t value;

        if (in->operation == NOVA_OP_INS)
                value = nova_bus_get(access->ports, port, in->bytes);
        else if (uses_si(in->operation))
                value = nova_access_get(access, from);
        else
                value = nova_operand_get(state, in); /* the accumulator */
        switch (in->operation) {
        case NOVA_OP_OUTS:
                nova_bus_put(access->ports, port, in->bytes, value);
                break;
        case NOVA_OP_LODS:
                *string->changed |= nova_operand_set(state, in, value);
                break;
        case NOVA_OP_CMPS:
        case NOVA_OP_SCAS:
                nova_compute(NOVA_OP_CMP, in->bytes, value, nova_access_get(access, to),
                             &state->flags);
                *string->changed |= NOVA_MTD_EFL;
                break;
        default:
                nova_access_put(access, to, value);
        }
}

static bool do_round(const struct string *string)
{
        const enum nova_operation operation = string->in->operation;
        struct nova_utcb_state *const state = string->access->state;
        struct nova_place from = {.bytes = 0}, to = from;

        if (uses_si(operation) && !find(string, true, &from))
                return false;
        if (uses_di(operation) && !find(string, false, &to))
                return false;
        move(string, &from, &to);
        if (uses_si(operation))
                advance(string, &state->si);
        if (uses_di(operation))
                advance(string, &state->di);
        return true;
}

/* Returns true if a comparison ends the repetition. */
static bool is_found(const struct string *string)
{
        const bool equal = string->access->state->flags & FLAG_ZERO;

        return compares(string->in->operation) &&
               equal != (string->in->repeat == NOVA_REPEAT_EQUAL);
}

enum nova_string_end nova_string_run(const struct nova_access *access,
                                     const struct nova_instruction *in, unsigned rounds,
                                     nova_mtd_t *changed, struct nova_fault *fault)
{
        const struct string string = {access, in, changed, fault};
        nova_word_t *const counter = &access->state->cx;

        if (in->repeat == NOVA_REPEAT_NONE)
                return do_round(&string) ? NOVA_STRING_DONE : NOVA_STRING_FAULT;
        while (*counter & mask(in->address_bytes)) {
                if (!rounds--)
                        return NOVA_STRING_GOES_ON;
                if (!do_round(&string))
                        return NOVA_STRING_FAULT;
                set_index(&string, counter, *counter - 1);
                *changed |= NOVA_MTD_ACDB;
                if (is_found(&string))
                        break;
        }
        return NOVA_STRING_DONE;
}
