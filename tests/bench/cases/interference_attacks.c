/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks of bench-interference: longer arguments, virtual CPUs, control, devices, extensions. */
#include "interference.h"

#define ITEMS     NOVA_UTCB_TYPED_MAX
#define TABLES    16 /* number of tables that fit into the account */
#define FAR_ORDER 12
#if __SIZEOF_POINTER__ == 8
#define SPACE_ORDER 31
#define TABLE_PAGES ((word_t)1 << 18) /* pages that a table of the second level covers */
#else
#define SPACE_ORDER 20
#define TABLE_PAGES ((word_t)1 << 10)
#endif

static void drop(nova_sel_t sel)
{
        attack_must(hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR));
}

/* Reports an error to the case if a capability was not delegated. */
static void expect(nova_crd_t crd)
{
        nova_crd_t found = 0;

        attack_must(hc_lookup(crd, &found));
        attack_must(found == crd ? NOVA_SUCCESS : NOVA_BAD_CAP);
}

/* ---- Longer arguments ------------------------------------------------------------------------ */

void attack_call_words(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                t->utcb->items = nova_utcb_items(NOVA_UTCB_WORDS, 0);
                attack_must(hc_call(OWN_PORTAL, 0));
        }
        t->utcb->items = 0;
}

static void put_item(struct thread *t, unsigned i, nova_crd_t crd, nova_sel_t hot)
{
        attack_put_item(t, i, crd, 0, hot);
}

/* Delegates the page to many places of the root PD, and takes it back. */
void attack_revoke_many(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                const word_t before = attack_used(ROOT_ACCOUNT);
                for (unsigned n = 0; n < ITEMS; n++)
                        put_item(t, n, mem(page_of(attack.shared), 0, NOVA_MEM_R), WINDOW + n);
                t->utcb->items = nova_utcb_items(0, ITEMS);
                attack_must(hc_call(CHILD_WAY_SEL, 0));
                attack_note_received(t, ROOT_ACCOUNT, before);
                attack_must(hc_revoke(mem(page_of(attack.shared), 0, NOVA_MEM_R), 0));
        }
}

/* Delegates the page to places of the attacker's PD that each need a page table. Takes it back. */
void attack_revoke_tables(struct thread *t)
{
        attack.taker->utcb->delegate_window = mem(0, SPACE_ORDER, NOVA_MEM_RWX);
        for (unsigned i = 0; i < attack.times; i++) {
                for (unsigned n = 0; n < TABLES; n++)
                        put_item(t, n, mem(page_of(attack.shared), 0, NOVA_MEM_R),
                                 (n + 1) * TABLE_PAGES);
                t->utcb->items = nova_utcb_items(0, TABLES);
                attack_must(hc_call(OWN_TAKER, 0));
                expect(mem(TABLES * TABLE_PAGES, 0, NOVA_MEM_R));
                attack_must(hc_revoke(mem(page_of(attack.shared), 0, NOVA_MEM_R), 0));
        }
}

/* Makes a chain of delegations in the attacker's PD, and revokes its first capability. */
void attack_revoke_chain(struct thread *t)
{
        attack.taker->utcb->delegate_window = nova_crd(NOVA_CRD_OBJ, 0, NOVA_SEL_ORDER, ALL);
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(hc_create_sm(FAR, OWN_PD, 0));
                for (unsigned n = 0; n < ITEMS; n++)
                        put_item(t, n, obj(FAR + n, ALL), FAR + n + 1);
                t->utcb->items = nova_utcb_items(0, ITEMS);
                attack_must(hc_call(OWN_TAKER, 0));
                expect(obj(FAR + ITEMS, ALL));
                drop(FAR);
        }
}

/* Fills the account with semaphores, and revokes them as one range. */
void attack_revoke_range(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                word_t n = 0;
                while (hc_create_sm(FAR + n, OWN_PD, 0) == NOVA_SUCCESS)
                        n++;
                attack.filled = n;
                attack_must(hc_revoke(nova_crd(NOVA_CRD_OBJ, FAR, FAR_ORDER, ALL), NOVA_REVOKE_SR));
        }
}

/* Revokes the attacker's memory and objects from other PDs, which have received none of them. */
void attack_revoke_all(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(hc_revoke(mem(0, SPACE_ORDER, NOVA_MEM_RWX), 0));
                attack_must(hc_revoke(nova_crd(NOVA_CRD_OBJ, 0, NOVA_SEL_ORDER, ALL), 0));
        }
}

/* ---- Control, devices and extensions --------------------------------------------------------- */

static void create_vcpus(unsigned cpu)
{
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(hc_create_ec(NEW, OWN_PD, cpu, 0, 0, 0));
                drop(NEW);
        }
}

void attack_create_vcpu(struct thread *t)
{
        create_vcpus(t->cpu);
}

void attack_create_vcpu_far(struct thread *t)
{
        (void)t;
        create_vcpus(cpu_numbers[2]);
}

void attack_ec_ctrl_far(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                attack_must(hc_ec_ctrl(FAR_THREAD));
}

void attack_sc_ctrl(struct thread *t)
{
        uint64_t time;

        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                attack_must(hc_sc_ctrl(FAR_SC, &time));
}

/* Waits with deadlines in the past and in the near future, in turn. */
void attack_sm_until(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                const uint64_t deadline = i % 2 ? tsc() + attack.soon : 1;
                if (hc_sm_until(OWN_SM, NOVA_SM_DN_OP, deadline) != NOVA_COM_TIM)
                        attack_must(NOVA_BAD_PAR);
        }
}

void attack_assign_pci(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                attack_must(hc_assign_pci(OWN_PD, attack.config, attack.function));
}

/* Routes the interrupts of the attacker's device to the thread's CPU and to the guest's CPU, in
 * turn. */
void attack_assign_gsi(struct thread *t)
{
        word_t address, data;

        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                attack_must(hc_assign_gsi(OWN_GSI, attack.config, cpu_numbers[1 + i % 2], &address,
                                          &data));
}

static word_t extension(word_t group, word_t operation, nova_sel_t sel, word_t a3, word_t a4)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, group, sel), operation, a3, a4, 0};

        return hypercall(&a);
}

void attack_pd_limit(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                attack_must(extension(NOVA_EXT_OBJECT, NOVA_EXT_PD_LIMIT, OWN_CHILD,
                                      nova_qpd(PRIO_LOW, QUANTUM), 0xff));
}

void attack_quota(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(extension(NOVA_EXT_QUOTA, NOVA_EXT_QUOTA_GIVE, OWN_CHILD,
                                      NOVA_PAGE_SIZE, OWN_PD));
                attack_must(extension(NOVA_EXT_QUOTA, NOVA_EXT_QUOTA_TAKE, OWN_CHILD,
                                      NOVA_PAGE_SIZE, 0));
                attack_must(extension(NOVA_EXT_QUOTA, NOVA_EXT_QUOTA_QUERY, OWN_CHILD, 0, 0));
        }
}

void attack_tls(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                attack_must(extension(NOVA_EXT_THREAD, NOVA_EXT_THREAD_TLS, 0, 0, 0));
}

void attack_names(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(extension(NOVA_EXT_OBJECT, NOVA_EXT_NAME_SET, OWN_THREAD, 0x41, 0));
                attack_must(extension(NOVA_EXT_OBJECT, NOVA_EXT_NAME_GET, OWN_THREAD, 0, 0));
        }
}

void attack_ec_receive(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                attack_must(extension(NOVA_EXT_OBJECT, NOVA_EXT_EC_RECEIVE, OWN_THREAD,
                                      NOVA_EC_RECEIVE_ALL, 0));
}
