/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space: registers of 32 bits of the functions of PCI segment 0. */
#ifndef NOVART_PCI_CONFIG_H
#define NOVART_PCI_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "nova/abi/types.h"

#define CONFIG_PORT_BYTES 256  /* bytes of a function that are accessible through ports */
#define CONFIG_BYTES      4096 /* bytes of a function that are accessible through memory */

/* Gets the ports from the parent. Returns 0 or an errno value. */
int config_init(void);

/* Maps the configuration space of a bus, if the machine has it in memory. config_page(), and
 * registers beyond the ports' 256 bytes, need this. */
void config_map_bus(unsigned bus);

/* Returns the address at which this program has a function's configuration space; 0: it is not
 * mapped. Hypercalls name the function by this address. */
nova_word_t config_page(uint16_t address);

/* Returns true if this register of a function can be read and written. */
bool config_reaches(uint16_t address, unsigned offset);

/* Read and write a register. offset: a multiple of 4, for which config_reaches() returns true. */
uint32_t config_read(uint16_t address, unsigned offset);
void config_write(uint16_t address, unsigned offset, uint32_t value);

#endif
