/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's disk in a block service (novart/service/block.h). The disk outlives its machine: a
 * guest that restarts finds it in the next one. */
#ifndef NOVAVMM_GUEST_DISK_H
#define NOVAVMM_GUEST_DISK_H

#include "novart/service/block.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novavmm/pc.h"
#include "novavmm/virtio_block.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A disk. */
struct nova_guest_disk {
        struct nova_virtio_block device;      /**< the guest's device */
        struct nova_virtio_block_store store; /**< connects it with the service */
        struct nova_block *block;             /**< session of the service */
        struct nova_thread *thread;           /**< waits for completions */
        struct nova_mutex lock;               /**< protects `vm`; taken before the machine's lock */
        struct nova_vm *vm;                   /**< machine that has the disk, or NULL */

        /* Private to the library; changes with the machine locked, or without a machine. */
        bool down;        /**< the service has ended and is not available again yet */
        bool failed;      /**< the service will not come back: all requests fail */
        bool looks;       /**< poll() will look for completions, so the service need not wake the
                               thread */
        bool ready;       /**< there are completions for which the thread is not woken */
        int error;        /**< error of the session that an exit found; the thread handles it */
        uint32_t busy;    /**< bits of requests in the session */
        unsigned started; /**< number of entries of `batch` and `part` */
        struct nova_block_request batch[NOVA_VIRTIO_BLOCK_REQUESTS]; /**< requests to submit next */
        struct nova_block_segment part[NOVA_VIRTIO_BLOCK_REQUESTS];  /**< their data */
};

/**
 * Opens a session of a block service for a guest.
 * @code
 * extern struct nova_pc pc;
 * static struct nova_guest_disk disk;
 *
 * if (nova_guest_disk_open(&disk, "virtio-blk", NULL) == 0)
 *         nova_guest_disk_attach(&disk, &pc, 2);
 * @endcode
 * @param disk      filled with zero
 * @param service   the driver, or `partitions`
 * @param arguments as for nova_block_open()
 * @retval EAGAIN no more threads
 * @retval EBUSY  another guest, or `files`, has some of the blocks (nova_block_claim())
 * @retval …      as nova_block_open()
 */
int nova_guest_disk_open(struct nova_guest_disk *disk, const char *service, const char *arguments);

/**
 * Puts a disk into a slot of a board. Call it after nova_pc_create() and before nova_vm_run().
 *
 * If the service ends, requests of the guest wait without a limit until the service is available
 * again, and are then repeated. If the service will not come back, they fail.
 * @return as nova_pc_add_virtio()
 */
int nova_guest_disk_attach(struct nova_guest_disk *disk, struct nova_pc *pc, unsigned slot);

/** Takes a disk from its board. Call it after the machine's end and before nova_vm_destroy().
 * Requests in flight may or may not be executed, as when a machine loses power. */
void nova_guest_disk_detach(struct nova_guest_disk *disk);

#ifdef __cplusplus
}
#endif

#endif
