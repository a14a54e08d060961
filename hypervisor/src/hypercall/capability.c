/* SPDX-License-Identifier: BSD-2-Clause */
/* Capability management: the five creates, revoke, lookup. @spec 5.3 */
#include "hypercall/dispatch.h"

#include "ipc/event.h"
#include "lib/bits.h"
#include "nova/abi/qpd.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/pt.h"
#include "object/reap.h"
#include "object/reclaim.h"
#include "object/sc.h"
#include "object/sm.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "thread.h"
#include "virt/vcpu.h"

#define CPU_MASK ((word_t)PAGE_SIZE - 1)

/* Saves argument 1, which the entry code does not save. finish.c needs it to repeat a create that
 * found too little memory. */
static always_inline void hypercall_note_argument(struct ec *self, word_t id)
{
        REG_P1(self) = id;
}

/* Ends a new object by dropping its reference: another thread has taken its selector, or no memory
 * is left for its capability. In the second case finish.c ends all dying objects. */
static cold_path hypercall_result_t hypercall_not_published(struct ec *self, struct kobject *object,
                                                            enum nova_status status)
{
        if (status != NOVA_OUT_OF_MEMORY)
                reap_begin(self);
        object_put(object);
        return status == NOVA_OUT_OF_MEMORY ? NOVA_OUT_OF_MEMORY : reap(self, status);
}

/* Publishes a new object. The creator's reference passes to the capability. */
static always_inline hypercall_result_t hypercall_publish(struct ec *self,
                                                          struct capability_page *page, word_t sel,
                                                          struct kobject *object, unsigned perms)
{
        const enum nova_status status =
                object_space_publish(&self->pd->object_space, page, sel, object, perms);

        return likely(status == NOVA_SUCCESS) ? NOVA_SUCCESS
                                              : hypercall_not_published(self, object, status);
}

/* Does a step of the delegation to the new PD. After the last step, publishes the PD and sets
 * *status. */
static enum step_result hypercall_create_pd_step(struct ec *self, enum nova_status *status)
{
        const enum step_result step = delegation_step(&self->transfer.delegation);

        if (step != STEP_DONE)
                return step;
        *status = object_space_insert(&self->pd->object_space, nova_id_sel(REG_P1(self)),
                                      &self->created->object, self->created_perms);
        return *status == NOVA_OUT_OF_MEMORY ? STEP_FAILED : STEP_DONE;
}

static indirect_target _Noreturn void finish_hypercall_create_pd(struct ec *self)
{
        enum nova_status status = NOVA_OUT_OF_MEMORY;
        enum step_result step;
        bool waited = false;

        while ((step = hypercall_create_pd_step(self, &status)) != STEP_DONE) {
                if (step == STEP_FAILED && self->cpu->dying)
                        object_reap();
                else if (step == STEP_FAILED) {
                        const enum reclaim_help help = waited ? RECLAIM_CANNOT : reclaim_help(self);
                        if (help == RECLAIM_CANNOT)
                                break;
                        waited = help == RECLAIM_DONE;
                }
                preemption_point(self, finish_hypercall_create_pd);
        }
        leave_if_ended(self);

        struct pd *pd = self->created;
        self->created = NULL;
        reap_begin(self);
        if (status != NOVA_SUCCESS)
                object_put(&pd->object);
        self->wait_status = (uint8_t)status;
        resume_after_reap(self);
}

/* Begins to delegate capabilities of the caller to the PD that it creates. */
static cold_path void hypercall_begin_initial_delegation(struct ec *self, nova_crd_t crd)
{
        const unsigned order = nova_crd_order(crd);
        const word_t limit = (word_t)1 << NOVA_SEL_ORDER;
        const word_t from = align_down(nova_crd_base(crd), order) & (limit - 1);

        self->transfer.delegation = (struct delegation){
                .source = &self->pd->object_space.space,
                .target = &self->created->object_space.space,
                .from = from,
                .count = min_word((word_t)1 << order, limit - from),
                .perms = (uint8_t)nova_crd_perms(crd),
        };
}

TARGET_OF_FIVE hypercall_result_t hypercall_create_pd(word_t id, struct ec *self)
{
        const word_t sel = nova_id_sel(id);
        const nova_crd_t crd = REG_P3(self);
        /* read once, so that object and permissions belong together */
        const word_t owner_cap = object_space_capability(&self->pd->object_space, REG_P2(self));
        struct kobject *object = capability_object(owner_cap, OBJECT_PD, NOVA_PD_PD);
        struct capability_page *page = object_space_page(&self->pd->object_space, sel);

        hypercall_note_argument(self, id);
        if (!object || capability_at(page, sel))
                return NOVA_BAD_CAP;
        const struct pd *owner = container_of(object, struct pd, object);
        const bool own_account = nova_id_flags(id) & NOVA_PD_ACCOUNT;
        if (own_account && REG_P4(self) < account_size())
                return NOVA_BAD_PAR;

        struct pd *pd;
        const enum nova_status status =
                pd_create(self->pd, owner->account, own_account ? REG_P4(self) : 0, &pd);
        if (status != NOVA_SUCCESS)
                return status;
        self->created_perms = (uint8_t)(owner_cap & NOVA_PERM_ALL);
        if (nova_crd_type(crd) != NOVA_CRD_OBJ || !nova_crd_perms(crd))
                return hypercall_publish(self, page, sel, &pd->object, self->created_perms);
        self->created = pd;
        self->grace_waits = false;
        hypercall_begin_initial_delegation(self, crd);
        self->cont = finish_hypercall_create_pd;
        return RESULT_CONTINUE;
}

/* Returns the reason why an EC was not created. A UTCB page in use takes precedence over all other
 * reasons. */
static cold_path enum nova_status hypercall_no_ec(const struct ec_config *config,
                                                  enum nova_status status)
{
        const bool taken =
                config->utcb_page && !mapping_is_free(&config->pd->memory.space, config->utcb_page);

        return taken ? NOVA_BAD_PAR : status;
}

/* Publishes a new EC, unless mail has ended self while TLBs were flushed for the UTCB. In this case
 * self's PD may already be empty, and must stay empty. */
static always_inline hypercall_result_t hypercall_publish_ec(struct ec *self,
                                                             struct capability_page *page,
                                                             word_t sel, struct ec *ec)
{
        if (unlikely(self->state != EC_READY))
                return hypercall_not_published(self, &ec->object, NOVA_BAD_CAP);
        const hypercall_result_t result =
                hypercall_publish(self, page, sel, &ec->object, NOVA_PERM_ALL);
        return likely(result == NOVA_SUCCESS) ? result_of(self, NOVA_SUCCESS) : result;
}

TARGET_OF_FIVE hypercall_result_t hypercall_create_ec(word_t id, struct ec *self)
{
        const word_t sel = nova_id_sel(id);
        const word_t utcb = REG_P3(self) & ~CPU_MASK, cpu = REG_P3(self) & CPU_MASK;

        hypercall_note_argument(self, id);
        if (!pd_may_use_cpu(self->pd, cpu))
                return NOVA_BAD_CPU;
        if (!utcb && !vcpu_ops)
                return NOVA_BAD_FTR;

        struct pd *pd = object_space_find_pd(self->pd, REG_P2(self), NOVA_PD_EC);
        if (!pd)
                return NOVA_BAD_CAP;
        if (utcb >= NOVA_USER_END)
                return NOVA_BAD_PAR;

        struct capability_page *page = object_space_page(&self->pd->object_space, sel);
        const struct ec_config config = {
                .pd = pd,
                .account = pd->account,
                .kind = !utcb                                ? EC_VCPU
                        : nova_id_flags(id) & NOVA_EC_GLOBAL ? EC_GLOBAL
                                                             : EC_LOCAL,
                .cpu = cpu_chosen(cpu),
                .utcb_page = utcb >> PAGE_BITS,
                .sp = REG_P4(self),
                .event_base = REG_P5(self),
                .counts_stolen_time = nova_id_flags(id) & NOVA_EC_TSC,
                .start = utcb ? block_on_startup : block_on_vcpu_startup,
        };
        if (capability_at(page, sel))
                return result_of(self, hypercall_no_ec(&config, NOVA_BAD_CAP));

        struct ec *ec;
        const enum nova_status status = ec_create(&config, &ec);
        if (unlikely(status != NOVA_SUCCESS))
                return result_of(self, hypercall_no_ec(&config, status));
        return hypercall_publish_ec(self, page, sel, ec);
}

TARGET_OF_FIVE hypercall_result_t hypercall_create_sc(word_t id, struct ec *self)
{
        const word_t sel = nova_id_sel(id);
        const nova_qpd_t qpd = REG_P4(self);
        const struct pd *pd = self->pd;
        const struct pd *owner = object_space_find_pd(pd, REG_P2(self), NOVA_PD_SC);
        struct ec *ec = object_space_find_ec(pd, REG_P3(self), NOVA_EC_SC);

        hypercall_note_argument(self, id);
        if (!owner || !ec || (ec->kind != EC_GLOBAL && ec->kind != EC_VCPU))
                return NOVA_BAD_CAP;
        if (!nova_qpd_prio(qpd) || !nova_qpd_quantum(qpd))
                return NOVA_BAD_PAR;
        if (!pd_may_use_prio(pd, nova_qpd_prio(qpd)))
                return NOVA_BAD_PAR;
        if (!pd_limit_has_cpu(pd, ec->cpu->id))
                return NOVA_BAD_CPU;
        struct capability_page *page = object_space_page(&pd->object_space, sel);
        if (capability_at(page, sel))
                return NOVA_BAD_CAP;

        struct sc *sc;
        const enum nova_status status = sc_create(owner->account, ec, nova_qpd_prio(qpd),
                                                  pd_cut_quantum(pd, nova_qpd_quantum(qpd)), &sc);
        if (status != NOVA_SUCCESS)
                return status;
        const hypercall_result_t result =
                hypercall_publish(self, page, sel, &sc->object, NOVA_PERM_ALL);
        if (unlikely(result != NOVA_SUCCESS))
                return result;
        sc_start(sc);
        return result_of(self, NOVA_SUCCESS);
}

TARGET_OF_FIVE hypercall_result_t hypercall_create_pt(word_t id, struct ec *self)
{
        const word_t sel = nova_id_sel(id);
        const struct pd *pd = self->pd;
        const struct pd *owner = object_space_find_pd(pd, REG_P2(self), NOVA_PD_PT);
        struct ec *ec = object_space_find_ec(pd, REG_P3(self), NOVA_EC_PT);

        hypercall_note_argument(self, id);
        if (!owner || !ec || ec->kind != EC_LOCAL)
                return NOVA_BAD_CAP;
        struct capability_page *page = object_space_page(&pd->object_space, sel);
        if (capability_at(page, sel))
                return NOVA_BAD_CAP;

        struct pt *pt;
        const enum nova_status status =
                pt_create(owner->account, ec, sel, REG_P4(self), REG_P5(self), &pt);
        if (unlikely(status != NOVA_SUCCESS))
                return status;
        return hypercall_publish(self, page, sel, &pt->object, NOVA_PERM_ALL);
}

indirect_target hypercall_result_t hypercall_create_sm(word_t id, struct ec *self)
{
        const word_t sel = nova_id_sel(id);
        const struct pd *pd = self->pd;
        const struct pd *owner = object_space_find_pd(pd, REG_P2(self), NOVA_PD_SM);
        struct capability_page *page = object_space_page(&pd->object_space, sel);

        hypercall_note_argument(self, id);
        if (!owner || capability_at(page, sel))
                return NOVA_BAD_CAP;

        struct sm *sm;
        const enum nova_status status = sm_create(owner->account, REG_P3(self), &sm);
        if (unlikely(status != NOVA_SUCCESS))
                return status;
        return hypercall_publish(self, page, sel, &sm->object, NOVA_PERM_ALL);
}

/* Decodes a CRD's range: clips the range to the caller's space, and takes object selectors modulo
 * SEL. */
static struct space *hypercall_decode_range(struct ec *self, nova_crd_t crd, word_t *first,
                                            word_t *last)
{
        struct space *space = pd_space(self->pd, nova_crd_type(crd));

        if (!space)
                return NULL;
        const word_t limit = space_limit(nova_crd_type(crd));
        *first = align_down(nova_crd_base(crd), nova_crd_order(crd));
        if (nova_crd_type(crd) == NOVA_CRD_OBJ)
                *first &= limit - 1;
        if (*first >= limit)
                return NULL;
        *last = *first + min_word((word_t)1 << nova_crd_order(crd), limit - *first) - 1;
        return space;
}

/* Does the remaining steps of a revocation. */
static indirect_target _Noreturn void finish_hypercall_revoke(struct ec *self)
{
        reap_begin(self);
        while (revocation_step(&self->revocation) == STEP_AGAIN)
                preemption_point(self, finish_hypercall_revoke);
        self->wait_status = NOVA_SUCCESS;
        resume_after_reap(self);
}

/* Runs a revocation that has begun. One step is usually enough. */
static hypercall_result_t hypercall_run_revocation(struct ec *self)
{
        reap_begin(self);
        if (likely(revocation_step(&self->revocation) == STEP_DONE))
                return reap(self, NOVA_SUCCESS);
        self->cont = finish_hypercall_revoke;
        return RESULT_CONTINUE;
}

/* Revokes the mappings derived from a range of memory or ports, usually without a walk. */
static __attribute__((noinline)) hypercall_result_t
hypercall_revoke_range(struct ec *self, struct space *space, word_t first, word_t last)
{
        const unsigned perms = nova_crd_perms(REG_P2(self));

        if (range_revoke(space, first, last, perms))
                return result_of(self, NOVA_SUCCESS);
        leave_if_ended(self); /* no thread would finish the revocation of an ended EC */
        revocation_begin(&self->revocation, space, first, last, perms, false);
        /* An interrupt window comes first, because range_revoke() may have done a whole step. */
        self->cont = finish_hypercall_revoke;
        return RESULT_CONTINUE;
}

indirect_target hypercall_result_t hypercall_revoke(word_t id, struct ec *self)
{
        const nova_crd_t crd = REG_P2(self);
        const bool self_too = nova_id_flags(id) & NOVA_REVOKE_SR;
        word_t first, last;
        struct space *space = hypercall_decode_range(self, crd, &first, &last);

        if (!space || !nova_crd_perms(crd))
                return NOVA_SUCCESS;
        if (nova_crd_type(crd) != NOVA_CRD_OBJ && !self_too)
                return hypercall_revoke_range(self, space, first, last);
        revocation_begin(&self->revocation, space, first, last, nova_crd_perms(crd), self_too);
        return hypercall_run_revocation(self);
}

/* Looks up an object. Its mapping has one selector, so the capability alone gives the whole
 * result. */
static nova_crd_t hypercall_lookup_object(const struct ec *self, word_t sel)
{
        const word_t at = sel & (((word_t)1 << NOVA_SEL_ORDER) - 1);
        const word_t capability = object_space_capability(&self->pd->object_space, at);

        return capability ? nova_crd(NOVA_CRD_OBJ, at, 0, capability & NOVA_PERM_ALL) : 0;
}

indirect_target hypercall_result_t hypercall_lookup(word_t id, struct ec *self)
{
        const nova_crd_t crd = REG_P2(self);
        const word_t sel = nova_crd_base(crd);
        nova_crd_t found = 0;

        (void)id;
        if (nova_crd_type(crd) == NOVA_CRD_OBJ) {
                found = hypercall_lookup_object(self, sel);
        } else {
                struct space *space = pd_space(self->pd, nova_crd_type(crd));
                if (space && sel < space_limit(space->type))
                        found = mapping_lookup(space, sel);
        }
        REG_P2(self) = found;
        return NOVA_SUCCESS;
}
