/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of a service share. */
#ifndef NOVART_SERVICE_INTERNAL_H
#define NOVART_SERVICE_INTERNAL_H

#include "nova/portal.h"
#include "novart/program.h"
#include "novart/service.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "registry.h"
#include "session_table.h"

/* Its handlers: of control and session portals, and of the share portal. */
enum service_handler { SERVICE_CALLS, SERVICE_SHARES, SERVICE_HANDLERS };

/* What a service has on one CPU. */
struct service_cpu {
        struct nova_service *service;
        nova_word_t cpu;
        struct nova_handler *handler;       /* serves control and session portals */
        struct nova_handler *share_handler; /* serves the share portal; NULL: there is none */
        struct nova_request *request;       /* of the handler, one at a time */
        bool needs_lock[SERVICE_HANDLERS];  /* has or wants the lock; the handler writes */
        bool giving;                        /* its answer may be on its way; the handler writes */
        nova_sel_t second; /* hotspot of the answer's second range; 0: directly after the first */
        struct session *session; /* that the handler works for, or NULL */
        nova_sel_t window;       /* receives items; NOVA_SEL_NONE: nothing can */
        void *share_window;      /* receives memory; NULL: nothing can */
        struct nova_thread *runner;
        bool ended;                 /* the handlers have; the runner writes */
        struct nova_semaphore wake; /* of the runner */
        uint32_t wanted;            /* pass that the runner is asked for; any thread writes */
        uint32_t done;              /* pass that it has made; the runner writes */
};

struct nova_service {
        struct nova_service_config config;
        struct session_table table;   /* under lock */
        struct nova_mutex lock;       /* also held around handlers of services not parallel */
        nova_word_t holder;           /* thread that has the lock, 0: none; the thread writes */
        unsigned waiters;             /* threads in nova_service_lock() */
        char *states;                 /* of all slots */
        nova_sel_t control;           /* control portals: + CPU */
        nova_sel_t share;             /* share portals: + CPU; NOVA_SEL_NONE */
        unsigned portal_order;        /* 2^order portals are one for each CPU number */
        unsigned session_order;       /* of the range of all session portals */
        uint64_t cpus;                /* bit n: CPU n is served */
        struct nova_semaphore passed; /* a runner has made a pass */
        struct nova_later *deferred;  /* pushed by compare-and-swap, taken as a whole */
        bool published;               /* threads other than the runners may have called it */
        bool stopping;
        bool abandoned; /* a handler or runner has ended with the lock; written by the thread that
                           stops the service */
        bool quiesced;  /* handlers and runners have exited; written by the thread that stops the
                           service */
        struct service_cpu *cpu[NOVA_CPU_MAX];
};

/* Time after which a waiter for the lock lends its time, and period of the runners, in ns. */
#define SERVICE_PATIENCE 2000000
#define SERVICE_PERIOD   1000000000

/* 2^order is the number of CPU numbers that a program can have. */
#define SERVICE_ORDER_MAX 6

/* dispatch.c */
void novart_service_dispatch(nova_sel_t portal, struct nova_utcb *utcb, void *argument);

/* share.c */
void novart_service_share_dispatch(nova_sel_t portal, struct nova_utcb *utcb, void *argument);
int novart_service_share_window(struct service_cpu *cpu);
void novart_service_share_end(struct session *session);

/* control.c: all with the lock held. Where the service's own functions are called, they may come
 * back without it: novart_service_inside() says so. */
int novart_service_open(struct service_cpu *cpu, struct nova_request *request);
void novart_service_finish(struct nova_service *service, struct session *session);
void novart_service_sweep(struct nova_service *service, unsigned first, unsigned count);
int novart_service_notify_set(struct service_cpu *cpu, struct nova_request *request);

/* deferred.c: takes the deferred work off the service; puts it back; and does it, with the lock
 * held. */
struct nova_later *novart_service_deferred_take(struct nova_service *service);
void novart_service_deferred_return(struct nova_service *service, struct nova_later *later);
void novart_service_deferred_run(struct nova_later *later);

/* runner.c: call a handler of this CPU, which comes to the end of what it does by that. */
void novart_service_pass(const struct service_cpu *cpu, nova_sel_t portals);
int novart_service_runner_start(struct service_cpu *cpu);
/* Ends handlers, too. @return false if they could not be ended */
bool novart_service_runner_stop(struct service_cpu *cpu);
void novart_service_runner_wake(struct service_cpu *cpu);
void novart_service_clear_soon(struct nova_service *service);

/* lock.c: take the lock. @return false if the service stops: a handler that died may have it */
bool novart_service_enter(struct nova_service *service);

/* For a thread that waits for handlers that need its time: donates time to handlers of this CPU. */
void novart_service_help(const struct nova_service *service);

/* Give it back, if the caller has it. */
void novart_service_leave(struct nova_service *service);

/* Whether the caller has it. */
bool novart_service_inside(const struct nova_service *service);

/* For who stops the service: a handler or runner (its struct nova_thread) has ended, perhaps with
 * the lock; all have, so take it; and wait until no thread is in nova_service_lock(). */
void novart_service_holder_ended(struct nova_service *service, nova_word_t thread);
void novart_service_take_over(struct nova_service *service);
void novart_service_wait_for_waiters(const struct nova_service *service);

/* shortage.c: what the program has used of its account of kernel memory; and if a service finds too
 * little of something, a sentence that says of what and how to give it more. */
nova_word_t novart_service_kernel_memory(nova_word_t *limit);
void novart_service_tell_shortage(const struct nova_service *service, nova_word_t used_before);

/* Whether nova_service_stop() was called. */
static inline bool service_stopping(const struct nova_service *service)
{
        return __atomic_load_n(&service->stopping, __ATOMIC_ACQUIRE);
}

/* The service's own bytes of a session. */
static inline void *session_state(const struct nova_service *service, const struct session *session)
{
        return service->states +
               (size_t)(session - service->table.slots) * service->config.state_bytes;
}

/* The other way round. */
static inline struct session *session_of_state(const struct nova_service *service,
                                               const void *state)
{
        const size_t bytes = (size_t)((const char *)state - service->states);

        return &service->table.slots[bytes / service->config.state_bytes];
}

/* CPU number of the service's first CPU. */
static inline nova_word_t service_first_cpu(const struct nova_service *service)
{
        return (nova_word_t)__builtin_ctzll(service->cpus);
}

#endif
