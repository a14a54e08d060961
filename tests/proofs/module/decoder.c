/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes instructions with arbitrary bytes, and of each length up to one byte more than the
 * longest instruction, in code of each width. */
#include "../driver.h"
#include "novavmm/decode.h"

bool nova_operand_is_written(const struct nova_instruction *in)
{
        (void)in;
        return any_bool();
}

static void decode_bits(const uint8_t *code, size_t count, unsigned bits)
{
        struct nova_instruction in;
        size_t prefixes;

        if (nova_decode(code, count, bits, &in)) {
                /*@ assert length: in.length <= NOVA_CODE_BYTES; */
                /*@ assert bytes: in.bytes <= 8 && in.target_bytes <= 8; */
                /*@ assert register: in.reg <= 15; */
                /*@ assert base: in.address.base <= 15 || in.address.base == NOVA_NO_REGISTER; */
                /*@ assert index: in.address.index <= 15 || in.address.index == NOVA_NO_REGISTER; */
                /*@ assert scale: in.address.scale <= 3; */
                /*@ assert segment: in.from <= NOVA_SEGMENT_GS; */
                /*@ assert operation: in.operation <= NOVA_OP_OUTS; */
        }
        nova_decode_cr8_write(code, count, bits, &in);
        prefixes = nova_decode_prefixes(code, count, bits);
        /*@ assert prefixes: prefixes < NOVA_CODE_BYTES; */
        (void)prefixes;
}

static void decode(char *code, size_t count)
{
        decode_bits((const uint8_t *)code, count, 16);
        decode_bits((const uint8_t *)code, count, 32);
        decode_bits((const uint8_t *)code, count, 64);
}

int main(void)
{
        TRY(decode, 0);
        TRY(decode, 1);
        TRY(decode, 2);
        TRY(decode, 7);
        TRY(decode, NOVA_CODE_BYTES);
        TRY(decode, NOVA_CODE_BYTES + 1);
        return 0;
}
