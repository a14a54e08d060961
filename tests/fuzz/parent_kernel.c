/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel that init needs to start programs and to answer their requests: selectors, and the
 * objects that they name (see parent.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "nova/qpd.h"
#include "novart/error.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "parent.h"
#include "thread/handler.h"

/* Selectors: blocks that begin at multiples of BLOCK, then single selectors. */
#define BLOCKS    64u
#define BLOCK     256u
#define SINGLES   600u
#define SELECTORS (BLOCKS * BLOCK + SINGLES)

#define GIVEN 1024u

unsigned parent_refuses;
struct parent_counts parent_counts;

static uint8_t orders[BLOCKS + SINGLES]; /* order + 1 of an allocation; 0: free */
static uint8_t objects[SELECTORS];       /* enum object */
static uint16_t from[SELECTORS];         /* block of the child that delegated the object; 0: none */
static unsigned interrupts[SELECTORS];   /* number of an interrupt */
static uint8_t ports[0x10000 / 8];

/* The parts of devices that an answer contained and init has not revoked. */
static nova_crd_t given[GIVEN];
static unsigned given_count;

/* Returns the index in `orders` of a selector's block. */
static unsigned place_of(nova_sel_t sel)
{
        require(sel >= BLOCK && sel < SELECTORS);
        return (unsigned)(sel < BLOCKS * BLOCK ? sel / BLOCK : BLOCKS + sel - BLOCKS * BLOCK);
}

static bool is_used(nova_sel_t sel)
{
        const unsigned place = place_of(sel);
        const nova_sel_t offset = place < BLOCKS ? sel % BLOCK : 0;

        return orders[place] && offset < (nova_sel_t)1 << (orders[place] - 1);
}

nova_sel_t nova_sel_alloc(unsigned order)
{
        const unsigned begin = order ? 1 : BLOCKS, end = order ? BLOCKS : BLOCKS + SINGLES;

        require(order <= 8);
        for (unsigned i = begin; i < end && !(parent_refuses & REFUSE_SELECTORS); i++)
                if (!orders[i]) {
                        orders[i] = (uint8_t)(order + 1);
                        return i < BLOCKS ? i * BLOCK : BLOCKS * BLOCK + i - BLOCKS;
                }
        return NOVA_SEL_NONE;
}

void nova_sel_free(nova_sel_t base, unsigned order)
{
        const unsigned place = place_of(base);

        require((place >= BLOCKS || base % BLOCK == 0) && orders[place] == order + 1);
        for (nova_sel_t i = base; i < base + (1u << order); i++)
                require(objects[i] == NOTHING);
        parent_check_unnamed(base, order);
        orders[place] = 0;
}

void nova_sel_release(nova_sel_t base, unsigned order)
{
        memset(&objects[base], NOTHING, 1u << order);
        nova_sel_free(base, order);
}

size_t nova_sel_used(void)
{
        size_t used = 0;

        for (unsigned i = 0; i < BLOCKS + SINGLES; i++)
                used += orders[i] != 0;
        return used;
}

enum object parent_object(nova_sel_t sel)
{
        return is_used(sel) ? (enum object)objects[sel] : NOTHING;
}

unsigned parent_interrupt(nova_sel_t sel)
{
        return interrupts[sel];
}

void parent_set(nova_sel_t sel, enum object object)
{
        require(is_used(sel) && objects[sel] == NOTHING);
        objects[sel] = (uint8_t)object;
        from[sel] = 0;
}

static nova_word_t make(nova_sel_t sel, enum object object)
{
        if (parent_refuses & REFUSE_MEMORY)
                return NOVA_OUT_OF_MEMORY;
        parent_set(sel, object);
        return NOVA_SUCCESS;
}

void parent_receive(const struct child_server *server, nova_sel_t child, nova_sel_t at,
                    unsigned order, enum object object)
{
        for (nova_sel_t i = at; i < at + (1u << order); i++) {
                parent_set(server->window + i, object);
                from[server->window + i] = (uint16_t)(child / BLOCK);
        }
}

bool parent_window_is_empty(const struct child_server *server)
{
        for (unsigned i = 0; i < 1u << NOVA_PARENT_SERVICE_ORDER; i++)
                if (objects[server->window + i] != NOTHING)
                        return false;
        return true;
}

void parent_destroy_objects(nova_sel_t child)
{
        for (nova_sel_t block = BLOCK; block < BLOCKS * BLOCK; block += BLOCK)
                for (nova_sel_t i = block; is_used(i); i++)
                        if (from[i] == child / BLOCK) {
                                from[i] = 0;
                                objects[i] = NOTHING;
                        }
}

void parent_give(nova_crd_t crd)
{
        unsigned i = 0;

        while (i < given_count && given[i] != crd)
                i++;
        if (i == given_count && i < GIVEN)
                given[given_count++] = crd;
}

bool parent_given(unsigned i, nova_crd_t *crd)
{
        if (i < given_count)
                *crd = given[i];
        return i < given_count;
}

static void take_given(nova_crd_t crd)
{
        for (unsigned i = given_count; i-- > 0;)
                if (nova_crd_type(given[i]) == nova_crd_type(crd) &&
                    nova_crd_base(given[i]) >= nova_crd_base(crd) &&
                    nova_crd_base(given[i]) + nova_crd_count(given[i]) <=
                            nova_crd_base(crd) + nova_crd_count(crd))
                        given[i] = given[--given_count];
}

/* Substitutes for the kernel. */
static nova_word_t revoke(nova_crd_t crd)
{
        const nova_sel_t base = nova_crd_base(crd);

        require(nova_crd_type(crd) == NOVA_CRD_OBJ && is_used(base) &&
                is_used(base + (1u << nova_crd_order(crd)) - 1));
        memset(&objects[base], NOTHING, 1u << nova_crd_order(crd));
        return NOVA_SUCCESS;
}

/* Revokes capabilities from all programs but init, which keeps them. */
static nova_word_t revoke_from_others(nova_crd_t crd)
{
        const nova_sel_t base = nova_crd_base(crd);

        take_given(crd);
        if (nova_crd_type(crd) == NOVA_CRD_MEM) {
                require(nova_crd_perms(crd) == NOVA_MEM_RWX);
                return parent_revoke_pages(crd);
        }
        if (nova_crd_type(crd) == NOVA_CRD_OBJ) {
                require(!nova_crd_order(crd) && nova_crd_perms(crd) == NOVA_PERM_ALL);
                require(parent_object(base) == INTERRUPT || base == parent_turn());
                return NOVA_SUCCESS;
        }
        require(nova_crd_perms(crd) == NOVA_IO_A);
        for (nova_sel_t i = base; i < base + nova_crd_count(crd); i++)
                require(parent_has_port((unsigned)i));
        return NOVA_SUCCESS;
}

static nova_word_t destroy(nova_sel_t pd)
{
        require(is_used(pd) && objects[pd] == DOMAIN);
        objects[pd] = NOTHING;
        parent_destroy_objects(pd);
        parent_counts.destroyed++;
        return NOVA_SUCCESS;
}

nova_word_t nova_trap_1(nova_word_t id)
{
        const nova_sel_t sel = id >> NOVA_ID_SEL_SHIFT;

        require(id == nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_UP_OP, sel) && is_used(sel));
        parent_counts.ups++;
        return objects[sel] == SEMAPHORE ? NOVA_SUCCESS : NOVA_BAD_CAP;
}

nova_word_t nova_trap_2(nova_word_t id, nova_word_t *a2)
{
        const nova_sel_t sel = id >> NOVA_ID_SEL_SHIFT;

        if (id == nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0))
                return revoke(*a2);
        if (id == nova_hypercall_id(NOVA_REVOKE, 0, 0))
                return revoke_from_others(*a2);
        if (id == nova_hypercall_id(NOVA_LOOKUP, 0, 0)) {
                *a2 = parent_object(nova_crd_base(*a2)) ? *a2 : 0;
                return NOVA_SUCCESS;
        }
        if (id == nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_MACHINE, 0)) {
                parent_counts.powers++;
                return *a2 > NOVA_EXT_MACHINE_OFF ? NOVA_BAD_HYP : NOVA_BAD_FTR;
        }
        require(id == nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, sel) &&
                *a2 == NOVA_EXT_PD_DESTROY);
        return destroy(sel);
}

nova_word_t nova_trap_3(nova_word_t id, nova_word_t *a2, nova_word_t *a3)
{
        const nova_sel_t sel = id >> NOVA_ID_SEL_SHIFT;

        if ((id & NOVA_ID_NUMBER_MASK) == NOVA_ASSIGN_PCI)
                return NOVA_BAD_DEV;
        if (id == nova_hypercall_id(NOVA_SC_CTRL, 0, sel)) {
                *a2 = *a3 = 1;
                return parent_object(sel) == SCHEDULE || parent_object(sel) == IDLE ? NOVA_SUCCESS
                                                                                    : NOVA_BAD_CAP;
        }
        require(id == nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, sel) &&
                *a2 == NOVA_EXT_QUOTA_QUERY);
        require(sel == nova_program.pd || parent_object(sel) == DOMAIN);
        *a2 = 1000;
        *a3 = 2000;
        return NOVA_SUCCESS;
}

/* Creates the first SC of a program, or an SC that the program requests: for a thread of its own,
 * and within its limits.
 */
static nova_word_t create_sc(nova_sel_t sc, nova_sel_t pd, nova_sel_t ec, nova_qpd_t qpd)
{
        const struct nova_child *const child = novart_child_server_of(nova_thread_cpu())->child;

        if (!is_used(ec) || objects[ec] != THREAD)
                return NOVA_BAD_CAP;
        require(objects[pd] == DOMAIN && nova_qpd_prio(qpd) && nova_qpd_quantum(qpd));
        if (child) {
                require(pd == child->block && from[ec] == pd / BLOCK);
                require(nova_qpd_prio(qpd) <= child->priority);
                require(nova_qpd_quantum(qpd) <= child->quantum_us);
        } else {
                require(ec == pd + CHILD_EC);
        }
        return make(sc, SCHEDULE);
}

nova_word_t nova_trap_4(nova_word_t id, nova_word_t a2, nova_word_t a3, nova_word_t a4)
{
        const nova_sel_t sel = id >> NOVA_ID_SEL_SHIFT;

        if (id == nova_hypercall_id(NOVA_CREATE_SC, 0, sel))
                return create_sc(sel, a2, a3, a4);
        if (id == nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, sel)) {
                require(a2 == nova_program.pd && nova_crd_base(a3) == sel);
                return make(sel, DOMAIN);
        }
        require(id == nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, sel) &&
                a2 == NOVA_EXT_NAME_SET);
        return NOVA_SUCCESS;
}

nova_word_t nova_trap_5(nova_word_t id, nova_word_t a2, nova_word_t a3, nova_word_t a4,
                        nova_word_t a5)
{
        const nova_sel_t sel = id >> NOVA_ID_SEL_SHIFT;

        (void)a4;
        if (id == nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, sel)) {
                require(objects[sel] == DOMAIN && a2 == NOVA_EXT_PD_LIMIT);
                return NOVA_SUCCESS;
        }
        require(id == nova_hypercall_id(NOVA_CREATE_EC, NOVA_EC_GLOBAL, sel));
        require(objects[a2] == DOMAIN && a3 % NOVA_PAGE_SIZE < PARENT_CPUS &&
                a5 == NOVA_SEL_MAIN_EVENTS);
        return make(sel, THREAD);
}

int nova_errno_of(enum nova_status status)
{
        return status == NOVA_SUCCESS ? 0 : status == NOVA_OUT_OF_MEMORY ? ENOMEM : EINVAL;
}

int nova_handler_portal(struct nova_handler *handler, nova_sel_t portal, nova_mtd_t mtd)
{
        (void)handler, (void)mtd;
        return nova_errno_of((enum nova_status)make(portal, PORTAL));
}

int nova_request(nova_crd_t crd, nova_sel_t to)
{
        const nova_sel_t base = nova_crd_base(crd);

        if (parent_refuses & REFUSE_MEMORY)
                return ENOMEM;
        if (nova_crd_type(crd) == NOVA_CRD_IO) {
                require(base == to && base + (1u << nova_crd_order(crd)) <= 0x10000);
                for (nova_sel_t i = 0; i < 1u << nova_crd_order(crd); i++)
                        ports[(base + i) / 8] |= (uint8_t)(1u << (base + i) % 8);
                return 0;
        }
        require(nova_crd_type(crd) == NOVA_CRD_OBJ && !nova_crd_order(crd));
        parent_set(to, base >= NOVA_SEL_GSI_SM ? INTERRUPT : IDLE);
        interrupts[to] = (unsigned)(base - NOVA_SEL_GSI_SM);
        return 0;
}

bool parent_has_port(unsigned port)
{
        return ports[port / 8] >> port % 8 & 1;
}

void parent_begin_kernel(void)
{
        memset(orders, 0, sizeof(orders));
        memset(objects, NOTHING, sizeof(objects));
        memset(from, 0, sizeof(from));
        memset(ports, 0, sizeof(ports));
        parent_refuses = 0;
        given_count = 0;
}
