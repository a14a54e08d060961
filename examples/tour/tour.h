/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that the screens of the tour share: output, checks, and the start of servers and
 * threads. */
#ifndef TOUR_H
#define TOUR_H

#include <nova/console.h>
#include <nova/nova.h>
#include <nova/portal.h>
#include <nova/root.h>

extern struct nova_root root;
extern struct nova_console console;

#define SCREENS      8
#define TOUR_QUANTUM 10000 /* microseconds */

#define say(...) nova_printf(&console, __VA_ARGS__)

/* The screens, in their order. */
void screen_platform(void);
void screen_call(void);
void screen_delegation(void);
void screen_revoke(void);
void screen_pager(void);
void screen_child(void);
void screen_time(void);
void screen_cpus(void);

/* Waits for a key if `nova run` reports a user at the terminal. @return true if the key ends the
 * tour */
bool pause_is_end(void);

/* Prints a screen's heading. */
void title(unsigned number, const char *text);

/* Ends the tour with a message unless the status is SUCCESS. */
void must(const char *what, enum nova_status status);

/* Ends the tour with a message unless the condition is true. */
void must_be(const char *what, bool condition);

/* Prints a line with a hypercall and its status. */
void say_status(const char *what, enum nova_status status);

/* Creates the portals that end the tour with a message if the tour itself causes an exception. */
void guard_start(void);

/* A local thread of the root PD. */
struct server {
        nova_sel_t ec;
        struct nova_utcb *utcb;
};

/* Creates a local thread on a CPU, whose portals are served by the handler. */
struct server server_start(nova_word_t cpu, nova_portal_handler *handler, void *argument);

/* Creates a portal to a server at a selector. */
void server_portal(const struct server *server, nova_sel_t portal, nova_mtd_t mtd);

/* A global thread: the function that it runs, and the selectors of its EC and SC after its
 * start. */
struct thread {
        nova_thread_function *function;
        void *argument;
        nova_word_t cpu;
        unsigned prio;
        nova_sel_t event_base; /* event base; 0: a base that serves STARTUP only */
        nova_sel_t ec, sc;
};

/* Starts a global thread in the root PD. */
void thread_start(struct thread *thread);

/* Answers a STARTUP event so that the thread begins at nova_thread_entry. */
void thread_startup(struct nova_utcb *utcb);

#endif
