/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers, and the bytes of random instructions. */
#include "bytes.h"

#include "registers.h"

static uint64_t state;

void bytes_seed(uint64_t seed)
{
        state = seed;
}

uint32_t bytes_draw(uint32_t end)
{
        state = state * 6364136223846793005 + 1442695040888963407;
        return (uint32_t)(state >> 33) % end;
}

bool bytes_chance(unsigned percent)
{
        return bytes_draw(100) < percent;
}

static const uint8_t legacy[] = {0x66, 0xf2, 0xf3, 0x2e, 0x26, 0x36, 0x3e, 0x64, 0x65, 0x67, 0xf0};

static unsigned add_prefixes(uint8_t *to, unsigned mode)
{
        unsigned n = 0;

        if (bytes_chance(20))
                to[n++] = 0x66;
        if (bytes_chance(20))
                to[n++] = bytes_chance(50) ? 0xf2 : 0xf3;
        if (bytes_chance(10))
                to[n++] = legacy[3 + bytes_draw(6)];
        if (mode == WALK_MODE_64 && bytes_chance(5))
                to[n++] = 0x67;
        if (bytes_chance(4))
                to[n++] = 0xf0;
        if (mode == WALK_MODE_64 && bytes_chance(30))
                to[n++] = 0x40 | bytes_draw(16);
        return n;
}

/* Returns a ModRM that names a register, or memory in a form whose address depends on a
 * register. */
static uint8_t make_modrm(void)
{
        const uint8_t reg = bytes_draw(8) << 3;

        if (bytes_chance(50))
                return 0xc0 | reg | bytes_draw(8);
        if (bytes_chance(30))
                return reg | WALK_BX;

        const uint8_t form = bytes_draw(3) << 6, rm = bytes_draw(8);

        return rm == WALK_BP ? 0x40 | reg | rm : form | reg | rm;
}

/* Chooses the kind of page to which a pointer points: mostly one that is present. */
static uint8_t make_class(unsigned mode)
{
        if (bytes_chance(70))
                return WALK_MAPPED;
        return mode == WALK_MODE_64 && bytes_chance(50) ? WALK_NON_CANONICAL : WALK_ABSENT;
}

unsigned bytes_make(struct walk_record *r, unsigned turn)
{
        unsigned n = add_prefixes(r->code, r->mode);

        r->seed = bytes_draw(UINT32_MAX);
        r->map = turn / 256 % 4;
        r->opcode = turn % 256;
        if (r->map != WALK_MAP_1)
                r->code[n++] = 0x0f;
        if (r->map == WALK_MAP_0F38 || r->map == WALK_MAP_0F3A)
                r->code[n++] = r->map == WALK_MAP_0F38 ? 0x38 : 0x3a;
        r->code[n++] = r->opcode;
        const unsigned modrm = n;
        r->code[n++] = make_modrm();
        while (n < WALK_CODE)
                r->code[n++] = bytes_draw(256);
        r->pointer = bytes_draw(r->mode == WALK_MODE_64 ? 3 : 2);
        r->strings = make_class(r->mode);
        r->stack = make_class(r->mode);
        r->base = r->index = WALK_NO_REGISTER;
        return modrm;
}

bool bytes_are_left_out(const struct walk_record *r)
{
        if (r->map == WALK_MAP_1)
                return walk_is_prefix(r->opcode, r->mode) || r->opcode == 0x0f || r->opcode == 0xcf;
        return r->map == WALK_MAP_0F && (r->opcode == 0x38 || r->opcode == 0x3a);
}
