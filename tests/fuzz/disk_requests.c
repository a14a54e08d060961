/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile clients of the service `disk`: any messages, in any order, with shared memory that they
 * revoke. The archive has some files. Each answer must have a file's data and nothing else, and the
 * service may change only the part of the shared memory that the client named. The test includes
 * the server's file, because a new input begins with a new archive. */
#include <string.h>

#include "disk/server.c"
#include "service.h"

#define STEP        8
#define FILES       3u
#define BLOCK       512u
#define SHARE_BYTES ((size_t)NOVA_DISK_SHARE_PAGES * NOVA_PAGE_SIZE)
#define READ_MAX    NOVA_MESSAGE_BYTES(NOVA_MESSAGE_WORDS - 8) /* bytes of a read */
#define WORDS       (NOVA_DISK_PATH_SIZE / sizeof(nova_word_t) + 2)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
        const char *path;
        size_t bytes;
} all[FILES] = {{"empty", 0}, {"folder/long", 9 * BLOCK - 3}, {"short", 9}};

static uint8_t archive_bytes[15 * BLOCK];            /* headers, data, and two blocks at the end */
static uint8_t shares[CLIENT_SESSIONS][SHARE_BYTES]; /* expected content of the clients' memory */

static uint8_t byte_of(size_t number, size_t at)
{
        return (uint8_t)(number * 77 + at * 5 + at / 251 + 1);
}

static uint8_t *add_file(uint8_t *at, unsigned number)
{
        unsigned sum = 8 * ' ';

        strcpy((char *)at, all[number].path);
        for (unsigned i = 0; i < 11; i++)
                at[124 + i] = (uint8_t)('0' + (all[number].bytes >> 3 * (10 - i) & 7));
        at[156] = '0';
        memcpy(at + 257, "ustar\00000", 8);
        for (unsigned i = 0; i < BLOCK; i++)
                sum += at[i];
        for (unsigned i = 0; i < 6; i++)
                at[148 + i] = (uint8_t)('0' + (sum >> 3 * (5 - i) & 7));
        at[155] = ' ';
        at += BLOCK;
        for (size_t i = 0; i < all[number].bytes; i++)
                at[i] = byte_of(number, i);
        return at + (all[number].bytes + BLOCK - 1) / BLOCK * BLOCK;
}

/* Returns a number for two bytes: small, near a file's end, or very large. */
static nova_word_t number_of(const uint8_t *bytes)
{
        const nova_word_t number = bytes[0] | (nova_word_t)(bytes[1] & 0x1f) << 8;

        return bytes[1] & 0x80   ? ~(nova_word_t)0 - number
               : bytes[1] & 0x40 ? SHARE_BYTES - bytes[0]
                                 : number;
}

/* Returns the maximum number of bytes that a request gets. */
static size_t expect(const nova_word_t *words)
{
        const size_t bytes = words[0] < FILES ? all[words[0]].bytes : 0;
        const size_t left = words[1] < bytes ? bytes - words[1] : 0;

        return words[2] < left ? words[2] : left;
}

static void check_data(const nova_word_t *words, const uint8_t *got, size_t bytes)
{
        for (size_t i = 0; i < bytes; i++)
                require(got[i] == byte_of(words[0], words[1] + i));
}

static void read_file(unsigned session, const nova_word_t *words)
{
        const size_t bytes = expect(words);
        struct client_answer answer;

        client_call(session, NOVA_DISK_READ, words, 3, NULL, &answer);
        require(answer.error == (words[0] < FILES ? 0 : ENOENT));
        if (answer.error)
                return;
        require(answer.word[0] == (bytes < READ_MAX ? bytes : READ_MAX));
        require(answer.words == 1 + NOVA_WORDS_OF(answer.word[0]));
        check_data(words, (const uint8_t *)&answer.word[1], answer.word[0]);
}

static void fetch(unsigned session, const nova_word_t *words, bool revoked)
{
        const size_t bytes = expect(words);
        const bool fits = words[3] <= SHARE_BYTES && bytes <= SHARE_BYTES - words[3];
        uint8_t *const share = client_share(session);
        struct client_answer answer;

        client_revoke(revoked);
        client_call(session, NOVA_DISK_FETCH, words, 4, NULL, &answer);
        client_revoke(false);
        require(answer.error == (words[0] >= FILES ? ENOENT
                                 : !fits           ? EINVAL
                                 : revoked         ? EFAULT
                                                   : 0));
        if (!answer.error) {
                require(answer.words == 1 && answer.word[0] == bytes);
                check_data(words, share + words[3], bytes);
        }
        if (fits)
                memcpy(shares[session] + words[3], share + words[3], bytes);
        require(!memcmp(shares[session], share, SHARE_BYTES));
}

static void stat_number(unsigned session, nova_word_t number)
{
        struct client_answer answer;

        client_call(session, NOVA_DISK_STAT, &number, 1, NULL, &answer);
        require(answer.error == (number < FILES ? 0 : ENOENT));
        require(answer.error || (answer.word[0] == all[number].bytes &&
                                 !strcmp((const char *)&answer.word[1], all[number].path)));
}

/* Finds a path, which need not end within the message. */
static void find(unsigned session, const uint8_t *step)
{
        char path[WORDS * sizeof(nova_word_t)] = {0};
        const unsigned count = 1 + step[3] % (NOVA_DISK_PATH_SIZE / sizeof(nova_word_t));
        struct client_answer answer;
        unsigned number = 0;

        if (step[2] % 8 < FILES)
                strcpy(path, all[step[2] % 8].path);
        else
                memset(path, step[2], step[3]);
        path[step[4]] ^= (char)step[5];
        client_call(session, NOVA_DISK_FIND, path, count, NULL, &answer);
        while (number < FILES && strncmp(path, all[number].path, sizeof(path)) != 0)
                number++;
        if (number == FILES || strlen(path) >= count * sizeof(nova_word_t))
                require(answer.error == ENOENT);
        else
                require(!answer.error && answer.word[0] == number &&
                        answer.word[1] == all[number].bytes);
}

static void send_wrong(unsigned session, const uint8_t *step)
{
        const nova_word_t words[WORDS] = {step[4], step[5]};
        const unsigned count = step[2] % 8;
        struct client_answer answer;

        client_call(session, NOVA_DISK_FETCH + 1 + step[3], words, count, NULL, &answer);
        require(answer.error == ENOSYS);
        client_call(session, NOVA_DISK_READ + step[3] % 2, words, count % 3, NULL, &answer);
        require(answer.error == EINVAL);
        client_call(session, NOVA_DISK_FIND, words, step[3] & 1 ? 0 : WORDS, NULL, &answer);
        require(answer.error);
}

/* Performs a step. Its bytes: what happens, session, and arguments. */
static void run_step(const uint8_t *step)
{
        const unsigned session = step[1] % CLIENT_SESSIONS;
        const nova_word_t words[4] = {step[1] & 0x80 ? number_of(step + 2) : step[1] / 8 % 4,
                                      number_of(step + 2), number_of(step + 4),
                                      number_of(step + 6)};
        struct client_answer answer;

        if (!client_is_open(session)) {
                require(client_open(session, "", 0) == 0);
                memset(shares[session], 0, SHARE_BYTES);
        }
        switch (step[0] % 8) {
        case 0:
        case 1:
                read_file(session, words);
                break;
        case 2:
        case 3:
        case 4:
                if (client_share(session))
                        fetch(session, words, step[0] & 0x80);
                break;
        case 5:
                stat_number(session, words[0]);
                break;
        case 6:
                find(session, step);
                break;
        default:
                if (step[2] == 0xff)
                        client_call(session, NOVA_OPERATION_CLOSE, "", 0, NULL, &answer);
                else
                        send_wrong(session, step);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *wrong;
        uint8_t *at = archive_bytes;

        memset(archive_bytes, 0, sizeof(archive_bytes));
        for (unsigned i = 0; i < FILES; i++)
                at = add_file(at, i);
        file_count = 0;
        free(files);
        require(disk_service_start(archive_bytes, sizeof(archive_bytes), &wrong) == 0);
        require(file_count == FILES && at + 2 * BLOCK == archive_bytes + sizeof(archive_bytes));
        for (; size >= STEP; data += STEP, size -= STEP)
                run_step(data);
        client_end();
        return 0;
}
