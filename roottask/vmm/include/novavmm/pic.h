/* SPDX-License-Identifier: BSD-2-Clause */
/* Two cascaded 8259 interrupt controllers, as in a PC: pins 0 to 15, the second one at pin 2. */
#ifndef NOVAVMM_PIC_H
#define NOVAVMM_PIC_H

#include "novavmm/line.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One of the two controllers. */
struct nova_pic_chip {
        uint8_t pins;    /**< levels of its pins */
        uint8_t request; /**< pins with a pending interrupt */
        uint8_t service; /**< pins in service */
        uint8_t mask;    /**< masked pins */
        uint8_t level;   /**< pins that are level-triggered */
        uint8_t ended;   /**< pins with an edge that was signalled, and ended before the CPU took
                          * the interrupt: it is spurious */
        uint8_t base;    /**< vector of pin 0 */
        uint8_t lowest;  /**< the pin with the lowest priority */
        uint8_t step;    /**< next command word of the initialisation, or 0 */
        bool wants_icw3; /**< the initialisation has a third word */
        bool wants_icw4; /**< the initialisation has a fourth word */
        bool auto_end;   /**< automatic end of interrupt */
        bool rotates;    /**< rotation: the pin that ends automatically gets the lowest priority */
        bool reads_service; /**< the command port shows `service` */
        bool special_mask;  /**< masked pins in service do not block others */
        bool polled;        /**< the next read takes an interrupt */
};

/** Both controllers. */
struct nova_pic {
        struct nova_pic_chip chip[2];
        struct nova_line out; /**< line to the CPU; high while an interrupt is pending */
};

/** Initialises both controllers. @param out output line to the CPU */
void nova_pic_init(struct nova_pic *pic, const struct nova_line *out);

/** Drives a pin (0 to 15, not 2) to @p level. The function suits struct nova_line; @p context is
 * the struct nova_pic. */
void nova_pic_set(void *context, unsigned pin, bool level);

/** Returns true if an interrupt is pending. */
bool nova_pic_pending(const struct nova_pic *pic);

/** Takes the pending interrupt, as the CPU does. @return its vector; a spurious one if it is no
 * longer pending */
unsigned nova_pic_take(struct nova_pic *pic);

/** Reads @p bytes (1, 2, 4 or 8) at @p port, 0x20, 0x21, 0xa0, 0xa1, 0x4d0 or 0x4d1. The function
 * suits struct nova_bus_range; @p context is the struct nova_pic. @return the device's value */
uint64_t nova_pic_read(void *context, uint64_t port, unsigned bytes);
/** Writes @p bytes of @p value at @p port; @p context as for nova_pic_read(). */
void nova_pic_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
