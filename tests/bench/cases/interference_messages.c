/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks of bench-interference: messages that charge the receiver's account, translations,
 * messages with ports, and a call to another CPU. */
#include "interference.h"

#define ITEMS       NOVA_UTCB_TYPED_MAX
#define RANGE       0x80000 /* first of the attacker's pages that all map one page */
#define RANGE_ORDER 10
#define RANGES      8 /* items of a message; a full message would cost the same per item */
#if __SIZEOF_POINTER__ == 8
#define APART      ((word_t)1 << 18) /* pages that a table of the second level covers */
#define ITEM_ORDER 7
#else
#define APART      ((word_t)1 << 10)
#define ITEM_ORDER 6
#endif
#define PIECES_ORDER    10
#define DEPTH           990 /* the limit, 1,000, also counts earlier delegations of the page */
#define SELECTORS_APART ((word_t)1 << 12)

word_t attack_used(nova_sel_t pd)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, pd),
                         NOVA_EXT_QUOTA_QUERY, 0, 0, 0};

        attack_must(hypercall(&a));
        return a.a2;
}

void attack_note_received(struct thread *t, nova_sel_t pd, word_t before)
{
        const word_t now = attack_used(pd);

        if (now > before && now - before > t->value[VALUE_RECEIVED])
                t->value[VALUE_RECEIVED] = now - before;
}

void attack_put_item(struct thread *t, unsigned i, nova_crd_t crd, word_t flags, nova_sel_t hot)
{
        t->utcb->word[nova_utcb_item_index(i)] = crd;
        t->utcb->word[nova_utcb_item_index(i) + 1] = item_upper(NOVA_ITEM_DELEGATE | flags, hot);
}

/* Sends the items in the message to the receiver, and notes what they cost it. */
static void send_items(struct thread *t, nova_sel_t pt, unsigned items)
{
        const word_t before = attack_used(RECEIVER_ACCOUNT);

        t->utcb->items = nova_utcb_items(0, items);
        attack_must(hc_call(pt, 0));
        attack_note_received(t, RECEIVER_ACCOUNT, before);
}

/* ---- The receiver's account ------------------------------------------------------------------ */

void attack_receive_objects(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                for (unsigned n = 0; n < ITEMS; n++)
                        attack_put_item(t, n, obj(OWN_SM, ALL), 0, (n + 1) * SELECTORS_APART);
                send_items(t, RECEIVER_OBJ, ITEMS);
                attack_must(hc_revoke(obj(OWN_SM, ALL), 0));
        }
}

/* Sends pages. The receiver needs new tables for each of them: for programs, devices and guests. */
void attack_receive_pages(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                for (unsigned n = 0; n < ITEMS; n++)
                        attack_put_item(t, n, mem(page_of(attack.shared), 0, NOVA_MEM_R),
                                        NOVA_ITEM_D | NOVA_ITEM_G, (n + 1) * APART);
                send_items(t, RECEIVER_MEM, ITEMS);
                attack_must(hc_revoke(mem(page_of(attack.shared), 0, NOVA_MEM_R), 0));
        }
}

/* Maps the shared page at each page of RANGE, so that each page of RANGE has its own mapping. */
static void map_range(struct thread *t)
{
        attack.taker->utcb->delegate_window = mem(0, SPACE_ORDER, NOVA_MEM_RWX);
        for (unsigned page = 0; page < 1 << RANGE_ORDER;) {
                unsigned n = 0;
                for (; n < ITEMS && page < 1 << RANGE_ORDER; n++, page++)
                        attack_put_item(t, n, mem(page_of(attack.shared), 0, NOVA_MEM_R), 0,
                                        RANGE + page);
                t->utcb->items = nova_utcb_items(0, n);
                attack_must(hc_call(OWN_TAKER, 0));
        }
}

/* Sends RANGES ranges. first: order of the first item's range. */
static void send_ranges(struct thread *t, nova_sel_t pt, unsigned first)
{
        for (unsigned i = 0; i < attack.times; i++) {
                map_range(t);
                for (unsigned n = 0; n < RANGES; n++)
                        attack_put_item(t, n, mem(RANGE, n ? RANGE_ORDER : first, NOVA_MEM_R), 0,
                                        (n + 1) * APART);
                send_items(t, pt, RANGES);
                attack_must(hc_revoke(mem(page_of(attack.shared), 0, NOVA_MEM_R), 0));
        }
}

void attack_receive_ranges(struct thread *t)
{
        send_ranges(t, RECEIVER_MEM, RANGE_ORDER);
}

void attack_receive_limited(struct thread *t)
{
        send_ranges(t, RECEIVER_LIMITED, RANGE_ORDER);
}

/* Sends items of which only the first one fits into the receiver's limit. The rest of the limit is
 * enough for most pages of a further item: for each further item, the kernel maps these pages and
 * then unmaps them again. */
void attack_receive_undone(struct thread *t)
{
        send_ranges(t, RECEIVER_LIMITED, RANGE_ORDER - 1);
}

/* ---- Translation ----------------------------------------------------------------------------- */

/* Makes a chain of delegations in the attacker's PD. Each one delegates the range of the one
 * before; all ranges have order 0. Returns the number of delegations for which there was memory. */
static word_t make_delegations(struct thread *t, nova_crd_t first)
{
        const word_t one = (word_t)1 << NOVA_CRD_BASE_SHIFT;
        const unsigned type = nova_crd_type(first);
        nova_crd_t found = 0;
        word_t depth = 0;

        attack.taker->utcb->delegate_window =
                type == NOVA_CRD_OBJ ? nova_crd(NOVA_CRD_OBJ, 0, NOVA_SEL_ORDER, ALL)
                                     : mem(0, SPACE_ORDER, NOVA_MEM_RWX);
        while (depth < DEPTH) {
                unsigned n = 0;
                for (; n < ITEMS && depth < DEPTH; n++, depth++)
                        attack_put_item(t, n, first + depth * one, 0,
                                        nova_crd_base(first) + depth + 1);
                t->utcb->items = nova_utcb_items(0, n);
                attack_must(hc_call(OWN_TAKER, 0));
        }
        while (hc_lookup(first + depth * one, &found) == NOVA_SUCCESS && !found)
                depth--;
        return depth;
}

/* Makes a long chain of delegations, and sends its last range as items to translate. */
static void translate(struct thread *t, nova_sel_t pt, nova_crd_t first)
{
        attack.depth = make_delegations(t, first);
        for (unsigned n = 0; n < RANGES; n++) {
                attack_put_item(t, n, first + (attack.depth << NOVA_CRD_BASE_SHIFT), 0, 0);
                t->utcb->word[nova_utcb_item_index(n) + 1] = NOVA_ITEM_TRANSLATE;
        }
        send_items(t, pt, RANGES);
}

void attack_translate(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(hc_create_sm(FAR, OWN_PD, 0));
                translate(t, RECEIVER_OBJ, obj(FAR, ALL));
                attack_must(hc_revoke(obj(FAR, ALL), NOVA_REVOKE_SR));
        }
}

void attack_translate_page(struct thread *t)
{
        attack.taker->utcb->delegate_window = mem(0, SPACE_ORDER, NOVA_MEM_RWX);
        for (unsigned i = 0; i < attack.times; i++) {
                attack_put_item(t, 0, mem(page_of(attack.shared), 0, NOVA_MEM_R), 0, RANGE);
                t->utcb->items = nova_utcb_items(0, 1);
                attack_must(hc_call(OWN_TAKER, 0));
                translate(t, RECEIVER_MEM, mem(RANGE, 0, NOVA_MEM_R));
                attack_must(hc_revoke(mem(page_of(attack.shared), 0, NOVA_MEM_R), 0));
        }
}

/* ---- Ports, and another CPU ------------------------------------------------------------------ */

void attack_ports(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                for (unsigned n = 0; n < ITEMS; n++)
                        attack_put_item(t, n, io(PORTS + (n << ITEM_ORDER), ITEM_ORDER), 0, 0);
                send_items(t, RECEIVER_IO, ITEMS);
                attack_must(hc_revoke(io(PORTS, PORTS_ORDER), 0));
        }
}

void attack_port_range(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                attack_put_item(t, 0, io(PORTS, PORTS_ORDER), 0, 0);
                send_items(t, RECEIVER_IO, 1);
                attack_must(hc_revoke(io(PORTS, PORTS_ORDER), 0));
        }
}

/* Cuts the receiver's one mapping into pieces. */
void attack_port_pieces(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                const word_t before = attack_used(RECEIVER_ACCOUNT);
                attack_put_item(t, 0, io(PORTS, PIECES_ORDER), 0, 0);
                send_items(t, RECEIVER_IO, 1);
                for (unsigned n = 1; n < 1 << PIECES_ORDER; n += 2)
                        attack_must(hc_revoke(io(PORTS + n, 0), 0));
                attack_note_received(t, RECEIVER_ACCOUNT, before);
                attack_must(hc_revoke(io(PORTS, PORTS_ORDER), 0));
        }
}

/* Calls a thread on another CPU, which the kernel refuses. */
void attack_call_far(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                attack_expect(hc_call(FAR_PORTAL, 0), NOVA_BAD_CPU);
}
