/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation of this program's object selectors. */
#ifndef NOVART_SELECTOR_H
#define NOVART_SELECTOR_H

#include "novart/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Allocates free (null) selectors.
 *
 * Any thread and any handler may call this function. The parent sets the number of selectors; a
 * root has 2^18.
 * @code
 * nova_sel_t sm = nova_sel_alloc(0);
 *
 * if (sm != NOVA_SEL_NONE && nova_create_sm(sm, nova_program.pd, 0) == NOVA_SUCCESS)
 *         nova_sm_up(sm);
 * if (sm != NOVA_SEL_NONE)
 *         nova_sel_release(sm, 0);
 * @endcode
 * @param order at most 15: 2^order selectors, the first of which is a multiple of 2^order
 * @return the first, or NOVA_SEL_NONE if no such range is free
 */
nova_sel_t nova_sel_alloc(unsigned order);

/**
 * Frees selectors that are null again.
 *
 * A call for an unaligned range, or for one with a selector that is not in use, has no effect; a
 * debug build stops the caller with a #UD event.
 * @param base, order as allocated; a range may be freed in naturally aligned parts
 */
void nova_sel_free(nova_sel_t base, unsigned order);

/**
 * Revokes the capabilities at selectors from this program and from all programs that got them from
 * here, and frees the selectors. A kernel object without other capabilities is destroyed.
 *
 * @param base, order as for nova_sel_free()
 * @spec 5.3.6
 */
void nova_sel_release(nova_sel_t base, unsigned order);

/** Returns the number of selectors in use. */
size_t nova_sel_used(void);

#ifdef __cplusplus
}
#endif

#endif
