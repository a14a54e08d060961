/* SPDX-License-Identifier: BSD-2-Clause */
/* What device models see of the machine around them: lines that they drive, and the time. */
#ifndef NOVAVMM_LINE_H
#define NOVAVMM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A moment that never comes, for alarms. */
#define NOVA_NEVER UINT64_MAX

/** A wire from a device to a pin of somebody else. Zeroed memory is a wire to nowhere. */
struct nova_line {
        void (*set)(void *context, unsigned pin, bool level); /**< drives the pin; may be NULL */
        void *context;                                        /**< handed to it: the other end */
        unsigned pin;                                         /**< handed to it */
};

/** Drives a line. */
static inline void nova_line_set(const struct nova_line *line, bool level)
{
        if (line->set)
                line->set(line->context, line->pin, level);
}

/** Where a device learns what time it is. */
struct nova_clock {
        uint64_t (*now)(void *context); /**< nanoseconds; never goes back */
        void *context;                  /**< handed to it */
};

/** The time. */
static inline uint64_t nova_clock_now(const struct nova_clock *clock)
{
        return clock->now(clock->context);
}

/** A device's wish to be called at a moment. The device changes the deadline whenever it likes; its
 *  machine looks at it after each access. */
struct nova_alarm {
        uint64_t deadline;                          /**< nanoseconds of its clock, or NOVA_NEVER */
        void (*expire)(void *device, uint64_t now); /**< called when it has come */
        void *device;                               /**< handed to it */
};

#ifdef __cplusplus
}
#endif

#endif
