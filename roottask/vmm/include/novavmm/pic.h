/* SPDX-License-Identifier: BSD-2-Clause */
/* Two 8259 interrupt controllers in a row, as in a PC: pins 0 to 15, the second one at pin 2. */
#ifndef NOVAVMM_PIC_H
#define NOVAVMM_PIC_H

#include "novavmm/line.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One of the two. */
struct nova_pic_chip {
        uint8_t pins;       /**< levels of its pins */
        uint8_t request;    /**< pins that wait to be served */
        uint8_t service;    /**< pins that are served */
        uint8_t mask;       /**< pins that are not to be heard */
        uint8_t level;      /**< pins that are level-triggered */
        uint8_t base;       /**< vector of pin 0 */
        uint8_t lowest;     /**< the pin with the lowest priority */
        uint8_t step;       /**< of the initialisation: the command word that comes next, or 0 */
        bool wants_icw4;    /**< the initialisation has a fourth word */
        bool auto_end;      /**< interrupts end when they are taken */
        bool rotates;       /**< each that ends automatically gets the lowest priority */
        bool reads_service; /**< the command port shows `service` */
        bool special_mask;  /**< pins that are served do not hold others back */
        bool polled;        /**< the next read takes an interrupt */
        bool spurious;      /**< an edge that was told of ended before it was taken */
};

/** Both. */
struct nova_pic {
        struct nova_pic_chip chip[2];
        struct nova_line out; /**< to the CPU; high while an interrupt waits */
};

/** @param out where the output goes */
void nova_pic_init(struct nova_pic *pic, const struct nova_line *out);

/** Drives a pin (0 to 15, not 2) to @p level; for struct nova_line, @p context is the struct
 * nova_pic. */
void nova_pic_set(void *context, unsigned pin, bool level);

/** Whether an interrupt waits. */
bool nova_pic_pending(const struct nova_pic *pic);

/** Takes the interrupt that waits, as the CPU does. @return its vector; a spurious one if there is
 *  none any more */
unsigned nova_pic_take(struct nova_pic *pic);

/** Read @p bytes (1, 2, 4 or 8) at @p port, 0x20, 0x21, 0xa0, 0xa1, 0x4d0 or 0x4d1; for struct
 * nova_bus_range,
 *  @p context is the struct nova_pic. @return what the device says */
uint64_t nova_pic_read(void *context, uint64_t port, unsigned bytes);
/** Write @p bytes of @p value at @p port; @p context as for nova_pic_read(). */
void nova_pic_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
