/* SPDX-License-Identifier: BSD-2-Clause */
/* The board of a PC: the devices that its software expects, connected to a machine. Its console is
 * a serial port that is connected to the program's console. */
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

/** Size of the output buffer in bytes. */
#define NOVA_PC_OUTPUT 4096

/** Slots of the PCI bus; the first is 1. */
#define NOVA_PC_SLOTS 4

/** First guest-physical address for the registers of devices in slots. */
#define NOVA_PC_WINDOW 0xe0000000u
/** Size of that range in bytes. */
#define NOVA_PC_WINDOW_BYTES 0x10000000u

/** A board. */
struct nova_pc {
        struct nova_vm *vm;                            /**< machine of the board */
        struct nova_pic pic;                           /**< interrupt controllers */
        struct nova_pit pit;                           /**< the timer chip, an 8254 */
        struct nova_rtc rtc;                           /**< the real-time clock, an MC146818 */
        struct nova_uart uart;                         /**< serial port COM1 */
        struct nova_reset reset;                       /**< reset logic */
        struct nova_acpi acpi;                         /**< power-management ports */
        struct nova_vpci pci;                          /**< PCI bus */
        struct nova_virtio_console hvc;                /**< console of nova_pc_add_console() */
        bool has_hvc;                                  /**< nova_pc_add_console() was called */
        struct nova_ioapic ioapic;                     /**< I/O APIC */
        struct nova_lapic lapic[NOVA_VM_VCPUS];        /**< local APICs, by virtual CPU */
        struct nova_virtio *virtio[NOVA_PC_SLOTS + 1]; /**< devices by slot, or NULL */
        char report_key; /**< key that calls nova_vm_report() and is not passed to the guest; 0:
                            none */
        uint64_t rsdp;   /**< guest-physical address of ACPI's root pointer, for loaders; 0: none */

        /* Private to the library: buffered output. */
        struct nova_mutex lock;
        struct nova_semaphore data, room;
        unsigned first;              /**< index of the first buffered byte */
        unsigned count;              /**< number of buffered bytes */
        bool waits_for_room;         /**< the guest's CPU waits for room in the buffer */
        uint32_t slot_levels;        /**< levels of the slots' interrupt pins */
        struct nova_alarm late;      /**< sends interrupts that devices hold back, and lets devices
                                        continue their work */
        unsigned turn;               /**< virtual CPU that comes first among equal destinations of
                                        a lowest-priority message */
        uint32_t passed_end;         /**< end of the memory of functions that are passed through */
        struct nova_thread *writer;  /**< thread that writes the output to the console */
        bool is_stuck;               /**< the console has accepted nothing for a second */
        bool quits;                  /**< the writer must end */
        char output[NOVA_PC_OUTPUT]; /**< ring buffer of output */
};

/**
 * Adds the devices of a PC to a machine: PICs, PIT, RTC, 16550 at 0x3f8, reset ports, ACPI with its
 * tables, a PCI bus; APICs if its virtual CPUs have them. Call it before nova_vm_run().
 *
 * The guest's output goes to the program's console; when the console accepts nothing for a second,
 * output is lost. The board that was created last gets the program's input. The clock starts with
 * the program's time of day. If neither nova_time_set() nor nova_time_set_by_rtc() has set it, the
 * date is 1 January 1970.
 * @code
 * static struct nova_vm vm;
 * static struct nova_pc pc;
 * const struct nova_vm_config config = {.name = "pc", .memory = 64u << 20, .local_apic = true};
 *
 * if (nova_vm_create(&vm, &config) == 0 && nova_pc_create(&pc, &vm) == 0)
 *         nova_pc_add_console(&pc, 1);
 * @endcode
 * @retval 0      done
 * @retval ENOSPC the machine has no room for them
 * @retval EAGAIN no more threads
 */
int nova_pc_create(struct nova_pc *pc, struct nova_vm *vm);

/**
 * Puts a virtio device into a slot of the PCI bus. Call it after nova_pc_create() and before
 * nova_vm_run().
 *
 * If virtual CPUs have local APICs, the device has interrupt messages (MSI-X) in addition to its
 * wire.
 *
 * After a fatal error of its driver, a report with the registers of the virtual CPU whose exit was
 * being handled goes to the program's console.
 * @code
 * extern struct nova_pc pc;
 * static struct nova_virtio_block disk;
 * static char data[1u << 20];
 *
 * nova_virtio_block_init(&disk, &pc.vm->memory, data, sizeof(data), false);
 * nova_pc_add_virtio(&pc, 2, &disk.virtio);
 * @endcode
 * @param slot 1 to NOVA_PC_SLOTS
 * @retval 0      done
 * @retval EINVAL there is no such slot
 * @retval EBUSY  the slot is taken
 * @retval ENOSPC the machine has NOVA_VM_ALARMS alarms already
 */
int nova_pc_add_virtio(struct nova_pc *pc, unsigned slot, struct nova_virtio *virtio);

/**
 * Puts a virtio console into a slot and connects it to the program's console like the serial port.
 *
 * Input goes to it as soon as it has a driver, and to the serial port otherwise.
 * @return as nova_pc_add_virtio()
 */
int nova_pc_add_console(struct nova_pc *pc, unsigned slot);

/**
 * Stops the machine and removes the board. The machine's memory and @p pc stay in use until
 * nova_vm_destroy(), which must follow. Buffered output is still written; if its last line is
 * incomplete, a newline follows.
 */
void nova_pc_destroy(struct nova_pc *pc);

/** Waits until all output has been written. If its last line is incomplete, adds a newline, so that
 * the program's own text starts on a new line. */
void nova_pc_flush(struct nova_pc *pc);

#ifdef __cplusplus
}
#endif

#endif
