/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bytes of the CPU (see novart/random.h); SDM 1, 7.3.17. */
#include "novart/random.h"

#include <stdint.h>
#include <string.h>

#include "random/insn.h"

#define LEAF1_ECX_RDRAND 0x40000000u

/* Number of attempts if the CPU has no random bytes at the moment. */
#define ATTEMPTS 10

/* Reads a random word. All ones count as an error, because some CPUs with a broken generator return
 * them. */
static bool get(uintptr_t *value)
{
        for (unsigned i = 0; i < ATTEMPTS; i++)
                if (rdrand(value) && *value != UINTPTR_MAX)
                        return true;
        return false;
}

static bool has_rdrand(void)
{
        return (cpuid_ecx(1) & LEAF1_ECX_RDRAND) != 0;
}

bool nova_random_available(void)
{
        uintptr_t value;

        return has_rdrand() && get(&value);
}

size_t nova_random(void *to, size_t bytes)
{
        size_t done = 0;
        uintptr_t value;

        if (!has_rdrand())
                return 0;
        while (done < bytes && get(&value)) {
                const size_t part = bytes - done < sizeof(value) ? bytes - done : sizeof(value);

                memcpy((char *)to + done, &value, part);
                done += part;
        }
        return done;
}
