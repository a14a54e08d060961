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
        NOVA_DELIVER_FIXED = 0,
        NOVA_DELIVER_LOWEST = 1,
        NOVA_DELIVER_NMI = 4,
        NOVA_DELIVER_INIT = 5,
        NOVA_DELIVER_STARTUP = 6,
        NOVA_DELIVER_EXTERNAL = 7 /**< the 8259s know the vector */
};

/** An interrupt on its way from one APIC to others. */
struct nova_message {
        uint8_t vector;
        enum nova_delivery delivery;
        bool logical;        /**< `destination` is a set, not an ID */
        uint8_t destination; /**< 0xff: all */
        bool level;          /**< the I/O APIC hears of its end */
};

/** Entries of the local vector table. */
enum nova_lvt {
        NOVA_LVT_TIMER,
        NOVA_LVT_THERMAL,
        NOVA_LVT_COUNTER,
        NOVA_LVT_LINT0,
        NOVA_LVT_LINT1,
        NOVA_LVT_ERROR,
        NOVA_LVT_COUNT
};

/** A local APIC. */
struct nova_lapic {
        uint8_t id;
        uint32_t id_register, task_priority, logical, format, spurious, error, seen_error;
        uint32_t command[2];
        uint32_t lvt[NOVA_LVT_COUNT];
        uint32_t request[8], service[8], level[8]; /**< a bit for each vector */
        uint32_t timer_count, timer_divider;
        uint64_t timer_start; /**< when it began to count, in nanoseconds */
        bool timer_runs;
        struct nova_clock clock;
        struct nova_alarm alarm;
        struct nova_line out; /**< high when an interrupt may have come */
        /** Sends a message; @p shorthand 0: to its destination, 1: self, 2: all, 3: all others. */
        void (*send)(void *context, unsigned from, const struct nova_message *message,
                     unsigned shorthand);
        /** Told the vector of a level-triggered interrupt that ended. */
        void (*ended)(void *context, uint8_t vector);
        void *context;
};

/** @param id its number; @p send, @p ended and @p context are set by the caller */
void nova_lapic_init(struct nova_lapic *lapic, uint8_t id, const struct nova_clock *clock,
                     const struct nova_line *out);

/** Whether a message's destination includes this one. */
bool nova_lapic_matches(const struct nova_lapic *lapic, const struct nova_message *message);

/** A fixed interrupt arrives. */
void nova_lapic_accept(struct nova_lapic *lapic, uint8_t vector, bool level);

/** Whether an interrupt waits that the priorities let through. */
bool nova_lapic_pending(const struct nova_lapic *lapic);

/** Takes it, as the CPU does. @return its vector, or -1 if there is none */
int nova_lapic_take(struct nova_lapic *lapic);

/** Whether interrupts of the 8259s come through: by LINT0, or because the APIC is off. */
bool nova_lapic_passes_external(const struct nova_lapic *lapic);

/** Registers, from NOVA_LAPIC_AT on. */
uint64_t nova_lapic_read(void *context, uint64_t address, unsigned bytes);
/** @see nova_lapic_read */
void nova_lapic_write(void *context, uint64_t address, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
