/* SPDX-License-Identifier: BSD-2-Clause */
/* Protection domains: three spaces and the account that pays for them. @spec 2.1 */
#ifndef OBJECT_PD_H
#define OBJECT_PD_H

#include "arch/x86/address_space.h"
#include "lib/bits.h"
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
        word_t *bitmap[2]; /* pages of its I/O bitmap; NULL: all ports of the page are forbidden */
};

/* Extension pd_limit: limits of the requests that the PD's threads make, even if a request names
 * another PD. A limit is never raised. Written under pd.lock, read without it: a reader may see
 * part of a change. */
struct pd_limit {
        uint32_t cpus[NOVA_CPU_MAX / 32]; /* bit n % 32 of word n / 32: CPU n is allowed */
        word_t quantum;                   /* longest quantum of a new SC, in microseconds */
        uint8_t prio;                     /* highest priority of a new SC */
};

/* Lives from create_pd until pd_destroy, or until no capability and no EC refers to the PD. */
struct pd {
        struct kobject object;
        struct account *account; /* pays for the spaces and for objects with this owner PD */
        struct object_space object_space;
        struct memory_space memory;
        struct io_space io;
        struct second_level dma, guest;
        struct spinlock lock; /* protects ecs, and object.dead: no EC joins a dead PD */
        struct list ecs;      /* ECs of this PD, by ec.pd_link */
        struct pd *creator;  /* PD whose thread created this one; if that PD ends first, the creator
                              * of that PD takes its place. NULL: kernel_pd, or a PD that has
                              * ended or ends without its creator. Protected by family_lock, as are
                              * the next two fields */
        struct list created; /* PDs whose creator this PD is, by pd.sibling */
        struct list sibling;
        struct pd *below; /* in a destroyed PD: the PD that the next step ends, which this PD or one
                           * of its descendants created; holds a reference. NULL: none. Protected
                           * by stepping */
        struct pd_limit limit;
        char name[NOVA_NAME_SIZE];  /* set once, under pd.lock; inherited by the PDs that this PD
                                     creates later */
        bool is_root;               /* may use the H flag */
        bool destroyed;             /* ends by pd_destroy: the PDs that it created end, too */
        bool ends_with_creator;     /* destroyed because its creator was destroyed */
        uint8_t end_stage;          /* number of spaces that are empty */
        uint32_t stepping;          /* atomic; 1 while a CPU does a step of the PD's end */
        uint32_t number;            /* number of the PD in the order of creation; may wrap */
        struct revocation end;      /* the revocation that empties the next space */
        struct kobject *unfinished; /* ended ECs with work left for ec_finish_step(); the list holds
                                     references to them */
        word_t ended_bytes;         /* bytes that the account gets back after the grace period */
};

/** The PD with the microhypervisor's own capabilities, which the root PD can request. */
extern struct pd kernel_pd;

/** Prepares the slab cache of PDs and kernel_pd. Call once, at boot. */
void pd_boot(void);

/** Creates a PD without capabilities and charges it to @p account. The PD has the limit and the
 * name of @p creator. The caller gets one reference. With a quota, the PD gets its own account,
 * whose limit is taken from @p account. Without a quota, it uses @p account.
 * @return SUCCESS or OUT_OF_MEMORY */
enum nova_status pd_create(struct pd *creator, struct account *account, word_t quota,
                           struct pd **out);

/** Returns true if a PD has an account of its own. */
static inline bool pd_has_account(const struct pd *pd)
{
        return pd->account != pd->object.account;
}

/** Returns true if the limit of a PD allows a CPU, which has been started. */
static inline bool pd_limit_has_cpu(const struct pd *pd, word_t cpu)
{
        const word_t i = checked_index(cpu / 32, array_size(pd->limit.cpus));

        return load_once(pd->limit.cpus[i]) >> cpu % 32 & 1;
}

/** Returns true if threads of a PD may name a CPU: the CPU was started, and the limit allows it. */
bool pd_may_use_cpu(const struct pd *pd, word_t cpu);

/** Returns true if threads of a PD may create an SC of a priority. */
static inline bool pd_may_use_prio(const struct pd *pd, unsigned prio)
{
        return prio <= load_once(pd->limit.prio);
}

/** Returns the requested quantum, capped at the PD's limit. */
static inline word_t pd_cut_quantum(const struct pd *pd, word_t us)
{
        const word_t limit = load_once(pd->limit.quantum);

        return us < limit ? us : limit;
}

/** Lowers a PD's limit to its intersection with a new one. A quantum of 0 keeps the old quantum. */
void pd_lower_limit(struct pd *pd, nova_qpd_t qpd, const uint32_t cpus[NOVA_CPU_MAX / 32]);

/** Names a PD. Returns false if the PD has a name already, because a change would deceive programs
 * that trust the name. */
bool pd_name_once(struct pd *pd, const char name[NOVA_NAME_SIZE]);

/** Returns the space of a type; NULL for the null type. */
struct space *pd_space(struct pd *pd, unsigned type);

/** Puts a PD on this CPU's dying list although references are left. Returns false if the PD is
 * ending already. */
bool pd_destroy_begin(struct pd *pd);

/** Does a step of the end of a dead PD: ends its ECs, then empties its spaces. Returns true if
 * nothing is left. May wait for another CPU. Any CPU may do the next step, but only one CPU at a
 * time: the function does nothing while another CPU does a step. */
bool pd_end_step(struct pd *pd);

/** Returns true if a dead PD has neither ECs nor mappings. */
bool pd_has_ended(const struct pd *pd);

/** Sets ended_bytes of an ended PD. If the PD has an account of its own, its whole limit counts,
 * because other PDs may still use part of it. */
void pd_count_ended(struct pd *pd);

/** Frees an ended PD. */
void pd_free(struct pd *pd);

/** Returns the object at a selector of a PD if the object is of this kind and the capability has
 * all of these permissions, else NULL. See capability_object(). */
static always_inline struct kobject *object_space_find(const struct pd *pd, word_t sel,
                                                       enum object_kind kind, unsigned perms)
{
        return capability_object(object_space_capability(&pd->object_space, sel), kind, perms);
}

/** Returns the result of object_space_find() for one kind, as do the next four functions. */
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
