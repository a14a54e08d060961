/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of the programs of `nova bench net`, and the marks that QEMU's plugin io.c finds
 * (../io/io.h). */
#ifndef NOVA_TESTS_BENCH_NET_H
#define NOVA_TESTS_BENCH_NET_H

#include "../io/io.h"

#define NET_FRAMES   4096 /* frames that are counted */
#define NET_WINDOW   32   /* frames after which the receiver answers */
#define NET_WARM     64   /* datagrams, or windows of frames, before the count */
#define NET_ECHOES   512  /* datagrams that are counted */
#define NET_BYTES    512  /* data of a datagram */
#define NET_STREAM   1460 /* data of a packet of a stream */
#define NET_PACKETS  4096 /* length of the counted stream, in units of NET_STREAM bytes */
#define NET_PORT     7
#define NET_OP_SMALL "0x4d4b900a" /* NET_FRAMES frames of 64 bytes */
#define NET_OP_LARGE "0x4d4b900b" /* NET_FRAMES frames of 1,514 bytes */
#define NET_OP_ECHO  "0x4d4b900c" /* NET_ECHOES datagrams there and back */
#define NET_OP_TCP   "0x4d4b900d" /* a stream of NET_PACKETS * NET_STREAM bytes */

#endif
