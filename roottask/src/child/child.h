/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the parent's side: a child, the desks at which children ask, and the thread that
 * answers.
 *
 * A child's calls and events arrive at the desk of its CPU: a handler that runs on the child's
 * time. It may stop at any instruction for good, because the child or the calling thread died; so
 * it holds no lock and touches nothing but its desk: it hands the message to the desk's worker, a
 * thread with time of its own on the same CPU, and waits. Everything else happens in workers or in
 * threads that call the functions of <novart/child.h>, under one mutex.
 *
 * What a child asks for is done in a moment, so that its parent's time on its CPU, and on no other,
 * is all that it can take. Only text may take long: the worker cuts it into lines, and the desk
 * writes them, one by one, on the child's time. It may stop in the middle of a line, with the turn
 * at the serial line; so after GUARD_NS the worker makes it go on.
 *
 * A child's selectors mirror a block of the parent's: what is at block + n in the parent before the
 * PD is made is at n in the child. */
#ifndef NOVART_CHILD_CHILD_H
#define NOVART_CHILD_CHILD_H

#include "child/elf.h"
#include "child/memory.h"
#include "child/text.h"
#include "novart/child.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/start_page.h"
#include "novart/sync.h"
#include "novart/thread.h"

/* Selectors of a child, and in its block. */
#define CHILD_PD           0
#define CHILD_EC           1
#define CHILD_PARENT       2 /* + CPU number */
#define CHILD_SC           (CHILD_PARENT + NOVA_CPU_MAX)
#define CHILD_FAULT        0x80 /* + 32 * CPU number */
#define CHILD_EVENTS_ORDER 5
#define CHILD_EVENTS       (1 << CHILD_EVENTS_ORDER)
#define CHILD_SCS_MAX      256
#define CHILD_ITEMS_MAX    64 /* ranges of memory that one answer brings */

enum child_state { CHILD_RUNNING, CHILD_ENDED, CHILD_GONE };

/* Where things are in the child: what struct nova_start_page says. */
struct child_layout {
        nova_word_t start, pages, utcb, region, region_end, pool;
        nova_word_t stack[2]; /* 0: there is no room for it */
};

/* A thread's scheduling context that a child asked for. */
struct child_sc {
        struct child_sc *next;
        nova_sel_t sel;
        nova_word_t number; /* by which the child speaks of it */
};

struct nova_child {
        struct nova_child *next;
        char name[NOVA_START_NAME_SIZE];
        struct nova_child_grants grants;
        struct elf elf;
        struct child_memory memory;
        struct child_layout layout;
        nova_sel_t block; /* its selectors in this program */
        unsigned block_order;
        nova_sel_t block_end; /* behind the last one that is used: the child's own begin there */
        uint64_t cpus;
        nova_word_t cpu; /* of its first thread */
        unsigned priority, quantum_us, flags;
        struct child_sc *scs;
        unsigned sc_count;
        enum child_state state;
        bool begun; /* the first thread has its entry point */
        int status;
        uint64_t stale; /* bit n: the desk of CPU n may still speak of it when it is gone */
        struct nova_cond gone;
        struct child_line line;
};

/* One per CPU. The handler writes portal and pending only. A thread of the parent's, the flusher,
 * calls the handler when it may have been stopped: a call lends it time. It takes no lock, so that
 * who waits for the handler may hold one. */
struct desk {
        struct nova_handler *handler;
        struct nova_utcb *utcb;
        nova_sel_t nothing; /* a portal that only comes back: then the handler is free */
        struct nova_thread *worker;
        struct request *request;  /* the worker's, and the text of it the handler's meanwhile */
        nova_sel_t work;          /* semaphore: a message, or children that ended */
        nova_sel_t done;          /* semaphore: the worker has answered, or has text */
        nova_sel_t flush;         /* semaphore: the flusher is to call the handler */
        nova_sel_t window;        /* where objects arrive: 2^NOVA_PARENT_SERVICE_ORDER */
        nova_sel_t portal;        /* through which the message came */
        uint32_t pending;         /* a message waits for the worker; atomic */
        nova_word_t flushed;      /* count of retired selectors before the flusher's last call */
        struct nova_child *child; /* whose message the worker answers now, or NULL */
};

/* All children, and what the functions below work on, is under this mutex. */
extern struct nova_mutex novart_child_mutex;
extern struct nova_child *novart_child_first;

/* desk.c: makes a CPU's desk, if there is none. 0 or an errno value. */
int novart_child_server_prepare(nova_word_t cpu);
struct desk *novart_child_server_of(nova_word_t cpu);
/* Somebody looks for children that ended, soon. */
void novart_child_server_wake(nova_word_t cpu);
/* Makes the handler of a CPU go on, and then says novart_retired_selectors_release(). Returns at
 * once. */
void novart_child_server_flush(nova_word_t cpu);
/* A new window for objects, after the old one was taken. 0 or an errno value. */
int novart_child_server_renew_window(struct desk *desk);

/* limbo.c: blocks of selectors whose child is gone, until no desk can still speak of them. */
bool novart_retired_selectors_add(nova_sel_t block, unsigned order, uint64_t cpus);
/* How many blocks came until now, without the mutex; after that the desk of a CPU received
 * something else. */
nova_word_t novart_retired_selectors_count(void);
void novart_retired_selectors_release(nova_word_t cpu, nova_word_t count);

/* portals.c: everything that the child finds at its selectors at first. 0 or an errno value. */
int novart_child_make_portals(struct nova_child *child);

/* page.c: decides where things are. 0 or E2BIG. */
int novart_child_lay_out(struct nova_child *child, const struct nova_child_config *config);
/* The start page, to be freed with the child's memory. 0 or an errno value. */
int novart_child_make_start_page(struct nova_child *child, const struct nova_child_config *config);

/* request.c: answers what lies at a desk. If there is text then, it is to be written, and this is
 * to be called again. */
void novart_child_serve(struct desk *desk, nova_word_t cpu);

/* event.c: answers an event; the number of the event. */
void novart_child_serve_event(struct nova_child *child, struct nova_utcb *utcb, unsigned event,
                              bool main, nova_word_t cpu);
void novart_child_report(struct nova_child *child, struct nova_fault_report *report);

/* end.c: writes what has no line feed yet. */
void novart_child_write_rest(struct nova_child *child);

/* Ends a child's PD at once; the rest by novart_child_reclaim(), when no desk serves it. */
void novart_child_end(struct nova_child *child, int status);
void novart_child_reclaim(struct nova_child *child);
/* Takes back what a child has that does not run. */
void novart_child_release(struct nova_child *child);

#endif
