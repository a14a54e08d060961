/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that floods the ultravisor, or whose secure guest does so (flood.h). */
#include <errno.h>
#include <stdio.h>

#include "novart/service.h"

#include "flood.h"
#include "honest.h"

#define COPIED 0x400000u /* a page of the guest */
#define PLACE  0x600000u /* its copies */
#define SPINS  100000u

static struct nova_semaphore work = NOVA_SEMAPHORE_INITIALIZER(0);
static unsigned kind = FLOOD_IDLE; /* atomic */
static nova_word_t calls, wrong;   /* numbers since the last request; atomic */

static int set(struct nova_request *request)
{
        const unsigned now = (unsigned)request->word[0];

        if (now >= FLOOD_KINDS)
                return EINVAL;
        nova_request_answer(request, __atomic_exchange_n(&calls, 0, __ATOMIC_SEQ_CST));
        nova_request_answer(request, __atomic_exchange_n(&wrong, 0, __ATOMIC_SEQ_CST));
        if (__atomic_exchange_n(&kind, now, __ATOMIC_SEQ_CST) == FLOOD_IDLE && now != FLOOD_IDLE)
                nova_semaphore_up(&work);
        return 0;
}

/* Floods the ultravisor once. @return the number of wrong statuses */
static unsigned once(unsigned now, unsigned count)
{
        if (now < PROBE_FLOOD_KINDS)
                return guest(PROBE_FLOOD, now, count);
        if (now == FLOOD_COPY)
                return nova_uv_page_out(&uv, PLACE, COPIED, NOVA_UV_SNAPSHOT, NOVA_UV_ORDER_PAGE) !=
                       NOVA_U_SUCCESS;
        for (unsigned i = 0; i < SPINS; i++)
                __asm__ volatile("pause");
        return 0;
}

static void flood(void)
{
        static const unsigned count[FLOOD_KINDS] = {100000, 64, 64, 2, 0, 1, 1};
        unsigned now;

        while ((now = __atomic_load_n(&kind, __ATOMIC_SEQ_CST)) != FLOOD_IDLE) {
                __atomic_add_fetch(&wrong, once(now, count[now]), __ATOMIC_SEQ_CST);
                __atomic_add_fetch(&calls, count[now], __ATOMIC_SEQ_CST);
        }
}

int main(void)
{
        static const struct nova_service_operation operations[] = {{set, 1, 1, false}};
        const struct nova_service_config config = {
                .name = "flooder", .operations = operations, .operation_count = 1};

        if (!honest_start(3) || honest_become_secure() != NOVA_U_SUCCESS ||
            guest(PROBE_WRITE, COPIED, 1) || nova_service_start(NULL, &config)) {
                printf("The guest that floods cannot begin.\n");
                return 1;
        }
        for (;;) {
                nova_semaphore_down(&work);
                flood();
        }
}
