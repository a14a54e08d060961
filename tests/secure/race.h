/* SPDX-License-Identifier: BSD-2-Clause */
/* The slot that the test secure.raced and its ultravisor (race.c) use. */
#ifndef NOVA_TESTS_SECURE_RACE_H
#define NOVA_TESTS_SECURE_RACE_H

#define RACE_SLOT  0x4000000u /* guest-physical address of the slot that vanishes */
#define RACE_TABLE 0x75000u   /* page table of the fourth GiB, which moves out */
#define RACE_PAGE  0x500000u  /* page that the VMM cannot bring back at once */
#define RACE_LAST  0x76000u   /* last page that UV_ESM takes, after its last measurement */

#endif
