/* SPDX-License-Identifier: BSD-2-Clause */
/* Execution contexts (see ec.h). */
#include "object/ec.h"

#include "arch/x86/fpu.h"
#include "arch/x86/resume.h"
#include "lib/assert.h"
#include "memory/frame.h"
#include "object/name.h"
#include "object/pd.h"
#include "object/reclaim.h"
#include "object/report.h"
#include "object/sc.h"
#include "object/sm.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "sched/timeout.h"
#include "sched/wake.h"
#include "thread.h"

#define SC_STEP   16 /* SCs of an EC that one step ends */
#define HELP_STEP 16 /* helpers of an ended EC that one step stops */
#define CUT_STEP  64 /* links of the chain below an ended EC that one step follows */

_Static_assert(OBJECT_HEAD + offsetof(struct ec, fpu) + FPU_SIZE_MAX <= SLAB_SIZE_MAX,
               "an EC with its FPU's state fits into a slab");
_Static_assert(OBJECT_HEAD % FPU_ALIGN == 0, "the state is aligned");

const struct ec_guest_ops *ec_guest_ops;

void ec_boot(void)
{
        const size_t size = offsetof(struct ec, fpu) + fpu_size();

        object_boot(OBJECT_EC, (size + FPU_ALIGN - 1) & ~(size_t)(FPU_ALIGN - 1));
}

word_t ec_bytes(enum ec_kind kind)
{
        return object_bytes(OBJECT_EC) + (kind == EC_VCPU ? ec_guest_ops->bytes() : PAGE_SIZE);
}

/* Initialises the fields that are always valid. A link is valid only while the EC is in the list.
 * The fields of an event, a transfer or a revocation are valid only while it is in progress. */
static void ec_init(struct ec *ec, enum ec_kind kind, struct cpu *cpu, struct pd *pd)
{
        mail_init(&ec->mail, OBJECT_EC);
        ec->pending = 0;
        ec->special = 0;
        ec->place = cpu->number;
        ec_set_state(ec, EC_READY, CALLER_NONE);
        ec->kind = (uint8_t)kind;
        ec->pd = pd;
        ec->cpu = cpu;
        ec->stack_top = (word_t)cpu + CPU_STACK_TOP;
        ec->caller = ec->callee = ec->helping = NULL;
        ec->donated = NULL;
        ec->wait_sm = NULL;
        ec->timeout.key = 0;
        ec->transfer.to = NULL;
        ec->transfer.delegation.fill = ec->transfer.delegation.fill_end = 0;
        ec->transfer.delegation.child = NULL;
        ec->revocation.pin = ec->revocation.loose = NULL;
        ec->revocation.owed_end = 0;
        ec->created = NULL;
        ec->calling = NULL;
        ec->reap_floor = EC_REAPS_NOTHING;
        list_init(&ec->helpers);
        list_init(&ec->sleepers);
        ec->sc_due = ec->sc_stays = NULL;
        ec->ends_later = false;
        ec->walk = 0;
        ec->fpu_used = ec->ending = ec->named_by_root = false;
        ec->tls = 0;
        ec->receive_limit = 0;
        ec->items_at_once = 1;
        name_clear(ec->name);
        ec->regs = (struct regs){0};
}

static void ec_release(struct ec *ec)
{
        if (ec->utcb)
                frame_free(ec->utcb);
        if (ec->vcpu)
                ec_guest_ops->free(ec->vcpu);
        object_give(OBJECT_EC, ec);
}

/* Allocates the object and its UTCB or virtual CPU. */
static struct ec *ec_alloc(enum ec_kind kind)
{
        struct ec *ec = object_take(OBJECT_EC);

        if (!ec)
                return NULL;
        ec->utcb = kind == EC_VCPU ? NULL : frame_alloc_zeroed();
        ec->vcpu = kind == EC_VCPU ? ec_guest_ops->alloc() : NULL;
        if (ec->utcb || ec->vcpu) {
                fpu_prepare(ec->fpu);
                return ec;
        }
        ec_release(ec);
        return NULL;
}

/* Maps a thread's UTCB; creates the guest page table of a virtual CPU. */
static enum nova_status ec_map(struct ec *ec, const struct ec_config *config)
{
        struct pd *pd = ec->pd;

        if (ec->utcb)
                return mapping_insert_utcb(&pd->memory.space, config->utcb_page,
                                           (word_t)(pool_to_phys(ec->utcb) >> PAGE_BITS),
                                           &ec->utcb_mapping);
        spin_lock(&space_lock[NOVA_CRD_MEM]);
        const bool created = second_level_create(pd, SECOND_LEVEL_GUEST);
        spin_unlock(&space_lock[NOVA_CRD_MEM]);
        if (!created)
                return NOVA_OUT_OF_MEMORY;
        ec_guest_ops->init(ec, config->counts_stolen_time);
        ec->special = SPECIAL_VCPU;
        return NOVA_SUCCESS;
}

/* Adds a new EC to the PD's ECs, unless the PD is ending. */
static bool ec_join_pd(struct ec *ec, struct pd *pd)
{
        spin_lock(&pd->lock);
        const bool live = object_get_live(&pd->object);
        if (live)
                list_append(&pd->ecs, &ec->pd_link);
        spin_unlock(&pd->lock);
        return live;
}

enum nova_status ec_create(const struct ec_config *config, struct ec **out)
{
        enum nova_status status = NOVA_OUT_OF_MEMORY;
        struct pd *pd = config->pd;

        if (!account_charge(config->account, ec_bytes(config->kind)))
                return status;

        struct ec *ec = ec_alloc(config->kind);
        if (!ec)
                goto no_ec;
        ec_init(ec, config->kind, config->cpu, pd);
        object_init(&ec->object, OBJECT_EC, config->account);
        ec->event_base = config->event_base;
        if (ec->utcb)
                thread_init(ec, config->sp);
        ec->state = config->kind == EC_LOCAL ? EC_REQUEST : EC_READY;
        ec->cont = config->start;

        status = ec_map(ec, config);
        if (status != NOVA_SUCCESS)
                goto not_mapped;
        if (!ec_join_pd(ec, pd)) {
                status = NOVA_BAD_CAP;
                goto no_pd;
        }
        *out = ec;
        return NOVA_SUCCESS;

no_pd:
        if (ec->utcb)
                mapping_remove_utcb(ec->utcb_mapping);
not_mapped:
        ec_release(ec);
no_ec:
        account_return(config->account, ec_bytes(config->kind));
        return status;
}

struct ec *ec_create_idle(struct cpu *cpu, continuation_t cont)
{
        struct ec *ec = object_take(OBJECT_EC);

        if (!ec)
                return NULL;
        ec_init(ec, EC_IDLE, cpu, NULL);
        ec->cont = cont;
        ec->utcb = NULL;
        ec->vcpu = NULL;
        object_init(&ec->object, OBJECT_EC, &account_root);
        return ec;
}

void ec_help(struct ec *self, struct ec *callee)
{
        assert(self->cpu == cpu_self() && callee->cpu == self->cpu && !self->helping);
        self->helping = callee;
        list_append(&callee->helpers, &self->help_link);
}

void ec_stop_helping(struct ec *self)
{
        if (!self->helping)
                return;
        self->helping = NULL;
        list_unlink(&self->help_link);
}

void ec_return_sc(struct ec *ec, struct ec *caller)
{
        struct sc *sc = ec->donated;

        ec->donated = NULL;
        if (sc)
                sc_bind(sc, caller ? caller : sc->owner);
}

/* Replaces the typed items that were not transferred by null items. */
static void ec_end_message(const struct transfer *transfer, const struct ec *receiver)
{
        for (unsigned i = transfer->item + transfer->under_way; i < transfer->items; i++) {
                word_t *const word = &receiver->utcb->word[nova_utcb_item_index(i)];
                word[0] = word[1] = 0;
        }
}

/* Returns true if an ending EC has transferred an item of its reply, or a part of one. */
static bool ec_reply_arrives(const struct ec *ec)
{
        const struct transfer *transfer = &ec->transfer;
        return transfer->to && !transfer->aborted && ec_caller(ec) == transfer->to &&
               (transfer->item || transfer->under_way);
}

/* Makes ready the caller of an EC that is shut down. If an item of the reply was transferred (@p
 * arrives), the caller gets the reply, for the reason that ec_lose_caller() gives. Otherwise, a
 * caller in a call gets COM_ABT, and a caller with an event is shut down when it runs next. So a
 * chain of callers with events ends in one step for each caller. */
static void ec_leave_caller(struct ec *ec, bool arrives)
{
        struct ec *caller = ec_caller(ec);
        const bool by_event = ec->caller_kind == CALLER_EVENT;

        ec_forget_caller(ec);
        if (!caller)
                return;
        if (caller->transfer.to == ec) {
                caller->transfer.aborted = true;
                return;
        }
        caller->callee = NULL;
        caller->state = EC_READY;
        if (!arrives)
                caller->cont = by_event ? block_handler_ended : resume_aborted;
        else if (!by_event)
                ec_end_message(&ec->transfer, caller);
        sched_wake_sleepers(caller);
}

/* Separates callee from its caller, which ends during the transfer of its message. If an item was
 * transferred, callee gets the message as if the caller had ended a moment later. Callee must learn
 * of the item in its window: otherwise the item of the next sender would find its place in the
 * window taken. Otherwise callee waits for requests again. */
static void ec_lose_caller(struct ec *callee, const struct ec *caller)
{
        const struct transfer *transfer = &caller->transfer;
        struct cpu *cpu = callee->cpu;

        if (callee->walk == cpu->walk)
                cpu->walk++; /* a walk at callee would take it for the chain's end */
        ec_forget_caller(callee);
        callee->callee = NULL;
        callee->state = EC_REQUEST;
        if (!transfer->item && !transfer->under_way)
                return;
        ec_end_message(transfer, callee);
        prepare_portal(callee, caller->calling);
        callee->state = EC_READY;
}

/* Checks whether EC `at` runs an SC that was donated to an ended EC, or through it to another EC.
 * If so, returns the SC to `to`, the EC that donated it. Afterwards, `at` runs only while another
 * EC helps it. There is at most one such SC, because a caller has one callee. Returns true if the
 * search must continue below `at`. */
static bool ec_search_sc(struct ec *at, struct ec *to)
{
        struct cpu *cpu = at->cpu;

        if (at == cpu->current)
                sched_bind_current(cpu);
        if (!at->donated)
                return at->state == EC_REPLY && ec_caller(at->callee) == at;
        ec_return_sc(at, to && to->state != EC_DEAD ? to : NULL);
        return false;
}

/* Clears the reply register of the callee of ec. */
static void ec_cut_chain(struct ec *ec)
{
        struct ec *callee = ec_callee(ec);

        if (!callee || ec_caller(callee) != ec)
                return;
        ec_forget_caller(callee);
        if (callee->transfer.to == ec)
                callee->transfer.aborted = true;
}

static struct ec *ec_next_below(const struct ec *ec)
{
        struct ec *callee = ec_callee(ec);

        return callee ? callee : ec->helping;
}

/* Walks one step from cut_at of an ended EC towards the end of its chain. At the end of the chain,
 * wakes the SCs that sleep there, because the SCs that came there through ec must run another EC.
 * Returns true at the end. The walk also ends at an EC that has ended or replied meanwhile: the SCs
 * that slept below that EC are already awake. */
static bool ec_go_below(struct ec *ec)
{
        for (unsigned links = CUT_STEP; links; links--) {
                struct ec *at = ec->cut_at, *next = ec_next_below(at);
                if (ec->cut_searches)
                        ec->cut_searches = ec_search_sc(at, ec->cut_to);
                if (!next) {
                        sched_wake_sleepers(at);
                        return true;
                }
                ec->cut_at = next;
        }
        return false;
}

/* Stops helpers of ended ECs, as many as one step allows. Returns true if none is left. */
static bool ec_stop_helpers(struct list *helpers)
{
        for (unsigned i = 0; i < HELP_STEP && !list_is_empty(helpers); i++)
                ec_stop_helping(container_of(helpers->next, struct ec, help_link));
        return list_is_empty(helpers);
}

void ec_cut_step(struct cpu *cpu)
{
        struct ec *ec = cpu->cut;

        if (!list_is_empty(&cpu->stranded))
                ec_stop_helpers(&cpu->stranded);
        else if (ec_go_below(ec))
                cpu->cut = ec->cut_next;
}

/* Leaves the rest of the long chain below ec to the next decision. If the walk of another ended EC
 * is still in progress, the SC that ec's walk finds, if any, returns to its owner. The calls of the
 * owner lead to the right EC, in whatever order the ECs ended. */
static cold_path void ec_cut_later(struct cpu *cpu, struct ec *ec)
{
        if (cpu->cut)
                ec->cut_to = NULL;
        ec->cut_next = cpu->cut;
        cpu->cut = ec;
        sched_fall_behind(cpu);
}

static cold_path void ec_strand(struct cpu *cpu, struct list *helpers)
{
        list_append_all(&cpu->stranded, helpers);
        sched_fall_behind(cpu);
}

/* Returns true if an EC runs, waits, calls, answers, helps, is helped or sends items. For most ECs,
 * none of this is true when they end, so one quick test covers all cases. */
static bool ec_is_engaged(const struct ec *ec)
{
        const word_t links = (word_t)ec->caller_kind | (word_t)ec_waits_for_reply(ec) |
                             (word_t)ec->helping | (word_t)ec->donated |
                             (word_t)load_once(ec->wait_sm) | (word_t)ec->transfer.to |
                             (word_t)(ec->timeout.key != 0);

        return links || ec->cpu->current == ec || !list_is_empty(&ec->helpers) ||
               !list_is_empty(&ec->sleepers);
}

/* For assert(): returns true if an EC waits for no other EC, and no other EC waits for it. */
static assert_only bool ec_is_alone(const struct ec *ec)
{
        return !ec_caller(ec) && ec->caller_kind == CALLER_NONE && !ec_callee(ec) && !ec->helping &&
               !ec->donated && !ec->wait_sm && !ec->timeout.key && list_is_empty(&ec->helpers) &&
               list_is_empty(&ec->sleepers);
}

/* Removes all links between an ending EC and other ECs. */
static __attribute__((noinline)) void ec_disengage(struct ec *ec)
{
        struct cpu *cpu = ec->cpu;
        struct ec *below = ec_next_below(ec), *to = ec_caller(ec);
        const bool searches = ec_search_sc(ec, to), arrives = ec_reply_arrives(ec);

        if (ec->walk == cpu->walk)
                cpu->walk++; /* ends the walk that has passed ec */
        if (unlikely(cpu->cut))
                cpu->cut->cut_to = NULL; /* see ec_cut_later() */
        ec_cut_chain(ec);
        /* A partner that has ended may be freed by now. */
        if (ec->transfer.to && !ec->transfer.aborted && ec_caller(ec->transfer.to) == ec)
                ec_lose_caller(ec->transfer.to, ec);
        ec->transfer.to = NULL; /* the next step of this end may come after the partner is freed */
        ec->state = EC_DEAD;
        ec->callee = NULL;
        ec_stop_helping(ec);
        if (unlikely(!ec_stop_helpers(&ec->helpers)))
                ec_strand(cpu, &ec->helpers);
        sm_leave(ec);
        timeout_stop(ec);
        if (below) {
                ec->cut_at = below;
                ec->cut_to = to;
                ec->cut_searches = searches;
                if (unlikely(!ec_go_below(ec)))
                        ec_cut_later(cpu, ec);
        }
        ec_leave_caller(ec, arrives);
        sched_wake_sleepers(ec);
        /* The current SC may be bound to another EC now. */
        sched_decide(cpu);
}

void ec_shut_down(struct ec *ec)
{
        assert(ec->cpu == cpu_self());
        if (ec_is_engaged(ec))
                ec_disengage(ec);
        assert(ec_is_alone(ec));
        ec->state = EC_DEAD;
}

/* Drops the references of an abandoned hypercall. Objects that had no other references join the
 * dying list of this CPU. The CPU is destroying the EC, and ends these objects before it returns to
 * user mode. */
static cold_path void ec_drop_references(struct ec *ec)
{
        if (ec->created)
                object_put(&ec->created->object);
        if (ec->calling)
                object_put(&ec->calling->object);
        ec->created = NULL;
        ec->calling = NULL;
}

void ec_leave_sc(struct ec *ec, struct sc *sc)
{
        struct kobject **list = sc->stays ? &ec->sc_stays : &ec->sc_due;

        assert(sc->owner == ec && ec->cpu == cpu_self() && !ec->object.dead);
        assert(!sc->object.references && !sc->object.dead);
        sc->object.next = *list;
        *list = &sc->object;
        if (!sc->stays)
                atomic_or_u16(&ec->pending, EC_PENDING_END);
        store_once(sc->left, true);
}

/* Takes an SC out of a list. Takes the current SC only if no other SC is left: once the current SC
 * has ended, the EC may have to wait before it can do the next step. */
static struct sc *ec_take_left(struct kobject **list, const struct sc *current)
{
        struct kobject **at = list;

        if (*at == &current->object && (*at)->next)
                at = &(*at)->next;
        struct sc *sc = container_of(*at, struct sc, object);
        assert(sc->left && sc->object.kind == OBJECT_SC);
        *at = (*at)->next;
        return sc;
}

/* Ends as many SCs of a list as the budget allows. Returns the rest of the budget. If it is 0, SCs
 * may remain. */
static unsigned ec_end_left(struct ec *ec, struct kobject **list, unsigned budget)
{
        for (; *list && budget; budget--) {
                struct sc *sc = ec_take_left(list, ec->cpu->current_sc);
                sc_end(sc);
                reclaim_object(&sc->object);
        }
        return budget;
}

bool ec_end_scs(struct ec *ec)
{
        if (likely(!ec->sc_due && !ec->sc_stays))
                return true;
        ec_end_left(ec, &ec->sc_stays, ec_end_left(ec, &ec->sc_due, SC_STEP));
        return !ec->sc_due && !ec->sc_stays;
}

void ec_end_due(struct ec *self, continuation_t cont)
{
        struct cpu *cpu = self->cpu;

        while (self->ends_later ? !ec_end_scs(self) : !ec_end_left(self, &self->sc_due, SC_STEP))
                preemption_point(self, cont);
        atomic_and_u16(&self->pending, (uint16_t)~EC_PENDING_END);
        if (self->ends_later)
                ec_end(self);
        if (!(cpu->pending & CPU_PENDING_RESCHEDULE))
                return;
        self->cont = cont;
        resume_reschedule(cpu);
}

bool ec_end(struct ec *ec)
{
        struct pd *pd = ec->pd;

        if (ec->ending)
                return true;
        ec_shut_down(ec);
        if (unlikely(!ec_end_scs(ec)))
                return false;
        ec->ending = true;
        fpu_drop(ec);
        if (unlikely(ec->reap_floor != EC_REAPS_NOTHING))
                ec->cpu->dying_orphans = true; /* the EC may not have reaped all its objects */
        if (ec->utcb)
                mapping_remove_utcb(ec->utcb_mapping);
        else
                ec_guest_ops->stop(ec);
        spin_lock(&pd->lock);
        assert(!ec->object.dead);
        list_unlink(&ec->pd_link);
        spin_unlock(&pd->lock);
        if (ec->cpu->current == ec)
                cpu_current_ended(ec->cpu);
        store_once(ec->object.dead, true);
        if (unlikely(ec->ends_later)) { /* no other thread does the remaining work */
                assert(!ec_has_left_work(ec));
                object_put(&pd->object);
                reclaim_object(&ec->object);
        }
        return true;
}

bool ec_finish_step(struct ec *ec)
{
        if (delegation_is_open(&ec->transfer.delegation)) {
                delegation_finish_step(&ec->transfer.delegation);
                return false;
        }
        if (revocation_is_open(&ec->revocation) && !revocation_finish_step(&ec->revocation))
                return false;
        ec_drop_references(ec);
        return true;
}

enum drop_result ec_drop(struct ec *ec)
{
        if (unlikely(ec->state == EC_REPLY && (ec->sc_due || ec->sc_stays))) {
                atomic_or_u16(&ec->pending, EC_PENDING_END);
                store_once(ec->ends_later, true);
                return DROP_LATER;
        }
        return ec_end(ec) ? DROP_ENDED : DROP_AGAIN;
}

/* Makes the EC's CPU do a step, and waits for it. The EC's memory stays until that CPU has
 * processed the mail and this CPU has left the kernel. */
static void ec_do_elsewhere(struct ec *ec, uint32_t work)
{
        mail_send(ec->cpu, &ec->mail, work);
        while (atomic_load_u32(&ec->mail.work) & work)
                cpu_wait_openly();
}

bool ec_end_anywhere(struct ec *ec)
{
        if (ec->cpu == cpu_self())
                return ec_end(ec);
        ec_do_elsewhere(ec, MAIL_END);
        return load_once(ec->object.dead);
}

enum drop_result ec_drop_anywhere(struct ec *ec)
{
        if (ec->cpu == cpu_self())
                return ec_drop(ec);
        ec_do_elsewhere(ec, MAIL_DROP);
        if (load_once(ec->ends_later))
                return DROP_LATER;
        return load_once(ec->object.dead) ? DROP_ENDED : DROP_AGAIN;
}

void ec_free(struct ec *ec)
{
        struct account *account = ec->object.account;

        assert(ec->state == EC_DEAD && ec_is_alone(ec) && !ec->sc_due && !ec->sc_stays);
        assert(!ec_has_left_work(ec) && !ec->mail.work);
        const word_t bytes = ec_bytes((enum ec_kind)ec->kind);

        report_forget(ec);
        ec_release(ec);
        account_return_freed(account, bytes);
}
