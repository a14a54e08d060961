/* SPDX-License-Identifier: BSD-2-Clause */
/* Work that a service defers until no reply with a delegation is in progress.
 *
 * A handler releases the lock before it sends its reply, and the kernel looks up the delegated
 * range when the reply is sent. Selectors that are revoked in between must not name other objects
 * before the reply is sent. When a handler receives its next message, it has sent its reply. */
#include <stdlib.h>

#include "internal.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/selector.h"

static bool giving(const struct nova_service *service)
{
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (service->cpu[cpu] &&
                    __atomic_load_n(&service->cpu[cpu]->giving, __ATOMIC_ACQUIRE))
                        return true;
        return false;
}

static void push(struct nova_service *service, struct nova_later *later)
{
        later->next = __atomic_load_n(&service->deferred, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&service->deferred, &later->next, later, false,
                                            __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
                continue;
}

void nova_service_later(struct nova_service *service, struct nova_later *later)
{
        if (!giving(service)) {
                later->function(later);
                return;
        }
        push(service, later);
        novart_service_clear_soon(service);
}

struct nova_later *novart_service_deferred_take(struct nova_service *service)
{
        return __atomic_exchange_n(&service->deferred, NULL, __ATOMIC_ACQ_REL);
}

void novart_service_deferred_return(struct nova_service *service, struct nova_later *later)
{
        while (later) {
                struct nova_later *next = later->next;

                push(service, later);
                later = next;
        }
}

void novart_service_deferred_run(struct nova_later *later)
{
        while (later) {
                struct nova_later *next = later->next;

                later->function(later);
                later = next;
        }
}

struct dropped {
        struct nova_later later;
        nova_sel_t sel;
        unsigned order;
};

static void release(struct nova_later *later)
{
        struct dropped *dropped = (struct dropped *)later;

        nova_sel_release(dropped->sel, dropped->order);
        free(dropped);
}

void nova_service_drop(struct nova_service *service, nova_sel_t sel)
{
        const unsigned order = service->config.receive_order;
        struct dropped *dropped = malloc(sizeof(*dropped));

        nova_revoke(nova_crd_obj(sel, order, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        if (!dropped)
                return; /* leaks the selectors, which is harmless */
        dropped->later.function = release;
        dropped->sel = sel;
        dropped->order = order;
        nova_service_later(service, &dropped->later);
}
