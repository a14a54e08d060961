/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of children: each operation of the parent portal (<novart/parent.h>). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "child/request.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/qpd.h"
#include "nova/utcb.h"
#include "novart/selector.h"

bool novart_request_name(struct request *request, unsigned first)
{
        memset(request->name, 0, sizeof(request->name));
        if (first < request->words)
                memcpy(request->name, &request->word[first], sizeof(request->name));
        return request->name[0] && memchr(request->name, 0, sizeof(request->name));
}

static int serve_begin(struct request *request)
{
        const unsigned perms = request->child->flags & NOVA_CHILD_MAY_HAVE_CHILDREN
                                       ? NOVA_PERM_ALL
                                       : NOVA_PD_EC | NOVA_PD_PT | NOVA_PD_SM;
        const nova_sel_t block = request->child->block;

        nova_utcb_delegate(request->utcb, nova_crd_obj(block + CHILD_PD, 0, perms), CHILD_PD, 0);
        nova_utcb_delegate(request->utcb, nova_crd_obj(block + CHILD_EC, 0, NOVA_PERM_ALL),
                           CHILD_EC, 0);
        return 0;
}

static int serve_events(struct request *request)
{
        struct nova_child *const child = request->child;

        nova_revoke(nova_crd_obj(child->block + NOVA_SEL_MAIN_EVENTS, CHILD_EVENTS_ORDER,
                                 NOVA_PERM_ALL),
                    NOVA_REVOKE_SR);
        nova_utcb_put(request->utcb, 0);
        novart_child_memory_send(&child->memory, request->utcb, CHILD_ITEMS_MAX);
        request->utcb->word[1] = child->memory.next_map < child->memory.maps;
        return 0;
}

static int serve_exit(struct request *request)
{
        novart_child_end(request->child, (int)request->word[1]);
        return 0;
}

static int serve_open(struct request *request)
{
        const struct nova_child_grants *const grants = &request->child->grants;
        nova_sel_t sel;

        if (!novart_request_name(request, 1))
                return EINVAL;
        if (!grants->open)
                return EACCES;

        const int error = grants->open(grants->context, request->name, &sel);

        if (!error)
                nova_utcb_delegate(request->utcb,
                                   nova_crd_obj(sel, NOVA_PARENT_SERVICE_ORDER, NOVA_PERM_ALL), 0,
                                   0);
        return error;
}

static int serve_serve(struct request *request)
{
        const struct nova_child_grants *const grants = &request->child->grants;

        if (request->item == NOVA_SEL_NONE || !novart_request_name(request, 1))
                return EINVAL;
        if (!grants->serve)
                return EACCES;

        const nova_sel_t window = request->server->window;

        if (novart_child_retire_reserve(window))
                return ENOMEM;
        /* without a new window, the server could not receive another object */
        if (novart_child_server_renew_window(request->server)) {
                novart_child_retire_forget(window);
                return ENOMEM;
        }

        const int error = grants->serve(grants->context, request->name, window);

        if (error) {
                novart_child_retire_forget(window);
                nova_sel_release(window, NOVA_PARENT_SERVICE_ORDER);
        }
        request->item = NOVA_SEL_NONE;
        return error;
}

/* Returns a place for a semaphore: a free place, or the place of a semaphore that was destroyed.
 * NULL: there is none. */
static nova_sel_t *find_watch(struct nova_child *child)
{
        for (unsigned i = 0; i < NOVA_PARENT_WATCHES; i++) {
                nova_crd_t crd = nova_crd_obj(child->watch[i], 0, 0);

                if (!child->watch[i])
                        return &child->watch[i];
                if (nova_lookup(&crd) == NOVA_SUCCESS && nova_crd_type(crd) == NOVA_CRD_OBJ)
                        continue;
                nova_sel_release(child->watch[i], NOVA_PARENT_SERVICE_ORDER);
                child->watch[i] = 0;
                return &child->watch[i];
        }
        return NULL;
}

/* Drops the other capabilities that arrived in the window of a semaphore: the parent's account
 * would pay for them as long as the child lives. */
static void drop_rest(nova_sel_t window)
{
        for (unsigned order = 0; order < NOVA_PARENT_SERVICE_ORDER; order++)
                nova_revoke(nova_crd_obj(window + ((nova_sel_t)1 << order), order, NOVA_PERM_ALL),
                            NOVA_REVOKE_SR);
}

static int serve_watch(struct request *request)
{
        nova_sel_t *const watch = find_watch(request->child);
        const nova_sel_t window = request->server->window;

        if (request->item != window)
                return EINVAL;
        if (!watch)
                return ENOSPC;
        if (novart_child_server_renew_window(request->server))
                return ENOMEM;
        drop_rest(window);
        *watch = window;
        request->item = NOVA_SEL_NONE;
        return 0;
}

static int serve_ended(struct request *request)
{
        if (!(request->child->flags & NOVA_CHILD_MAY_HAVE_CHILDREN))
                return EPERM;
        novart_child_server_tell(request->server);
        return 0;
}

static int add_sc(struct request *request, const struct child_sc *sc)
{
        struct nova_child *const child = request->child;
        const unsigned limit = child->priority;
        const unsigned priority =
                request->word[1] && request->word[1] < limit ? (unsigned)request->word[1] : limit;
        const nova_word_t quantum = request->word[2] && request->word[2] < child->quantum_us
                                            ? request->word[2]
                                            : child->quantum_us;
        const nova_qpd_t qpd = nova_qpd_clamped(quantum, priority);

        switch (nova_create_sc(sc->sel, child->block + CHILD_PD, request->item, qpd)) {
        case NOVA_SUCCESS:
                nova_utcb_delegate(request->utcb, nova_crd_obj(sc->sel, 0, NOVA_PERM_ALL), 0, 0);
                return 0;
        case NOVA_OUT_OF_MEMORY:
                return EAGAIN;
        default:
                return EINVAL;
        }
}

/* Returns a dropped SC, or a new one with a free selector. Returns NULL if the child has too many
 * SCs or memory is exhausted. */
static struct child_sc *find_sc(struct nova_child *child)
{
        struct child_sc *sc = child->scs;

        if (child->sc_count == CHILD_SCS_MAX)
                return NULL;
        while (sc && !sc->dropped)
                sc = sc->next;
        if (sc)
                return sc;
        sc = malloc(sizeof(*sc));
        if (!sc)
                return NULL;
        *sc = (struct child_sc){child->scs, nova_sel_alloc(0), 0, true};
        if (sc->sel == NOVA_SEL_NONE) {
                free(sc);
                return NULL;
        }
        child->scs = sc;
        return sc;
}

static int serve_sc(struct request *request)
{
        struct nova_child *const child = request->child;
        struct child_sc *const sc = find_sc(child);

        if (!sc)
                return EAGAIN;

        const int error = request->item == NOVA_SEL_NONE ? EINVAL : add_sc(request, sc);

        if (error)
                return error;
        sc->number = request->word[3];
        sc->dropped = false;
        child->sc_count++;
        return 0;
}

static int serve_sc_drop(struct request *request)
{
        struct nova_child *const child = request->child;

        for (struct child_sc *sc = child->scs; sc; sc = sc->next) {
                if (sc->dropped || sc->number != request->word[1])
                        continue;
                nova_revoke(nova_crd_obj(sc->sel, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
                sc->dropped = true;
                child->sc_count--;
                return 0;
        }
        return EINVAL;
}

static int serve_fault(struct request *request)
{
        struct nova_fault_report report;
        const unsigned words =
                (sizeof(report) + sizeof(nova_word_t) - 1) / (unsigned)sizeof(nova_word_t);

        if (request->words != words + 1)
                return EINVAL;
        memcpy(&report, &request->word[1], sizeof(report));
        novart_child_report(request->child, &report);
        /* The child ends after its report, so it cannot fill the console with reports. */
        novart_child_end(request->child,
                         NOVA_FAULT_STATUS + (report.event < CHILD_EVENTS ? report.event : 0));
        return 0;
}

static int serve_write(struct request *request)
{
        const nova_word_t bytes = request->word[1];

        if (request->words < 2 || bytes > (request->words - 2) * sizeof(nova_word_t))
                return EINVAL;
        request->written +=
                novart_child_line_write(&request->child->line, request->child->name,
                                        (const char *)&request->word[2] + request->written,
                                        bytes - request->written, &request->text);
        return 0;
}

static int serve_power(struct request *request)
{
        if (!(request->child->flags & NOVA_CHILD_MAY_POWER))
                return EPERM;
        if (!nova_program_is_root())
                return nova_parent_power((unsigned)request->word[1]);
        return nova_machine(request->word[1]) == NOVA_BAD_HYP ? EINVAL : ENOTSUP;
}

static int serve_operation(struct request *request)
{
        static int (*const serve[])(struct request * request) = {
                [NOVA_PARENT_BEGIN] = serve_begin,
                [NOVA_PARENT_EXIT] = serve_exit,
                [NOVA_PARENT_OPEN] = serve_open,
                [NOVA_PARENT_SERVE] = serve_serve,
                [NOVA_PARENT_SC] = serve_sc,
                [NOVA_PARENT_SC_DROP] = serve_sc_drop,
                [NOVA_PARENT_FAULT] = serve_fault,
                [NOVA_PARENT_WRITE] = serve_write,
                [NOVA_PARENT_MODULE] = novart_serve_module,
                [NOVA_PARENT_DEVICE] = novart_serve_device,
                [NOVA_PARENT_POWER] = serve_power,
                [NOVA_PARENT_EVENTS] = serve_events,
                [NOVA_PARENT_PCI] = novart_serve_pci,
                [NOVA_PARENT_WATCH] = serve_watch,
                [NOVA_PARENT_ENDED] = serve_ended,
                [NOVA_PARENT_PROGRAM] = novart_serve_program,
                [NOVA_PARENT_STATUS] = novart_serve_status,
        };
        const nova_word_t operation = request->word[0];

        /* An event of a child's thread may lead to its parent's portal, with the MTD 0 as the
         * operation. The answer's word 0 is then the MTD of the state that the thread gets. */
        if (!operation)
                return 0;
        if (operation >= sizeof(serve) / sizeof(*serve) || !serve[operation])
                return ENOSYS;
        return serve[operation](request);
}

/* Copies the message, and records the capability that arrived with it. */
static void read_message(struct request *request, struct nova_child *child,
                         struct child_server *server)
{
        struct nova_item item;

        memset(request, 0, sizeof(*request));
        request->child = child;
        request->server = server;
        request->utcb = server->utcb;
        request->words = nova_utcb_word_count(request->utcb);
        memcpy(request->word, request->utcb->word, request->words * sizeof(*request->word));
        request->item = NOVA_SEL_NONE;
        request->has_items = nova_utcb_typed(request->utcb->items);
        for (unsigned i = 0; nova_utcb_get_item(request->utcb, i, &item); i++) {
                if (nova_crd_type(item.crd) == NOVA_CRD_OBJ && nova_item_is_delegate(item))
                        request->item = nova_crd_base(item.crd);
        }
}

/* Revokes the capabilities in the window: those that were not requested and those that have been
 * used. */
static void clear_window(const struct child_server *server)
{
        nova_revoke(nova_crd_obj(server->window, NOVA_PARENT_SERVICE_ORDER, NOVA_PERM_ALL),
                    NOVA_REVOKE_SR);
}

static void serve_call(struct nova_child *child, struct child_server *server)
{
        struct request *const request = server->request;

        /* If a line of text was written, the UTCB no longer contains the message. */
        if (!request->text.bytes)
                read_message(request, child, server);
        nova_utcb_clear(server->utcb);
        nova_utcb_put(server->utcb, 0);

        const int error = serve_operation(request);

        if (request->text.bytes)
                return;
        if (error) {
                nova_utcb_clear(server->utcb);
                nova_utcb_put(server->utcb, (nova_word_t)error);
        }
        /* An item that failed arrives as a null item, but may have brought capabilities before. If
         * they stayed in the window, the next child's request would get them. */
        if (request->has_items)
                clear_window(server);
}

/* Finds the child whose block contains a portal, and the portal's selector in the child. */
static struct nova_child *find(nova_sel_t portal, nova_sel_t *own)
{
        for (struct nova_child *child = novart_child_first; child; child = child->next) {
                if (child->state != CHILD_RUNNING || portal < child->block ||
                    (portal - child->block) >> child->block_order)
                        continue;
                *own = portal - child->block;
                return child;
        }
        return NULL;
}

void novart_child_serve(struct child_server *server, nova_word_t cpu)
{
        nova_sel_t own;
        struct nova_child *const child = find(server->portal, &own);

        /* The child has ended and receives no answer. Another program to which the child gave the
         * portal must not get the items of its own message back. */
        if (!child) {
                server->request->text.bytes = 0;
                nova_utcb_clear(server->utcb);
                clear_window(server);
                return;
        }
        server->child = child;
        if (own >= NOVA_SEL_MAIN_EVENTS) {
                const bool items = nova_utcb_typed(server->utcb->items);

                novart_child_serve_event(child, server->utcb, own % CHILD_EVENTS, own < CHILD_FAULT,
                                         cpu);
                if (items)
                        clear_window(server);
        } else {
                serve_call(child, server);
        }
        server->child = NULL;
}
