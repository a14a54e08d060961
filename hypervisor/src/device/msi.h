/* SPDX-License-Identifier: BSD-2-Clause */
/* Message-signalled interrupts: the data that a device must write, and the address. */
#ifndef DEVICE_MSI_H
#define DEVICE_MSI_H

#include "lib/types.h"
#include "nova/abi/status.h"

struct cpu;

/* A write to this range raises an interrupt (SDM 3A, 10.11.1), even a write by a program. So no PD
 * gets the range. */
#define MSI_BASE 0xfee00000u
#define MSI_SIZE 0x100000u

struct msi {
        uint32_t address, data;
};

/* The sender of a message. */
struct msi_source {
        bool is_hpet;
        uint16_t id; /* PCI requester id, or number of the HPET in its table */
};

/** Returns true if interrupts of devices can reach a CPU. */
bool msi_reaches(const struct cpu *cpu);

/** Composes the message by which a source raises a GSI at a CPU. Call it only for a CPU for which
 * msi_reaches() returns true. With interrupt remapping, no other device can raise the GSI from now
 * on. OUT_OF_MEMORY, BAD_DEV: as remap_route(). */
enum nova_status msi_compose(unsigned gsi, struct msi_source source, const struct cpu *cpu,
                             struct msi *msi);

#endif
