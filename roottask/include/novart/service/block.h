/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocol of services with blocks: drivers for disks, `ram-disk` and `partitions`. Requests and
 * completions go through a ring in shared memory; data lies in a pool, which the device can
 * access. */
#ifndef NOVART_SERVICE_BLOCK_H
#define NOVART_SERVICE_BLOCK_H

#include "novart/service/ring.h"
#include "novart/session.h"

/** @defgroup block Services with blocks
 *
 * | operation | words | items | answer | errors |
 * |---|---|---|---|---|
 * | INFO | – | – | struct nova_block_info | – |
 * | ATTACH | order of the pool in pages | – | items: ring, pool | below |
 * | SEMAPHORES | – | – | items: doorbell (UP), bell (DN) | ENOMEM |
 * | RESTRICT | struct nova_block_range | – | – | EINVAL: empty or not inside |
 * | CLAIM | enum nova_block_use | – | – | EBUSY: see nova_block_claim(); EAGAIN |
 *
 * Errors of ATTACH: EINVAL the pool is too small or too large; EEXIST the session has a ring
 * already; ENOMEM no memory; EAGAIN the memory of a client that has died is being freed
 * (nova_block_open() waits up to a second for that); ENODEV `partitions`: the driver's disk is not
 * the disk whose table was read.
 *
 * The client does an up on the doorbell when a request waits, and the service does an up on the
 * bell when a request has completed, but only if the other side sleeps. CLAIM answers EINVAL before
 * ATTACH, and EAGAIN while the session of a client that has died is being closed. RESTRICT may
 * precede ATTACH. `partitions` answers EINVAL to INFO and SEMAPHORES before ATTACH, and has no
 * RESTRICT.
 *
 * The ring and the pool belong to the service, so they vanish from the client when the
 * service ends.
 *
 * Requests complete in any order. A flush covers the writes that completed before it was submitted.
 *  @{ */

#define NOVA_BLOCK_INFO       (NOVA_OPERATION_FIRST + 0) /**< properties of the session */
#define NOVA_BLOCK_ATTACH     (NOVA_OPERATION_FIRST + 1) /**< ring and pool */
#define NOVA_BLOCK_SEMAPHORES (NOVA_OPERATION_FIRST + 2) /**< doorbell and bell */
#define NOVA_BLOCK_RESTRICT   (NOVA_OPERATION_FIRST + 3) /**< fewer blocks and requests */
#define NOVA_BLOCK_CLAIM      (NOVA_OPERATION_FIRST + 4) /**< blocks for one client alone */

#define NOVA_BLOCK_ENTRIES        64  /**< maximum number of requests of a session in flight */
#define NOVA_BLOCK_SEGMENTS       13  /**< maximum number of segments of a request */
#define NOVA_BLOCK_ALIGN          512 /**< alignment of a segment's offset in the pool, in bytes */
#define NOVA_BLOCK_RING_ORDER     2   /**< the ring has 2^2 pages */
#define NOVA_BLOCK_POOL_ORDER_MAX 10  /**< a pool has at most 4 MiB */
#define NOVA_BLOCK_MAGIC          0x6b4c4201u /**< the ring's first word while the service lives */

/** Operations of a request. */
enum nova_block_operation {
        NOVA_BLOCK_READ = 1, /**< device to pool */
        NOVA_BLOCK_WRITE,    /**< pool to device */
        NOVA_BLOCK_FLUSH,    /**< completed writes survive a loss of power */
        NOVA_BLOCK_DISCARD,  /**< the content of the blocks is not needed any more */
};

/** Bits of nova_block_info::flags. */
enum nova_block_flag {
        NOVA_BLOCK_READ_ONLY = 1,   /**< writes and discards end with EROFS */
        NOVA_BLOCK_HAS_CACHE = 2,   /**< writes are durable only after a flush */
        NOVA_BLOCK_HAS_DISCARD = 4, /**< if not set, discards end with ENOTSUP */
};

/** Uses of blocks that a session can claim. */
enum nova_block_use {
        NOVA_BLOCK_READS = 1, /**< excludes other claims that write the blocks */
        NOVA_BLOCK_WRITES,    /**< excludes all other claims to the blocks */
};

/** Properties of a session. A service of an older version does not send the identity; it is then
 * 0. */
struct nova_block_info {
        uint64_t blocks;      /**< number of blocks */
        uint32_t block_bytes; /**< size of a block: 512 to 4096 */
        uint32_t flags;       /**< an OR of enum nova_block_flag */
        uint32_t requests;    /**< maximum number of requests that the service works on at once */
        uint32_t segments;    /**< maximum number of segments of a request */
        uint32_t request_max; /**< maximum number of blocks of a read or a write */
        uint32_t pool_bytes;  /**< maximum size of a pool */
        uint64_t identity;    /**< hash of the data that identify the disk; 0: none do */
};

/** A part of the data of a request. */
struct nova_block_segment {
        uint32_t offset; /**< offset in the pool in bytes, a multiple of NOVA_BLOCK_ALIGN */
        uint32_t bytes;  /**< size in bytes, a multiple of the size of a block, not 0 */
};

/** Words of RESTRICT: the session keeps only these of its blocks. */
struct nova_block_range {
        uint64_t first, count; /**< first block and number of blocks, in the session's numbers */
        uint32_t requests;     /**< maximum number of requests at once; 0: as before */
        uint32_t read_only;    /**< 1: the session becomes read-only; 0: as before */
};

/** A request in the ring. */
struct nova_block_entry {
        uint64_t block;         /**< number of the first block; 0 for a flush */
        uint32_t blocks;        /**< number of blocks of a discard; otherwise 0 */
        uint32_t tag;           /**< number that the completion repeats */
        uint16_t operation;     /**< enum nova_block_operation */
        uint16_t segment_count; /**< number of segments; 0 for a flush and a discard */
        uint32_t reserved;      /**< 0 */
        struct nova_block_segment segment[NOVA_BLOCK_SEGMENTS]; /**< parts of the data, in order */
};

/** The ring. A completion's result is 0 or a number of <errno.h>. Everything but the requests lies
 * in the first page. */
struct nova_block_ring {
        struct nova_ring head; /**< begins with NOVA_BLOCK_MAGIC */
        struct nova_ring_completion completion[NOVA_BLOCK_ENTRIES]; /**< service writes them */
        uint8_t fill[4096 - 192 - 8 * NOVA_BLOCK_ENTRIES];          /**< to the next page */
        struct nova_block_entry entry[NOVA_BLOCK_ENTRIES];          /**< client writes them */
};

NOVA_STATIC_ASSERT(sizeof(struct nova_block_info) == 40, "32 bytes in older versions");
NOVA_STATIC_ASSERT(sizeof(struct nova_block_entry) == 128, "two cache lines");
NOVA_STATIC_ASSERT(sizeof(struct nova_block_ring) == 4096 + 128 * NOVA_BLOCK_ENTRIES, "3 pages");

#ifdef __cplusplus
extern "C" {
#endif

/** A client's session with ring and pool. One thread at a time may use it. */
struct nova_block;

/** A request for nova_block_submit(). */
struct nova_block_request {
        enum nova_block_operation operation;       /**< operation */
        uint64_t block;                            /**< number of the first block */
        uint32_t blocks;                           /**< number of blocks of a discard */
        unsigned segment_count;                    /**< number of segments of a read or a write */
        const struct nova_block_segment *segments; /**< parts of the data, in order */
        void *cookie;                              /**< any value, which the result repeats */
};

/** The result of a request. */
struct nova_block_result {
        void *cookie; /**< cookie of the request */
        int error;    /**< 0 or a number of <errno.h> */
};

/**
 * Opens a session with a block service.
 * @code
 * struct nova_block *disk;
 * char text[512];
 *
 * if (nova_block_open(&disk, "partitions", "log", 1 << 16) == 0) {
 *         if (nova_block_read(disk, 0, 1, text) == 0)
 *                 printf("%.16s\n", text);
 *         nova_block_close(disk);
 * }
 * @endcode
 * @param[out] opened the session
 * @param service     the driver, or `partitions`
 * @param arguments   interpreted by the service, for example the name of a partition; NULL: none
 * @param pool_bytes  size of the pool; rounded up to a power of two of at least 16 KiB
 * @retval 0      done
 * @retval EINVAL the pool is too large
 * @retval ENOMEM no memory in client or service
 * @retval EPROTO the service does not follow the protocol
 * @retval ENODEV `partitions`: the driver's disk is not the disk whose table was read
 * @retval EBUSY  `partitions`: with `requests=N`, a client can have only one session
 * @retval EMFILE `partitions`: the other clients may need the rest of the driver's sessions
 * @retval …      as nova_session_open() and nova_session_call()
 */
int nova_block_open(struct nova_block **opened, const char *service, const char *arguments,
                    size_t pool_bytes);

/** Closes a session. The pool and the ring vanish; requests in flight may be executed or not. */
void nova_block_close(struct nova_block *block);

/** Returns the properties of the session. */
const struct nova_block_info *nova_block_get_info(const struct nova_block *block);

/**
 * Returns the address of the pool. Its content is lost when the service ends; the address stays.
 * @code
 * extern const struct nova_block *block;
 * size_t bytes;
 * char *const pool = nova_block_pool(block, &bytes);
 *
 * memset(pool, 0, bytes); // data of later writes
 * @endcode
 * @param block      the session
 * @param[out] bytes size of the pool
 * @return the first byte
 */
void *nova_block_pool(const struct nova_block *block, size_t *bytes);

/** Returns the number of requests that nova_block_submit() accepts now. */
unsigned nova_block_room(const struct nova_block *block);

/**
 * Submits requests, all or none. Does not block.
 * @code
 * extern struct nova_block *block;
 * const struct nova_block_segment part = {.offset = 0, .bytes = 4096}; // of the pool
 * const struct nova_block_request request = {
 *         .operation = NOVA_BLOCK_READ, .block = 100, .segments = &part, .segment_count = 1};
 * struct nova_block_result result;
 *
 * if (nova_block_submit(block, &request, 1) == 0 &&
 *     nova_block_wait(block, &result, NOVA_FOREVER) == 0 && result.error == 0)
 *         puts("The pool begins with the data of block 100.");
 * @endcode
 * Until nova_block_reap() has returned a request's result, do not change the data of a write, and
 * do not use the data of a read.
 * @param block    the session
 * @param requests the requests, which are copied
 * @param count    their number
 * @retval 0          done
 * @retval EAGAIN     NOVA_BLOCK_ENTRIES would be exceeded: reap results first
 * @retval EINVAL     more segments than NOVA_BLOCK_SEGMENTS
 * @retval ECONNRESET the service has ended: nova_block_reopen()
 */
int nova_block_submit(struct nova_block *block, const struct nova_block_request *requests,
                      unsigned count);

/**
 * Gets the result of a request that has completed. Does not block.
 *
 * Errors of a request: EINVAL it is malformed; ENXIO a block beyond the end; EROFS the medium is
 * read-only; ENOTSUP the device cannot discard; EIO the device failed, or the service ended before
 * it acknowledged the request, which may have been executed or not.
 * @retval 0          @p result is set
 * @retval EAGAIN     none has completed
 * @retval EPROTO     the service does not follow the protocol
 * @retval ECONNRESET the service has ended: nova_block_reopen()
 */
int nova_block_reap(struct nova_block *block, struct nova_block_result *result);

/**
 * Waits for the result of a request.
 * @code
 * extern struct nova_block *block;
 * struct nova_block_result result;
 *
 * if (nova_block_wait(block, &result, nova_deadline_in(1000000000)) == ETIMEDOUT)
 *         puts("The disk has not answered in a second.");
 * @endcode
 * @param block       the session
 * @param[out] result the result
 * @param deadline    TSC value; NOVA_FOREVER: no limit
 * @retval ETIMEDOUT none has completed in time
 * @retval ENODATA   no request is in flight
 * @retval …         as nova_block_reap()
 */
int nova_block_wait(struct nova_block *block, struct nova_block_result *result, uint64_t deadline);

/**
 * Waits until nova_block_reap() may have a result, even if no request is in flight.
 *
 * Meanwhile another thread may call nova_block_submit() and nova_block_reap(). If both threads call
 * nova_block_reap(), they must hold the same lock during these calls.
 * @code
 * extern struct nova_block *block;
 * struct nova_block_result result;
 *
 * while (nova_block_listen(block, NOVA_FOREVER) == 0)
 *         while (nova_block_reap(block, &result) == 0)
 *                 printf("request %p: %s\n", result.cookie, strerror(result.error));
 * @endcode
 * @param block    the session
 * @param deadline TSC value; NOVA_FOREVER: no limit
 * @retval 0          call nova_block_reap()
 * @retval ETIMEDOUT  none has completed in time
 * @retval ECONNRESET the service has ended: nova_block_reopen()
 */
int nova_block_listen(const struct nova_block *block, uint64_t deadline);

/**
 * Asks the service not to wake the thread in nova_block_listen(), because the caller will look for
 * results itself, for example those of requests that the service executes at once. Lasts until
 * nova_block_unmute() or the next nova_block_listen(). Like nova_block_submit(), it may be called
 * while another thread is in nova_block_listen().
 * @code
 * extern struct nova_block *block;
 * extern struct nova_block_request request;
 *
 * nova_block_mute(block);
 * nova_block_submit(block, &request, 1);
 * if (nova_block_unmute(block)) {
 *         struct nova_block_result result;
 *
 *         nova_block_reap(block, &result);
 * }
 * @endcode
 */
void nova_block_mute(struct nova_block *block);

/** Ends nova_block_mute(). @return true if nova_block_reap() may have a result; no other thread
 * will be woken for it */
bool nova_block_unmute(struct nova_block *block);

/**
 * Checks that data read from the pool was valid: if the service ended, its pages were replaced by
 * zero pages. Call it after the data was used or copied.
 * @code
 * extern const struct nova_block *block;
 * char copy[512];
 * size_t bytes;
 * const char *const pool = nova_block_pool(block, &bytes);
 *
 * memcpy(copy, pool, sizeof(copy));
 * if (nova_block_check(block, 0, sizeof(copy)))
 *         puts("The copy may be zeros: the service has ended.");
 * @endcode
 * @param block  the session
 * @param offset offset in the pool in bytes
 * @param bytes  size in bytes
 * @retval 0          all pages were the service's
 * @retval ECONNRESET the service has ended: nova_block_reopen()
 */
int nova_block_check(const struct nova_block *block, size_t offset, size_t bytes);

/**
 * Opens a session again after ECONNRESET, with an empty pool at its old address. Requests that were
 * in flight end with EIO: nova_block_reap() returns them. The caller still has their data and may
 * submit them again.
 *
 * If the service now has a disk with another identity, the session stays without a disk, and this
 * function prints a message. A later call succeeds if the first disk is there again.
 * @code
 * extern struct nova_block *block;
 * struct nova_block_result result;
 *
 * if (nova_block_reap(block, &result) == ECONNRESET && nova_block_reopen(block) == 0)
 *         puts("The service runs again.");
 * @endcode
 * @retval ENODEV the service has another disk
 * @retval …      as nova_session_reopen() and nova_block_open()
 */
int nova_block_reopen(struct nova_block *block);

/**
 * Reads blocks and waits. Uses the beginning of the pool. If the service ends meanwhile, opens the
 * session again and repeats the request, up to ten times.
 * @code
 * extern struct nova_block *block;
 * static char sector[4096]; // the largest block
 *
 * if (nova_block_read(block, 0, 1, sector) == 0)
 *         printf("%02x %02x\n", sector[510] & 0xff, sector[511] & 0xff); // 55 aa
 * @endcode
 * @param block the session
 * @param first number of the first block
 * @param count number of blocks
 * @param[out] to count * block_bytes bytes
 * @retval 0     done
 * @retval EBUSY requests of nova_block_submit() are in flight
 * @retval …     as nova_block_reap() and nova_block_reopen()
 */
int nova_block_read(struct nova_block *block, uint64_t first, uint32_t count, void *to);

/**
 * Writes blocks and waits, like nova_block_read().
 * @code
 * extern struct nova_block *block;
 * static const char text[4096] = "written once";
 *
 * if (nova_block_write(block, 7, 1, text) == 0 && nova_block_flush(block) == 0)
 *         puts("Block 7 survives a loss of power.");
 * @endcode
 * @param block the session
 * @param first number of the first block
 * @param count number of blocks
 * @param from  count * block_bytes bytes
 * @return as nova_block_read()
 */
int nova_block_write(struct nova_block *block, uint64_t first, uint32_t count, const void *from);

/** Flushes, and waits like nova_block_read(): all completed writes are then durable.
 * @return as nova_block_read() */
int nova_block_flush(struct nova_block *block);

/**
 * Discards blocks and waits, like nova_block_read(). Their content is undefined afterwards.
 * @code
 * extern struct nova_block *block;
 *
 * if (nova_block_get_info(block)->flags & NOVA_BLOCK_HAS_DISCARD)
 *         nova_block_discard(block, 0, 64);
 * @endcode
 * @param block the session
 * @param first number of the first block
 * @param count number of blocks
 * @retval ENOTSUP the device cannot discard
 * @return other values as for nova_block_read()
 */
int nova_block_discard(struct nova_block *block, uint64_t first, uint32_t count);

/**
 * Restricts a session to a range of its blocks. For a program that passes its session on to a
 * client. Lasts until the session is closed; nova_block_reopen() restricts the session again.
 * @code
 * extern struct nova_block *block;
 * const struct nova_block_range range = {.first = 2048, .count = 4096, .read_only = 1};
 *
 * if (nova_block_restrict(block, &range) == 0)
 *         puts("Block 0 is now block 2048 of the disk.");
 * @endcode
 * @retval 0      done; nova_block_get_info() returns the new properties
 * @retval EINVAL the range is empty or not inside the session's blocks; other values as for
 *                nova_session_call()
 */
int nova_block_restrict(struct nova_block *block, const struct nova_block_range *range);

/**
 * Claims the blocks of a session for a use that two programs must not have at the same time, for
 * example for a file system. Lasts until the session is closed; nova_block_reopen() claims the
 * blocks again. Only claims exclude each other: a session without a claim may use all its blocks.
 *
 * On a read-only session, NOVA_BLOCK_WRITES counts as NOVA_BLOCK_READS.
 * @code
 * extern struct nova_block *block;
 *
 * if (nova_block_claim(block, NOVA_BLOCK_WRITES) == EBUSY)
 *         puts("Another program uses these blocks.");
 * @endcode
 * @param block the session
 * @param use   the use, which replaces an earlier one
 * @retval 0     done
 * @retval EBUSY another session has claimed some of the blocks, and one of the two uses writes
 * @retval ECONNRESET the service has ended while requests were in flight: nova_block_reopen()
 * @retval …     as nova_session_call() and nova_block_reopen()
 */
int nova_block_claim(struct nova_block *block, enum nova_block_use use);

/** The parts of a session that a program passes on to a client, which then communicates with the
 * service directly. After that, the program must not use these parts any more. */
struct nova_block_parts {
        nova_crd_t ring, pool;     /**< pages that the client shares with the service */
        nova_crd_t doorbell, bell; /**< semaphores with which the two sides wake each other */
};

/**
 * Returns the parts of a session.
 * @code
 * extern struct nova_request *request; // of a client that gets the session
 * extern const struct nova_block *block;
 * const struct nova_block_parts parts = nova_block_get_parts(block);
 *
 * nova_request_give(request, parts.ring);
 * nova_request_give(request, parts.pool);
 * @endcode
 */
struct nova_block_parts nova_block_get_parts(const struct nova_block *block);

#ifdef __cplusplus
}
#endif

/** @} */

#endif
