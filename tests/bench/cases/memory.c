/* SPDX-License-Identifier: BSD-2-Clause */
/* The number of objects of each kind that the kernel's pool holds; two pool sizes give the bytes
 * that one object needs. */
#include "bench.h"

#define MANY_ORDER 17
#define MANY       ((word_t)1 << MANY_ORDER)
#define FIRST_PAGE 0x70000 /* addresses with no other use */
#define ALL_ORDER  20

static nova_sel_t base;
static nova_sel_t thread_ec;

typedef word_t make_fn(word_t n);

static word_t make_sm(word_t n)
{
        return hc_create_sm(base + n, ROOT_PD, 0);
}

static word_t make_pt(word_t n)
{
        return hc_create_pt(base + n, ROOT_PD, thread_ec, 0, 0);
}

static word_t make_pd(word_t n)
{
        return hc_create_pd(base + n, ROOT_PD, 0);
}

static word_t make_ec(word_t n)
{
        const word_t utcb = (FIRST_PAGE + n) << NOVA_PAGE_BITS;

        return hc_create_ec(base + n, ROOT_PD, utcb | boot_cpu, 0, 0, NOVA_EC_GLOBAL);
}

static word_t make_ec_and_sc(word_t n)
{
        const word_t status = make_ec(2 * n);

        if (status != NOVA_SUCCESS)
                return status;
        return hc_create_sc(base + 2 * n + 1, ROOT_PD, base + 2 * n,
                            nova_qpd(QUANTUM, PRIO_LOW / 2));
}

static void count(const char *key, make_fn *make)
{
        word_t n = 0;

        while (n < MANY && make(n) == NOVA_SUCCESS)
                n++;
        EXPECT(n < MANY);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, base, MANY_ORDER, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        console_string("count ");
        console_string(key);
        console_char(' ');
        console_dec(n);
        console_char('\n');
}

static struct thread *delegator;
static nova_crd_t delegated;

/* Makes one more copy within the PD, at place n. */
static word_t delegate(word_t n)
{
        const unsigned type = nova_crd_type(delegated);
        const nova_sel_t to = type == NOVA_CRD_OBJ ? base + n : FIRST_PAGE + n;

        send(delegator, delegated, item_upper(NOVA_ITEM_DELEGATE, to));
        return look(type, to) ? NOVA_SUCCESS : NOVA_OUT_OF_MEMORY;
}

static void count_delegations(const char *key, nova_crd_t crd)
{
        delegated = crd;
        windows(delegator, 0, nova_crd(nova_crd_type(crd), 0, ALL_ORDER, NOVA_PERM_ALL));
        count(key, delegate);
        hc_revoke(crd, 0);
}

static const char *needs_out_of_memory(void)
{
        return hip->features & NOVA_HIP_OOM ? NULL : "needs the status OUT_OF_MEMORY";
}

CASE_ON(memory, objects, "", needs_out_of_memory)
{
        case_seconds(300);
        base = sel_far(MANY_ORDER);
        delegator = server(boot_cpu);
        thread_ec = delegator->ec;
        count("sm", make_sm);
        count("pt", make_pt);
        count("pd", make_pd);
        count("ec", make_ec);
        count("ec_and_sc", make_ec_and_sc);
        count_delegations("capability", obj(semaphore(0), NOVA_PERM_ALL));
        count_delegations("mapping", mem(page_of(memory(0)), 0, NOVA_MEM_RWX));
}
