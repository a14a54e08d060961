/* SPDX-License-Identifier: BSD-2-Clause */
/* Client stub of the service `timer`. */
#include "novart/service/timer.h"

#include <limits.h>

#include "novart/time.h"
#include "service/client.h"

int nova_timer_open(struct nova_session **timer)
{
        const int error = nova_session_open(timer, "timer", NULL);

        if (error)
                return error;
        const int refused = nova_session_enable_notify(*timer);

        if (refused)
                nova_session_close(*timer);
        return refused;
}

int nova_timer_arm(struct nova_session *timer, uint64_t deadline, uint64_t period)
{
        const nova_word_t words[] = {(uint32_t)deadline, (nova_word_t)(deadline >> 32),
                                     (uint32_t)period, (nova_word_t)(period >> 32)};
        struct nova_message message = {
                .operation = NOVA_TIMER_ARM, .words = words, .word_count = 4};

        return nova_session_call(timer, &message);
}

int nova_timer_cancel(struct nova_session *timer)
{
        struct nova_message message = {.operation = NOVA_TIMER_CANCEL};

        return nova_session_call(timer, &message);
}

int nova_timer_wait(struct nova_session *timer, unsigned *count, uint64_t limit)
{
        for (;;) {
                nova_word_t expired = 0;
                struct nova_message message = {
                        .operation = NOVA_TIMER_READ, .answer = &expired, .answer_max = 1};
                int error = nova_session_call(timer, &message);

                if (!error && expired && count)
                        *count = expired < UINT_MAX ? (unsigned)expired : UINT_MAX;
                if (error || expired)
                        return error;
                error = novart_client_wait_again(timer, nova_tsc_of_ns(limit));
                if (error)
                        return error;
        }
}
