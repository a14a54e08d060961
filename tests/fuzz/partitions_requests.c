/* SPDX-License-Identifier: BSD-2-Clause */
/* The program partitions with a hostile disk and hostile clients. The disk has any partition table,
 * and its service fails at any time. The clients send any messages, die, and try to get partitions
 * of others. A client may get a session with the disk only after it is restricted to a partition
 * that the client was granted, and only until its own session ends. All sessions of a grant have
 * together at most the requests and the pool that one may have, and leave a session with the disk
 * for each other grant. The program prints no character of the disk that could control a terminal.
 * The test includes the program's file, because a new input begins with a new program. */
#include <errno.h>
#include <setjmp.h>
#include <stdint.h>

#define main partitions_main
#include "partitions/main.c"
#undef main

#include "disk_table.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "service.h"

#define STEP     6
#define CONFIG   20 /* bytes of the input before the first step: a table */
#define BLOCKS   64u
#define BYTES    512u
#define ENTRY    128u /* bytes of an entry of a GPT */
#define ENTRIES  4u
#define GRANTED  8u
#define IDLE     7u  /* maximum number of grants of a client that opens no session */
#define LIMIT    16u /* sessions that the disk's service gives to one program */
#define PARTS    4u  /* number of parts of a session with the disk */
#define REQUESTS 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The arguments of the program, and what they mean. */
static const struct {
        const char *text;
        unsigned client;
        const char *partition;
        uint32_t requests;
        bool read_only;
} granted[GRANTED] = {
        {"client0=1", 0, "1", 0, false},
        {"client0=2,read-only", 0, "2", 0, true},
        {"client1=2", 1, "2", 0, false},
        {"client1=1,requests=3,read-only", 1, "1", 3, true},
        {"client2=3,requests=65536", 2, "3", 65536, false},
        {"client2=4", 2, "4", 0, false},
        {"client3=a b", 3, "a b", 0, false},
        {"client9=1", 9, "1", 0, false},
};

/* A session of the program with the disk. */
struct nova_block {
        struct nova_block_info info;
        struct nova_block_range range; /* count 0: not restricted yet */
        size_t pool_bytes;
        unsigned grant; /* if given */
        nova_word_t use;
        nova_word_t page; /* of its ring */
        bool given, revoked[PARTS];
        struct nova_block *next;
};

/* A session of a client. */
static struct {
        bool open, dead;
        unsigned grant;
        struct nova_block *disk; /* NULL: not attached */
} clients[CLIENT_SESSIONS];

static uint8_t image[BLOCKS * BYTES];
static const uint8_t *config;
static struct nova_block *opened; /* list of all sessions with the disk, the newest one first */
static unsigned fails;            /* bits: the next calls to the disk that fail */
static unsigned idle;             /* number of grants of the client that opens no session */
static nova_word_t pages;
static jmp_buf running;

void nova_service_sleep(void)
{
        longjmp(running, 1);
}

static int fail(void)
{
        static const int errors[] = {ENOMEM, ENOMEM, EACCES, ECONNRESET};
        const bool now = fails & 1;

        fails >>= 1;
        return now ? errors[fails % 4] : 0;
}

/* Substitutes for the library of the disk's clients. */
int nova_block_open(struct nova_block **block, const char *service, const char *arguments,
                    size_t pool_bytes)
{
        const int error = fail();
        struct nova_block *const session = error ? NULL : calloc(1, sizeof(*session));

        require(!strcmp(service, "disk") && !arguments);
        if (error)
                return error;
        session->info = (struct nova_block_info){BLOCKS, BYTES, 0, REQUESTS, 1, 1, 0, 0};
        session->pool_bytes = pool_bytes;
        session->page = pages += 0x1000;
        session->next = opened;
        *block = opened = session;
        return 0;
}

static void check_open(const struct nova_block *block)
{
        const struct nova_block *at = opened;

        while (at != block) {
                require(at);
                at = at->next;
        }
}

/* Closes a session. A client that has got parts of the session must have lost them. */
void nova_block_close(struct nova_block *block)
{
        struct nova_block **link = &opened;

        check_open(block);
        for (unsigned i = 0; i < PARTS; i++)
                require(!block->given || block->revoked[i]);
        while (*link != block)
                link = &(*link)->next;
        *link = block->next;
        free(block);
}

const struct nova_block_info *nova_block_get_info(const struct nova_block *block)
{
        check_open(block);
        return &block->info;
}

int nova_block_read(struct nova_block *block, uint64_t first, uint32_t count, void *to)
{
        const int error = fail();

        check_open(block);
        require(first < BLOCKS && count == 1);
        memcpy(to, image + first * BYTES, BYTES);
        return error;
}

int nova_block_restrict(struct nova_block *block, const struct nova_block_range *range)
{
        const int error = fail();

        check_open(block);
        require(range->count && range->first && range->first < BLOCKS &&
                range->count <= BLOCKS - range->first && !block->range.count);
        if (!error)
                block->range = *range;
        return error;
}

static bool is_busy(const struct nova_block *block, nova_word_t use)
{
        for (const struct nova_block *at = opened; at; at = at->next)
                if (at != block && at->use &&
                    (use == NOVA_BLOCK_WRITES || at->use == NOVA_BLOCK_WRITES) &&
                    at->range.first < block->range.first + block->range.count &&
                    block->range.first < at->range.first + at->range.count)
                        return true;
        return false;
}

int nova_block_claim(struct nova_block *block, enum nova_block_use use)
{
        const int error = fail();

        check_open(block);
        require(block->range.count && use >= NOVA_BLOCK_READS && use <= NOVA_BLOCK_WRITES);
        if (error || is_busy(block, use))
                return error ? error : EBUSY;
        block->use = use;
        return 0;
}

struct nova_block_parts nova_block_get_parts(const struct nova_block *block)
{
        const struct nova_block_parts parts = {
                .ring = nova_crd_mem(block->page, NOVA_BLOCK_RING_ORDER, NOVA_MEM_R | NOVA_MEM_W),
                .pool = nova_crd_mem(block->page + 0x800,
                                     nova_crd_order_for(block->pool_bytes >> NOVA_PAGE_BITS),
                                     NOVA_MEM_R | NOVA_MEM_W),
                .doorbell = nova_crd_obj(block->page, 0, NOVA_SM_UP),
                .bell = nova_crd_obj(block->page + 1, 0, NOVA_SM_DN)};

        check_open(block);
        require(block->range.count);
        return parts;
}

static nova_word_t serve_hypercall(nova_word_t id, nova_word_t *a2, nova_word_t *a3)
{
        (void)a3;
        for (struct nova_block *at = opened; at && id == nova_hypercall_id(NOVA_REVOKE, 0, 0);
             at = at->next) {
                const struct nova_block_parts parts =
                        at->range.count ? nova_block_get_parts(at) : (struct nova_block_parts){0};

                at->revoked[0] |= *a2 == parts.ring;
                at->revoked[1] |= *a2 == parts.pool;
                at->revoked[2] |= *a2 == parts.doorbell;
                at->revoked[3] |= *a2 == parts.bell;
        }
        return NOVA_SUCCESS;
}

/* Writes an MBR. The numbers in its entries come from the configuration, and may be wrong. */
static void make_mbr(void)
{
        for (unsigned i = 0; i < ENTRIES; i++) {
                const uint8_t *const of = config + 4 + 4 * i;
                uint8_t *const entry = image + 446 + 16 * i;

                entry[0] = of[3] & 0x80;
                entry[4] = of[2];
                table_put(entry + 8, of[0] == 0xff ? UINT32_MAX : of[0], 4);
                table_put(entry + 12, of[1] == 0xff ? UINT32_MAX : of[1], 4);
        }
        for (unsigned i = 0; i < BLOCKS; i++)
                table_put(image + i * BYTES + 510, 0xaa55, 2);
}

static void make_gpt(void)
{
        uint8_t *const header = image + BYTES, *const entries = image + 2 * BYTES;

        for (unsigned i = 0; i < ENTRIES; i++) {
                const uint8_t *const of = config + 4 + 4 * i;
                uint8_t *const entry = entries + ENTRY * i;

                entry[0] = of[0];
                table_put(entry + 32, of[0] == 0xff ? UINT64_MAX : of[0], 8);
                table_put(entry + 40, of[1] == 0xff ? UINT64_MAX - 1 : of[1], 8);
                for (unsigned k = 0; k < 3; k++)
                        table_put(entry + 56 + 2 * k, k & 1 ? of[3] : of[2] + k / 2, 2);
        }
        memcpy(header, "EFI PART\0\0\1", 12);
        table_put(header + 12, 92, 4);
        table_put(header + 24, 1, 8);
        table_put(header + 32, BLOCKS - 1, 8);
        table_put(header + 40, 3, 8);
        table_put(header + 48, BLOCKS - 3, 8);
        table_put(header + 72, 2, 8);
        table_put(header + 80, ENTRIES, 4);
        table_put(header + 84, ENTRY, 4);
        table_put(header + 88, table_crc(entries, (size_t)ENTRIES * ENTRY), 4);
        table_put(header + 16, table_crc(header, 92), 4);
}

/* Returns the partition with a number or a name. */
static const struct partition *partition_of(const char *text)
{
        for (unsigned i = 0; i < table.count; i++) {
                const struct partition *const partition = &table.partition[i];
                const bool is_number = *text >= '0' && *text <= '9' && !text[1];

                if (is_number ? partition->number == (unsigned)(*text - '0')
                              : !strcmp(partition->name, text))
                        return partition;
        }
        return NULL;
}

static bool has_grant(unsigned client, unsigned index)
{
        return config[1] >> index & 1 && granted[index].client == client % client_count;
}

/* Finds the grant by which a client opens a session. @return 0 or the expected error */
static int expect_open(unsigned client, const char *text, unsigned *grant)
{
        const struct partition *const wanted = *text ? partition_of(text) : NULL;
        bool any = false;

        for (unsigned i = 0; i < GRANTED; i++) {
                if (!has_grant(client, i))
                        continue;
                any = true;
                *grant = i;
                if (!*text || partition_of(granted[i].partition) == wanted)
                        return 0;
        }
        return any && *text && !wanted ? ENOENT : EACCES;
}

static void forget_closed(void)
{
        for (unsigned i = 0; i < CLIENT_SESSIONS; i++) {
                if (clients[i].open && !client_is_open(i))
                        memset(&clients[i], 0, sizeof(clients[i]));
        }
}

static void open_client(unsigned client, const uint8_t *step)
{
        static const char *const texts[] = {"", "1", "2", "3", "4", "a b", "5", "x", "client0", ""};
        char any[2] = {(char)step[3]};
        const unsigned choice = step[2] % (sizeof(texts) / sizeof(texts[0]));
        const char *const text = choice == 9 ? any : texts[choice];
        unsigned grant = 0;
        const int error = expect_open(client, text, &grant);
        const int got = client_open(client, text, strlen(text));

        /* The result of arbitrary text is not predicted: it may be a number in another form. */
        require(choice == 9 || got == error);
        if (got)
                return;
        require(!error);
        clients[client].open = true;
        clients[client].grant = grant;
}

static void call(unsigned client, nova_word_t operation, const void *words, unsigned count,
                 struct client_answer *answer)
{
        client_call(client, operation, words, count, NULL, answer);
        forget_closed();
}

/* Checks that the new session with the disk has exactly what the grant permits. */
static void check_session(unsigned client, unsigned order, const struct client_answer *answer)
{
        const unsigned grant = clients[client].grant;
        const struct partition *const partition = partition_of(granted[grant].partition);
        const struct nova_block_parts parts = nova_block_get_parts(opened);

        require(answer->gives == 2 && answer->give[0] == parts.ring &&
                answer->give[1] == parts.pool);
        require(!opened->given && opened->pool_bytes == (size_t)NOVA_PAGE_SIZE << order);
        require(opened->range.first == partition->first &&
                opened->range.count == partition->count &&
                opened->range.requests == granted[grant].requests &&
                opened->range.read_only == granted[grant].read_only);
        opened->given = true;
        opened->grant = grant;
        clients[client].disk = opened;
}

/* Returns true if the client of a session with the disk has ended, and the session ends soon. */
static bool is_closing(const struct nova_block *block)
{
        return block->given && block->revoked[0];
}

/* Returns the error of another session of a grant, 0: none. A session counts until the program has
 * closed it, or with @p stays until its client has ended. */
static int expect_attach(unsigned grant, nova_word_t order, bool stays)
{
        size_t bytes = (size_t)NOVA_PAGE_SIZE << order;
        unsigned sessions[GRANTED] = {0}, needed = idle;

        for (const struct nova_block *at = opened; at; at = at->next) {
                if (stays && is_closing(at))
                        continue;
                sessions[at->grant]++;
                bytes += at->grant == grant ? at->pool_bytes : 0;
        }
        if (!sessions[grant])
                return 0;
        if (granted[grant].requests)
                return EBUSY;
        if (bytes > (size_t)NOVA_PAGE_SIZE << NOVA_BLOCK_POOL_ORDER_MAX)
                return ENOMEM;
        for (unsigned i = 0; i < GRANTED; i++)
                if (config[1] >> i & 1)
                        needed += sessions[i] ? sessions[i] : 1;
        return needed < LIMIT ? 0 : EMFILE;
}

static void attach_client(unsigned client, nova_word_t order)
{
        const bool fits = order >= NOVA_BLOCK_RING_ORDER && order <= NOVA_BLOCK_POOL_ORDER_MAX;
        const bool may_fail = fails;
        const int error = fits ? expect_attach(clients[client].grant, order, false) : EINVAL;
        struct client_answer answer;

        call(client, NOVA_BLOCK_ATTACH, &order, 1, &answer);
        if (!fits || clients[client].disk)
                require(answer.error == (fits ? EEXIST : EINVAL));
        else if (error)
                require(answer.error ==
                        (expect_attach(clients[client].grant, order, true) ? error : EAGAIN));
        else if (answer.error)
                require(may_fail);
        else
                check_session(client, (unsigned)order, &answer);
}

static void ask(unsigned client)
{
        struct nova_block *const session = clients[client].disk;
        struct client_answer answer;

        call(client, NOVA_BLOCK_INFO, "", 0, &answer);
        require(answer.error == (session ? 0 : EINVAL));
        require(!session || !memcmp(answer.word, &session->info, sizeof(session->info)));
        call(client, NOVA_BLOCK_SEMAPHORES, "", 0, &answer);
        require(answer.error == (session ? 0 : EINVAL));
        if (!session)
                return;
        require(answer.gives == 2 && answer.give[0] == nova_block_get_parts(session).doorbell &&
                answer.give[1] == nova_block_get_parts(session).bell);
}

/* Returns true if another session with a client's partition ends soon. */
static bool has_closing(unsigned client)
{
        for (const struct nova_block *at = opened; at; at = at->next)
                if (is_closing(at) && at->range.first == clients[client].disk->range.first)
                        return true;
        return false;
}

/* Lets a client claim blocks. A claim of a dead client counts until its session with the disk is
 * closed. */
static void claim_blocks(unsigned client, const uint8_t *step)
{
        const nova_word_t use = step[2] % 4 | (nova_word_t)(step[3] & 1) << 32;
        const bool valid = use >= NOVA_BLOCK_READS && use <= NOVA_BLOCK_WRITES;
        const bool busy = valid && clients[client].disk && is_busy(clients[client].disk, use);
        const bool may_fail = fails;
        struct client_answer answer;

        call(client, NOVA_BLOCK_CLAIM, &use, 1, &answer);
        if (!valid || !clients[client].disk)
                require(answer.error == EINVAL);
        else if (!may_fail)
                require(answer.error == (!busy ? 0 : has_closing(client) ? EAGAIN : EBUSY));
}

/* Sends messages that the protocol does not have. */
static void send_wrong(unsigned client, const uint8_t *step)
{
        const nova_word_t words[8] = {step[3], step[4]};
        struct client_answer answer;

        call(client, NOVA_BLOCK_RESTRICT, words, step[2] % 8, &answer);
        require(answer.error == ENOSYS);
        call(client, NOVA_BLOCK_INFO + step[5], words, 2 + step[2] % 6, &answer);
        require(answer.error);
}

static void end_session(unsigned client, bool dies)
{
        struct client_answer answer;

        clients[client].dead = dies;
        if (dies)
                client_kill(client);
        else
                call(client, NOVA_OPERATION_CLOSE, "", 0, &answer);
}

/* Performs a step. Its bytes: what happens, session, and arguments. */
static void run_step(const uint8_t *step)
{
        const unsigned client = step[1] % CLIENT_SESSIONS;

        if (step[0] % 8 == 0) {
                fails = step[2] % 16;
                if (!(step[3] & 1))
                        return;
                client_deliver();
        } else if (clients[client].dead) {
                return;
        } else if (!clients[client].open) {
                open_client(client, step);
        } else if (step[0] % 8 < 3) {
                attach_client(client, step[2] % 14);
        } else if (step[0] % 8 == 3) {
                ask(client);
        } else if (step[0] % 8 < 6) {
                claim_blocks(client, step);
        } else if (step[0] % 8 == 6) {
                end_session(client, step[2] & 1);
        } else {
                send_wrong(client, step);
        }
}

/* Starts the program. @return false: it has ended, because a grant or the table is wrong */
static bool start(void)
{
        static char words[GRANTED + IDLE][40];
        static char *list[2 + GRANTED + IDLE] = {"partitions", "disk"};
        int count = 2;

        grant_count = 0;
        unreadable = false;
        memset(grants, 0, sizeof(grants));
        for (unsigned i = 0; i < GRANTED; i++) {
                if (!(config[1] >> i & 1))
                        continue;
                strcpy(words[i], granted[i].text);
                list[count++] = words[i];
        }
        for (unsigned i = GRANTED; i < GRANTED + idle; i++) {
                strcpy(words[i], "idle=1");
                list[count++] = words[i];
        }
        if (setjmp(running))
                return true;
        require(partitions_main(count, list));
        return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < CONFIG)
                return 0;
        config = data;
        memset(image, 0, sizeof(image));
        memset(clients, 0, sizeof(clients));
        pages = 0;
        fails = config[2] & 0x7f;
        client_count = config[2] & 0x80 ? 2 : CLIENT_SESSIONS;
        idle = config[2] & 0x80 ? IDLE : 0;
        if (config[0] & 1)
                make_gpt();
        else
                make_mbr();
        image[config[3] * 2] ^= config[0] & 0xfe;
        service_hypercall = serve_hypercall;
        if (start()) {
                fails = 0;
                for (data += CONFIG, size -= CONFIG; size >= STEP; data += STEP, size -= STEP)
                        run_step(data);
                client_end();
        }
        require(!opened);
        service_hypercall = NULL;
        return 0;
}
