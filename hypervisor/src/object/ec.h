/* SPDX-License-Identifier: BSD-2-Clause */
/* Execution contexts: threads and virtual CPUs. @spec 2.2
 *
 * An EC's CPU owns its execution state. While a thread is not running, its whole state is in these
 * fields, which include its registers and its continuation. */
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

/* Operations of a virtual CPU. Fixed once virt/ has started. */
struct ec_guest_ops {
        word_t (*bytes)(void);       /* memory of a virtual CPU, for the account */
        struct vcpu *(*alloc)(void); /* returns NULL if out of memory */
        /* Requires the guest page table of the EC's PD. */
        void (*init)(struct ec *ec, bool counts_stolen_time);
        void (*free)(struct vcpu *vcpu); /* frees the memory that alloc() returned */
        void (*stop)(struct ec *ec);     /* on ec's CPU; ec will not enter the guest again */
};

extern const struct ec_guest_ops *ec_guest_ops;

enum ec_state {
        EC_REQUEST,     /* waits for a call or an event */
        EC_READY,       /* can run its continuation */
        EC_REPLY,       /* has called, donated its SC and waits for callee */
        EC_REPLY_ALONE, /* has called without donation and waits for callee */
        EC_BLOCKED,     /* waits for a semaphore, or for ever */
        EC_DEAD,        /* shut down, or ended */
};

/* The message that a reply answers. */
enum caller_kind {
        CALLER_NONE,  /* no caller */
        CALLER_CALL,  /* a call that donated the caller's SC */
        CALLER_ALONE, /* a call without donation */
        CALLER_EVENT,
};

/* Bits of ec.pending: work before the EC's next return to user mode. Other CPUs set only RECALL.
 * No bit is also a bit of a status (RESULT_STATUS) or of cpu.special. */
#define EC_PENDING_RECALL 0x1000
#define EC_PENDING_STEP   0x2000 /* single step over SYSENTER: #DB after the hypercall */
#define EC_PENDING_END    0x4000 /* after the reply: end the objects dropped before it */

/* A message transfer in steps, in the EC that sends the typed items. */
struct transfer {
        struct ec *to;
        unsigned item, items; /* index of the present item, number of items */
        bool under_way;       /* the present item's delegation has begun */
        bool aborted;         /* the partner has ended */
        bool is_answer;       /* the message is an answer to an event */
        uint32_t left;        /* delegation.left at the start of the present item */
        struct delegation delegation;
};

#define EC_REAPS_NOTHING UINT32_MAX

/* Bit of ec.place: SYSRET or SYSEXIT cannot enter one of the EC's portals. */
#define ODD_PORTAL 0x80

_Static_assert(NOVA_CPU_MAX <= ODD_PORTAL, "no number of a CPU contains the bit");

/* Fields that are used together share cache lines. The first three groups take one line each. */
struct ec {
        struct { /* as large as a cache line */
                struct kobject object;
                struct mail mail;             /* work for its CPU */
                struct list pd_link;          /* pd.ecs, under pd.lock */
                struct mapping *utcb_mapping; /* the user's mapping of the UTCB */
        } __attribute__((aligned(64)));

        /* Calls. A switch compares the first three fields as one word, a call the first six. */
        union {
                struct {
                        uint16_t pending; /* EC_PENDING_…, atomic */
                        uint8_t special;  /* SPECIAL_…: state to switch for the EC */
                        uint8_t place;    /* cpu->number, perhaps with ODD_PORTAL */
                        union {
                                struct {
                                        uint8_t state;       /* enum ec_state */
                                        uint8_t caller_kind; /* enum caller_kind */
                                        uint8_t no_state[2]; /* 0 */
                                };
                                uint32_t state_and_caller; /* written by ec_set_state() */
                        };
                };
                uint32_t attention;      /* read by ec_attention() */
                uint64_t call_attention; /* read by ec_call_attention() */
        };
        uint8_t kind;         /* enum ec_kind */
        uint8_t wait_status;  /* status for the EC when it continues */
        uint8_t sleepers_top; /* two or more sleepers: upper bound of their priorities */
        bool cut_searches;    /* after the EC's end: the walk still looks for a donated SC */
        struct pd *pd;        /* referenced; NULL: the idle thread */
        struct cpu *cpu;
        word_t stack_top;       /* top of the CPU's kernel stack, for the entry code */
        struct nova_utcb *utcb; /* NULL: a virtual CPU */
        struct ec *caller;      /* the reply register, see ec_caller() */
        struct ec *callee;      /* see ec_callee() */

        /* Waiting and waking. */
        continuation_t cont;
        struct sm *wait_sm;
        union {
                struct list wait_link; /* sm.waiters, under the lock of sm */
                struct ec *cut_to;     /* after the EC's end: its caller, or NULL */
        };
        struct list sleepers;     /* SCs that wait with this EC */
        struct heap_node timeout; /* cpu->timeouts; key 0: waits without a deadline */

        /* Events. */
        struct vcpu *vcpu; /* NULL: a thread */
        word_t event_base;
        word_t event_number; /* the EC's present event */
        word_t event_qual[2];

        struct ec *helping;  /* busy callee whose chain runs on this EC's SC; this EC is ready */
        struct list helpers; /* ECs that help this EC */
        union {
                struct list help_link; /* in helping->helpers; cpu->stranded if helping has ended */
                struct {
                        struct ec *cut_next; /* after the EC's end: next in cpu->cut */
                        struct ec *cut_at;   /* after the EC's end: position in the chain */
                };
        };
        struct sc *donated; /* SC that a call donated, bound to this EC */
        /* SCs of this EC to which no capability refers any more. They hold no reference to the EC
         * and end before the EC. */
        struct kobject *sc_due;   /* SCs that end when this EC's call is answered */
        struct kobject *sc_stays; /* SCs that end with this EC */
        bool ends_later;          /* no reference is left: the EC ends when its call is answered */
        bool fpu_used;
        bool ending;               /* ec_end() has begun; it may receive mail while it waits */
        bool named_by_root;        /* the root PD has named it: the console reports its shut-down */
        uint32_t items_at_once;    /* 1: any single item fits receive_limit; else 0 */
        word_t tls;                /* base of the thread-local storage */
        char name[NOVA_NAME_SIZE]; /* for debugging; not protected by a lock */
        struct transfer
                transfer; /* create_pd: its delegation gives the initial capabilities to created */
        struct revocation revocation;
        struct pd *created;     /* create_pd: the new PD, not yet published, referenced */
        struct pt *calling;     /* call: portal during the transfer of items, referenced */
        unsigned reap_floor;    /* number of objects that were dying when this hypercall began;
                                 * other ECs reap those */
        uint8_t created_perms;  /* permissions of the capability for created */
        uint8_t grace_tries;    /* remaining attempts at a hypercall that lacked memory */
        bool grace_waits;       /* the EC lacks memory and waits for the end of period grace_end */
        uint32_t grace_end;     /* number of a grace period (see reclaim_help()) */
        uint32_t walk;          /* number of the last walk that passed the EC (see chain_end()) */
        uint32_t receive_limit; /* 1 + bytes that a message may cost its PD; 0: no limit */
        word_t virtual_8086_room[VIRTUAL_8086_WORDS]; /* see odd_flags in entry.S */
        struct regs regs __attribute__((aligned(16)));
        /* Saved state of fpu_size() bytes; valid if fpu_used and not in the registers. */
        uint8_t fpu[FPU_SIZE_MIN] __attribute__((aligned(FPU_ALIGN)));
};

_Static_assert(offsetof(struct ec, virtual_8086_room) + VIRTUAL_8086_WORDS * sizeof(word_t) <=
                       offsetof(struct ec, regs),
               "the room lies below the registers");
_Static_assert(FPU_ALIGN > VIRTUAL_8086_WORDS * sizeof(word_t),
               "the place of a frame shows whether it needs the room");
_Static_assert(sizeof(struct regs) % 16 == 0 || sizeof(word_t) == 4,
               "the CPU aligns the stack that it pushes on");

/** Returns the fields pending, special, place, state and caller_kind of an EC as one value (see
 * cpu_call_attention()). */
static always_inline uint64_t ec_call_attention(const struct ec *ec)
{
        return ec->call_attention;
}

_Static_assert(EC_REQUEST == 0 && CALLER_NONE == 0, "cpu.no_state is equal to them");

/** Returns the fields pending, special and place of an EC as one value, to compare with
 * cpu_attention(). */
static always_inline uint32_t ec_attention(const struct ec *ec)
{
        return ec->attention;
}

/** Sets state and caller_kind of an EC with one store. */
static always_inline void ec_set_state(struct ec *ec, enum ec_state state, enum caller_kind kind)
{
        ec->state_and_caller = (uint32_t)state | (uint32_t)kind << 8;
}

_Static_assert(offsetof(struct ec, caller_kind) == offsetof(struct ec, state_and_caller) + 1,
               "the second byte");

/** Returns the EC that waits for the reply of an EC; NULL: none. A reply does not clear the field.
 */
static inline struct ec *ec_caller(const struct ec *ec)
{
        return ec->caller_kind != CALLER_NONE ? ec->caller : NULL;
}

/** Returns true if an EC waits for a reply. */
static always_inline bool ec_waits_for_reply(const struct ec *ec)
{
        return ec->state == EC_REPLY || ec->state == EC_REPLY_ALONE;
}

/** Returns the EC whose reply an EC waits for; NULL: none. A reply does not clear the field. */
static inline struct ec *ec_callee(const struct ec *ec)
{
        return ec_waits_for_reply(ec) ? ec->callee : NULL;
}

/** Clears the reply register: no caller waits for the EC's reply any more. */
static inline void ec_forget_caller(struct ec *ec)
{
        ec->caller = NULL;
        ec->caller_kind = CALLER_NONE;
}

/** Prepares the slab cache of ECs. Call once, at boot. */
void ec_boot(void);

/** Returns the kernel memory in bytes that an EC of a kind takes. */
word_t ec_bytes(enum ec_kind kind);

/* The arguments of create_ec. */
struct ec_config {
        struct pd *pd;
        struct account *account;
        enum ec_kind kind;
        struct cpu *cpu;
        word_t utcb_page; /* page number; ignored for a virtual CPU */
        word_t sp;
        word_t event_base;
        bool counts_stolen_time; /* whether a virtual CPU's TSC counts stolen time */
        continuation_t start;    /* continuation of a thread that has or gets an SC */
};

/** Creates an EC that does not run yet.
 *  @return BAD_PAR if the UTCB's page is taken, BAD_CAP if the PD is ending, OUT_OF_MEMORY */
enum nova_status ec_create(const struct ec_config *config, struct ec **out);

/** Creates the idle thread of a CPU, which never ends. Returns NULL if out of memory. */
struct ec *ec_create_idle(struct cpu *cpu, continuation_t cont);

/** Lends self's SC to the chain of a busy callee. ec_stop_helping() ends the loan, if any. */
void ec_help(struct ec *self, struct ec *callee);
void ec_stop_helping(struct ec *self);

/** Binds the SC that was donated to ec, if any, to the caller, or to the SC's owner if there is no
 * caller. */
void ec_return_sc(struct ec *ec, struct ec *caller);

/** Does a step of the work that ended ECs have left to this CPU's next scheduling decision. Call
 *  only if cpu_has_cuts(). */
void ec_cut_step(struct cpu *cpu);

/** Shuts an EC down: it never runs again. A caller in a call gets COM_ABT; a caller with an event
 * is also shut down. Call on the EC's CPU. */
void ec_shut_down(struct ec *ec);

/** Hands an SC without capabilities to its owner ec, which ends the SC later. Call on their CPU. */
void ec_leave_sc(struct ec *ec, struct sc *sc);

/** Does one step of ending the SCs that were left to an EC. Returns true if no SC remains. Call on
 *  the EC's CPU. */
bool ec_end_scs(struct ec *ec);

/** Ends the SCs whose last references were dropped while self waited for a reply. Also ends self if
 *  the last reference to self was dropped meanwhile. Returns only if neither self nor the SC on
 *  which it runs has ended. If preempted, self continues with cont. */
void ec_end_due(struct ec *self, continuation_t cont);

/** Ends an EC: shuts it down, ends its SCs without capabilities, and frees its UTCB's address. Call
 * on the EC's CPU. Returns false if another step must follow. After the last step, ec_finish_step()
 * must do the rest. */
bool ec_end(struct ec *ec);

/** Does ec_end() on the EC's CPU. May be called on any CPU, without a lock. */
bool ec_end_anywhere(struct ec *ec);

enum drop_result { DROP_ENDED, DROP_AGAIN, DROP_LATER };

/** Ends an EC to which no capability, portal or SC with a capability refers any more. AGAIN: more
 *  steps follow. LATER: the EC ends when its call is answered. Call on the EC's CPU. */
enum drop_result ec_drop(struct ec *ec);

/** Does ec_drop() on the EC's CPU. May be called on any CPU, without a lock. */
enum drop_result ec_drop_anywhere(struct ec *ec);

/** Returns true if an ended EC has left a revocation or delegation unfinished, or references of its
 *  hypercall. */
static inline bool ec_has_left_work(const struct ec *ec)
{
        return revocation_is_open(&ec->revocation) ||
               delegation_is_open(&ec->transfer.delegation) ||
               (word_t)ec->created | (word_t)ec->calling;
}

/** Does a step of the work that an ended EC has left. Returns true if none is left. The caller
 * holds a reference, or the EC has no references and is in this CPU's dying list. */
bool ec_finish_step(struct ec *ec);

/** Frees an EC that has ended. */
void ec_free(struct ec *ec);

#endif
