/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks (see novavmm/virtio_block.h); Virtual I/O Device Specification 1.2, 5.2. */
#include "novavmm/virtio_block.h"

#include <string.h>

#define FEATURE_SEGMENTS  (1u << 2)
#define FEATURE_READ_ONLY (1u << 5)
#define FEATURE_BLOCK     (1u << 6)
#define FEATURE_FLUSH     (1u << 9)

/* Configuration. */
#define CONFIG_SECTORS  0
#define CONFIG_SEGMENTS 12
#define CONFIG_BLOCK    20

/* Maximum number of pieces of data in a request, besides the header and the status byte. */
#define DATA_PIECES (NOVA_VIRTIO_QUEUE_SIZE - 2u)

enum { READ = 0, WRITE = 1, FLUSH = 4, IDENTIFY = 8 };
enum { DONE = 0, FAILED = 1, UNKNOWN = 2 };

struct request {
        uint32_t type, reserved;
        uint64_t sector;
};

_Static_assert(sizeof(struct request) == 16, "5.2.6");

static const char identity[20] = "novavmm";

/* Returns true if @p bytes are whole sectors and the disk has them from @p sector on. */
static bool fits(const struct nova_virtio_block *block, uint64_t sector, uint64_t bytes)
{
        return bytes % NOVA_SECTOR == 0 && sector <= block->sectors &&
               bytes / NOVA_SECTOR <= block->sectors - sector;
}

/* Serves a request. @p room: bytes that may be written before the status.
 * @return the status */
static uint8_t perform(struct nova_virtio_block *block, const struct request *request,
                       uint64_t room, uint64_t *written)
{
        const struct nova_virtio_chain *const chain = &block->virtio.chain;
        const uint64_t data = chain->read_bytes - sizeof(*request);

        switch (request->type) {
        case READ:
                if (!fits(block, request->sector, room))
                        return FAILED;
                *written = room;
                nova_virtio_write(chain, 0, block->data + request->sector * NOVA_SECTOR, room);
                return DONE;
        case WRITE:
                if (block->read_only || !fits(block, request->sector, data))
                        return FAILED;
                nova_virtio_read(chain, sizeof(*request),
                                 block->data + request->sector * NOVA_SECTOR, data);
                return DONE;
        case FLUSH:
                return DONE;
        case IDENTIFY:
                *written = room < sizeof(identity) ? room : sizeof(identity);
                nova_virtio_write(chain, 0, identity, *written);
                return DONE;
        default:
                return UNKNOWN;
        }
}

/* Serves a request. The status is the last writable byte. */
static bool serve(struct nova_virtio_block *block, uint32_t *written)
{
        const struct nova_virtio_chain *const chain = &block->virtio.chain;
        struct request request;
        uint64_t bytes = 0;

        if (!chain->write_bytes || !nova_virtio_read(chain, 0, &request, sizeof(request))) {
                nova_virtio_break(&block->virtio, "a request without a header or a status byte");
                return false;
        }

        const uint8_t status = perform(block, &request, chain->write_bytes - 1, &bytes);

        nova_virtio_write(chain, chain->write_bytes - 1, &status, 1);
        *written = (uint32_t)bytes + 1;
        return true;
}

/* Serves the present chains. For later chains, the driver notifies the device again. */
static void notify(struct nova_virtio *virtio, unsigned queue)
{
        unsigned waiting = nova_virtio_waiting(virtio, queue);
        uint32_t written;

        while (waiting-- && nova_virtio_take(virtio, queue) &&
               serve((struct nova_virtio_block *)virtio, &written))
                nova_virtio_give(virtio, queue, written);
}

void nova_virtio_block_init(struct nova_virtio_block *block, const struct nova_guest_memory *memory,
                            void *data, size_t bytes, bool read_only)
{
        static const struct nova_virtio_class kind = {
                NOVA_VIRTIO_BLOCK, "block", FEATURE_SEGMENTS | FEATURE_BLOCK | FEATURE_FLUSH, 1,
                notify};
        const uint32_t segments = DATA_PIECES, sector = NOVA_SECTOR;

        nova_virtio_init(&block->virtio, &kind, memory);
        if (read_only)
                block->virtio.offered |= FEATURE_READ_ONLY;
        block->data = data;
        block->sectors = bytes / NOVA_SECTOR;
        block->read_only = read_only;
        memcpy(block->virtio.config + CONFIG_SECTORS, &block->sectors, sizeof(block->sectors));
        memcpy(block->virtio.config + CONFIG_SEGMENTS, &segments, sizeof(segments));
        memcpy(block->virtio.config + CONFIG_BLOCK, &sector, sizeof(sector));
}
