/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the fakes that tests can set and read. */
#ifndef UNIT_KERNEL_FAKE_FAKE_H
#define UNIT_KERNEL_FAKE_FAKE_H

#include "nova/abi/hip.h"
#include "nova/abi/status.h"
#include "object/ec.h"

/** Starts the kernel's parts again, with a pool of @p frames frames and with one CPU. */
void fake_boot(unsigned frames);

/* An HPET, pins of an I/O APIC, and frames of PCI configuration space. */
#define FAKE_HPET 0x6400ul
#define FAKE_PINS 24
#define FAKE_PCI  0x7000ul

/** Removes all assignments. */
void fake_device_boot(void);

/** The pin assigned last, and its CPU. */
extern unsigned fake_assigned_gsi, fake_assigned_cpu;

/** The status of the next assignments of pins. */
extern enum nova_status fake_pin_status;

/* An I/O MMU for PCI functions with even numbers below 0x100; it does not know the odd ones. */
#define FAKE_FUNCTIONS 0x100
#define FAKE_DOMAINS   4 /* three domains besides domain 0 */
#define FAKE_DMA_READ  (1ul << 61)
#define FAKE_DMA_WRITE (1ul << 62)
#define FAKE_DMA_PAGE  1ul
#define FAKE_DMA_TABLE (1ul | FAKE_DMA_READ | FAKE_DMA_WRITE)
#define FAKE_DMA_LEVEL (1ul << 9)

/** True if the fake I/O MMU does not start. */
extern bool fake_lacks_units;

/** Switches the fake I/O MMU on. */
void fake_iommu_boot(void);

/** The registers of devices lie at their physical addresses, so that units of a test can be found.
 */
extern bool fake_has_devices;

/** True if the unit needs a table of its own for each function, and keeps this table. */
extern bool fake_takes_tables;

/** Frees the tables that the unit has kept for functions. */
void fake_free_tables(void);

/** The PD whose table each function uses, and the record of flushes. */
extern const struct pd *fake_attached[FAKE_FUNCTIONS];
extern unsigned fake_flushed_domain, fake_flushes;

/** The source and the destination of each GSI; only while the test has set remap_is_on. */
struct fake_route {
        unsigned rid, apic_id;
        bool on;
};
extern struct fake_route fake_routes[NOVA_HIP_GSI];
/** Number of times that the units read the table again for a function whose routes were revoked. */
extern unsigned fake_forgotten_routes;
/** Status that the unit returns for a further route. */
extern enum nova_status fake_route_status;

/** Writes to CR4 (two for each flush of the whole TLB) and to CR3. */
extern unsigned fake_cr4_writes, fake_cr3_writes;

/** Number of interrupts sent to CPUs; the timer's last setting, in TSC ticks. */
extern unsigned fake_ipis;
extern uint64_t fake_timer;

/** True if the CPU is emulated by QEMU. */
extern bool fake_emulated;

/** Advances the time and frees the memory that waits for the grace period. Returns false if nothing
 *  waited, or if this CPU may not become quiescent. */
bool fake_free(void);

/** Lines that the kernel has printed. */
extern unsigned fake_lines;

/** Ends dying objects and frees the memory that waits for the grace period. */
void fake_settle(void);

/** Drops all memory: the allocator's lists are empty. */
void fake_memory_forget(void);

/** Returns the number of frames in use, except those of caches; fake_objects_taken() returns the
 * number of objects in use in caches. */
long fake_frames_taken(void);
long fake_objects_taken(void);

/** Called before a frame is freed, except frames of caches. */
extern void (*fake_freed)(void);

/** Makes a later allocation fail: number n (0: the next); n < 0: none. */
void fake_fail_allocation(long n);

/** Makes all allocations with number n or above fail. */
void fake_fail_allocations_from(long n);

/* Searches in trees since the start. */
extern unsigned long fake_searches;

/** Returns the number of allocations since the last fake_fail_allocation() or
 * fake_fail_allocations_from(). */
long fake_allocations(void);

/** Called before each allocation, except of frames of caches. */
extern void (*fake_allocates)(void);

/** Makes a hypercall of ec and returns its status; the exit from the kernel returns here. */
enum nova_status fake_hypercall(struct ec *ec);

/** Calls a function that may leave the kernel by resume_…. Returns the EC that would run; NULL if
 * the function returned. */
struct ec *fake_run(void (*function)(struct ec *ec), struct ec *ec);

/** Does the same as fake_run(), including the continuations that follow. Returns the EC that
 * finally returns to user mode. */
struct ec *fake_run_to_user(void (*function)(struct ec *ec), struct ec *ec);

/** Does the work of entry.S for a hypercall of ec. */
void fake_enter(struct ec *ec);

/** Number of entries into a guest, none of which returns. */
extern unsigned fake_guest_entries;

/** True if a machine check happened; true if its cause was the guest's page sizes (erratum 383). */
extern bool fake_machine_check, fake_match;

/** Gives guests page tables like those of PDs, or none. */
void fake_guest_boot(bool has_tables);

/** fake_window is called in place of an open interrupt window. fake_wait is called each time this
 * CPU waits for another CPU. */
extern void (*fake_window)(void), (*fake_wait)(void);

/** Disables the fast paths, so that the general path follows. */
extern bool fake_general;

/** Called after an item of a reply was delegated at once: on x86-32, TLBs are flushed for a table
 * of the top level, and mail may come meanwhile. */
extern void (*fake_answered)(void);

/** Value of the TSC; 0: the real one. */
extern uint64_t fake_tsc;

/** Called for each cache line that the kernel writes back, unless it is NULL. */
extern void (*fake_clflush)(const volatile void *address);

/** Adds a second CPU, which is idle and has loaded pd or none; fake_wait answers for it. */
void fake_second_cpu(struct pd *pd);

/** Number of the CPU that executes the kernel. */
extern unsigned fake_cpu;

/** Leaves one CPU, on which no EC runs any more, so that everything can be freed. */
void fake_idle(void);

#endif
