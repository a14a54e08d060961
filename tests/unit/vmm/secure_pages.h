/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls for pages that secure_pages.c compiles, and the ultracall that the test replaces. */
#ifndef NOVA_TESTS_UNIT_VMM_SECURE_PAGES_H
#define NOVA_TESTS_UNIT_VMM_SECURE_PAGES_H

#include "novavmm/secure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Gives a machine's connection the table of its pages; fini frees it. */
void secure_pages_init(struct nova_secure *secure);
void secure_pages_fini(struct nova_secure *secure);

/* Serves H_SVM_PAGE_IN or H_SVM_PAGE_OUT. */
enum nova_h_status secure_pages_serve(struct nova_secure *secure, enum nova_h_call call,
                                      uint64_t page, uint64_t flags, uint64_t order);

#ifdef __cplusplus
}
#endif

#endif
