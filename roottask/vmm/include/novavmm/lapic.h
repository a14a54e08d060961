/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of a virtual CPU (xAPIC, without x2APIC), at 0xfee00000 for each of them. */
#ifndef NOVAVMM_LAPIC_H
#define NOVAVMM_LAPIC_H

#include "novavmm/line.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Address and size. */
#define NOVA_LAPIC_AT    0xfee00000u
#define NOVA_LAPIC_BYTES 0x1000u

/** Ticks of its timer per second, before the divider. */
#define NOVA_LAPIC_HZ 100000000u

/** Delivery modes of interrupts. */
enum nova_delivery {
        NOVA_DELIVER_FIXED = 0,   /**< the vector, at all destinations */
        NOVA_DELIVER_LOWEST = 1,  /**< the vector, at one of the destinations */
        NOVA_DELIVER_NMI = 4,     /**< NMI */
        NOVA_DELIVER_INIT = 5,    /**< reset to the initial state */
        NOVA_DELIVER_STARTUP = 6, /**< start in real mode, at the page that the vector names */
        NOVA_DELIVER_EXTERNAL = 7 /**< the 8259s supply the vector */
};

/** An interrupt message from one APIC to others. */
struct nova_apic_message {
        uint8_t vector;              /**< 16 to 255, or the page of STARTUP */
        enum nova_delivery delivery; /**< delivery mode */
        bool logical;                /**< `destination` is a set, not an ID */
        uint8_t destination;         /**< 0xff: all */
        bool level;                  /**< level-triggered: the local APIC reports its end to the I/O
                                      * APIC */
};

/** Entries of the local vector table. */
enum nova_lvt {
        NOVA_LVT_TIMER,   /**< its timer */
        NOVA_LVT_THERMAL, /**< thermal sensor: never raised */
        NOVA_LVT_COUNTER, /**< performance counters: never raised */
        NOVA_LVT_LINT0,   /**< the 8259s */
        NOVA_LVT_LINT1,   /**< NMI: never raised */
        NOVA_LVT_ERROR,   /**< errors of the APIC */
        NOVA_LVT_COUNT    /**< number of entries */
};

/** A local APIC. */
struct nova_lapic {
        uint8_t id;             /**< initial APIC ID */
        uint32_t id_register;   /**< ID register as the guest reads and writes it */
        uint32_t task_priority; /**< TPR: interrupts up to this priority wait */
        uint32_t logical;       /**< logical destination register */
        uint32_t format;        /**< destination format register */
        uint32_t spurious;      /**< spurious-interrupt vector register; bit 8: APIC enabled */
        uint32_t error;         /**< errors since the guest wrote to the error register */
        uint32_t seen_error;    /**< errors that the error register shows */
        uint32_t command[2];    /**< interrupt command register, low half first */
        uint32_t lvt[NOVA_LVT_COUNT]; /**< local vector table */
        uint32_t request[8];          /**< IRR: a bit for each pending vector */
        uint32_t requests;            /**< a bit for each word of `request` that is not 0 */
        uint32_t service[8];          /**< ISR: a bit for each vector in service */
        uint32_t services;            /**< a bit for each word of `service` that is not 0 */
        uint32_t level[8];            /**< TMR: a bit for each level-triggered vector */
        uint32_t automatic[8];        /**< a bit for each vector that ends when it is taken */
        uint32_t timer_count;         /**< initial count */
        uint32_t timer_divider;       /**< divide configuration register */
        uint64_t timer_start;         /**< time in ns at which it started to count */
        bool timer_runs;              /**< true while it counts */
        bool quiet_end;               /**< the guest may end the interrupt in service without an
                                       * exit, so each request drives `out` */
        struct nova_clock clock;      /**< clock of its timer */
        struct nova_alarm alarm;      /**< expiration of the timer */
        struct nova_line out; /**< high when an interrupt may be pending, including one that the
                                 task priority may block */
        /** Sends a message; @p shorthand 0: to its destination, 1: self, 2: all, 3: all others. */
        void (*send)(void *context, unsigned from, const struct nova_apic_message *message,
                     unsigned shorthand);
        /** Called with the vector of a level-triggered interrupt that ended. */
        void (*ended)(void *context, uint8_t vector);
        void *context; /**< context of both functions */
};

/** Initialises a local APIC. @param id its APIC ID; the caller sets @c send, @c ended and @c
 * context */
void nova_lapic_init(struct nova_lapic *lapic, uint8_t id, const struct nova_clock *clock,
                     const struct nova_line *out);

/** Resets a local APIC to its initial state, as INIT does. Its APIC ID does not change. */
void nova_lapic_reset(struct nova_lapic *lapic);

/** Returns true if software has enabled this APIC, so that it accepts interrupts. */
bool nova_lapic_accepts(const struct nova_lapic *lapic);

/** Returns the processor priority: that of the task, or that of the interrupt in service if it is
 * higher. @return 0 to 255 */
uint32_t nova_lapic_priority(const struct nova_lapic *lapic);

/** Returns true if a message's destination includes this APIC. */
bool nova_lapic_matches(const struct nova_lapic *lapic, const struct nova_apic_message *message);

/** Accepts a fixed interrupt. @param vector its vector @param level true if the interrupt's end
 * calls `ended` @return false if the APIC did not accept it: it is disabled, or the vector is below
 * 16 */
bool nova_lapic_accept(struct nova_lapic *lapic, uint8_t vector, bool level);

/** Returns true if an interrupt is pending that no priority blocks. */
bool nova_lapic_pending(const struct nova_lapic *lapic);

/** Returns true if an interrupt is pending that only the task priority blocks. */
bool nova_lapic_held_back(const struct nova_lapic *lapic);

/** Returns CR8, which is the upper half of the task priority register. @return 0 to 15 */
unsigned nova_lapic_cr8(const struct nova_lapic *lapic);

/** Sets the task priority from CR8. @param cr8 0 to 15 */
void nova_lapic_set_cr8(struct nova_lapic *lapic, unsigned cr8);

/** Takes the pending interrupt, as the CPU does. @return its vector, or -1 if there is none */
int nova_lapic_take(struct nova_lapic *lapic);

/** Ends the interrupt in service that has the highest priority, as a write of the end-of-interrupt
 * register does. */
void nova_lapic_end(struct nova_lapic *lapic);

/** Returns true if the next end of an interrupt only clears the bit in service: the interrupt is
 * edge-triggered, and no other interrupt is pending. Returns false if no interrupt is in
 * service. */
bool nova_lapic_ends_quietly(const struct nova_lapic *lapic);

/** Returns true if interrupts of the 8259s reach the CPU: through LINT0, or because the APIC is
 * disabled. */
bool nova_lapic_passes_external(const struct nova_lapic *lapic);

/** Reads @p bytes (1, 2, 4 or 8) at @p address, NOVA_LAPIC_AT or above. The function suits struct
 *  nova_bus_range; @p context is the struct nova_lapic. @return the device's value */
uint64_t nova_lapic_read(void *context, uint64_t address, unsigned bytes);
/** Writes @p bytes of @p value at @p address; @p context as for nova_lapic_read(). */
void nova_lapic_write(void *context, uint64_t address, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
