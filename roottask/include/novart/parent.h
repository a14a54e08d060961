/* SPDX-License-Identifier: BSD-2-Clause */
/* A child's requests to its parent: the protocol of the parent portal, and a function for each
 * operation.
 *
 * A child has one portal to its parent on each of its CPUs. Word 0 of a message is the operation;
 * word 0 of the answer is 0 or an errno value. Names are bytes in words, at most NOVA_PARENT_NAME
 * bytes including a terminating 0. A child gets only resources that its parent grants it by
 * name. */
#ifndef NOVART_PARENT_H
#define NOVART_PARENT_H

#include <stddef.h>
#include <stdint.h>

#include "nova/abi/utcb.h"
#include "novart/fault.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size of a name in bytes, including the terminating 0. */
#define NOVA_PARENT_NAME 32

/** Order of the range of a service's control portals: 2^6 selectors, one for each CPU number. */
#define NOVA_PARENT_SERVICE_ORDER 6

/** Operations: word 0 of a message. The comments list its other words and items. */
enum nova_parent_operation {
        NOVA_PARENT_BEGIN =
                1,           /**< answer: own PD and first EC, to the window's selectors 0 and 1 */
        NOVA_PARENT_EXIT,    /**< status; there is no answer */
        NOVA_PARENT_OPEN,    /**< name; answer: items: control portals, CPU n's at index n */
        NOVA_PARENT_SERVE,   /**< name, item: own control portals, CPU n's at index n */
        NOVA_PARENT_SC,      /**< priority, quantum, number, item: EC; answer: item: SC */
        NOVA_PARENT_SC_DROP, /**< number of the NOVA_PARENT_SC request: the thread has ended */
        NOVA_PARENT_FAULT,   /**< struct nova_fault_report */
        NOVA_PARENT_WRITE,   /**< number of bytes, text for the parent's console */
        NOVA_PARENT_MODULE,  /**< first page, name; answer: bytes, pages given, items: pages */
        NOVA_PARENT_DEVICE,  /**< kind, index, page, name; answer: 0, pages given, first and last
                                number (low and high words each), items */
        NOVA_PARENT_POWER,   /**< NOVA_EXT_MACHINE_… */
        NOVA_PARENT_EVENTS,  /**< the parent removes its portals at NOVA_SEL_MAIN_EVENTS; answer: 1
                                (ask again) or 0, items: pages not yet delivered */
        NOVA_PARENT_PCI,     /**< kind (enum nova_parent_pci_kind), then this kind's words */
        NOVA_PARENT_WATCH,   /**< item: a semaphore that gets an up when a program has ended */
        NOVA_PARENT_ENDED,   /**< a child of this program has ended */
        NOVA_PARENT_PROGRAM, /**< number; answer: struct nova_parent_program */
        NOVA_PARENT_STATUS,  /**< kind (enum nova_parent_status_kind), then this kind's words */
};

/** States of a program of the parent. */
enum nova_parent_program_state {
        NOVA_PARENT_WAITS = 1, /**< it starts after the services that it uses */
        NOVA_PARENT_RUNS,      /**< it has been started */
        NOVA_PARENT_PAUSES,    /**< it has ended and starts again */
        NOVA_PARENT_OVER,      /**< it has ended, or could not start */
};

/** A program of the parent. The last five fields are 0 if it does not run. */
struct nova_parent_program {
        char name[NOVA_PARENT_NAME];        /**< its name in the description */
        uint32_t state;                     /**< enum nova_parent_program_state */
        uint32_t priority;                  /**< maximum priority of its threads */
        uint32_t restarts;                  /**< number of restarts */
        int32_t status;                     /**< exit status of its last end */
        uint64_t cpus;                      /**< bit n: it may run on CPU n */
        uint64_t memory;                    /**< memory that it may allocate, in bytes */
        uint64_t kernel_used, kernel_limit; /**< kernel memory in bytes */
        uint64_t time_us;  /**< total run time of its present threads in microseconds, including
                              the present run of a thread that is running */
        uint32_t threads;  /**< number of present threads with an SC */
        uint32_t services; /**< number of services that it offers */
};

/** Kinds of device resources, word 1 of NOVA_PARENT_DEVICE. */
enum nova_parent_device_kind {
        NOVA_PARENT_PORTS = 1, /**< items: ports; they keep their numbers */
        NOVA_PARENT_MEMORY,    /**< items: the requested page, and the pages after it that fit */
        NOVA_PARENT_INTERRUPT, /**< item: its semaphore */
        NOVA_PARENT_CONSOLE,   /**< item: the semaphore of nova_parent_console() */
};

/**
 * Reports that the program handles its first thread's events itself from now on: the parent revokes
 * its own portals at NOVA_SEL_MAIN_EVENTS.
 *
 * @retval 0      done
 * @retval ENOSYS the program is a root: it has no parent
 */
int nova_parent_events(void);

/** Requests a service's control portals: the portal for CPU n arrives at @p sel + n.
 *
 * @param name the service
 * @param sel  2^NOVA_PARENT_SERVICE_ORDER free selectors, aligned to their number
 * @retval 0      some portals have arrived
 * @retval EACCES the parent does not grant this service
 * @retval EAGAIN its provider does not run, for example because it is being restarted
 * @retval ESRCH  its provider has ended, and the parent does not start it again
 * @retval ENOMEM no kernel memory
 */
int nova_parent_open(const char *name, nova_sel_t sel);

/** Provides a service: the parent passes the portals to the programs to which it grants the
 * service.
 *
 * @param name the service
 * @param sel  selectors as for nova_parent_open(): the portal for CPU n is at @p sel + n
 * @retval 0      clients can open the service
 * @retval EACCES the parent does not expect this service from this program
 * @retval EEXIST a service of this name exists already
 */
int nova_parent_serve(const char *name, nova_sel_t sel);

/** Asks the parent to do an up on a semaphore each time one of its programs, or a descendant of
 * one, has ended. A service then looks for sessions whose client has ended. Each program between
 * the parent and a descendant passes on the ends that its children report from one CPU at most once
 * per 10 ms. So one up may stand for several descendants, and it comes up to 10 ms late for each
 * such program.
 *
 * @param sm selector of the semaphore; the parent does no more ups after it is destroyed
 * @retval 0      the parent has the semaphore
 * @retval ENOSPC the parent already has NOVA_PARENT_WATCHES semaphores of this program
 * @retval ENOSYS the program is a root: it has no parent
 */
int nova_parent_watch(nova_sel_t sm);

/** Maximum number of semaphores of nova_parent_watch(). */
#define NOVA_PARENT_WATCHES 4

/** Reports to the parent that a child of this program has ended. @return 0; EPERM: the program may
 * not have children; ENOSYS: it is a root */
int nova_parent_ended(void);

/** Requests a scheduling context for an EC of this program.
 *
 * Even if the result is EAGAIN, the thread may have run briefly: the parent creates the SC before
 * it knows whether the SC's capability can be delegated.
 * @param sc       free selector for the SC, by which nova_parent_sc_drop() finds it
 * @param ec       EC capability with NOVA_EC_SC: a global thread
 * @param priority clamped to the program's limit; 0: that limit
 * @param quantum_us quantum in microseconds, clamped to the parent's limit; 0: that limit
 * @retval 0      the thread runs
 * @retval EINVAL @p ec is not an EC, or a number is invalid
 * @retval EAGAIN too many threads, or no kernel memory
 */
int nova_parent_sc(nova_sel_t sc, nova_sel_t ec, unsigned priority, unsigned quantum_us);

/** Returns a scheduling context after its thread has ended. @param sc as for nova_parent_sc()
 * @return 0; EINVAL: not an SC from the parent */
int nova_parent_sc_drop(nova_sel_t sc);

/**
 * Writes text on the parent's console, which puts the program's name before each line.
 *
 * @param text  the text; the parent holds an incomplete line until more text arrives
 * @param bytes its length
 * @retval 0      written
 * @retval ENOSYS the program is a root: it has no parent
 */
int nova_parent_write(const char *text, size_t bytes);

/** Reports a fatal event to the parent, which ends the program with the status NOVA_FAULT_STATUS +
 * the event's number. Returns only if there is no parent. @return ENOSYS */
int nova_parent_fault(const struct nova_fault_report *report);

/** Ends the program. Returns only if there is no parent. */
void nova_parent_exit(int status);

/**
 * Maps a module read-only. nova_region_free() of its address unmaps it.
 * @code
 * const void *data;
 * size_t bytes;
 *
 * if (nova_parent_module("disk.img", &data, &bytes) == 0)
 *         printf("%zu bytes\n", bytes);
 * @endcode
 * @param name       the module
 * @param[out] data  its first byte, at the start of a page
 * @param[out] bytes its size
 * @retval 0      @p data and @p bytes are set
 * @retval ENOENT the parent does not grant a module of this name
 * @retval ENOMEM no addresses or no kernel memory
 */
int nova_parent_module(const char *name, const void **data, size_t *bytes);

/**
 * Requests a range of a device's ports.
 *
 * @code
 * uint16_t first, last;
 *
 * if (nova_parent_ports("rtc", 0, &first, &last))
 *         puts("write 'devices rtc' into the description");
 * @endcode
 * @param index            0 for the first range
 * @param[out] first, last numbers of the ports
 * @retval 0      the program may use them
 * @retval ENOENT no such device, or it has no more ranges
 * @retval ENOMEM no kernel memory
 */
int nova_parent_ports(const char *device, unsigned index, uint16_t *first, uint16_t *last);

/**
 * Maps range @p index of a device's memory, readable and writable.
 * @code
 * void *registers;
 * size_t bytes;
 *
 * if (nova_parent_memory("hpet", 0, &registers, &bytes) == 0)
 *         printf("%zu bytes of registers\n", bytes);
 * @endcode
 * @retval 0      @p bytes bytes are mapped at @p memory
 * @retval ENOENT no such device, or it has no such range
 * @retval ENOMEM no addresses or no kernel memory
 */
int nova_parent_memory(const char *device, unsigned index, void **memory, size_t *bytes);

/**
 * Requests interrupt @p index of a device.
 * @code
 * uint32_t address, data;
 * unsigned gsi;
 * const nova_sel_t sel = nova_sel_alloc(0);
 *
 * if (sel != NOVA_SEL_NONE && nova_parent_interrupt("rtc", 0, sel, &gsi) == 0 &&
 *     nova_assign_gsi(sel, 0, nova_program.cpu, &address, &data) == NOVA_SUCCESS)
 *         nova_sm_down(sel); // waits for the interrupt
 * @endcode
 * @param sel      free selector for the interrupt's semaphore
 * @param[out] gsi its number
 * @retval 0      the semaphore has arrived
 * @retval ENOENT no such device, or it has no such range
 */
int nova_parent_interrupt(const char *device, unsigned index, nova_sel_t sel, unsigned *gsi);

/** Shares with the parent a device that is also the parent's console.
 *
 * The semaphore's counter is 1 while neither program writes. To write a line, call
 * nova_sm_down_until() with NOVA_SM_ZC, write, and call nova_sm_up(). The parent waits at most a
 * second for the semaphore; after a timeout it writes its next line without waiting.
 *
 * @param sel free selector for the semaphore
 * @retval 0      the semaphore has arrived
 * @retval ENOENT no such device, or the parent does not write to it
 */
int nova_parent_console(const char *device, nova_sel_t sel);

/** Resets the machine or powers it off. @param operation NOVA_EXT_MACHINE_RESET or _OFF
 *  @return only after a failure; EPERM: not granted; ENOTSUP: the machine does not support it */
int nova_parent_power(unsigned operation);

/**
 * Reads the state of a program that the parent, for example init, manages. Changes nothing.
 *
 * @code
 * struct nova_parent_program program;
 *
 * for (unsigned i = 0; nova_parent_program_describe(i, &program) == 0; i++)
 *         printf("%s was started again %u times\n", program.name, (unsigned)program.restarts);
 * @endcode
 * @param number       index in the order of the description; the first is 0
 * @param[out] program the program
 * @retval 0      done
 * @retval ENOENT there is no such number
 * @retval EACCES the program does not have the grant `status`
 * @retval ENOSYS the program is a root: it has no parent
 */
int nova_parent_program_describe(unsigned number, struct nova_parent_program *program);

#ifdef __cplusplus
}
#endif

#endif
