/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the parts of a service share. */
#ifndef NOVART_SERVICE_INTERNAL_H
#define NOVART_SERVICE_INTERNAL_H

#include "nova/portal.h"
#include "novart/program.h"
#include "novart/service.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "registry.h"
#include "session_table.h"

/* Handlers of a CPU: for control and session portals, and for the share portal. */
enum service_handler { SERVICE_CALLS, SERVICE_SHARES, SERVICE_HANDLERS };

struct service_cpu;

/* The thread that lends time to one handler. */
struct service_runner {
        struct service_cpu *cpu;
        struct nova_thread *thread;
        nova_sel_t wake; /* semaphore that wakes the runner */
        uint32_t wanted; /* number of the requested pass; written by any thread */
        uint32_t done;   /* number of the last pass; written by the runner */
        uint32_t target; /* number of the pass for which the worker waits; written by the worker */
        uint32_t begun;  /* calls that the handler has begun; written by the handler */
        uint32_t served; /* calls that the handler has completed; written by the handler */
        bool rests;      /* the runner waits without a deadline; a handler that begins a call wakes
                          * it */
        bool lost;       /* the handler had a fault and never answers; written by the runner */
        bool ended;      /* the handler has ended; written by the runner */
};

/* State of a service on one CPU. */
struct service_cpu {
        struct nova_service *service;
        nova_word_t cpu;
        struct nova_handler *handler;       /* serves control and session portals */
        struct nova_handler *share_handler; /* serves the share portal; NULL: there is none */
        struct nova_request *request;       /* request that the handler serves; it serves one at a
                                             * time */
        bool giving;                        /* the handler's answer may delegate capabilities;
                                             * written by the handler */
        nova_sel_t second; /* hotspot of the answer's second range; 0: directly after the first */
        struct session *session; /* the session for which the handler works, or NULL */
        nova_sel_t window;       /* receives items; NOVA_SEL_NONE: no items */
        void *unshared;          /* a region that the handler frees when it has released the lock */
        void *share_window;      /* receives memory; NULL: no memory */
        nova_word_t claim;       /* bytes of kernel memory that are kept for the next message to the
                                  * share handler; 0: none; written by that handler */
        struct service_runner runner[SERVICE_HANDLERS];
};

struct nova_service {
        struct nova_service_config config;
        struct session_table table; /* sessions; protected by lock */
        struct nova_mutex lock;     /* also held while a handler runs, unless parallel */
        nova_word_t holder;         /* thread that has the lock; 0: none; written by that
                                     * thread */
        unsigned waiters;           /* number of threads in nova_service_lock() */
        char *states;               /* states of all slots */
        nova_sel_t control;         /* control portal of CPU 0; that of CPU n is at control + n */
        nova_sel_t share;           /* share portal of CPU 0, like control; NOVA_SEL_NONE: none */
        unsigned portal_order;      /* 2^portal_order portals: one for each CPU number */
        unsigned session_order;     /* order of the range of all session portals */
        uint64_t cpus;              /* bit n: CPU n is served */
        struct nova_thread *worker; /* looks for clients that died, and frees retired slots */
        nova_sel_t wake;            /* semaphore that wakes the worker */
        nova_word_t reserve;        /* bytes of kernel memory that sessions leave to the service */
        nova_word_t share_bytes;    /* bytes that a message to a share handler may charge without a
                                     * claim */
        bool passing;               /* each pass wakes the worker; written by the worker */
        uint64_t ended;             /* TSC when a session last ended; protected by lock */
        unsigned passing_head;      /* retired slots that are free after the passes; SESSION_NONE:
                                     * none; protected by lock */
        struct nova_later *passing_later; /* actions to perform after the passes */
        struct nova_later *deferred;      /* pushed by compare-and-swap, taken as a whole */
        bool published;                   /* threads other than the runners may have called the
                                           * service */
        bool watched;                     /* the parent wakes the worker when a program has ended */
        bool stopping;
        bool abandoned; /* a handler or the worker has ended while it held the lock; written by the
                           thread that stops the service */
        bool quiesced;  /* handlers and worker have exited; written by the thread that stops the
                           service */
        struct service_cpu *cpu[NOVA_CPU_MAX];
};

/* Time in ns after which a thread that waits for the lock wakes the runners. */
#define SERVICE_PATIENCE 2000000

/* Maximum of portal_order: a program can have CPU numbers below 2^SERVICE_ORDER_MAX. */
#define SERVICE_ORDER_MAX 6

/* dispatch.c */
void novart_service_dispatch(nova_sel_t portal, struct nova_utcb *utcb, void *argument);

/* share.c */
void novart_service_share_dispatch(nova_sel_t portal, struct nova_utcb *utcb, void *argument);
int novart_service_share_window(struct service_cpu *cpu);
/* Detaches the memory of a session that has no calls. The caller frees it when it has released the
 * lock, because its pages may have many mappings.
 * @return the region; NULL: the session shares no memory */
void *novart_service_share_take(struct session *session);

/* control.c. All functions are called with the lock held. A function that calls the service's own
 * functions may return without the lock; the caller tests this with novart_service_inside(). */
int novart_service_open(struct service_cpu *cpu, struct nova_request *request);
void novart_service_finish(struct nova_service *service, struct session *session);
/* Closes the sessions of clients that died, in count slots. */
void novart_service_sweep(struct nova_service *service, unsigned first, unsigned count);
int novart_service_notify_set(struct service_cpu *cpu, struct nova_request *request);

/* deferred.c. The first function takes the deferred actions from the service, the second puts them
 * back, and the third performs them; the third is called with the lock held. */
struct nova_later *novart_service_deferred_take(struct nova_service *service);
void novart_service_deferred_return(struct nova_service *service, struct nova_later *later);
void novart_service_deferred_run(struct nova_later *later);

/* runner.c: starts the thread that lends time to a handler, or ends it together with the
 * handler. */
int novart_service_runner_start(struct service_runner *runner);
/* @return false if the handler could not be ended */
bool novart_service_runner_stop(struct service_runner *runner);
/* Makes the runner of each handler that serves a call lend its time. Returns at once. */
void novart_service_runners_ask(struct nova_service *service);
/* Makes each runner call its handler, and wake the worker afterwards. Returns at once. */
void novart_service_pass_begin(struct nova_service *service);
/* Returns true if each handler has completed the work that it had at novart_service_pass_begin().
 */
bool novart_service_has_passed(struct nova_service *service);
/* A handler calls the first function when it begins to serve a call, and the second function when
 * it has served the call. If the call takes long, the runner lends the handler time. */
void novart_service_runner_begin(struct service_cpu *cpu, enum service_handler role);
void novart_service_runner_end(struct service_cpu *cpu, enum service_handler role);

/* worker.c */
int novart_service_worker_start(struct nova_service *service);
void novart_service_worker_stop(struct nova_service *service);
/* Wakes the worker to free retired slots and to perform deferred actions. */
void novart_service_clear_soon(struct nova_service *service);

/* Sets the attributes of a thread of the service on a CPU. */
struct nova_thread_attr novart_service_thread(const struct nova_service *service, nova_word_t cpu);

/* lock.c: takes the lock.
 * @return false if the service stops: a dead handler may hold the lock */
bool novart_service_enter(struct nova_service *service);

/* Releases the lock if the caller holds it. */
void novart_service_leave(struct nova_service *service);

/* Returns true if the caller holds the lock. */
bool novart_service_inside(const struct nova_service *service);

/* Functions for the thread that stops the service. The first records that a handler or the worker
 * has ended, perhaps with the lock held; thread is the address of its struct nova_thread. The
 * second takes the lock after all of them have ended. The third waits until no thread is in
 * nova_service_lock(). */
void novart_service_holder_ended(struct nova_service *service, nova_word_t thread);
void novart_service_take_over(struct nova_service *service);
void novart_service_wait_for_waiters(const struct nova_service *service);

/* reserve.c. Sets the reserve of a service whose threads exist, and the limits of its share
 * handlers. */
void novart_service_reserve_init(struct nova_service *service);
/* Returns 0 if a client may take more kernel memory; ENOMEM: only the reserve is left; EAGAIN: the
 * rest is kept for a message that comes soon, or some kernel memory becomes free within 200 ms. Is
 * called with the lock held. */
int novart_service_room(const struct nova_service *service);
/* Returns true if a session ended so lately that the kernel may have freed its portals just now, or
 * still has to. Is called with the lock held. */
bool novart_service_ended_lately(const struct nova_service *service);
/* Called by a share handler, with the lock held, after a message whose memory did not arrive. Keeps
 * kernel memory for the next message to this handler if it can be larger than @p had, the limit of
 * the message.
 * @return EAGAIN: the client may repeat the message; ENOMEM: the message is too large, and no
 * session ends */
int novart_service_claim(struct service_cpu *cpu, nova_word_t had);
/* Ends the claim of a share handler. The handler calls this function for each message, also for
 * those of its runner; the thread that stops the service calls it when the handler has ended.
 * @return the limit that the message had */
nova_word_t novart_service_claim_end(struct service_cpu *cpu);

/* shortage.c. The first function returns the number of bytes that the program has used of its
 * account of kernel memory. The second prints the missing resource and the remedy if a service
 * cannot start for lack of a resource. */
nova_word_t novart_service_kernel_memory(nova_word_t *limit);
void novart_service_tell_shortage(const struct nova_service *service, nova_word_t used_before);

/* Returns true if nova_service_stop() was called. */
static inline bool service_stopping(const struct nova_service *service)
{
        return __atomic_load_n(&service->stopping, __ATOMIC_ACQUIRE);
}

/* Returns the state of a session, which belongs to the service's own functions. */
static inline void *session_state(const struct nova_service *service, const struct session *session)
{
        return service->states +
               (size_t)(session - service->table.slots) * service->config.state_bytes;
}

/* Returns the session to which a state belongs. */
static inline struct session *session_of_state(const struct nova_service *service,
                                               const void *state)
{
        const size_t bytes = (size_t)((const char *)state - service->states);

        return &service->table.slots[bytes / service->config.state_bytes];
}

/* Returns the number of the service's first CPU. */
static inline nova_word_t service_first_cpu(const struct nova_service *service)
{
        return (nova_word_t)__builtin_ctzll(service->cpus);
}

#endif
