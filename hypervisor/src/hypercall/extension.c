/* SPDX-License-Identifier: BSD-2-Clause */
/* Extensions: hypercalls that the interface of 2012 answers with BAD_HYP. The flags name the group,
 * argument 2 the operation. */
#include "hypercall/dispatch.h"

#include "firmware/power.h"
#include "ipc/item.h"
#include "lib/string.h"
#include "object/ec.h"
#include "object/name.h"
#include "object/pd.h"
#include "object/reap.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "thread.h"
#include "tls.h"

/* Returns the PD at argument 1 for an operation on the whole PD. The operation needs all
 * permissions. */
static struct pd *extension_find_whole_pd(struct ec *self)
{
        return object_space_find_pd(self->pd, nova_id_sel(REG_P1(self)), NOVA_PERM_ALL);
}

/* Returns the PD at argument 1 if pd_destroy has begun on it and the caller has all permissions,
 * else NULL. */
static struct pd *extension_find_destroyed_pd(struct ec *self)
{
        const word_t sel = nova_id_sel(REG_P1(self));
        const word_t capability = object_space_capability(&self->pd->object_space, sel);
        struct kobject *object = (struct kobject *)(capability & ~(word_t)NOVA_PERM_ALL);

        if (NOVA_PERM_ALL & ~capability || object->kind != OBJECT_PD || !load_once(object->dead))
                return NULL;

        struct pd *pd = container_of(object, struct pd, object);
        return pd->destroyed ? pd : NULL;
}

/* Does the rest of a PD's destruction, which another thread has begun. The other thread may have a
 * lower priority, so self does not wait for it. The other thread's CPU ends the objects that die in
 * the other thread's steps. */
static indirect_target _Noreturn void extension_finish_pd_destroy(struct ec *self)
{
        const struct cpu *cpu = self->cpu;
        struct pd *pd;

        reap_begin(self);
        for (;;) {
                pd = extension_find_destroyed_pd(self); /* another thread may have revoked it */
                if (!pd || pd_has_ended(pd))
                        break;
                if (reclaim_is_full(cpu))
                        reclaim_wait_step(self);
                else if (cpu->dying_count > self->reap_floor)
                        object_reap();
                else
                        pd_end_step(pd);
                preemption_point(self, extension_finish_pd_destroy);
        }
        self->wait_status = pd ? NOVA_SUCCESS : NOVA_BAD_CAP;
        resume_after_reap(self);
}

/* Begins the end of a PD. reap() does the rest in steps. If the caller itself ends meanwhile, this
 * CPU does the remaining steps at its scheduling decisions. */
static hypercall_result_t extension_pd_destroy(struct ec *self)
{
        struct pd *pd = extension_find_whole_pd(self);

        reap_begin(self);
        if (pd && pd_destroy_begin(pd))
                return reap(self, NOVA_SUCCESS);
        pd = extension_find_destroyed_pd(self);
        if (!pd || pd_has_ended(pd)) {
                self->reap_floor = EC_REAPS_NOTHING;
                return NOVA_BAD_CAP;
        }
        self->grace_waits = false;
        self->cont = extension_finish_pd_destroy;
        return RESULT_CONTINUE;
}

/* Raises a quota. The caller needs a capability, with NOVA_PD_PD, for a PD that uses the parent
 * account. */
static enum nova_status extension_quota_give(struct ec *self, const struct pd *pd)
{
        const struct pd *payer = object_space_find_pd(self->pd, REG_P4(self), NOVA_PD_PD);

        if (!payer || payer->account != pd->account->parent)
                return NOVA_BAD_CAP;
        return account_give(pd->account, REG_P3(self)) ? NOVA_SUCCESS : NOVA_OUT_OF_MEMORY;
}

static enum nova_status extension_quota_query(struct ec *self, const struct pd *pd)
{
        REG_P2(self) = load_once(pd->account->used);
        REG_P3(self) = load_once(pd->account->limit);
        return NOVA_SUCCESS;
}

static enum nova_status extension_quota(struct ec *self)
{
        const word_t operation = REG_P2(self);

        if (operation > NOVA_EXT_QUOTA_QUERY)
                return NOVA_BAD_HYP;

        const unsigned perms = operation == NOVA_EXT_QUOTA_QUERY ? 0 : NOVA_PERM_ALL;
        const struct pd *pd = object_space_find_pd(self->pd, nova_id_sel(REG_P1(self)), perms);
        if (!pd)
                return NOVA_BAD_CAP;
        if (operation == NOVA_EXT_QUOTA_QUERY)
                return extension_quota_query(self, pd);
        if (!pd_has_account(pd))
                return NOVA_BAD_PAR;
        if (operation == NOVA_EXT_QUOTA_GIVE)
                return extension_quota_give(self, pd);
        return account_take(pd->account, REG_P3(self)) ? NOVA_SUCCESS : NOVA_OUT_OF_MEMORY;
}

/* Returns the object at argument 1 if objects of its kind can have a name, else NULL. */
static struct kobject *extension_find_named(struct ec *self, unsigned perms)
{
        const word_t capability =
                object_space_capability(&self->pd->object_space, nova_id_sel(REG_P1(self)));

        for (enum object_kind kind = OBJECT_PD; kind <= OBJECT_SM; kind++) {
                struct kobject *object = capability_object(capability, kind, perms);
                if (object)
                        return object_name(object) ? object : NULL;
        }
        return NULL;
}

static enum nova_status extension_name_set(struct ec *self)
{
        struct kobject *object = extension_find_named(self, NOVA_PERM_ALL);
        char name[NOVA_NAME_SIZE];

        if (!object)
                return NOVA_BAD_CAP;
        thread_read_name(self, name);
        if (object->kind == OBJECT_PD)
                return pd_name_once(container_of(object, struct pd, object), name) ? NOVA_SUCCESS
                                                                                   : NOVA_BAD_PAR;
        memcpy(object_name(object), name, sizeof(name));
        if (object->kind == OBJECT_EC && self->pd->is_root)
                container_of(object, struct ec, object)->named_by_root = true;
        return NOVA_SUCCESS;
}

static enum nova_status extension_name_get(struct ec *self)
{
        struct kobject *object = extension_find_named(self, 0);

        if (!object)
                return NOVA_BAD_CAP;
        thread_write_name(self, object_name(object));
        return NOVA_SUCCESS;
}

static enum nova_status extension_pd_limit(struct ec *self)
{
        struct pd *pd = extension_find_whole_pd(self);
        const uint32_t cpus[] = {(uint32_t)REG_P4(self), (uint32_t)REG_P5(self)};

        if (!pd)
                return NOVA_BAD_CAP;
        pd_lower_limit(pd, REG_P3(self), cpus);
        return NOVA_SUCCESS;
}

static enum nova_status extension_ec_receive(struct ec *self)
{
        struct ec *ec = object_space_find_ec(self->pd, nova_id_sel(REG_P1(self)), NOVA_PERM_ALL);

        if (!ec)
                return NOVA_BAD_CAP;
        item_limit(ec, REG_P3(self));
        return NOVA_SUCCESS;
}

static hypercall_result_t extension_object(struct ec *self)
{
        switch (REG_P2(self)) {
        case NOVA_EXT_PD_DESTROY:
                return extension_pd_destroy(self);
        case NOVA_EXT_NAME_SET:
                return extension_name_set(self);
        case NOVA_EXT_NAME_GET:
                return extension_name_get(self);
        case NOVA_EXT_PD_LIMIT:
                return extension_pd_limit(self);
        case NOVA_EXT_EC_RECEIVE:
                return extension_ec_receive(self);
        default:
                return NOVA_BAD_HYP;
        }
}

static indirect_target _Noreturn void extension_thread_exit(struct ec *self)
{
        struct cpu *cpu = self->cpu;

        while (!ec_end_scs(self))
                preemption_point(self, extension_thread_exit);
        ec_end(self);
        resume_reschedule(cpu);
}

static enum nova_status extension_thread_tls(struct ec *self)
{
        const word_t base = REG_P3(self);

        if (!tls_is_valid(base))
                return NOVA_BAD_PAR;
        self->tls = base;
        self->special = (uint8_t)((self->special & ~SPECIAL_TLS) | (base ? SPECIAL_TLS : 0));
        tls_switch(self->cpu, self);
        return NOVA_SUCCESS;
}

static enum nova_status extension_thread(struct ec *self)
{
        switch (REG_P2(self)) {
        case NOVA_EXT_THREAD_EXIT:
                extension_thread_exit(self);
                break;
        case NOVA_EXT_THREAD_TLS:
                return extension_thread_tls(self);
        default:
                return NOVA_BAD_HYP;
        }
}

static enum nova_status extension_machine(struct ec *self)
{
        const word_t operation = REG_P2(self);

        if (operation > NOVA_EXT_MACHINE_OFF)
                return NOVA_BAD_HYP;
        if (!self->pd->is_root)
                return NOVA_BAD_CAP;
        if (operation == NOVA_EXT_MACHINE_RESET)
                power_reset();
        power_off();
        return NOVA_BAD_FTR;
}

hypercall_result_t hypercall_extension(word_t id, struct ec *self)
{
        switch (nova_id_flags(id)) {
        case NOVA_EXT_QUOTA:
                return extension_quota(self);
        case NOVA_EXT_OBJECT:
                return extension_object(self);
        case NOVA_EXT_MACHINE:
                return extension_machine(self);
        case NOVA_EXT_THREAD:
                return extension_thread(self);
        default:
                return NOVA_BAD_HYP;
        }
}
