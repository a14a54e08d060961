/* SPDX-License-Identifier: BSD-2-Clause */
/* Client of block services: the client's end of the ring. */
#include "novart/service/block.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "service/client/ring.h"

#define TRIES 10 /* maximum number of repetitions of a request whose service ends */

/* Number of words of nova_block_info without the identity. */
#define OLD_WORDS NOVA_WORDS_OF(offsetof(struct nova_block_info, identity))

enum slot_state { SLOT_FREE, SLOT_BUSY, SLOT_LOST };

struct slot {
        void *cookie;
        enum slot_state state;
};

struct nova_block {
        struct ring_session of; /* the first member */
        struct ring_end end;
        struct nova_block_info info;
        struct nova_block_ring *ring;
        nova_word_t use;               /* the claimed use; 0: none */
        struct nova_block_range range; /* the restriction; count 0: none */
        bool begun;                    /* the service knows the restriction and the claim */
        bool told;                     /* the message about another disk was printed */
        unsigned used, lost;           /* number of slots that are not free; number of lost ones */
        struct slot slot[NOVA_BLOCK_ENTRIES];
};

/* The size of a block never changes, because the program has buffers of this size. */
static bool is_valid(const struct nova_block *block, const struct nova_block_info *info)
{
        const uint32_t bytes = info->block_bytes, before = block->info.block_bytes;

        return bytes >= 512 && bytes <= NOVA_PAGE_SIZE && !(bytes & (bytes - 1)) &&
               (!before || bytes == before) && info->request_max && info->segments;
}

/* A service that has started again may have another disk, for example because the first disk has
 * failed. A write would destroy data of the other disk. @return 0 or ENODEV */
static int check_identity(struct nova_block *block, const struct nova_block_info *info)
{
        if (!block->info.block_bytes || info->identity == block->info.identity)
                return 0;
        if (!block->told)
                fprintf(stderr, "the block service has started again with another disk, which this "
                                "session does not use; connect the first disk again, or restart "
                                "this program.\n");
        block->told = true;
        return ENODEV;
}

/* Asks for the properties of the disk, and checks that it is the session's first disk. */
static int ask_info(struct nova_block *block, struct nova_block_info *info)
{
        nova_word_t words[NOVA_WORDS_OF(sizeof(*info))] = {0};
        struct nova_message message = {.operation = NOVA_BLOCK_INFO,
                                       .answer = words,
                                       .answer_max = sizeof(words) / sizeof(words[0])};
        const int error = nova_session_call(block->of.session, &message);

        if (error)
                return error;
        if (message.answer_count < OLD_WORDS)
                return EPROTO;
        memcpy(info, words, sizeof(*info));
        return check_identity(block, info);
}

static int get_info(struct nova_block *block)
{
        struct nova_block_info info;
        const int error = ask_info(block, &info);

        if (error)
                return error;
        if (!is_valid(block, &info))
                return EPROTO;
        block->info = info;
        return 0;
}

/* Claims the blocks, if the session has a claim. */
static int claim(const struct nova_block *block)
{
        struct nova_message message = {
                .operation = NOVA_BLOCK_CLAIM, .words = &block->use, .word_count = 1};

        return block->use ? novart_ring_call(&block->of, &message) : 0;
}

static int send_range(const struct nova_block *block, const struct nova_block_range *range)
{
        nova_word_t words[NOVA_WORDS_OF(sizeof(*range))] = {0};
        struct nova_message message = {.operation = NOVA_BLOCK_RESTRICT,
                                       .words = words,
                                       .word_count = sizeof(words) / sizeof(words[0])};

        memcpy(words, range, sizeof(*range));
        return nova_session_call(block->of.session, &message);
}

/* A session that was opened again has all blocks, so it is restricted again. The disk is checked
 * first, because another disk may lack the blocks of the restriction. */
static int limit(struct ring_session *session)
{
        struct nova_block *block = (struct nova_block *)session;
        struct nova_block_info info;
        int error;

        if (!block->range.count)
                return 0;
        error = ask_info(block, &info);
        return error ? error : send_range(block, &block->range);
}

static int begin(struct ring_session *session)
{
        struct nova_block *block = (struct nova_block *)session;
        int error;

        block->end.submitted = 0;
        block->end.reaped = 0;
        error = get_info(block);
        if (!error)
                error = claim(block);
        block->begun = !error;
        return error;
}

int nova_block_open(struct nova_block **opened, const char *service, const char *arguments,
                    size_t pool_bytes)
{
        const size_t least = (size_t)NOVA_PAGE_SIZE << NOVA_BLOCK_RING_ORDER;
        struct nova_block *block;
        int error;

        if (pool_bytes > (size_t)NOVA_PAGE_SIZE << NOVA_BLOCK_POOL_ORDER_MAX)
                return EINVAL;
        block = calloc(1, sizeof(*block));
        if (!block)
                return ENOMEM;
        block->of = (struct ring_session){.pool_bytes = least,
                                          .ring_bytes = sizeof(*block->ring),
                                          .magic = NOVA_BLOCK_MAGIC,
                                          .attach = NOVA_BLOCK_ATTACH,
                                          .semaphores = NOVA_BLOCK_SEMAPHORES,
                                          .limit = limit,
                                          .begin = begin};
        error = novart_ring_init(&block->of, "blocks", pool_bytes);
        block->ring = (struct nova_block_ring *)block->of.rings;
        block->end.ring = &block->ring->head;
        if (!error)
                error = novart_ring_reach(&block->of, service, arguments);
        if (error)
                nova_block_close(block);
        else
                *opened = block;
        return error;
}

void nova_block_close(struct nova_block *block)
{
        novart_ring_fini(&block->of);
        free(block);
}

const struct nova_block_info *nova_block_get_info(const struct nova_block *block)
{
        return &block->info;
}

void *nova_block_pool(const struct nova_block *block, size_t *bytes)
{
        *bytes = block->of.pool_bytes;
        return block->of.pool;
}

unsigned nova_block_room(const struct nova_block *block)
{
        return NOVA_BLOCK_ENTRIES - block->used;
}

int nova_block_check(const struct nova_block *block, size_t offset, size_t bytes)
{
        return novart_ring_owned(&block->of, offset, bytes) ? 0 : ECONNRESET;
}

/* Returns true if the data of a write still lies in pages of the service. These pages may vanish
 * before the ring does. A service that still sees the ring would then write other data. */
static bool data_valid(const struct nova_block *block, const struct nova_block_request *request)
{
        for (unsigned i = 0; i < request->segment_count; i++) {
                const size_t offset = request->segments[i].offset;
                const size_t bytes = request->segments[i].bytes;

                if (offset < block->of.pool_bytes && bytes <= block->of.pool_bytes - offset &&
                    nova_block_check(block, offset, bytes))
                        return false;
        }
        return true;
}

static uint32_t take_slot(struct nova_block *block, void *cookie)
{
        uint32_t tag = block->end.submitted % NOVA_BLOCK_ENTRIES;

        while (block->slot[tag].state != SLOT_FREE)
                tag = (tag + 1) % NOVA_BLOCK_ENTRIES;
        block->slot[tag] = (struct slot){cookie, SLOT_BUSY};
        block->used++;
        return tag;
}

static void put(struct nova_block *block, const struct nova_block_request *request)
{
        struct nova_block_entry *entry =
                &block->ring->entry[block->end.submitted % NOVA_BLOCK_ENTRIES];

        entry->block = request->block;
        entry->blocks = request->blocks;
        entry->tag = take_slot(block, request->cookie);
        entry->operation = (uint16_t)request->operation;
        entry->segment_count = (uint16_t)request->segment_count;
        entry->reserved = 0;
        for (unsigned i = 0; i < request->segment_count; i++)
                entry->segment[i] = request->segments[i];
        block->end.submitted++;
}

int nova_block_submit(struct nova_block *block, const struct nova_block_request *requests,
                      unsigned count)
{
        if (count > nova_block_room(block))
                return EAGAIN;
        novart_ring_look(&block->of);
        for (unsigned i = 0; i < count; i++) {
                if (requests[i].segment_count > NOVA_BLOCK_SEGMENTS)
                        return EINVAL;
                if (requests[i].operation == NOVA_BLOCK_WRITE && !data_valid(block, &requests[i]))
                        return ECONNRESET;
        }
        if (!block->begun || !novart_ring_alive(&block->of))
                return ECONNRESET;
        for (unsigned i = 0; i < count; i++)
                put(block, &requests[i]);
        if (novart_ring_submit(&block->end))
                nova_sm_up(block->of.doorbell);
        return 0;
}

static int free_slot(struct nova_block *block, struct slot *slot, int error,
                     struct nova_block_result *result)
{
        *result = (struct nova_block_result){slot->cookie, error};
        slot->state = SLOT_FREE;
        block->used--;
        return 0;
}

static int reap_lost(struct nova_block *block, struct nova_block_result *result)
{
        struct slot *slot = block->slot;

        while (slot->state != SLOT_LOST)
                slot++;
        block->lost--;
        return free_slot(block, slot, EIO, result);
}

int nova_block_reap(struct nova_block *block, struct nova_block_result *result)
{
        struct nova_ring_completion completion;
        bool some;

        if (block->lost)
                return reap_lost(block, result);
        some = novart_ring_peek(&block->end, &completion, NOVA_BLOCK_ENTRIES);
        if (!block->begun || !novart_ring_alive(&block->of))
                return ECONNRESET;
        if (!some)
                return EAGAIN;
        novart_ring_reap(&block->end);
        if (completion.tag >= NOVA_BLOCK_ENTRIES || block->slot[completion.tag].state != SLOT_BUSY)
                return EPROTO;
        return free_slot(block, &block->slot[completion.tag], (int)completion.result, result);
}

void nova_block_mute(struct nova_block *block)
{
        __atomic_store_n(&block->ring->head.client_waits, 0, __ATOMIC_RELAXED);
}

bool nova_block_unmute(struct nova_block *block)
{
        return novart_ring_request_bell(&block->end);
}

int nova_block_listen(const struct nova_block *block, uint64_t deadline)
{
        if (novart_ring_request_bell(&block->end))
                return 0;
        return novart_ring_listen(&block->of, deadline);
}

int nova_block_wait(struct nova_block *block, struct nova_block_result *result, uint64_t deadline)
{
        for (;;) {
                int error = nova_block_reap(block, result);

                if (error != EAGAIN)
                        return error;
                if (!block->used)
                        return ENODATA;
                error = nova_block_listen(block, deadline);
                if (error)
                        return error;
        }
}

int nova_block_reopen(struct nova_block *block)
{
        int error;

        block->begun = false;
        error = novart_ring_reach(&block->of, NULL, NULL);
        if (error)
                return error;
        for (unsigned i = 0; i < NOVA_BLOCK_ENTRIES; i++) {
                if (block->slot[i].state != SLOT_BUSY)
                        continue;
                block->slot[i].state = SLOT_LOST;
                block->lost++;
        }
        return 0;
}

/* The data that a request of nova_block_read() and similar functions copies. */
struct copy {
        void *to;
        const void *from;
        size_t bytes;
};

/* Makes one attempt at a request. After the service's end the pool is empty, so each attempt copies
 * the data of a write again. */
static int try_once(struct nova_block *block, const struct nova_block_request *request,
                    const struct copy *copy)
{
        struct nova_block_result result;
        int error = 0;

        while (!error && block->lost)
                error = nova_block_reap(block, &result);
        if (copy->from && !error)
                memcpy(block->of.pool, copy->from, copy->bytes);
        if (!error)
                error = nova_block_submit(block, request, 1);
        if (!error)
                error = nova_block_wait(block, &result, NOVA_FOREVER);
        if (!error)
                error = result.error;
        if (copy->to && !error) {
                memcpy(copy->to, block->of.pool, copy->bytes);
                error = nova_block_check(block, 0, copy->bytes);
        }
        return error;
}

/* Executes one request. Repeats it up to TRIES times if the service ends meanwhile. */
static int execute(struct nova_block *block, const struct nova_block_request *request,
                   const struct copy *copy)
{
        int error;

        if (block->used)
                return EBUSY;
        error = try_once(block, request, copy);
        for (unsigned tries = 0; tries < TRIES && error == ECONNRESET; tries++) {
                error = nova_block_reopen(block);
                if (!error)
                        error = try_once(block, request, copy);
        }
        if (block->used) { /* an error of the session; the request has no result */
                memset(block->slot, 0, sizeof(block->slot));
                block->used = 0;
                block->lost = 0;
        }
        return error;
}

static int transfer(struct nova_block *block, struct nova_block_request *request, uint32_t count,
                    struct copy copy)
{
        const uint32_t size = block->info.block_bytes;
        const uint32_t fit = (uint32_t)(block->of.pool_bytes / size);
        const uint32_t most = fit < block->info.request_max ? fit : block->info.request_max;
        struct nova_block_segment segment = {0, 0};
        int error = 0;

        request->segments = &segment;
        request->segment_count = 1;
        while (count && !error) {
                const uint32_t now = count < most ? count : most;

                segment.bytes = now * size;
                copy.bytes = segment.bytes;
                error = execute(block, request, &copy);
                if (copy.to)
                        copy.to = (char *)copy.to + copy.bytes;
                else
                        copy.from = (const char *)copy.from + copy.bytes;
                request->block += now;
                count -= now;
        }
        request->segments = NULL;
        return error;
}

int nova_block_read(struct nova_block *block, uint64_t first, uint32_t count, void *to)
{
        struct nova_block_request request = {.operation = NOVA_BLOCK_READ, .block = first};

        return transfer(block, &request, count, (struct copy){.to = to});
}

int nova_block_write(struct nova_block *block, uint64_t first, uint32_t count, const void *from)
{
        struct nova_block_request request = {.operation = NOVA_BLOCK_WRITE, .block = first};

        return transfer(block, &request, count, (struct copy){.from = from});
}

int nova_block_flush(struct nova_block *block)
{
        const struct nova_block_request request = {.operation = NOVA_BLOCK_FLUSH};

        return execute(block, &request, &(struct copy){.bytes = 0});
}

int nova_block_discard(struct nova_block *block, uint64_t first, uint32_t count)
{
        const struct nova_block_request request = {
                .operation = NOVA_BLOCK_DISCARD, .block = first, .blocks = count};

        return execute(block, &request, &(struct copy){.bytes = 0});
}

/* The new range is relative to the range that the session had before. */
int nova_block_restrict(struct nova_block *block, const struct nova_block_range *range)
{
        const struct nova_block_range before = block->range;
        const int error = block->begun ? send_range(block, range) : ECONNRESET;

        if (error)
                return error;
        block->range = *range;
        block->range.first += before.first;
        block->range.read_only |= before.read_only;
        if (before.requests && (!range->requests || before.requests < range->requests))
                block->range.requests = before.requests;
        return get_info(block);
}

int nova_block_claim(struct nova_block *block, enum nova_block_use use)
{
        const nova_word_t before = block->use;
        int error;

        block->use = use;
        error = block->begun ? claim(block) : ECONNRESET;
        if (error == ECONNRESET && !block->used)
                error = nova_block_reopen(block); /* which also claims the blocks */
        if (error)
                block->use = before;
        return error;
}

struct nova_block_parts nova_block_get_parts(const struct nova_block *block)
{
        const unsigned order = nova_crd_order_for(block->of.pool_bytes >> NOVA_PAGE_BITS);
        const nova_word_t page = (nova_word_t)block->of.rings >> NOVA_PAGE_BITS;
        const struct nova_block_parts parts = {
                .ring = nova_crd_mem(page, NOVA_BLOCK_RING_ORDER, NOVA_MEM_R | NOVA_MEM_W),
                .pool = nova_crd_mem(page + ((nova_word_t)1 << order), order,
                                     NOVA_MEM_R | NOVA_MEM_W),
                .doorbell = nova_crd_obj(block->of.doorbell, 0, NOVA_SM_UP),
                .bell = nova_crd_obj(block->of.doorbell + 1, 0, NOVA_SM_DN)};

        return parts;
}
