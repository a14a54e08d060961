/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NOVA_TESTS_SECURE_GUEST_VIEW_H
#define NOVA_TESTS_SECURE_GUEST_VIEW_H

#include <stdint.h>

/* Returns a pointer to a guest-physical address below 4 GiB in the normal view, until the next
 * call. */
volatile uint32_t *guest_view(unsigned long address);

/* Copies the second image (guest_view.c) to an address, and calls the copy. */
void guest_image_run(unsigned long address);

#endif
