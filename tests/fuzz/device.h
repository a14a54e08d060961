/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile PCI function, and the service pci for its driver. The client stub of the runtime is the
 * real one. The input is a list of steps. Each time that the driver sleeps, computes a
 * deadline or sends a message to the service, the device makes its next step, with which it may
 * change any of its registers, its configuration space, and the memory that it shares with the
 * driver. */
#ifndef FUZZ_DEVICE_H
#define FUZZ_DEVICE_H

#include "novart/service/pci_device.h"
#include "require.h"

#define DEVICE_STEP 8 /* bytes of a step */

extern struct nova_pci_function device_function;
extern uint8_t device_config[256];
extern uint64_t device_now;       /* time in ns */
extern uint64_t device_slept_max; /* longest time that the driver may sleep */

extern uint8_t device_fill; /* content of registers that have not been written */

/* Begins an input. The function has no memory yet. */
void device_begin(const uint8_t *steps, size_t size);

/* Makes a step of the input. @return false: there is none */
bool device_step(void);

/* Executes a step of the device. Each fuzzer defines this function for its device. It calls
 * device_change() for a step without a meaning of its own. */
void device_turn(const uint8_t *step);

/* Writes four bytes of the step to a place that the step chooses. */
void device_change(const uint8_t *step);

/* Returns the memory of a base address register, or NULL while the driver has not mapped it. */
uint8_t *device_memory(unsigned bar);

/* Reads 32 bits of this memory, which the driver must have mapped; device_set_reg() writes them. */
uint32_t device_reg(unsigned bar, unsigned offset);
void device_set_reg(unsigned bar, unsigned offset, uint32_t value);

/* Returns the memory at an address if the driver has allocated @p bytes bytes there for DMA, else
 * NULL. */
uint8_t *device_dma(uint64_t address, size_t bytes);

/* Frees everything. */
void device_end(void);

#endif
