/* SPDX-License-Identifier: BSD-2-Clause */
/* Object selectors of this program: who needs some takes them here and gives them back. */
#ifndef NOVART_SELECTOR_H
#define NOVART_SELECTOR_H

#include "novart/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Take selectors at which nothing is.
 *
 * Any thread and handler may call. How many there are the parent says; a root has 2^18.
 * @code
 * nova_sel_t sm = nova_sel_alloc(0);
 *
 * if (sm != NOVA_SEL_NONE && nova_create_sm(sm, nova_program.pd, 0) == NOVA_SUCCESS)
 *         nova_sm_up(sm);
 * if (sm != NOVA_SEL_NONE)
 *         nova_sel_release(sm, 0);
 * @endcode
 * @param order 2^order selectors, at most 15; the first one is a multiple of that
 * @return the first, or NOVA_SEL_NONE if there are none
 */
nova_sel_t nova_sel_alloc(unsigned order);

/**
 * Give selectors back at which nothing is any more.
 *
 * A mistake (they are not in use, or others than were taken) changes nothing; a debug build stops
 * the caller with an #UD event.
 * @param base, order as taken; a range may come back in naturally aligned parts
 */
void nova_sel_free(nova_sel_t base, unsigned order);

/**
 * Take away what is at selectors, from this program and from all who got it from here, and give
 * them back. A kernel object to which nobody else has a capability dies.
 *
 * @param base, order as for nova_sel_free()
 * @spec 5.3.6
 */
void nova_sel_release(nova_sel_t base, unsigned order);

/** Number of selectors that are taken. */
size_t nova_sel_used(void);

#ifdef __cplusplus
}
#endif

#endif
