/* SPDX-License-Identifier: BSD-2-Clause */
/* What a CPU has of its own: what runs on it, its run queue, mailbox and deadlines, and the part of
 * the architecture. */
#ifndef SCHED_CPU_H
#define SCHED_CPU_H

#include "arch/x86/cpu.h"
#include "lib/heap.h"
#include "lib/list.h"
#include "sched/run_queue.h"

struct kobject;
struct mail;
struct pd;
struct sc;
struct vcpu;

/* Work before the next return to user mode. Bits of cpu.pending. */
#define CPU_PENDING_RESCHEDULE 0x1
#define CPU_PENDING_HAND_OVER  0x2 /* … to run_queue.first; no other SC is above current_sc */
#define CPU_PENDING_GRACE      0x4 /* a grace period could not be answered when it was asked */

/* State that few threads have, and that is switched for those only. Bits of cpu.special,
 * ec.special. */
#define SPECIAL_FPU  0x1 /* CPU: CR0.TS is clear. EC: its state is in the FPU registers */
#define SPECIAL_TLS  0x2 /* a storage base */
#define SPECIAL_VCPU 0x4 /* CPU: XCR0 may be a guest's. EC: is a virtual CPU */
#define SPECIAL_LENT 0x8 /* CPU: current_sc is bound, maybe to who does not run */

#define CPU_TIMER_OFF UINT64_MAX

struct cpu {
        uint16_t user_data; /* selector of the flat data segment; fixed after the start */
        /* Read together, see cpu_attention() and cpu_call_attention(). */
        uint8_t pending __attribute__((aligned(8))); /* CPU_PENDING_… */
        uint8_t special;                             /* SPECIAL_…: what of current is loaded */
        uint8_t no_attention;                        /* 0 */
        uint8_t number;    /* CPU number of the interface; fixed after the start */
        uint32_t no_state; /* 0 */
        /* Written and read by this CPU only. */
        struct ec *current;    /* whose registers an entry saves */
        struct sc *current_sc; /* whose time runs */
        struct pd *current_pd; /* whose tables are loaded; NULL: the kernel's; read by all */
        struct cpu_arch arch;
        /* What a decision looks at beyond that: one cache line, up to run_queue.first. */
        struct ec *idle_ec __attribute__((aligned(64)));
        struct sc *idle_sc;
        struct kobject *dying; /* objects without references, not ended yet */
        uint64_t slice_start;  /* TSC when the current SC was dispatched; read by all */
        uint64_t timer_end; /* the timer fires at this TSC or before; CPU_TIMER_OFF: not at all */
        uint32_t charges;   /* odd while current_sc's time and slice_start change; read by all */
        bool timer_repeats; /* the timer fires again after timer_end (see svm.c) */
        bool no_quiescence; /* the code that opened the interrupt window holds pointers */
        bool in_mail;       /* mail_receive is at work */
        bool current_ended; /* current or current_sc has ended: no quiescence until they go */
        bool behind;        /* woken, cut or stranded may be not empty: for the next decision */
        bool mail_waits;    /* a decision goes through what is cut or stranded: no mail meanwhile */
        bool mail_came;     /* … but an interrupt for it */
        struct run_queue run_queue;
        struct list woken;    /* SCs that slept with an EC together; ready, not in the queue yet */
        struct list stranded; /* ECs that help one that has ended */
        struct ec *cut;       /* ECs that have ended, and more waits for the end of their chain */
        struct mail *mail_rest;  /* taken from mail, not done yet */
        uint8_t woken_top;       /* no SC in woken has a higher priority */
        struct heap timeouts;    /* deadlines of waiting ECs */
        struct ec *debug_owner;  /* virtual CPU whose DR0 to DR3 are in the registers */
        struct vcpu *vmcs_owner; /* VMX: whose control structure is loaded */
        struct ec *msr_owner;    /* VMX: virtual CPU whose MSRs of SYSCALL are loaded */
        uint64_t xcr0;           /* what XCR0 says; 0: no XSAVE */
        uint32_t tsc_aux;        /* what TSC_AUX says; 0 while a thread runs */
        uint32_t tag_next;       /* next free tag of guests' translations (ASID, VPID) */
        uint32_t tag_end;        /* … end of them */
        uint64_t tag_round;      /* tags of other rounds are void */
        bool tag_flush;          /* a round began, and its flush has not happened yet */
        unsigned dying_count;    /* number of objects in dying */
        bool dying_orphans;      /* … and who was to end some of them has ended */
        uint32_t frame_refusals; /* value of frame_refusals that this CPU's threads have seen */

        /* Fixed after the start. */
        unsigned id;       /* CPU number of the interface */
        word_t host_state; /* SVM: physical address of the block that holds the kernel's state */

        /* Written by other CPUs too, atomically. */
        struct mail *mail;     /* stack of mails, newest first */
        uint32_t flush_wanted; /* TLB flushes asked for */
        bool flush_all;        /* … and not of the loaded PD only */
        uint32_t flush_done;   /* … of which that many were done; written by this CPU only */
        uint32_t grace_seen;   /* last grace period that this CPU was quiescent in; its own */
};

_Static_assert(sizeof(struct cpu) <= CPU_EMERGENCY, "struct cpu fits into its page");

/** Returns the same as ec_call_attention() for an EC of this CPU that waits for a call, if neither
 * needs attention. */
static always_inline uint64_t cpu_call_attention(const struct cpu *cpu)
{
        uint64_t attention;

        __builtin_memcpy(&attention, &cpu->pending, sizeof(attention));
        return attention;
}

/** Returns pending, special and number of a CPU: what ec_attention() returns for an EC of this CPU
 * if neither needs attention, so that to run the EC takes no more than its registers and its
 * address space. No bit of pending and special is one of an EC's, so that the two differ otherwise.
 */
static always_inline uint32_t cpu_attention(const struct cpu *cpu)
{
        return (uint32_t)cpu_call_attention(cpu);
}

_Static_assert(offsetof(struct cpu, number) == offsetof(struct cpu, pending) + 3 &&
                       offsetof(struct cpu, no_state) == offsetof(struct cpu, pending) + 4,
               "they are read together");

/** Whether ends of ECs are not dealt with yet. A decision is due then, and no moment before it is
 *  quiescent. */
static inline bool cpu_has_cuts(const struct cpu *cpu)
{
        return cpu->cut || !list_is_empty(&cpu->stranded);
}

/** Whether this CPU holds pointers that a quiescent moment would make void. */
static inline bool cpu_holds_pointers(const struct cpu *cpu)
{
        return cpu->no_quiescence || cpu->current_ended || cpu_has_cuts(cpu);
}

#endif
