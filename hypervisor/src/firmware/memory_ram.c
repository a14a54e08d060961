/* SPDX-License-Identifier: BSD-2-Clause */
/* The ranges of memory/ram.h, from the loader's map. A frame is RAM if an available entry contains
 * all of it and no other entry overlaps it. */
#include "firmware/memory_map.h"
#include "memory/ram.h"
#include "nova/abi/hip.h"

/* Sets *frames to the frames of an entry. An available entry has only the frames that lie wholly
 * inside it. Returns false if there are none. */
static bool memory_ram_frames(const struct memory_entry *entry, struct ram_range *frames)
{
        const uint64_t last_byte = entry->start + (entry->size - 1);

        if (entry->type != NOVA_MEM_AVAILABLE) {
                *frames = (struct ram_range){entry->start >> PAGE_BITS, last_byte >> PAGE_BITS};
                return true;
        }
        const uint64_t first = (entry->start >> PAGE_BITS) + !!(entry->start & (PAGE_SIZE - 1));
        const uint64_t end = (last_byte >> PAGE_BITS) + !(~last_byte & (PAGE_SIZE - 1));
        *frames = (struct ram_range){first, end - 1};
        return first < end;
}

/* Finds the first frames at or above `at` that an entry has. Looks only at available entries, or
 * only at all others. Returns false if there are none. */
static bool memory_ram_next(bool available, uint64_t at, struct ram_range *next)
{
        struct ram_range frames;
        bool found = false;

        for (unsigned i = 0; i < memory_map.entries; i++) {
                const struct memory_entry *entry = &memory_map.entry[i];
                if ((entry->type == NOVA_MEM_AVAILABLE) != available ||
                    !memory_ram_frames(entry, &frames) || frames.last < at)
                        continue;
                if (frames.first < at)
                        frames.first = at;
                if (!found || frames.first < next->first)
                        *next = frames;
                found = true;
        }
        return found;
}

void memory_map_list_ram(void)
{
        struct ram_range ram, other;
        uint64_t at = 0;

        while (memory_ram_next(true, at, &ram)) {
                const bool cut =
                        memory_ram_next(false, ram.first, &other) && other.first <= ram.last;

                if (!cut || other.first > ram.first)
                        ram_add(ram.first, cut ? other.first - 1 : ram.last);
                at = (cut ? other.last : ram.last) + 1;
        }
}
