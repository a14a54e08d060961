/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bytes of the CPU (see novavmm/entropy.h); SDM 1, 7.3.17. */
#include "novavmm/entropy.h"

#include <stdint.h>
#include <string.h>

#include "novavmm/cpuid.h"

#define LEAF1_ECX_RDRAND 0x40000000u

/* Number of attempts if the CPU has no random bytes at the moment. */
#define ATTEMPTS 10

static bool rdrand(uintptr_t *value)
{
        bool valid;

        __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(valid));
        return valid;
}

/* Reads a random word. All ones count as an error, because some CPUs with a broken generator return
 * them. */
static bool get(uintptr_t *value)
{
        for (unsigned i = 0; i < ATTEMPTS; i++)
                if (rdrand(value) && *value != UINTPTR_MAX)
                        return true;
        return false;
}

bool nova_entropy_available(void)
{
        uintptr_t value;

        return nova_cpuid_host(1, 0).ecx & LEAF1_ECX_RDRAND && get(&value);
}

size_t nova_entropy(void *unused, void *to, size_t bytes)
{
        size_t done = 0;
        uintptr_t value;

        (void)unused;
        while (done < bytes && get(&value)) {
                const size_t part = bytes - done < sizeof(value) ? bytes - done : sizeof(value);

                memcpy((char *)to + done, &value, part);
                done += part;
        }
        return done;
}
