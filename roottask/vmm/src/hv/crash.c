/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports of guests that crash: five values, and a text in the guest's memory. TLFS, appendix C */
#include "hv/numbers.h"
#include "hv/page.h"

/* Bits of the control register; both read as 1. A guest that writes the first bit makes a report.
 * With the second bit, parameters 3 and 4 are the address and the length of a text. */
#define REPORT   (UINT64_C(1) << 63)
#define HAS_TEXT (UINT64_C(1) << 62)

enum { TEXT_AT = 3, TEXT_BYTES = 4 };

bool novavmm_hv_crash_get(const struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t *value)
{
        (void)vcpu;
        *value = number == NOVAVMM_MSR_CRASH_CONTROL
                         ? REPORT | HAS_TEXT
                         : hv->crash.parameter[number - NOVAVMM_MSR_CRASH];
        return true;
}

/* Copies the guest's text, if it lies in RAM, and truncates it to the available room. */
static void read_text(struct nova_hv *hv)
{
        const uint64_t bytes = hv->crash.parameter[TEXT_BYTES];
        const size_t max = NOVA_HV_CRASH_TEXT - 1;
        char *const text = hv->crash.text;
        size_t end = 0;

        if (!nova_guest_read(hv->memory, hv->crash.parameter[TEXT_AT], text,
                             bytes < max ? (size_t)bytes : max))
                return;
        for (; end < max && end < bytes && text[end]; end++)
                if ((text[end] < ' ' || text[end] > '~') && text[end] != '\n')
                        text[end] = '?';
        text[end] = '\0';
}

bool novavmm_hv_crash_set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value)
{
        if (number != NOVAVMM_MSR_CRASH_CONTROL) {
                hv->crash.parameter[number - NOVAVMM_MSR_CRASH] = value;
                return true;
        }
        if (value & ~(REPORT | HAS_TEXT))
                return false;
        if (!(value & REPORT))
                return true;
        hv->crash.text[0] = '\0';
        if (value & HAS_TEXT)
                read_text(hv);
        hv->crashed(hv->crash_context, vcpu, &hv->crash);
        return true;
}
