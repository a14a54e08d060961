/* SPDX-License-Identifier: BSD-2-Clause */
/* Until there is memory management: selectors. */
#ifndef NOVART_SELECTOR_H
#define NOVART_SELECTOR_H

#include "novart/program.h"

/** Take 2^order selectors. */
nova_sel_t nova_sel_alloc(unsigned order);
/** Give selectors back that are null. */
void nova_sel_free(nova_sel_t base, unsigned order);
/** Revoke what is there, and give the selectors back. */
void nova_sel_release(nova_sel_t base, unsigned order);

#endif
