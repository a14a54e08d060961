/* SPDX-License-Identifier: BSD-2-Clause */
/* Translation of ranges (see translation.h).
 *
 * To find a mapping's parent, a translation climbs the tree of the parent's children. The height of
 * this tree depends on the number of children. Therefore, a translation opens an interrupt window
 * after every CLIMB_STEP ancestors. If another thread uses this window to revoke the mappings below
 * the ancestor, or to cut off the part with the source, the climb begins again. After CLIMBS climbs
 * the translation fails, because a thread that keeps cutting the mappings could have revoked them
 * instead. */
#include "ipc/translation.h"

#include "lib/bits.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "space/mapping_tree.h"
#include "space/object_mapping.h"
#include "space/object_space.h"

#define CLIMB_STEP 64 /* number of ancestors between two interrupt windows */
#define CLIMBS     4  /* maximum number of climbs of one translation */

/* Clips an image of the sender's range to the window. Returns 0 if the image lies outside. */
static nova_crd_t translation_clip_to_window(nova_crd_t crd, nova_crd_t window)
{
        const unsigned order = nova_crd_order(crd), window_order = nova_crd_order(window);
        const word_t base = nova_crd_base(crd);
        const word_t window_base = align_down(nova_crd_base(window), window_order);

        if (order <= window_order)
                return align_down(base, window_order) == window_base ? crd : 0;
        if (align_down(window_base, order) != base)
                return 0;
        return nova_crd(nova_crd_type(crd), window_base, window_order, nova_crd_perms(crd));
}

/* Returns the image, in ancestor's space, of the part of the sender's CRD that mapping covers. */
static nova_crd_t translation_image(const struct mapping *mapping, const struct mapping *ancestor,
                                    nova_crd_t crd, word_t sel)
{
        const word_t at = mapping_place_in(ancestor, mapping->in_parent.start +
                                                             (sel - mapping->in_space.start));
        const word_t first = at - (sel - mapping->in_space.start);
        const word_t last = first + (mapping->in_space.last - mapping->in_space.start);
        const nova_crd_t around =
                mapping_crd_around(mapping->space->type, at, first, last, mapping->perms);
        const unsigned order = (unsigned)min_word(nova_crd_order(around), nova_crd_order(crd));

        return nova_crd(mapping->space->type, align_down(at, order), order, mapping->perms);
}

/* Returns true if the range of mapping, in an ancestor's space, meets the window. */
static bool translation_meets(const struct mapping *mapping, const struct mapping *ancestor,
                              nova_crd_t window)
{
        const word_t begin = align_down(nova_crd_base(window), nova_crd_order(window));
        const word_t end = begin + (((word_t)1 << nova_crd_order(window)) - 1);
        const word_t first = mapping_place_in(ancestor, mapping->in_parent.start);

        return first <= end && begin <= first + (mapping->in_space.last - mapping->in_space.start);
}

/* Opens an interrupt window in the middle of a climb. Returns false if another thread has meanwhile
 * revoked the mappings below the ancestor, or cut off the part of the ancestor that contains the
 * source. */
static cold_path bool translation_pause(struct mapping *ancestor, word_t source, unsigned type)
{
        struct cpu *cpu = cpu_self();
        struct mapping *pin = ancestor;

        pin->pins++;
        spin_unlock(&space_lock[type]);
        interrupt_window(cpu);
        spin_lock(&space_lock[type]);
        /* A cut leaves the lower part in place. An ancestor without rights may have kept children
         * beyond its new end (MAPPING_BARREN). */
        const bool stays = ancestor->perms && !tree_is_empty(&ancestor->children) &&
                           source <= ancestor->in_parent.last;
        for (unsigned budget = STEP_ENTRIES; !mapping_release_rest(&pin, &budget);
             budget = STEP_ENTRIES) {
                spin_unlock(&space_lock[type]);
                interrupt_window(cpu);
                spin_lock(&space_lock[type]);
        }
        return stays;
}

/* Climbs from a mapping to the nearest ancestor in the receiver's space that gives a result. The
 * parameter `from` is a copy of the mapping, because the mapping may vanish while the climb opens
 * windows. Sets *torn if the climb must begin again. */
static nova_crd_t translation_climb(struct mapping *mapping, const struct mapping *from, word_t sel,
                                    nova_crd_t crd, const struct space *receiver, nova_crd_t window,
                                    bool *torn)
{
        const word_t source = from->in_parent.start + (sel - from->in_space.start);
        struct mapping *ancestor = mapping;

        *torn = false;
        for (unsigned levels = 1; (ancestor = mapping_parent(ancestor)); levels++) {
                if (ancestor->space == receiver && translation_meets(from, ancestor, window)) {
                        const nova_crd_t result = translation_clip_to_window(
                                translation_image(from, ancestor, crd, sel), window);
                        if (result)
                                return result;
                }
                if (levels % CLIMB_STEP == 0 &&
                    !translation_pause(ancestor, source, from->space->type)) {
                        *torn = true;
                        return 0;
                }
        }
        return 0;
}

nova_crd_t translation_find(struct space *sender, nova_crd_t crd, struct space *receiver,
                            nova_crd_t window)
{
        const word_t sel = align_down(nova_crd_base(crd), nova_crd_order(crd));
        nova_crd_t result = 0;
        bool torn = true;

        if (sender->type == NOVA_CRD_OBJ)
                return object_translate(object_space_of(sender), crd, object_space_of(receiver),
                                        window);
        spin_lock(&space_lock[sender->type]);
        for (unsigned climbs = 0; torn && climbs < CLIMBS; climbs++) {
                struct mapping *mapping = mapping_find(sender, sel, sel);
                if (!mapping || !mapping->perms)
                        break;
                const struct mapping from = {
                        .space = sender,
                        .in_space = mapping->in_space,
                        .in_parent = mapping->in_parent,
                        .perms = mapping->perms,
                };
                result = translation_climb(mapping, &from, sel, crd, receiver, window, &torn);
        }
        spin_unlock(&space_lock[sender->type]);
        return result;
}
