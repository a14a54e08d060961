/* SPDX-License-Identifier: BSD-2-Clause */
/* An I/O APIC with 24 pins, at 0xfec00000. */
#ifndef NOVAVMM_IOAPIC_H
#define NOVAVMM_IOAPIC_H

#include "novavmm/lapic.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Address, size and number of pins. */
#define NOVA_IOAPIC_AT    0xfec00000u
#define NOVA_IOAPIC_BYTES 0x1000u
#define NOVA_IOAPIC_PINS  24

/** An I/O APIC. */
struct nova_ioapic {
        uint8_t index;                    /**< index of the register that the data window shows */
        uint32_t id;                      /**< value that the guest wrote to the ID register */
        uint32_t pins;                    /**< levels of its pins */
        uint64_t entry[NOVA_IOAPIC_PINS]; /**< the redirection table */
        /** Sends an interrupt to local APICs. @return false if none accepted it */
        bool (*send)(void *context, const struct nova_apic_message *message);
        void *context; /**< context of send */
};

/** Initialises an I/O APIC with all pins masked. @param send returns false if no local APIC
 * accepted the interrupt; the I/O APIC then does not wait for its end */
void nova_ioapic_init(struct nova_ioapic *ioapic,
                      bool (*send)(void *context, const struct nova_apic_message *message),
                      void *context);

/** Drives a pin (0 to 23) to @p level. The function suits struct nova_line; @p context is the
 * struct nova_ioapic. */
void nova_ioapic_set(void *context, unsigned pin, bool level);

/** Sends level-triggered interrupts that no local APIC has accepted. Call it when a local APIC
 * begins to accept interrupts. */
void nova_ioapic_retry(struct nova_ioapic *ioapic);

/** Handles the end of a level-triggered interrupt at a local APIC. */
void nova_ioapic_end(struct nova_ioapic *ioapic, uint8_t vector);

/** Reads @p bytes (1, 2, 4 or 8) at @p address, NOVA_IOAPIC_AT or above. The function suits struct
 *  nova_bus_range; @p context is the struct nova_ioapic. @return the device's value */
uint64_t nova_ioapic_read(void *context, uint64_t address, unsigned bytes);
/** Writes @p bytes of @p value at @p address; @p context as for nova_ioapic_read(). */
void nova_ioapic_write(void *context, uint64_t address, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
