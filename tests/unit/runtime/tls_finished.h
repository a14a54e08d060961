/* SPDX-License-Identifier: BSD-2-Clause */
/* mbedTLS's Finished messages if memory runs out. */
#ifndef UNIT_TLS_FINISHED_H
#define UNIT_TLS_FINISHED_H

#include <stdbool.h>

/* Writes or reads a message Finished whose content cannot be computed for lack of memory.
 * @param long_hash with SHA-384; otherwise with SHA-256
 * @return true if mbedTLS returns the error of the computation */
bool finished_fails(bool write, bool long_hash);

#endif
