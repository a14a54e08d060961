/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks a guest's page tables (see novavmm/decode.h); SDM 3A, chapter 4. */
#include "novavmm/decode.h"
#include "novavmm/registers.h"
#include "overlay.h"

/* Bits of entries. */
#define PRESENT  0x1u
#define WRITABLE 0x2u
#define USER     0x4u
#define ACCESSED 0x20u
#define DIRTY    0x40u
#define LARGE    0x80u
#define ADDRESS  0x000ffffffffff000u

#define CR0_WP  0x10000u
#define CR4_PSE 0x10u
#define PAGE    4096u

#define LEVELS_MAX 5

/* The path of a walk through the tables, which may be incomplete. */
struct path {
        uint64_t entry[LEVELS_MAX]; /* addresses of the entries that have accessed and dirty bits */
        unsigned entries;
        uint32_t rights; /* WRITABLE and USER, if all entries have them */
        uint64_t physical;
};

static void step(struct path *path, uint64_t at, uint64_t entry)
{
        path->entry[path->entries++] = at;
        path->rights &= (uint32_t)entry;
}

/* Returns the place of an entry. @return NULL: there is none */
static void *place_of(const struct nova_guest_memory *memory, uint64_t at, size_t bytes, bool write)
{
        return memory->find_table ? memory->find_table(memory->find_context, at, bytes, write)
                                  : novavmm_guest_place(memory, at, bytes, write);
}

/* Returns an entry of four bytes, 0 if it is not in RAM. */
static uint32_t read_narrow(const struct nova_guest_memory *memory, uint64_t at)
{
        const uint32_t *const place = place_of(memory, at, sizeof(*place), false);

        return place ? *(const volatile uint32_t *)place : 0;
}

/* Returns an entry of eight bytes, 0 if it is not in RAM. */
static uint64_t read_wide(const struct nova_guest_memory *memory, uint64_t at)
{
        const uint64_t *const place = place_of(memory, at, sizeof(*place), false);

        return place ? *(const volatile uint64_t *)place : 0;
}

/* Walks tables with entries of eight bytes; each level translates nine bits. */
static bool walk_wide(const struct nova_guest_memory *memory, uint64_t table, unsigned levels,
                      uint64_t linear, struct path *path)
{
        for (unsigned level = levels; level--;) {
                const unsigned shift = 12 + 9 * level;
                const uint64_t at = (table & ADDRESS) + 8 * (linear >> shift & 511);
                const uint64_t entry = read_wide(memory, at);

                if (!(entry & PRESENT))
                        return false;
                step(path, at, entry);
                if (level == 0 || (level < 3 && entry & LARGE)) {
                        const uint64_t offset = ((uint64_t)1 << shift) - 1;
                        path->physical = (entry & ADDRESS & ~offset) | (linear & offset);
                        return true;
                }
                table = entry;
        }
        return false;
}

/* Walks the tables of PAE paging. The first of its three levels has four entries, aligned to 32
 * bytes, without permissions and accessed bits. */
static bool walk_pae(const struct nova_guest_memory *memory, uint64_t cr3, uint64_t linear,
                     struct path *path)
{
        const uint64_t entry = read_wide(memory, (cr3 & 0xffffffe0) + 8 * (linear >> 30 & 3));

        return entry & PRESENT && walk_wide(memory, entry, 2, linear, path);
}

/* Walks tables of two levels with entries of four bytes; each level translates ten bits. */
static bool walk_narrow(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                        uint64_t linear, struct path *path)
{
        uint64_t at = (paging->cr3 & 0xfffff000) + 4 * (linear >> 22 & 1023);
        uint32_t entry = read_narrow(memory, at);

        if (!(entry & PRESENT))
                return false;
        step(path, at, entry);
        if (entry & LARGE && paging->cr4 & CR4_PSE) {
                path->physical = (uint64_t)(entry >> 13 & 0xff) << 32 | (entry & 0xffc00000) |
                                 (linear & 0x3fffff);
                return true;
        }
        at = (entry & 0xfffff000) + 4 * (linear >> 12 & 1023);
        entry = read_narrow(memory, at);
        if (!(entry & PRESENT))
                return false;
        step(path, at, entry);
        path->physical = (entry & 0xfffff000) | (linear & 0xfff);
        return true;
}

static bool walk(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                 uint64_t linear, struct path *path)
{
        path->entries = 0;
        path->rights = WRITABLE | USER;
        if (!(paging->cr0 & NOVA_CR0_PG)) {
                path->physical = (uint32_t)linear;
                return true;
        }
        if (paging->efer & NOVA_EFER_LMA)
                return walk_wide(memory, paging->cr3, paging->cr4 & NOVA_CR4_LA57 ? 5 : 4, linear,
                                 path);
        if (paging->cr4 & NOVA_CR4_PAE)
                return walk_pae(memory, paging->cr3, (uint32_t)linear, path);
        return walk_narrow(memory, paging, (uint32_t)linear, path);
}

bool nova_translate(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                    uint64_t linear, uint64_t *physical)
{
        struct path path;

        if (!walk(memory, paging, linear, &path))
                return false;
        *physical = path.physical;
        return true;
}

static bool allowed(const struct nova_paging *paging, const struct path *path, unsigned kind)
{
        const bool user = kind & NOVA_ACCESS_USER;

        if (!path->entries)
                return true;
        if (user && !(path->rights & USER))
                return false;
        if (kind & NOVA_ACCESS_STRICT && !user && path->rights & USER)
                return false;
        return !(kind & NOVA_ACCESS_WRITE) || path->rights & WRITABLE ||
               (!user && !(paging->cr0 & CR0_WP));
}

/* Sets bits of an entry. Atomic, because another virtual CPU may change the entry at the same time.
 * An entry in an overlay page that the guest cannot write stays unchanged. */
static void mark(const struct nova_guest_memory *memory, uint64_t at, uint32_t bits)
{
        uint32_t *const entry = place_of(memory, at, sizeof(*entry), true);

        if (entry && (__atomic_load_n(entry, __ATOMIC_RELAXED) & bits) != bits)
                __atomic_fetch_or(entry, bits, __ATOMIC_RELAXED);
}

bool nova_translate_access(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                           uint64_t linear, unsigned kind, uint64_t *physical, uint32_t *error)
{
        struct path path;

        *error = kind & (NOVA_ACCESS_WRITE | NOVA_ACCESS_USER);
        if (!walk(memory, paging, linear, &path))
                return false;
        if (!allowed(paging, &path, kind)) {
                *error |= PRESENT;
                return false;
        }
        for (unsigned i = 0; i < path.entries; i++) {
                const bool page = i == path.entries - 1;

                mark(memory, path.entry[i],
                     page && kind & NOVA_ACCESS_WRITE ? ACCESSED | DIRTY : ACCESSED);
        }
        *physical = path.physical;
        return true;
}

size_t nova_fetch(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                  uint64_t linear, uint8_t *to, size_t bytes)
{
        size_t done = 0;

        while (done < bytes) {
                const size_t rest = PAGE - (linear + done) % PAGE;
                const size_t some = rest < bytes - done ? rest : bytes - done;
                uint64_t physical;

                if (!nova_translate(memory, paging, linear + done, &physical) ||
                    !nova_guest_read(memory, physical, to + done, some))
                        break;
                done += some;
        }
        return done;
}
