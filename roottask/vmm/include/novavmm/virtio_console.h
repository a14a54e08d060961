/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio console. Unlike a serial port, it transfers many bytes with one exit. */
#ifndef NOVAVMM_VIRTIO_CONSOLE_H
#define NOVAVMM_VIRTIO_CONSOLE_H

#include "novavmm/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Maximum number of bytes sent from one chain; further bytes in it are lost. */
#define NOVA_VIRTIO_CONSOLE_MOST 65536u

/** Maximum number of bytes sent at once; the rest follows in further turns (nova_virtio_pause()).
 */
#define NOVA_VIRTIO_CONSOLE_TURN 1024u

/** A console. */
struct nova_virtio_console {
        struct nova_virtio virtio; /**< part of all virtio devices; the first member */
        void (*send)(void *context, uint8_t byte); /**< called for each byte of output */
        void *context;                             /**< context of send */
        uint32_t sent; /**< number of bytes of the next chain that were sent already */
        uint32_t left; /**< number of bytes that may still be sent in this turn */
};

/** Initialises a console. @param memory the guest's memory
 * @param send   called with each byte that the guest writes, and with @p context */
void nova_virtio_console_init(struct nova_virtio_console *console,
                              const struct nova_guest_memory *memory,
                              void (*send)(void *context, uint8_t byte), void *context);

/** Returns true if the guest has room for input. */
bool nova_virtio_console_listens(struct nova_virtio_console *console);

/** Passes @p count @p bytes to the guest. @return number of bytes that fit */
size_t nova_virtio_console_receive(struct nova_virtio_console *console, const void *bytes,
                                   size_t count);

#ifdef __cplusplus
}
#endif

#endif
