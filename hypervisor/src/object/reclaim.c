/* SPDX-License-Identifier: BSD-2-Clause */
/* The grace period (see reclaim.h). */
#include "object/reclaim.h"

#include "arch/x86/boot_paging.h"
#include "arch/x86/calibrate.h"
#include "arch/x86/insn.h"
#include "arch/x86/interrupt.h"
#include "arch/x86/ipi.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/spinlock.h"
#include "memory/frame.h"
#include "object/ec.h"
#include "object/object.h"
#include "object/pd.h"
#include "sched/cpu.h"
#include "sched/mail.h"
#include "sched/timeout.h"
#include "sched/wake.h"
#include "space/object_mapping.h"

#define BATCH    64 /* number of entries of all CPUs at which a period begins */
#define STEP     16 /* entries that one step frees */
#define ACCOUNTS 64 /* number of closed or shrunk accounts after which a step ends */
#define LATE_MS  5  /* longest wait of the first entry for the next period */
#define FORCE_MS 1  /* minimum time between two periods that begin because of a lack of memory */

/* Protects the variables below and the batches of all CPUs; may be taken under a space lock. */
static struct spinlock reclaim_lock = SPINLOCK(LOCK_RECLAIM);
static uint32_t filled;   /* number of entries of all filling batches */
static uint32_t period;   /* number of the last period that began */
static bool under_way;    /* some batches of that period are not freed yet */
static struct cpu *freer; /* CPU that frees its batch now, after all CPUs were quiescent; or NULL */

static struct cpu *keeper; /* CPU whose timer checks due, or NULL */
static uint64_t due;       /* TSC value at which the filling batches are late */
static bool late;          /* the filling batches are late, but a period is in progress */
static uint64_t forced_at; /* TSC value at which a lack of memory last began a period */

static bool reclaim_is_empty(const struct cpu_batch *batch)
{
        return !batch->objects && !batch->frames;
}

/* Begins a period: sends an IPI to all CPUs, also to this one. Under the lock. */
static void reclaim_begin(void)
{
        assert_held(&reclaim_lock);
        assert(!under_way);
        for (uint64_t left = cpu_online; left; left &= left - 1) {
                struct cpu *cpu = cpu_by_id(bit_lowest_u64(left));
                assert(reclaim_is_empty(&cpu->waiting));
                cpu->waiting = cpu->filling;
                cpu->filling = (struct cpu_batch){0};
        }
        filled = 0;
        under_way = true;
        late = false;
        store_once(keeper, NULL);
        store_once(period, period + 1);
        for (uint64_t left = cpu_online; left; left &= left - 1)
                ipi_send(cpu_by_id(bit_lowest_u64(left)));
}

/* Returns true if all CPUs have been quiescent since the period began. */
static bool reclaim_all_seen(void)
{
        for (uint64_t left = cpu_online; left; left &= left - 1)
                if (atomic_load_u32(&cpu_by_id(bit_lowest_u64(left))->grace_seen) != period)
                        return false;
        return true;
}

/* Makes an object wait for another period. The present period may free the PD to which the object's
 * account belongs. In this case no open account counts the object's bytes as ended. */
static cold_path void reclaim_postpone(struct kobject *object)
{
        store_once(account_postponed, account_arrivals + ACCOUNT_ARRIVALS_LEFT);
        reclaim_object(object);
}

static void reclaim_free_object(struct kobject *object)
{
        account_arrive(object->account, object_ended_bytes(object));
        if (unlikely(object_has_mail(object)))
                reclaim_postpone(object);
        else if (likely(!load_once(object->held)) || !object_mapping_holds(object))
                object_free(object);
}

/* Frees entries of a batch, as many as one step allows. Frees fewer entries if they close many
 * accounts, because an entry may be the last user of a chain of accounts. Returns true if no entry
 * is left. */
static bool reclaim_free_step(struct cpu_batch *batch)
{
        const uint32_t *accounts = &account_steps[cpu_self()->id], before = *accounts;

        for (unsigned i = 0; i < STEP && *accounts - before < ACCOUNTS; i++) {
                struct kobject *object = batch->objects;
                if (batch->frames) {
                        void *frame = frame_by_index(batch->frame);
                        batch->frame = frame_info(frame)->next;
                        batch->frames--;
                        frame_free(frame);
                } else if (object) {
                        batch->objects = object->next;
                        reclaim_free_object(object);
                }
        }
        return reclaim_is_empty(batch);
}

/* Lets the next CPU with a waiting batch free this batch, or ends the period if there is none.
 * Executed by cpu, under the lock. */
static void reclaim_pass_on(const struct cpu *cpu)
{
        assert_held(&reclaim_lock);
        for (uint64_t left = cpu_online; left; left &= left - 1) {
                struct cpu *next = cpu_by_id(bit_lowest_u64(left));
                if (reclaim_is_empty(&next->waiting))
                        continue;
                store_once(freer, next);
                if (next != cpu)
                        ipi_send(next);
                return;
        }
        store_once(account_arrivals, account_arrivals + 1);
        store_once(freer, NULL);
        under_way = false;
        if (filled >= BATCH || late)
                reclaim_begin();
}

/* Does a step of freeing this CPU's waiting batch. After the last step, the next CPU goes on. */
static void reclaim_free_waiting(struct cpu *cpu)
{
        assert(under_way && reclaim_all_seen());
        if (!reclaim_free_step(&cpu->waiting)) {
                ipi_send(cpu); /* the next step */
                return;
        }
        spin_lock(&reclaim_lock);
        reclaim_pass_on(cpu);
        spin_unlock(&reclaim_lock);
}

/* Counts a new entry of a filling batch. Begins a period if there are many. Drops the lock. This
 * CPU's timer watches the first entry, so that a few entries do not wait for ever. */
static void reclaim_added(struct cpu *cpu)
{
        uint64_t end = 0;

        cpu->filling.count++;
        filled++;
        if (!under_way && filled >= BATCH) {
                reclaim_begin();
        } else if (unlikely(filled == 1)) {
                due = end = rdtsc() + (uint64_t)tsc_khz * LATE_MS;
                store_once(keeper, cpu);
        }
        spin_unlock(&reclaim_lock);
        if (unlikely(end))
                timeout_arm(cpu, end);
}

void reclaim_timer(struct cpu *cpu)
{
        if (likely(load_once(keeper) != cpu))
                return;
        spin_lock(&reclaim_lock);
        if (keeper == cpu && rdtsc() < due) {
                timeout_arm(cpu, due);
        } else if (keeper == cpu) {
                store_once(keeper, NULL);
                late = true;
                if (!under_way)
                        reclaim_begin();
        }
        spin_unlock(&reclaim_lock);
}

void reclaim_object(struct kobject *object)
{
        assert(object->dead && !atomic_load_u32(&object->references));
        account_expect(object->account, object_ending_bytes(object));

        struct cpu *cpu = cpu_self();
        spin_lock(&reclaim_lock);
        object->next = cpu->filling.objects;
        cpu->filling.objects = object;
        reclaim_added(cpu);
}

void reclaim_frame(void *frame)
{
        struct cpu *cpu = cpu_self();

        spin_lock(&reclaim_lock);
        frame_info(frame)->next = cpu->filling.frame;
        cpu->filling.frame = frame_index(frame);
        cpu->filling.frames++;
        reclaim_added(cpu);
}

/* Loads the kernel's own address space if the loaded address space belongs to a dead PD. Does
 * nothing if the current thread belongs to that PD: the thread needs the PD's tables until it ends,
 * and the PD is freed only after the thread's end. */
static void reclaim_leave_dead_pd(struct cpu *cpu)
{
        const struct pd *pd = cpu->current_pd;

        if (!pd || !pd->object.dead || cpu->current->pd == pd)
                return;
        write_cr3((word_t)kernel_root_phys);
        store_once(cpu->current_pd, NULL);
}

void reclaim_quiescent(struct cpu *cpu)
{
        const uint32_t now = atomic_load_u32(&period);

        assert_no_lock();
        assert(!cpu_holds_pointers(cpu));
        if (cpu->grace_seen != now) {
                reclaim_leave_dead_pd(cpu);
                atomic_store_u32(&cpu->grace_seen, now);
                atomic_fence();
                spin_lock(&reclaim_lock);
                if (under_way && !freer && reclaim_all_seen()) {
                        store_once(account_arrivals, account_arrivals + 1);
                        reclaim_pass_on(cpu);
                }
                spin_unlock(&reclaim_lock);
        }
        if (load_once(freer) == cpu)
                reclaim_free_waiting(cpu);
}

/* Returns true if any memory waits to be freed. Sets *end to the number of the period after which
 * all of it is freed. */
static bool reclaim_choose_end(uint32_t *end)
{
        spin_lock(&reclaim_lock);
        const bool any = under_way || filled;
        *end = period + (filled != 0);
        spin_unlock(&reclaim_lock);
        return any;
}

/* Returns true if a period has ended. Begins the period if needed, but at most once per FORCE_MS:
 * otherwise a PD that repeatedly exhausts its memory could interrupt all CPUs too often. */
static bool reclaim_has_ended(uint32_t end)
{
        spin_lock(&reclaim_lock);
        const int32_t missing = (int32_t)(end - period);
        const bool done = missing < 0 || (!under_way && (!missing || !filled));
        if (!done && !under_way) {
                const uint64_t now = rdtsc();
                if (now - forced_at >= (uint64_t)tsc_khz * FORCE_MS) {
                        forced_at = now;
                        reclaim_begin();
                }
        }
        spin_unlock(&reclaim_lock);
        return done;
}

bool reclaim_would_help(struct cpu *cpu)
{
        const uint32_t refusals = load_once(frame_refusals);
        const bool helps = account_grace_helps[cpu->id] || cpu->frame_refusals != refusals;

        account_grace_helps[cpu->id] = false;
        cpu->frame_refusals = refusals;
        return helps;
}

enum reclaim_help reclaim_wait_step(struct ec *self)
{
        struct cpu *cpu = self->cpu;
        unsigned mails = MAIL_STEP;

        if (!self->grace_waits && !reclaim_choose_end(&self->grace_end))
                return RECLAIM_CANNOT;
        self->grace_waits = true;
        if (!cpu_holds_pointers(cpu))
                reclaim_quiescent(cpu);
        if (!reclaim_has_ended(self->grace_end)) {
                cpu_wait(&mails);
                return RECLAIM_WAITS;
        }
        self->grace_waits = false;
        return RECLAIM_DONE;
}

enum reclaim_help reclaim_help(struct ec *self)
{
        if (!self->grace_waits && !reclaim_would_help(self->cpu))
                return RECLAIM_CANNOT;
        return reclaim_wait_step(self);
}

#ifdef NOVA_DEBUG
bool reclaim_is_freeing(void)
{
        return load_once(freer) == cpu_self();
}
#endif
