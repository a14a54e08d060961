/* SPDX-License-Identifier: BSD-2-Clause */
/* Delegates from the program to itself (see mapper.h). */
#include "memory/mapper.h"

#include <errno.h>

#include "nova/crd.h"
#include "nova/portal.h"
#include "nova/utcb.h"
#include "novart/error.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "selector/lock.h"

struct mapper {
        uint32_t utcb_page; /* page number of its UTCB; 0: none */
        uint32_t ec;        /* selector of its EC; its portal is the next one */
        bool ready;
};

/* `lock` protects mapper[] and each use of a mapper, because each use sets the window. */
static struct mapper mapper[NOVA_CPU_MAX];
static struct lock lock;

/* True once the main thread has its storage base. */
static bool tls_ready;

void novart_mapper_tls_ready(void)
{
        tls_ready = true;
}

static struct nova_utcb *own_utcb(void)
{
        if (tls_ready)
                return nova_thread_utcb();
        return nova_program_is_root()
                       ? (struct nova_utcb *)((nova_word_t)nova_program.hip - NOVA_PAGE_SIZE)
                       : (struct nova_utcb *)nova_program.start->utcb;
}

static nova_word_t own_cpu(void)
{
        return tls_ready ? nova_thread_cpu() : nova_program.cpu;
}

/* Creates the thread and the portal of a mapper when they are first needed, because many children
 * never use a mapper. */
static int make_ready(struct mapper *own, nova_word_t cpu)
{
        const nova_word_t utcb = (nova_word_t)own->utcb_page << NOVA_PAGE_BITS;
        enum nova_status status;

        if (own->ready)
                return 0;
        status = nova_create_ec(own->ec, nova_program.pd, utcb, cpu, utcb, 0, 0);
        if (status != NOVA_SUCCESS)
                return nova_errno_of(status);
        status = nova_create_pt(own->ec + 1, nova_program.pd, own->ec, 0,
                                NOVA_ADDRESS(novart_mapper_entry));
        own->ready = status == NOVA_SUCCESS;
        if (!own->ready)
                nova_revoke(nova_crd_obj(own->ec, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        return nova_errno_of(status);
}

static void set(nova_word_t cpu, nova_word_t utcb, nova_sel_t ec)
{
        mapper[cpu].ec = (uint32_t)ec;
        __atomic_store_n(&mapper[cpu].utcb_page, (uint32_t)(utcb >> NOVA_PAGE_BITS),
                         __ATOMIC_RELEASE);
}

int novart_mapper_start(nova_word_t utcb)
{
        const nova_sel_t sm = nova_sel_alloc(0), ec = nova_sel_alloc(1);

        if (sm == NOVA_SEL_NONE || ec == NOVA_SEL_NONE ||
            lock_init(&lock, sm, nova_program.pd) != NOVA_SUCCESS)
                return EAGAIN;
        set(nova_program.cpu, utcb, ec);
        return 0;
}

/* Makes the mapper of a CPU on which no thread runs yet. */
static int make_at(nova_word_t cpu, nova_word_t utcb, nova_sel_t ec)
{
        set(cpu, utcb, ec);

        const int error = make_ready(&mapper[cpu], cpu);

        if (error)
                mapper[cpu].utcb_page = 0;
        return error;
}

int novart_mapper_prepare(nova_word_t cpu)
{
        int error = 0;

        if (__atomic_load_n(&mapper[cpu].utcb_page, __ATOMIC_ACQUIRE))
                return 0;

        void *utcb = nova_region_reserve(NOVA_PAGE_SIZE);
        const nova_sel_t ec = nova_sel_alloc(1);

        if (!utcb || ec == NOVA_SEL_NONE) {
                error = EAGAIN;
        } else {
                novart_lock_touch_stack();
                lock_take(&lock);
                error = mapper[cpu].utcb_page ? EALREADY : make_at(cpu, (nova_word_t)utcb, ec);
                lock_drop(&lock);
        }
        if (!error)
                return 0;
        if (ec != NOVA_SEL_NONE)
                nova_sel_release(ec, 1);
        if (utcb)
                nova_region_free(utcb);
        return error == EALREADY ? 0 : error;
}

/* Returns the largest window of a type that contains a selector. The hotspot alone determines the
 * destination in it. */
static nova_crd_t window(unsigned type, nova_sel_t to)
{
        if (type != NOVA_CRD_MEM)
                return nova_crd_all(type);
        return nova_crd_mem(to & ~(((nova_sel_t)1 << NOVA_CRD_ORDER_MAX) - 1), NOVA_CRD_ORDER_MAX,
                            NOVA_PERM_ALL);
}

/* Sends one item. The caller's message, which may be incomplete, is preserved: the item uses the
 * last two words, and these are restored. */
int novart_mapper_send(nova_crd_t crd, nova_sel_t to, nova_word_t flags)
{
        struct nova_utcb *const utcb = own_utcb();
        const nova_word_t cpu = own_cpu();
        struct mapper *const own = &mapper[cpu];
        struct nova_utcb *const inbox =
                (struct nova_utcb *)((nova_word_t)own->utcb_page << NOVA_PAGE_BITS);
        const unsigned last = nova_utcb_item_index(0);
        const nova_word_t items = utcb->items, first = utcb->word[last],
                          second = utcb->word[last + 1];

        lock_take(&lock);

        const int error = make_ready(own, cpu);

        if (error) {
                lock_drop(&lock);
                return error;
        }
        inbox->word[last] = 0;
        nova_utcb_set_windows(inbox, 0, window(nova_crd_type(crd), to));
        nova_utcb_clear(utcb);
        nova_utcb_delegate(utcb, crd, to, flags);

        const enum nova_status status = nova_call(own->ec + 1, 0);
        const nova_crd_t came = inbox->word[last];

        lock_drop(&lock);
        utcb->items = items;
        utcb->word[last] = first;
        utcb->word[last + 1] = second;
        if (status != NOVA_SUCCESS)
                return nova_errno_of(status);
        return nova_crd_type(came) == nova_crd_type(crd) ? 0 : ENOMEM;
}

/* Returns true if the program holds a selector with at least these permissions. */
static bool holds(unsigned type, nova_sel_t sel, unsigned perms)
{
        nova_crd_t crd = nova_crd(type, sel, 0, 0);

        nova_lookup(&crd);
        return nova_crd_type(crd) == type && (nova_crd_perms(crd) & perms) == perms;
}

/* Sends an item, and checks whether the first and the last selector of the range arrived. */
static int send_checked(nova_crd_t crd, nova_sel_t to, nova_word_t flags)
{
        const unsigned type = nova_crd_type(crd), perms = nova_crd_perms(crd);
        const int error = novart_mapper_send(crd, to, flags);

        if (error)
                return error;
        return holds(type, to, perms) && holds(type, to + nova_crd_count(crd) - 1, perms) ? 0
                                                                                          : EACCES;
}

int novart_mapper_request(nova_crd_t crd, nova_sel_t to)
{
        if (!nova_program_is_root())
                return EPERM;

        /* Objects of several kinds have different permissions, so any permission is enough. */
        if (nova_crd_type(crd) == NOVA_CRD_OBJ)
                return novart_mapper_send(crd, to, NOVA_ITEM_H);
        return send_checked(crd, to, NOVA_ITEM_H);
}

int novart_mapper_map(nova_word_t from_page, nova_word_t to_page, unsigned order, unsigned perms)
{
        return send_checked(nova_crd_mem(from_page, order, perms), to_page, 0);
}

int nova_request(nova_crd_t crd, nova_sel_t to)
{
        novart_lock_touch_stack();
        return novart_mapper_request(crd, to);
}

int nova_self_map(nova_word_t from_page, nova_word_t to_page, unsigned order, unsigned perms)
{
        novart_lock_touch_stack();
        return novart_mapper_map(from_page, to_page, order, perms);
}
