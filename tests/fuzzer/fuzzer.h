/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the fuzzer: suspects make random hypercalls, keepers answer their events, bystanders
 * must not notice, and a watchdog reports where each thread stands. */
#ifndef FUZZER_H
#define FUZZER_H

#include "harness.h"

#define ALL NOVA_PERM_ALL

/* ---- What suspects see ---------------------------------------------------------------------- */

#define CPUS_MAX    8
#define ARENAS      8 /* PDs with threads; the fuzzer makes them, because it must end them */
#define SLOTS       8 /* threads of a PD that have a stack */
#define SLOT        8192
#define IMAGE_BEGIN 0x400000
#define NOWHERE     0x300000 /* no suspect has memory there */
#define PRIO        60       /* the highest priority of suspects, and that of bystanders */

/* Selectors of a suspect's PD; the root PD has the same objects from `group` on. First come the
 * event portals of each CPU and those of virtual CPUs, then a zone for each kind of object. */
#define GROUP_ORDER 10
#define SHOP        0x1d /* portal that gives capabilities, at a number that no event has */
#define STILL       0x1c /* semaphore that never receives an up, at a number that no event has */
#define SEL_GUEST   0x100
#define SEL_SM      0x200
#define SEL_PT      0x220
#define SEL_EC      0x240
#define SEL_LOCAL   0x240 /* mostly local threads */
#define SEL_GLOBAL  0x250 /* mostly global threads */
#define SEL_SC      0x260
#define SEL_PD      0x280
#define SEL_VCPU    0x290
#define SEL_CHILD   0x2a0 /* PDs that suspects make; they have no threads */
#define SEL_FREE    0x2c0
#define SEL_END     0x400
#define ZONE        32
/* Number of selectors of a zone of PDs, virtual CPUs, local or global threads. */
#define HALF 16

#define SHARED_ORDER 4    /* order of the pages that all suspects may have */
#define PORT         0x80 /* an I/O port that does nothing */
/* Order of the ports that all suspects may have; they only read the first one. */
#define PORT_ORDER 3

/* Groups of an MTD that a suspect may use. Those of debug registers are missing, because QEMU 7.2
 * terminates when a guest hits a data breakpoint. */
#define MTD_ALLOWED (((nova_mtd_t)1 << 28) - 1 - NOVA_MTD_DR - NOVA_MTD_DEBUG)

#define RESULTS (NOVA_DEADLOCK + 2) /* each status, and an unknown one */

enum wrong {
        NOTHING,
        FPU_CHANGED,
        FPU_NOT_INITIAL,
        REGISTERS,
        WAIT,
        MEMORY,
        COUNTER,
        MAIL,
        SHOT,
        REVOCATION,
        FLAGS
};

/* A thread's record, at the lower end of its stack. */
struct suspect {
        uint64_t seed;
        word_t arena;
        volatile word_t calls, wrong;
        /* The content of XMM0 in place of the pattern. */
        volatile word_t found;
        word_t home;                                              /* index of its CPU */
        word_t lacks;                                             /* a capability was missing */
        volatile uint32_t results[NOVA_HYPERCALL_COUNT][RESULTS]; /* its hypercalls by status */
        volatile struct args now; /* the hypercall that it makes, or made last */
        volatile word_t inside, status;
        volatile word_t events, last_event, last_address;
        volatile word_t idle, calls_seen; /* events since its last hypercall */
};

/* Written by the fuzzer only: suspects have the image without the permission to write. */
struct plan {
        word_t arenas, shared, utcbs; /* addresses */
        unsigned cpus, cpu[CPUS_MAX];
        bool guests;
        uint64_t ticks;       /* of the TSC per millisecond */
        bool compares;        /* gdb compares the mapping database; suspects share more */
        volatile bool pauses; /* all threads but the fuzzer's own must wait */
};
extern struct plan plan;
extern char __image_end[]; /* defined by the linker script */

static inline struct suspect *suspect_at(unsigned arena, unsigned slot)
{
        return (struct suspect *)(plan.arenas + (arena * SLOTS + slot) * SLOT);
}
static inline word_t stack_of(unsigned arena, unsigned slot)
{
        return (word_t)suspect_at(arena, slot) + SLOT - 64;
}
static inline word_t utcb_of(unsigned arena, unsigned slot)
{
        return plan.utcbs + (arena * SLOTS + slot) * NOVA_PAGE_SIZE;
}

word_t random_next(uint64_t *seed);
word_t random_below(uint64_t *seed, word_t n);
/* Returns a number of a kind that often matters: small, all ones, a power of 2, a descriptor. */
word_t random_value(uint64_t *seed);
/* Returns a number like random_value(), but no address of memory that a suspect may have: the
 * image, the stacks, the shared pages, and address 0, where the PDs of guests have the shared
 * pages, too. A thread that executed their contents could do anything to the threads of its PD,
 * such as take the stack of another one. */
word_t random_place(uint64_t *seed);

/* First instructions of a suspect: of a new thread, of a thread that begins again, of a portal, of
 * a reply, and of a thread that ends. */
extern char suspect_start[], suspect_again[], suspect_portal[], suspect_reply[], suspect_end[];
/* Loads the XMM registers. suspect_fpu_state() returns the FPU_… that describes their content. */
void suspect_fpu_load(void);
enum { FPU_ZERO, FPU_PATTERN, FPU_OTHER };
unsigned suspect_fpu_state(void);
_Noreturn void suspect_main(struct suspect *s, word_t fresh);
void suspect_serve(struct suspect *s, word_t portal);

/* ---- The fuzzer's own ----------------------------------------------------------------------- */

extern nova_sel_t group;
extern uint64_t fuzz_seed; /* of the fuzzer's own choices */

/* Makes the keepers, one thread on each CPU, and the portals for the events of suspects. */
void keepers_init(void);
/* Seeds the keepers for a round. */
void keepers_begin(uint64_t seed);
/* Lets the keepers that wait because of plan.pauses continue. */
void keepers_wake(void);
/* Returns the number of events of threads since the start. keepers_exits() counts those of virtual
 * CPUs. */
word_t keepers_events(void);
word_t keepers_exits(void);
/* Fills the reply to an event of a virtual CPU. Returns the number of typed items. */
unsigned guest_reply(uint64_t *seed, unsigned event, struct nova_utcb *u);
/* Writes code of guests to the shared pages. */
void guest_code(void);

/* Makes the PDs of a round, their threads, and the objects that the threads share. */
void crowd_make(void);
/* Disturbs the crowd: ups, recalls, an interrupt, a revocation, more threads. */
void crowd_poke(void);
/* Ends some PDs of the crowd, whatever their threads are doing. */
void crowd_thin(void);
/* Ends the crowd with all that it has made. */
void crowd_end(void);
/* Returns the number of hypercalls that all suspects of the round have made. */
word_t crowd_calls(void);

void bystanders_init(void);
/* Lets the bystanders continue to their next check. */
void bystanders_poke(void);
/* Takes a page back from a thread on each CPU, and expects that nothing is written to it
 * afterwards. */
void bystanders_shoot(void);
/* Allows the bystanders to change their use of kernel memory until the next check. */
void bystanders_begin(void);
/* Fails the case if a bystander has noticed a change, or has not run since the last check. */
void bystanders_check(void);
void bystanders_end(void);

/* Does nothing: the test `fuzzer.database` stops here and reads all objects of the kernel. */
void compare_now(void);

/* Returns the bytes of kernel memory that the root PD's account uses. */
word_t memory_used(void);

void watchdog_init(void);
/* Reports to the watchdog that the fuzzer makes progress, and its present step. */
void watchdog_beat(const char *phase);

/* Adds a round to the totals and prints its line. */
void report_round(word_t round, word_t late_ms);
/* Prints the totals. */
void report_total(void);
word_t report_calls(void);
word_t report_good(void);
/* Prints the registers of a suspect that found a wrong value in them. */
void report_found(unsigned arena, unsigned slot);
/* Prints where each suspect stands. */
void report_threads(void);

#endif
