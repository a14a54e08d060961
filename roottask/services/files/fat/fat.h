/* SPDX-License-Identifier: BSD-2-Clause */
/* The FAT file system: FAT12, FAT16 and FAT32, with long names.
 *
 * After a loss of power, no structure on the disk refers to something that is not on the disk. The
 * cache may write a changed sector of the table of clusters at any time. So the code changes a
 * sector of the table only when the disk may get the change:
 * - A new cluster is not in any chain on the disk yet, so it may be marked at any time.
 * - A cluster is linked to a chain after its data is on the disk (fat_flush()).
 * - An entry of a folder is written after its chain is on the disk.
 * - A cluster is freed after the entry that referred to its chain was removed on the disk.
 *
 * The code writes a new entry and the entries of its long name into one sector, because a disk
 * writes a sector as a whole. Entries that another system has written may cross sectors. */
#ifndef NOVART_FILES_FAT_H
#define NOVART_FILES_FAT_H

#include "../backend.h"

#define FAT_SECTOR_MAX 4096
#define FAT_CACHE      16   /* number of cached sectors of the table and of folders */
#define FAT_STUCK_MAX  8    /* maximum number of changed sectors of the table in the cache */
#define FAT_ENTRY      32   /* size of an entry of a folder in bytes */
#define FAT_POINTS     256  /* maximum number of known places in the chain of a large file */
#define FAT_GROUPS     8192 /* maximum number of groups of clusters; a multiple of 8 */
#define FAT_SHARED     8    /* maximum number of chains that two names may have */
#define FAT_LONG_MAX   255
#define FAT_PIECE      13    /* characters of a long name in one entry */
#define FAT_FOLDER_MAX 65536 /* entries of a folder */

/* Range of the dates that an entry can store, in seconds since 1970. */
#define FAT_TIME_FIRST 315532800           /* 1980-01-01 */
#define FAT_TIME_LAST  INT64_C(4354819198) /* 2107-12-31 23:59:58 */

#define FAT_READ_ONLY 0x01
#define FAT_VOLUME    0x08
#define FAT_FOLDER    0x10
#define FAT_ARCHIVE   0x20
#define FAT_LONG      0x0f
#define FAT_DELETED   0xe5

/* A sector in memory. */
struct fat_cached {
        uint32_t sector; /* its number; UINT32_MAX: none */
        bool dirty;      /* a changed sector of the table that is not written yet */
        bool stuck;      /* the disk has refused it; only a flush tries again */
        uint64_t used;   /* time of the last use */
        uint8_t *bytes;
};

/* Known places in the chain of a file: place i is the cluster with the index (i + 1) * distance. */
struct fat_points {
        uint32_t distance, count;
        uint32_t cluster[FAT_POINTS];
};

/* Copies of the clusters of a chain. Nothing on the disk refers to them yet. */
struct fat_copy {
        uint32_t first, last; /* clusters; 0: none */
        uint32_t next;        /* index in the chain of the next cluster to be copied */
};

/* A name by which its entry can be looked up again. */
struct fat_name {
        uint32_t folder;            /* first cluster of its folder */
        char name[FILES_NAME_SIZE]; /* "": unknown */
};

/* A chain that two names may have. An open file without a name counts as a name. */
struct fat_shared {
        uint32_t first; /* first cluster of the chain; 0: the record is not in use */
        struct fat_name names[2];
};

struct fat_node;

struct fat {
        struct files_system system;
        unsigned kind; /* 12, 16 or 32 */
        uint32_t sector_bytes, cluster_sectors, cluster_bytes;
        uint32_t table, table_sectors, table_count; /* tables of clusters */
        uint32_t root, root_sectors;                /* FAT12 and 16: where the root lies */
        uint32_t root_cluster;                      /* FAT32; else 0 */
        uint32_t data;                              /* first sector of cluster 2 */
        uint32_t last;                              /* highest number of a cluster */
        uint32_t info;                              /* sector with the free count; 0: none */
        uint32_t free;                              /* free clusters; UINT32_MAX: unknown */
        uint32_t hint;                              /* cluster at which the next search begins */
        uint32_t group;                             /* clusters of a group; 0: no groups */
        uint8_t full[FAT_GROUPS / 8];               /* bits: groups without a free cluster */
        bool info_stale;                            /* `free` differs from the value on the disk */
        bool info_refused;                          /* the last write of that value failed */
        bool counted;                               /* `free` does not come from the disk */
        bool unflushed;                             /* written since the last flush */
        bool doubt; /* the last fat_sector_write() failed, but the disk may have the change */
        bool copies_differ;            /* a bit of `stale` is set */
        bool copies_told;              /* a sync has reported these bits */
        uint32_t stale_sectors;        /* sectors of the table for each bit of `stale` */
        uint8_t stale[FAT_GROUPS / 8]; /* bits: a write to another copy failed */
        uint32_t mend_next;            /* group at which the next attempt to mend begins */
        uint64_t time;                 /* time of the cache, for the last uses */
        struct fat_node *nodes;        /* nodes in use */
        struct fat_shared shared[FAT_SHARED];
        struct fat_cached cache[FAT_CACHE];
        uint8_t *bounce; /* one sector, for transfers of parts of sectors */
};

/* A file or folder in use. The first `disk_clusters` clusters of its chain are linked on the disk;
 * `tail` is the last of them. The clusters after `tail` were added, and are not linked to it
 * yet. */
struct fat_node {
        struct files_node node;
        struct fat_node *next;
        bool folder, removed, changed;
        bool unflushed; /* removed, but the disk may still have the entry */
        bool lost;  /* a write with an unknown result may have changed its entry: it gives EIO until
                     * all clients have closed it; the clusters of a folder may get other data */
        bool grown; /* the entry does not contain the present size or chain yet */
        uint8_t attributes;        /* attributes of the entry */
        uint32_t sector, slot;     /* place of the entry; sector 0: the root */
        uint32_t first, size;      /* first cluster, 0: none; bytes */
        uint32_t clusters;         /* number of clusters in the chain */
        uint32_t disk_clusters;    /* number of clusters in the part of the chain on the disk */
        uint32_t tail;             /* last cluster of that part; 0: not looked up */
        uint32_t added;            /* first cluster to be linked to the tail; 0: none */
        uint32_t gap_begin;        /* beginning of a gap that is filled in parts */
        uint32_t gap_end;          /* end of its filled part; 0: there is no such gap */
        uint32_t at, cluster;      /* the last place used in the chain: index and cluster */
        struct fat_points *points; /* NULL: a short chain, or no memory */
        struct fat_copy copy;      /* copy of the first clusters, for a rename */
        bool copy_lost;            /* a change ended the copy; the next rename makes none */
        int64_t modified;          /* seconds since 1970 */
};

static inline uint32_t fat_get16(const uint8_t *at)
{
        return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t fat_get32(const uint8_t *at)
{
        return fat_get16(at) | fat_get16(at + 2) << 16;
}

static inline void fat_put16(uint8_t *at, uint32_t value)
{
        at[0] = (uint8_t)value;
        at[1] = (uint8_t)(value >> 8);
}

static inline void fat_put32(uint8_t *at, uint32_t value)
{
        fat_put16(at, value);
        fat_put16(at + 2, value >> 16);
}

static inline struct fat *fat_of(const struct fat_node *node)
{
        return (struct fat *)node->node.system;
}

/* sector.c. The result of fat_sector() is valid until FAT_CACHE - FAT_STUCK_MAX - 1 other sectors
 * have been requested. */
int fat_sector(struct fat *fat, uint32_t sector, uint8_t **bytes);
int fat_sector_write(struct fat *fat, uint32_t sector); /* writes at once */
/* Lets the caller change a sector of the table, which is written later. @return 0, or EIO: the disk
 * refuses so many changed sectors that the cache has no room for another one */
int fat_sector_change(struct fat *fat, uint32_t sector);
void fat_sector_forget(struct fat *fat, uint32_t first, uint32_t count);
int fat_data_read(struct fat *fat, uint32_t sector, uint32_t offset, void *to, size_t bytes);
int fat_data_write(struct fat *fat, uint32_t sector, uint32_t offset, const void *from,
                   size_t bytes);
int fat_data_zero(struct fat *fat, uint32_t sector, uint32_t count);
/* Writes the free count, and waits until all writes survive a loss of power. A count that the disk
 * refuses is no error: it only saves other systems from counting. */
int fat_flush(struct fat *fat);
int fat_flush_ordered(struct fat *fat); /* like fat_flush(), but does not write the free count */
/* Tries to mend the copies of the table after fat_flush(); `copies_differ` is the result. */
int fat_mend(struct fat *fat);

/* table.c */
static inline uint32_t fat_cluster_sector(const struct fat *fat, uint32_t cluster)
{
        return fat->data + (cluster - 2) * fat->cluster_sectors;
}
int fat_table_next(struct fat *fat, uint32_t cluster, uint32_t *next); /* 0: the last one */
int fat_table_link(struct fat *fat, uint32_t cluster, uint32_t next);  /* 0: the last one */
/* Returns true if the entry of a cluster lies in two sectors. A disk may write only one of them, so
 * such clusters are never allocated, and never linked to others. */
bool fat_table_is_split(const struct fat *fat, uint32_t cluster);
int fat_table_allocate(struct fat *fat, uint32_t *cluster); /* marked as the last one */
int fat_table_free(struct fat *fat, uint32_t first);        /* a chain */
int fat_table_count(struct fat *fat);                       /* corrects fat->free */

/* name.c. A long name is UTF-16; a short name has 11 characters. */
int fat_name_parse(const char *name, uint16_t wide[FAT_LONG_MAX + 1], unsigned *length);
bool fat_name_format(const uint16_t *wide, unsigned length, char name[FILES_NAME_SIZE]);
void fat_name_of_short(const uint8_t *entry, char name[FILES_NAME_SIZE]);
bool fat_name_equal(const char *one, const char *other);
bool fat_name_is_short(const char *name, uint8_t short_name[11]);
void fat_name_shorten(const uint16_t *wide, unsigned length, unsigned attempt,
                      uint8_t short_name[11]);
uint8_t fat_name_sum(const uint8_t short_name[11]);
int64_t fat_time_of(uint32_t date, uint32_t time);
int64_t fat_time_limit(int64_t seconds); /* the nearest time in the range */
void fat_time_to(int64_t seconds, uint32_t *date, uint32_t *time);

/* folder.c */

/* An entry of a folder with its long name. */
struct fat_set {
        uint32_t begin, end;   /* index of the first entry and of the short one */
        uint32_t sector, slot; /* place of the short entry */
        uint8_t entry[FAT_ENTRY];
        char name[FILES_NAME_SIZE], short_name[FILES_NAME_SIZE];
};

/* A walk over a folder. */
struct fat_walk {
        struct fat *fat;
        uint32_t first;       /* first cluster of the folder; 0: the root of FAT12 and 16 */
        uint32_t at, cluster; /* the last cluster that was used: index and number */
        uint32_t index;       /* index of the next entry */
};

void fat_walk_begin(struct fat_walk *walk, const struct fat_node *folder, uint32_t index);
int fat_walk_sector(struct fat_walk *walk, uint32_t index, uint32_t *sector);
int fat_walk_next(struct fat_walk *walk, struct fat_set *set); /* ENOENT: the end */
int fat_folder_find(const struct fat_node *folder, const char *name, struct fat_set *set);
int fat_folder_add(const struct fat_node *folder, const char *name, uint8_t entry[FAT_ENTRY],
                   struct fat_set *set);
/* Checks whether fat_folder_move() will have room once the entries of @p removed in this sector are
 * deleted. @return 0; ENOSPC: there is no room; or another error */
int fat_folder_fits(const struct fat_node *folder, const struct fat_set *old, const char *name,
                    const struct fat_set *removed);
/* Renames within one sector, which is written as a whole. @return ENOSPC: there is no room */
int fat_folder_move(const struct fat_node *folder, const struct fat_set *old, const char *name,
                    struct fat_set *set);
int fat_folder_erase(const struct fat_node *folder, const struct fat_set *set);
/* Checks after a failed fat_folder_erase() whether the disk still has the short entry.
 * @return 0, ENOENT, EIO: unknown */
int fat_folder_check(struct fat *fat, const struct fat_set *set);
int fat_folder_empty(const struct fat_node *folder);

/* place.c */

/* The place for the entries of a new name. */
struct fat_place {
        uint32_t index; /* of the sector in the folder */
        uint32_t sector, slot;
        bool fresh;     /* the sector lies past the end of the folder */
        bool terminate; /* the entries overwrite the end mark; a new one follows them */
        uint32_t after; /* next sector if it gets the new end mark; else 0 */
        uint32_t end_sector, end_slot; /* old end mark if the sector is fresh; else 0 */
};
int fat_place_find(const struct fat_node *folder, unsigned count, struct fat_place *place);
bool fat_place_in(uint8_t *sector, unsigned slots, unsigned count, unsigned *slot);
int fat_place_write(struct fat *fat, const struct fat_place *place, const uint8_t *entries,
                    unsigned count);

/* chain.c */
int fat_chain_cluster(struct fat_node *file, uint32_t index, uint32_t *cluster);
void fat_chain_add(struct fat_node *file, uint32_t cluster); /* after the last one */
/* Copies the clusters of a chain up to the index end - 1. An error frees all of the copy. */
int fat_chain_copy(struct fat_node *file, struct fat_copy *copy, uint32_t end);
void fat_copy_free(struct fat *fat, struct fat_copy *copy);
void fat_chain_cut(struct fat_node *file,
                   uint32_t keep); /* forgets places with an index of at least `keep` */

/* shared.c */
/* Returns true if two names may have one chain. If the disk shows that one of the names does not
 * have it, the chain is forgotten. */
bool fat_shared_has(struct fat *fat, uint32_t first);
/* Remembers that two names may have one chain. If there is no room to remember it, the file system
 * becomes read-only. */
void fat_shared_add(struct fat *fat, uint32_t first, const struct fat_name names[2]);
/* Forgets a chain that one of its two names has lost. @return false: it was not remembered */
bool fat_shared_drop(struct fat *fat, uint32_t first);
void fat_shared_move(struct fat *fat, uint32_t first); /* one of the names has changed */
/* Frees a chain that one name has lost, unless another name or a node other than @p but has it. */
int fat_shared_free(struct fat *fat, uint32_t first, const struct fat_node *but);

/* file.c */
int fat_file_read(struct files_node *node, uint64_t offset, void *to, size_t bytes, size_t *done);
int fat_file_write(struct files_node *node, uint64_t offset, const void *from, size_t bytes,
                   size_t *done);
int fat_file_resize(struct files_node *node, uint64_t bytes);
int fat_file_commit(struct fat_node *file); /* writes the node's properties to the entry */
int fat_file_orphan(struct fat_node *file); /* its entry is gone, but it is in use */

/* change.c: names. */
int fat_create(struct files_node *in, const char *name, bool make_folder, struct files_node **node);
int fat_remove(struct files_node *in, const char *name, bool remove_folder);
int fat_rename(struct files_node *from, const char *name, struct files_node *to,
               const char *new_name);

/* fat.c */
uint32_t fat_entry_cluster(const struct fat *fat, const uint8_t *entry);
void fat_entry_set(struct fat *fat, uint8_t *entry, uint32_t cluster, uint32_t size);
struct fat_node *fat_node_find(struct fat *fat, uint32_t sector, uint32_t slot);
/* Returns true if another node has a chain. Two entries may name one chain after an error. */
bool fat_node_shares(const struct fat *fat, uint32_t first, const struct fat_node *but);
int fat_node_open(struct fat *fat, const struct fat_set *set, struct fat_node **node);
/* Makes memory that the caller has allocated the node of a new entry. */
void fat_node_add(struct fat *fat, const struct fat_set *set, struct fat_node *node);
int fat_release(struct files_node *node);
int64_t fat_now(const struct fat *fat); /* in the range of FAT's dates */

/* mount.c */
int fat_mount(struct files_disk *disk, struct files_system **system, const char **sentence);
void fat_destroy(struct fat *fat);

#endif
