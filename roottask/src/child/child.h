/* SPDX-License-Identifier: BSD-2-Clause */
/* Internals of the parent's side: a child, and the servers that answer children's calls and
 * events.
 *
 * A child's calls and events arrive at the server of its CPU. The server's handler runs on the
 * child's time. If the child or the calling thread dies, the handler is suspended at any
 * instruction, perhaps permanently. So the handler holds no lock and accesses only its server. It
 * passes the message to the server's thread, which has an SC of its own on the same CPU, and waits.
 * All other work happens under one mutex, in these threads or in threads that call the functions of
 * <novart/child.h>.
 *
 * A request takes a short, bounded time, so a child can use up its parent's time only on the
 * child's own CPU. Text is the exception, because it may take long: the thread splits it into
 * lines, and the handler writes the lines one by one on the child's time. The handler may be
 * suspended in the middle of a line, while it owns the serial line; after GUARD_NS the thread makes
 * it continue.
 *
 * A child's selectors mirror a block of the parent's: a capability that is at block + n in the
 * parent when the PD is created is at n in the child. */
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

/* Selectors of a child, which are also offsets in its block. */
#define CHILD_PD           0
#define CHILD_EC           1
#define CHILD_PARENT       2 /* + CPU number */
#define CHILD_SC           (CHILD_PARENT + NOVA_CPU_MAX)
#define CHILD_FAULT        0x80 /* + 32 * CPU number */
#define CHILD_EVENTS_ORDER 5
#define CHILD_EVENTS       (1 << CHILD_EVENTS_ORDER)
#define CHILD_SCS_MAX      256
#define CHILD_ITEMS_MAX    64 /* maximum number of ranges of memory in one answer */

enum child_state {
        CHILD_RUNNING,
        CHILD_ENDED,  /* its PD is destroyed */
        CHILD_CLOSED, /* its portals are revoked; handlers may still answer earlier messages */
        CHILD_GONE,
};

/* Addresses of the parts of a child; the same values as in struct nova_start_page. */
struct child_layout {
        nova_word_t start, pages, utcb, region, region_end, pool;
        nova_word_t stack[2]; /* 0: there is no room for it */
};

/* The withdrawal of resources that answers have named. New answers do not name these resources. The
 * parent reuses them when each handler has sent its earlier answer. */
struct child_closing {
        uint64_t stale;     /* bit n: the handler of CPU n may still answer such a message */
        nova_word_t number; /* counted from 1 */
};

/* A scheduling context that a child requested for a thread. After the child has dropped it, only
 * the child's next SC may get the selector, because a suspended handler may still send an answer
 * that names the selector. */
struct child_sc {
        struct child_sc *next;
        nova_sel_t sel;
        nova_word_t number; /* number by which the child names it */
        bool dropped;
};

struct nova_child {
        struct nova_child *next;
        char name[NOVA_START_NAME_SIZE];
        struct nova_child_grants grants;
        struct elf elf;
        struct child_memory memory;
        struct child_layout layout;
        nova_sel_t block; /* first of the child's selectors in this program */
        unsigned block_order;
        nova_sel_t block_end; /* first selector after those in use, and the first that the child may
                               * allocate */
        uint64_t cpus;
        nova_word_t cpu; /* CPU of the child's first thread */
        unsigned priority, quantum_us, flags;
        struct child_sc *scs;
        unsigned sc_count; /* those that are not dropped */
        enum child_state state;
        bool begun; /* the first thread has its entry point */
        int status;
        struct child_closing closing; /* of the portals, after the child's end */
        struct nova_cond gone;
        struct child_line line;
        nova_sel_t watch[NOVA_PARENT_WATCHES]; /* semaphores that get an up when a program has
                                                * ended; 0: none */
};

/* The server of a CPU. The handler writes only portal and pending. If the handler may have been
 * suspended, another thread of the parent, the runner, calls it and thus donates time to it. The
 * runner takes no lock, so a thread that waits for the handler may hold one. */
struct child_server {
        struct nova_handler *handler;
        struct nova_utcb *utcb;
        nova_sel_t nothing; /* a portal whose handler only replies: the reply shows that the handler
                             * has completed earlier work */
        struct nova_thread *thread;
        struct request *request;  /* belongs to the thread; the handler uses it to write a line */
        nova_sel_t work;          /* semaphore: there is a message, or children have ended */
        nova_sel_t done;          /* semaphore: the thread has answered, or has text */
        nova_sel_t flush;         /* semaphore: wakes the runner to call the handler */
        nova_sel_t window;        /* window for objects: 2^NOVA_PARENT_SERVICE_ORDER selectors */
        nova_sel_t portal;        /* portal through which the message came */
        uint32_t pending;         /* a message waits for the thread; atomic */
        nova_word_t flushed;      /* number of closings before the runner's last call */
        uint64_t told;            /* TSC value from which the thread may report an end again */
        bool tells;               /* a report of an end waits until `told` */
        struct nova_child *child; /* child whose message the thread answers now, or NULL */
};

/* Protects all children, and the data of the functions below. */
extern struct nova_mutex novart_child_mutex;
extern struct nova_child *novart_child_first;

/* server.c: creates the server of a CPU, if there is none. Returns 0 or an errno value. */
int novart_child_server_prepare(nova_word_t cpu);
struct child_server *novart_child_server_of(nova_word_t cpu);
/* Makes the server thread of a CPU look for children that have ended. */
void novart_child_server_wake(nova_word_t cpu);
/* Asks the runner of a CPU to make the handler continue. Returns at once; the server thread calls
 * novart_child_flushed() later. */
void novart_child_server_flush(nova_word_t cpu);
/* Handles a child's report that a grandchild has ended. Notifies the programs that wait for ends of
 * grandchildren, now or, together with further reports, a moment later. */
void novart_child_server_tell(struct child_server *server);
/* Prepares a new window for objects when the old one has been used. Returns 0 or an errno value. */
int novart_child_server_renew_window(struct child_server *server);

/* closing.c: revokes the portals of a child that has ended. novart_child_reclaim() follows when no
 * handler can answer a message of the child any more. */
void novart_child_close(struct nova_child *child);
/* Returns the number of closings so far: of children and of selectors. Needs no mutex. */
nova_word_t novart_child_closings(void);
/* Records that the handler of a CPU has received another message since closing number `count`.
 * Reclaims the closed children and retired selectors that no handler can name any more. */
void novart_child_flushed(nova_word_t cpu, nova_word_t count);

/* Reserves the memory that nova_child_retire() needs for selectors that the parent keeps. Returns 0
 * or ENOMEM. novart_child_retire_forget() undoes this. */
int novart_child_retire_reserve(nova_sel_t sel);
void novart_child_retire_forget(nova_sel_t sel);

/* portals.c: fills the child's initial selectors. Returns 0 or an errno value. */
int novart_child_make_portals(struct nova_child *child);

/* page.c: chooses the addresses of a child's parts. Returns 0 or E2BIG. */
int novart_child_lay_out(struct nova_child *child, const struct nova_child_config *config);
/* Creates the start page, which is freed with the child's memory. Returns 0 or an errno value. */
int novart_child_make_start_page(struct nova_child *child, const struct nova_child_config *config);

/* request.c: answers the message that a server has received. If request->text then contains a line,
 * the caller writes the line and calls this function again. */
void novart_child_serve(struct child_server *server, nova_word_t cpu);

/* event.c: answers an event of a child, or ends the child and reports the event. */
void novart_child_serve_event(struct nova_child *child, struct nova_utcb *utcb, unsigned event,
                              bool main, nova_word_t cpu);
/* Prints the report of a child's fault, with names from the child's file. */
void novart_child_report(struct nova_child *child, struct nova_fault_report *report);

/* end.c: writes an incomplete line. */
void novart_child_write_rest(struct nova_child *child);

/* Destroys a child's PD at once. A server thread closes the child later. */
void novart_child_end(struct nova_child *child, int status);
/* Frees the resources of a child that no handler can answer, and reports its end. */
void novart_child_reclaim(struct nova_child *child);
/* Does an up on the semaphores of nova_parent_watch(), in this program and in all its ancestors. */
void novart_child_tell_end(void);
/* Frees the resources of a child that does not run. */
void novart_child_release(struct nova_child *child);

#endif
