/* SPDX-License-Identifier: BSD-2-Clause */
/* Substitutes for the kernel and for the parts of the runtime that a service under test needs (see
 * service.h). */
#include "service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/guard.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "service/internal.h"

#define BLOCKS      256u
#define BLOCK_ORDER 6         /* largest block of selectors */
#define PORTALS     0x100000u /* first selector of sessions' portals, which are not in used[] */
#define CONTROL     0x200000u
#define SLOTS       8u

struct nova_program nova_program;
unsigned client_count = CLIENT_SESSIONS;

static struct nova_service service;
static struct service_cpu cpu;
static struct nova_request request;
static struct session slots[SLOTS];
static struct nova_utcb utcb;
static struct nova_later *waiting; /* actions that wait for client_deliver() */
static bool inside, revoked, ending;
static unsigned clears; /* number of times that slots became free after a pass of the runner */
static unsigned opener; /* the session whose client sends a message */

/* A client: the portal of its session, and the service's selector for its PD. */
static struct {
        nova_sel_t portal; /* 0: not open */
        nova_sel_t pd;
        bool dead;
        uint8_t *share;
} clients[CLIENT_SESSIONS];

nova_word_t (*service_hypercall)(nova_word_t id, nova_word_t *a2, nova_word_t *a3);

/* For each block of 2^BLOCK_ORDER selectors: the order of the range that is allocated at its
 * beginning, plus 1; 0: the block is free. */
static uint8_t used[BLOCKS];
static bool kept[BLOCKS];

bool selector_is_used(nova_sel_t sel)
{
        const nova_sel_t block = sel >> BLOCK_ORDER, offset = sel & ((1u << BLOCK_ORDER) - 1);

        return block < BLOCKS && used[block] && offset < (nova_sel_t)1 << (used[block] - 1);
}

nova_sel_t nova_sel_alloc(unsigned order)
{
        require(order <= BLOCK_ORDER);
        for (unsigned i = 1; i < BLOCKS; i++)
                if (!used[i]) {
                        used[i] = (uint8_t)(order + 1);
                        return (nova_sel_t)i << BLOCK_ORDER;
                }
        return NOVA_SEL_NONE;
}

void nova_sel_free(nova_sel_t base, unsigned order)
{
        const nova_sel_t block = base >> BLOCK_ORDER;

        require(block < BLOCKS && !kept[block] && base == block << BLOCK_ORDER &&
                used[block] == order + 1);
        used[block] = 0;
}

void selector_keep(nova_sel_t sel)
{
        require(selector_is_used(sel));
        kept[sel >> BLOCK_ORDER] = true;
}

void selector_drop(nova_sel_t sel)
{
        require(kept[sel >> BLOCK_ORDER]);
        kept[sel >> BLOCK_ORDER] = false;
        used[sel >> BLOCK_ORDER] = 0;
}

void nova_sel_release(nova_sel_t base, unsigned order)
{
        nova_sel_free(base, order);
}

static bool is_dead(nova_word_t id)
{
        for (unsigned i = 0; i < CLIENT_SESSIONS; i++)
                if (clients[i].dead &&
                    id == nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, clients[i].pd))
                        return true;
        return false;
}

static void get_name(nova_word_t *a2, nova_word_t *a3)
{
        char name[2 * sizeof(nova_word_t)] = "client";

        name[6] = (char)('0' + opener % client_count);
        memcpy(a2, name, sizeof(*a2));
        memcpy(a3, name + sizeof(*a2), sizeof(*a3));
}

/* Serves hypercalls instead of the kernel. A PD can be queried until its client dies. */
nova_word_t nova_trap_3(nova_word_t id, nova_word_t *a2, nova_word_t *a3)
{
        const nova_word_t call = id & (((nova_word_t)1 << NOVA_ID_SEL_SHIFT) - 1);

        if (call == nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, 0) &&
            *a2 == NOVA_EXT_NAME_GET) {
                get_name(a2, a3);
                return NOVA_SUCCESS;
        }
        if (call == nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, 0) &&
            *a2 == NOVA_EXT_QUOTA_QUERY)
                return is_dead(id) ? NOVA_BAD_CAP : NOVA_SUCCESS;
        return service_hypercall ? service_hypercall(id, a2, a3) : NOVA_SUCCESS;
}

nova_word_t nova_trap_2(nova_word_t id, nova_word_t *a2)
{
        nova_word_t a3 = 0;

        return service_hypercall ? service_hypercall(id, a2, &a3) : NOVA_SUCCESS;
}

nova_word_t nova_trap_1(nova_word_t id)
{
        nova_word_t a2 = 0;

        return nova_trap_2(id, &a2);
}

/* Substitutes for the rest of the runtime. */
int nova_copy_guarded(void *to, const void *from, size_t bytes)
{
        memcpy(to, from, revoked ? bytes / 2 : bytes);
        return revoked ? EFAULT : 0;
}

/* Ends the test: no session's memory is a region here. */
int nova_region_free(void *addr)
{
        (void)addr;
        abort();
}

int nova_handler_portal(struct nova_handler *handler, nova_sel_t portal, nova_mtd_t mtd)
{
        (void)handler, (void)portal, (void)mtd;
        return 0;
}

bool novart_service_enter(struct nova_service *of)
{
        (void)of;
        require(!inside);
        return inside = true;
}

void novart_service_leave(struct nova_service *of)
{
        (void)of;
        require(inside);
        inside = false;
}

bool novart_service_inside(const struct nova_service *of)
{
        (void)of;
        return inside;
}

void novart_service_runner_begin(struct service_cpu *of, enum service_handler role)
{
        (void)of, (void)role;
}

void novart_service_runner_end(struct service_cpu *of, enum service_handler role)
{
        (void)of, (void)role;
}

int novart_service_room(const struct nova_service *of)
{
        (void)of;
        return 0;
}

bool novart_service_ended_lately(const struct nova_service *of)
{
        (void)of;
        return false;
}

void novart_service_clear_soon(struct nova_service *of)
{
        unsigned count;

        clears++;
        novart_session_release(&of->table, novart_session_retired_take(&of->table, &count));
}

void *novart_service_share_take(struct session *session)
{
        session->share = NULL;
        session->share_pages = 0;
        session->share_held = false;
        return NULL; /* the clients own the memory */
}

int nova_service_lock(struct nova_service *of)
{
        if (ending)
                return ECANCELED;
        return novart_service_enter(of) ? 0 : ECANCELED;
}

void nova_service_unlock(struct nova_service *of)
{
        if (inside)
                novart_service_leave(of);
}

void service_end_threads(bool ends)
{
        ending = ends;
}

void nova_service_each(struct nova_service *of, bool (*visit)(void *state, void *argument),
                       void *argument)
{
        require(inside);
        for (unsigned i = 0; i < SLOTS; i++)
                if (slots[i].state == SESSION_LIVE &&
                    !visit(session_state(of, &slots[i]), argument))
                        return;
}

void nova_service_notify(struct nova_service *of, const void *state)
{
        require(session_of_state(of, state)->state == SESSION_LIVE);
}

nova_sel_t nova_service_client_pd(const struct nova_service *of, const void *state)
{
        return session_of_state(of, state)->pd;
}

static void forget(unsigned session)
{
        free(clients[session].share);
        memset(&clients[session], 0, sizeof(clients[session]));
}

/* Sweeps. Forgets dead clients whose sessions are closed, because another session may get their
 * portals. */
void nova_service_sweep(struct nova_service *of)
{
        novart_service_sweep(of, 0, SLOTS);
        for (unsigned i = 0; i < CLIENT_SESSIONS; i++)
                if (clients[i].dead && !novart_session_find(&of->table, clients[i].portal))
                        forget(i);
}

void nova_service_later(struct nova_service *of, struct nova_later *later)
{
        (void)of;
        for (const struct nova_later *other = waiting; other; other = other->next)
                require(other != later);
        later->next = waiting;
        waiting = later;
}

void nova_service_drop(struct nova_service *of, nova_sel_t sel)
{
        nova_sel_release(sel, of->config.receive_order);
}

int nova_service_start(struct nova_service **started, const struct nova_service_config *config)
{
        free(service.states);
        memset(&service, 0, sizeof(service));
        memset(&cpu, 0, sizeof(cpu));
        for (unsigned i = 0; i < BLOCKS; i++)
                used[i] = kept[i] ? used[i] : 0;
        memset(clients, 0, sizeof(clients));
        service.config = *config;
        /* A state is never empty, so its address names the session. */
        service.config.state_bytes += sizeof(nova_word_t);
        service.states = calloc(SLOTS, service.config.state_bytes);
        service.control = CONTROL;
        service.share = NOVA_SEL_NONE;
        service.cpus = 1;
        service.cpu[0] = &cpu;
        novart_session_table_init(&service.table, slots, SLOTS, CLIENT_SESSIONS, CLIENT_SESSIONS);
        service.table.portals = PORTALS;
        cpu.service = &service;
        cpu.request = &request;
        cpu.window = nova_sel_alloc(config->receive_order);
        waiting = NULL;
        inside = revoked = ending = false;
        if (started)
                *started = &service;
        return 0;
}

void client_deliver(void)
{
        while (waiting) {
                struct nova_later *const later = waiting;

                waiting = later->next;
                later->function(later);
        }
}

/* Sends a message, and reads the answer as the client gets it. */
static void send(nova_sel_t portal, nova_word_t operation, const void *words, unsigned count,
                 const struct client_item *item, struct client_answer *answer)
{
        const unsigned most = (unsigned)NOVA_UTCB_WORDS - 1 - (item ? 2 : 0);

        count = count < most ? count : most;
        nova_utcb_clear(&utcb);
        nova_utcb_put(&utcb, operation);
        memcpy(&utcb.word[1], words, (size_t)count * sizeof(nova_word_t));
        utcb.items = nova_utcb_items(1 + count, 0);
        if (item) {
                const struct nova_item sent = {nova_crd_obj(cpu.window, item->order, item->perms),
                                               NOVA_ITEM_DELEGATE};

                nova_utcb_put_item(&utcb, sent);
        }
        novart_service_dispatch(portal, &utcb, &cpu);
        require(!inside && nova_utcb_word_count(&utcb));
        answer->error = (int)utcb.word[0];
        answer->words = nova_utcb_word_count(&utcb) - 1;
        answer->gives = nova_utcb_item_count(&utcb);
        require(answer->words <= NOVA_MESSAGE_WORDS && answer->gives <= NOVA_REQUEST_GIVES);
        require(!answer->error || (!answer->words && !answer->gives));
        memcpy(answer->word, &utcb.word[1], answer->words * sizeof(answer->word[0]));
        for (unsigned i = 0; i < answer->gives; i++) {
                struct nova_item got;

                nova_utcb_get_item(&utcb, i, &got);
                answer->give[i] = got.crd;
        }
}

int client_open(unsigned session, const void *argument, size_t bytes)
{
        const struct client_item pd = {0, NOVA_PERM_ALL};
        const nova_sel_t window = cpu.window;
        nova_word_t words[2 + 16] = {bytes};
        struct client_answer answer;

        if (clients[session].portal || bytes > sizeof(words) - 2 * sizeof(words[0]))
                return EEXIST;
        memcpy(words + 2, argument, bytes);
        opener = session;
        send(CONTROL, NOVA_OPERATION_OPEN, words, 2 + (unsigned)NOVA_WORDS_OF(bytes), &pd, &answer);
        if (answer.error)
                return answer.error;
        require(answer.gives >= 1 && answer.words == 1);
        clients[session].portal = nova_crd_base(answer.give[0]);
        clients[session].pd = window;
        clients[session].dead = false;
        if (service.config.share_pages) {
                struct session *const of =
                        novart_session_find(&service.table, clients[session].portal);

                of->share_pages = service.config.share_pages;
                of->share = clients[session].share =
                        calloc(service.config.share_pages, NOVA_PAGE_SIZE);
        }
        return 0;
}

/* Checks that the slot of an ended session is not free too early. The handler of a share portal may
 * still look for the session that a message names. So the slot becomes free only after a pass of
 * the runner, which calls this handler, too. */
static void check_slot(nova_sel_t portal, unsigned clears_before)
{
        require(!service.config.share_pages || clears != clears_before ||
                slots[portal - PORTALS].state == SESSION_RETIRED);
}

void client_call(unsigned session, nova_word_t operation, const void *words, unsigned count,
                 const struct client_item *item, struct client_answer *answer)
{
        const unsigned clears_before = clears;

        memset(answer, 0, sizeof(*answer));
        answer->error = EBADF;
        if (!clients[session].portal)
                return;
        opener = session;
        send(clients[session].portal, operation, words, count, item, answer);
        if (novart_session_find(&service.table, clients[session].portal))
                return;
        check_slot(clients[session].portal, clears_before);
        forget(session);
}

bool client_is_open(unsigned session)
{
        return clients[session].portal;
}

uint8_t *client_share(unsigned session)
{
        return clients[session].share;
}

void client_revoke(bool is)
{
        revoked = is;
}

void client_kill(unsigned session)
{
        clients[session].dead = clients[session].portal;
}

void client_end(void)
{
        struct client_answer answer;
        unsigned left = 0;

        for (unsigned i = 0; i < CLIENT_SESSIONS; i++)
                client_call(i, NOVA_OPERATION_CLOSE, "", 0, NULL, &answer);
        client_deliver();
        for (unsigned i = 0; i < BLOCKS; i++)
                left += used[i] && !kept[i];
        require(left == 1 && !service.table.open);
        free(service.states);
        service.states = NULL;
}
