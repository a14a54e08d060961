/* SPDX-License-Identifier: BSD-2-Clause */
/* Until there is memory management: pages. */
#ifndef NOVART_PAGE_H
#define NOVART_PAGE_H

/** Take 2^order pages filled with zero. */
void *nova_page_alloc(unsigned order);

#endif
