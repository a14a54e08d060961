/* SPDX-License-Identifier: BSD-2-Clause */
/* References and the end of objects (see object.h). */
#include "object/object.h"

#include "arch/x86/cpu.h"
#include "memory/slab.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/pt.h"
#include "object/reclaim.h"
#include "object/sc.h"
#include "object/sm.h"
#include "sched/wake.h"

void object_boot(struct slab_cache *cache, size_t size)
{
        slab_init(cache, OBJECT_HEAD + size);
}

void *object_take(struct slab_cache *cache)
{
        char *memory = slab_alloc(cache);

        return likely(memory) ? memory + OBJECT_HEAD : NULL;
}

void object_give(struct slab_cache *cache, void *object)
{
        slab_free(cache, (char *)object - OBJECT_HEAD);
}

void *object_alloc(struct slab_cache *cache, struct account *account)
{
        if (unlikely(!account_charge(account, cache->size)))
                return NULL;

        void *object = object_take(cache);
        if (unlikely(!object))
                account_return(account, cache->size);
        return object;
}

void object_release(struct slab_cache *cache, struct account *account, void *object)
{
        account_return(account, cache->size);
        object_give(cache, object);
}

void object_init(struct kobject *object, enum object_kind kind, struct account *account)
{
        *object = (struct kobject){.kind = (uint8_t)kind, .references = 1, .account = account};
}

bool object_get_live(struct kobject *object)
{
        uint32_t references = atomic_load_u32(&object->references);

        while (references && !load_once(object->dead))
                if (__atomic_compare_exchange_n(&object->references, &references, references + 1,
                                                false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
                        return true;
        return false;
}

void object_queue(struct kobject *object)
{
        struct cpu *cpu = cpu_self();

        object->next = cpu->dying;
        cpu->dying = object;
        cpu->dying_count++;
}

void object_put(struct kobject *object)
{
        if (atomic_fetch_add_u32(&object->references, UINT32_MAX) == 1)
                object_queue(object);
}

/* Out of line as all that makes calls of its own, so that object_reap() saves few registers. */
static __attribute__((noinline)) void sc_end_anywhere(struct sc *sc)
{
        if (sc->cpu == cpu_self()) {
                sc_end(sc);
                return;
        }
        mail_send(sc->cpu, &sc->object.mail, MAIL_END);
        while (!load_once(sc->object.dead))
                cpu_wait();
}

/* Ends an object that is no longer in the dying list. */
static void object_end(struct kobject *object)
{
        switch (object->kind) {
        case OBJECT_EC: {
                struct ec *ec = container_of(object, struct ec, object);
                ec_end_anywhere(ec);
                object_put(&ec->pd->object);
                break;
        }
        case OBJECT_SC: {
                struct sc *sc = container_of(object, struct sc, object);
                sc_end_anywhere(sc);
                object_put(&sc->owner->object);
                break;
        }
        case OBJECT_PT:
                object->dead = true;
                object_put(&container_of(object, struct pt, object)->ec->object);
                break;
        default:
                break;
        }
}

static void take_first(struct cpu *cpu)
{
        cpu->dying = cpu->dying->next;
        cpu->dying_count--;
}

/* A step of the end of a PD at the head of the dying list. What dies with it comes before it in
 * the list; it leaves the list when it is empty. */
static __attribute__((noinline)) void reap_pd(struct cpu *cpu, struct pd *pd)
{
        store_once(pd->object.dead, true);
        if (!pd_end_step(pd) || cpu->dying != &pd->object)
                return;
        take_first(cpu);
        if (atomic_load_u32(&pd->object.references))
                object_put(&pd->object); /* pd_destroy: the last capability frees it */
        else
                reclaim_object(&pd->object);
}

bool object_reap(void)
{
        struct cpu *cpu = cpu_self();
        struct kobject *object = cpu->dying;

        if (!object)
                return false;
        if (object->kind == OBJECT_PD) {
                reap_pd(cpu, container_of(object, struct pd, object));
        } else if (object->kind != OBJECT_SM ||
                   sm_end_step(container_of(object, struct sm, object))) {
                take_first(cpu);
                object_end(object);
                reclaim_object(object);
        }
        return cpu->dying;
}

void object_free(struct kobject *object)
{
        switch (object->kind) {
        case OBJECT_PD:
                pd_free(container_of(object, struct pd, object));
                break;
        case OBJECT_EC:
                ec_free(container_of(object, struct ec, object));
                break;
        case OBJECT_SC:
                sc_free(container_of(object, struct sc, object));
                break;
        case OBJECT_PT:
                pt_free(container_of(object, struct pt, object));
                break;
        default:
                sm_free(container_of(object, struct sm, object));
                break;
        }
}
