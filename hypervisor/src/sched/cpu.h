/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of one CPU: the current EC, SC and PD, the run queue, the mailbox, the deadlines, and
 * the part that depends on the architecture. */
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

/* Work before the next return to user mode. Bits of cpu.pending. */
#define CPU_PENDING_RESCHEDULE 0x1
#define CPU_PENDING_HAND_OVER  0x2 /* to run_queue.first, the only SC of a higher priority */
#define CPU_PENDING_GRACE      0x4 /* the CPU must still report that it is quiescent */

/* State that few threads have. A switch handles it for those threads only. Bits of cpu.special and
 * ec.special. */
#define SPECIAL_FPU  0x1 /* CPU: CR0.TS is clear. EC: its state is in the FPU registers */
#define SPECIAL_TLS  0x2 /* a base of thread-local storage */
#define SPECIAL_VCPU 0x4 /* CPU: XCR0 may be a guest's. EC: is a virtual CPU */
#define SPECIAL_LENT 0x8 /* CPU: current_sc is bound, perhaps to an EC that does not run */

#define CPU_TIMER_OFF UINT64_MAX

/* Ended objects and frames that wait for a grace period (reclaim.h). */
struct cpu_batch {
        struct kobject *objects;
        uint32_t frame;  /* index of the first frame */
        uint32_t frames; /* number of frames */
        uint32_t count;  /* number of entries, while the batch fills */
};

struct cpu {
        /* Selector of the flat data segment; fixed after the start. A switch of PDs loads it from
         * memory. It is the first field, so it has the address of struct cpu. */
        uint16_t user_data;
        /* A switch compares the first four fields in one word, a call all of them. */
        union {
                struct {
                        uint8_t pending;      /* CPU_PENDING_… */
                        uint8_t special;      /* SPECIAL_…: state that is loaded */
                        uint8_t no_attention; /* 0 */
                        uint8_t number;       /* id in one byte; fixed after the start */
                        uint32_t no_state;    /* 0 */
                };
                uint32_t attention;      /* read by cpu_attention() */
                uint64_t call_attention; /* read by cpu_call_attention() */
        };
        /* Written and read by this CPU only. */
        struct ec *current;    /* EC in which an entry saves the registers */
        struct sc *current_sc; /* SC that is charged for the time */
        struct pd *current_pd; /* PD of the loaded tables; NULL: the kernel's; other CPUs read it */
        struct cpu_arch arch;
        /* Fields that a decision reads and a plain switch (arch/x86/switch.h) does not: one cache
         * line, up to run_queue.first. */
        struct ec *idle_ec __attribute__((aligned(64)));
        struct sc *idle_sc;
        struct kobject *dying; /* the dying list: objects without references */
        uint64_t slice_start;  /* TSC when current_sc was dispatched; other CPUs read it */
        uint64_t timer_end; /* TSC at which the timer fires at the latest; CPU_TIMER_OFF: never */
        uint32_t charges;   /* odd while current_sc's time and slice_start change; other CPUs
                             * read it */
        bool timer_repeats; /* the timer fires again after timer_end (see svm.c) */
        bool no_quiescence; /* the code that opened the interrupt window holds borrowed pointers */
        bool in_mail;       /* mail_receive is running */
        bool current_ended; /* current or current_sc has ended: no quiescence until the switch */
        uint32_t walk;      /* number of chain_end()'s last walk; an increment ends this walk */
        bool behind;        /* woken, cut or stranded may have entries, for the next decision */
        bool mail_waits;    /* a decision is processing cut or stranded: receive no mail */
        bool mail_came;     /* an interrupt for mail arrived while mail_waits was set */
        struct run_queue run_queue;
        struct list woken;       /* ready SCs that slept with one EC; not in the queue yet */
        struct list stranded;    /* ECs that help an EC that has ended */
        struct ec *cut;          /* ended ECs whose chains have not been followed to the end yet */
        struct mail *mail_rest;  /* mails taken from mail, not processed yet */
        uint8_t woken_top;       /* upper limit of the priorities in woken */
        struct heap timeouts;    /* deadlines of waiting ECs */
        unsigned dying_count;    /* number of objects in dying */
        bool dying_orphans;      /* an EC ended before it had reaped its objects in dying */
        uint32_t frame_refusals; /* value of frame_refusals that this CPU's threads have seen */

        unsigned id; /* CPU number of the interface; fixed after the start */

        /* Written by other CPUs too, atomically. */
        struct mail *mail;     /* stack of mails, newest first */
        uint32_t flush_wanted; /* number of TLB flushes requested */
        bool flush_all;        /* some of these flushes concern PDs other than the loaded one */
        uint32_t flush_done;   /* number of requested flushes done; written by this CPU only */
        uint32_t flush_round;  /* odd from the beginning of this CPU's flush until all CPUs have its
                                * requests; written by this CPU only */
        uint32_t grace_seen;   /* last grace period in which this CPU was quiescent; written by this
                                * CPU only */

        /* Protected by the lock of the grace period. This CPU reads filling.count without it. */
        struct cpu_batch filling; /* entries that this CPU has added */
        struct cpu_batch waiting; /* entries of the period. While this CPU frees them, no other CPU
                                   * reads them */
};

_Static_assert(sizeof(struct cpu) <= CPU_VIRT, "struct cpu ends before struct cpu_virt");

/** Returns the value that ec_call_attention() returns for an EC of this CPU that waits for a call,
 * if neither the CPU nor the EC needs attention. */
static always_inline uint64_t cpu_call_attention(const struct cpu *cpu)
{
        return cpu->call_attention;
}

/** Returns pending, special and number of a CPU. ec_attention() returns this value for an EC of
 * this CPU if neither the CPU nor the EC needs attention. In this case, a switch to the EC only has
 * to switch the registers and the address space. Otherwise the values differ, because CPU and EC
 * share no bit of pending or special. */
static always_inline uint32_t cpu_attention(const struct cpu *cpu)
{
        return cpu->attention;
}

/** Returns true if the ends of some ECs have consequences that are not processed yet. Then a
 * decision is due, and the CPU is not quiescent before that decision. */
static inline bool cpu_has_cuts(const struct cpu *cpu)
{
        return cpu->cut || !list_is_empty(&cpu->stranded);
}

/** Returns true if this CPU holds pointers that a quiescent moment would make invalid. */
static inline bool cpu_holds_pointers(const struct cpu *cpu)
{
        return cpu->no_quiescence || cpu->current_ended || cpu_has_cuts(cpu);
}

#endif
