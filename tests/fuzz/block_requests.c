/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile clients of a block service, and a device that ends requests in any order with any status.
 * The clients write any values to their rings, also while the service reads the rings. They send
 * any messages, die, and close sessions while the device works. No request may be lost or completed
 * twice. A request that the device gets must lie in the blocks and the memory of its client. No
 * memory becomes free while a client or the device can use it. */
#include <errno.h>
#include <string.h>

#include "block_model.h"
#include "nova/crd.h"
#include "ring/serve.h"
#include "service_pages.h"

#define STEP  8
#define WORDS 6u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void call(unsigned session, nova_word_t operation, const void *words, unsigned count,
                 struct client_answer *answer)
{
        client_call(session, operation, words, count, NULL, answer);
        forget_closed();
}

static void attach_client(unsigned session, nova_word_t order)
{
        struct client *const client = &clients[session];
        const bool fits = order >= NOVA_BLOCK_RING_ORDER && order <= NOVA_BLOCK_POOL_ORDER_MAX;
        const bool scarce = pages_fail;
        struct client_answer answer;

        call(session, NOVA_BLOCK_ATTACH, &order, 1, &answer);
        if (!fits || client->ring) {
                require(answer.error == (fits ? EEXIST : EINVAL));
                return;
        }
        require(!answer.error || scarce);
        if (answer.error)
                return;
        attached(client, &answer, (unsigned)order);
}

static void open_client(unsigned session, const uint8_t *step)
{
        const bool wrong = step[2] == 0xff;

        require(client_open(session, "x", wrong) == (wrong ? EINVAL : 0));
        forget_closed();
        if (wrong)
                return;
        clients[session] = (struct client){.open = true,
                                           .count = disk.info.blocks,
                                           .depth = disk.depth,
                                           .read_only = disk.info.flags & NOVA_BLOCK_READ_ONLY};
        if (step[3] != 0xff)
                attach_client(session, step[3] & 0x80 ? step[3] & 15 : 2 + step[3] % 3);
}

static void restrict_client(struct client *client, const uint8_t *step)
{
        struct nova_block_range range = {step[2] % 80, step[3] % 80, step[4], step[5] & 1};
        const bool fits = range.count && range.first < client->count && step[6] != 0xff &&
                          range.count <= client->count - range.first && !(step[5] & 0x80);
        struct client_answer answer;

        if (step[6] == 0xff)
                range.first = UINT64_MAX - step[2];
        if (step[5] & 0x80)
                range.read_only = 2;
        call((unsigned)(client - clients), NOVA_BLOCK_RESTRICT, &range,
             NOVA_WORDS_OF(sizeof(range)), &answer);
        require(answer.error == (fits ? 0 : EINVAL));
        if (!fits)
                return;
        client->first += range.first;
        client->count = range.count;
        client->read_only |= range.read_only;
        if (range.requests && range.requests < client->depth)
                client->depth = range.requests;
}

/* Lets a client claim blocks. Only claims of living clients exclude each other. */
static void claim_blocks(struct client *client, nova_word_t use)
{
        bool busy = false;
        struct client_answer answer;

        if (client->read_only && use == NOVA_BLOCK_WRITES)
                use = NOVA_BLOCK_READS;
        for (const struct client *other = clients; other < clients + CLIENT_SESSIONS; other++)
                busy |= other != client && is_served(other) && !other->dead && other->use &&
                        (use == NOVA_BLOCK_WRITES || other->use == NOVA_BLOCK_WRITES) &&
                        overlaps(client->first, client->count, other->first, other->count);
        call((unsigned)(client - clients), NOVA_BLOCK_CLAIM, &use, 1, &answer);
        if (!client->ring || !use || use > NOVA_BLOCK_WRITES)
                require(answer.error == EINVAL);
        else
                require(answer.error == (busy ? EBUSY : 0));
        if (!answer.error)
                client->use = use;
}

static void ask(struct client *client, const uint8_t *step)
{
        const unsigned session = (unsigned)(client - clients);
        const nova_word_t words[WORDS] = {step[4], step[5], step[6]};
        const bool scarce = pages_fail;
        struct client_answer answer;
        struct nova_block_info about;

        if (step[2] & 1) { /* no operation has that number of words */
                call(session, NOVA_BLOCK_INFO + step[3] % 8, words, 4 + step[2] % 2, &answer);
                require(answer.error);
                return;
        }
        call(session, NOVA_BLOCK_INFO, "", 0, &answer);
        memcpy(&about, answer.word, sizeof(about));
        require(!answer.error && about.blocks == client->count && about.requests >= client->depth);
        require(!(about.flags & NOVA_BLOCK_READ_ONLY) == !client->read_only);
        call(session, NOVA_BLOCK_SEMAPHORES, "", 0, &answer);
        require(!answer.error || scarce);
        if (answer.error)
                return;
        require(answer.gives == 2 && nova_crd_base(answer.give[0]) == serve_doorbell());
        require(!client->bell || client->bell == nova_crd_base(answer.give[1]));
        client->bell = nova_crd_base(answer.give[1]);
}

/* Writes requests to a ring. Their place and size may be wrong. */
static void submit(const struct client *client, const uint8_t *step)
{
        struct nova_ring *const head = &client->ring->head;
        const unsigned bytes = disk.info.block_bytes;

        if (!(step[7] & 4))
                head->reaped = client->completed;
        head->client_waits = step[7] >> 1 & 1;
        for (unsigned n = 0; n <= step[7] >> 4; n++) {
                struct nova_block_entry *const entry =
                        &client->ring->entry[head->submitted++ % NOVA_BLOCK_ENTRIES];

                memset(entry, 0, sizeof(*entry));
                entry->operation = step[2] % 6;
                entry->block = step[3] == 0xff ? UINT64_MAX - step[6] : step[3] % 80;
                entry->tag = step[5] * 7 + n;
                entry->reserved = step[2] == 0xff;
                if (entry->operation == NOVA_BLOCK_DISCARD)
                        entry->blocks = step[6] == 0xff ? UINT32_MAX : step[6] % 70;
                if (entry->operation < NOVA_BLOCK_FLUSH || step[7] & 1)
                        entry->segment_count = step[4] & 15;
                for (unsigned i = 0; i < entry->segment_count && i < NOVA_BLOCK_SEGMENTS; i++)
                        entry->segment[i] = (struct nova_block_segment){
                                (step[5] + (step[7] & 8 ? 0 : i)) * bytes,
                                (1 + step[6] % 4) * bytes};
                if (step[4] & 0x80)
                        entry->segment[step[4] / 16 % 8].offset -= step[6];
                if (step[4] & 0x40)
                        entry->segment[step[4] / 16 % 4].bytes = 0u - step[6] * 512u;
        }
}

static void end_session(unsigned session, bool dies)
{
        struct client_answer answer;

        if (dies) {
                client_kill(session);
                clients[session].dead = true;
        } else {
                call(session, NOVA_OPERATION_CLOSE, "", 0, &answer);
                require(!answer.error && !clients[session].open);
        }
}

/* Performs a step of the service, the device or the allocator, or a write to shared memory. @return
 * false: the step is one that only a client makes */
static bool happen(const uint8_t *step)
{
        switch (step[0] % 16) {
        case 0:
        case 1:
                serve_clients(step[2], 1 + step[3] % 4, step[4] & 1 ? step[5] : 0);
                return true;
        case 2:
                serve_clients(0, 0, 0);
                return true;
        case 3:
                scribble(step);
                return true;
        case 4:
                race = step;
                return true;
        case 5:
                pages_fail = step[2] % 16;
                if (step[3] & 1)
                        client_deliver();
                return true;
        default:
                return false;
        }
}

/* Performs a step. Its bytes: what happens, session, and arguments. */
static void run_step(const uint8_t *step)
{
        const unsigned session = step[1] % CLIENT_SESSIONS;
        struct client *const client = &clients[session];

        if (happen(step) || client->dead)
                return;
        if (!client->open) {
                open_client(session, step);
                return;
        }
        switch (step[0] % 16) {
        case 6:
                restrict_client(client, step);
                break;
        case 7:
                claim_blocks(client, step[2] % 4);
                break;
        case 8:
                ask(client, step);
                break;
        case 9:
                end_session(session, step[2] & 1);
                break;
        case 10:
                attach_client(session, step[2] % 16);
                break;
        default:
                if (is_served(client))
                        submit(client, step);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        bool close_first;

        if (size < BLOCK_BEGIN)
                return 0;
        close_first = data[0] & 0x80;
        begin_service(data);
        for (data += BLOCK_BEGIN, size -= BLOCK_BEGIN; size >= STEP; data += STEP, size -= STEP)
                run_step(data);
        race = NULL;
        for (unsigned i = 0; close_first && i < CLIENT_SESSIONS; i++)
                if (clients[i].open)
                        end_session(i, false);
        end_service();
        return 0;
}
