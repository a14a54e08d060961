/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of configuration space (PCI Local Bus Specification 3.0, chapter 6; PCI Express 3.0,
 * chapter 7; PCI Power Management 1.2, chapter 3). */
#ifndef NOVART_PCI_REGISTERS_H
#define NOVART_PCI_REGISTERS_H

#define REG_ID         0x00
#define REG_COMMAND    0x04 /* command, and status */
#define REG_CLASS      0x08 /* class and revision */
#define REG_HEADER     0x0c
#define REG_BAR        0x10
#define REG_BUSES      0x18 /* only of a bridge */
#define REG_SUBSYSTEM  0x2c /* only of a device */
#define REG_CAPABILITY 0x34
#define REG_INTERRUPT  0x3c

#define NO_VENDOR           0xffff
#define COMMAND_DECODES     0x3u /* ports and memory */
#define COMMAND_MASK        0xffffu
#define STATUS_LIST         0x100000u
#define HEADER_MULTIPLE     0x80
#define CAPABILITY_FIRST    0x40
#define CAPABILITIES        48 /* capabilities that fit into the 192 bytes after the header */
#define CAPABILITY_MSI      0x05
#define CAPABILITY_EXPRESS  0x10
#define CAPABILITY_MSIX     0x11
#define CAPABILITY_ADVANCED 0x13 /* Advanced Features, of functions without PCI Express */
#define MSI_VECTORS_LOG_MAX 5

#define BAR_PORTS    0x1u
#define BAR_TYPE     0x6u
#define BAR_TYPE_64  0x4u
#define BAR_PREFETCH 0x8u
#define PORTS_MASK   0x3u
#define MEMORY_MASK  0xfu
#define ALL_ONES     0xffffffffu

#define CLASS_HOST_BRIDGE 0x0600
#define CLASS_IOMMU       0x0806

#define COMMAND_PORTS  0x1u
#define COMMAND_MEMORY 0x2u
#define COMMAND_MASTER 0x4u   /* DMA, and messages for interrupts */
#define COMMAND_NO_PIN 0x400u /* the function does not use its interrupt pin */

#define REG_ROM             0x30
#define REG_WINDOW_PORTS    0x1c /* only of a bridge */
#define REG_WINDOW_MEMORY   0x20
#define REG_WINDOW_PREFETCH 0x24
#define REG_BRIDGE_CONTROL  0x3c /* only of a bridge: control from bit 16 on, interrupts below */
#define BRIDGE_RESET        0x400000u

/* Offsets from the capability. */
#define CAPABILITY_POWER  0x01
#define POWER_BYTES       8
#define EXPRESS_BYTES     12 /* length with the control register */
#define MSI_BYTES         12 /* 4 more with 64 bits, 8 more with masks */
#define MSIX_BYTES        12
#define POWER_CONTROL     4
#define POWER_STATE       0x3u
#define POWER_D3          0x3u
#define POWER_KEEPS       0x8u /* no reset from D3hot to D0 */
#define EXPRESS_ABILITIES 4
#define EXPRESS_FLR       0x10000000u
#define EXPRESS_CONTROL   8 /* control, and status */
#define EXPRESS_RESET     0x8000u
#define EXPRESS_PENDING   0x200000u
#define EXPRESS_CONTROL_2 0x28
#define EXPRESS_VERSION   0xfu
#define ADVANCED_BYTES    8
#define ADVANCED_FLR      0x3000000u /* the function shows pending requests, and has the reset */
#define ADVANCED_CONTROL  4          /* control, and status */
#define ADVANCED_RESET    0x1u
#define ADVANCED_PENDING  0x100u
#define MSI_ENABLE        0x10000u
#define MSI_VECTORS       0x700000u
#define MSI_64            0x800000u
#define MSI_MASKS         0x1000000u
#define MSI_ADDRESS       4
#define MSIX_TABLE        4
#define MSIX_PENDING      8
#define MSIX_BAR          0x7u
#define MSIX_MASK_ALL     0x40000000u
#define MSIX_ENABLE       0x80000000u
#define MSIX_ENTRY_BYTES  16
#define MSIX_ENTRY_MASKED 0x1u

#endif
