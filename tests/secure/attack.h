/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrong answers of virtio devices in the monitor of secure-linux (attack.c). */
#ifndef NOVA_TESTS_SECURE_ATTACK_H
#define NOVA_TESTS_SECURE_ATTACK_H

#include "novavmm/virtio.h"

/* Notes a byte that the guest writes to its console: "Attack 1" begins the first attack. */
void attack_hear(uint8_t byte);

/* Changes the answers that a device has given in a queue since its index was @p before. */
void attack_change(struct nova_virtio *virtio, unsigned number, uint16_t before);

/* Prints the number of answers that each attack has changed. */
void attack_report(void);

#endif
