/* SPDX-License-Identifier: BSD-2-Clause */
/* Secure guests: a machine whose guest can become secure. The ultravisor then runs the guest
 * instead of the monitor. */
#ifndef NOVAVMM_SECURE_H
#define NOVAVMM_SECURE_H

#include "novart/service/ultravisor.h"
#include "novavmm/vm.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nova_secure_place;

/** A machine's connection to the ultravisor. All fields are zero before nova_secure_open(). */
struct nova_secure {
        struct nova_uv uv;       /**< the machine in the ultravisor's table */
        uint64_t pages_out;      /**< pages of the guest that have moved out, since UV_ESM */
        uint64_t pages_returned; /**< pages that have come back */

        /* The rest is private to the library. */
        struct nova_vm *vm;                          /**< the machine */
        struct nova_handler *handler[NOVA_VM_VCPUS]; /**< handlers of the ultravisor's calls */
        nova_sel_t portal[NOVA_VM_VCPUS]; /**< portals of the handlers, each followed by a kernel
                                           * semaphore for a handler that does not answer */
        struct nova_thread *watcher;      /**< waits for the guest's end */
        struct nova_semaphore converted;  /**< gets an up when UV_ESM has ended */
        bool over;                        /**< handlers that do not answer may return; atomic */
        unsigned busy;                    /**< calls that may hold the machine's lock; atomic */
        struct nova_vcpu *serving;        /**< virtual CPU whose call of the ultravisor has the
                                             machine's lock, or NULL */
        struct nova_mutex lock;           /**< protects `place` */
        struct nova_secure_place *place;  /**< content of each page of the RAM */
        uint32_t hand;                    /**< page at which the last search ended */
        enum nova_u_status status;        /**< result of UV_ESM */
        bool converting;                  /**< UV_ESM is in progress; atomic */
        unsigned conversions;             /**< number of UV_ESM that have begun */
        bool started;                     /**< H_SVM_INIT_START has come */
        bool secure;                      /**< the ultravisor runs the guest */
};

/**
 * Connects to the ultravisor. The machine is then created with nova_vm_config.secure, and its guest
 * starts as a normal one. When the guest executes UV_ESM, the ultravisor takes the guest over. From
 * then on, the machine's devices, buses and interrupt controllers serve the accesses that the
 * ultravisor passes on.
 * @code
 * static struct nova_secure secure;
 * static struct nova_vm vm;
 * const struct nova_vm_config config = {.name = "guest", .memory = 64u << 20, .secure = &secure};
 * int error = nova_secure_open(&secure, "ultravisor");
 *
 * if (!error)
 *         error = nova_vm_create(&vm, &config);
 * @endcode
 * Without an ultravisor, or with one that is disabled, the machine can still be created: UV_ESM
 * fails with U_FUNCTION, and the guest stays normal.
 * @param secure  the connection
 * @param service name of the ultravisor in the system's description
 * @return as nova_session_open(); ENOSPC: with `vmms=N`, N other programs have sessions
 */
int nova_secure_open(struct nova_secure *secure, const char *service);

/**
 * Describes why nova_secure_open() has failed, with the remedy. Any thread may call it.
 *
 * @code
 * static struct nova_secure secure;
 * const int error = nova_secure_open(&secure, "ultravisor");
 *
 * if (error)
 *         printf("The ultravisor cannot be reached: %s.\n", nova_secure_why(error));
 * @endcode
 * @param error the number that nova_secure_open() returned
 * @return the end of a sentence about the ultravisor, without a full stop
 */
const char *nova_secure_why(int error);

/** Closes the connection of a machine that has been destroyed, or was never created. */
void nova_secure_close(struct nova_secure *secure);

/** Returns true if the ultravisor runs the guest. */
bool nova_secure_is_secure(const struct nova_secure *secure);

/**
 * Loads a sealed image, whose guest starts as a normal one and asks to become secure.
 * @code
 * extern struct nova_vm vm;
 * extern const void *image; // a boot module
 * extern size_t bytes;
 * const char *const why = nova_sealed_load(&vm.memory, image, bytes, &vm.vcpu[0].start);
 *
 * if (why)
 *         printf("The image cannot be loaded: %s.\n", why);
 * @endcode
 * @param memory the guest's memory
 * @param image  the file, for example a boot module
 * @param bytes  its size
 * @param[out] start state in which virtual CPU 0 begins: nova_vm.vcpu[0].start
 * @return NULL, or why the image cannot be loaded, as the end of a sentence
 */
const char *nova_sealed_load(const struct nova_guest_memory *memory, const void *image,
                             size_t bytes, struct nova_utcb_event *start);

/**
 * Returns the memory in bytes that the guest of a sealed image has.
 *
 * @param image the file
 * @param bytes its size
 * @return 0 if @p image is not a sealed image
 */
size_t nova_sealed_memory(const void *image, size_t bytes);

/** Returns the number of virtual CPUs that the guest of a sealed image may have, and that its ACPI
 * tables name; 0 if @p image is not a sealed image. @param image the file @param bytes its size */
unsigned nova_sealed_vcpus(const void *image, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
