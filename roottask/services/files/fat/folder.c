/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders: walks over their entries, and adds and removes entries. */
#include <errno.h>
#include <string.h>

#include "fat.h"

#define SHORT_MAX   1000 /* short names that are tried for a new name */
#define SHORT_FIRST 16   /* those that are tried first; they nearly always suffice */
#define SET_MAX     (1 + (FAT_LONG_MAX + FAT_PIECE - 1) / FAT_PIECE) /* entries of one name */

static uint32_t slots(const struct fat *fat)
{
        return fat->sector_bytes / FAT_ENTRY;
}

void fat_walk_begin(struct fat_walk *walk, const struct fat_node *folder, uint32_t index)
{
        *walk = (struct fat_walk){.fat = fat_of(folder), .first = folder->first, .index = index};
}

int fat_walk_sector(struct fat_walk *walk, uint32_t index, uint32_t *sector)
{
        struct fat *fat = walk->fat;
        const uint32_t wanted = index / fat->cluster_sectors;

        if (index >= FAT_FOLDER_MAX / slots(fat))
                return ENOENT;
        if (!walk->first) {
                *sector = fat->root + index;
                return index < fat->root_sectors ? 0 : ENOENT;
        }
        if (!walk->cluster || wanted < walk->at) {
                walk->at = 0;
                walk->cluster = walk->first;
        }
        while (walk->at < wanted) {
                uint32_t next;
                const int error = fat_table_next(fat, walk->cluster, &next);

                if (error || !next)
                        return error ? error : ENOENT;
                walk->cluster = next;
                walk->at++;
        }
        *sector = fat_cluster_sector(fat, walk->cluster) + index % fat->cluster_sectors;
        return 0;
}

/* A long name, collected from its pieces. In the folder, the last piece comes first. */
struct pieces {
        uint16_t wide[FAT_LONG_MAX / FAT_PIECE * FAT_PIECE + 2 * FAT_PIECE];
        unsigned expected; /* number of the next piece; 0: none */
        unsigned count;
        uint8_t sum;
        uint32_t begin; /* index of the first entry */
        bool whole;
};

/* Returns the offset of character 0 to 12 of a piece in the piece's entry. */
static unsigned piece_offset(unsigned character)
{
        return character < 5    ? 1 + 2 * character
               : character < 11 ? 4 + 2 * character
                                : 6 + 2 * character;
}

static void take_piece(struct pieces *pieces, const uint8_t *entry, uint32_t index)
{
        const unsigned number = entry[0] & 0x3f;

        pieces->whole = false;
        if (entry[0] & 0x40) {
                pieces->count = pieces->expected = number;
                pieces->sum = entry[13];
                pieces->begin = index;
        }
        if (!number || number > SET_MAX - 1 || number != pieces->expected ||
            entry[13] != pieces->sum) {
                pieces->expected = 0;
                return;
        }
        for (unsigned i = 0; i < FAT_PIECE; i++)
                pieces->wide[(number - 1) * FAT_PIECE + i] =
                        (uint16_t)fat_get16(entry + piece_offset(i));
        pieces->expected = number - 1;
        pieces->whole = number == 1;
}

static void name_set(struct fat_set *set, const struct pieces *pieces, uint32_t index)
{
        unsigned length = 0;

        set->begin = set->end = index;
        fat_name_of_short(set->entry, set->short_name);
        if (pieces->whole && pieces->sum == fat_name_sum(set->entry)) {
                while (length < pieces->count * FAT_PIECE && pieces->wide[length])
                        length++;
                set->begin = pieces->begin;
                if (length <= FAT_LONG_MAX && fat_name_format(pieces->wide, length, set->name))
                        return;
        }
        memcpy(set->name, set->short_name, sizeof(set->name));
}

int fat_walk_next(struct fat_walk *walk, struct fat_set *set)
{
        struct fat *fat = walk->fat;
        struct pieces pieces;

        pieces.expected = 0;
        pieces.whole = false;
        for (;;) {
                const uint32_t index = walk->index;
                uint8_t *entry;
                int error = fat_walk_sector(walk, index / slots(fat), &set->sector);

                if (!error)
                        error = fat_sector(fat, set->sector, &entry);
                if (error)
                        return error;
                set->slot = index % slots(fat);
                entry += set->slot * FAT_ENTRY;
                if (!entry[0])
                        return ENOENT;
                walk->index++;
                fat->system.work += FILES_FOLDER_WORK / FAT_FOLDER_MAX;
                if (entry[0] != FAT_DELETED && (entry[11] & 0x3f) == FAT_LONG) {
                        take_piece(&pieces, entry, index);
                        continue;
                }
                if (entry[0] != FAT_DELETED && entry[0] != '.' && !(entry[11] & FAT_VOLUME)) {
                        memcpy(set->entry, entry, FAT_ENTRY);
                        name_set(set, &pieces, index);
                        return 0;
                }
                pieces.expected = 0;
                pieces.whole = false;
        }
}

int fat_folder_find(const struct fat_node *folder, const char *name, struct fat_set *set)
{
        struct fat_walk walk;
        int error;

        fat_walk_begin(&walk, folder, 0);
        do
                error = fat_walk_next(&walk, set);
        while (!error && !fat_name_equal(set->name, name) &&
               !fat_name_equal(set->short_name, name));
        return error;
}

int fat_folder_empty(const struct fat_node *folder)
{
        struct fat_walk walk;
        struct fat_set set;
        int error;

        fat_walk_begin(&walk, folder, 0);
        error = fat_walk_next(&walk, &set);
        return error == ENOENT ? 0 : error ? error : ENOTEMPTY;
}

/* The short names that a new name may get, in the order of preference, in lists by their sums. One
 * call at a time uses them. */
static struct {
        uint8_t name[11];
        bool taken;
        uint16_t next; /* in its list: number + 1; 0: none */
} candidates[SHORT_MAX];

static uint16_t lists[256]; /* by fat_name_sum(): number of the first candidate + 1 */

static void make_candidates(const uint16_t *wide, unsigned length, unsigned first, unsigned end)
{
        memset(lists, 0, sizeof(lists));
        for (unsigned i = first; i < end; i++) {
                uint16_t *list;

                fat_name_shorten(wide, length, i, candidates[i].name);
                list = &lists[fat_name_sum(candidates[i].name)];
                candidates[i].taken = false;
                candidates[i].next = *list;
                *list = (uint16_t)(i + 1);
        }
}

static void take_candidate(const uint8_t *name)
{
        for (unsigned i = lists[fat_name_sum(name)]; i; i = candidates[i - 1].next)
                candidates[i - 1].taken |= !memcmp(candidates[i - 1].name, name, 11);
}

/* Marks the candidates that are an entry's short name or, regardless of case, its long name. */
static void take_names(const struct fat_set *set)
{
        char upper[FAT_PIECE] = "";
        uint8_t name[11];

        take_candidate(set->entry);
        if (strlen(set->name) >= sizeof(upper))
                return;
        for (unsigned i = 0; set->name[i]; i++) {
                const char c = set->name[i];

                upper[i] = (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
        }
        if (fat_name_is_short(upper, name))
                take_candidate(name);
}

/* Finds a short name that no other entry of the folder has. Reads the folder at most twice, because
 * a large folder has megabytes, and other clients wait. */
static int choose_short(const struct fat_node *folder, const uint16_t *wide, unsigned length,
                        uint8_t short_name[11])
{
        static const unsigned ends[] = {SHORT_FIRST, SHORT_MAX};
        unsigned first = 0;

        for (unsigned part = 0; part < 2; first = ends[part++]) {
                struct fat_walk walk;
                struct fat_set set;
                int error;

                make_candidates(wide, length, first, ends[part]);
                fat_walk_begin(&walk, folder, 0);
                while ((error = fat_walk_next(&walk, &set)) == 0)
                        take_names(&set);
                if (error != ENOENT)
                        return error;
                for (unsigned i = first; i < ends[part]; i++)
                        if (!candidates[i].taken) {
                                memcpy(short_name, candidates[i].name, 11);
                                return 0;
                        }
        }
        return ENOSPC;
}

static void write_pieces(const uint16_t *wide, unsigned length, uint8_t sum, uint8_t *entries,
                         unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                const unsigned number = count - i;
                uint8_t *entry = entries + i * FAT_ENTRY;

                memset(entry, 0, FAT_ENTRY);
                entry[0] = (uint8_t)(number | (i ? 0 : 0x40));
                entry[11] = FAT_LONG;
                entry[13] = sum;
                for (unsigned j = 0; j < FAT_PIECE; j++) {
                        const unsigned at = (number - 1) * FAT_PIECE + j;

                        fat_put16(entry + piece_offset(j), at < length   ? wide[at]
                                                           : at > length ? 0xffff
                                                                         : 0);
                }
        }
}

/* Makes the entries of a name. The last one gets the fields of @p entry. */
static int make_set(const struct fat_node *folder, const char *name, const uint8_t *entry,
                    uint8_t entries[SET_MAX * FAT_ENTRY], unsigned *count)
{
        uint16_t wide[FAT_LONG_MAX + 1];
        uint8_t short_name[11];
        unsigned length;
        int error = fat_name_parse(name, wide, &length);

        *count = 1;
        if (!error && !fat_name_is_short(name, short_name)) {
                error = choose_short(folder, wide, length, short_name);
                *count += (length + FAT_PIECE - 1) / FAT_PIECE;
        }
        if (error)
                return error;
        if (*count > slots(fat_of(folder)))
                return ENAMETOOLONG;
        write_pieces(wide, length, fat_name_sum(short_name), entries, *count - 1);
        entries += (*count - 1) * FAT_ENTRY;
        memcpy(entries, entry, FAT_ENTRY);
        memcpy(entries, short_name, 11);
        entries[12] = 0;
        return 0;
}

int fat_folder_add(const struct fat_node *folder, const char *name, uint8_t entry[FAT_ENTRY],
                   struct fat_set *set)
{
        uint8_t entries[SET_MAX * FAT_ENTRY];
        struct fat_place place;
        unsigned count;
        int error = make_set(folder, name, entry, entries, &count);

        if (!error)
                error = fat_place_find(folder, count, &place);
        if (!error)
                error = fat_place_write(fat_of(folder), &place, entries, count);
        if (error)
                return error;
        memcpy(set->entry, entries + (count - 1) * FAT_ENTRY, FAT_ENTRY);
        set->sector = place.sector;
        set->slot = place.slot + count - 1;
        set->end = place.index * slots(fat_of(folder)) + set->slot;
        set->begin = set->end - (count - 1);
        return 0;
}

/* A rename within one sector. */
struct move {
        uint8_t entries[SET_MAX * FAT_ENTRY]; /* of the new name */
        unsigned count, slot;                 /* their number, and the first of their slots */
        uint8_t *bytes;                       /* the sector in the cache */
};

/* Marks those entries of a name as deleted that lie in the sector of its short entry. */
static void delete_in(uint8_t *sector, const struct fat_set *set)
{
        const uint32_t span = set->end - set->begin;

        for (uint32_t i = set->slot > span ? set->slot - span : 0; i <= set->slot; i++)
                sector[i * FAT_ENTRY] = FAT_DELETED;
}

/* Makes the entries of a new name, and finds their place in the sector of the old name. Copies the
 * sector to `bounce`, without the old name and the name @p removed (NULL: none). The caller may
 * read no other sector before it has used the copy.
 * @return ENOSPC: there is no room, or the old name begins in another sector */
static int prepare_move(const struct fat_node *folder, const struct fat_set *old, const char *name,
                        const struct fat_set *removed, struct move *move)
{
        struct fat *fat = fat_of(folder);
        int error;

        if (old->begin % slots(fat) + (old->end - old->begin) != old->slot)
                return ENOSPC;
        error = make_set(folder, name, old->entry, move->entries, &move->count);
        if (!error)
                error = fat_sector(fat, old->sector, &move->bytes);
        if (error)
                return error;
        memcpy(fat->bounce, move->bytes, fat->sector_bytes);
        delete_in(fat->bounce, old);
        if (removed)
                delete_in(fat->bounce, removed);
        return fat_place_in(fat->bounce, slots(fat), move->count, &move->slot) ? 0 : ENOSPC;
}

int fat_folder_fits(const struct fat_node *folder, const struct fat_set *old, const char *name,
                    const struct fat_set *removed)
{
        struct move move;

        return prepare_move(folder, old, name, removed, &move);
}

int fat_folder_move(const struct fat_node *folder, const struct fat_set *old, const char *name,
                    struct fat_set *set)
{
        struct fat *fat = fat_of(folder);
        struct move move;
        const int error = prepare_move(folder, old, name, NULL, &move);

        if (error)
                return error;
        memcpy(fat->bounce + move.slot * FAT_ENTRY, move.entries, move.count * FAT_ENTRY);
        memcpy(move.bytes, fat->bounce, fat->sector_bytes);
        *set = *old;
        memcpy(set->entry, move.entries + (move.count - 1) * FAT_ENTRY, FAT_ENTRY);
        set->slot = move.slot + move.count - 1;
        set->end = old->end - old->slot + set->slot;
        set->begin = set->end - (move.count - 1);
        return fat_sector_write(fat, old->sector);
}

/* Erases the sector of the short entry first, so that a loss of power leaves no file with only a
 * short name. */
int fat_folder_erase(const struct fat_node *folder, const struct fat_set *set)
{
        struct fat *fat = fat_of(folder);
        const uint32_t per = slots(fat);
        struct fat_walk walk;

        fat_walk_begin(&walk, folder, 0);
        for (uint32_t n = set->end / per + 1; n-- > set->begin / per;) {
                const uint32_t first = n == set->begin / per ? set->begin % per : 0;
                const uint32_t last = n == set->end / per ? set->end % per : per - 1;
                uint32_t sector;
                uint8_t *bytes;
                int error = fat_walk_sector(&walk, n, &sector);

                if (!error)
                        error = fat_sector(fat, sector, &bytes);
                if (error)
                        return error;
                for (uint32_t i = first; i <= last; i++)
                        bytes[i * FAT_ENTRY] = FAT_DELETED;
                error = fat_sector_write(fat, sector);
                if (!error && n > set->begin / per)
                        error = fat_flush_ordered(fat);
                if (error)
                        return error;
        }
        return 0;
}

int fat_folder_check(struct fat *fat, const struct fat_set *set)
{
        uint8_t *bytes;
        const int error = fat_sector(fat, set->sector, &bytes);

        return error ? error : bytes[set->slot * FAT_ENTRY] == FAT_DELETED ? ENOENT : 0;
}
