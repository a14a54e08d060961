/* SPDX-License-Identifier: BSD-2-Clause */
/* Remembers the chains that two names may have. A rename without a copy leaves such a chain if the
 * disk refuses to erase one of the names, or if it is unknown whether the disk has the new one. */
#include <errno.h>
#include <string.h>

#include "fat.h"

static struct fat_shared *find(struct fat *fat, uint32_t first)
{
        for (unsigned i = 0; i < FAT_SHARED && first; i++)
                if (fat->shared[i].first == first)
                        return &fat->shared[i];
        return NULL;
}

/* Returns true if a name may have a chain: it has it, or it is unknown or cannot be read. */
static bool may_have(struct fat *fat, const struct fat_name *name, uint32_t first)
{
        const struct fat_node folder = {.node = {&fat->system, 1}, .first = name->folder};
        struct fat_set set;
        int error;

        if (!name->name[0])
                return true;
        error = fat_folder_find(&folder, name->name, &set);
        return error ? error != ENOENT : fat_entry_cluster(fat, set.entry) == first;
}

static bool is_removed_in_use(const struct fat *fat, uint32_t first)
{
        for (const struct fat_node *node = fat->nodes; node; node = node->next)
                if (node->removed && node->first == first)
                        return true;
        return false;
}

bool fat_shared_has(struct fat *fat, uint32_t first)
{
        struct fat_shared *shared = find(fat, first);

        if (!shared)
                return false;
        if (is_removed_in_use(fat, first) ||
            (may_have(fat, &shared->names[0], first) && may_have(fat, &shared->names[1], first)))
                return true;
        shared->first = 0;
        return false;
}

/* A chain that is not remembered would be freed when the first of its names is removed. So without
 * room for the chain, nothing on the disk may change any more. */
void fat_shared_add(struct fat *fat, uint32_t first, const struct fat_name names[2])
{
        if (!first || find(fat, first))
                return;
        for (unsigned i = 0; i < FAT_SHARED; i++) {
                struct fat_shared *shared = &fat->shared[i];

                if (shared->first && fat_shared_has(fat, shared->first))
                        continue;
                shared->first = first;
                memcpy(shared->names, names, sizeof(shared->names));
                return;
        }
        fat->system.read_only = true;
}

bool fat_shared_drop(struct fat *fat, uint32_t first)
{
        struct fat_shared *shared = find(fat, first);

        if (shared)
                shared->first = 0;
        return shared != NULL;
}

void fat_shared_move(struct fat *fat, uint32_t first)
{
        struct fat_shared *shared = find(fat, first);

        if (shared)
                shared->names[0].name[0] = shared->names[1].name[0] = 0;
}

int fat_shared_free(struct fat *fat, uint32_t first, const struct fat_node *but)
{
        if (fat_shared_drop(fat, first) || fat_node_shares(fat, first, but))
                return 0;
        return fat_table_free(fat, first);
}
