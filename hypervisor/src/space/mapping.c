/* SPDX-License-Identifier: BSD-2-Clause */
/* The mapping database: its nodes (see mapping.h). */
#include "space/mapping.h"

#include "arch/x86/tlb.h"
#include "object/pd.h"
#include "space/mapping_tree.h"

struct slab_cache mapping_cache;

void mapping_init(void)
{
        for (unsigned type = 0; type < array_size(space_lock); type++)
                spin_set_kind(&space_lock[type], LOCK_SPACE);
        slab_init(&mapping_cache, sizeof(struct mapping));
}

void mapping_free(struct mapping *mapping)
{
        assert(!mapping->pins && tree_is_empty(&mapping->children) && !mapping->in_parent.parent);
        account_return(mapping->account, mapping_cache.size);
        slab_free(&mapping_cache, mapping);
}

struct mapping *mapping_search(struct space *space, word_t first, word_t last)
{
        struct tree_node *node = tree_search(&space->tree, first, last, NULL);

        if (!node)
                return NULL;
        space->recent = node;
        return container_of(node, struct mapping, in_space);
}

/* Enters a mapping without a parent. For a UTCB, *out receives the mapping; for other mappings, out
 * is NULL. */
static always_inline enum nova_status mapping_insert_underived(struct space *space, word_t first,
                                                               word_t count, word_t source,
                                                               unsigned perms, struct mapping **out)
{
        enum nova_status status = NOVA_OUT_OF_MEMORY;
        struct flush flush;

        flush_init(&flush);
        spin_lock(&space_lock[space->type]);
        struct tree_place place;
        if (tree_search(&space->tree, first, first + count - 1, &place)) {
                status = NOVA_BAD_PAR;
        } else {
                struct mapping *mapping = mapping_alloc(space->pd->account, 0);
                if (mapping) {
                        mapping_set_range(mapping, space, first, first + count - 1, source, perms,
                                          out ? MAPPING_UTCB : 0);
                        tree_insert_at(&space->tree, place, &mapping->in_space);
                        if (space_apply(mapping, &flush)) {
                                status = NOVA_SUCCESS;
                                if (out) {
                                        mapping->pins = 1;
                                        *out = mapping;
                                }
                        } else {
                                mapping_drop(mapping, &flush);
                        }
                }
        }
        spin_unlock(&space_lock[space->type]);
        flush_run(&flush);
        return status;
}

enum nova_status mapping_insert(struct space *space, word_t first, word_t count, word_t source,
                                unsigned perms)
{
        return mapping_insert_underived(space, first, count, source, perms, NULL);
}

enum nova_status mapping_insert_utcb(struct space *space, word_t sel, word_t frame,
                                     struct mapping **out)
{
        return mapping_insert_underived(space, sel, 1, frame, 0, out);
}

void mapping_remove_utcb(struct mapping *mapping)
{
        struct flush flush;

        flush_init(&flush);
        spin_lock(&space_lock[NOVA_CRD_MEM]);
        assert(mapping->pins);
        mapping->pins--;
        if (likely(mapping->attr & MAPPING_UTCB))
                mapping_drop(mapping, &flush);
        else /* the mapping was revoked */
                mapping_release(mapping);
        spin_unlock(&space_lock[NOVA_CRD_MEM]);
        flush_run(&flush);
}

bool mapping_is_free(struct space *space, word_t sel)
{
        spin_lock(&space_lock[space->type]);
        const bool is_free = !mapping_find(space, sel, sel);
        spin_unlock(&space_lock[space->type]);
        return is_free;
}

nova_crd_t mapping_lookup(struct space *space, word_t sel)
{
        nova_crd_t crd = 0;

        spin_lock(&space_lock[space->type]);
        const struct mapping *mapping = mapping_find(space, sel, sel);
        if (mapping)
                crd = mapping_crd_around(space->type, sel, mapping->in_space.start,
                                         mapping->in_space.last, mapping->perms);
        spin_unlock(&space_lock[space->type]);
        return crd;
}

bool mapping_source(struct space *space, word_t sel, word_t *source)
{
        bool found = false;

        spin_lock(&space_lock[space->type]);
        const struct mapping *mapping = mapping_find(space, sel, sel);
        if (mapping) {
                found = mapping->perms;
                *source = mapping->in_parent.start + (sel - mapping->in_space.start);
        }
        spin_unlock(&space_lock[space->type]);
        return found;
}

struct mapping *mapping_parent(struct mapping *mapping)
{
        if (!mapping->in_parent.parent)
                return NULL;
        return container_of(tree_of(&mapping->in_parent), struct mapping, children);
}

void mapping_drop(struct mapping *mapping, struct flush *flush)
{
        mapping->perms = 0;
        mapping->attr = 0;
        space_apply(mapping, flush);
        mapping_leave_space(mapping, mapping->space);
        mapping_release(mapping);
}
