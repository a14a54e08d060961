/* SPDX-License-Identifier: BSD-2-Clause */
/* Children: programs in protection domains of their own, which their parent starts, waits for and
 * ends. A child has what its parent grants and nothing else; when it ends, by whatever cause, all
 * that it had comes back.
 *
 * The parent never waits for a child: a thread of its own answers what children ask, and all that a
 * child says is checked. Children are ended by their parent's end. */
#ifndef NOVART_CHILD_H
#define NOVART_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Exit status of a child that nova_child_kill() ended without another wish. */
#define NOVA_CHILD_KILLED 255

/** Flags of struct nova_child_config. */
#define NOVA_CHILD_MAY_HAVE_CHILDREN 0x1 /**< own PD with the permission to create PDs */
#define NOVA_CHILD_MAY_DMA           0x2 /**< learns the physical address of its memory; of roots */
#define NOVA_CHILD_MAY_POWER         0x4 /**< may reset the machine or switch it off */

struct nova_child;

/** A range of a device that is granted. The parent has it itself: a root gets it by nova_request()
 *  and nova_map_physical(). */
struct nova_child_device {
        unsigned kind;        /**< enum nova_parent_device_kind, as asked for */
        uint64_t first, last; /**< ports, addresses of whole pages, or the interrupt's number */
        void *memory;         /**< where memory is in this program */
        nova_sel_t sel;       /**< the interrupt's semaphore, or the console's */
};

/**
 * What a child gets by name. All functions may be NULL: then there is nothing of that kind. They
 * are called by the threads that answer children, one at a time, must not wait, and must not call
 * functions of this file.
 */
struct nova_child_grants {
        /** A service is wanted. @param[out] sel the first of its 64 control portals, in this
         *  program. @return 0, EACCES or EAGAIN */
        int (*open)(void *context, const char *name, nova_sel_t *sel);
        /** A service is offered. @param sel the first of 64 selectors with its control portals; if
         *  the answer is 0 they are the callee's, who releases them. @return 0, EACCES or EEXIST */
        int (*serve)(void *context, const char *name, nova_sel_t sel);
        /** A module is wanted. @param[out] data page-aligned. @return 0 or ENOENT */
        int (*module)(void *context, const char *name, const void **data, size_t *bytes);
        /** A device is wanted: range @p index of the kind that @p device names. @return 0 or ENOENT
         */
        int (*device)(void *context, const char *name, unsigned index,
                      struct nova_child_device *device);
        /** The child has ended, all it had is back, and nova_child_wait() will not block. */
        void (*ended)(void *context);
        void *context; /**< given to each */
};

/** What a child is to be. The kernel holds the child, and whatever children it makes, to @c cpus
 *  and @c priority (nova_pd_limit()). */
struct nova_child_config {
        const char *name;   /**< for messages and for argv[0]; at most 31 characters */
        const void *image;  /**< its ELF file, page-aligned best; must stay until the child ended */
        size_t image_bytes; /**< its size */
        const char *const *arguments;   /**< from argv[1] on, NULL at the end; may be NULL */
        const char *const *environment; /**< NAME=VALUE, NULL at the end; may be NULL */
        size_t memory;        /**< bytes that it may allocate; 0: 256 KiB; rounded up to pages, and
                                   with NOVA_CHILD_MAY_DMA to a power of two, for it is one block */
        size_t image_memory;  /**< bytes that its segments may take, but for those parts of the
                                   file that nobody writes; 0: 16 MiB */
        size_t kernel_memory; /**< bytes of its account; 0: 128 KiB, 48 KiB more for each further
                                 CPU, at most 1 MiB */
        size_t selectors;     /**< that it may give out; 0: 1024 */
        uint64_t cpus;     /**< bit n: may run on CPU n, first of all on the lowest; 0: caller's */
        unsigned priority; /**< highest of its threads; 0: 64; cut to the own limit */
        unsigned quantum_us; /**< longest time slice of its threads in microseconds; 0: 10,000 */
        unsigned flags;      /**< NOVA_CHILD_MAY_… */
        struct nova_child_grants grants;
};

/**
 * Start a child.
 *
 * @code
 * const void *image;
 * size_t bytes;
 * struct nova_child *child;
 * const char *sentence;
 * int status;
 *
 * if (nova_module_open("worker", &image, &bytes))
 *         return;
 *
 * const struct nova_child_config config = {
 *         .name = "worker", .image = image, .image_bytes = bytes};
 *
 * if (nova_child_start(&child, &config, &sentence))
 *         printf("worker %s\n", sentence);
 * else
 *         nova_child_wait(child, &status);
 * @endcode
 * @param[out] child    names it until nova_child_wait() has returned for it
 * @param config        is copied; its grants' context, and its image must stay
 * @param[out] sentence if not NULL, what is wrong as the rest of a sentence that begins with the
 *                      child's name; NULL after success
 * @retval 0       it runs
 * @retval ENOEXEC the image is not a program that can run here
 * @retval EFBIG   its segments need more than image_memory
 * @retval EINVAL  a number or text is out of its range, or a CPU is not there
 * @retval E2BIG   arguments and environment are too long, or too many: see NOVA_START_WORDS
 * @retval ENOMEM  no memory, kernel memory or selectors
 */
int nova_child_start(struct nova_child **child, const struct nova_child_config *config,
                     const char **sentence);

/**
 * Wait until a child has ended and all that it had is back; the child is no more then.
 *
 * @param[out] status what it ended with: of exit(), 128 + the event that ended it, or what
 *                    nova_child_kill() said; may be NULL
 */
void nova_child_wait(struct nova_child *child, int *status);

/**
 * Wait for the end of a child until a moment only.
 *
 * @param[out] status   as for nova_child_wait()
 * @param      deadline value of the TSC
 * @retval 0         the child is no more
 * @retval ETIMEDOUT it is still there
 */
int nova_child_wait_until(struct nova_child *child, int *status, uint64_t deadline);

/** End a child, whatever it does at the moment. Returns at once; nova_child_wait() says when it is
 *  over. @param status if it has not ended by itself before, with this one */
void nova_child_kill(struct nova_child *child, int status);

/** The name that a child was started with. */
const char *nova_child_name(const struct nova_child *child);

/**
 * What a child has used of its account of kernel memory.
 *
 * @param[out] used, limit bytes
 * @return 0, or ESRCH: it has ended
 */
int nova_child_kernel_memory(struct nova_child *child, size_t *used, size_t *limit);

/** Number of children that have not been waited for. */
unsigned nova_child_count(void);

#ifdef __cplusplus
}
#endif

#endif
