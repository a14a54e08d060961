/* SPDX-License-Identifier: BSD-2-Clause */
/* What all virtio devices share (Virtual I/O Device Specification 1.2, without the legacy
 * interface): a PCI device with one interrupt wire, feature negotiation, split queues in the
 * guest's memory. */
#ifndef NOVAVMM_VIRTIO_H
#define NOVAVMM_VIRTIO_H

#include "novavmm/line.h"
#include "novavmm/memory.h"
#include "novavmm/pci.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Queues that a device can have. */
#define NOVA_VIRTIO_QUEUES 2

/** Descriptors of a queue, a power of two; a driver may choose fewer. */
#define NOVA_VIRTIO_QUEUE_SIZE 64

/** Bytes of configuration that a device can have of its own. */
#define NOVA_VIRTIO_CONFIG 64

/** Bytes of memory that a device's registers take: its BAR 0. */
#define NOVA_VIRTIO_BAR_BYTES 0x4000u

/** Kinds of devices. */
enum nova_virtio_kind {
        NOVA_VIRTIO_BLOCK = 2,   /**< a disk */
        NOVA_VIRTIO_CONSOLE = 3, /**< a console */
        NOVA_VIRTIO_RANDOM = 4   /**< random bytes */
};

/** Status bits of a device. */
enum {
        NOVA_VIRTIO_ACKNOWLEDGE = 0x01, /**< the system found the device */
        NOVA_VIRTIO_DRIVER = 0x02,      /**< and has a driver */
        NOVA_VIRTIO_DRIVER_OK = 0x04,   /**< the driver is ready */
        NOVA_VIRTIO_FEATURES_OK = 0x08, /**< features were agreed upon */
        NOVA_VIRTIO_NEEDS_RESET = 0x40, /**< the device goes no further */
        NOVA_VIRTIO_FAILED = 0x80       /**< the driver gave up */
};

/** Feature 32, which every driver has to accept. */
#define NOVA_VIRTIO_VERSION_1 (1ull << 32)

/** A queue. The addresses are the driver's until it enables the queue; then the three parts have
 *  been found inside of the guest's memory, and stay as they are until the device is reset. */
struct nova_virtio_queue {
        uint64_t address[3];        /**< descriptors, what is available, what was used */
        uint16_t size;              /**< in descriptors */
        bool enabled;               /**< it is in use */
        uint16_t taken;             /**< chains that the device took: index of the next one */
        uint16_t given;             /**< chains that it gave back */
        const uint8_t *descriptors; /**< where the monitor sees them */
        const uint8_t *available;   /**< and what is available */
        uint8_t *used;              /**< and what was used */
};

/** A piece of the guest's memory. */
struct nova_virtio_piece {
        uint8_t *data;  /**< where the monitor sees it */
        uint32_t bytes; /**< how long it is */
};

/** What a driver put into a queue at once: pieces to be read, then pieces to be written. */
struct nova_virtio_chain {
        uint16_t head;        /**< names the chain when it is given back */
        unsigned readable;    /**< how many of the pieces are for reading */
        unsigned pieces;      /**< how many there are */
        uint64_t read_bytes;  /**< in the pieces for reading */
        uint64_t write_bytes; /**< in those for writing */
        struct nova_virtio_piece piece[NOVA_VIRTIO_QUEUE_SIZE]; /**< in the order of the chain */
};

struct nova_virtio;

/** What devices of a kind have in common. */
struct nova_virtio_class {
        enum nova_virtio_kind kind; /**< its number */
        const char *name;           /**< for sentences */
        uint64_t features;          /**< besides NOVA_VIRTIO_VERSION_1 */
        unsigned queues;            /**< how many */
        /** The driver says that there is something in a queue. Never before it is ready. */
        void (*notify)(struct nova_virtio *virtio, unsigned queue);
};

/** A device's part that all kinds share, the first in each kind's struct. */
struct nova_virtio {
        struct nova_pci_device pci;             /**< what PCI sees */
        const struct nova_virtio_class *kind;   /**< what it is */
        const struct nova_guest_memory *memory; /**< nothing else is read or written for a driver */
        struct nova_line irq;                   /**< interrupt wire */
        uint64_t offered;                       /**< features */
        uint64_t accepted;                      /**< those that the driver accepted */
        bool accepts_unknown;    /**< the driver accepted features that have no number here */
        uint32_t offered_half;   /**< which half of `offered` a register shows */
        uint32_t accepted_half;  /**< the same, of `accepted` */
        uint16_t queue_selected; /**< which queue registers show */
        uint8_t status;          /**< status bits */
        uint8_t isr;             /**< causes of interrupts */
        struct nova_virtio_queue queue[NOVA_VIRTIO_QUEUES]; /**< the first ones are used */
        struct nova_virtio_chain chain;                     /**< the one that is being worked on */
        uint8_t config[NOVA_VIRTIO_CONFIG];                 /**< of its kind */
        /** Told the first time that a driver did what devices cannot go on with; may be NULL. */
        void (*complain)(void *context, const char *device, const char *cause);
        void *context;   /**< handed to it */
        bool complained; /**< the complaint was reported */
};

/** Make a device without configuration of its own. @param kind must stay valid
 *  @param memory the guest's, which must stay valid */
void nova_virtio_init(struct nova_virtio *virtio, const struct nova_virtio_class *kind,
                      const struct nova_guest_memory *memory);

/** Whether the driver may use the device: it said so, and nothing went wrong since. */
bool nova_virtio_ready(const struct nova_virtio *virtio);

/** @return how many chains wait in queue @p number. If the driver says that there are more than it
 *  has descriptors: 0, and the device needs a reset now */
unsigned nova_virtio_waiting(struct nova_virtio *virtio, unsigned number);

/**
 * Take the next chain of queue @p number: virtio->chain.
 *
 * All pieces lie in the guest's memory. The guest can change what is in them at any time: what
 * matters is copied before it is looked at.
 * @return false if there is none, or if the device needs a reset now
 */
bool nova_virtio_take(struct nova_virtio *virtio, unsigned number);

/** Give the chain of queue @p number back. @p written bytes were written */
void nova_virtio_give(struct nova_virtio *virtio, unsigned number, uint32_t written);

/** Copy @p bytes from the readable pieces of @p chain, @p offset on, to @p to. @return false, and
 *  nothing was copied, if there is not so much */
bool nova_virtio_read(const struct nova_virtio_chain *chain, uint64_t offset, void *to,
                      uint64_t bytes);

/** Copy @p bytes from @p from to the writable pieces of @p chain, @p offset on. @return as
 *  nova_virtio_read() */
bool nova_virtio_write(const struct nova_virtio_chain *chain, uint64_t offset, const void *from,
                       uint64_t bytes);

/** Go no further with this driver until it resets the device. @param cause for a sentence */
void nova_virtio_break(struct nova_virtio *virtio, const char *cause);

/** Read @p bytes (1, 2, 4 or 8) at @p offset from the begin of BAR 0; @p context is the
 *  struct nova_virtio. @return what the device says */
uint64_t nova_virtio_get(void *context, uint64_t offset, unsigned bytes);
/** Write @p bytes of @p value at @p offset; @p context as for nova_virtio_get(). */
void nova_virtio_put(void *context, uint64_t offset, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
