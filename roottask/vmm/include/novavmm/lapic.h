/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of a virtual CPU (xAPIC, without x2APIC), at 0xfee00000 for each of them. */
#ifndef NOVAVMM_LAPIC_H
#define NOVAVMM_LAPIC_H

#include "novavmm/line.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Where it lies, and its size. */
#define NOVA_LAPIC_AT    0xfee00000u
#define NOVA_LAPIC_BYTES 0x1000u

/** Ticks of its timer per second, before the divider. */
#define NOVA_LAPIC_HZ 100000000u

/** Ways in which an interrupt is delivered. */
enum nova_delivery {
        NOVA_DELIVER_FIXED = 0,   /**< the vector, at all that are meant */
        NOVA_DELIVER_LOWEST = 1,  /**< the vector, at one of those that are meant */
        NOVA_DELIVER_NMI = 4,     /**< NMI */
        NOVA_DELIVER_INIT = 5,    /**< back to the state after a reset */
        NOVA_DELIVER_STARTUP = 6, /**< begin in real mode, at the page that the vector names */
        NOVA_DELIVER_EXTERNAL = 7 /**< the 8259s know the vector */
};

/** An interrupt on its way from one APIC to others. */
struct nova_apic_message {
        uint8_t vector;              /**< 16 to 255, or the page of STARTUP */
        enum nova_delivery delivery; /**< what it does there */
        bool logical;                /**< `destination` is a set, not an ID */
        uint8_t destination;         /**< 0xff: all */
        bool level;                  /**< the I/O APIC hears of its end */
};

/** Entries of the local vector table. */
enum nova_lvt {
        NOVA_LVT_TIMER,   /**< its timer */
        NOVA_LVT_THERMAL, /**< thermal sensor: never raised */
        NOVA_LVT_COUNTER, /**< performance counters: never raised */
        NOVA_LVT_LINT0,   /**< the 8259s */
        NOVA_LVT_LINT1,   /**< NMI: never raised */
        NOVA_LVT_ERROR,   /**< its own errors */
        NOVA_LVT_COUNT    /**< how many there are */
};

/** A local APIC. */
struct nova_lapic {
        uint8_t id;                   /**< its number from the beginning */
        uint32_t id_register;         /**< what the guest reads and writes as such */
        uint32_t task_priority;       /**< TPR */
        uint32_t logical;             /**< logical destination register */
        uint32_t format;              /**< destination format register */
        uint32_t spurious;            /**< spurious-interrupt vector register; bit 8: it is on */
        uint32_t error;               /**< errors since the guest wrote to the error register */
        uint32_t seen_error;          /**< what that register shows */
        uint32_t command[2];          /**< interrupt command register, low half first */
        uint32_t lvt[NOVA_LVT_COUNT]; /**< local vector table */
        uint32_t request[8];          /**< IRR: a bit for each vector that waits */
        uint32_t service[8];          /**< ISR: a bit for each vector that is served */
        uint32_t level[8];            /**< TMR: a bit for each vector that is level-triggered */
        uint32_t timer_count;         /**< initial count */
        uint32_t timer_divider;       /**< divide configuration register */
        uint64_t timer_start;         /**< when it began to count, in nanoseconds */
        bool timer_runs;              /**< it counts */
        struct nova_clock clock;      /**< of its timer */
        struct nova_alarm alarm;      /**< the timer's end */
        struct nova_line out;         /**< high when an interrupt may have come, also one that
                                           the task priority may hold back */
        /** Sends a message; @p shorthand 0: to its destination, 1: self, 2: all, 3: all others. */
        void (*send)(void *context, unsigned from, const struct nova_apic_message *message,
                     unsigned shorthand);
        /** Told the vector of a level-triggered interrupt that ended. */
        void (*ended)(void *context, uint8_t vector);
        void *context; /**< handed to both */
};

/** @param id its number; @p send, @p ended and @p context are set by the caller */
void nova_lapic_init(struct nova_lapic *lapic, uint8_t id, const struct nova_clock *clock,
                     const struct nova_line *out);

/** Back to the state in which it began, as INIT does; its number in the machine stays. */
void nova_lapic_reset(struct nova_lapic *lapic);

/** Whether a message's destination includes this one. */
bool nova_lapic_matches(const struct nova_lapic *lapic, const struct nova_apic_message *message);

/** A fixed interrupt arrives. @param vector of it @param level `ended` is called at its end */
void nova_lapic_accept(struct nova_lapic *lapic, uint8_t vector, bool level);

/** Whether an interrupt waits that the priorities let through. */
bool nova_lapic_pending(const struct nova_lapic *lapic);

/** Whether an interrupt waits that the task priority alone holds back. */
bool nova_lapic_held_back(const struct nova_lapic *lapic);

/** CR8, which is the upper half of the task priority register. @return 0 to 15 */
unsigned nova_lapic_cr8(const struct nova_lapic *lapic);

/** What the CPU has in CR8 is the task priority. @param cr8 0 to 15 */
void nova_lapic_set_cr8(struct nova_lapic *lapic, unsigned cr8);

/** Takes it, as the CPU does. @return its vector, or -1 if there is none */
int nova_lapic_take(struct nova_lapic *lapic);

/** Whether interrupts of the 8259s come through: by LINT0, or because the APIC is off. */
bool nova_lapic_passes_external(const struct nova_lapic *lapic);

/** Read @p bytes (1, 2, 4 or 8) at @p address, from NOVA_LAPIC_AT on; for struct nova_bus_range,
 *  @p context is the struct nova_lapic. @return what the device says */
uint64_t nova_lapic_read(void *context, uint64_t address, unsigned bytes);
/** Write @p bytes of @p value at @p address; @p context as for nova_lapic_read(). */
void nova_lapic_write(void *context, uint64_t address, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
