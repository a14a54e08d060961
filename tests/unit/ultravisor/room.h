/* SPDX-License-Identifier: BSD-2-Clause */
/* A secure VM whose pages fill the secure memory, for tests of memory.c. */
#ifndef NOVA_TESTS_UNIT_ULTRAVISOR_ROOM_H
#define NOVA_TESTS_UNIT_ULTRAVISOR_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The VMM's behaviour, and what has happened. */
extern bool room_maps;    /* a reply of another virtual CPU may map each page */
extern bool room_refuses; /* the VMM moves no page out */
extern unsigned room_asked, room_waits;
extern unsigned room_pauses; /* pauses of the machine without the service's lock */

/* Uses all frames for the guest, @p kept of them for a slot from which the VMM moves no page out.
 * The search for pages begins in that slot. */
bool room_begin(uint8_t *memory, size_t frames, size_t kept);

/* Makes a further page present. @return NULL, or why the guest has ended */
const char *room_need_page(void);

/* Lets the search for a page to move out begin at the page with this number. */
void room_begin_search_at(size_t page);

void room_end(void);

#endif
