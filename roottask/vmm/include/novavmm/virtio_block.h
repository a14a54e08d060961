/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio block device: a disk in the monitor's memory, or one whose blocks are elsewhere. */
#ifndef NOVAVMM_VIRTIO_BLOCK_H
#define NOVAVMM_VIRTIO_BLOCK_H

#include "novavmm/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size of a sector in bytes. */
#define NOVA_SECTOR 512u

/** Number of bytes after which a disk in memory pauses, because other virtual CPUs wait for the
 * machine while the disk copies. Larger requests take several turns. */
#define NOVA_VIRTIO_BLOCK_TURN 0x400000u

/** Maximum number of requests that a device with a store works on at once. */
#define NOVA_VIRTIO_BLOCK_REQUESTS 16

/** Maximum size of the data of one request that is in the store's buffer at once, in bytes; larger
 * requests take several steps. */
#define NOVA_VIRTIO_BLOCK_STEP 0x10000u

/** Maximum number of bytes that one request discards, or fills with zeroes. */
#define NOVA_VIRTIO_BLOCK_RANGE_MAX 0x40000000u

/** Operations of a store on a step of a request. */
enum nova_virtio_block_operation {
        NOVA_VIRTIO_BLOCK_READ,   /**< disk to buffer */
        NOVA_VIRTIO_BLOCK_WRITE,  /**< buffer to disk */
        NOVA_VIRTIO_BLOCK_FLUSH,  /**< completed writes survive a loss of power */
        NOVA_VIRTIO_BLOCK_DISCARD /**< the contents are not needed any more */
};

/** A step of a request. */
struct nova_virtio_block_step {
        unsigned request;                           /**< number of the request */
        enum nova_virtio_block_operation operation; /**< operation */
        uint64_t offset;                            /**< first byte on the disk */
        uint32_t bytes;                             /**< size of the data, or of the blocks that are
                                                     * discarded; 0 for a flush */
};

/** The blocks of a disk that is not in the monitor's memory. The functions are called with the
 * machine locked, and do not block. */
struct nova_virtio_block_store {
        uint64_t bytes;       /**< size of the disk */
        uint32_t block_bytes; /**< size of a block: 512 to 4096; steps consist of whole
                                   blocks */
        uint32_t step_bytes;  /**< maximum size of a step, up to NOVA_VIRTIO_BLOCK_STEP */
        bool read_only;       /**< guests may not write */
        bool has_cache;       /**< writes are durable only after a flush */
        bool has_discard;     /**< blocks can be discarded */
        uint8_t *buffer;      /**< NOVA_VIRTIO_BLOCK_STEP bytes for each request, in the order of
                                   their numbers */
        /** Returns false while the store is away. The device then neither accesses the buffer nor
         * starts a step, until nova_virtio_block_restart(). NULL: the store is never away. */
        bool (*is_up)(void *context);
        /** Starts a step; nova_virtio_block_done() reports its end. */
        void (*start)(void *context, const struct nova_virtio_block_step *step);
        /** Called after calls of start(): submits the steps that start() has collected. There may
         * be none. */
        void (*kick)(void *context);
        /** Called after data was copied from the buffer. Returns false if the buffer has vanished
         * meanwhile: nova_virtio_block_restart() will follow. */
        bool (*check)(void *context, const struct nova_virtio_block_step *step);
        /** Called after each exit of the guest: reports steps that have ended meanwhile, so that
         * their interrupt goes with the reply to the exit. NULL: the store does not
         * report steps at exits. */
        void (*poll)(void *context);
        void *context; /**< context of these functions */
};

/** States of a request. */
enum nova_virtio_block_state {
        NOVA_VIRTIO_BLOCK_FREE,     /**< not in use */
        NOVA_VIRTIO_BLOCK_BUSY,     /**< the store works on a step */
        NOVA_VIRTIO_BLOCK_ABANDONED /**< the store works on a step for which no driver waits */
};

/** A request that the store works on. */
struct nova_virtio_block_request {
        enum nova_virtio_block_state state; /**< state of the request */
        struct nova_virtio_chain chain;     /**< place of the guest's data */
        struct nova_virtio_block_step step; /**< the present step */
        uint64_t done;                      /**< number of bytes completed before this step */
        uint64_t total;                     /**< bytes of data */
        bool flushes;                       /**< a flush follows the last write */
        bool zeroes;                        /**< the data is zeroes, not that of the chain */
};

/** A disk. */
struct nova_virtio_block {
        struct nova_virtio virtio; /**< part of all virtio devices; the first member */
        uint8_t *data;             /**< content of the disk; NULL: it has a store */
        uint64_t sectors;          /**< size of the disk in sectors */
        bool read_only;            /**< guests may not write */
        const struct nova_virtio_block_store *store; /**< place of the blocks, or NULL */
        uint64_t copied;                             /**< number of bytes of a disk in memory that
                                                      * the present request has copied */
        uint64_t requests;                           /**< number of requests of drivers */
        bool failed;                                 /**< the store no longer exists: requests
                                                      * fail */
        unsigned in_flight;                          /**< number of requests that are not free */
        uint32_t used;                               /**< one bit for each request that is not
                                                      * free */
        struct nova_virtio_block_request
                request[NOVA_VIRTIO_BLOCK_REQUESTS]; /**< requests of a device with a store */
};

/**
 * Initialises a disk in memory.
 * @code
 * extern struct nova_guest_memory memory; // vm.memory
 * static struct nova_virtio_block disk;
 * static char data[1u << 20];
 *
 * nova_virtio_block_init(&disk, &memory, data, sizeof(data), false);
 * @endcode
 * @param memory    memory of the guest
 * @param data      content of the disk; owned by the caller and must stay valid
 * @param bytes     size; only whole sectors are used
 * @param read_only guests may not write to it
 */
void nova_virtio_block_init(struct nova_virtio_block *block, const struct nova_guest_memory *memory,
                            void *data, size_t bytes, bool read_only);

/**
 * Initialises a disk whose blocks are in a store.
 *
 * Requests are in flight while the guest continues. Until all of them have completed, a guest that
 * has agreed to NOVA_VIRTIO_EVENT_INDEX does not notify the device: new requests are found at
 * completions and at exits.
 * @param memory memory of the guest
 * @param store  must stay valid
 * @param busy   bits of requests that the store still works on, for an earlier device
 */
void nova_virtio_block_init_store(struct nova_virtio_block *block,
                                  const struct nova_guest_memory *memory,
                                  const struct nova_virtio_block_store *store, uint32_t busy);

/** Reports the end of a step. The caller holds the machine's lock.
 *  @param number number of the request @param error 0, or an error: the request fails */
void nova_virtio_block_done(struct nova_virtio_block *block, unsigned number, int error);

/** Restarts all steps that have not ended, because the store has lost them. The caller holds the
 * machine's lock. */
void nova_virtio_block_restart(struct nova_virtio_block *block);

#ifdef __cplusplus
}
#endif

#endif
