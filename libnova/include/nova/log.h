/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the kernel's messages, which the root PD can map (extension, feature NOVA_HIP_LOG). */
#ifndef NOVA_LOG_H
#define NOVA_LOG_H

#include "nova/abi/hip.h"

/**
 * Copy messages out of the kernel's ring, oldest first.
 *
 * Begin with @p position 0 and call again with what it left there. What was overwritten before it
 * could be read is skipped. The kernel may write meanwhile.
 * @param log              the mapped memory descriptor of type NOVA_MEM_LOG
 * @param[in,out] position number of the first byte wanted, then of the first byte not read
 * @param[out] to          where up to @p size bytes go; no 0 is added
 * @return the number of bytes; 0: nothing new
 */
static inline size_t nova_log_read(const struct nova_log *log, uint32_t *position, char *to,
                                   size_t size)
{
        const char *ring = (const char *)log + log->offset;

        for (;;) {
                const uint32_t written = __atomic_load_n(&log->written, __ATOMIC_ACQUIRE);

                if (written - *position >= log->size)
                        *position = written - log->size + 1;

                const uint32_t there = written - *position;
                const uint32_t count = size < there ? (uint32_t)size : there;

                for (uint32_t i = 0; i < count; i++)
                        to[i] = ring[(*position + i) % log->size];
                __atomic_thread_fence(__ATOMIC_ACQUIRE);
                /* The byte behind the last one that counts may be under way. */
                if (__atomic_load_n(&log->written, __ATOMIC_RELAXED) - *position < log->size) {
                        *position += count;
                        return count;
                }
        }
}

#endif
