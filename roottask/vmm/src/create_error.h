/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors of creating a machine: each function records the reason and returns an errno value. */
#ifndef NOVAVMM_SRC_CREATE_ERROR_H
#define NOVAVMM_SRC_CREATE_ERROR_H

#include "novavmm/vm.h"

/* Checks the configuration of a machine.
 * @return 0, ENOTSUP or EINVAL */
int novavmm_create_error_config(struct nova_vm *vm, const struct nova_vm_config *config);

/* Records an error of nova_guest_memory_create() for @p bytes of RAM. The field `bytes` of the
 * machine's memory is the size of the RAM for which there were blocks, or the whole size if no
 * region of addresses was free.
 * @return @p error */
int novavmm_create_error_memory(struct nova_vm *vm, int error, size_t bytes);

/* Records that @p bytes are too few for an account of kernel memory.
 * @return EINVAL */
int novavmm_create_error_account(struct nova_vm *vm, size_t bytes);

/* Records that there are no 2^order consecutive free selectors.
 * @return EAGAIN */
int novavmm_create_error_selectors(struct nova_vm *vm, unsigned order);

/* Records that the ultravisor's table has no room for the machine (ENOSPC). Errors of sharing the
 * machine's RAM with the ultravisor have no sentence.
 * @return @p error */
int novavmm_create_error_secure(struct nova_vm *vm, int error);

/* Records an error of creating threads and kernel objects. Must be called before the objects that
 * exist are destroyed: the sentence names the resource of which the program has too little left.
 * @return @p error, EAGAIN for any lack of memory */
int novavmm_create_error_objects(struct nova_vm *vm, int error);

#endif
