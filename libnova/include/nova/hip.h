/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that read the hypervisor information page. They copy descriptors and check sizes and
 * offsets, so they never read outside the page. @spec 6.2 */
#ifndef NOVA_HIP_H
#define NOVA_HIP_H

#include <stdbool.h>

#include "nova/abi/hip.h"

/** Returns the 16-bit sum over the page's @c length bytes (at most a page); 0 if the page is
 * intact. */
static inline uint16_t nova_hip_checksum(const struct nova_hip *hip)
{
        const unsigned char *byte = (const unsigned char *)hip;
        const unsigned length = hip->length > NOVA_PAGE_SIZE ? NOVA_PAGE_SIZE : hip->length;
        unsigned sum = 0;

        for (unsigned i = 0; i + 1 < length; i += 2)
                sum += byte[i] | (unsigned)byte[i + 1] << 8;
        return (uint16_t)sum;
}

/** Returns true if signature, length, sizes, offsets and checksum are valid. @spec 6.2 */
static inline bool nova_hip_valid(const struct nova_hip *hip)
{
        return hip->signature == NOVA_HIP_SIGNATURE && hip->length >= sizeof(struct nova_hip) &&
               hip->length <= NOVA_PAGE_SIZE && hip->length % 2 == 0 &&
               hip->cpu_size >= sizeof(struct nova_hip_cpu) &&
               hip->mem_size >= sizeof(struct nova_hip_mem) &&
               hip->cpu_offset >= offsetof(struct nova_hip, cpu) &&
               hip->cpu_offset <= hip->mem_offset && hip->mem_offset <= hip->length &&
               nova_hip_checksum(hip) == 0;
}

/** Copies the first @p size bytes of descriptor @p i to @p to. The descriptors have @p stride bytes
 * each and lie at offsets @p offset to @p end of the page.
 * @return false, and nothing is copied, if there is no such descriptor */
static inline bool nova_hip_copy(const struct nova_hip *hip, unsigned offset, unsigned stride,
                                 unsigned end, unsigned i, void *to, unsigned size)
{
        const unsigned limit = end > NOVA_PAGE_SIZE ? NOVA_PAGE_SIZE : end;

        if (stride < size || offset > limit || i >= (limit - offset) / stride)
                return false;

        const unsigned char *from = (const unsigned char *)hip + offset + (size_t)i * stride;

        for (unsigned k = 0; k < size; k++)
                ((unsigned char *)to)[k] = from[k];
        return true;
}

/** Reads the descriptor of CPU number @p cpu. @return false if there is none  @spec 6.2 */
static inline bool nova_hip_get_cpu(const struct nova_hip *hip, unsigned cpu,
                                    struct nova_hip_cpu *out)
{
        return cpu < NOVA_CPU_MAX && nova_hip_copy(hip, hip->cpu_offset, hip->cpu_size,
                                                   hip->mem_offset, cpu, out, sizeof(*out));
}

/** Returns true if CPU number @p cpu exists and runs. */
static inline bool nova_hip_cpu_enabled(const struct nova_hip *hip, unsigned cpu)
{
        struct nova_hip_cpu descriptor;

        return nova_hip_get_cpu(hip, cpu, &descriptor) && (descriptor.flags & NOVA_CPU_ENABLED);
}

/** Returns the number of CPUs that run. Their CPU numbers need not be consecutive. */
static inline unsigned nova_hip_cpu_count(const struct nova_hip *hip)
{
        unsigned count = 0;

        for (unsigned cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                count += nova_hip_cpu_enabled(hip, cpu);
        return count;
}

/**
 * Finds the next CPU that runs.
 * @code
 * unsigned cursor = 0, number;
 *
 * while (nova_hip_next_cpu(hip, &cursor, &number))
 *         nova_printf(&console, "CPU %u\n", number);
 * @endcode
 * @param[in,out] cursor position; start with 0 and call until the result is false
 * @param[out] cpu       CPU number as in hypercalls
 * @return false, and @p cpu is unchanged, if there are no more
 * @spec 6.2
 */
static inline bool nova_hip_next_cpu(const struct nova_hip *hip, unsigned *cursor, unsigned *cpu)
{
        while (*cursor < NOVA_CPU_MAX) {
                const unsigned here = (*cursor)++;

                if (nova_hip_cpu_enabled(hip, here)) {
                        *cpu = here;
                        return true;
                }
        }
        return false;
}

/**
 * Returns true if the microhypervisor announces all @p features: an OR of NOVA_HIP_VMX, …
 * @code
 * if (!nova_hip_has(hip, NOVA_HIP_TIMEOUT | NOVA_HIP_DESTROY))
 *         nova_printf(&console, "This kernel is too old.\n");
 * @endcode
 * @spec 6.2
 */
static inline bool nova_hip_has(const struct nova_hip *hip, uint32_t features)
{
        return (hip->features & features) == features;
}

/** Reads memory descriptor @p i, 0 for the first. @return false if there is none  @spec 6.2 */
static inline bool nova_hip_get_mem(const struct nova_hip *hip, unsigned i,
                                    struct nova_hip_mem *out)
{
        return nova_hip_copy(hip, hip->mem_offset, hip->mem_size, hip->length, i, out,
                             sizeof(*out));
}

/** Reads the first memory descriptor of a type, such as NOVA_MEM_LOG. @return false if there is
 * none */
static inline bool nova_hip_find_mem(const struct nova_hip *hip, int32_t type,
                                     struct nova_hip_mem *out)
{
        for (unsigned i = 0; nova_hip_get_mem(hip, i, out); i++)
                if (out->type == type)
                        return true;
        return false;
}

/** Reads the descriptor of module @p module; module 0 is the roottask itself.
 *  @return false if there is none */
static inline bool nova_hip_get_module(const struct nova_hip *hip, unsigned module,
                                       struct nova_hip_mem *out)
{
        for (unsigned i = 0; nova_hip_get_mem(hip, i, out); i++)
                if (out->type == NOVA_MEM_MODULE && module-- == 0)
                        return true;
        return false;
}

/** Returns the number of modules, including the roottask itself. */
static inline unsigned nova_hip_module_count(const struct nova_hip *hip)
{
        struct nova_hip_mem mem;
        unsigned count = 0;

        while (nova_hip_get_module(hip, count, &mem))
                count++;
        return count;
}

/** Returns the address after a memory range; a range that wraps around ends at UINT64_MAX. */
static inline uint64_t nova_hip_mem_end(const struct nova_hip_mem *mem)
{
        return mem->size > UINT64_MAX - mem->addr ? UINT64_MAX : mem->addr + mem->size;
}

/** Bytes from the start of a module's command line that nova_hip_next_free() treats as taken. */
#define NOVA_MODULE_LINE 4096

/** Result of nova_hip_scan() for an address. */
struct nova_hip_view {
        bool available; /**< an available range covers the address */
        /** highest end of the allocated and reserved ranges that cover the address; 0: none */
        uint64_t taken;
        /** nearest higher address at which a range begins, or at which an available range that
         * covers the address ends */
        uint64_t next;
        /** start of the nearest available range above the address; UINT64_MAX: none */
        uint64_t begin;
};

/** Returns the information that all memory descriptors together give about physical address @p
 * addr. */
static inline struct nova_hip_view nova_hip_scan(const struct nova_hip *hip, uint64_t addr)
{
        struct nova_hip_view scan = {false, 0, UINT64_MAX, UINT64_MAX};
        struct nova_hip_mem mem;

        /* Visits each descriptor twice because a module's command line is taken, too. */
        for (unsigned i = 0; nova_hip_get_mem(hip, i / 2, &mem); i++) {
                if (i % 2) {
                        if (mem.type != NOVA_MEM_MODULE || !mem.aux)
                                continue;
                        mem.addr = mem.aux;
                        mem.size = NOVA_MODULE_LINE;
                }
                const uint64_t end = nova_hip_mem_end(&mem);
                const bool inside = mem.addr <= addr && addr < end;

                if (mem.addr > addr && mem.addr < scan.next && mem.addr < end)
                        scan.next = mem.addr;
                if (mem.type != NOVA_MEM_AVAILABLE) {
                        if (inside && end > scan.taken)
                                scan.taken = end;
                        continue;
                }
                if (inside && end < scan.next)
                        scan.next = end;
                if (mem.addr > addr && mem.addr < scan.begin && mem.addr < end)
                        scan.begin = mem.addr;
                scan.available |= inside;
        }
        return scan;
}

/** Returns the end of the free RAM that begins at @p addr, or @p addr itself if it is not free. */
static inline uint64_t nova_hip_free_end(const struct nova_hip *hip, uint64_t addr)
{
        struct nova_hip_view scan;

        do {
                scan = nova_hip_scan(hip, addr);
                if (!scan.available || scan.taken)
                        return addr;
                addr = scan.next;
        } while (addr != UINT64_MAX);
        return addr;
}

/**
 * Finds the next range of free RAM: whole pages that an available range covers and no allocated or
 * reserved range overlaps. Command lines of modules, which a boot loader may have put anywhere, are
 * not free.
 *
 * Start with @p cursor 0 and call until the result is false. The ranges come in ascending order, do
 * not overlap and do not touch, even if the descriptors are unordered or overlap.
 * @code
 * uint64_t cursor = 0, addr, size, sum = 0;
 *
 * while (nova_hip_next_free(hip, &cursor, &addr, &size))
 *         sum += size;
 * @endcode
 * @param hip            the page, which may be hostile; check it with nova_hip_valid() first
 * @param[in,out] cursor next address to look at, in bytes
 * @param[out] addr      first byte, a multiple of the page size
 * @param[out] size      length in bytes, a multiple of the page size, not 0
 * @return false if there is no more free RAM; the outputs are then unchanged
 * @spec 6.2
 */
static inline bool nova_hip_next_free(const struct nova_hip *hip, uint64_t *cursor, uint64_t *addr,
                                      uint64_t *size)
{
        const uint64_t mask = NOVA_PAGE_SIZE - 1;

        while (*cursor < UINT64_MAX - mask) {
                const uint64_t start = *cursor;
                const struct nova_hip_view scan = nova_hip_scan(hip, start);

                if (scan.taken || !scan.available) {
                        *cursor = scan.taken ? scan.taken : scan.begin;
                        continue;
                }
                *cursor = nova_hip_free_end(hip, start);

                const uint64_t first = (start + mask) & ~mask;
                const uint64_t end = *cursor & ~mask;

                if (first >= end)
                        continue;
                *addr = first;
                *size = end - first;
                return true;
        }
        return false;
}

#endif
