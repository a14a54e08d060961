/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio console: bytes in both directions, many in one exit. */
#ifndef NOVAVMM_VIRTIO_CONSOLE_H
#define NOVAVMM_VIRTIO_CONSOLE_H

#include "novavmm/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a chain that are sent; what a guest puts behind them into the same chain is lost. */
#define NOVA_VIRTIO_CONSOLE_MOST 65536u

/** A console. */
struct nova_virtio_console {
        struct nova_virtio virtio;                 /**< first */
        void (*send)(void *context, uint8_t byte); /**< where output goes */
        void *context;                             /**< handed to it */
};

/** @param memory the guest's
 *  @param send   gets each byte that the guest writes, and @p context */
void nova_virtio_console_init(struct nova_virtio_console *console,
                              const struct nova_guest_memory *memory,
                              void (*send)(void *context, uint8_t byte), void *context);

/** Whether the guest has room for input. */
bool nova_virtio_console_listens(struct nova_virtio_console *console);

/** Hand @p count @p bytes to the guest. @return how many of them it had room for */
size_t nova_virtio_console_receive(struct nova_virtio_console *console, const void *bytes,
                                   size_t count);

#ifdef __cplusplus
}
#endif

#endif
