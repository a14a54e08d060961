/* SPDX-License-Identifier: BSD-2-Clause */
/* Message-signalled interrupts: what a device has to write, and where. */
#ifndef DEVICE_MSI_H
#define DEVICE_MSI_H

#include "lib/types.h"
#include "nova/abi/status.h"

struct cpu;

/* A write to this range is an interrupt (SDM 3A, 10.11.1), also one by a program: it is never
 * given away. */
#define MSI_BASE 0xfee00000u
#define MSI_SIZE 0x100000u

struct msi {
        uint32_t address, data;
};

/* Who sends a message. */
struct msi_source {
        bool is_hpet;
        uint16_t id; /* PCI requester id, or number of the HPET in its table */
};

/** Whether interrupts of devices can reach a CPU. */
bool msi_reaches(const struct cpu *cpu);

/** The message by which a source raises a GSI at a CPU that can be reached; with interrupt
 *  remapping, no other device can raise it from now on. OUT_OF_MEMORY. */
enum nova_status msi_compose(unsigned gsi, struct msi_source source, const struct cpu *cpu,
                             struct msi *msi);

#endif
