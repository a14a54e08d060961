/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `memory`: gives pages of this program to clients until they free them, close the
 * session or die. */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/service/memory.h"

/* The bytes of a client, by its name. The account outlives the session while pages of the client
 * are not free yet: a client that opens a session again gets no second quota. The service's lock
 * protects the account. */
struct account {
        struct account *next;
        char client[NOVA_NAME_SIZE + 1];
        unsigned sessions; /* number of its sessions */
        size_t used;       /* bytes of its leases */
        size_t ending;     /* bytes of ended leases whose pages are not free yet */
};

/* A block of pages that a client has. */
struct lease {
        struct nova_later later;
        struct lease *next;
        struct account *account;
        nova_word_t number;
        void *pages;
        unsigned order;
};

struct state {
        struct lease *leases;
        struct account *account;
        nova_word_t numbers;
};

static size_t quota;
static struct account *accounts;

static nova_crd_t crd_of(const struct lease *lease)
{
        return nova_crd_mem((nova_word_t)lease->pages >> NOVA_PAGE_BITS, lease->order,
                            NOVA_MEM_R | NOVA_MEM_W);
}

static size_t bytes_of(const struct lease *lease)
{
        return (size_t)NOVA_PAGE_SIZE << lease->order;
}

static int open_session(struct nova_request *request, const char *arguments)
{
        struct state *state = (struct state *)request->state;
        struct account *account = accounts;

        (void)arguments;
        while (account && strncmp(account->client, request->client, NOVA_NAME_SIZE) != 0)
                account = account->next;
        if (!account) {
                account = calloc(1, sizeof(*account));
                if (!account)
                        return ENOMEM;
                strncpy(account->client, request->client, NOVA_NAME_SIZE);
                account->next = accounts;
                accounts = account;
        }
        account->sessions++;
        state->account = account;
        return 0;
}

/* Frees an account that is not needed any more. */
static void put_account(struct account *account)
{
        struct account **link = &accounts;

        if (account->sessions || account->ending)
                return;
        while (*link != account)
                link = &(*link)->next;
        *link = account->next;
        free(account);
}

static int allocate(struct nova_request *request)
{
        struct state *state = (struct state *)request->state;
        struct account *account = state->account;
        const nova_word_t order = request->word[0];

        if (order > NOVA_MEMORY_ORDER_MAX)
                return EINVAL;

        const size_t bytes = (size_t)NOVA_PAGE_SIZE << order;

        if (bytes > quota - account->used)
                return EDQUOT;
        if (bytes > quota - account->used - account->ending)
                return EAGAIN;

        struct lease *lease = malloc(sizeof(*lease));

        if (!lease)
                return ENOMEM;
        lease->pages = nova_page_alloc((unsigned)order);
        if (!lease->pages) {
                free(lease);
                return ENOMEM;
        }
        lease->order = (unsigned)order;
        lease->account = account;
        lease->number = ++state->numbers;
        lease->next = state->leases;
        state->leases = lease;
        account->used += bytes;
        nova_request_answer(request, lease->number);
        nova_request_give(request, crd_of(lease));
        return 0;
}

/* Revokes the memory from the client, and from all programs that got it from the client. */
static void give_back(struct nova_later *later)
{
        struct lease *lease = (struct lease *)later;

        nova_revoke(crd_of(lease), 0);
        nova_page_free(lease->pages, lease->order);
        lease->account->ending -= bytes_of(lease);
        put_account(lease->account);
        free(lease);
}

/* Ends a lease. Another thread of the client may be receiving the block at this moment, because it
 * can guess the number, so the pages are revoked again later. Until then they count against the
 * client's quota. */
static void end_lease(struct nova_service *service, struct lease **link)
{
        struct lease *lease = *link;

        *link = lease->next;
        lease->account->used -= bytes_of(lease);
        lease->account->ending += bytes_of(lease);
        lease->later.function = give_back;
        nova_revoke(crd_of(lease), 0);
        nova_service_later(service, &lease->later);
}

static int release(struct nova_request *request)
{
        struct state *state = (struct state *)request->state;

        for (struct lease **link = &state->leases; *link; link = &(*link)->next) {
                if ((*link)->number != request->word[0])
                        continue;
                end_lease(request->service, link);
                return 0;
        }
        return ENOENT;
}

static int query(struct nova_request *request)
{
        const struct state *state = (const struct state *)request->state;

        nova_request_answer(request, state->account->used);
        nova_request_answer(request, quota);
        return 0;
}

static void close_session(struct nova_service *service, void *bytes)
{
        struct state *state = (struct state *)bytes;

        while (state->leases)
                end_lease(service, &state->leases);
        state->account->sessions--;
        put_account(state->account);
}

int memory_service_start(size_t bytes)
{
        static const struct nova_service_operation operations[] = {
                {allocate, 1, 1, false},
                {release, 1, 1, false},
                {query, 0, 0, false},
        };
        const struct nova_service_config config = {
                .name = "memory",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .state_bytes = sizeof(struct state),
                .client_sessions = 1,
                .open = open_session,
                .close = close_session,
        };

        quota = bytes;
        return nova_service_start(NULL, &config);
}
