/* SPDX-License-Identifier: BSD-2-Clause */
/* The attacks of bench-interference: the attacker's selectors, and the state that all its attacks
 * share. */
#ifndef BENCH_INTERFERENCE_H
#define BENCH_INTERFERENCE_H

#include "bench.h"

#define ALL          NOVA_PERM_ALL
#define WINDOW       0x70000 /* pages of the root PD that the attacker may map */
#define WINDOW_ORDER 9

/* Selectors of the attacker. */
enum {
        OWN_PD = CHILD_FREE_SEL, /* its own PD */
        OWN_PORTAL,              /* a portal of its own, which replies at once */
        OWN_THREAD,              /* that portal's thread */
        OWN_SM,
        OWN_TAKER, /* a portal of OWN_THREAD, which receives items */
        OWN_CHILD, /* a PD with an account */
        OWN_GSI,
        FAR_THREAD, /* a thread of its PD on the second CPU; it is ready but never runs */
        FAR_SC,
        FAR_PORTAL, /* a portal whose thread is on the second CPU */
        NEW,        /* the object that the attacker creates */
        NEW_SC,
        /* semaphore for which the last thread of a chain of calls, or a thread with many SCs,
         * waits */
        OWN_END,
        /* For each message whose cost is counted, the attacker has a capability for the PD that
         * receives the message. Its only permission is to create portals, which no attack does. */
        ROOT_ACCOUNT,
        RECEIVER_ACCOUNT,
        RECEIVER_MEM, /* portals of the receiver, whose windows are open for everything */
        RECEIVER_OBJ,
        RECEIVER_IO,
        RECEIVER_LIMITED, /* as RECEIVER_MEM, but a message may cost at most LIMIT bytes */
        OWN_SELECTORS,    /* first selector after the ones above */
        /* first of the objects that an attack creates in large numbers */
        FAR = CHILD_FREE_SEL + 0x1000
};

/* Order of a window for all pages of a PD. */
#if __SIZEOF_POINTER__ == 8
#define SPACE_ORDER 31
#else
#define SPACE_ORDER 20
#endif

#define LIMIT       0x30000
#define PORTS       0x8000 /* first of the ports that the attacker has */
#define PORTS_ORDER 15

extern struct attack {
        volatile unsigned times;  /* number of repetitions of the hypercall */
        unsigned function;        /* number of the PCI function that the attacker controls */
        word_t config;            /* the function's configuration space */
        uint64_t soon;            /* ticks until a deadline; the attacker cannot read the HIP */
        struct thread *taker;     /* in the attacker's PD; receives the attacker's messages */
        const void *shared;       /* a page of the attacker */
        volatile word_t filled;   /* semaphores that filled the account */
        volatile word_t links;    /* threads of the longest chain of calls */
        volatile word_t helpers;  /* most threads that wait for one thread */
        volatile word_t contexts; /* most SCs of one thread */
        volatile word_t depth;    /* longest chain of delegations */
} attack;

/* Index of a value of the attacker's thread: most bytes that one message took from the receiver's
 * account. */
#define VALUE_RECEIVED 3

/* Returns the bytes used in the account of a PD. The attacker has a capability for this PD. */
word_t attack_used(nova_sel_t pd);
/* Records how many bytes a message took from a PD's account; before: bytes used before the
 * message. */
void attack_note_received(struct thread *t, nova_sel_t pd, word_t before);
/* Writes a typed item into the attacker's message. */
void attack_put_item(struct thread *t, unsigned i, nova_crd_t crd, word_t flags, nova_sel_t hot);
/* Prints a figure of an attack. what: name of the figure; key: name of the attack. */
void attack_tell(const char *what, const char *key, word_t number);
/* Lets the other CPUs run. Reports a status other than success to the case. */
void attack_must(word_t status);
/* Lets the other CPUs run. Reports to the case a status other than the wanted one. */
static inline void attack_expect(word_t status, word_t wanted)
{
        attack_must(status == wanted ? NOVA_SUCCESS : NOVA_BAD_PAR);
}

/* Repeat a call with all words of a message, or a revocation of many capabilities or of a large
 * range. */
thread_fn attack_call_words, attack_revoke_many, attack_revoke_tables, attack_revoke_chain;
thread_fn attack_revoke_range, attack_revoke_all;
/* Repeat a hypercall that creates a virtual CPU, controls an object, assigns a device or its
 * interrupt, uses an extension, or calls a thread on another CPU. */
thread_fn attack_create_vcpu, attack_create_vcpu_far, attack_ec_ctrl_far, attack_sc_ctrl;
thread_fn attack_sm_until, attack_assign_pci, attack_assign_gsi, attack_pd_limit, attack_quota;
thread_fn attack_tls, attack_names, attack_ec_receive, attack_call_far;
/* Repeat a message that charges the receiver's account. */
thread_fn attack_receive_objects, attack_receive_pages, attack_receive_ranges;
thread_fn attack_receive_limited, attack_receive_undone, attack_translate, attack_translate_page,
        attack_ports, attack_port_range, attack_port_pieces;
/* Build structures that only the attacker's account limits: chains of calls, helpers, SCs. */
thread_fn attack_thread_exit, attack_chain, attack_helpers, attack_contexts, attack_contexts_far;

/* Measures how long a more urgent thread of the root PD waits for a server to which the attacker
 * sends messages. portals: the root's selectors, indexed by those of the attacker. */
void server_waits(struct thread *attacker, const nova_sel_t *portals);

#endif
