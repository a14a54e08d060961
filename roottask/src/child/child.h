/* SPDX-License-Identifier: BSD-2-Clause */
/* Internals of the parent's side: a child, and the servers that answer children's calls and events.
 *
 * A child's calls and events arrive at the server of its CPU. Its handler runs on the child's time.
 * It may be suspended for good at any instruction, because the child or the calling thread died; so
 * it holds no lock and touches only its server: it hands the message to the server's worker, a
 * thread with time of its own on the same CPU, and waits. Everything else happens in workers or in
 * threads that call the functions of <novart/child.h>, under one mutex.
 *
 * A request takes a short, bounded time, so a child can use up its parent's time on its own CPU
 * only. Only text may take long: the worker cuts it into lines, and the handler writes them, one by
 * one, on the child's time. It may be suspended in the middle of a line, while it owns the serial
 * line; so after GUARD_NS the worker makes it continue.
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
        uint64_t stale; /* bit n: the handler of CPU n may still use its portals when it is gone */
        struct nova_cond gone;
        struct child_line line;
};

/* One per CPU. The handler writes portal and pending only. A thread of the parent, the flusher,
 * calls the handler when it may have been suspended: the call gives it time. The flusher takes no
 * lock, so a thread that waits for the handler may hold one. */
struct child_server {
        struct nova_handler *handler;
        struct nova_utcb *utcb;
        nova_sel_t nothing; /* a portal that does nothing: when it replies, the handler is free */
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

/* server.c: creates a CPU's server, if there is none. 0 or an errno value. */
int novart_child_server_prepare(nova_word_t cpu);
struct child_server *novart_child_server_of(nova_word_t cpu);
/* Has the worker look for children that ended. */
void novart_child_server_wake(nova_word_t cpu);
/* Starts to make the handler of a CPU continue; the worker then calls
 * novart_retired_selectors_release(). Returns at once. */
void novart_child_server_flush(nova_word_t cpu);
/* A new window for objects, after the old one was taken. 0 or an errno value. */
int novart_child_server_renew_window(struct child_server *server);

/* retired_selectors.c: adds the selectors of a child that is gone, until no handler can use them.
 * False if memory is exhausted. */
bool novart_retired_selectors_add(nova_sel_t block, unsigned order, uint64_t cpus);
/* How many blocks were added until now; needs no mutex. */
nova_word_t novart_retired_selectors_count(void);
/* The handler of a CPU has received another message since the count: frees the blocks up to it that
 * no other handler can use. */
void novart_retired_selectors_release(nova_word_t cpu, nova_word_t count);

/* portals.c: everything that the child finds at its selectors at first. 0 or an errno value. */
int novart_child_make_portals(struct nova_child *child);

/* page.c: decides where things are. 0 or E2BIG. */
int novart_child_lay_out(struct nova_child *child, const struct nova_child_config *config);
/* The start page, to be freed with the child's memory. 0 or an errno value. */
int novart_child_make_start_page(struct nova_child *child, const struct nova_child_config *config);

/* request.c: answers a server's message. If there is text then, the caller writes it and calls this
 * again. */
void novart_child_serve(struct child_server *server, nova_word_t cpu);

/* event.c: answers an event; the number of the event. */
void novart_child_serve_event(struct nova_child *child, struct nova_utcb *utcb, unsigned event,
                              bool main, nova_word_t cpu);
void novart_child_report(struct nova_child *child, struct nova_fault_report *report);

/* end.c: writes what has no line feed yet. */
void novart_child_write_rest(struct nova_child *child);

/* Ends a child's PD at once; the rest by novart_child_reclaim(), when no server works for it. */
void novart_child_end(struct nova_child *child, int status);
void novart_child_reclaim(struct nova_child *child);
/* Takes back what a child has that does not run. */
void novart_child_release(struct nova_child *child);

#endif
