/* SPDX-License-Identifier: BSD-2-Clause */
/* Constants shared by the guest and its monitor. */
#ifndef GUEST_H
#define GUEST_H

#define GUEST_AT   0x10000 /* address of the guest */
#define PRINT_PORT 0xe9

/* Address of the bell, outside RAM, and its registers of 4 bytes. */
#define BELL        0xf0000000
#define BELL_RING   0 /* write: delay of the ring in ms; read: number of rings */
#define BELL_START  4 /* write: the second virtual CPU begins at this page */
#define BELL_VECTOR 0x20
#define BELL_MS     5
#define RINGS       3 /* number of rings after which the guest halts */

#endif
