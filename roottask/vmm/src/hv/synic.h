/* SPDX-License-Identifier: BSD-2-Clause */
/* The synthetic interrupt controller: its registers, the messages of timers, and the calls that
 * send. */
#ifndef NOVAVMM_SRC_HV_SYNIC_H
#define NOVAVMM_SRC_HV_SYNIC_H

#include "novavmm/hv.h"

/* Source in the configuration of a timer. */
#define NOVAVMM_HV_TIMER_SOURCE_SHIFT 16
#define NOVAVMM_HV_TIMER_SOURCE_MASK  0xfu

/* Read and write MSRs 0x40000080 to 0x4000009f of a virtual processor. @return false: the guest
 * gets #GP */
bool novavmm_hv_synic_get(const struct nova_hv *hv, unsigned vcpu, uint32_t number,
                          uint64_t *value);
bool novavmm_hv_synic_set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value);

/* Sends the message of a timer that expired at reference time @p expired. If the timer's last
 * message still waits, no other message is sent. */
void novavmm_hv_synic_expire(struct nova_hv *hv, unsigned vcpu, unsigned timer, uint64_t expired);

/* Returns the source of a timer's messages. */
static inline unsigned novavmm_hv_synic_source(const struct nova_hv_timer *timer)
{
        return timer->config >> NOVAVMM_HV_TIMER_SOURCE_SHIFT & NOVAVMM_HV_TIMER_SOURCE_MASK;
}

/* The calls that send. */
nova_hv_function novavmm_hv_post, novavmm_hv_signal;

#endif
