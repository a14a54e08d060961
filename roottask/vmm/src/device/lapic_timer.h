/* SPDX-License-Identifier: BSD-2-Clause */
/* The timer of a local APIC. */
#ifndef NOVAVMM_SRC_LAPIC_TIMER_H
#define NOVAVMM_SRC_LAPIC_TIMER_H

#include "novavmm/lapic.h"

void novavmm_lapic_timer_init(struct nova_lapic *lapic);

/* Handles a write of the timer's count; 0 stops the timer. */
void novavmm_lapic_timer_start(struct nova_lapic *lapic, uint32_t count);

/* Handles a write of the timer's entry in the local vector table. */
void novavmm_lapic_timer_changed(struct nova_lapic *lapic);

/* Handles a write of the timer's divider. The current count stays. */
void novavmm_lapic_timer_divide(struct nova_lapic *lapic, uint32_t divider);

/* Returns the current count. */
uint32_t novavmm_lapic_timer_current(const struct nova_lapic *lapic);

#endif
