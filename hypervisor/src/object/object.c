/* SPDX-License-Identifier: BSD-2-Clause */
/* References and the end of objects (see object.h). */
#include "object/object.h"

#include "object/ec.h"
#include "object/pd.h"
#include "object/pt.h"
#include "object/reclaim.h"
#include "object/sc.h"
#include "object/sm.h"
#include "sched/cpu.h"
#include "sched/wake.h"

struct slab_cache object_cache[OBJECT_SM + 1];

void object_boot(enum object_kind kind, size_t size)
{
        slab_init(&object_cache[kind], OBJECT_HEAD + size);
}

void object_release(enum object_kind kind, struct account *account, void *object)
{
        account_return_freed(account, object_bytes(kind));
        object_give(kind, object);
}

bool object_get_live(struct kobject *object)
{
        return !load_once(object->dead) && object_get_referenced(object);
}

void object_queue(struct kobject *object)
{
        struct cpu *cpu = cpu_self();

        assert(object->dead || !atomic_load_u32(&object->references));
        object->next = cpu->dying;
        cpu->dying = object;
        cpu->dying_count++;
}

void object_put(struct kobject *object)
{
        const uint32_t references = atomic_fetch_add_u32(&object->references, UINT32_MAX);

        assert(references);
        if (references != 1)
                return;
        if (object->kind == OBJECT_SC)
                sc_note_drop(container_of(object, struct sc, object));
        object_queue(object);
}

/* Ends an SC without references, or leaves it to its owner. Returns true if it has ended. Out of
 * line because it makes calls: object_reap() then saves fewer registers. */
static __attribute__((noinline)) bool object_drop_sc(struct sc *sc)
{
        if (sc->cpu == cpu_self()) {
                sc_drop(sc);
        } else {
                mail_send(sc->cpu, &sc->mail, MAIL_DROP);
                while (!load_once(sc->object.dead) && !load_once(sc->left))
                        cpu_wait_openly();
        }
        return !load_once(sc->left);
}

bool object_has_mail(const struct kobject *object)
{
        if (object->kind == OBJECT_EC)
                return atomic_load_u32(&container_of(object, struct ec, object)->mail.work);
        if (object->kind == OBJECT_SC)
                return atomic_load_u32(&container_of(object, struct sc, object)->mail.work);
        return false;
}

/* Ends an object that has left the dying list, and drops the reference that it holds. Returns true
 * if the caller must free the object's memory; false if the object was queued again or ends
 * later. */
static bool object_end(struct kobject *object)
{
        struct kobject *other;
        bool ended = true;

        switch (object->kind) {
        case OBJECT_EC: {
                struct ec *ec = container_of(object, struct ec, object);
                const enum drop_result result =
                        load_once(ec->object.dead) ? DROP_ENDED : ec_drop_anywhere(ec);
                if (unlikely(result != DROP_ENDED)) {
                        if (result == DROP_AGAIN)
                                object_queue(object);
                        return false;
                }
                if (unlikely(ec_has_left_work(ec)) && !ec_finish_step(ec)) {
                        object_queue(object);
                        return false;
                }
                other = &ec->pd->object;
                break;
        }
        case OBJECT_SC: {
                struct sc *sc = container_of(object, struct sc, object);
                other = &sc->owner->object;
                ended = object_drop_sc(sc);
                break;
        }
        default:
                object->dead = true;
                other = &container_of(object, struct pt, object)->ec->object;
                break;
        }
        object_put(other);
        return ended;
}

/* Removes the first object from the dying list. */
static void object_take_first(struct cpu *cpu, const struct kobject *first)
{
        assert(cpu->dying == first && cpu->dying_count);
        cpu->dying = first->next;
        cpu->dying_count--;
}

/* Does a step of the end of the PD at the head of the dying list. Objects that die with the PD come
 * before it in the list. The PD leaves the list when it is empty. */
static __attribute__((noinline)) void object_reap_pd(struct cpu *cpu, struct pd *pd)
{
        store_once(pd->object.dead, true);
        if (!pd_end_step(pd) || cpu->dying != &pd->object)
                return;
        object_take_first(cpu, &pd->object);
        if (atomic_load_u32(&pd->object.references))
                object_put(&pd->object); /* pd_destroy: the last reference frees it */
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
                object_reap_pd(cpu, container_of(object, struct pd, object));
                return;
        }
        if (object->kind == OBJECT_SM) {
                if (unlikely(!sm_end_step(container_of(object, struct sm, object))))
                        return;
                object_take_first(cpu, object);
        } else {
                object_take_first(cpu, object);
                if (unlikely(!object_end(object)))
                        return;
        }
        reclaim_object(object);
}

word_t object_ended_bytes(const struct kobject *object)
{
        const enum object_kind kind = (enum object_kind)object->kind;

        if (kind == OBJECT_PD)
                return container_of(object, struct pd, object)->ended_bytes;
        if (kind == OBJECT_EC)
                return ec_bytes((enum ec_kind)container_of(object, struct ec, object)->kind);
        return object_bytes(kind);
}

word_t object_ending_bytes(struct kobject *object)
{
        if (object->kind == OBJECT_PD)
                pd_count_ended(container_of(object, struct pd, object));
        return object_ended_bytes(object);
}

void object_free(struct kobject *object)
{
        const enum object_kind kind = (enum object_kind)object->kind;

        assert(object->dead && !object->references && !object->held);
        assert(reclaim_is_freeing());
        if (kind == OBJECT_PD)
                pd_free(container_of(object, struct pd, object));
        else if (kind == OBJECT_EC)
                ec_free(container_of(object, struct ec, object));
        else
                object_release(kind, object->account, object);
}
