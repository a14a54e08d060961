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

#define BATCH    64 /* a period begins with so many */
#define NO_FRAME UINT32_MAX

struct batch {
        struct kobject *objects;
        uint32_t frames; /* index of the first */
        unsigned count;
};

static struct spinlock reclaim_lock; /* protects all below; may be taken under a space lock */
static struct batch filling = {.frames = NO_FRAME}, waiting = {.frames = NO_FRAME};
static uint32_t period; /* the last one that began */
static bool under_way;

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

static void free_batch(struct batch *batch)
{
        while (batch->frames != NO_FRAME) {
                void *frame = frame_by_index(batch->frames);
                batch->frames = frame_info(frame)->next;
                frame_free(frame);
        }
        while (batch->objects) {
                struct kobject *object = batch->objects;
                batch->objects = object->next;
                /* Mail that was sent just before the end is still in its CPU's hands. */
                if (atomic_load_u32(&object->mail.work))
                        reclaim_object(object);
                else
                        object_free(object);
        }
}

/* Takes the batch of a period that is complete, and begins the next one if there is need. */
static struct batch take_complete(void)
{
        struct batch done = {.frames = NO_FRAME};

        spin_lock(&reclaim_lock);
        if (under_way && all_seen()) {
                done = waiting;
                waiting = (struct batch){.frames = NO_FRAME};
                under_way = false;
                if (filling.count >= BATCH)
                        begin();
        }
        spin_unlock(&reclaim_lock);
        return done;
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

void reclaim_quiescent(struct cpu *cpu)
{
        const uint32_t now = atomic_load_u32(&period);

        if (cpu->grace_seen == now)
                return;
        cpu_drop_dead_pd(cpu);
        atomic_store_u32(&cpu->grace_seen, now);
        atomic_fence();

        struct batch done = take_complete();
        free_batch(&done);
}

/* Waits for the period that is under way, or for a new one. false: nothing waits to be freed. */
static bool wait_for_one(struct cpu *cpu)
{
        spin_lock(&reclaim_lock);
        const bool any = under_way || filling.count;
        if (!under_way && filling.count)
                begin();
        const uint32_t target = period;
        spin_unlock(&reclaim_lock);

        for (bool done = !any; !done;) {
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
