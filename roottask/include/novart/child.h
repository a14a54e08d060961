/* SPDX-License-Identifier: BSD-2-Clause */
/* Children: programs in protection domains of their own, which their parent starts, waits for and
 * kills. A child has only the resources that its parent grants. When it ends, for whatever reason,
 * the parent gets all of them back.
 *
 * The parent never waits for a child: separate threads serve the children's requests and check
 * every value in them. Children end when their parent ends.
 *
 * Resources return when no thread of the parent can answer an earlier request of the child. So the
 * parent's threads must get time on each CPU of the child. They have the parent's priority.
 *
 * A program to which the child gives its PD capability can create objects that the child's account
 * of kernel memory pays for. Those objects outlive the child. The unused part of the account
 * returns to the parent at once; the part for these objects returns when that program has ended or
 * has revoked them. If the child starts again and again, and that program creates objects each
 * time, the parent loses up to the whole account each time, until it ends the program. */
#ifndef NOVART_CHILD_H
#define NOVART_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nova/abi/types.h"
#include "novart/parent.h"
#include "novart/parent_pci.h"
#include "novart/parent_status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Default exit status of a child that nova_child_kill() ends. */
#define NOVA_CHILD_KILLED 255

/** Minimum number of bytes of a child's memory: its runtime cannot start main() with less. */
#define NOVA_CHILD_MEMORY_MIN (16u << 10)

/** Minimum number of bytes of a child's kernel memory. A service or session needs more. */
#define NOVA_CHILD_KERNEL_MEMORY_MIN (64u << 10)

/** Minimum number of a child's selectors. */
#define NOVA_CHILD_SELECTORS_MIN 64u

/** Flags of struct nova_child_config. */
#define NOVA_CHILD_MAY_HAVE_CHILDREN 0x1 /**< its PD capability permits it to create PDs */
#define NOVA_CHILD_MAY_DMA \
        0x2 /**< may learn the physical address of its memory; only a root can grant this */
#define NOVA_CHILD_MAY_POWER 0x4 /**< may reset the machine or power it off */

struct nova_child;

/** A granted range of a device. The parent must hold it: a root gets it with nova_request() and
 * nova_map_physical(). */
struct nova_child_device {
        unsigned kind;        /**< enum nova_parent_device_kind, as requested */
        uint64_t first, last; /**< ports, addresses of whole pages, or the interrupt's number */
        void *memory;         /**< kind memory: its address in this program */
        nova_sel_t sel;       /**< semaphore of the interrupt or of the console */
};

/** A request of the child that holds the configuration space of PCI. */
struct nova_child_pci {
        unsigned kind;                        /**< enum nova_parent_pci_kind */
        nova_word_t number;                   /**< number of a device or of an interrupt; kind of a
                                                 range */
        uint64_t first, bytes;                /**< address or port, and size */
        struct nova_parent_pci_device device; /**< answer to NOVA_PARENT_PCI_DEVICE */
        bool taken;     /**< answer to NOVA_PARENT_PCI_OBSTACLE: there is an obstacle; `first` is
                           then its first address or port */
        void *memory;   /**< answer to NOVA_PARENT_PCI_MEMORY: its address in this program */
        nova_sel_t sel; /**< answer to NOVA_PARENT_PCI_GSI: the semaphore in this program; request
                           NOVA_PARENT_PCI_WATCH: the semaphore's selector, the first of 64
                           selectors, which belong to the function `pci` if it returns 0 */
};

/** A question of a child about CPUs, sessions or text. */
struct nova_child_status {
        unsigned kind;   /**< enum nova_parent_status_kind */
        uint64_t number; /**< number or position */
        union {
                struct nova_parent_cpu cpu;
                struct nova_parent_session session;
                struct nova_parent_log log;
                struct nova_parent_own own;
        } answer; /**< all zero when `status` is called */
};

/**
 * Resources that a child gets by name. A NULL function grants nothing of its kind. The threads that
 * serve children call these functions one at a time. The functions must not wait and must not call
 * functions of this file, except nova_child_retire().
 */
struct nova_child_grants {
        /** The child opens a service. @param[out] sel the first of its 64 control portals, in this
         * program. @return 0; EACCES; EAGAIN: its provider does not run at the moment; ESRCH: its
         * provider will not run again */
        int (*open)(void *context, const char *name, nova_sel_t *sel);
        /** The child offers a service. @param sel the first of 64 selectors with its control
         * portals. If the function returns 0, it owns these selectors, and `closed` must free them
         * with nova_child_retire(). @return 0, EACCES or EEXIST */
        int (*serve)(void *context, const char *name, nova_sel_t sel);
        /** The child opens a module. @param[out] data page-aligned. @return 0 or ENOENT */
        int (*module)(void *context, const char *name, const void **data, size_t *bytes);
        /** The child asks for a range of a device: number @p index among the device's ranges of the
         * kind in @p device. @return 0 or ENOENT */
        int (*device)(void *context, const char *name, unsigned index,
                      struct nova_child_device *device);
        /** The child asks about PCI functions. @return 0; EACCES: it does not have the
         * configuration space; or another error that depends on the question's kind */
        int (*pci)(void *context, struct nova_child_pci *question);
        /** The child asks about a program. The function fills in all fields up to @c memory, and @c
         * services. The runtime fills in the other fields from the child with this name. @return 0;
         * ENOENT: there is no such number; EACCES */
        int (*program)(void *context, nova_word_t number, struct nova_parent_program *program);
        /** The child asks about the CPU on which the function runs, a session, or text. @return 0;
         * ENOENT: there is no such number; EACCES */
        int (*status)(void *context, struct nova_child_status *question);
        /** Called when a child with NOVA_CHILD_MAY_DMA has ended. Devices may still access its
         * memory.
         * @param page  the block of 2^order pages of nova_page_alloc()
         * @return true: the function keeps the block and owns it; false: the block is freed at
         * once */
        bool (*keep)(void *context, void *page, unsigned order);
        /** Called when the child has ended: its requests get no answer any more. From then on,
         * `open` must not return the services that the child provided (nova_child_retire()). */
        void (*closed)(void *context);
        /** Called when the child has ended and its resources are free, so nova_child_wait() will
         * not block. A program to which the child has given its parent portal still has the
         * resources that `device`, `pci` and `module` have returned. So this function should revoke
         * the devices (nova_revoke() without NOVA_REVOKE_SR): then only the next child has them. */
        void (*ended)(void *context);
        void *context; /**< first argument of each function */
};

/** Configuration of a child. The kernel limits the child and all its descendants to @c cpus and @c
 * priority (nova_pd_limit()). */
struct nova_child_config {
        const char *name;   /**< name in messages and in argv[0]; at most 31 characters */
        const void *image;  /**< its ELF file, preferably page-aligned; must stay valid until the
                               child has ended. The child uses read-only pages of the file in place.
                               A program to which the child has given its parent portal keeps these
                               pages: revoke them before you use the memory for other data */
        size_t image_bytes; /**< size of the image in bytes */
        const char *const *arguments;   /**< argv[1] and up, NULL at the end; may be NULL */
        const char *const *environment; /**< NAME=VALUE, NULL at the end; may be NULL */
        size_t memory;       /**< memory that it may allocate, in bytes; 0: 256 KiB; else at least
                                NOVA_CHILD_MEMORY_MIN. Rounded up to pages; with
                                NOVA_CHILD_MAY_DMA to a power of two, because the memory is then one
                                block */
        size_t image_memory; /**< maximum size of its segments in bytes, without the read-only parts
                                of the file; 0: 16 MiB */
        size_t kernel_memory; /**< limit of its account in bytes; 0: 128 KiB, and 48 KiB for each
                                 further CPU, at most 1 MiB; else at least
                                 NOVA_CHILD_KERNEL_MEMORY_MIN */
        size_t selectors;     /**< selectors that it may allocate; 0: 1024; else at least
                                 NOVA_CHILD_SELECTORS_MIN */
        uint64_t cpus;        /**< bit n: it may run on CPU n, and starts on the lowest; 0: the
                               * caller's CPU */
        unsigned priority;    /**< maximum priority of its threads; 0: 64; clamped to the caller's
                                   limit */
        unsigned quantum_us;  /**< longest quantum of its threads in microseconds; 0: 10,000 */
        unsigned flags;       /**< NOVA_CHILD_MAY_… */
        struct nova_child_grants grants; /**< functions that grant resources by name */
};

/**
 * Starts a child.
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
 * @param[out] child    identifies the child until nova_child_wait() has returned for it
 * @param config        is copied; the context of its grants and its image must stay valid
 * @param[out] sentence may be NULL; receives NULL after success, else the error as the rest of a
 *                      sentence that begins with the child's name
 * @retval 0 the child runs
 * @retval ENOEXEC the image is not a program that can run here
 * @retval EFBIG   its segments need more than image_memory
 * @retval EINVAL  a number or text is out of range, a resource is below its minimum
 *                 (NOVA_CHILD_MEMORY_MIN, …), or a CPU does not exist
 * @retval E2BIG   arguments and environment are too long, or too many: see NOVA_START_WORDS
 * @retval ENOMEM  no memory, kernel memory or selectors
 */
int nova_child_start(struct nova_child **child, const struct nova_child_config *config,
                     const char **sentence);

/**
 * Waits until a child has ended and its resources are free. @p child is then invalid.
 *
 * @param[out] status exit status: the argument of exit() or nova_child_kill(), or
 *                    NOVA_FAULT_STATUS + the number of the fatal event; may be NULL
 */
void nova_child_wait(struct nova_child *child, int *status);

/**
 * Waits for the end of a child, at most until a deadline.
 *
 * @param[out] status   as for nova_child_wait()
 * @param      deadline value of the TSC
 * @retval 0         the child has ended; @p child is invalid
 * @retval ETIMEDOUT it still runs
 */
int nova_child_wait_until(struct nova_child *child, int *status, uint64_t deadline);

/**
 * Kills a child. Returns at once; nova_child_wait() waits for the child's end.
 * @code
 * extern struct nova_child *child;
 * int status;
 *
 * nova_child_kill(child, NOVA_CHILD_KILLED);
 * nova_child_wait(child, &status); // its resources are free now
 * @endcode
 * @param status exit status, unless the child has already ended
 */
void nova_child_kill(struct nova_child *child, int status);

/** Returns the name with which a child was started. */
const char *nova_child_name(const struct nova_child *child);

/**
 * Reads how much of its kernel memory a child has used.
 *
 * @param[out] used, limit bytes
 * @return 0, or ESRCH: the child has ended */
int nova_child_kernel_memory(struct nova_child *child, size_t *used, size_t *limit);

/**
 * Frees selectors that a function of struct nova_child_grants has returned, such as those of a
 * service that has ended. Revokes their capabilities at once. Frees the selectors when no thread
 * can send an answer that names them any more: otherwise a child that delays an answer would get
 * the objects that the program later has at these selectors. Never blocks. Needs no memory for
 * selectors that the function `serve` has received. Needs memory for all others; if there is none,
 * they stay allocated.
 * @code
 * static nova_sel_t service; // was returned by the function `open`
 *
 * // in the function `closed` of the program that provided the service:
 * nova_child_retire(service, NOVA_PARENT_SERVICE_ORDER);
 * @endcode
 * @param sel   first selector
 * @param order log2 of the number of selectors
 * @par Who may call
 * The functions of struct nova_child_grants, as an exception to their rule.
 */
void nova_child_retire(nova_sel_t sel, unsigned order);

/** Returns the number of children for which nova_child_wait() has not returned. */
unsigned nova_child_count(void);

#ifdef __cplusplus
}
#endif

#endif
