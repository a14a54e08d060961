/* SPDX-License-Identifier: BSD-2-Clause */
/* The grace period (see reclaim.h). */
#include "object/reclaim.h"

#include "arch/x86/cpu.h"
#include "arch/x86/ipi.h"
#include "arch/x86/resume.h"
#include "lib/bits.h"
#include "lib/spinlock.h"
#include "memory/frame.h"
#include "object/object.h"
#include "sched/wake.h"
#include "space/object_mapping.h"

#define BATCH    64   /* a period begins with so many */
#define STEP     16   /* so many are freed with interrupts off */
#define FULL     1024 /* whoever adds more waits for a period */
#define NO_FRAME UINT32_MAX

struct batch {
        struct kobject *objects;
        uint32_t frames; /* index of the first */
        unsigned count;
};

static struct spinlock reclaim_lock; /* protects all below; may be taken under a space lock */
static struct batch filling = {.frames = NO_FRAME}, waiting = {.frames = NO_FRAME};
static uint32_t period;   /* the last one that began */
static bool under_way;    /* it has not ended: its batch is not freed yet */
static struct cpu *freer; /* all were quiescent, and this CPU frees the batch */

static void add_object(struct batch *batch, struct kobject *object)
{
        object->next = batch->objects;
        batch->objects = object;
        batch->count++;
}

/* Asks all CPUs, this one too, for a quiescent moment. Under the lock. */
static void begin(void)
{
        waiting = filling;
        filling = (struct batch){.frames = NO_FRAME};
        under_way = true;
        store_once(period, period + 1);
        for (uint64_t left = cpu_online; left; left &= left - 1)
                ipi_send(cpu_by_id(bit_lowest_u64(left)));
}

/* Whether all CPUs were quiescent since the period began. */
static bool all_seen(void)
{
        for (uint64_t left = cpu_online; left; left &= left - 1)
                if (atomic_load_u32(&cpu_by_id(bit_lowest_u64(left))->grace_seen) != period)
                        return false;
        return true;
}

static void free_object(struct kobject *object)
{
        if (unlikely(object_has_mail(object)))
                reclaim_object(object);
        else if (likely(!load_once(object->held)) || !object_mapping_holds(object))
                object_free(object);
}

/* Frees a step of a batch; whether nothing is left. */
static bool free_step(struct batch *batch)
{
        for (unsigned i = 0; i < STEP; i++) {
                struct kobject *object = batch->objects;
                if (batch->frames != NO_FRAME) {
                        void *frame = frame_by_index(batch->frames);
                        batch->frames = frame_info(frame)->next;
                        frame_free(frame);
                } else if (object) {
                        batch->objects = object->next;
                        free_object(object);
                }
        }
        return batch->frames == NO_FRAME && !batch->objects;
}

/* Frees a step of the batch, which is this CPU's task, and ends the period with the last one. */
static void free_waiting(struct cpu *cpu)
{
        if (!free_step(&waiting)) {
                ipi_send(cpu); /* the next step */
                return;
        }
        spin_lock(&reclaim_lock);
        under_way = false;
        freer = NULL;
        if (filling.count >= BATCH)
                begin();
        spin_unlock(&reclaim_lock);
}

void reclaim_object(struct kobject *object)
{
        spin_lock(&reclaim_lock);
        add_object(&filling, object);
        if (!under_way && filling.count >= BATCH)
                begin();
        spin_unlock(&reclaim_lock);
}

void reclaim_frame(void *frame)
{
        spin_lock(&reclaim_lock);
        frame_info(frame)->next = filling.frames;
        filling.frames = frame_index(frame);
        filling.count++;
        if (!under_way && filling.count >= BATCH)
                begin();
        spin_unlock(&reclaim_lock);
}

bool reclaim_is_full(void)
{
        return load_once(filling.count) > FULL;
}

void reclaim_quiescent(struct cpu *cpu)
{
        const uint32_t now = atomic_load_u32(&period);

        if (cpu->grace_seen != now) {
                cpu_drop_dead_pd(cpu);
                atomic_store_u32(&cpu->grace_seen, now);
                atomic_fence();
                spin_lock(&reclaim_lock);
                if (under_way && !freer && all_seen())
                        freer = cpu;
                spin_unlock(&reclaim_lock);
        }
        if (load_once(freer) == cpu)
                free_waiting(cpu);
}

/* Waits for the period that is under way, or for a new one. false: nothing waits to be freed, or
 * the EC that wants to wait has ended. */
static bool wait_for_one(struct cpu *cpu)
{
        spin_lock(&reclaim_lock);
        const bool any = under_way || filling.count;
        if (!under_way && filling.count)
                begin();
        const uint32_t target = period;
        spin_unlock(&reclaim_lock);

        for (bool done = !any; !done;) {
                if (cpu->current_ended)
                        return false;
                reclaim_quiescent(cpu);
                spin_lock(&reclaim_lock);
                done = period != target || !under_way;
                spin_unlock(&reclaim_lock);
                if (!done)
                        cpu_wait();
        }
        return any;
}

bool reclaim_wait(void)
{
        struct cpu *cpu = cpu_self();
        const bool any = wait_for_one(cpu);

        if (any)
                wait_for_one(cpu); /* what was added after the first one began */
        return any;
}
