/* SPDX-License-Identifier: BSD-2-Clause */
/* References and the end of objects (see object.h). */
#include "object/object.h"

#include "arch/x86/cpu.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/pt.h"
#include "object/reclaim.h"
#include "object/sc.h"
#include "object/sm.h"
#include "sched/wake.h"

struct slab_cache object_cache[OBJECT_SM + 1];

void object_boot(enum object_kind kind, size_t size)
{
        slab_init(&object_cache[kind], OBJECT_HEAD + size);
}

void object_release(enum object_kind kind, struct account *account, void *object)
{
        account_return(account, object_bytes(kind));
        object_give(kind, object);
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
        mail_send(sc->cpu, &sc->mail, MAIL_END);
        while (!load_once(sc->object.dead))
                cpu_wait();
}

bool object_has_mail(const struct kobject *object)
{
        if (object->kind == OBJECT_EC)
                return atomic_load_u32(&container_of(object, struct ec, object)->mail.work);
        if (object->kind == OBJECT_SC)
                return atomic_load_u32(&container_of(object, struct sc, object)->mail.work);
        return false;
}

/* Ends an object that is no longer in the dying list, and gives back the reference that it has. */
static void object_end(struct kobject *object)
{
        struct kobject *other;

        switch (object->kind) {
        case OBJECT_EC: {
                struct ec *ec = container_of(object, struct ec, object);
                ec_end_anywhere(ec);
                other = &ec->pd->object;
                break;
        }
        case OBJECT_SC: {
                struct sc *sc = container_of(object, struct sc, object);
                sc_end_anywhere(sc);
                other = &sc->owner->object;
                break;
        }
        default:
                object->dead = true;
                other = &container_of(object, struct pt, object)->ec->object;
                break;
        }
        object_put(other);
}

/* Takes the first one off the dying list. */
static void take_first(struct cpu *cpu, const struct kobject *first)
{
        cpu->dying = first->next;
        cpu->dying_count--;
}

/* A step of the end of a PD at the head of the dying list. What dies with it comes before it in
 * the list; it leaves the list when it is empty. */
static __attribute__((noinline)) void reap_pd(struct cpu *cpu, struct pd *pd)
{
        store_once(pd->object.dead, true);
        if (!pd_end_step(pd) || cpu->dying != &pd->object)
                return;
        take_first(cpu, &pd->object);
        if (atomic_load_u32(&pd->object.references))
                object_put(&pd->object); /* pd_destroy: the last capability frees it */
        else
                reclaim_object(&pd->object);
}

void object_reap(void)
{
        struct cpu *cpu = cpu_self();
        struct kobject *object = cpu->dying;

        if (unlikely(!object))
                return;
        if (object->kind == OBJECT_PD) {
                reap_pd(cpu, container_of(object, struct pd, object));
                return;
        }
        if (object->kind == OBJECT_SM) {
                if (unlikely(!sm_end_step(container_of(object, struct sm, object))))
                        return;
                take_first(cpu, object);
        } else {
                take_first(cpu, object);
                object_end(object);
        }
        reclaim_object(object);
}

void object_free(struct kobject *object)
{
        const enum object_kind kind = (enum object_kind)object->kind;

        if (kind == OBJECT_PD)
                pd_free(container_of(object, struct pd, object));
        else if (kind == OBJECT_EC)
                ec_free(container_of(object, struct ec, object));
        else
                object_release(kind, object->account, object);
}
