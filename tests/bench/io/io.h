/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of the programs of `nova bench io`, and the marks that QEMU's plugin io.c
 * finds. */
#ifndef NOVA_TESTS_BENCH_IO_H
#define NOVA_TESTS_BENCH_IO_H

#define IO_BYTES      4096
#define IO_WARM       64   /* reads before the count */
#define IO_ALONE      64   /* reads with nothing else in flight */
#define IO_DEPTH      32   /* reads in flight */
#define IO_MANY       2048 /* reads with IO_DEPTH in flight */
#define IO_BLOCKS     4096 /* blocks of IO_BYTES on the disk */
#define IO_STEP       1031 /* distance of the blocks of two consecutive reads */
#define IO_OP_NONE    "0x4d4b9000"
#define IO_OP_ALONE   "0x4d4b9001"
#define IO_OP_MANY    "0x4d4b9002"
#define IO_OP_IDLE    "0x4d4b9003"
#define IO_OP_URING   "0x4d4b9004"
#define IO_OP_ROW     "0x4d4b9005" /* IO_MANY reads one after the other */
#define IO_OP_AGAIN   "0x4d4b9006" /* used by files.c, like the next two */
#define IO_OP_OTHER   "0x4d4b9007"
#define IO_OP_VIEW    "0x4d4b9008"
#define IO_OP_RANDOM  "0x4d4b9009" /* used by random.c */
#define IO_MARK(mark) __asm__ volatile(".byte 0x0f, 0x1f, 0x80; .long " mark ::: "memory")

#endif
