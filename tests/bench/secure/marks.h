/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of the programs and guests of `nova bench secure`. Operation n is section n of the
 * counts (plugin/guest.c). */
#ifndef NOVA_TESTS_BENCH_SECURE_MARKS_H
#define NOVA_TESTS_BENCH_SECURE_MARKS_H

#include "../sections.h"

#define SECURE_NONE        0
#define SECURE_CPUID       1
#define SECURE_PORT        2
#define SECURE_REFUSED     3 /* an ultracall with an unknown number */
#define SECURE_RANDOM      4
#define SECURE_FRESH       5 /* the first access to a secure page */
#define SECURE_SHARE       6 /* UV_SHARE_PAGE of one page */
#define SECURE_TOUCH       7 /* the first access to a shared page */
#define SECURE_UNSHARE     8
#define SECURE_SHARE_ALL   9 /* UV_SHARE_PAGE of SECURE_PAGES pages */
#define SECURE_TOUCH_ALL   10
#define SECURE_OUT         11
#define SECURE_IN          12
#define SECURE_SNAPSHOT    13
#define SECURE_VMM_REFUSED 14 /* an ultracall of the VMM that fails */
#define SECURE_ESM         15
#define SECURE_HASH        16
#define SECURE_SEAL        17
#define SECURE_OPEN        18
#define SECURE_READ_FIRST  19 /* a read, with bounce buffers that are not shared yet */
#define SECURE_READ        20
#define SECURE_GZIP        21
#define SECURE_OTHER       22 /* work of Debian that no row counts */

#define SECURE_ROUNDS 64
#define SECURE_PAGES  512
#define SECURE_TWICE  2 /* rounds with SECURE_PAGES pages */

/* Ports between the guest and its VMM. */
#define SECURE_PORT_DATA 0xe0
#define SECURE_PORT_MODE 0xe4 /* 1: the guest is secure */
#define SECURE_PORT_MOVE 0xe8 /* a write: the VMM moves pages, the first one at this address */
#define SECURE_PORT_END  0xec

#endif
