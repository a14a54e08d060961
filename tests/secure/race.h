/* SPDX-License-Identifier: BSD-2-Clause */
/* What the test secure.raced and its ultravisor (race.c) agree on. */
#ifndef NOVA_TESTS_SECURE_RACE_H
#define NOVA_TESTS_SECURE_RACE_H

#define RACE_SLOT 0x4000000u /* guest-physical address of the slot that vanishes */

#endif
