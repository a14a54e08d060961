/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that replace those of the library in the monitor of secure-linux (search.c). */
#ifndef NOVA_TESTS_SECURE_SEARCH_H
#define NOVA_TESTS_SECURE_SEARCH_H

#include "novavmm/secure.h"
#include "novavmm/virtio_block.h"

void search_block_init(struct nova_virtio_block *block, const struct nova_guest_memory *memory,
                       void *data, size_t bytes, bool read_only);
enum nova_vm_end search_wait(struct nova_vm *vm);

#endif
