/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface of device models to their machine: lines that they drive, and the time. */
#ifndef NOVAVMM_LINE_H
#define NOVAVMM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A deadline that never comes, for alarms. */
#define NOVA_NEVER UINT64_MAX

/** A wire from a device to a pin of another device. Zeroed memory is an unconnected wire. */
struct nova_line {
        void (*set)(void *context, unsigned pin, bool level); /**< drives the pin; may be NULL */
        void *context; /**< context of set: the device at the other end */
        unsigned pin;  /**< argument of set: the pin's number */
};

/**
 * Drives a line.
 * @code
 * extern struct nova_line irq; // a member of the device, as its creator filled it in
 *
 * nova_line_set(&irq, true); // requests an interrupt
 * nova_line_set(&irq, false); // the guest has served it
 * @endcode
 */
static inline void nova_line_set(const struct nova_line *line, bool level)
{
        if (line->set)
                line->set(line->context, line->pin, level);
}

/** A source of time for a device. */
struct nova_clock {
        uint64_t (*now)(void *context); /**< returns nanoseconds; never goes backwards */
        void *context;                  /**< argument of now */
};

/** Returns the time of a clock in nanoseconds. */
static inline uint64_t nova_clock_now(const struct nova_clock *clock)
{
        return clock->now(clock->context);
}

/** A device's request to be called at a deadline. The device may change the deadline at any time;
 * its machine checks it after each access. */
struct nova_alarm {
        uint64_t deadline;                          /**< nanoseconds of its clock, or NOVA_NEVER */
        void (*expire)(void *device, uint64_t now); /**< called when the deadline has passed */
        void *device;                               /**< argument of expire */
};

#ifdef __cplusplus
}
#endif

#endif
