/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the ring of kernel messages, which the root PD can map (extension, feature
 * NOVA_HIP_LOG). */
#ifndef NOVA_LOG_H
#define NOVA_LOG_H

#include "nova/abi/hip.h"

/**
 * Copies messages out of the kernel's ring, oldest first.
 *
 * Start with @p position 0 and pass the updated value to the next call. The function skips messages
 * that the kernel has overwritten. The kernel may write during the call.
 * @code
 * struct nova_hip_mem mem;
 * uint32_t position = 0;
 * char text[128];
 * size_t bytes;
 *
 * if (!nova_hip_find_mem(hip, NOVA_MEM_LOG, &mem))
 *         return;
 *
 * const struct nova_log *log = nova_root_map(&root, mem.addr, mem.size, NOVA_MEM_R);
 *
 * while (log && (bytes = nova_log_read(log, &position, text, sizeof(text))) > 0)
 *         nova_printf(&console, "%.*s", (int)bytes, text);
 * @endcode
 * @param log              mapped memory of the descriptor of type NOVA_MEM_LOG
 * @param[in,out] position in: number of the first byte to read; out: number of the next byte
 * @param[out] to          buffer for up to @p size bytes; no 0 is added
 * @return the number of bytes copied; 0: there is no new text
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
                /* The kernel stores a byte before it counts the byte. So if the count is a whole
                 * ring ahead of the position, the kernel may already be overwriting the first
                 * byte. */
                if (__atomic_load_n(&log->written, __ATOMIC_RELAXED) - *position < log->size) {
                        *position += count;
                        return count;
                }
        }
}

#endif
