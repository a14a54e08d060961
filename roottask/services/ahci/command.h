/* SPDX-License-Identifier: BSD-2-Clause */
/* ATA commands in the memory of an AHCI controller (AHCI 1.3.1, 4.2), and the description that a
 * disk returns (ACS-3, 7.12). */
#ifndef NOVART_AHCI_COMMAND_H
#define NOVART_AHCI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AHCI_PIECES     16       /* pieces of memory in a command */
#define AHCI_PIECE_MAX  0x400000 /* bytes */
#define AHCI_RANGES     64       /* ranges to discard in a command */
#define AHCI_RANGE_MAX  0xffff   /* blocks */
#define AHCI_WORDS      256      /* words of a disk's description */
#define AHCI_BLOCKS_MAX 0x10000  /* blocks of a read or a write */

/* ATA commands. */
#define AHCI_DISCARD      0x06
#define AHCI_READ         0x25
#define AHCI_WRITE        0x35
#define AHCI_READ_QUEUED  0x60
#define AHCI_WRITE_QUEUED 0x61
#define AHCI_FLUSH        0xea
#define AHCI_IDENTIFY     0xec

/* A piece of memory. */
struct ahci_piece {
        uint64_t address;
        uint32_t reserved, last; /* number of bytes - 1 */
};

/* A command in memory of the device. */
struct ahci_table {
        uint8_t fis[64], packet[16], reserved[48];
        struct ahci_piece piece[AHCI_PIECES];
        uint8_t unused[128];
        uint64_t range[AHCI_RANGES]; /* used by the driver: data of a discard command */
};

/* Properties of a disk. */
struct ahci_disk {
        uint64_t blocks;
        uint32_t block_bytes;
        unsigned depth; /* maximum number of queued commands; 0: the disk has no queue */
        bool cache, discard;
        uint64_t identity; /* hash of the serial number and the model */
};

/* Decodes a copy of the disk's description. @return NULL, or a sentence about an error */
const char *ahci_read_identity(const uint16_t *word, struct ahci_disk *disk);

/* Writes a command without data. */
void ahci_set_command(struct ahci_table *table, uint8_t command, unsigned features, unsigned count,
                      uint64_t block);

/* Writes a read or a write of at most AHCI_BLOCKS_MAX blocks. The tag of a queued command is its
 * slot. */
void ahci_set_transfer(struct ahci_table *table, bool write, bool queued, unsigned slot,
                       uint64_t block, uint32_t blocks);

/* Writes a command that discards as many of @p blocks blocks as one command can, beginning at
 * @p block. @return the number of blocks that the command discards */
uint32_t ahci_set_discard(struct ahci_table *table, uint64_t block, uint32_t blocks);

/* Appends a piece of memory to a command that has @p count pieces.
 * @return false: it does not fit, and nothing has changed */
bool ahci_add_piece(struct ahci_table *table, unsigned count, uint64_t address, uint32_t bytes);

#endif
