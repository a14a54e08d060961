/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's state in the loaded control structure of VMX and in messages. */
#ifndef VIRT_VMX_STATE_H
#define VIRT_VMX_STATE_H

#include "virt/vcpu.h"

/* Access rights of a segment. The interface omits the four bits between 7 and 12 (SDM 3C, 24.4.1).
 * A segment that is not present is unusable, as with SVM. */
#define VMX_AR_PRESENT  0x80
#define VMX_AR_UNUSABLE 0x10000

static inline uint32_t vmx_ar_to_message(word_t ar)
{
        return (uint32_t)((ar & 0xff) | (ar >> 4 & 0x1f00));
}

static inline word_t vmx_ar_from_message(uint32_t ar)
{
        const word_t value = (ar & 0xff) | (word_t)(ar & 0x1f00) << 4;

        return value & VMX_AR_PRESENT ? value : value | VMX_AR_UNUSABLE;
}

#endif
