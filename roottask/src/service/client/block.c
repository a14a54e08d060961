/* SPDX-License-Identifier: BSD-2-Clause */
/* Client of block services: the client's end of the ring. */
#include "novart/service/block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory/region.h"
#include "nova/crd.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/time.h"

#define TRIES      10       /* attempts at a request if the service ends again and again */
#define TRIES_OPEN 100      /* maximum number of attempts to open a session */
#define PAUSE_NS   10000000 /* ns between two attempts: a service takes a moment to end */

enum slot_state { SLOT_FREE, SLOT_BUSY, SLOT_LOST };

struct slot {
        void *cookie;
        enum slot_state state;
};

struct nova_block {
        struct nova_session *session;
        struct nova_block_info info;
        struct nova_block_ring *ring; /* the first half of the region; the pool is the second */
        char *pool;
        size_t pool_bytes;
        nova_sel_t doorbell; /* and the bell after it */
        uint32_t submitted;
        uint32_t reaped;     /* also read by a thread in nova_block_listen() */
        bool lacks;          /* the pages did not arrive */
        nova_word_t use;     /* the claimed one; 0: none */
        unsigned used, lost; /* bitmaps of slots: not free, and lost */
        struct slot slot[NOVA_BLOCK_ENTRIES];
};

static int get_info(struct nova_block *block)
{
        nova_word_t words[NOVA_WORDS_OF(sizeof(block->info))];
        struct nova_message message = {.operation = NOVA_BLOCK_INFO,
                                       .answer = words,
                                       .answer_max = sizeof(words) / sizeof(words[0])};
        const int error = nova_session_call(block->session, &message);

        if (error)
                return error;
        if (message.answer_count < message.answer_max)
                return EPROTO;
        memcpy(&block->info, words, sizeof(block->info));

        const uint32_t bytes = block->info.block_bytes;

        return bytes < 512 || bytes > NOVA_PAGE_SIZE || (bytes & (bytes - 1)) ||
                               !block->info.request_max || !block->info.segments
                       ? EPROTO
                       : 0;
}

/* Returns true if the pages of an address have arrived. */
static bool arrived(const void *addr, size_t bytes)
{
        const nova_word_t page = (nova_word_t)addr >> NOVA_PAGE_BITS;
        nova_crd_t crd = nova_crd_mem(page + (bytes >> NOVA_PAGE_BITS) - 1, 0, 0);

        return nova_lookup(&crd) == NOVA_SUCCESS && nova_crd_type(crd) == NOVA_CRD_MEM;
}

/* Returns true if the ring has belonged to the service until now. Called after the data was
 * read. */
static bool alive(const struct nova_block *block)
{
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        return __atomic_load_n(&block->ring->magic, __ATOMIC_RELAXED) == NOVA_BLOCK_MAGIC;
}

/* Makes a call that fails with EAGAIN until the service has ended the session of a client that has
 * died. */
static int call_patiently(const struct nova_block *block, struct nova_message *message)
{
        int error = nova_session_call(block->session, message);

        for (unsigned tries = 1; error == EAGAIN && tries < TRIES_OPEN; tries++) {
                nova_sleep(PAUSE_NS);
                error = nova_session_call(block->session, message);
        }
        return error;
}

/* Lazy pages may have replaced the lost pages. They must be freed before the new pages arrive. */
static int attach(struct nova_block *block)
{
        const unsigned order = nova_crd_order_for(block->pool_bytes >> NOVA_PAGE_BITS);
        const nova_word_t word = order;
        struct nova_message message = {
                .operation = NOVA_BLOCK_ATTACH,
                .words = &word,
                .word_count = 1,
                .window = nova_crd_mem((nova_word_t)block->ring >> NOVA_PAGE_BITS, order + 1,
                                       NOVA_MEM_R | NOVA_MEM_W)};

        novart_region_decommit(block->ring, 2 * block->pool_bytes);

        const int error = call_patiently(block, &message);

        if (error)
                return error == EAGAIN ? ENOMEM : error;
        block->submitted = 0;
        block->reaped = 0;
        block->lacks = !arrived(block->ring, sizeof(*block->ring)) ||
                       !arrived(block->pool, block->pool_bytes);
        /* there is too little kernel memory, or the service has ended since */
        return !block->lacks && alive(block) ? 0 : ECONNRESET;
}

static int get_semaphores(struct nova_block *block)
{
        struct nova_message message = {.operation = NOVA_BLOCK_SEMAPHORES,
                                       .window = nova_crd_obj(block->doorbell, 1, NOVA_PERM_ALL)};

        nova_revoke(message.window, NOVA_REVOKE_SR);
        return nova_session_call(block->session, &message);
}

/* Claims the blocks, if the session has a claim. */
static int claim(const struct nova_block *block)
{
        struct nova_message message = {
                .operation = NOVA_BLOCK_CLAIM, .words = &block->use, .word_count = 1};

        return block->use ? call_patiently(block, &message) : 0;
}

static int connect(struct nova_block *block)
{
        int error = attach(block);

        if (!error)
                error = get_semaphores(block);
        if (!error)
                error = get_info(block);
        return error ? error : claim(block);
}

/* Opens or reopens the session, and repeats this if the service ends meanwhile. */
static int reach(struct nova_block *block, const char *service, const char *arguments)
{
        int error = ECONNRESET;

        for (unsigned tries = 0; tries < TRIES_OPEN && error == ECONNRESET; tries++) {
                if (tries)
                        nova_sleep(PAUSE_NS);
                error = block->session ? nova_session_reopen(block->session)
                                       : nova_session_open(&block->session, service, arguments);
                if (!error)
                        error = connect(block);
        }
        return error == ECONNRESET && block->lacks ? ENOMEM : error;
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
        for (block->pool_bytes = least; block->pool_bytes < pool_bytes;)
                block->pool_bytes *= 2;
        block->doorbell = nova_sel_alloc(1);
        block->ring = nova_region_lazy("blocks", 2 * block->pool_bytes);
        block->pool = (char *)block->ring + block->pool_bytes;
        error = block->ring && block->doorbell != NOVA_SEL_NONE ? reach(block, service, arguments)
                                                                : ENOMEM;
        if (error)
                nova_block_close(block);
        else
                *opened = block;
        return error;
}

void nova_block_close(struct nova_block *block)
{
        if (block->session)
                nova_session_close(block->session);
        if (block->ring)
                nova_region_free(block->ring);
        if (block->doorbell != NOVA_SEL_NONE)
                nova_sel_release(block->doorbell, 1);
        free(block);
}

const struct nova_block_info *nova_block_get_info(const struct nova_block *block)
{
        return &block->info;
}

void *nova_block_pool(const struct nova_block *block, size_t *bytes)
{
        *bytes = block->pool_bytes;
        return block->pool;
}

unsigned nova_block_room(const struct nova_block *block)
{
        return NOVA_BLOCK_ENTRIES - block->used;
}

int nova_block_check(const struct nova_block *block, size_t offset, size_t bytes)
{
        return novart_region_has_memory((nova_word_t)block->pool + offset, bytes) ? ECONNRESET : 0;
}

/* Returns true if the data of a write lies in pages of the service. If the data pages vanished
 * before the ring, the service that still sees the ring would write other data. */
static bool data_valid(const struct nova_block *block, const struct nova_block_request *request)
{
        for (unsigned i = 0; i < request->segment_count; i++) {
                const size_t offset = request->segments[i].offset;
                const size_t bytes = request->segments[i].bytes;

                if (offset < block->pool_bytes && bytes <= block->pool_bytes - offset &&
                    nova_block_check(block, offset, bytes))
                        return false;
        }
        return true;
}

static uint32_t take_slot(struct nova_block *block, void *cookie)
{
        uint32_t tag = block->submitted % NOVA_BLOCK_ENTRIES;

        while (block->slot[tag].state != SLOT_FREE)
                tag = (tag + 1) % NOVA_BLOCK_ENTRIES;
        block->slot[tag] = (struct slot){cookie, SLOT_BUSY};
        block->used++;
        return tag;
}

static void put(struct nova_block *block, const struct nova_block_request *request)
{
        struct nova_block_entry *entry = &block->ring->entry[block->submitted % NOVA_BLOCK_ENTRIES];

        entry->block = request->block;
        entry->blocks = request->blocks;
        entry->tag = take_slot(block, request->cookie);
        entry->operation = (uint16_t)request->operation;
        entry->segment_count = (uint16_t)request->segment_count;
        entry->reserved = 0;
        for (unsigned i = 0; i < request->segment_count; i++)
                entry->segment[i] = request->segments[i];
        block->submitted++;
}

int nova_block_submit(struct nova_block *block, const struct nova_block_request *requests,
                      unsigned count)
{
        if (count > nova_block_room(block))
                return EAGAIN;
        for (unsigned i = 0; i < count; i++) {
                if (requests[i].segment_count > NOVA_BLOCK_SEGMENTS)
                        return EINVAL;
                if (requests[i].operation == NOVA_BLOCK_WRITE && !data_valid(block, &requests[i]))
                        return ECONNRESET;
        }
        if (!alive(block))
                return ECONNRESET;
        for (unsigned i = 0; i < count; i++)
                put(block, &requests[i]);
        __atomic_store_n(&block->ring->submitted, block->submitted, __ATOMIC_RELEASE);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (__atomic_load_n(&block->ring->service_waits, __ATOMIC_RELAXED))
                nova_sm_up(block->doorbell);
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
        struct nova_block_ring *ring = block->ring;

        if (block->lost)
                return reap_lost(block, result);

        const bool some = __atomic_load_n(&ring->completed, __ATOMIC_ACQUIRE) != block->reaped;
        const struct nova_block_completion completion =
                ring->completion[block->reaped % NOVA_BLOCK_ENTRIES];

        if (!alive(block))
                return ECONNRESET;
        if (!some)
                return EAGAIN;
        __atomic_store_n(&block->reaped, block->reaped + 1, __ATOMIC_RELAXED);
        __atomic_store_n(&ring->reaped, block->reaped, __ATOMIC_RELEASE);
        if (completion.tag >= NOVA_BLOCK_ENTRIES || block->slot[completion.tag].state != SLOT_BUSY)
                return EPROTO;
        return free_slot(block, &block->slot[completion.tag], (int)completion.error, result);
}

/* Requests an up of the bell for later completions.
 * @return true if there is a completion already. Another thread may reap meanwhile. */
static bool request_bell(const struct nova_block *block)
{
        __atomic_store_n(&block->ring->client_waits, 1, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        return __atomic_load_n(&block->ring->completed, __ATOMIC_ACQUIRE) !=
               __atomic_load_n(&block->reaped, __ATOMIC_RELAXED);
}

void nova_block_mute(struct nova_block *block)
{
        __atomic_store_n(&block->ring->client_waits, 0, __ATOMIC_RELAXED);
}

bool nova_block_unmute(struct nova_block *block)
{
        return request_bell(block);
}

int nova_block_listen(const struct nova_block *block, uint64_t deadline)
{
        if (request_bell(block))
                return 0;
        if (!alive(block))
                return ECONNRESET;

        const enum nova_status status =
                nova_sm_down_until(block->doorbell + 1, NOVA_SM_ZC, deadline);

        if (status == NOVA_COM_TIM)
                return ETIMEDOUT;
        return status == NOVA_SUCCESS ? 0 : ECONNRESET;
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
        const uint32_t block_bytes = block->info.block_bytes;
        const int error = reach(block, NULL, NULL);

        if (error)
                return error;
        if (block->info.block_bytes != block_bytes)
                return EPROTO;
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

/* The pool is empty after the service's end, so each attempt copies the data of a write again. */
static int try_once(struct nova_block *block, const struct nova_block_request *request,
                    const struct copy *copy)
{
        struct nova_block_result result;
        int error = 0;

        while (!error && block->lost)
                error = nova_block_reap(block, &result);
        if (copy->from && !error)
                memcpy(block->pool, copy->from, copy->bytes);
        if (!error)
                error = nova_block_submit(block, request, 1);
        if (!error)
                error = nova_block_wait(block, &result, NOVA_FOREVER);
        if (!error)
                error = result.error;
        if (copy->to && !error) {
                memcpy(copy->to, block->pool, copy->bytes);
                error = nova_block_check(block, 0, copy->bytes);
        }
        return error;
}

/* Executes one request and repeats it while the service ends. */
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
        const uint32_t fit = (uint32_t)(block->pool_bytes / size);
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

int nova_block_restrict(struct nova_block *block, const struct nova_block_range *range)
{
        nova_word_t words[NOVA_WORDS_OF(sizeof(*range))] = {0};
        struct nova_message message = {.operation = NOVA_BLOCK_RESTRICT,
                                       .words = words,
                                       .word_count = sizeof(words) / sizeof(words[0])};

        memcpy(words, range, sizeof(*range));

        const int error = nova_session_call(block->session, &message);

        return error ? error : get_info(block);
}

int nova_block_claim(struct nova_block *block, enum nova_block_use use)
{
        const nova_word_t before = block->use;
        int error;

        block->use = use;
        error = claim(block);
        if (error == ECONNRESET && !block->used)
                error = nova_block_reopen(block); /* which claims them */
        if (error)
                block->use = before;
        return error;
}

struct nova_block_parts nova_block_get_parts(const struct nova_block *block)
{
        const unsigned order = nova_crd_order_for(block->pool_bytes >> NOVA_PAGE_BITS);
        const nova_word_t page = (nova_word_t)block->ring >> NOVA_PAGE_BITS;
        const struct nova_block_parts parts = {
                .ring = nova_crd_mem(page, NOVA_BLOCK_RING_ORDER, NOVA_MEM_R | NOVA_MEM_W),
                .pool = nova_crd_mem(page + ((nova_word_t)1 << order), order,
                                     NOVA_MEM_R | NOVA_MEM_W),
                .doorbell = nova_crd_obj(block->doorbell, 0, NOVA_SM_UP),
                .bell = nova_crd_obj(block->doorbell + 1, 0, NOVA_SM_DN)};

        return parts;
}
