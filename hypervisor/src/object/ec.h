/* SPDX-License-Identifier: BSD-2-Clause */
/* Execution contexts: threads and virtual CPUs. @spec 2.2
 *
 * An EC's execution state belongs to its CPU. A thread that leaves the CPU keeps nothing but the
 * fields here: its registers and the continuation, which says how it goes on. */
#ifndef OBJECT_EC_H
#define OBJECT_EC_H

#include "arch/x86/fpu.h"
#include "arch/x86/regs.h"
#include "lib/heap.h"
#include "lib/list.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/status.h"
#include "nova/abi/utcb.h"
#include "object/continuation.h"
#include "object/object.h"
#include "sched/mail.h"
#include "space/mapping.h"

struct cpu;
struct ec;
struct pd;
struct pt;
struct sc;
struct sm;
struct vcpu;

enum ec_kind { EC_LOCAL, EC_GLOBAL, EC_VCPU, EC_IDLE };

/* What makes an EC a virtual CPU. Fixed once virt/ has started. */
struct ec_guest_ops {
        word_t (*bytes)(void);           /* size of the memory of one, for the account */
        struct vcpu *(*alloc)(void);     /* NULL: out of memory */
        void (*init)(struct ec *ec);     /* the guest page table of its PD exists */
        void (*free)(struct vcpu *vcpu); /* … what alloc() returned */
        void (*stop)(struct ec *ec);     /* on its own CPU: it will not enter the guest again */
};

extern const struct ec_guest_ops *ec_guest_ops;

enum ec_state {
        EC_REQUEST,     /* waits for a call or an event */
        EC_READY,       /* has something to run: its continuation */
        EC_REPLY,       /* called, donated its SC, waits for callee */
        EC_REPLY_ALONE, /* called without donation, waits for callee */
        EC_BLOCKED,     /* waits for a semaphore, or for ever */
        EC_DEAD,        /* shut down, or ended */
};

/* What a reply answers. */
enum caller_kind {
        CALLER_NONE,  /* no caller */
        CALLER_CALL,  /* a call that donated the caller's SC */
        CALLER_ALONE, /* one that did not */
        CALLER_EVENT,
};

/* Bits of ec.pending: work before its next return to user mode. Only RECALL is set by others. None
 * of them is a bit of a status (RESULT_STATUS) or of cpu.special. */
#define EC_PENDING_RECALL 0x1000
#define EC_PENDING_STEP   0x2000 /* single step over SYSENTER: #DB after the hypercall */
#define EC_PENDING_END    0x4000 /* its call was answered: what was dropped meanwhile ends */

/* A message transfer in steps, of an EC that sends typed items. */
struct transfer {
        struct ec *to;
        unsigned item, items; /* next one, number */
        bool under_way;       /* an item's delegation was begun */
        bool aborted;         /* the partner ended */
        bool is_answer;       /* to an event */
        uint32_t left;        /* as delegation.left, when the present item began */
        struct delegation delegation;
};

#define EC_REAPS_NOTHING UINT32_MAX

/* In ec.place: SYSRET or SYSEXIT cannot go to an entry of one of its portals. */
#define ODD_PORTAL 0x80

_Static_assert(NOVA_CPU_MAX <= ODD_PORTAL, "it is no bit of a CPU's number");

/* Fields that are used together share cache lines, the first three kinds one each. */
struct ec {
        struct kobject object;
        struct mail mail;             /* work for its CPU */
        struct list pd_link;          /* pd.ecs, under pd.lock */
        struct mapping *utcb_mapping; /* the user's */

        /* Calls. The first three are read together, see ec_attention(); so are the first six, see
         * ec_call_attention(). */
        uint16_t pending __attribute__((aligned(64))); /* EC_PENDING_…, atomic */
        uint8_t special;                           /* SPECIAL_…: what has to be switched for it */
        uint8_t place;                             /* cpu->number, perhaps with ODD_PORTAL */
        uint8_t state __attribute__((aligned(4))); /* enum ec_state; see ec_set_state() */
        uint8_t caller_kind;                       /* enum caller_kind */
        uint8_t no_state[2];                       /* 0 */
        uint8_t kind;                              /* enum ec_kind */
        uint8_t wait_status;                       /* what a down returns when it wakes */
        uint8_t sleepers_top; /* two or more sleepers: none has a higher priority */
        bool cut_searches; /* it has ended: an SC that came through it may be below, for cut_to */
        struct pd *pd;     /* holds a reference; NULL: the idle thread */
        struct cpu *cpu;
        word_t stack_top;       /* of the CPU's kernel stack, for the entry code */
        struct nova_utcb *utcb; /* NULL: a virtual CPU */
        struct ec *caller;      /* the reply register, see ec_caller() */
        struct ec *callee;      /* see ec_callee() */

        /* Waiting and waking. */
        continuation_t cont;
        struct sm *wait_sm;
        union {
                struct list wait_link; /* sm.waiters, under sm.lock */
                struct ec *cut_to;     /* it has ended: who called it */
        };
        struct list sleepers;     /* SCs that wait with this EC */
        struct heap_node timeout; /* cpu->timeouts; key 0: waits without a deadline */

        /* Events. */
        struct vcpu *vcpu; /* NULL: a thread */
        word_t event_base;
        word_t event_number; /* what block_on_event is about, for its retry */
        word_t event_qual[2];

        struct ec *helping;  /* busy callee whose chain runs on this EC's SC; it is ready itself */
        struct list helpers; /* those whose helping is this EC */
        union {
                struct list help_link; /* helping->helpers; cpu->stranded when that has ended */
                struct {
                        struct ec *cut_next; /* cpu->cut, when it has ended */
                        struct ec *cut_at;   /* … how far the chain was gone through */
                };
        };
        struct sc *donated; /* SC bound to this EC that is its callers' */
        /* SCs that were created for this EC and have no capability any more. They hold no reference
         * to it: it ends them before it ends itself. */
        struct kobject *sc_due;   /* … to end when the call is answered that this EC waits for */
        struct kobject *sc_stays; /* … to end with this EC */
        bool ends_later;          /* nothing refers to it, and it ends when its call is answered */
        bool fpu_used;
        bool ending;               /* ec_end is at work; it lets mail in while it waits */
        bool named_by_root;        /* its end is worth a message */
        uint32_t items_at_once;    /* items of a message that need no look at the limit: 1 or 0 */
        word_t tls;                /* the base */
        char name[NOVA_NAME_SIZE]; /* for debugging; under no lock */
        struct transfer
                transfer; /* create_pd: its delegation is that of the initial capabilities */
        struct revocation revocation;
        struct pd *created;     /* … to this one, not yet published, referenced */
        struct pt *calling;     /* call: portal during the transfer of items, referenced */
        unsigned reap_floor;    /* revoke, …: objects that were dying before; others reap them */
        uint8_t created_perms;  /* those of the capability for created */
        uint8_t grace_tries;    /* so often a hypercall that lacks memory is still made again */
        bool grace_waits;       /* memory lacked, and self waits for the end of … */
        uint32_t grace_end;     /* … this grace period (see reclaim_help()) */
        uint32_t receive_limit; /* bytes that a message may cost its PD, and 1; 0: no limit */
        word_t virtual_8086_room[VIRTUAL_8086_WORDS]; /* see odd_flags in entry.S */
        struct regs regs __attribute__((aligned(16)));
        /* Saved state; valid if fpu_used and not in the registers. It is fpu_size() bytes long. */
        uint8_t fpu[FPU_SIZE_MIN] __attribute__((aligned(FPU_ALIGN)));
};

_Static_assert(offsetof(struct ec, virtual_8086_room) + VIRTUAL_8086_WORDS * sizeof(word_t) <=
                       offsetof(struct ec, regs),
               "the room lies below the registers");
_Static_assert(sizeof(struct regs) % 16 == 0 || sizeof(word_t) == 4,
               "the CPU aligns the stack that it pushes on");

/** Returns pending, special, place, state and the kind of the caller of an EC (see
 * cpu_call_attention()). */
static always_inline uint64_t ec_call_attention(const struct ec *ec)
{
        uint64_t attention;

        __builtin_memcpy(&attention, &ec->pending, sizeof(attention));
        return attention;
}

/** Returns the first three of these, for a CPU that may go on with the EC (see cpu_attention()). */
static always_inline uint32_t ec_attention(const struct ec *ec)
{
        return (uint32_t)ec_call_attention(ec);
}

_Static_assert(offsetof(struct ec, place) == offsetof(struct ec, pending) + 3 &&
                       offsetof(struct ec, state) == offsetof(struct ec, pending) + 4 &&
                       EC_REQUEST == 0 && CALLER_NONE == 0,
               "they are read together");

/** Sets both by one store. */
static always_inline void ec_set_state(struct ec *ec, enum ec_state state, enum caller_kind kind)
{
        const uint8_t both[4] = {(uint8_t)state, (uint8_t)kind};

        __builtin_memcpy(&ec->state, both, sizeof(both));
}

_Static_assert(offsetof(struct ec, caller_kind) == offsetof(struct ec, state) + 1,
               "ec_set_state writes them together");

/** Returns the EC that waits for the reply of an EC; NULL: none. A reply leaves the field as it is.
 */
static inline struct ec *ec_caller(const struct ec *ec)
{
        return ec->caller_kind != CALLER_NONE ? ec->caller : NULL;
}

/** Whether an EC waits for a reply. */
static always_inline bool ec_waits_for_reply(const struct ec *ec)
{
        return ec->state == EC_REPLY || ec->state == EC_REPLY_ALONE;
}

/** Returns the EC whose reply an EC waits for; NULL: none. A reply leaves the field as it is. */
static inline struct ec *ec_callee(const struct ec *ec)
{
        return ec_waits_for_reply(ec) ? ec->callee : NULL;
}

/** No caller waits for an EC's reply any more. */
static inline void ec_forget_caller(struct ec *ec)
{
        ec->caller = NULL;
        ec->caller_kind = CALLER_NONE;
}

/** Prepares the cache. Once, at boot. */
void ec_boot(void);

/** Bytes that an EC takes. */
word_t ec_bytes(enum ec_kind kind);

/* What create_ec says. */
struct ec_config {
        struct pd *pd;
        struct account *account;
        enum ec_kind kind;
        struct cpu *cpu;
        word_t utcb_page; /* page number; nothing of it for a virtual CPU */
        word_t sp;
        word_t event_base;
        continuation_t start; /* of a thread that has or gets an SC */
};

/** A thread, not running yet. BAD_PAR: the UTCB's page is taken; BAD_CAP: the PD is ending;
 *  OUT_OF_MEMORY. */
enum nova_status ec_create(const struct ec_config *config, struct ec **out);

/** The idle thread of a CPU; cannot end. */
struct ec *ec_create_idle(struct cpu *cpu, continuation_t cont);

/** self lends its SC to the chain of a busy callee, and stops doing so. */
void ec_help(struct ec *self, struct ec *callee);
void ec_stop_helping(struct ec *self);

/** An SC that is bound to ec goes back to the caller, or to its owner if there is none. */
void ec_return_sc(struct ec *ec, struct ec *caller);

/** Does a step of what the ends of ECs have left to this CPU's next decision, of which there is
 *  something. */
void ec_cut_step(struct cpu *cpu);

/** Shuts an EC down: it never runs again; its callers get COM_ABT, or are shut down with it. On its
 *  own CPU. */
void ec_shut_down(struct ec *ec);

/** Leaves an SC without capabilities to its owner. On their own CPU. */
void ec_leave_sc(struct ec *ec, struct sc *sc);

/** Ends a step of the SCs that were left to an EC; true: that was all. On its own CPU. */
bool ec_end_scs(struct ec *ec);

/** self goes on after a call: ends what was dropped while it waited. Returns if self and the SC on
 *  which it runs have not ended; may be preempted, and goes on with cont then. */
void ec_end_due(struct ec *self, continuation_t cont);

/** Ends an EC: shut down, its SCs without capabilities ended, and its UTCB's address is free. On
 * its own CPU. false: that was a step of it, more follow. The EC that ends it then does the steps
 * of ec_finish_step() then. */
bool ec_end(struct ec *ec);

/** The same on any CPU. No lock is held. */
bool ec_end_anywhere(struct ec *ec);

enum drop_result { DROP_ENDED, DROP_AGAIN, DROP_LATER };

/** Neither a capability, a portal nor an SC with a capability refers to an EC any more: ends it, a
 *  step of that (AGAIN), or later, when its call is answered. On its own CPU. */
enum drop_result ec_drop(struct ec *ec);

/** The same on any CPU. No lock is held. */
enum drop_result ec_drop_anywhere(struct ec *ec);

/** Whether an ended EC has left the mapping database in the middle of a revocation or delegation.
 */
static inline bool ec_has_left_work(const struct ec *ec)
{
        return revocation_is_open(&ec->revocation) || delegation_is_open(&ec->transfer.delegation);
}

/** Does a step of what an ended EC has left; whether nothing is left. The caller holds a
 *  reference, or the EC has none and is in this CPU's dying list. */
bool ec_finish_step(struct ec *ec);

/** Frees an ended or never published EC. */
void ec_free(struct ec *ec);

#endif
