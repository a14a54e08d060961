/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's side of secure guests (see novavmm/secure.h). */
#ifndef NOVAVMM_SRC_SECURE_H
#define NOVAVMM_SRC_SECURE_H

#include "novavmm/secure.h"

/* Enters a machine in the ultravisor's table. @return 0 or an error of errno.h */
int novavmm_secure_attach(struct nova_vm *vm);

/* Ends the secure guest of a machine that is being destroyed. */
void novavmm_secure_detach(struct nova_vm *vm);

/* Does an action on a virtual CPU if the ultravisor runs it. @return false if it does not; the
 * caller then does the action */
bool novavmm_secure_kick(struct nova_vcpu *vcpu);
bool novavmm_secure_start(struct nova_vcpu *vcpu, uint8_t vector);
bool novavmm_secure_reset(struct nova_vcpu *vcpu);

/* secure_pages.c: makes the records of the uses of the RAM's pages. @return false: no memory is
 * left */
bool novavmm_secure_places(struct nova_secure *secure);
/* Returns the number of bytes that novavmm_secure_places() allocates. */
size_t novavmm_secure_places_bytes(const struct nova_secure *secure);
/* Forgets the uses of an earlier secure guest. */
void novavmm_secure_clear(struct nova_secure *secure);
/* Serves H_SVM_PAGE_IN or H_SVM_PAGE_OUT. @param word page, flags and order */
enum nova_h_status novavmm_secure_move(struct nova_secure *secure, nova_word_t number,
                                       const nova_word_t word[4]);
/* Returns the answer to a call for which the library made an ultracall. Flags and order are
 * parameters 2 and 3 of the call, and parameters 4 and 5 of the ultracall. */
enum nova_h_status novavmm_secure_answer(enum nova_u_status status);

#endif
