/* SPDX-License-Identifier: BSD-2-Clause */
/* Describes the last hypercall of an enlightened guest. hv/call.c lists a call value's bits. */
#include <stdio.h>

#include "novavmm/hv.h"

#define PART_BYTES 64

static unsigned field(uint64_t value, unsigned shift, unsigned mask)
{
        return (unsigned)(value >> shift) & mask;
}

/* Writes the outcome of a call. */
static void outcome_text(const struct nova_hv_last *last, char *text, size_t bytes)
{
        const unsigned count = field(last->value, 32, 0xfff);
        const unsigned complete = field(last->result, 32, 0xfff);
        const char *const status =
                nova_hv_status_text((enum nova_hv_status)(last->result & 0xffff));

        if (!last->returned)
                snprintf(text, bytes, "has not returned");
        else if (last->outcome == NOVA_HV_UNDEFINED)
                snprintf(text, bytes, "raised #UD");
        else if (last->outcome == NOVA_HV_CONTINUES)
                snprintf(text, bytes, "continues");
        else if (count)
                snprintf(text, bytes, "%s, %u complete", status, complete);
        else
                snprintf(text, bytes, "%s", status);
}

void nova_hv_last_text(const struct nova_hv *hv, char *text, size_t bytes)
{
        const struct nova_hv_last *const last = &hv->last;
        const unsigned code = field(last->value, 0, 0xffff), count = field(last->value, 32, 0xfff);
        const struct nova_hv_call *const call = nova_hv_find(hv, (uint16_t)code);
        char list[PART_BYTES] = "", outcome[PART_BYTES];

        if (!last->number) {
                snprintf(text, bytes, "none");
                return;
        }
        if (count)
                snprintf(list, sizeof(list), ", %u elements, start index %u", count,
                         field(last->value, 48, 0xfff));
        outcome_text(last, outcome, sizeof(outcome));
        snprintf(text, bytes, "0x%04x (%s) of vCPU %u%s%s: %s", code,
                 call && call->name ? call->name : "unknown", last->vcpu,
                 last->value & 0x10000 ? ", fast" : "", list, outcome);
}
