/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O ports that the test implements. */
#ifndef NOVA_ARCH_PORT_H
#define NOVA_ARCH_PORT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void nova_out8(uint16_t port, uint8_t value);
uint8_t nova_in8(uint16_t port);

#ifdef __cplusplus
}
#endif

#endif
