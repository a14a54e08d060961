/* SPDX-License-Identifier: BSD-2-Clause */
/* The mapping database: lookup and translation (see mapping.h). */
#include "lib/bits.h"
#include "space/mapping_tree.h"
#include "space/object_mapping.h"
#include "space/object_space.h"

/* Returns the CRD of the largest aligned range around sel inside first..last. The highest bits in
 * which sel differs from first - 1 and from last + 1 limit its order. */
static nova_crd_t translation_crd_around(unsigned type, word_t sel, word_t first, word_t last,
                                         unsigned perms)
{
        const word_t differing = min_word(sel ^ (first - 1), sel ^ (last + 1));
        const unsigned order = (unsigned)min_word(bit_highest(differing), NOVA_CRD_ORDER_MASK);

        return nova_crd(type, align_down(sel, order), order, perms);
}

nova_crd_t mapping_lookup(struct space *space, word_t sel)
{
        nova_crd_t crd = 0;

        spin_lock(&space_lock[space->type]);
        const struct mapping *mapping = mapping_find(space, sel, sel);
        if (mapping)
                crd = translation_crd_around(space->type, sel, mapping->in_space.start,
                                             mapping->in_space.last, mapping->perms);
        spin_unlock(&space_lock[space->type]);
        return crd;
}

/* Clips an image of the sender's range to the window. Returns 0 if it is outside. */
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
                translation_crd_around(mapping->space->type, at, first, last, mapping->perms);
        const unsigned order = (unsigned)min_word(nova_crd_order(around), nova_crd_order(crd));

        return nova_crd(mapping->space->type, align_down(at, order), order, mapping->perms);
}

/* Returns the next ancestor above the given one that is in the receiver's space and in which the
 * mapping's range meets the window; or NULL. */
static struct mapping *translation_ancestor_in(struct mapping *ancestor,
                                               const struct mapping *mapping,
                                               const struct space *receiver, nova_crd_t window)
{
        const word_t begin = align_down(nova_crd_base(window), nova_crd_order(window));
        const word_t end = begin + (((word_t)1 << nova_crd_order(window)) - 1);
        const word_t source = mapping->in_parent.start;
        const word_t size = mapping->in_space.last - mapping->in_space.start;

        while ((ancestor = mapping_parent(ancestor))) {
                if (ancestor->space != receiver)
                        continue;
                const word_t first = mapping_place_in(ancestor, source);
                if (first <= end && begin <= first + size)
                        break;
        }
        return ancestor;
}

nova_crd_t mapping_translate(struct space *sender, nova_crd_t crd, struct space *receiver,
                             nova_crd_t window)
{
        const word_t sel = align_down(nova_crd_base(crd), nova_crd_order(crd));
        nova_crd_t result = 0;

        if (sender->type == NOVA_CRD_OBJ)
                return object_translate(object_space_of(sender), crd, object_space_of(receiver),
                                        window);
        spin_lock(&space_lock[sender->type]);
        struct mapping *mapping = mapping_find(sender, sel, sel);
        if (mapping) {
                struct mapping *ancestor = mapping;
                while (!result && mapping->perms &&
                       (ancestor = translation_ancestor_in(ancestor, mapping, receiver, window)))
                        result = translation_clip_to_window(
                                translation_image(mapping, ancestor, crd, sel), window);
        }
        spin_unlock(&space_lock[sender->type]);
        return result;
}
