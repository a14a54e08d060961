/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces of init's parts, and the state of each program of its system. */
#ifndef NOVA_INIT_INIT_H
#define NOVA_INIT_INIT_H

#include "nova/crd.h"
#include "novart/child.h"
#include "novart/module.h"
#include "novart/sync.h"
#include "system/description.h"

enum program_state { PROGRAM_WAITS, PROGRAM_RUNS, PROGRAM_PAUSES, PROGRAM_OVER };

/* A program of the description while the system runs. */
struct program {
        const struct nova_system_program *says;
        enum program_state state;
        struct nova_child *child;
        unsigned restarts;
        unsigned failures; /* number of ends with a status other than 0 since the program last
                            * came up */
        bool up;           /* the program has offered a service since its start; atomic */
        uint64_t started;  /* time of its last start in ns since boot */
        int status;        /* exit status of its last end */
        bool closed;       /* the child provides no service any more and will end; the main thread
                            * clears it; atomic */
        bool ended;        /* the child has ended; the main thread clears it; atomic */
        unsigned denials;  /* number of reports about services that it may not open or offer; for
                            * grants.c */
        bool stuck;        /* init has reported that this program waits for an overdue one */
        uint64_t serve_until; /* deadline for its services in ns since boot */
        uint64_t pause_until; /* time of its next start in ns since boot */
};

/* Only init's main thread writes these fields, with one exception: grants.c, in the runtime's
 * threads that serve children, writes a program's denials and its atomic fields. */
struct init {
        struct nova_system system;
        struct program program[NOVA_SYSTEM_PROGRAMS_MAX];
        struct nova_semaphore news; /* gets an up when a child has ended or a service has become
                                     * available */
};

extern struct init init;

/* modules.c: finds and reads the description, and checks it against machine and modules. Reports
 * each mistake. Returns the number of mistakes. */
unsigned modules_read_description(const char *name);
/* Finds a boot module and maps it once. Returns false if it does not exist or cannot be mapped. */
bool modules_map(const char *name, const void **data, size_t *bytes);

/* grants.c: grants a program its resources by name. */
struct nova_child_grants grants_of(struct program *program);
/* Returns true if `program` uses a service that `provider` provides. */
bool grants_needs(const struct program *program, const struct program *provider);
/* Describes session number `number`. Returns 0 or ENOENT. */
int grants_describe_session(uint64_t number, struct nova_parent_session *about);
/* Returns true if a service is available. */
bool grants_service_there(const char *name);
/* Returns the program that provides a service. The description is checked, so there is one. */
struct program *grants_provider(const char *service);

/* devices.c: returns in `device` range number `index` of the kind that `device` names. Returns 0 or
 * ENOENT. */
int devices_get(const char *name, unsigned index, struct nova_child_device *device);
/* Returns the semaphore of an interrupt, whose number is less than NOVA_HIP_GSI. Returns 0 or an
 * errno value. */
int devices_get_interrupt(nova_word_t gsi, nova_sel_t *sel);
/* Called when a program has ended: takes its devices away from all other programs. The program may
 * have given them the portal to its parent. */
void devices_take(const struct nova_system_program *says);
/* Revokes a range of init's memory or ports, or the semaphore of an interrupt, from all programs
 * but init. */
void devices_revoke(struct nova_crd_range range);
void devices_revoke_interrupt(nova_word_t gsi);
/* Finds a range in the memory of a program's devices that contains something other than a device,
 * such as RAM. Returns words for this content, and sets the device and the range. Returns NULL if
 * there is no such range. */
const char *devices_taken(const struct nova_system_program *says,
                          const struct nova_system_device **device,
                          const struct nova_system_range **range);

/* pci.c: maps the configuration space of a bus, 1 MiB of memory. Returns 0, or ENOENT if the
 * machine does not map it. */
int pci_get_bus(unsigned bus, struct nova_child_device *device);
/* Revokes the configuration space of all buses from all programs but init. */
void pci_revoke_buses(void);

/* pci_answer.c: answers a request of the service pci. Returns 0 or an errno value. */
int pci_answer(const struct program *program, struct nova_child_pci *question);
/* Revokes all resources of PCI functions, and the configuration space, from all programs but
 * init. */
void pci_take(void);
/* Returns true if an I/O MMU restricts each device to its driver's memory. */
bool pci_has_iommu(void);
/* Without an I/O MMU, a program with `grants dma` can access all memory through its devices.
 * Returns a device of the program that permits this although the device's section of the
 * description lacks `dma-unprotected`; NULL: there is none. */
const struct nova_system_device *pci_unprotected(const struct nova_system_program *says);

/* quarantine.c: keeps the memory of a program that has ended while devices may reach it. Returns
 * false if it can be freed. */
bool quarantine_keep(struct program *program, void *page, unsigned order);
/* Records that device number `device` of the description is quiet, or that it cannot be reset. */
void quarantine_report(unsigned device, bool quiet);
/* Keeps a semaphore of the service pci, which gets an up when a driver has ended. It is at `sel`,
 * the first of 64 selectors. */
void quarantine_watch(nova_sel_t sel);
/* Returns the time in ns since boot before which a program should not start again, because init may
 * still get back the memory of the program's last run. 0: it can start now. */
uint64_t quarantine_ends(const struct program *program);

/* grants.c: returns true if a list has a word. */
bool grants_list_has(struct nova_system_list list, const char *word);

/* waiting.c: returns the time in ns that a program may take to provide its services. */
uint64_t waiting_patience(void);
/* Returns true if a waiting program can start now. Reports once if it cannot start soon, or
 * ever. */
bool waiting_look(struct program *program);
/* Returns the TSC value at which init checks the programs again, even without an event. */
uint64_t waiting_deadline(void);

/* status.c: keeps the text that init writes from now on. */
void status_begin(void);
/* Answers a request for the state of CPUs, sessions or text. Returns 0 or an errno value. */
int status_answer(const struct program *asks, struct nova_child_status *question);

/* programs.c: returns the CPUs of a program; bit n: CPU n. */
uint64_t programs_cpus_of(const struct nova_system_program *says);

/* programs.c: runs the system until it ends. Returns its exit status. */
int programs_run(void);

#endif
