/* SPDX-License-Identifier: BSD-2-Clause */
/* Protection domains: three spaces and the account that pays for them. @spec 2.1 */
#ifndef OBJECT_PD_H
#define OBJECT_PD_H

#include "arch/x86/address_space.h"
#include "lib/list.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/qpd.h"
#include "object/object.h"
#include "space/mapping.h"
#include "space/object_space.h"
#include "space/second_level.h"
#include "space/space.h"

struct memory_space {
        struct space space;
        struct address_space tables;
};

struct io_space {
        struct space space;
        word_t *bitmap[2]; /* own pages of the I/O bitmap; NULL: all ports forbidden */
};

/* Extension pd_limit: what threads of the PD may ask for, also for other PDs. It only falls.
 * Written under pd.lock, read without it: a reader may see a part of the change. */
struct pd_limit {
        uint32_t cpus[NOVA_CPU_MAX / 32]; /* bit n % 32 of n / 32: may use CPU n */
        word_t quantum;                   /* longest of the SCs that it creates, us */
        uint8_t prio;                     /* greatest of theirs */
};

/* Lives from create_pd until neither a capability nor an EC refers to it, or pd_destroy. */
struct pd {
        struct kobject object;
        struct account *account; /* pays for spaces and for objects that name this PD as owner */
        struct object_space object_space;
        struct memory_space memory;
        struct io_space io;
        struct second_level dma, guest;
        struct spinlock lock; /* protects ecs, and dead against a new EC */
        struct list ecs;      /* ECs of this PD, by ec.pd_link */
        struct pd_limit limit;
        char name[NOVA_NAME_SIZE];  /* set once, under pd.lock; that of all PDs it creates then */
        bool is_root;               /* may use the H bit */
        uint8_t end_stage;          /* spaces that were emptied */
        struct revocation end;      /* … and the one that is being emptied */
        struct kobject *unfinished; /* ECs that ended at work, referenced, see ec_finish_step() */
        word_t ended_bytes;         /* what its account expects, while it waits for the grace */
};

/** The microhypervisor's own capabilities, which the root PD can request. */
extern struct pd kernel_pd;

/** Prepares the cache and kernel_pd. Once, at boot. */
void pd_boot(void);

/** A PD without capabilities, with its creator's limit and its caller's reference, charged to an
 * account; with a quota it gets an account of its own from there, else it uses the same. BAD
 * statuses never; OUT_OF_MEMORY. */
enum nova_status pd_create(const struct pd *creator, struct account *account, word_t quota,
                           struct pd **out);

/** Whether a PD has an account of its own. */
static inline bool pd_has_account(const struct pd *pd)
{
        return pd->account != pd->object.account;
}

/** Whether a CPU that was started is within the limit of a PD. */
static inline bool pd_limit_has_cpu(const struct pd *pd, word_t cpu)
{
        return load_once(pd->limit.cpus[cpu / 32]) >> cpu % 32 & 1;
}

/** Whether threads of a PD may name a CPU: one that was started, within the limit. */
bool pd_may_use_cpu(const struct pd *pd, word_t cpu);

/** Whether threads of a PD may create an SC of a priority. */
static inline bool pd_may_use_prio(const struct pd *pd, unsigned prio)
{
        return prio <= load_once(pd->limit.prio);
}

/** What becomes of a quantum that threads of a PD ask for. */
static inline word_t pd_cut_quantum(const struct pd *pd, word_t us)
{
        const word_t limit = load_once(pd->limit.quantum);

        return us < limit ? us : limit;
}

/** Lowers a PD's limit to what is in the old and in the new one; a quantum of 0 lowers nothing. */
void pd_lower_limit(struct pd *pd, nova_qpd_t qpd, const uint32_t cpus[NOVA_CPU_MAX / 32]);

/** Names a PD that has no name yet. False if it has one: who trusts the name would be deceived. */
bool pd_name_once(struct pd *pd, const char name[NOVA_NAME_SIZE]);

/** The space of a type; NULL for the null type. */
struct space *pd_space(struct pd *pd, unsigned type);

/** Puts a PD on this CPU's dying list though it has references; false: it is ending already. */
bool pd_destroy_begin(struct pd *pd);

/** A step of the end of a dead PD: its ECs, then its spaces; true when nothing is left. May wait
 * for another CPU. */
bool pd_end_step(struct pd *pd);

/** Sets ended_bytes of a PD that is ended. The whole limit of an account of its own counts, for
 *  it is unknown how much other PDs still use. */
void pd_count_ended(struct pd *pd);

/** Frees an ended PD. */
void pd_free(struct pd *pd);

/** The object at a selector of a PD, if it is of a kind and the capability has all of these
 *  permissions, else NULL. See capability_object(). */
static always_inline struct kobject *object_space_find(const struct pd *pd, word_t sel,
                                                       enum object_kind kind, unsigned perms)
{
        return capability_object(object_space_capability(&pd->object_space, sel), kind, perms);
}

/** The same, with its type. */
static inline struct pd *object_space_find_pd(const struct pd *pd, word_t sel, unsigned perms)
{
        return (struct pd *)object_space_find(pd, sel, OBJECT_PD, perms);
}

static inline struct ec *object_space_find_ec(const struct pd *pd, word_t sel, unsigned perms)
{
        return (struct ec *)object_space_find(pd, sel, OBJECT_EC, perms);
}

static always_inline struct sc *object_space_find_sc(const struct pd *pd, word_t sel,
                                                     unsigned perms)
{
        return (struct sc *)object_space_find(pd, sel, OBJECT_SC, perms);
}

static always_inline struct pt *object_space_find_pt(const struct pd *pd, word_t sel,
                                                     unsigned perms)
{
        return (struct pt *)object_space_find(pd, sel, OBJECT_PT, perms);
}

static always_inline struct sm *object_space_find_sm(const struct pd *pd, word_t sel,
                                                     unsigned perms)
{
        return (struct sm *)object_space_find(pd, sel, OBJECT_SM, perms);
}

#endif
