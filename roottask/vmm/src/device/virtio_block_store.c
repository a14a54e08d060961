/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks whose blocks are in a store (see novavmm/virtio_block.h). A request takes steps; the data
 * of a step is in the request's part of the store's buffer. */
#include <stddef.h>
#include <string.h>

#include "device/virtio_block.h"

/* Offsets in the configuration, for requests that discard and for requests that write zeroes:
 * maximum size of a range in sectors, maximum number of ranges. Discards also have an alignment. */
#define CONFIG_DISCARD_MAX    36
#define CONFIG_DISCARD_RANGES 40
#define CONFIG_DISCARD_ALIGN  44
#define CONFIG_ZEROES_MAX     48
#define CONFIG_ZEROES_RANGES  52

/* A flag of a range to be zeroed: its blocks may be discarded. This device writes zeroes anyway. */
#define RANGE_UNMAP 1u

#define REQUESTS_MASK (UINT32_MAX >> (32 - NOVA_VIRTIO_BLOCK_REQUESTS))

static uint8_t *buffer(const struct nova_virtio_block *block, unsigned number)
{
        return block->store->buffer + (size_t)number * NOVA_VIRTIO_BLOCK_STEP;
}

/* Returns a free request, or NULL. */
static struct nova_virtio_block_request *find_free(struct nova_virtio_block *block)
{
        const uint32_t free = ~block->used & REQUESTS_MASK;

        return free ? &block->request[__builtin_ctz(free)] : NULL;
}

static void occupy(struct nova_virtio_block *block, struct nova_virtio_block_request *request,
                   enum nova_virtio_block_state state)
{
        request->state = state;
        block->used |= 1u << request->step.request;
        block->in_flight++;
}

static void release(struct nova_virtio_block *block, struct nova_virtio_block_request *request)
{
        request->state = NOVA_VIRTIO_BLOCK_FREE;
        block->used &= ~(1u << request->step.request);
        block->in_flight--;
}

/* Starts a step, or starts it again. The guest may change the data of a write at any time; it only
 * damages its own disk. While the store is away, its buffer has no pages until the new session
 * maps some, and a write to the buffer would make the runtime map other memory there. */
static void start(const struct nova_virtio_block *block,
                  const struct nova_virtio_block_request *request)
{
        const struct nova_virtio_block_store *const store = block->store;
        const struct nova_virtio_block_step *const step = &request->step;

        if (store->is_up && !store->is_up(store->context))
                return;
        if (step->operation == NOVA_VIRTIO_BLOCK_WRITE && request->zeroes)
                memset(buffer(block, step->request), 0, step->bytes);
        else if (step->operation == NOVA_VIRTIO_BLOCK_WRITE)
                nova_virtio_read(&request->chain, sizeof(struct header) + request->done,
                                 buffer(block, step->request), step->bytes);
        store->start(store->context, step);
}

/* Sets the size of the next step and starts it. */
static void start_next(const struct nova_virtio_block *block,
                       struct nova_virtio_block_request *request)
{
        const uint64_t left = request->total - request->done;
        const uint32_t most = request->step.operation == NOVA_VIRTIO_BLOCK_DISCARD
                                      ? NOVA_VIRTIO_BLOCK_RANGE_MAX
                                      : block->store->step_bytes;

        request->step.bytes = left < most ? (uint32_t)left : most;
        start(block, request);
}

/* Returns a chain to the driver. The status is the last writable byte. */
static void end(struct nova_virtio_block *block, const struct nova_virtio_chain *chain,
                uint8_t status, uint64_t written)
{
        nova_virtio_write(chain, chain->write_bytes - 1, &status, 1);
        block->virtio.chain.head = chain->head;
        nova_virtio_give(&block->virtio, 0, (uint32_t)written + 1);
}

/* Returns true if a request may write @p request->total bytes that begin at @p sector, or discard
 * them. */
static bool may_write(const struct nova_virtio_block *block,
                      const struct nova_virtio_block_request *request, uint64_t sector)
{
        return !block->read_only &&
               novavmm_virtio_block_fits(block, sector, request->total, block->store->block_bytes);
}

/* A driver that cannot flush expects its completed writes to be durable. */
static bool flushes(const struct nova_virtio_block *block)
{
        return block->store->has_cache && !(block->virtio.accepted & FEATURE_FLUSH);
}

/* Chooses the first step of a request whose data is a range. @return as begin() */
static int begin_range(const struct nova_virtio_block *block, bool discard,
                       struct nova_virtio_block_request *request)
{
        const struct nova_virtio_chain *const chain = &request->chain;
        struct range range;

        if (!(block->virtio.accepted & (discard ? FEATURE_DISCARD : FEATURE_ZEROES)))
                return UNKNOWN;
        if (chain->read_bytes != sizeof(struct header) + sizeof(range))
                return FAILED;
        nova_virtio_read(chain, sizeof(struct header), &range, sizeof(range));
        if (range.flags & ~(discard ? 0 : RANGE_UNMAP))
                return UNKNOWN;
        request->total = (uint64_t)range.sectors * NOVA_SECTOR;
        if (request->total > NOVA_VIRTIO_BLOCK_RANGE_MAX ||
            !may_write(block, request, range.sector))
                return FAILED;
        request->step.operation = discard ? NOVA_VIRTIO_BLOCK_DISCARD : NOVA_VIRTIO_BLOCK_WRITE;
        request->step.offset = range.sector * NOVA_SECTOR;
        request->zeroes = !discard;
        request->flushes = !discard && flushes(block);
        return request->total ? -1 : DONE;
}

/* Chooses the first step of a request. @return the status of a request that fails or needs no step;
 * -1: @p request has its first step */
static int begin(struct nova_virtio_block *block, const struct header *header,
                 struct nova_virtio_block_request *request)
{
        const struct nova_virtio_chain *const chain = &request->chain;

        if (block->failed)
                return FAILED;
        request->flushes = request->zeroes = false;
        request->done = 0;
        request->total = 0;
        request->step.offset = header->sector * NOVA_SECTOR;
        switch (header->type) {
        case READ:
                request->total = chain->write_bytes - 1;
                request->step.operation = NOVA_VIRTIO_BLOCK_READ;
                if (!novavmm_virtio_block_fits(block, header->sector, request->total,
                                               block->store->block_bytes))
                        return FAILED;
                return request->total ? -1 : DONE;
        case WRITE:
                request->total = chain->read_bytes - sizeof(*header);
                request->step.operation = NOVA_VIRTIO_BLOCK_WRITE;
                if (!may_write(block, request, header->sector))
                        return FAILED;
                request->flushes = flushes(block);
                return request->total ? -1 : DONE;
        case DISCARD:
        case ZEROES:
                return begin_range(block, header->type == DISCARD, request);
        case FLUSH:
                request->step.operation = NOVA_VIRTIO_BLOCK_FLUSH;
                request->step.offset = 0;
                return -1;
        default:
                return UNKNOWN;
        }
}

/* Copies a chain, but only the pieces that are in use. */
static void keep_chain(struct nova_virtio_block_request *request,
                       const struct nova_virtio_chain *chain)
{
        memcpy(&request->chain, chain,
               offsetof(struct nova_virtio_chain, piece) + chain->pieces * sizeof(chain->piece[0]));
}

/* Begins the request of the chain that was taken. */
static bool take(struct nova_virtio_block *block)
{
        struct nova_virtio_block_request *const request = find_free(block);
        struct header header;

        if (!novavmm_virtio_block_header(block, &header))
                return false;
        if (header.type == IDENTIFY) {
                end(block, &block->virtio.chain, DONE,
                    novavmm_virtio_block_identify(&block->virtio.chain));
                return true;
        }
        keep_chain(request, &block->virtio.chain);

        const int status = begin(block, &header, request);

        if (status >= 0) {
                end(block, &request->chain, (uint8_t)status, 0);
                return true;
        }
        occupy(block, request, NOVA_VIRTIO_BLOCK_BUSY);
        start_next(block, request);
        return true;
}

/* Takes the chains for which there is room. While requests are in flight, no notification is
 * requested: completions and exits look for further chains. */
static void take_all(struct nova_virtio_block *block)
{
        struct nova_virtio *const virtio = &block->virtio;
        unsigned left = 2 * NOVA_VIRTIO_QUEUE_SIZE; /* chains that fail at once need no room */

        do {
                while (left && find_free(block) && nova_virtio_take(virtio, 0) && take(block))
                        left--;
                virtio->again = block->in_flight || !left;
        } while (!virtio->again && nova_virtio_listen(virtio, 0));
        if (!left)
                nova_virtio_pause(virtio);
        block->store->kick(block->store->context);
}

static void notify(struct nova_virtio *virtio, unsigned queue)
{
        (void)queue;
        take_all((struct nova_virtio_block *)virtio);
}

static void poll(struct nova_virtio *virtio)
{
        const struct nova_virtio_block_store *const store =
                ((const struct nova_virtio_block *)virtio)->store;

        store->poll(store->context);
}

/* Abandons the requests in flight: the driver gets back its buffers, so the store's answers must
 * not reach them. */
static void reset(struct nova_virtio *virtio)
{
        struct nova_virtio_block *const block = (struct nova_virtio_block *)virtio;

        for (unsigned i = 0; i < NOVA_VIRTIO_BLOCK_REQUESTS; i++)
                if (block->request[i].state == NOVA_VIRTIO_BLOCK_BUSY)
                        block->request[i].state = NOVA_VIRTIO_BLOCK_ABANDONED;
}

/* Continues a request after a step.
 * @return false if the request has ended */
static bool go_on(struct nova_virtio_block *block, struct nova_virtio_block_request *request)
{
        const struct nova_virtio_block_store *const store = block->store;

        if (request->step.operation == NOVA_VIRTIO_BLOCK_READ) {
                nova_virtio_write(&request->chain, request->done,
                                  buffer(block, request->step.request), request->step.bytes);
                if (!store->check(store->context, &request->step))
                        return true;
        }
        request->done += request->step.bytes;
        request->step.offset += request->step.bytes;
        if (request->done < request->total) {
                start_next(block, request);
                return true;
        }
        if (!request->flushes)
                return false;
        request->flushes = false;
        request->step.operation = NOVA_VIRTIO_BLOCK_FLUSH;
        request->step.offset = 0;
        start_next(block, request);
        return true;
}

void nova_virtio_block_done(struct nova_virtio_block *block, unsigned number, int error)
{
        struct nova_virtio_block_request *const request = &block->request[number];

        if (number >= NOVA_VIRTIO_BLOCK_REQUESTS || request->state == NOVA_VIRTIO_BLOCK_FREE)
                return;
        if (request->state == NOVA_VIRTIO_BLOCK_BUSY) {
                const bool reads = request->step.operation == NOVA_VIRTIO_BLOCK_READ;

                if (!error && go_on(block, request)) {
                        block->store->kick(block->store->context);
                        return;
                }
                end(block, &request->chain, error ? FAILED : DONE, reads ? request->done : 0);
        }
        release(block, request);
        take_all(block);
}

void nova_virtio_block_restart(struct nova_virtio_block *block)
{
        for (unsigned i = 0; i < NOVA_VIRTIO_BLOCK_REQUESTS; i++) {
                struct nova_virtio_block_request *const request = &block->request[i];

                if (request->state == NOVA_VIRTIO_BLOCK_ABANDONED)
                        release(block, request);
                else if (request->state == NOVA_VIRTIO_BLOCK_BUSY)
                        start(block, request);
        }
        take_all(block);
}

/* Offers requests with one range each. */
static void offer_ranges(struct nova_virtio_block *block)
{
        const uint32_t sectors = NOVA_VIRTIO_BLOCK_RANGE_MAX / NOVA_SECTOR, ranges = 1;
        const uint32_t align = block->store->block_bytes / NOVA_SECTOR;
        uint8_t *const config = block->virtio.config;

        if (block->read_only)
                return;
        block->virtio.offered |= FEATURE_ZEROES;
        memcpy(config + CONFIG_ZEROES_MAX, &sectors, sizeof(sectors));
        memcpy(config + CONFIG_ZEROES_RANGES, &ranges, sizeof(ranges));
        if (!block->store->has_discard)
                return;
        block->virtio.offered |= FEATURE_DISCARD;
        memcpy(config + CONFIG_DISCARD_MAX, &sectors, sizeof(sectors));
        memcpy(config + CONFIG_DISCARD_RANGES, &ranges, sizeof(ranges));
        memcpy(config + CONFIG_DISCARD_ALIGN, &align, sizeof(align));
}

void nova_virtio_block_init_store(struct nova_virtio_block *block,
                                  const struct nova_guest_memory *memory,
                                  const struct nova_virtio_block_store *store, uint32_t busy)
{
        static const struct nova_virtio_class kind = {
                NOVA_VIRTIO_BLOCK, "block", NOVAVMM_BLOCK_FEATURES, 1, notify, reset};

        memset(block, 0, sizeof(*block));
        block->store = store;
        block->sectors = store->bytes / NOVA_SECTOR;
        block->read_only = store->read_only;
        for (unsigned i = 0; i < NOVA_VIRTIO_BLOCK_REQUESTS; i++) {
                block->request[i].step.request = i;
                if (busy >> i & 1)
                        occupy(block, &block->request[i], NOVA_VIRTIO_BLOCK_ABANDONED);
        }
        novavmm_virtio_block_make(block, &kind, memory, store->block_bytes);
        if (store->poll)
                block->virtio.after_exit = poll;
        offer_ranges(block);
}
