/* SPDX-License-Identifier: BSD-2-Clause */
/* The service partitions. For each session of a client, this program opens a session with the disk,
 * restricted to the partition. It passes the ring, the pool and the semaphores of the session with
 * the disk on to the client. So requests go directly from the client to the disk's driver, which
 * checks their blocks, and this program does not see them. */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/service/block.h"

#define DISK_SESSIONS 16 /* that a driver gives to one program */

/* The data of a session. It outlives the session while an answer with its capabilities may not have
 * been delivered yet. */
struct link {
        struct nova_later later;
        struct nova_block *disk; /* NULL: not attached yet */
        const struct grant *grant;
        size_t pages; /* of the pool, while the session counts in uses[] */
};

static const char *disk_service;
static const struct table *table;
static const struct grant *grants;
static unsigned grant_count;
static unsigned closing; /* closed sessions whose session with the disk is still open */

/* Sum of the sessions of each grant with the disk. */
static struct use {
        unsigned sessions;
        size_t pages; /* of their pools */
} uses[GRANTS];

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

static struct use *use_of(const struct link *link)
{
        return &uses[link->grant - grants];
}

/* Checks that a session with the disk takes nothing that another grant may need: each grant can
 * have one session. All sessions of a grant have together the requests and the pool of one. */
static int check_use(const struct link *link, size_t pages)
{
        const struct use *use = use_of(link);
        unsigned needed = 0; /* sessions that exist, and first sessions of other grants */

        if (!__atomic_load_n(&use->sessions, __ATOMIC_RELAXED))
                return 0;
        if (link->grant->requests)
                return EBUSY;
        if (__atomic_load_n(&use->pages, __ATOMIC_RELAXED) + pages >
            (size_t)1 << NOVA_BLOCK_POOL_ORDER_MAX)
                return ENOMEM;
        for (unsigned i = 0; i < grant_count; i++) {
                const unsigned sessions = __atomic_load_n(&uses[i].sessions, __ATOMIC_RELAXED);

                needed += sessions ? sessions : 1;
        }
        return needed >= DISK_SESSIONS ? EMFILE : 0;
}

static void begin_use(struct link *link, size_t pages)
{
        link->pages = pages;
        __atomic_fetch_add(&use_of(link)->sessions, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&use_of(link)->pages, pages, __ATOMIC_RELAXED);
}

static void stop_use(const struct link *link)
{
        __atomic_fetch_sub(&use_of(link)->sessions, 1, __ATOMIC_RELAXED);
        __atomic_fetch_sub(&use_of(link)->pages, link->pages, __ATOMIC_RELAXED);
}

static void destroy(struct nova_later *later)
{
        struct link *link = (struct link *)later;

        if (link->disk) {
                nova_block_close(link->disk);
                stop_use(link);
        }
        __atomic_fetch_sub(&closing, 1, __ATOMIC_RELAXED);
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
        }
        __atomic_fetch_add(&closing, 1, __ATOMIC_RELAXED);
        nova_service_later(service, &link->later);
}

static int open_disk(struct link *link, size_t pages)
{
        const struct grant *grant = link->grant;
        const struct nova_block_range range = {.first = grant->partition->first,
                                               .count = grant->partition->count,
                                               .requests = grant->requests,
                                               .read_only = grant->read_only};
        int error = check_use(link, pages);

        if (!error)
                error = nova_block_open(&link->disk, disk_service, NULL, pages << NOVA_PAGE_BITS);
        if (error)
                return error;
        error = nova_block_restrict(link->disk, &range);
        if (error) {
                nova_block_close(link->disk);
                link->disk = NULL;
        } else {
                begin_use(link, pages);
        }
        return error;
}

/* NOVA_BLOCK_ATTACH */
static int attach(struct nova_request *request)
{
        struct link *link = link_of(request);
        const nova_word_t order = request->word[0];
        struct nova_block_parts parts;
        bool ending;
        int error;

        if (order < NOVA_BLOCK_RING_ORDER || order > NOVA_BLOCK_POOL_ORDER_MAX)
                return EINVAL;
        if (link->disk)
                return EEXIST;
        error = open_disk(link, (size_t)1 << order);
        if (error == ENOMEM || error == EBUSY || error == EMFILE) {
                /* the memory and the sessions may belong to a client that has died */
                nova_service_sweep(request->service);
                ending = __atomic_load_n(&closing, __ATOMIC_RELAXED);
                error = open_disk(link, (size_t)1 << order);
                if (ending && (error == ENOMEM || error == EBUSY || error == EMFILE))
                        error = EAGAIN;
        }
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

/* NOVA_BLOCK_CLAIM. The session that has claimed the blocks may be that of a client that has
 * died. */
static int claim(struct nova_request *request)
{
        const struct link *link = link_of(request);
        const nova_word_t use = request->word[0];
        int error;

        if (!link->disk || use < NOVA_BLOCK_READS || use > NOVA_BLOCK_WRITES)
                return EINVAL;
        error = nova_block_claim(link->disk, (enum nova_block_use)use);
        if (error == EBUSY) {
                nova_service_sweep(request->service);
                error = nova_block_claim(link->disk, (enum nova_block_use)use);
        }
        return error == EBUSY && __atomic_load_n(&closing, __ATOMIC_RELAXED) ? EAGAIN : error;
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
        return nova_service_start(NULL, &config);
}
