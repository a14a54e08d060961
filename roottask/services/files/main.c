/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `files`. Each argument is a line: `mount PATH SERVICE [PARTITION] [read-only]`,
 * `mount PATH module MODULE`, `give CLIENT FOLDER [read-only]`, or `cache KIB`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../start.h"
#include "cache.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/service.h"
#include "novart/time.h"
#include "server.h"

#define WORDS      6         /* one word more than the longest argument has */
#define SHARE      4         /* without `cache`, the cache gets 1/SHARE of the free memory */
#define SHARE_MOST (2 << 20) /* maximum of that share in bytes */

static struct volume volumes[VOLUMES];
static unsigned volume_count;
static struct grant grants[GRANTS];
static unsigned grant_count;
static size_t cache_bytes = SIZE_MAX; /* SIZE_MAX: not stated */

/* Cuts a line into words. @return their number */
static unsigned split(char *line, char *words[WORDS])
{
        unsigned count = 0;

        for (char *word = strtok(line, " "); word && count < WORDS; word = strtok(NULL, " "))
                words[count++] = word;
        return count;
}

/* Result of an argument. */
enum taken {
        TAKEN,
        WRONG,   /* the argument is not of a known form */
        REFUSED, /* a sentence describes the error */
        FAILED   /* a sentence describes the error, which may not recur */
};

/* Returns the predicate of a sentence, for an error without a sentence of its own. */
static const char *why_not_mounted(const struct volume *volume, int error)
{
        static char text[64];

        if (error == EILSEQ)
                return "its file system is unknown or damaged.";
        if (error == EINVAL && volume->partition)
                return "the service has no partitions; mount a partition of the service "
                       "'partitions', or leave out the partition.";
        if (error == EBUSY)
                return "another mount or a guest has it, or a part of it; remove one of the two, "
                       "which would damage the file system.";
        if (error == ENOMEM)
                return "Not enough space; " START_ENLARGE;
        if (error == ENOENT && !volume->service)
                return "it is not among the 'modules' of this program in the description.";
        snprintf(text, sizeof(text), "%s.", strerror(error));
        return text;
}

/* Returns whether a mount would fail again with this error. If there is a sentence, the error is in
 * the content of the disk. */
static bool is_final(int error, const char *sentence)
{
        return sentence || error == EILSEQ || error == EINVAL || error == ENOENT ||
               error == EACCES || error == EBUSY;
}

static bool is_same_disk(const struct volume *one, const struct volume *other)
{
        if (!one->service || !other->service || strcmp(one->service, other->service) != 0)
                return false;
        if (!one->partition || !other->partition)
                return one->partition == other->partition;
        return strcmp(one->partition, other->partition) == 0;
}

/* Refuses a second file system at one path, and a second mount of a disk that can be written: each
 * mount would overwrite the tables of the other. @return whether a sentence describes the error */
static bool is_mounted(const struct volume *volume)
{
        for (const struct volume *other = volumes; other < volume; other++) {
                const bool may_write =
                        !other->system->read_only || (other->read_only && !volume->read_only);

                if (strcmp(other->path, volume->path) == 0) {
                        printf("two mounts have the path /%s; give each mount its own path.\n",
                               volume->path);
                        return true;
                }
                if (may_write && is_same_disk(other, volume)) {
                        printf("%s%s%s is already mounted at /%s; remove one of the two mounts, "
                               "which would damage the file system.\n",
                               volume->service, volume->partition ? " " : "",
                               volume->partition ? volume->partition : "", other->path);
                        return true;
                }
        }
        return false;
}

/* Removes redundant parts of a path, such as a second '/'. The first '/' is removed, too. */
static bool clean_path(char *path)
{
        static char clean[NOVA_FILES_PATH_SIZE];

        if (path[0] != '/' || !path_clean(path, clean))
                return false;
        memcpy(path, clean, strlen(clean) + 1);
        return true;
}

static enum taken mount(char **words, unsigned count)
{
        struct volume *volume = &volumes[volume_count];
        const bool read_only = count > 3 && strcmp(words[count - 1], "read-only") == 0;
        const char *sentence;
        bool module;
        int error;

        if (read_only)
                count--;
        if (count < 3 || count > 4 || volume_count == VOLUMES || !clean_path(words[1]))
                return WRONG;
        module = strcmp(words[2], "module") == 0 && count == 4;
        volume->path = words[1];
        volume->service = module ? NULL : words[2];
        volume->partition = module || count < 4 ? NULL : words[3];
        volume->read_only = read_only;
        if (is_mounted(volume))
                return REFUSED;
        error = module ? volume_open_module(volume, words[3], &sentence)
                       : volume_open_blocks(volume, &sentence);
        if (error) {
                printf("%s%s%s cannot be mounted: %s\n", words[2], count > 3 ? " " : "",
                       count > 3 ? words[3] : "",
                       sentence ? sentence : why_not_mounted(volume, error));
                return is_final(error, sentence) ? REFUSED : FAILED;
        }
        volume_count++;
        printf("/%s is %s, %llu KiB%s\n", volume->path, volume->system->backend->name,
               (unsigned long long)(volume->disk.bytes >> 10),
               volume->system->read_only ? ", read-only" : "");
        return TAKEN;
}

/* Reports a grant whose folder is missing. It is not an error, because another client may create
 * the folder. */
static void report_missing_folder(const struct grant *grant, const char *path)
{
        struct files_about about = {0};
        struct files_node *node;
        const int error = volume_find(grant->volume, grant->folder, &node);

        if (!error) {
                node->system->backend->stat(node, &about);
                node->system->backend->release(node);
        }
        if (!about.folder && (!error || error == ENOENT || error == ENOTDIR))
                printf("%s of %s is not a folder; create the folder, or correct \"give %s "
                       "FOLDER\".\n",
                       path, grant->client, grant->client);
}

static enum taken give(char **words, unsigned count)
{
        struct grant *grant = &grants[grant_count];
        static char clean[NOVA_FILES_PATH_SIZE];
        const char *rest = NULL;

        grant->read_only = count == 4 && strcmp(words[3], "read-only") == 0;
        if (count != 3U + grant->read_only || grant_count == GRANTS || !path_clean(words[2], clean))
                return WRONG;
        grant->client = words[1];
        for (unsigned i = 0; i < volume_count; i++) {
                const char *below = path_below(clean, volumes[i].path);

                /* A file system may be mounted in another one. */
                if (below && (!rest || strlen(below) < strlen(rest))) {
                        rest = below;
                        grant->volume = &volumes[i];
                }
        }
        if (rest) {
                memcpy(grant->folder, rest, strlen(rest) + 1);
                report_missing_folder(grant, words[2]);
                grant_count++;
                return TAKEN;
        }
        printf("%s is not in a mounted file system; write its mount first.\n", words[2]);
        return REFUSED;
}

static enum taken set_cache(char **words, unsigned count)
{
        char *end;
        unsigned long kib;

        if (count != 2)
                return WRONG;
        kib = strtoul(words[1], &end, 10);
        if (end == words[1] || *end || kib > CACHE_MOST >> 10)
                return WRONG;
        cache_bytes = (size_t)kib << 10;
        return TAKEN;
}

static enum taken take_argument(char *line)
{
        char *words[WORDS];
        const unsigned count = split(line, words);

        if (count && strcmp(words[0], "mount") == 0)
                return mount(words, count);
        if (count && strcmp(words[0], "give") == 0)
                return give(words, count);
        return count && strcmp(words[0], "cache") == 0 ? set_cache(words, count) : WRONG;
}

/* Makes the cache from the memory that is free after the mounts. */
static void make_cache(void)
{
        const size_t part = nova_page_free_count() * NOVA_PAGE_SIZE / SHARE;
        const size_t bytes = cache_bytes != SIZE_MAX ? cache_bytes
                             : part < SHARE_MOST     ? part
                                                     : SHARE_MOST;
        const size_t made = cache_create(bytes);

        if (cache_bytes != SIZE_MAX && made < cache_bytes)
                printf("the cache has %zu KiB; give the program more memory.\n", made >> 10);
}

int main(int argc, char **argv)
{
        int error;

        nova_time_set_by_rtc(); /* without the clock, changes are dated 1980 */
        for (int i = 1; i < argc; i++) {
                const enum taken taken = take_argument(argv[i]);

                if (taken == WRONG)
                        printf("argument %d is wrong; write \"mount PATH SERVICE [PARTITION] "
                               "[read-only]\", \"mount PATH module NAME\", \"give CLIENT FOLDER "
                               "[read-only]\" or \"cache KIB\".\n",
                               i);
                if (taken != TAKEN)
                        return taken == FAILED ? EXIT_FAILURE : NOVA_EXIT_FINAL;
        }
        make_cache();
        error = files_service_start(grants, grant_count);
        if (error) {
                start_failed(error);
                return 1;
        }
        nova_service_sleep();
}
