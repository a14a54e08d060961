/* SPDX-License-Identifier: BSD-2-Clause */
/* Remembers places in the chain of a file. A walk to a cluster begins at the nearest known place
 * before the cluster. */
#include <errno.h>
#include <stdlib.h>

#include "fat.h"

#define SHORT 64 /* maximum number of clusters of a chain without known places */

/* Adds a place if it is the next one for the table. A full table drops every second place. */
static void keep_point(struct fat_node *file)
{
        struct fat_points *points = file->points;

        if (!points && file->at >= SHORT) {
                points = file->points = malloc(sizeof(*points));
                if (points)
                        *points = (struct fat_points){.distance = SHORT, .count = 0};
        }
        if (!points || file->at != (points->count + 1) * points->distance)
                return;
        if (points->count == FAT_POINTS) {
                points->count /= 2;
                points->distance *= 2;
                for (uint32_t i = 0; i < points->count; i++)
                        points->cluster[i] = points->cluster[2 * i + 1];
        }
        if (file->at == (points->count + 1) * points->distance)
                points->cluster[points->count++] = file->cluster;
}

/* Goes to the nearest known place that is not after an index. */
static void go_near(struct fat_node *file, uint32_t index)
{
        const struct fat_points *points = file->points;
        uint32_t number = points ? index / points->distance : 0;

        if (points && number > points->count)
                number = points->count;
        if (!file->cluster || index < file->at) {
                file->at = 0;
                file->cluster = file->first;
        }
        if (number && file->at < number * points->distance) {
                file->at = number * points->distance;
                file->cluster = points->cluster[number - 1];
        }
}

int fat_chain_cluster(struct fat_node *file, uint32_t index, uint32_t *cluster)
{
        struct fat *fat = fat_of(file);

        if (!file->first)
                return EIO;
        go_near(file, index);
        while (file->at < index) {
                uint32_t next = file->added;

                if (!next || file->cluster != file->tail) {
                        const int error = fat_table_next(fat, file->cluster, &next);

                        if (error || !next)
                                return EIO;
                }
                file->cluster = next;
                file->at++;
                keep_point(file);
        }
        *cluster = file->cluster;
        return 0;
}

void fat_chain_add(struct fat_node *file, uint32_t cluster)
{
        file->cluster = cluster;
        file->at = file->clusters++;
        keep_point(file);
}

void fat_chain_cut(struct fat_node *file, uint32_t keep)
{
        struct fat_points *points = file->points;

        file->cluster = 0;
        if (!points)
                return;
        while (points->count && points->count * points->distance >= keep)
                points->count--;
}

/* Copies the next cluster. */
static int copy_cluster(struct fat_node *file, struct fat_copy *copy, uint8_t *buffer)
{
        struct fat *fat = fat_of(file);
        uint32_t from, to;
        int error = fat_chain_cluster(file, copy->next, &from);

        if (!error)
                error = fat_data_read(fat, fat_cluster_sector(fat, from), 0, buffer,
                                      fat->cluster_bytes);
        if (!error)
                error = fat_table_allocate(fat, &to);
        if (error)
                return error;
        if (copy->last)
                error = fat_table_link(fat, copy->last, to);
        else
                copy->first = to;
        copy->last = to;
        copy->next++;
        return error ? error
                     : fat_data_write(fat, fat_cluster_sector(fat, to), 0, buffer,
                                      fat->cluster_bytes);
}

int fat_chain_copy(struct fat_node *file, struct fat_copy *copy, uint32_t end)
{
        uint8_t *buffer = malloc(fat_of(file)->cluster_bytes);
        int error = buffer ? 0 : ENOMEM;

        while (!error && copy->next < end)
                error = copy_cluster(file, copy, buffer);
        free(buffer);
        if (error)
                fat_copy_free(fat_of(file), copy);
        return error;
}

void fat_copy_free(struct fat *fat, struct fat_copy *copy)
{
        if (copy->first)
                fat_table_free(fat, copy->first); /* after an error clusters are lost */
        *copy = (struct fat_copy){0};
}
