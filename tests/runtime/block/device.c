/* SPDX-License-Identifier: BSD-2-Clause */
/* A device in memory. The test decides when its requests end. */
#include "device.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "nova/crd.h"
#include "novart/page.h"

static char memory[DEVICE_BLOCKS * 512];
static bool holds;
static struct block_request *first, **last = &first;
static unsigned waiting, pools, pools_max = UINT_MAX;

static void end(struct block_request *request)
{
        char *at = memory + request->block * 512;

        for (unsigned i = 0; i < request->segment_count; i++) {
                char *data = request->pool->memory + request->segment[i].offset;

                if (request->operation == NOVA_BLOCK_READ)
                        memcpy(data, at, request->segment[i].bytes);
                else
                        memcpy(at, data, request->segment[i].bytes);
                at += request->segment[i].bytes;
        }
        block_end(request, 0);
}

static void start(struct block_request *request)
{
        if (!holds) {
                end(request);
                return;
        }
        request->next = NULL;
        *last = request;
        last = &request->next;
        waiting++;
}

static int alloc(struct share_pool *pool)
{
        if (pools >= __atomic_load_n(&pools_max, __ATOMIC_RELAXED))
                return ENOMEM;
        pool->memory = nova_page_alloc(nova_crd_order_for(pool->bytes >> NOVA_PAGE_BITS));
        pools += pool->memory != NULL;
        return pool->memory ? 0 : ENOMEM;
}

static void release(struct share_pool *pool)
{
        nova_page_free(pool->memory, nova_crd_order_for(pool->bytes >> NOVA_PAGE_BITS));
        pools--;
}

static struct block_device device = {
        .name = "blocks",
        .info = {.blocks = DEVICE_BLOCKS,
                 .block_bytes = 512,
                 .segments = NOVA_BLOCK_SEGMENTS,
                 .request_max = 128},
        .depth = DEVICE_DEPTH,
        .start = start,
        .source = {alloc, release},
};

int device_start(void)
{
        return block_service_start(&device);
}

void device_set_discard(bool has)
{
        if (!serve_lock())
                return;
        device.info.flags = has ? NOVA_BLOCK_HAS_DISCARD : 0;
        serve_unlock();
}

void device_hold(bool hold)
{
        holds = hold;
}

unsigned device_in_flight(void)
{
        return __atomic_load_n(&waiting, __ATOMIC_ACQUIRE);
}

void device_limit_pools(unsigned most)
{
        __atomic_store_n(&pools_max, most, __ATOMIC_RELAXED);
}

unsigned device_pools(void)
{
        return __atomic_load_n(&pools, __ATOMIC_ACQUIRE);
}

/* Ends the request at a position in the list; called with the lock held. @return its session;
 * NULL: the list is shorter */
static const void *end_at(unsigned position)
{
        struct block_request **link = &first, *request;
        const void *session = NULL;

        while (*link && position-- > 0)
                link = &(*link)->next;
        request = *link;
        if (request) {
                *link = request->next;
                if (!*link)
                        last = link;
                waiting--;
                session = request->session;
                end(request);
        }
        return session;
}

const void *device_end(unsigned position)
{
        const void *session;

        if (!serve_lock())
                return NULL;
        session = end_at(position);
        if (session)
                block_serve();
        serve_unlock();
        return session;
}

void device_end_many(unsigned count)
{
        if (!serve_lock())
                return;
        while (count-- > 0 && end_at(0))
                continue;
        block_serve();
        serve_unlock();
}
