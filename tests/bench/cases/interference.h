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
        OWN_TAKER, /* a portal of the same thread, which receives items */
        OWN_CHILD, /* a PD with an account */
        OWN_GSI,
        FAR_THREAD, /* a thread of its PD on the second CPU that is ready and never runs */
        FAR_SC,
        NEW, /* what it creates */
        NEW_SC,
        FAR = CHILD_FREE_SEL + 0x1000 /* the semaphores that fill its account */
};

extern struct attack {
        volatile unsigned times; /* of a hypercall */
        unsigned function;       /* of PCI, which the attacker controls */
        word_t config;           /* the function's configuration space */
        uint64_t soon;           /* ticks until a deadline; the attacker cannot read the HIP */
        struct thread *taker;    /* of the attacker's PD, receives its messages */
        const void *shared;      /* a page of the attacker */
        volatile word_t filled;  /* semaphores that filled the account */
} attack;

/* Lets the other CPUs run. Reports a status other than success to the case. */
void attack_must(word_t status);

/* Repeat a hypercall with longer arguments. */
thread_fn attack_call_words, attack_revoke_many, attack_revoke_tables, attack_revoke_chain;
thread_fn attack_revoke_range, attack_revoke_all;
/* Repeat a hypercall about virtual CPUs, control, devices, or an extension. */
thread_fn attack_create_vcpu, attack_create_vcpu_far, attack_ec_ctrl_far, attack_sc_ctrl;
thread_fn attack_sm_until, attack_assign_pci, attack_assign_gsi, attack_pd_limit, attack_quota;
thread_fn attack_tls, attack_names, attack_ec_receive;

#endif
