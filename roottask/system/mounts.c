/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks that two mounts of the service `files` do not damage a file system. The service finds this
 * out itself, but only when the system runs. */
#include "system/reader.h"

#include <stdlib.h>
#include <string.h>

#define FILES      "files"      /* the file of a program whose arguments are mounts */
#define PARTITIONS "partitions" /* the file of a program whose arguments are partitions */
#define MOUNTS_MAX 32           /* more mounts are not checked */
#define LABEL_MAX  8            /* characters of a client's name that a service compares */
#define SHOWN_MAX  64           /* characters of a piece in a sentence */

/* A piece of an argument. */
struct piece {
        const char *at; /* NULL: there is none */
        size_t bytes;
};

struct mount {
        const struct nova_system_program *program;
        struct piece path, disk;
        struct piece partition; /* the whole disk if there is none */
        bool read_only;
};

static struct piece piece_of(const char *text)
{
        return (struct piece){text, strlen(text)};
}

static bool is_text(struct piece piece, const char *text)
{
        return strlen(text) == piece.bytes && memcmp(piece.at, text, piece.bytes) == 0;
}

static bool is_equal(struct piece a, struct piece b)
{
        return a.bytes == b.bytes && memcmp(a.at, b.at, a.bytes) == 0;
}

/* Takes the text up to a character. */
static struct piece take(const char **at, char end)
{
        const size_t bytes = strcspn(*at, (const char[]){end, 0});
        const struct piece piece = {*at, bytes};

        *at += bytes + ((*at)[bytes] != 0);
        return piece;
}

/* Takes the next word of an argument. */
static struct piece take_word(const char **at)
{
        while (**at == ' ')
                ++*at;
        return **at ? take(at, ' ') : (struct piece){NULL, 0};
}

/* Reads an argument. @return false if it does not mount the blocks of a service */
static bool read_mount(const char *text, struct mount *mount)
{
        struct piece word = take_word(&text);

        if (!word.at || !is_text(word, "mount"))
                return false;
        mount->path = take_word(&text);
        mount->disk = take_word(&text);
        if (!mount->disk.at || is_text(mount->disk, "module"))
                return false;
        word = take_word(&text);
        if (word.at && !is_text(word, "read-only")) {
                mount->partition = word;
                word = take_word(&text);
        }
        mount->read_only = word.at && is_text(word, "read-only");
        return true;
}

/* Returns true if two partitions have the same number or the same name. A number and a name may
 * also mean the same partition, but only the disk's table would show that. */
static bool is_same_partition(struct piece a, struct piece b)
{
        char *end, *other_end;
        const unsigned long number = strtoul(a.at, &end, 10), other = strtoul(b.at, &other_end, 10);

        if (end == a.at + a.bytes && other_end == b.at + b.bytes)
                return number == other;
        return is_equal(a, b);
}

/* A partition that a program may open. */
struct grant {
        struct piece partition;
        bool read_only;
};

/* Reads CLIENT=PARTITION[,OPTION...]. @return false if it is for another program */
static bool read_grant(const char *text, const char *client, struct grant *grant)
{
        const struct piece name = take(&text, '=');

        *grant = (struct grant){.partition = take(&text, ',')};
        while (*text)
                grant->read_only |= is_text(take(&text, ','), "read-only");
        return strncmp(name.at, client, name.bytes < LABEL_MAX ? name.bytes : LABEL_MAX) == 0 &&
               (name.bytes >= LABEL_MAX || !client[name.bytes]);
}

/* Replaces the service partitions with its disk, and a missing partition with the first one that
 * the program may open.
 * @return false if the disk or the partition is unknown */
static bool find_disk(const struct nova_system *system, struct mount *mount)
{
        const struct nova_system_program *provider = NULL;
        struct grant grant;

        for (unsigned i = 0; i < system->programs; i++)
                for (unsigned k = 0; k < system->program[i].provides.count; k++)
                        if (is_text(mount->disk,
                                    system->word[system->program[i].provides.first + k]))
                                provider = &system->program[i];
        if (!provider || !text_equal(provider->file, PARTITIONS))
                return provider;
        if (!provider->arguments.count)
                return false;
        mount->disk = piece_of(system->word[provider->arguments.first]);
        for (unsigned i = 1; i < provider->arguments.count; i++) {
                if (!read_grant(system->word[provider->arguments.first + i], mount->program->name,
                                &grant))
                        continue;
                if (!mount->partition.at)
                        mount->partition = grant.partition;
                mount->read_only |=
                        grant.read_only && is_same_partition(grant.partition, mount->partition);
        }
        return mount->partition.at;
}

static bool overlap(const struct mount *a, const struct mount *b)
{
        return is_equal(a->disk, b->disk) && (!a->partition.at || !b->partition.at ||
                                              is_same_partition(a->partition, b->partition));
}

static int shown(struct piece piece)
{
        return piece.bytes < SHOWN_MAX ? (int)piece.bytes : SHOWN_MAX;
}

static void tell(struct reader *reader, const struct mount *mount, const struct mount *other)
{
        reader_mistake(reader, mount->program->line_of[NOVA_SYSTEM_ARGUMENTS],
                       "'%s' mounts the disk '%.*s', or a part of it, at %.*s, and '%s' mounts the "
                       "same blocks at %.*s; remove one of the two mounts, which would damage the "
                       "file system.",
                       mount->program->name, shown(mount->disk), mount->disk.at, shown(mount->path),
                       mount->path.at, other->program->name, shown(other->path), other->path.at);
}

void mounts_check(struct reader *reader)
{
        const struct nova_system *const system = reader->system;
        struct mount mounts[MOUNTS_MAX];
        unsigned count = 0;

        for (unsigned i = 0; i < system->programs; i++) {
                const struct nova_system_program *program = &system->program[i];

                for (unsigned k = 0; k < program->arguments.count && count < MOUNTS_MAX; k++) {
                        struct mount *const mount = &mounts[count];

                        *mount = (struct mount){.program = program};
                        if (!text_equal(program->file, FILES) ||
                            !read_mount(system->word[program->arguments.first + k], mount) ||
                            !find_disk(system, mount))
                                continue;
                        for (unsigned m = 0; m < count; m++)
                                if (!(mount->read_only && mounts[m].read_only) &&
                                    overlap(mount, &mounts[m]))
                                        tell(reader, mount, &mounts[m]);
                        count++;
                }
        }
}
