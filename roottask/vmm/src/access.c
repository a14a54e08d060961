/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory accesses of a guest's instructions (see novavmm/access.h); SDM 3A, chapters 4 and 5. */
#include "novavmm/access.h"

#include <string.h>

#include "nova/abi/crd.h"
#include "novavmm/registers.h"
#include "overlay.h"

#define VECTOR_SS 12
#define VECTOR_GP 13
#define VECTOR_PF 14

/* Access rights of segments. */
#define AR_WRITABLE 0x002u /* data: writable; code: readable */
#define AR_DOWN     0x004u /* data: valid offsets are above the limit */
#define AR_CODE     0x008u

#define AR_PRESENT  0x080u
#define AR_LONG     0x200u
#define AR_BIG      0x400u
#define AR_UNUSABLE 0x1000u

#define FLAG_AC  0x40000u
#define CR4_SMAP 0x200000u

/* Bit of the first qualification: the access is a write (mmio.c). */
#define QUAL_WRITE 0x2u

#define PAGE 4096u

static bool is_real(const struct nova_access *access)
{
        return !(access->state->cr0 & NOVA_CR0_PE) || access->state->flags & NOVA_FLAG_VM;
}

unsigned nova_access_bits(const struct nova_access *access)
{
        const uint16_t rights = access->state->cs.ar;

        if (access->efer & NOVA_EFER_LMA && rights & AR_LONG)
                return 64;
        return rights & AR_BIG ? 32 : 16;
}

nova_word_t nova_access_cut(const struct nova_access *access, nova_word_t ip)
{
        return nova_access_bits(access) == 64 ? ip : (uint32_t)ip;
}

static struct nova_paging paging_of(const struct nova_access *access)
{
        const struct nova_utcb_state *const state = access->state;
        const struct nova_paging paging = {state->cr0, state->cr3, state->cr4, access->efer};

        return paging;
}

size_t nova_access_fetch(const struct nova_access *access, uint8_t *code)
{
        const struct nova_paging paging = paging_of(access);
        uint64_t linear = access->state->ip;

        if (nova_access_bits(access) != 64)
                linear = (uint32_t)(linear + access->state->cs.base);
        return nova_fetch(access->memory, &paging, linear, code, NOVA_CODE_BYTES);
}

static const struct nova_segment *segment_of(const struct nova_access *access,
                                             enum nova_segment_number number)
{
        return &access->state->es + number; /* in the order of their numbers */
}

static bool in_limit(const struct nova_segment *segment, uint64_t offset, unsigned bytes)
{
        const uint64_t last = offset + bytes - 1;

        if ((segment->ar & (AR_CODE | AR_DOWN)) == AR_DOWN)
                return offset > segment->limit &&
                       last <= (segment->ar & AR_BIG ? UINT32_MAX : UINT16_MAX);
        return last <= segment->limit;
}

/* Returns true if a segment permits an access. Code segments may be readable but are never
 * writable. */
static bool has_right(const struct nova_segment *segment, bool write)
{
        if (!(segment->ar & AR_PRESENT) || segment->ar & AR_UNUSABLE)
                return false;
        if (segment->ar & AR_CODE)
                return segment->ar & AR_WRITABLE && !write;
        return segment->ar & AR_WRITABLE || !write;
}

/* Returns true if an address is canonical. In long mode, translation uses 48 or 57 bits of an
 * address, and all higher bits equal the highest of them. */
static bool canonical(const struct nova_access *access, uint64_t linear, unsigned bytes)
{
        const unsigned sign = access->state->cr4 & NOVA_CR4_LA57 ? 56 : 47;
        const int64_t first = (int64_t)linear >> sign;
        const int64_t last = (int64_t)(linear + bytes - 1) >> sign;

        return (first == 0 || first == -1) && last == first;
}

/* Computes a linear address.
 * @return true if the segment allows the access */
static bool linear_of(const struct nova_access *access, enum nova_segment_number number,
                      uint64_t offset, unsigned bytes, bool write, uint64_t *linear)
{
        const struct nova_segment *const segment = segment_of(access, number);

        if (nova_access_bits(access) == 64) {
                *linear = offset + (number >= NOVA_SEGMENT_FS ? segment->base : 0);
                return canonical(access, *linear, bytes);
        }
        *linear = (uint32_t)(offset + segment->base);
        return (is_real(access) || has_right(segment, write)) && in_limit(segment, offset, bytes);
}

static unsigned kind_of(const struct nova_access *access, bool write)
{
        const struct nova_utcb_state *const state = access->state;
        unsigned kind = write ? NOVA_ACCESS_WRITE : 0;

        if (nova_registers_privilege(state) == 3)
                kind |= NOVA_ACCESS_USER;
        if (state->cr4 & CR4_SMAP && !(state->flags & FLAG_AC))
                kind |= NOVA_ACCESS_STRICT;
        return kind;
}

/* Returns true if an overlay page that guests cannot write covers an address. */
static bool is_read_only(const struct nova_access *access, uint64_t physical)
{
        const struct nova_overlay *const overlay = nova_overlay_find(access->memory, physical);

        return overlay && !(overlay->rights & NOVA_MEM_W);
}

static bool translate(const struct nova_access *access, uint64_t linear, bool write,
                      uint64_t *physical, struct nova_fault *fault)
{
        const struct nova_paging paging = paging_of(access);

        if (nova_translate_access(access->memory, &paging, linear, kind_of(access, write), physical,
                                  &fault->error)) {
                fault->vector = VECTOR_GP;
                fault->error = 0;
                return !write || !is_read_only(access, *physical);
        }
        fault->vector = VECTOR_PF;
        fault->address = linear;
        return false;
}

bool nova_access_find(const struct nova_access *access, enum nova_segment_number segment,
                      uint64_t offset, unsigned bytes, bool write, struct nova_place *place,
                      struct nova_fault *fault)
{
        uint64_t linear, second;

        if (!linear_of(access, segment, offset, bytes, write, &linear)) {
                fault->vector = segment == NOVA_SEGMENT_SS ? VECTOR_SS : VECTOR_GP;
                fault->error = 0;
                return false;
        }
        place->bytes = place->first = (uint8_t)bytes;
        if (!translate(access, linear, write, &place->physical[0], fault))
                return false;
        if (linear % PAGE + bytes <= PAGE)
                return true;
        place->first = (uint8_t)(PAGE - linear % PAGE);
        second = linear + place->first;
        if (nova_access_bits(access) != 64)
                second = (uint32_t)second;
        return translate(access, second, write, &place->physical[1], fault);
}

static uint64_t get(const struct nova_access *access, uint64_t address, unsigned bytes)
{
        uint64_t value = 0;

        if (!nova_guest_read(access->memory, address, &value, bytes))
                return nova_bus_get(access->mmio, address, bytes);
        return value;
}

static void put(const struct nova_access *access, uint64_t address, unsigned bytes, uint64_t value)
{
        void *const to = novavmm_guest_place(access->memory, address, bytes, true);

        if (to)
                memcpy(to, &value, bytes);
        else
                nova_bus_put(access->mmio, address, bytes, value);
}

/* Returns the address of byte @p i. */
static uint64_t byte_of(const struct nova_place *place, unsigned i)
{
        return i < place->first ? place->physical[0] + i : place->physical[1] + i - place->first;
}

uint64_t nova_access_get(const struct nova_access *access, const struct nova_place *place)
{
        uint64_t value = 0;

        if (place->first == place->bytes)
                return get(access, place->physical[0], place->bytes);
        for (unsigned i = 0; i < place->bytes; i++)
                value |= get(access, byte_of(place, i), 1) << 8 * i;
        return value;
}

void nova_access_put(const struct nova_access *access, const struct nova_place *place,
                     uint64_t value)
{
        if (place->first == place->bytes) {
                put(access, place->physical[0], place->bytes, value);
                return;
        }
        for (unsigned i = 0; i < place->bytes; i++)
                put(access, byte_of(place, i), 1, value >> 8 * i & 0xff);
}

/* Returns true if the CPU has checked the guest's right to the access before the exit. The code may
 * have changed since then, from a read to a write. */
static bool was_checked(const struct nova_access *access, const struct nova_instruction *in)
{
        return !nova_operand_is_written(in) || access->state->qual[0] & QUAL_WRITE;
}

/* Finds the operand in memory. An exit names the first byte that is not mapped. If that byte is the
 * first of its page, the operand may begin in the page before. The operand's address is computed
 * from the instruction only if the operand may lie in two pages, or its page may be read-only. */
static bool find_operand(const struct nova_access *access, const struct nova_instruction *in,
                         uint64_t address, struct nova_place *place, struct nova_fault *fault)
{
        if (address % PAGE && address % PAGE + in->bytes <= PAGE && was_checked(access, in)) {
                place->physical[0] = address;
                place->bytes = place->first = in->bytes;
                return true;
        }
        return nova_access_find(access, in->from, nova_operand_offset(access->state, in), in->bytes,
                                nova_operand_is_written(in), place, fault);
}

bool nova_access_perform(const struct nova_access *access, const struct nova_instruction *in,
                         uint64_t address, nova_mtd_t *changed, struct nova_fault *fault)
{
        struct nova_place place;
        uint64_t memory = 0;

        if (!find_operand(access, in, address, &place, fault))
                return false;
        if (in->operation != NOVA_OP_STORE)
                memory = nova_access_get(access, &place);
        if (nova_operand_perform(access->state, in, &memory, changed))
                nova_access_put(access, &place, memory);
        return true;
}
