/* SPDX-License-Identifier: BSD-2-Clause */
/* Code that all virtio disks share, and disks in memory (see novavmm/virtio_block.h); Virtual I/O
 * Device Specification 1.2, 5.2. */
#include "device/virtio_block.h"

#include <string.h>

#define FEATURE_SEGMENTS  (1u << 2)
#define FEATURE_READ_ONLY (1u << 5)
#define FEATURE_BLOCK     (1u << 6)

/* Configuration. */
#define CONFIG_SECTORS  0
#define CONFIG_SEGMENTS 12
#define CONFIG_BLOCK    20

/* Maximum number of pieces of data in a request, besides the header and the status byte. */
#define DATA_PIECES (NOVA_VIRTIO_QUEUE_SIZE - 2u)

#define GOES_ON -1 /* in place of a status: the request has data left */

static const char identity[20] = "novavmm";

bool novavmm_virtio_block_fits(const struct nova_virtio_block *block, uint64_t sector,
                               uint64_t bytes, uint32_t unit)
{
        return bytes % unit == 0 && sector % (unit / NOVA_SECTOR) == 0 &&
               sector <= block->sectors && bytes / NOVA_SECTOR <= block->sectors - sector;
}

uint64_t novavmm_virtio_block_identify(const struct nova_virtio_chain *chain)
{
        const uint64_t room = chain->write_bytes - 1;
        const uint64_t bytes = room < sizeof(identity) ? room : sizeof(identity);

        nova_virtio_write(chain, 0, identity, bytes);
        return bytes;
}

/* Copies the next part of a request's data. The driver can change the size of the data between two
 * turns.
 * @return DONE, or GOES_ON if more is left */
static int copy(struct nova_virtio_block *block, const struct header *header, uint64_t total)
{
        const struct nova_virtio_chain *const chain = &block->virtio.chain;
        const uint64_t from = block->copied < total ? block->copied : total;
        const uint64_t left = total - from;
        const uint64_t part = left < NOVA_VIRTIO_BLOCK_TURN ? left : NOVA_VIRTIO_BLOCK_TURN;
        uint8_t *const at = block->data + header->sector * NOVA_SECTOR + from;

        if (header->type == READ)
                nova_virtio_write(chain, from, at, part);
        else
                nova_virtio_read(chain, sizeof(*header) + from, at, part);
        block->copied = from + part;
        return part < left ? GOES_ON : DONE;
}

/* Serves a request. @p room: bytes that may be written before the status.
 * @return the status, or GOES_ON */
static int perform(struct nova_virtio_block *block, const struct header *header, uint64_t room,
                   uint64_t *written)
{
        const struct nova_virtio_chain *const chain = &block->virtio.chain;
        const uint64_t data = chain->read_bytes - sizeof(*header);

        switch (header->type) {
        case READ:
                if (!novavmm_virtio_block_fits(block, header->sector, room, NOVA_SECTOR))
                        return FAILED;
                *written = room;
                return copy(block, header, room);
        case WRITE:
                if (block->read_only ||
                    !novavmm_virtio_block_fits(block, header->sector, data, NOVA_SECTOR))
                        return FAILED;
                return copy(block, header, data);
        case FLUSH:
                return DONE;
        case IDENTIFY:
                *written = novavmm_virtio_block_identify(chain);
                return DONE;
        default:
                return UNKNOWN;
        }
}

bool novavmm_virtio_block_header(struct nova_virtio_block *block, struct header *header)
{
        const struct nova_virtio_chain *const chain = &block->virtio.chain;

        if (!chain->write_bytes || !nova_virtio_read(chain, 0, header, sizeof(*header))) {
                nova_virtio_break(&block->virtio, "a request without a header or a status byte");
                return false;
        }
        block->requests += !block->copied;
        return true;
}

/* Serves a request, or its next part. The status is the last writable byte. A request with data
 * left goes back to its queue. */
static bool serve(struct nova_virtio *virtio, uint32_t *written)
{
        struct nova_virtio_block *const block = (struct nova_virtio_block *)virtio;
        const struct nova_virtio_chain *const chain = &virtio->chain;
        struct header header;
        uint64_t bytes = 0;

        if (!novavmm_virtio_block_header(block, &header))
                return false;

        const int end = perform(block, &header, chain->write_bytes - 1, &bytes);
        const uint8_t status = (uint8_t)end;

        if (end == GOES_ON) {
                nova_virtio_keep(virtio, 0, 0);
                nova_virtio_take_again(virtio, 0);
                nova_virtio_pause(virtio);
                return false;
        }
        block->copied = 0;
        nova_virtio_write(chain, chain->write_bytes - 1, &status, 1);
        *written = (uint32_t)bytes + 1;
        return true;
}

static void notify(struct nova_virtio *virtio, unsigned queue)
{
        nova_virtio_serve(virtio, queue, serve);
}

static void reset(struct nova_virtio *virtio)
{
        ((struct nova_virtio_block *)virtio)->copied = 0;
}

void novavmm_virtio_block_make(struct nova_virtio_block *block,
                               const struct nova_virtio_class *kind,
                               const struct nova_guest_memory *memory, uint32_t block_bytes)
{
        const uint32_t segments = DATA_PIECES;

        nova_virtio_init(&block->virtio, kind, memory);
        block->copied = 0;
        block->virtio.offered |= FEATURE_SEGMENTS | FEATURE_BLOCK | FEATURE_FLUSH;
        if (block->read_only)
                block->virtio.offered |= FEATURE_READ_ONLY;
        memcpy(block->virtio.config + CONFIG_SECTORS, &block->sectors, sizeof(block->sectors));
        memcpy(block->virtio.config + CONFIG_SEGMENTS, &segments, sizeof(segments));
        memcpy(block->virtio.config + CONFIG_BLOCK, &block_bytes, sizeof(block_bytes));
}

void nova_virtio_block_init(struct nova_virtio_block *block, const struct nova_guest_memory *memory,
                            void *data, size_t bytes, bool read_only)
{
        static const struct nova_virtio_class kind = {
                NOVA_VIRTIO_BLOCK, "block", NOVAVMM_BLOCK_FEATURES, 1, notify, reset};

        block->data = data;
        block->store = NULL;
        block->sectors = bytes / NOVA_SECTOR;
        block->read_only = read_only;
        block->requests = 0;
        block->in_flight = 0;
        novavmm_virtio_block_make(block, &kind, memory, NOVA_SECTOR);
}
