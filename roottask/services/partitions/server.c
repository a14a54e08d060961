/* SPDX-License-Identifier: BSD-2-Clause */
/* The service partitions. For each session of a client, this program opens a session with the disk,
 * restricted to the partition. It passes the ring, the pool and the semaphores of the session with
 * the disk on to the client. So requests go directly from the client to the disk's driver, which
 * checks their blocks, and this program does not see them. */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/service/block.h"

#define DISK_SESSIONS 16 /* sessions that a driver gives to one program */

/* The data of a session. It outlives the session while an answer with its capabilities may not have
 * been delivered yet. */
struct link {
        struct nova_later later;
        struct nova_block *disk; /* NULL: not attached yet */
        const struct grant *grant;
        size_t pages; /* pages of the pool, while the session counts in uses[] */
};

static const char *disk_service;
static const struct table *table;
static const struct grant *grants;
static unsigned grant_count;

/* Sessions with the disk, counted together. */
struct use {
        unsigned sessions;
        size_t pages; /* pages of their pools */
};

static struct use uses[GRANTS]; /* by grant, with closed sessions until destroy() */
static struct use live[GRANTS]; /* by grant, without closed sessions; protected by the lock */

const struct partition *partition_find(const struct table *of, const char *text)
{
        char *end;
        const unsigned long number = strtoul(text, &end, 10);

        for (unsigned i = 0; i < of->count; i++) {
                const struct partition *partition = &of->partition[i];

                if (*end ? !strcmp(partition->name, text) : partition->number == number)
                        return partition;
        }
        return NULL;
}

/* Finds the partition that a client may open, by default its first one. Only the first 8 characters
 * of a client's name are compared. */
static int find_grant(const char *client, const char *arguments, const struct grant **grant)
{
        const struct partition *wanted = *arguments ? partition_find(table, arguments) : NULL;
        bool any = false;

        for (unsigned i = 0; i < grant_count; i++) {
                if (strncmp(grants[i].client, client, 8) != 0)
                        continue;
                any = true;
                *grant = &grants[i];
                if (!*arguments || grants[i].partition == wanted)
                        return 0;
        }
        return *arguments && any && !wanted ? ENOENT : EACCES;
}

static struct link *link_of(const struct nova_request *request)
{
        return *(struct link **)request->state;
}

static struct use read_use(const struct use *use)
{
        return (struct use){.sessions = __atomic_load_n(&use->sessions, __ATOMIC_ACQUIRE),
                            .pages = __atomic_load_n(&use->pages, __ATOMIC_RELAXED)};
}

/* Checks that a session with the disk takes nothing that another grant may need: each grant can
 * have one session. The pools of all sessions of a grant together may have at most as many pages as
 * one pool of the maximum size.
 * @param list uses[], or live[] if the closed sessions do not count */
static int check_use(const struct link *link, size_t pages, const struct use *list)
{
        const struct use use = read_use(&list[link->grant - grants]);
        unsigned needed = 0; /* sessions that exist, and first sessions of other grants */

        if (!use.sessions)
                return 0;
        if (link->grant->requests)
                return EBUSY;
        if (use.pages + pages > (size_t)1 << NOVA_BLOCK_POOL_ORDER_MAX)
                return ENOMEM;
        for (unsigned i = 0; i < grant_count; i++) {
                const unsigned sessions = read_use(&list[i]).sessions;

                needed += sessions ? sessions : 1;
        }
        return needed >= DISK_SESSIONS ? EMFILE : 0;
}

static void begin_use(struct link *link, size_t pages)
{
        const size_t grant = (size_t)(link->grant - grants);

        link->pages = pages;
        __atomic_fetch_add(&uses[grant].sessions, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&uses[grant].pages, pages, __ATOMIC_RELAXED);
        live[grant].sessions++;
        live[grant].pages += pages;
}

/* Ends the use by a client's session. The session with the disk may stay for a while. */
static void close_use(const struct link *link)
{
        const size_t grant = (size_t)(link->grant - grants);

        live[grant].sessions--;
        live[grant].pages -= link->pages;
}

static void end_use(const struct link *link)
{
        const size_t grant = (size_t)(link->grant - grants);

        __atomic_fetch_sub(&uses[grant].pages, link->pages, __ATOMIC_RELAXED);
        __atomic_fetch_sub(&uses[grant].sessions, 1, __ATOMIC_RELEASE);
}

/* Returns true if closed sessions of a partition still have a session with the disk. @p partition
 * NULL: of any partition */
static bool is_closing(const struct partition *partition)
{
        bool any = false;

        for (unsigned i = 0; i < grant_count; i++)
                any |= (!partition || grants[i].partition == partition) &&
                       read_use(&uses[i]).sessions > live[i].sessions;
        return any;
}

static void destroy(struct nova_later *later)
{
        struct link *link = (struct link *)later;

        if (link->disk) {
                nova_block_close(link->disk);
                end_use(link);
        }
        free(link);
}

static int open_session(struct nova_request *request, const char *arguments)
{
        const struct grant *grant = NULL;
        const int error = find_grant(request->client, arguments, &grant);
        struct link *link = error ? NULL : calloc(1, sizeof(*link));

        if (error)
                return error;
        if (!link)
                return ENOMEM;
        link->later.function = destroy;
        link->grant = grant;
        *(struct link **)request->state = link;
        return 0;
}

static void close_session(struct nova_service *service, void *state)
{
        struct link *link = *(struct link **)state;

        if (!link)
                return;
        if (link->disk) {
                const struct nova_block_parts parts = nova_block_get_parts(link->disk);

                nova_revoke(parts.ring, 0);
                nova_revoke(parts.pool, 0);
                nova_revoke(parts.doorbell, 0);
                nova_revoke(parts.bell, 0);
                close_use(link);
        }
        nova_service_later(service, &link->later);
}

/* The driver may have started again with another disk, to which the table does not belong. */
static int check_disk(const struct nova_block *disk)
{
        static bool told;

        if (nova_block_get_info(disk)->identity == table->identity)
                return 0;
        if (!told)
                printf("'%s' now has another disk than when its table was read; connect the first "
                       "disk again, or restart this program.\n",
                       disk_service);
        told = true;
        return ENODEV;
}

static int open_disk(struct link *link, size_t pages)
{
        const struct grant *grant = link->grant;
        const struct nova_block_range range = {.first = grant->partition->first,
                                               .count = grant->partition->count,
                                               .requests = grant->requests,
                                               .read_only = grant->read_only};
        int error = check_use(link, pages, uses);

        if (!error)
                error = nova_block_open(&link->disk, disk_service, NULL, pages << NOVA_PAGE_BITS);
        if (error)
                return error;
        error = check_disk(link->disk);
        if (!error)
                error = nova_block_restrict(link->disk, &range);
        if (error) {
                nova_block_close(link->disk);
                link->disk = NULL;
        } else {
                begin_use(link, pages);
        }
        return error;
}

static bool lacks(int error)
{
        return error == ENOMEM || error == EBUSY || error == EMFILE;
}

/* Opens the session with the disk. Memory and sessions may belong to a client that has died. */
static int open_swept(struct nova_service *service, struct link *link, size_t pages)
{
        int error = open_disk(link, pages);
        bool ending;

        if (!lacks(error))
                return error;
        nova_service_sweep(service);
        ending = is_closing(NULL) && !check_use(link, pages, live);
        error = open_disk(link, pages);
        return ending && lacks(error) ? EAGAIN : error;
}

/* NOVA_BLOCK_ATTACH */
static int attach(struct nova_request *request)
{
        struct link *link = link_of(request);
        const nova_word_t order = request->word[0];
        struct nova_block_parts parts;
        int error;

        if (order < NOVA_BLOCK_RING_ORDER || order > NOVA_BLOCK_POOL_ORDER_MAX)
                return EINVAL;
        if (link->disk)
                return EEXIST;
        error = open_swept(request->service, link, (size_t)1 << order);
        if (error)
                return error;
        parts = nova_block_get_parts(link->disk);
        nova_request_give(request, parts.ring);
        nova_request_give(request, parts.pool);
        return 0;
}

/* NOVA_BLOCK_SEMAPHORES */
static int give_semaphores(struct nova_request *request)
{
        const struct link *link = link_of(request);
        struct nova_block_parts parts;

        if (!link->disk)
                return EINVAL;
        parts = nova_block_get_parts(link->disk);
        nova_request_give(request, parts.doorbell);
        nova_request_give(request, parts.bell);
        return 0;
}

/* NOVA_BLOCK_INFO */
static int get_info(struct nova_request *request)
{
        const struct link *link = link_of(request);

        if (!link->disk)
                return EINVAL;
        nova_request_answer_bytes(request, nova_block_get_info(link->disk),
                                  sizeof(struct nova_block_info));
        return 0;
}

/* NOVA_BLOCK_CLAIM. The blocks may still be claimed by the session of a client that has died. */
static int claim(struct nova_request *request)
{
        const struct link *link = link_of(request);
        const nova_word_t use = request->word[0];
        bool ending = false;
        int error;

        if (!link->disk || use < NOVA_BLOCK_READS || use > NOVA_BLOCK_WRITES)
                return EINVAL;
        error = nova_block_claim(link->disk, (enum nova_block_use)use);
        if (error == EBUSY) {
                nova_service_sweep(request->service);
                ending = is_closing(link->grant->partition);
                error = nova_block_claim(link->disk, (enum nova_block_use)use);
        }
        return error == EBUSY && ending ? EAGAIN : error;
}

int partitions_service_start(const char *disk, const struct table *of, const struct grant *list,
                             unsigned count)
{
        static const struct nova_service_operation operations[] = {
                [NOVA_BLOCK_INFO - NOVA_OPERATION_FIRST] = {get_info, 0, 0, false},
                [NOVA_BLOCK_ATTACH - NOVA_OPERATION_FIRST] = {attach, 1, 1, false},
                [NOVA_BLOCK_SEMAPHORES - NOVA_OPERATION_FIRST] = {give_semaphores, 0, 0, false},
                [NOVA_BLOCK_CLAIM - NOVA_OPERATION_FIRST] = {claim, 1, 1, false},
        };
        const struct nova_service_config config = {
                .name = "partitions",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .state_bytes = sizeof(struct link *),
                .open = open_session,
                .close = close_session,
        };

        disk_service = disk;
        table = of;
        grants = list;
        grant_count = count;
        memset(uses, 0, sizeof(uses));
        memset(live, 0, sizeof(live));
        return nova_service_start(NULL, &config);
}
