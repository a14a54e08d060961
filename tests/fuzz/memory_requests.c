/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile clients of the service `memory`: any messages, in any order, while memory is short. A
 * model of each client's blocks predicts each answer. No client may exceed its quota, even with the
 * pages of blocks that have ended, or end another client's block. A block is revoked at once when
 * it ends, and again before its pages become free. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory/server.h"
#include "nova/hypercall.h"
#include "novart/service/memory.h"
#include "service_pages.h"

#define STEP  6
#define HELD  10u /* maximum number of blocks of a client */
#define PAGES 56u /* blocks of the service after which the test lets pages become free */
#define WORDS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void *__wrap_malloc(size_t bytes);
void *__real_malloc(size_t bytes);

/* A client's blocks, as it knows them. */
static struct client {
        unsigned count;
        size_t used, ended; /* ended: bytes of blocks whose pages are not free yet */
        struct {
                nova_word_t number;
                nova_crd_t crd;
                size_t bytes;
        } block[HELD];
} clients[CLIENT_SESSIONS];

static size_t quota;
static bool heap_fails;
static nova_crd_t revoked; /* range of the last revocation */
static unsigned revokes;

void *__wrap_malloc(size_t bytes)
{
        const bool fails = heap_fails;

        heap_fails = false;
        return fails ? NULL : __real_malloc(bytes);
}

static nova_word_t serve_hypercall(nova_word_t id, nova_word_t *a2, nova_word_t *a3)
{
        (void)a3;
        if (id != nova_hypercall_id(NOVA_REVOKE, 0, 0))
                return NOVA_SUCCESS;
        revoked = *a2;
        revokes++;
        pages_revoke(*a2);
        return NOVA_SUCCESS;
}

static void query(unsigned session)
{
        struct client_answer answer;

        client_call(session, NOVA_MEMORY_QUERY, "", 0, NULL, &answer);
        require(!answer.error && answer.words == 2);
        require(answer.word[0] == clients[session].used && answer.word[1] == quota);
        require(clients[session].used <= quota);
}

/* Lets the service free the pages of blocks that have ended. */
static void deliver(void)
{
        client_deliver();
        for (unsigned i = 0; i < CLIENT_SESSIONS; i++)
                clients[i].ended = 0;
}

/* Lets a client allocate a block. It writes to all pages that it gets. */
static void allocate(unsigned session, nova_word_t order)
{
        struct client *const client = &clients[session];
        const bool fits = order <= NOVA_MEMORY_ORDER_MAX;
        const size_t bytes = fits ? (size_t)NOVA_PAGE_SIZE << order : 0;
        const bool scarce = pages_fail || heap_fails;
        struct client_answer answer;
        uint8_t *memory;

        if (client->count == HELD)
                return;
        client_call(session, NOVA_MEMORY_ALLOC, &order, 1, NULL, &answer);
        if (!fits || bytes > quota - client->used) {
                require(answer.error == (fits ? EDQUOT : EINVAL));
                return;
        }
        if (bytes > quota - client->used - client->ended) {
                require(answer.error == EAGAIN);
                return;
        }
        require(answer.error == 0 || (scarce && answer.error == ENOMEM));
        if (answer.error)
                return;
        require(answer.words == 1 && answer.gives == 1);
        memory = pages_take(answer.give[0], (unsigned)order);
        for (size_t at = 0; at < bytes; at += NOVA_PAGE_SIZE)
                memory[at] = memory[at + NOVA_PAGE_SIZE - 1] = (uint8_t)session;
        for (unsigned i = 0; i < client->count; i++)
                require(client->block[i].number != answer.word[0]);
        client->block[client->count].number = answer.word[0];
        client->block[client->count].crd = answer.give[0];
        client->block[client->count++].bytes = bytes;
        client->used += bytes;
}

/* Ends a block by its number. The number may belong to no block of the client. */
static void release(unsigned session, nova_word_t number)
{
        struct client *const client = &clients[session];
        const unsigned before = revokes;
        struct client_answer answer;
        unsigned i = 0;

        while (i < client->count && client->block[i].number != number)
                i++;
        client_call(session, NOVA_MEMORY_FREE, &number, 1, NULL, &answer);
        require(answer.error == (i < client->count ? 0 : ENOENT));
        require(revokes - before == (i < client->count));
        if (answer.error)
                return;
        require(revoked == client->block[i].crd);
        client->used -= client->block[i].bytes;
        client->ended += client->block[i].bytes;
        client->block[i] = client->block[--client->count];
}

/* Returns a number of a block of any client, or any number. */
static nova_word_t number_of(const uint8_t *step)
{
        const struct client *const client = &clients[step[2] % CLIENT_SESSIONS];

        if (step[3] >= 0xf0 || !client->count)
                return step[3] == 0xff ? ~(nova_word_t)0 : step[3] % 16;
        return client->block[step[3] % client->count].number;
}

static void close_session(unsigned session)
{
        const unsigned before = revokes, count = clients[session].count;
        const size_t ended = clients[session].ended + clients[session].used;
        struct client_answer answer;

        client_call(session, NOVA_OPERATION_CLOSE, "", 0, NULL, &answer);
        require(!answer.error && !client_is_open(session) && revokes - before == count);
        memset(&clients[session], 0, sizeof(clients[session]));
        clients[session].ended = ended;
}

/* Sends messages that the protocol does not have. */
static void send_wrong(unsigned session, const uint8_t *step)
{
        const nova_word_t words[WORDS] = {step[3], step[4]};
        const unsigned count = step[2] % WORDS;
        const struct client_item item = {0, step[4] & 0x1f};
        struct client_answer answer;

        client_call(session, NOVA_MEMORY_QUERY + 1 + step[5], words, count, NULL, &answer);
        require(answer.error == ENOSYS);
        client_call(session, NOVA_MEMORY_ALLOC + step[3] % 2, words, count == 1 ? 0 : count, NULL,
                    &answer);
        require(answer.error == EINVAL);
        client_call(session, NOVA_MEMORY_QUERY, words, count + 1, NULL, &answer);
        require(answer.error == EINVAL);
        client_call(session, NOVA_MEMORY_ALLOC, words, 1, &item, &answer);
        require(answer.error == EINVAL);
}

/* Opens a session. @return false: the heap had no memory */
static bool open_session(unsigned session)
{
        const bool scarce = heap_fails;
        const int error = client_open(session, "", 0);

        require(error == 0 || (scarce && error == ENOMEM));
        return !error;
}

/* Performs a step. Its bytes: what happens, session, and arguments. */
static void run_step(const uint8_t *step)
{
        const unsigned session = step[1] % CLIENT_SESSIONS;

        if (pages_count() > PAGES)
                deliver();
        if (!client_is_open(session) && !open_session(session))
                return;
        switch (step[0] % 8) {
        case 0:
        case 1:
                allocate(session, step[2] == 0xff ? (nova_word_t)step[3] << 8 * (step[4] % 8)
                                                  : step[2] % 12u);
                break;
        case 2:
        case 3:
                release(session, number_of(step));
                break;
        case 4:
                close_session(session);
                return;
        case 5:
                send_wrong(session, step);
                break;
        case 6:
                deliver();
                break;
        default:
                pages_fail = step[2] & 3;
                heap_fails = step[3] & 1;
        }
        query(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const size_t quotas[] = {0,
                                        NOVA_PAGE_SIZE,
                                        10 * NOVA_PAGE_SIZE - 1,
                                        64 * NOVA_PAGE_SIZE,
                                        (size_t)NOVA_PAGE_SIZE << (NOVA_MEMORY_ORDER_MAX + 1),
                                        SIZE_MAX};

        if (!size)
                return 0;
        quota = quotas[*data % (sizeof(quotas) / sizeof(quotas[0]))];
        memset(clients, 0, sizeof(clients));
        pages_fail = 0;
        heap_fails = false;
        service_hypercall = serve_hypercall;
        require(memory_service_start(quota) == 0);
        for (data++, size--; size >= STEP; data += STEP, size -= STEP)
                run_step(data);
        heap_fails = false;
        client_end();
        require(!pages_count());
        service_hypercall = NULL;
        return 0;
}
