/* SPDX-License-Identifier: BSD-2-Clause */
/* A PCI function that is passed through to a guest. The monitor claims it from the service pci
 * (novart/service/pci_device.h). An I/O MMU keeps its DMA in the guest's RAM. */
#ifndef NOVAVMM_GUEST_PCI_H
#define NOVAVMM_GUEST_PCI_H

#include "novart/sync.h"
#include "novart/thread.h"
#include "novavmm/pass.h"
#include "novavmm/pc.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nova_guest_pci;
struct nova_pci_device;

/** A claimed function. Private to the library, except `shown` and `why`. */
struct nova_guest_function {
        struct nova_pass_function shown;          /**< function as the guest finds it */
        const char *why;                          /**< reason of an error, or NULL */
        struct nova_pci_device *session;          /**< session of the service pci, or NULL */
        volatile char *memory[NOVA_PASS_BARS];    /**< memory of each BAR, or NULL */
        nova_sel_t interrupt[NOVA_PASS_MESSAGES]; /**< semaphore of each message */
};

/** A message of a function. Private to the library. */
struct nova_guest_message {
        struct nova_guest_pci *owner; /**< function that sends the message */
        unsigned number;              /**< number of the message */
        struct nova_thread *thread;   /**< thread that waits for the message, or NULL */
};

/** A function that is passed through. */
struct nova_guest_pci {
        struct nova_pass device;             /**< the guest's device */
        struct nova_guest_function function; /**< the monitor's access to the function */
        uint64_t messages;                   /**< number of messages that have come */
        uint64_t placed;                     /**< number of mappings of its memory in the guest */

        /* Private to the library. */
        struct nova_pc *pc;          /**< board that has it, or NULL */
        struct nova_guest_pci *next; /**< next function of the machine */
        struct nova_guest_message message[NOVA_PASS_MESSAGES];
        struct nova_thread *worker; /**< thread that calls the service for handlers of exits */
        struct nova_semaphore work, done; /**< semaphores that start and end a call of the worker */
        bool master;                      /**< argument of that call */
        bool stops;                       /**< true if the threads of the function must end */
};

/**
 * Passes a function through to a guest: claims it, and puts it on the guest's PCI bus. Call it
 * after nova_pc_create() and before nova_vm_run(). The machine must have local APICs.
 *
 * The guest finds the function's own identification, memory and interrupt messages. The function's
 * DMA reaches only the guest's RAM, at guest-physical addresses. Each machine claims the function
 * again, so a guest that restarts gets a function that was reset.
 * @code
 * extern struct nova_pc pc;
 * static struct nova_guest_pci nic;
 *
 * if (nova_guest_pci_attach(&nic, &pc, 5, "nic"))
 *         printf("The device nic cannot be passed through: %s.\n", nic.function.why);
 * @endcode
 * @param guest  filled with zero, or detached; after an error, function.why is the reason as the
 *               end of a sentence
 * @param number number of the device on the guest's bus, 1 to 31
 * @param name   its name in the description: `device NAME`
 * @retval 0       done
 * @retval ENOTSUP there is no I/O MMU, the function has no interrupt messages, or the guest can
 *                 become secure (nova_vm_config.secure)
 * @retval ENOSPC  its memory does not fit into the guest's range for devices
 * @retval EINVAL  the machine has no local APICs, or there is no such number
 * @retval EBUSY   the number is taken, or the program has claimed the function already
 * @retval EAGAIN  no more threads
 * @return other values as for nova_pci_claim() and nova_pci_map()
 */
int nova_guest_pci_attach(struct nova_guest_pci *guest, struct nova_pc *pc, unsigned number,
                          const char *name);

/**
 * Takes a function from its board: the service pci resets it. Call it after the machine's end and
 * before nova_vm_destroy(). Does nothing if no board has it.
 * @code
 * extern struct nova_vm vm;
 * extern struct nova_guest_pci nic;
 *
 * nova_vm_wait(&vm);
 * printf("%llu interrupts\n", (unsigned long long)nic.messages);
 * nova_guest_pci_detach(&nic);
 * nova_vm_destroy(&vm);
 * @endcode
 */
void nova_guest_pci_detach(struct nova_guest_pci *guest);

#ifdef __cplusplus
}
#endif

#endif
