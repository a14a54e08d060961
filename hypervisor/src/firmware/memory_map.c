/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical memory as the boot loader reports it, and the parts that are in use. */
#include "firmware/memory_map.h"

#include "arch/x86/boot_paging.h"
#include "arch/x86/pte.h"
#include "layout.h"
#include "lib/console.h"
#include "lib/stop.h"
#include "nova/abi/hip.h"
#include "paging_levels.h"

/* Bytes that are kept free for a module's command line, whose length is not known. */
#define CMDLINE_ROOM (2 * PAGE_SIZE)

/* Size of the buffer for the part of an omitted module's command line that a message shows. */
#define NAME_ROOM 64

#define MIB        ((uint64_t)1 << 20)
#define FOUR_GIB   ((paddr_t)1 << 32)
#define POOL_SHARE 16 /* divisor of all available memory */
#define POOL_MIN   (4 * MIB)
#define POOL_MAX   (256 * MIB)

struct memory_map memory_map;
struct boot_range boot_kernel_ranges[BOOT_RANGES];
unsigned boot_kernel_range_count;
struct boot_range boot_roottask;

static bool is_device[BOOT_RANGES];

static bool memory_map_overlap(paddr_t start, uint64_t size, paddr_t other, uint64_t other_size)
{
        return size && other_size && start <= other + (other_size - 1) &&
               other <= start + (size - 1);
}

/* Returns the first entry that overlaps a range and does not have the type `type`, or NULL. */
static const struct memory_entry *memory_map_other(uint32_t type, paddr_t start, uint64_t size)
{
        for (unsigned i = 0; i < memory_map.entries; i++) {
                const struct memory_entry *entry = &memory_map.entry[i];
                if (entry->type != type &&
                    memory_map_overlap(start, size, entry->start, entry->size))
                        return entry;
        }
        return NULL;
}

/* Extends a reserved entry over a range, if only reserved memory and holes lie between them. */
static bool memory_map_merge_reserved(paddr_t start, uint64_t size)
{
        for (unsigned i = 0; i < memory_map.entries; i++) {
                struct memory_entry *entry = &memory_map.entry[i];
                const paddr_t first = start < entry->start ? start : entry->start;
                const paddr_t last = start + (size - 1) > entry->start + (entry->size - 1)
                                             ? start + (size - 1)
                                             : entry->start + (entry->size - 1);

                if (entry->type != NOVA_MEM_RESERVED || last - first == UINT64_MAX ||
                    memory_map_other(NOVA_MEM_RESERVED, first, last - first + 1))
                        continue;
                entry->start = first;
                entry->size = last - first + 1;
                return true;
        }
        return false;
}

/* Returns the index of the smallest available entry, which can be given up safely; the number of
 * entries if none is available. */
static unsigned memory_map_smallest_available(void)
{
        unsigned best = memory_map.entries;

        for (unsigned i = 0; i < memory_map.entries; i++)
                if (memory_map.entry[i].type == NOVA_MEM_AVAILABLE &&
                    (best == memory_map.entries ||
                     memory_map.entry[i].size < memory_map.entry[best].size))
                        best = i;
        return best;
}

void memory_map_add(paddr_t start, uint64_t size, uint32_t type)
{
        unsigned place = memory_map.entries;

        if (!size)
                return;
        if (size - 1 > UINT64_MAX - start)
                size = -start; /* up to the end of the address space */
        if (place == MEMORY_ENTRIES) {
                if (type == NOVA_MEM_RESERVED && memory_map_merge_reserved(start, size)) {
                        memory_map.merged++;
                        return;
                }
                memory_map.dropped++;
                place = memory_map_smallest_available();
                if (place == MEMORY_ENTRIES ||
                    (type == NOVA_MEM_AVAILABLE && size <= memory_map.entry[place].size))
                        return;
        } else {
                memory_map.entries++;
        }
        memory_map.entry[place] = (struct memory_entry){start, size, type};
}

bool memory_map_is_taken(paddr_t start, uint64_t size)
{
        for (unsigned i = 0; i < boot_kernel_range_count; i++)
                if (memory_map_overlap(start, size, boot_kernel_ranges[i].start,
                                       boot_kernel_ranges[i].size))
                        return true;
        return false;
}

static bool memory_map_is_module(paddr_t start, uint64_t size)
{
        for (unsigned i = 0; i < memory_map.modules; i++)
                if (memory_map_overlap(start, size, memory_map.module[i].start,
                                       memory_map.module[i].size))
                        return true;
        return false;
}

/* Returns the reason why a range cannot be a module, or NULL if it can be one. */
static const char *memory_map_why_no_module(paddr_t start, paddr_t end)
{
        if (end <= start)
                return "it is empty";
        if (memory_map_is_taken(start, end - start))
                return "it overlaps the kernel";
        if (memory_map_is_module(start, end - start))
                return "it overlaps another module";
        return memory_map.modules == MODULES ? "there are too many" : NULL;
}

void memory_map_string(paddr_t phys, char *to, unsigned size)
{
        for (unsigned i = 0; i < size - 1; i++) {
                /* Maps each byte on its own: the string may end just below the end of mappable
                 * memory. Slot 0 may hold the structure with the string's address. */
                const char *text = boot_map(1, phys + i, 1);
                if (!text || !*text)
                        break;
                to[i] = *text;
        }
}

static void memory_map_drop_module(uint32_t line, const char *why)
{
        const unsigned number = memory_map.modules + ++memory_map.dropped_modules;
        char name[NAME_ROOM] = {0};

        if (memory_map.dropped_modules > MODULES_NAMED)
                return;
        if (line)
                memory_map_string(line, name, sizeof(name));
        console_print("NOVA: boot module %u%s%s is left out: %s.\n", number, *name ? ", " : "",
                      name, why);
}

void memory_map_add_module(paddr_t start, paddr_t end, uint32_t line)
{
        const char *why = memory_map_why_no_module(start, end);

        if (why) {
                memory_map_drop_module(line, why);
                return;
        }
        if (!memory_map.modules)
                boot_roottask = (struct boot_range){start, end - start};
        memory_map.module[memory_map.modules++] = (struct boot_module){start, end - start, line};
}

uint64_t memory_map_available(void)
{
        uint64_t sum = 0;

        for (unsigned i = 0; i < memory_map.entries; i++)
                if (memory_map.entry[i].type == NOVA_MEM_AVAILABLE &&
                    sum + memory_map.entry[i].size >= sum)
                        sum += memory_map.entry[i].size;
        return sum;
}

bool memory_map_is_ram(paddr_t start, uint64_t size)
{
        for (unsigned i = 0; i < memory_map.entries; i++)
                if (memory_map.entry[i].type == NOVA_MEM_AVAILABLE &&
                    memory_map_overlap(start, size, memory_map.entry[i].start,
                                       memory_map.entry[i].size))
                        return true;
        return false;
}

/* Returns the start of an object (entry, module or kernel range) that overlaps a range, or
 * UINT64_MAX if the range is free. */
static paddr_t memory_map_conflict(paddr_t start, uint64_t size)
{
        const struct memory_entry *entry = memory_map_other(NOVA_MEM_AVAILABLE, start, size);

        if (entry)
                return entry->start;
        for (unsigned i = 0; i < memory_map.modules; i++) {
                const struct boot_module *module = &memory_map.module[i];
                if (memory_map_overlap(start, size, module->start, module->size))
                        return module->start;
                if (module->cmdline &&
                    memory_map_overlap(start, size, module->cmdline, CMDLINE_ROOM))
                        return module->cmdline;
        }
        for (unsigned i = 0; i < boot_kernel_range_count; i++)
                if (memory_map_overlap(start, size, boot_kernel_ranges[i].start,
                                       boot_kernel_ranges[i].size))
                        return boot_kernel_ranges[i].start;
        return UINT64_MAX;
}

paddr_t memory_map_find(uint64_t size, uint64_t align, paddr_t low, paddr_t high)
{
        paddr_t best = 0;

        for (unsigned i = 0; i < memory_map.entries; i++) {
                const struct memory_entry *entry = &memory_map.entry[i];
                const paddr_t bottom = entry->start > low ? entry->start : low;
                paddr_t top = entry->start + entry->size;

                if (entry->type != NOVA_MEM_AVAILABLE || entry->start >= high)
                        continue;
                if (top > high || top < entry->start)
                        top = high;
                while (top > bottom && top - bottom >= size) {
                        const paddr_t start = (top - size) & ~(align - 1);
                        if (start < bottom)
                                break;
                        const paddr_t in_the_way = memory_map_conflict(start, size);
                        if (in_the_way == UINT64_MAX) {
                                best = start > best ? start : best;
                                break;
                        }
                        /* If the object begins below start, it covers all memory up to start. */
                        top = in_the_way < start + size ? in_the_way : start;
                }
        }
        return best;
}

struct boot_range memory_map_choose_pool(uint64_t wanted)
{
        uint64_t size = wanted;

        if (!size) {
                size = memory_map_available() / POOL_SHARE;
                size = size < POOL_MIN ? POOL_MIN : size > POOL_MAX ? POOL_MAX : size;
        }
        size = (size + LARGE_PAGE_SIZE - 1) & ~(uint64_t)(LARGE_PAGE_SIZE - 1);
        if (size > POOL_LIMIT)
                size = POOL_LIMIT;
        for (; size >= LARGE_PAGE_SIZE; size -= LARGE_PAGE_SIZE) {
                const paddr_t start = memory_map_find(size, LARGE_PAGE_SIZE, MIB, FOUR_GIB);
                if (start)
                        return (struct boot_range){start, size};
        }
        return (struct boot_range){0, 0};
}

/* Appends RAM to a range of the kernel's RAM that it touches, so that the RAM needs no descriptor
 * of its own. Returns false if no range touches it. */
static bool memory_map_append(paddr_t start, uint64_t size)
{
        for (unsigned i = 0; i < boot_kernel_range_count; i++) {
                struct boot_range *range = &boot_kernel_ranges[i];

                if (is_device[i] ||
                    (start + size != range->start && range->start + range->size != start))
                        continue;
                range->start = start < range->start ? start : range->start;
                range->size += size;
                return true;
        }
        return false;
}

void memory_map_take(paddr_t start, uint64_t size, bool device)
{
        if (!device && memory_map_append(start, size))
                return;
        if (boot_kernel_range_count == BOOT_RANGES)
                kernel_stop("more than %u ranges of memory are in use by the kernel", BOOT_RANGES);
        is_device[boot_kernel_range_count] = device;
        boot_kernel_ranges[boot_kernel_range_count++] = (struct boot_range){start, size};
}

bool memory_map_is_device(unsigned kernel_range)
{
        return is_device[kernel_range];
}

paddr_t boot_reserve(uint64_t size)
{
        const paddr_t phys = memory_map_find(size, PAGE_SIZE, MIB, FOUR_GIB);

        if (phys)
                memory_map_take(phys, size, false);
        return phys;
}
