/* SPDX-License-Identifier: BSD-2-Clause */
/* Protection domains (see pd.h). */
#include "object/pd.h"

#include "arch/x86/cpu.h"
#include "arch/x86/tlb.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "memory/frame.h"
#include "object/ec.h"

struct pd kernel_pd;

static uint32_t last_number;

/* Protects pd.creator, pd.created and pd.sibling of all PDs. Taken without another lock. */
static struct spinlock family_lock = SPINLOCK(LOCK_FAMILY);

/* Returns the bytes of the PD itself. On x86-32, struct pd contains the root table. */
static word_t pd_bytes(void)
{
        return object_bytes(OBJECT_PD) + (sizeof(word_t) == 8 ? PAGE_SIZE : 0);
}

static void pd_init(struct pd *pd, const struct pd_limit *limit, const char name[NOVA_NAME_SIZE],
                    struct account *account, struct account *own)
{
        object_init(&pd->object, OBJECT_PD, account);
        pd->account = own;
        object_space_init(&pd->object_space, pd);
        space_init(&pd->memory.space, NOVA_CRD_MEM, pd);
        space_init(&pd->io.space, NOVA_CRD_IO, pd);
        pd->io.bitmap[0] = pd->io.bitmap[1] = NULL;
        pd->dma = pd->guest = (struct second_level){0};
        spin_init(&pd->lock, LOCK_PD);
        list_init(&pd->ecs);
        pd->limit.prio = load_once(limit->prio);
        pd->limit.quantum = load_once(limit->quantum);
        for (unsigned i = 0; i < array_size(pd->limit.cpus); i++)
                pd->limit.cpus[i] = load_once(limit->cpus[i]);
        pd->number = atomic_fetch_add_u32(&last_number, 1) + 1;
        pd->is_root = false;
        __builtin_memcpy(pd->name, name, sizeof(pd->name));
        pd->end_stage = 0;
        pd->stepping = 0;
        pd->end.space = NULL;
        pd->destroyed = pd->ends_with_creator = false;
        list_init(&pd->created);
        pd->below = NULL;
        pd->unfinished = NULL;
}

void pd_boot(void)
{
        static const struct pd_limit no_limit = {
                {UINT32_MAX, UINT32_MAX}, ~(word_t)0, NOVA_PRIO_MAX};
        static const char no_name[NOVA_NAME_SIZE];

        object_boot(OBJECT_PD, sizeof(struct pd));
        pd_init(&kernel_pd, &no_limit, no_name, &account_root, &account_root);
}

enum nova_status pd_create(struct pd *creator, struct account *account, word_t quota,
                           struct pd **out)
{
        struct account *own = account;

        if (!account_charge(account, pd_bytes()))
                return NOVA_OUT_OF_MEMORY;
        if (quota && !(own = account_create(account, quota)))
                goto no_account;

        struct pd *pd = object_take(OBJECT_PD);
        if (!pd)
                goto no_pd;
        if (!address_space_init(&pd->memory.tables))
                goto no_tables;
        pd_init(pd, &creator->limit, creator->name, account, own);
        pd->creator = creator;
        spin_lock(&family_lock);
        list_append(&creator->created, &pd->sibling);
        spin_unlock(&family_lock);
        *out = pd;
        return NOVA_SUCCESS;

no_tables:
        object_give(OBJECT_PD, pd);
no_pd:
        if (own != account)
                account_leave(own);
no_account:
        account_return(account, pd_bytes());
        return NOVA_OUT_OF_MEMORY;
}

bool pd_may_use_cpu(const struct pd *pd, word_t cpu)
{
        return cpu_is_online(cpu) && pd_limit_has_cpu(pd, cpu);
}

void pd_lower_limit(struct pd *pd, nova_qpd_t qpd, const uint32_t cpus[NOVA_CPU_MAX / 32])
{
        const unsigned prio = nova_qpd_prio(qpd);
        const word_t quantum = nova_qpd_quantum(qpd);

        spin_lock(&pd->lock);
        if (prio < pd->limit.prio)
                store_once(pd->limit.prio, (uint8_t)prio);
        if (quantum && quantum < pd->limit.quantum)
                store_once(pd->limit.quantum, quantum);
        for (unsigned i = 0; i < array_size(pd->limit.cpus); i++)
                store_once(pd->limit.cpus[i], pd->limit.cpus[i] & cpus[i]);
        spin_unlock(&pd->lock);
}

bool pd_name_once(struct pd *pd, const char name[NOVA_NAME_SIZE])
{
        char any = 0;

        spin_lock(&pd->lock);
        for (unsigned i = 0; i < NOVA_NAME_SIZE; i++)
                any |= pd->name[i];
        if (!any)
                memcpy(pd->name, name, NOVA_NAME_SIZE);
        spin_unlock(&pd->lock);
        return !any;
}

struct space *pd_space(struct pd *pd, unsigned type)
{
        switch (type) {
        case NOVA_CRD_MEM:
                return &pd->memory.space;
        case NOVA_CRD_IO:
                return &pd->io.space;
        case NOVA_CRD_OBJ:
                return &pd->object_space.space;
        default:
                return NULL;
        }
}

bool pd_destroy_begin(struct pd *pd)
{
        spin_lock(&pd->lock);
        const bool first = object_get_live(&pd->object);
        pd->destroyed |= first;
        store_once(pd->object.dead, true);
        spin_unlock(&pd->lock);
        if (first)
                object_queue(&pd->object);
        return first;
}

static bool pd_space_is_empty(struct space *space)
{
        return space->type == NOVA_CRD_OBJ ? object_space_is_empty(object_space_of(space))
                                           : tree_is_empty(&space->tree);
}

/* Waits for the flushes of other CPUs. Another CPU may have removed the last mappings of an empty
 * space, and their children, but not yet flushed the TLBs. */
static void pd_wait_for_flushes(void)
{
        struct flush flush;

        flush_init(&flush);
        flush_run(&flush);
}

static bool pd_is_empty(struct pd *pd)
{
        return pd_space_is_empty(&pd->object_space.space) && pd_space_is_empty(&pd->io.space) &&
               pd_space_is_empty(&pd->memory.space);
}

/* Returns true if a dead PD has an EC. It gets no more ECs, so no lock is needed. */
static bool pd_has_ecs(const struct pd *pd)
{
        return load_once(pd->ecs.next) != &pd->ecs;
}

/* Ends an EC of the PD, or does a step of its end. */
static __attribute__((noinline)) void pd_end_ec(struct pd *pd)
{
        struct ec *ec = NULL;
        bool live = false;

        spin_lock(&pd->lock);
        if (!list_is_empty(&pd->ecs)) {
                ec = container_of(pd->ecs.next, struct ec, pd_link);
                /* If the EC has no references, another CPU is ending and freeing it. Its memory
                 * stays until this CPU leaves the kernel. */
                live = object_get_live(&ec->object);
        }
        spin_unlock(&pd->lock);
        if (!ec)
                return;
        const bool ended = ec_end_anywhere(ec);
        if (live && unlikely(ended && ec_has_left_work(ec))) {
                ec->object.next = pd->unfinished;
                pd->unfinished = &ec->object;
        } else if (live) {
                object_put(&ec->object);
        }
}

/* Does a step of the work that the PD's ECs have left. All ECs have ended, so no work is added. */
static cold_path void pd_finish_ec(struct pd *pd)
{
        struct kobject *object = pd->unfinished;

        if (!ec_finish_step(container_of(object, struct ec, object)))
                return;
        pd->unfinished = object->next;
        object_put(object);
}

/* The spaces in the order in which a PD's end empties them. */
static const uint8_t pd_end_types[] = {NOVA_CRD_OBJ, NOVA_CRD_IO, NOVA_CRD_MEM};

bool pd_has_ended(const struct pd *pd)
{
        return load_once(pd->end_stage) == array_size(pd_end_types);
}

/* Records that a space is empty and that no TLB holds an entry of it. After the last space, a
 * destroyed PD with an account of its own keeps only the memory that is in use. */
static void pd_next_stage(struct pd *pd)
{
        if (pd->end_stage == array_size(pd_end_types) - 1 && pd->destroyed && pd_has_account(pd))
                account_shrink(pd->account);
        store_once(pd->end_stage, (uint8_t)(pd->end_stage + 1));
}

static bool pd_has_created(const struct pd *pd)
{
        return load_once(pd->created.next) != &pd->created;
}

/* Moves a PD that `from` created to `creator`, the PD that created `from`. */
static void pd_adopt(struct pd *creator, struct pd *from)
{
        struct pd *const pd = container_of(list_take(&from->created), struct pd, sibling);

        assert_held(&family_lock);
        pd->creator = creator;
        list_append(&creator->created, &pd->sibling);
}

/* Removes a PD from its creator's list. All PDs that the PD created have left it. It has ended, or
 * it has no thread and ends without its creator's help. */
static void pd_leave_creator(struct pd *pd)
{
        assert_held(&family_lock);
        assert(!pd_has_created(pd));
        list_remove(&pd->sibling);
        pd->creator = NULL;
}

/* Moves one of the PDs that pd created to pd's creator, because pd ends for lack of a capability.
 * All of pd's ECs have ended, so they create no more PDs. */
static cold_path void pd_leave_created(struct pd *pd)
{
        spin_lock(&family_lock);
        if (!list_is_empty(&pd->created))
                pd_adopt(pd->creator, pd);
        spin_unlock(&family_lock);
}

/* Makes the next steps of pd's end work on `below`, a referenced PD below pd. NULL: on the PDs that
 * pd itself created. */
static void pd_set_below(struct pd *pd, struct pd *below)
{
        struct pd *const before = pd->below;

        pd->below = below;
        if (before)
                object_put(&before->object);
}

enum end_step {
        END_AGAIN,
        END_CREATED, /* nothing to do before the PDs that it created have ended */
        END_DONE,
};

/* Does a step of the end of a dead PD, but not of the PDs that it created. No other CPU does such a
 * step at the same time. */
static enum end_step pd_do_end_step(struct pd *pd)
{
        if (pd_has_ecs(pd)) {
                pd_end_ec(pd);
                return END_AGAIN;
        }
        if (unlikely(pd->unfinished)) {
                pd_finish_ec(pd);
                return END_AGAIN;
        }
        if (!pd->end_stage) {
                if (unlikely(pd_has_created(pd)))
                        return END_CREATED;
                if (unlikely(pd->below)) /* another CPU has ended it */
                        pd_set_below(pd, NULL);
                if (dma_format.levels && !dma_format.release(pd))
                        return END_AGAIN;
        }
        if (pd_has_ended(pd))
                return END_DONE;

        struct space *space = pd_space(pd, pd_end_types[pd->end_stage]);
        if (!pd->end.space && pd_space_is_empty(space)) {
                pd_wait_for_flushes();
                pd_next_stage(pd);
                return END_AGAIN;
        }
        if (!pd->end.space)
                revocation_begin(&pd->end, space, 0, space_limit(space->type) - 1, NOVA_PERM_ALL,
                                 true);
        if (revocation_step(&pd->end) == STEP_DONE) {
                pd->end.space = NULL;
                pd_next_stage(pd);
        }
        return END_AGAIN;
}

/* Returns true if this CPU may do a step of the end of a destroyed PD. */
static bool pd_step_begin(struct pd *pd)
{
        return !atomic_exchange_u32(&pd->stepping, 1);
}

static void pd_step_end(struct pd *pd)
{
        atomic_store_u32(&pd->stepping, 0);
}

/* Marks a referenced PD as destroyed because its creator was destroyed, unless the PD is already
 * ending. The mark holds a reference until the PD leaves its creator. */
static void pd_destroy_with_creator(struct pd *pd)
{
        spin_lock(&pd->lock);
        if (!pd->object.dead) {
                object_get(&pd->object);
                pd->destroyed = pd->ends_with_creator = true;
                store_once(pd->object.dead, true);
        }
        spin_unlock(&pd->lock);
}

/* Goes on from PD `at`, which is pd or a PD below pd, to the first PD that `at` created. If this
 * first PD ends for lack of a capability, it has no thread, and any CPU may be ending it. In this
 * case `at` does not wait for its end, but adopts the PDs that the first PD created, one in each
 * step. */
static void pd_go_down(struct pd *pd, struct pd *at)
{
        struct pd *below = NULL;

        spin_lock(&family_lock);
        if (!list_is_empty(&at->created)) {
                struct pd *const first = container_of(at->created.next, struct pd, sibling);
                if (object_get_referenced(&first->object))
                        below = first;
                else if (pd_has_created(first))
                        pd_adopt(at, first);
                else
                        pd_leave_creator(first);
        }
        spin_unlock(&family_lock);
        if (!below)
                return;
        pd_destroy_with_creator(below);
        pd_set_below(pd, below);
}

/* Goes back from the ended PD below pd to its creator. If the ended PD has left its creator
 * meanwhile, goes back to pd. */
static void pd_go_up(struct pd *pd)
{
        struct pd *const ended = pd->below;
        struct pd *creator;

        spin_lock(&family_lock);
        creator = ended->creator;
        if (creator)
                pd_leave_creator(ended);
        const bool leaves = creator;
        if (creator == pd || (creator && !object_get_referenced(&creator->object)))
                creator = NULL;
        spin_unlock(&family_lock);
        if (leaves && ended->ends_with_creator)
                object_put(&ended->object);
        pd_set_below(pd, creator);
}

/* Does a step of the end of the PDs that a destroyed PD created, of the PDs that these created, and
 * so on. The only capabilities for these PDs may be in their own spaces, so they would never end by
 * themselves. A PD ends after the PDs that it created. pd->below is the PD that is ending; other
 * CPUs may do steps of its end, too. */
static cold_path void pd_end_created(struct pd *pd)
{
        struct pd *const at = pd->below;
        enum end_step result = END_CREATED;

        if (at) {
                if (!pd_step_begin(at))
                        return;
                result = pd_do_end_step(at);
                pd_step_end(at);
        }
        if (result == END_CREATED)
                pd_go_down(pd, at ? at : pd);
        else if (result == END_DONE)
                pd_go_up(pd);
}

/* Does a step of the end of a destroyed PD, unless another CPU is doing one. */
static __attribute__((noinline)) bool pd_end_destroyed_step(struct pd *pd)
{
        if (!pd_step_begin(pd))
                return false;
        const enum end_step result = pd_do_end_step(pd);
        if (result == END_CREATED)
                pd_end_created(pd);
        pd_step_end(pd);
        return result == END_DONE;
}

bool pd_end_step(struct pd *pd)
{
        if (unlikely(pd->destroyed))
                return pd_end_destroyed_step(pd);

        /* The PD ends for lack of a capability: no other CPU does a step. */
        const enum end_step result = pd_do_end_step(pd);
        if (unlikely(result == END_CREATED))
                pd_leave_created(pd);
        return result == END_DONE;
}

/* Returns the bytes of the page tables without the root, which pd_bytes() counts. On x86-64,
 * address_space_frames() includes the root. */
static word_t pd_table_bytes(const struct pd *pd)
{
        return (address_space_frames(&pd->memory.tables) - (sizeof(word_t) == 8)) << PAGE_BITS;
}

void pd_count_ended(struct pd *pd)
{
        const word_t pages =
                !!pd->io.bitmap[0] + !!pd->io.bitmap[1] + !!pd->dma.root + !!pd->guest.root;

        pd->ended_bytes =
                pd_bytes() + (pd_has_account(pd) ? load_once(pd->account->limit)
                                                 : pd_table_bytes(pd) + (pages << PAGE_BITS));
}

void pd_free(struct pd *pd)
{
        /* An operation that was in progress when the PD ended may have inserted more mappings, or
         * taken a domain. The operation has finished: it had a reference to the PD, or a borrowed
         * pointer, and all CPUs were quiescent after the last reference was dropped. So no other
         * CPU changes the spaces now, and the kernel reads them without a lock. */
        if (likely(!pd->dma.domain && pd_is_empty(pd))) {
                pd_wait_for_flushes();
        } else {
                pd->end_stage = 0;
                while (!pd_end_step(pd))
                        ;
        }
        assert(list_is_empty(&pd->ecs) && !pd->unfinished && !pd_has_created(pd));
        spin_lock(&family_lock);
        list_unlink(&pd->sibling);
        spin_unlock(&family_lock);
        assert(pd_is_empty(pd));
        for (unsigned i = 0; i < 2; i++) {
                if (!pd->io.bitmap[i])
                        continue;
                frame_free(pd->io.bitmap[i]);
                account_return_freed(pd->account, PAGE_SIZE);
        }
        second_level_fini(pd);
        const word_t tables = pd_table_bytes(pd);
        struct account *account = pd->object.account, *own = pd->account;
        address_space_fini(&pd->memory.tables);
        object_give(OBJECT_PD, pd);
        account_return_freed(own, tables);
        if (own != account)
                account_leave(own);
        account_return_freed(account, pd_bytes());
}
