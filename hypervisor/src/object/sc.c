/* SPDX-License-Identifier: BSD-2-Clause */
/* Scheduling contexts (see sc.h). */
#include "object/sc.h"

#include "arch/x86/calibrate.h"
#include "arch/x86/insn.h"
#include "divide.h"
#include "lib/assert.h"
#include "object/ec.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "sched/wake.h"

/* Maximum number of calls that sc_serves_owner() follows. The limit exists because a callee to
 * which an SC is bound may have made any number of further calls on the time of other SCs. */
#define CALLS_FOLLOWED 64

void sc_boot(void)
{
        object_boot(OBJECT_SC, sizeof(struct sc));
}

/* Converts microseconds to TSC ticks. A value that does not fit becomes the longest quantum. */
static uint64_t sc_ticks(word_t us)
{
        const uint64_t longest = (uint64_t)1 << 40; /* microseconds: twelve days */

        return divide((us < longest ? us : longest) * tsc_khz, 1000, NULL);
}

enum nova_status sc_create(struct account *account, struct ec *ec, unsigned prio, word_t quantum_us,
                           struct sc **out)
{
        struct sc *sc = object_alloc(OBJECT_SC, account);

        if (!sc)
                return NOVA_OUT_OF_MEMORY;
        if (!object_get_live(&ec->object)) {
                object_release(OBJECT_SC, account, sc);
                return NOVA_BAD_CAP;
        }
        object_init(&sc->object, OBJECT_SC, account);
        mail_init(&sc->mail, OBJECT_SC);
        sc->ec = sc->owner = ec;
        sc->cpu = ec->cpu;
        sc->quantum = sc->round_end = sc_ticks(quantum_us);
        sc->used = 0;
        sc->place = SC_NOWHERE;
        sc->prio = (uint8_t)prio;
        sc->stays = sc->left = false;
        list_init(&sc->link);
        *out = sc;
        return NOVA_SUCCESS;
}

void sc_bind(struct sc *sc, struct ec *ec)
{
        assert(sc->cpu == cpu_self() && ec->cpu == sc->cpu && !sc->object.dead);
        assert(ec == sc->owner || !ec->donated || ec->donated == sc);
        sc->ec = ec;
        if (ec != sc->owner)
                ec->donated = sc;
}

void sc_start(struct sc *sc)
{
        if (sc->cpu == cpu_self())
                sched_start(sc);
        else
                mail_send(sc->cpu, &sc->mail, MAIL_WAKE);
}

/* The SC's CPU increments cpu.charges before and after it changes the fields that are read here. If
 * the counter is odd or has changed, the values are inconsistent and are read again. */
static __attribute__((noinline)) uint64_t sc_used_elsewhere(const struct sc *sc)
{
        const struct cpu *cpu = sc->cpu;
        uint32_t charges;
        uint64_t used;

        do {
                charges = load_once(cpu->charges);
                __atomic_thread_fence(__ATOMIC_ACQUIRE);
                used = sc->used;
                if (load_once(cpu->current_sc) == sc) {
                        const uint64_t slice = rdtsc() - cpu->slice_start;
                        used += (int64_t)slice < 0 ? 0 : slice; /* TSCs may differ by a little */
                }
                __atomic_thread_fence(__ATOMIC_ACQUIRE);
        } while (charges & 1 || charges != load_once(cpu->charges));
        return used;
}

uint64_t sc_time_us(const struct sc *sc)
{
        const struct cpu *self = cpu_self();
        uint64_t used;

        if (likely(self->current_sc == sc)) /* only this CPU writes these fields */
                used = rdtsc() - self->slice_start + sc->used;
        else
                used = sc_used_elsewhere(sc);
        return scale(used, 1000, tsc_khz);
}

void sc_end(struct sc *sc)
{
        struct cpu *cpu = sc->cpu;

        assert(cpu == cpu_self());
        sc->object.dead = true;
        if (sc == cpu->current_sc)
                cpu_current_ended(cpu);
        else if (sc->place == SC_READY)
                sched_remove(sc);
        else if (sc->place == SC_SLEEPING)
                list_remove(&sc->link);
        sc->place = SC_NOWHERE;
        if (sc->ec->donated == sc)
                sc->ec->donated = NULL;
}

/* Returns true if an SC of this CPU is donated: its owner waits for a reply, and the SC is bound to
 * another EC or runs another EC. An SC of the owner that only helps is not donated: it stays bound
 * to the owner. */
static bool sc_is_donated(const struct sc *sc, const struct cpu *cpu)
{
        return sc->owner->state == EC_REPLY &&
               (sc->ec != sc->owner || (sc == cpu->current_sc && !(cpu->special & SPECIAL_LENT)));
}

/* Returns true if the current EC works for the owner of a donated SC: the owner's chain of calls
 * leads to the current EC. If the SC is bound to a callee, follows the chain from that callee. If
 * the SC is bound to its owner, the result is true: a donated SC that is bound to its owner is the
 * current SC and runs the end of the chain. */
static bool sc_serves_owner(const struct sc *sc, const struct cpu *cpu)
{
        const struct ec *at = sc->ec;

        if (at == sc->owner)
                return true;
        for (unsigned i = 0; i < CALLS_FOLLOWED && at->state == EC_REPLY; i++)
                at = at->callee;
        return at == cpu->current;
}

void sc_note_drop(struct sc *sc)
{
        struct cpu *cpu = cpu_self();

        /* While the CPU processes mail, it does not work for the current EC. */
        if (sc->cpu == cpu && !cpu->in_mail)
                sc->stays = sc_is_donated(sc, cpu) && sc_serves_owner(sc, cpu);
}

void sc_drop(struct sc *sc)
{
        struct ec *owner = sc->owner;

        assert(sc->cpu == cpu_self() && !sc->left);
        if (sc_is_donated(sc, sc->cpu) || (sc->stays && owner->state != EC_DEAD))
                ec_leave_sc(owner, sc);
        else
                sc_end(sc);
}
