/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that makes one ultracall after the other. */
#include "guest_flood.h"

#include <novart/service/ultravisor_calls.h>
#include <novauv/guest.h>

#include "probe.h"

#define NO_CALL  0xf1f0 /* there is no such ultracall */
#define ADDITION 8      /* iterations of an empty loop in place of one call */

static void compute(void)
{
        for (volatile unsigned i = 0; i < ADDITION; i++)
                ;
}

/* Makes an ultracall. @return false if its status is not the expected one */
static bool call(unsigned kind, unsigned number)
{
        const unsigned pages = kind == PROBE_FLOOD_LONG ? PROBE_FLOOD_PAGES : 1;
        const unsigned shares = number % 2 ? NOVA_UV_UNSHARE_PAGE : NOVA_UV_SHARE_PAGE;

        switch (kind) {
        case PROBE_FLOOD_REFUSED:
                return nova_guest_call(NO_CALL, 0, 0) == NOVA_U_FUNCTION;
        case PROBE_FLOOD_SHARE:
        case PROBE_FLOOD_LONG:
                return nova_guest_call(shares, PROBE_FLOOD_FIRST, pages) == NOVA_U_SUCCESS;
        default:
                compute();
                return true;
        }
}

uint32_t guest_flood(unsigned kind, unsigned count)
{
        uint32_t wrong = 0;

        for (unsigned i = 0; i < count; i++)
                wrong += !call(kind, i);
        return wrong;
}
