/* SPDX-License-Identifier: BSD-2-Clause */
/* The PDs of a round: makes them with their first threads, disturbs them, and ends them. */
#include "fuzzer.h"
#include "internal.h"

#define ACCOUNT_MIN 0xa000 /* 40 KiB */
#define LIMIT_US    2000
#define PIT_GSI     2
#define PIT_PORTS   0x40
#define STACKS      4 /* order of the pages of a PD's stacks */

static unsigned pds;       /* of this round */
static bool small[ARENAS]; /* PDs whose account pays for the event portals of one CPU only */

static word_t below(word_t n)
{
        return random_below(&fuzz_seed, n);
}

static void drop(nova_sel_t sel)
{
        hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR);
}

static void seed_records(void)
{
        for (unsigned arena = 0; arena < ARENAS; arena++)
                for (unsigned slot = 0; slot < SLOTS; slot++) {
                        struct suspect *s = suspect_at(arena, slot);
                        volatile char *bytes = (volatile char *)s;
                        for (size_t i = 0; i < sizeof(*s); i++)
                                bytes[i] = 0;
                        s->seed = ((uint64_t)random_next(&fuzz_seed) << 16 ^
                                   random_next(&fuzz_seed)) |
                                  1;
                        s->arena = arena;
                }
}

/* Makes PD i. Its account is cut from that of the root PD, or of another PD that exists. */
static void make_pd(unsigned i)
{
        const nova_sel_t pd = group + SEL_PD + i;
        small[i] = i && below(3) == 0;
        const nova_sel_t owner = i && below(3) == 0 ? group + SEL_PD + below(i) : ROOT_PD;
        const word_t bytes = ACCOUNT_MIN + (small[i] ? below(0x8000) : 0x10000 + below(0x60000));
        struct args a = {nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, pd), owner,
                         nova_crd(NOVA_CRD_OBJ, group, small[i] ? 5 : GROUP_ORDER, ALL), bytes, 0};
        struct args limit = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, pd),
                             NOVA_EXT_PD_LIMIT, nova_qpd(LIMIT_US, PRIO), ~(word_t)0, ~(word_t)0};

        hc_pd_destroy(pd); /* the earlier PD could live on if only its capability were dropped */
        drop(pd);
        if (hypercall(&a) == NOVA_SUCCESS)
                EXPECT_EQ(hypercall(&limit), NOVA_SUCCESS);
}

/* Makes a thread of PD i, or a virtual CPU. A PD whose account has no memory left gets none. */
static void make_thread(unsigned i)
{
        const nova_sel_t pd = group + SEL_PD + i;
        const nova_sel_t sc = group + SEL_SC + below(ZONE);
        const unsigned slot = (unsigned)below(SLOTS),
                       cpu = small[i] ? 0 : (unsigned)below(plan.cpus);
        const bool local = below(3) == 0;
        const nova_sel_t ec = group + (local ? SEL_LOCAL : SEL_GLOBAL) + below(HALF);
        const word_t place = utcb_of(i, slot) | plan.cpu[cpu];

        drop(ec);
        if (hc_create_ec(ec, pd, place, stack_of(i, slot), EVENTS * cpu,
                         local ? 0 : NOVA_EC_GLOBAL) != NOVA_SUCCESS)
                return;
        if (local) {
                const nova_sel_t pt = group + SEL_PT + below(ZONE);
                drop(pt);
                hc_create_pt(pt, pd, ec, random_next(&fuzz_seed) & MTD_ALLOWED,
                             (word_t)suspect_portal);
        } else {
                drop(sc);
                hc_create_sc(sc, pd, ec, nova_qpd(100 + below(1000), PRIO));
        }
}

static void make_guest(unsigned i)
{
        const nova_sel_t ec = group + SEL_VCPU + below(8), sc = group + SEL_SC + below(ZONE);

        if (!plan.guests)
                return;
        drop(ec);
        drop(sc);
        if (hc_create_ec(ec, group + SEL_PD + i, plan.cpu[0], 0, SEL_GUEST, 0) == NOVA_SUCCESS)
                hc_create_sc(sc, group + SEL_PD + i, ec, nova_qpd(100, PRIO));
}

void crowd_make(void)
{
        seed_records();
        guest_code();
        pds = 2 + (unsigned)below(ARENAS - 1);
        request(obj(NOVA_SEL_GSI_SM + PIT_GSI, ALL), group + SEL_SM);
        hc_sm_until(group + SEL_SM, NOVA_SM_ZC, 0);
        for (unsigned i = 1; i < 12; i++)
                hc_create_sm(group + SEL_SM + i, ROOT_PD, below(3));
        for (unsigned i = 0; i < pds; i++)
                make_pd(i);
        for (unsigned n = 0; n < 4; n++)
                for (unsigned i = 0; i < pds; i++)
                        make_thread(i);
        make_guest((unsigned)below(pds));
}

static bool there(nova_sel_t sel)
{
        return look(NOVA_CRD_OBJ, sel) != 0;
}

static void poke_once(void)
{
        const unsigned i = (unsigned)below(pds);

        switch (below(10)) {
        case 0:
        case 1:
                hc_sm_ctrl(group + SEL_SM + below(12), NOVA_SM_UP_OP);
                return;
        case 2:
                hc_ec_ctrl(group + (below(2) ? SEL_EC + below(ZONE) : SEL_VCPU + below(8)));
                return;
        case 3:
                timer_shot(20 + (unsigned)below(200));
                return;
        case 4:
                hc_revoke(mem((plan.shared >> NOVA_PAGE_BITS) + (below(16) & ~(word_t)3),
                              (unsigned)below(3), NOVA_MEM_RWX),
                          0);
                return;
        case 5:
                hc_revoke(mem((word_t)suspect_at(i, 0) >> NOVA_PAGE_BITS, STACKS, NOVA_MEM_RWX), 0);
                return;
        case 6:
                hc_revoke(nova_crd(NOVA_CRD_OBJ, group + SEL_SM + below(0x20) * 4, 2,
                                   !plan.compares || below(3) ? ALL : (unsigned)below(ALL)),
                          below(2) ? NOVA_REVOKE_SR : 0);
                hc_create_sm(group + SEL_SM + 1 + below(11), ROOT_PD, below(3));
                return;
        case 7:
                make_guest(i);
                return;
        default:
                if (!there(group + SEL_PD + i) || below(64) == 0)
                        make_pd(i);
                make_thread(i);
                return;
        }
}

void crowd_poke(void)
{
        for (word_t n = 1 + below(6); n; n--)
                poke_once();
}

void crowd_thin(void)
{
        for (unsigned i = 0; i < pds; i++)
                if (below(3) == 0)
                        hc_pd_destroy(group + SEL_PD + i);
}

void crowd_end(void)
{
        for (unsigned i = 0; i < pds; i++)
                hc_pd_destroy(group + SEL_PD + i);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, group + SEL_SM, 9, ALL), NOVA_REVOKE_SR);
}

word_t crowd_calls(void)
{
        word_t n = 0;

        for (unsigned arena = 0; arena < ARENAS; arena++)
                for (unsigned slot = 0; slot < SLOTS; slot++)
                        n += suspect_at(arena, slot)->calls;
        return n;
}
