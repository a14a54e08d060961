/* SPDX-License-Identifier: BSD-2-Clause */
/* Common part of all virtio devices (Virtual I/O Device Specification 1.2, without the legacy
 * interface): a PCI device with an interrupt wire and interrupt messages (MSI-X), feature
 * negotiation, split queues in the guest's memory. */
#ifndef NOVAVMM_VIRTIO_H
#define NOVAVMM_VIRTIO_H

#include "novavmm/line.h"
#include "novavmm/memory.h"
#include "novavmm/pci.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Maximum number of queues of a device. */
#define NOVA_VIRTIO_QUEUES 2

/** Maximum number of descriptors in a queue, a power of two; a driver may choose fewer. */
#define NOVA_VIRTIO_QUEUE_SIZE 64

/** Maximum size of a device's own configuration in bytes. */
#define NOVA_VIRTIO_CONFIG 64

/** Size of a device's registers at BAR 0 in bytes. */
#define NOVA_VIRTIO_BAR_BYTES 0x8000u

/** Number of interrupt messages of a device: one for each queue and one for errors. */
#define NOVA_VIRTIO_MESSAGES (NOVA_VIRTIO_QUEUES + 1)

/** Kinds of devices. */
enum nova_virtio_kind {
        NOVA_VIRTIO_NET = 1,     /**< a network card */
        NOVA_VIRTIO_BLOCK = 2,   /**< a disk */
        NOVA_VIRTIO_CONSOLE = 3, /**< a console */
        NOVA_VIRTIO_RANDOM = 4   /**< random bytes */
};

/** Status bits of a device. */
enum {
        NOVA_VIRTIO_ACKNOWLEDGE = 0x01, /**< the guest has found the device */
        NOVA_VIRTIO_DRIVER = 0x02,      /**< the guest has a driver */
        NOVA_VIRTIO_DRIVER_OK = 0x04,   /**< the driver is ready */
        NOVA_VIRTIO_FEATURES_OK = 0x08, /**< the features are negotiated */
        NOVA_VIRTIO_NEEDS_RESET = 0x40, /**< the device has stopped */
        NOVA_VIRTIO_FAILED = 0x80       /**< the driver has given up the device */
};

/** Feature 32, which every driver must accept. */
#define NOVA_VIRTIO_VERSION_1 (1ull << 32)

/** VIRTIO_F_ACCESS_PLATFORM: the device cannot access all of the guest's memory, so its driver uses
 * memory that the guest shares. */
#define NOVA_VIRTIO_ACCESS_PLATFORM (1ull << 33)

/** Feature 29: driver and device state the index at which they want the next notification. Only for
 * devices that call nova_virtio_listen() or nova_virtio_serve(). */
#define NOVA_VIRTIO_EVENT_INDEX (1ull << 29)

/** Feature 28: the end of a chain may be in a table elsewhere in the guest's memory. */
#define NOVA_VIRTIO_INDIRECT (1ull << 28)

/** A queue. The driver may change the addresses until it enables the queue. At that moment the
 * library checks that the three parts lie in the guest's memory; the addresses then stay unchanged
 * until the device is reset. */
struct nova_virtio_queue {
        uint64_t address[3]; /**< addresses of descriptors, available ring, used ring */
        uint16_t size;       /**< number of descriptors */
        bool enabled;        /**< the queue is in use */
        bool events;         /**< the rings have event indices */
        bool tables;         /**< chains may end in a table of descriptors */
        uint16_t vector;     /**< number of its interrupt message */
        uint16_t taken; /**< number of chains that the device has taken: index of the next one */
        uint16_t given; /**< number of chains that the device has returned */
        uint16_t kept;  /**< number of further chains that the driver does not see yet; see
                         * nova_virtio_keep() */
        bool late;      /**< its interrupt is held back; see nova_virtio_give_late() */
        uint16_t late_since;        /**< value of `given` when the interrupt was held back */
        const uint8_t *descriptors; /**< descriptors in the monitor's memory */
        const uint8_t *available;   /**< available ring in the monitor's memory */
        uint8_t *used;              /**< used ring in the monitor's memory */
};

/** A piece of the guest's memory. */
struct nova_virtio_piece {
        uint8_t *data;  /**< address in the monitor */
        uint32_t bytes; /**< size in bytes */
};

/** A chain that a driver put into a queue: pieces to read, then pieces to write. */
struct nova_virtio_chain {
        uint16_t head;        /**< identifies the chain when it is returned */
        unsigned readable;    /**< number of readable pieces */
        unsigned pieces;      /**< number of all pieces */
        uint64_t read_bytes;  /**< total size of the readable pieces */
        uint64_t write_bytes; /**< total size of the writable pieces */
        struct nova_virtio_piece
                piece[NOVA_VIRTIO_QUEUE_SIZE]; /**< pieces in the order of the chain */
};

struct nova_virtio;

/** Properties shared by all devices of a kind. */
struct nova_virtio_class {
        enum nova_virtio_kind kind; /**< number of the kind */
        const char *name;           /**< name of the kind in reports */
        uint64_t features;          /**< offered features besides NOVA_VIRTIO_VERSION_1 */
        unsigned queues;            /**< number of queues */
        /** Called when the driver has put a chain into a queue. Never called before the driver is
         * ready. */
        void (*notify)(struct nova_virtio *virtio, unsigned queue);
        /** Called when the driver resets the device; NULL: nothing to do. */
        void (*reset)(struct nova_virtio *virtio);
};

/** Sends an interrupt message, which is a write to an address. */
typedef void nova_virtio_send(void *context, uint64_t address, uint32_t data);

/** The part of a device that all kinds share, the first member of each kind's struct. */
struct nova_virtio {
        struct nova_vpci_device pci;          /**< the PCI device */
        const struct nova_virtio_class *kind; /**< its class */
        const struct nova_guest_memory
                *memory;         /**< the guest's memory; a driver's requests access nothing else */
        struct nova_line irq;    /**< interrupt wire */
        uint64_t offered;        /**< bits of the features that the device offers */
        uint64_t accepted;       /**< features that the driver accepted */
        bool accepts_unknown;    /**< the driver accepted features that do not exist */
        uint32_t offered_half;   /**< half of `offered` that a register shows */
        uint32_t accepted_half;  /**< half of `accepted` that a register shows */
        uint16_t queue_selected; /**< queue that the registers show */
        uint8_t status;          /**< status bits */
        uint8_t isr;             /**< causes of interrupts */
        bool again;              /**< there may be chains without a notification; see
                                  * nova_virtio_look() */
        bool unfinished;         /**< the device paused before it had served all chains, so
                                  * nova_virtio_look() notifies it even without a new chain */
        bool one_turn;           /**< the board clears `turned` after each exit, so notifications
                                  * give the device one turn in an exit; with further ones it
                                  * pauses. nova_virtio_look() at the end of the exit may add a
                                  * second turn, which is not counted */
        bool turned;             /**< a notification has given the device its turn in this exit */
        bool may_be_late;        /**< the board calls nova_virtio_report(), so interrupts may be
                                  * held back */
        bool late;               /**< an interrupt of a queue is held back */
        /** Called with `context` when the device becomes unfinished. The board must then call
         * nova_virtio_look() soon, even if no exit follows, because the guest may have halted.
         * NULL: the board calls nova_virtio_look() after exits only. */
        void (*look_soon)(void *context);
        /** Called after each exit, before the guest continues; NULL: nothing to do. */
        void (*after_exit)(struct nova_virtio *virtio);
        uint64_t notifications; /**< number of notifications by drivers */
        uint16_t error_vector;  /**< number of the interrupt message of errors */
        uint32_t pending;       /**< bits of interrupt messages that are pending because they are
                                 * masked */
        uint32_t message[NOVA_VIRTIO_MESSAGES][4]; /**< interrupt messages: address, its upper half,
                                                        data, mask */
        nova_virtio_send *send;                    /**< sends a message; NULL: the device has
                                                        none */
        void *send_context;                        /**< context of `send` */
        struct nova_virtio_queue queue[NOVA_VIRTIO_QUEUES]; /**< queues, of which the first
                                                             * kind->queues are in use */
        struct nova_virtio_chain chain;                     /**< chain that is being processed */
        uint8_t config[NOVA_VIRTIO_CONFIG];                 /**< configuration of its kind */
        /** Called once, at a driver's first fatal error; may be NULL. */
        void (*complain)(void *context, const char *device, const char *cause);
        void *context;   /**< context of complain and look_soon */
        bool complained; /**< complain was called */
};

/** Initialises a device whose kind has no configuration of its own. @param kind must stay valid
 *  @param memory the guest's memory, which must stay valid */
void nova_virtio_init(struct nova_virtio *virtio, const struct nova_virtio_class *kind,
                      const struct nova_guest_memory *memory);

/** Gives a device interrupt messages (MSI-X), which a driver may use instead of the wire.
 *  @param send sends a message @param context its first argument */
void nova_virtio_add_messages(struct nova_virtio *virtio, nova_virtio_send *send, void *context);

/** Returns true if the driver may use the device: the driver is ready, and no error has occurred
 * since. */
bool nova_virtio_ready(const struct nova_virtio *virtio);

/** Counts the chains that wait in queue @p number.
 * @return their number; 0 if the driver claims more chains than the queue has descriptors: the
 *         device then needs a reset */
unsigned nova_virtio_waiting(struct nova_virtio *virtio, unsigned number);

/**
 * Takes the next chain of queue @p number into virtio->chain.
 *
 * All pieces lie in the guest's memory. The guest can change their content at any time: copy data
 * before checking it.
 * @code
 * extern struct nova_virtio *virtio; // the argument of notify
 * extern unsigned queue;
 * uint32_t word;
 *
 * while (nova_virtio_take(virtio, queue)) {
 *         if (!nova_virtio_read(&virtio->chain, 0, &word, sizeof(word)))
 *                 puts("too short");
 *         nova_virtio_give(virtio, queue, 0);
 * }
 * @endcode
 * @return false if no chain waits, or if the device needs a reset
 */
bool nova_virtio_take(struct nova_virtio *virtio, unsigned number);

/** Returns the chain to queue @p number, and reports that @p written bytes of it were written. */
void nova_virtio_give(struct nova_virtio *virtio, unsigned number, uint32_t written);

/**
 * Returns the chain to queue @p number like nova_virtio_give(), but can hold back the interrupt:
 * for chains that the driver only has to free, such as frames that were sent.
 *
 * The interrupt is sent by nova_virtio_report(), or when the driver has a quarter of the queue to
 * free. On a board, the interrupt is delayed by half a millisecond at most, and not delayed for a
 * guest that halts.
 *
 * @param written number of bytes of the chain that were written
 */
void nova_virtio_give_late(struct nova_virtio *virtio, unsigned number, uint32_t written);

/** Puts the chain into the used ring of queue @p number, but does not show it to the driver: for
 * chains that the driver must see all together, at most as many as the queue has descriptors.
 * nova_virtio_give_kept() or nova_virtio_take_again() follows. @param written number of bytes of
 * the chain that were written */
void nova_virtio_keep(struct nova_virtio *virtio, unsigned number, uint32_t written);

/** Shows the driver all chains that nova_virtio_keep() has kept, by one change of the index, with
 * one interrupt at most. */
void nova_virtio_give_kept(struct nova_virtio *virtio, unsigned number);

/** Takes back the chains that nova_virtio_keep() has kept: the next calls of nova_virtio_take()
 * take the same chains again. */
void nova_virtio_take_again(struct nova_virtio *virtio, unsigned number);

/** Sends the interrupts that nova_virtio_give_late() has held back. */
void nova_virtio_report(struct nova_virtio *virtio);

/**
 * Requests a notification for the next chain of queue @p number. Without this call, a driver that
 * has agreed to NOVA_VIRTIO_EVENT_INDEX does not notify the device.
 *
 * @return true if a chain arrived meanwhile; no notification for it will follow
 */
bool nova_virtio_listen(struct nova_virtio *virtio, unsigned number);

/**
 * Serves the chains of queue @p number one by one, and requests a notification for the next one.
 * If a driver keeps adding chains, or they have more than about a megabyte of data, the function
 * calls nova_virtio_pause() and returns.
 *
 * @param serve handles virtio->chain and sets the number of written bytes; returns false if it
 *              broke the device, or has put the chain back and called nova_virtio_pause()
 */
void nova_virtio_serve(struct nova_virtio *virtio, unsigned number,
                       bool (*serve)(struct nova_virtio *virtio, uint32_t *written));

/** Looks for chains without a notification if virtio->again or virtio->unfinished is set. Called
 * after exits, and soon after virtio->look_soon. */
void nova_virtio_look(struct nova_virtio *virtio);

/** Ends a turn of the device before it has served all chains, so that a driver that adds chains for
 * ever does not keep the machine locked. nova_virtio_look() continues; a board calls it after the
 * guest had some time. */
void nova_virtio_pause(struct nova_virtio *virtio);

/** Copies @p bytes from the readable pieces of @p chain, beginning at @p offset, to @p to. @return
 * false, and nothing was copied, if the chain is too short */
bool nova_virtio_read(const struct nova_virtio_chain *chain, uint64_t offset, void *to,
                      uint64_t bytes);

/** Copies @p bytes from @p from to the writable pieces of @p chain, beginning at @p offset. @return
 *  as nova_virtio_read() */
bool nova_virtio_write(const struct nova_virtio_chain *chain, uint64_t offset, const void *from,
                       uint64_t bytes);

/** Stops serving this driver until it resets the device. @param cause part of a sentence for the
 * report */
void nova_virtio_break(struct nova_virtio *virtio, const char *cause);

/** Reads @p bytes (1, 2, 4 or 8) at @p offset from the start of BAR 0; @p context is the struct
 *  nova_virtio. @return the device's value */
uint64_t nova_virtio_get(void *context, uint64_t offset, unsigned bytes);
/** Writes @p bytes of @p value at @p offset; @p context as for nova_virtio_get(). */
void nova_virtio_put(void *context, uint64_t offset, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
