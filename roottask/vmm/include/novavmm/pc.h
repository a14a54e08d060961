/* SPDX-License-Identifier: BSD-2-Clause */
/* The board of a PC: the devices that its software expects, wired to a machine; and the console, a
 * serial port that is connected to the program's own. */
#ifndef NOVAVMM_PC_H
#define NOVAVMM_PC_H

#include "novavmm/acpi.h"
#include "novavmm/ioapic.h"
#include "novavmm/lapic.h"
#include "novavmm/pci.h"
#include "novavmm/pic.h"
#include "novavmm/pit.h"
#include "novavmm/reset.h"
#include "novavmm/rtc.h"
#include "novavmm/uart.h"
#include "novavmm/virtio_console.h"
#include "novavmm/vm.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of output that can wait. */
#define NOVA_PC_OUTPUT 4096

/** Slots of the PCI bus, from 1 on. */
#define NOVA_PC_SLOTS 4

/** Guest-physical addresses where devices in slots may have their registers. */
#define NOVA_PC_WINDOW 0xe0000000u
/** How many there are. */
#define NOVA_PC_WINDOW_BYTES 0x10000000u

/** A board. */
struct nova_pc {
        struct nova_vm *vm;
        struct nova_pic pic;
        struct nova_pit pit;
        struct nova_rtc rtc;
        struct nova_uart uart;
        struct nova_reset reset;
        struct nova_acpi acpi;
        struct nova_pci pci;
        struct nova_virtio_console hvc; /**< of nova_pc_add_console() */
        bool has_hvc;                   /**< it was called */
        struct nova_ioapic ioapic;
        struct nova_lapic lapic[NOVA_VM_VCPUS];
        char report_key; /**< typed at the console it is not the guest's but prints
                              nova_vm_report(); 0: there is none */
        uint64_t rsdp;   /**< guest-physical address of ACPI's root pointer, for loaders; or 0 */

        /* The library's own: output on its way. */
        struct nova_mutex lock;
        struct nova_semaphore data, room;
        unsigned first;              /**< of the output that waits: its first byte */
        unsigned count;              /**< and how many bytes wait */
        bool waits_for_room;         /**< the guest's CPU waits until some have been written */
        uint32_t slot_levels;        /**< of the slots' interrupt pins */
        struct nova_thread *writer;  /**< writes them to the console */
        bool is_stuck;               /**< the console took nothing for a second */
        bool quits;                  /**< the writer is to end */
        char output[NOVA_PC_OUTPUT]; /**< the output, as a ring */
};

/**
 * Put the devices of a PC into a machine: PICs, PIT, RTC, 16550 at 0x3f8, reset ports, ACPI with
 * its tables, a PCI bus; APICs if its virtual CPUs have them. Before nova_vm_run().
 *
 * What the guest sends goes to the program's console; when that takes nothing for a second, it is
 * lost. Of several boards in a program the one that was made last gets the program's input. The
 * clock begins with the program's time: 1 January 1970 at its start, unless nova_time_set() or
 * nova_time_set_by_rtc() was called before.
 * @retval 0      done
 * @retval ENOSPC the machine has no room for them
 * @retval EAGAIN no more threads
 */
int nova_pc_create(struct nova_pc *pc, struct nova_vm *vm);

/**
 * Put a virtio device into a slot of the PCI bus. After nova_pc_create(), before nova_vm_run().
 *
 * If its driver does what the device cannot go on with, a report goes to the program's console,
 * with the registers of the virtual CPU whose exit was answered.
 * @param slot 1 to NOVA_PC_SLOTS
 * @retval 0      done
 * @retval EINVAL there is no such slot
 * @retval EBUSY  the slot is taken
 */
int nova_pc_add_virtio(struct nova_pc *pc, unsigned slot, struct nova_virtio *virtio);

/**
 * Put a virtio console into a slot, connected to the program's console as the serial port is.
 *
 * Input goes to it as soon as it has a driver, and to the serial port otherwise.
 * @return as nova_pc_add_virtio()
 */
int nova_pc_add_console(struct nova_pc *pc, unsigned slot);

/**
 * Stop the machine and take the board off. Its memory stays until nova_vm_destroy(), which comes
 * next. Output that waits is still written.
 */
void nova_pc_destroy(struct nova_pc *pc);

/** Wait until all output has been written, and end its last line: the program's own text begins on
 *  a new one. */
void nova_pc_flush(struct nova_pc *pc);

#ifdef __cplusplus
}
#endif

#endif
