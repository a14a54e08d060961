/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel, and the parts of the runtime that init needs to start programs and to answer their
 * requests, on the host. Ends the test if init uses a selector, a page or a capability that it does
 * not have, loses one, or releases one twice. */
#ifndef FUZZ_PARENT_H
#define FUZZ_PARENT_H

#include "child/child.h"
#include "init/init.h"
#include "require.h"

#define PARENT_CPUS 2
#define PARENT_BUS  UINT64_C(0xe0000000)   /* physical address of the configuration space */
#define PARENT_RAM  UINT64_C(0x10000000)   /* first address after the RAM */
#define PARENT_VIEW ((nova_word_t)1 << 56) /* physical memory is mapped here */

/* Kinds of capabilities of init. */
enum object { NOTHING, DOMAIN, THREAD, SCHEDULE, PORTAL, SEMAPHORE, INTERRUPT, IDLE };

/* Resources that the kernel or the runtime refuses. */
#define REFUSE_SELECTORS 0x1
#define REFUSE_MEMORY    0x2 /* kernel memory */
#define REFUSE_PAGES     0x4
#define REFUSE_HEAP      0x8
extern unsigned parent_refuses;

/* Counters, which are never reset. */
extern struct parent_counts {
        unsigned lines, powers, ups, destroyed;
} parent_counts;

/* Forgets all selectors, pages and capabilities, and creates init's servers. */
void parent_begin(void);

/* Ends the test unless init has kept nothing but these numbers of selectors and pages. */
void parent_end(unsigned selectors, unsigned pages);

/* parent_kernel.c: forgets all selectors and objects; gives a free selector an object. */
void parent_begin_kernel(void);
void parent_set(nova_sel_t sel, enum object object);

/* parent_runtime.c: records that only init has these pages mapped. */
nova_word_t parent_revoke_pages(nova_crd_t crd);

/* parent_runtime.c: ends the test if an answer that its handler may still send names one of the
 * selectors. parent_sent() notes that the handler of a CPU has sent its answer. */
void parent_check_unnamed(nova_sel_t sel, unsigned order);
void parent_sent(nova_word_t cpu);

/* parent_kernel.c: notes a part of a device in an answer. parent_given() returns part number `i` of
 * those that init has not revoked since. */
void parent_give(nova_crd_t crd);
bool parent_given(unsigned i, nova_crd_t *crd);

/* Lets init's server of a CPU answer the message in its UTCB, and removes the children that have
 * ended. */
void parent_serve(nova_word_t cpu);
void parent_reclaim(void);

/* Delegates capabilities to the window, as a message of the child whose selectors begin at `child`
 * does. */
void parent_receive(const struct child_server *server, nova_sel_t child, nova_sel_t at,
                    unsigned order, enum object object);

/* Ends the objects that a child has delegated. */
void parent_destroy_objects(nova_sel_t child);

enum object parent_object(nova_sel_t sel);
bool parent_window_is_empty(const struct child_server *server);
unsigned parent_interrupt(nova_sel_t sel);
bool parent_has_port(unsigned port);
nova_sel_t parent_turn(void);
/* Returns true if a page of init was allocated while init started the program. */
bool parent_page_is_of(nova_word_t page, const struct nova_system_program *program);
/* Returns true if a page is part of the file of all programs. */
bool parent_page_is_file(nova_word_t page);
/* The content of the module disk.img. */
extern const char parent_disk[2 * NOVA_PAGE_SIZE];

void parent_pass_time(uint64_t ns);

/* Checks a line of text on init's console. */
void parent_check_line(const char *text, size_t bytes);

/* parent_init.c: forgets what init has kept for later requests. Returns the number of selectors,
 * and the number of pages in quarantine. */
unsigned parent_forget_init(unsigned *pages);

/* Runs steps of the input. parent_runtime.c calls this function when init waits for the end of a
 * child. */
void parent_wait(void);
/* Lets the server of each CPU answer the message that its handler holds. */
void parent_answer(void);

#endif
