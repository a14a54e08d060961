/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile clients of the service `names`: any messages with any items. A list of published names
 * predicts the result of each request. A client must get only capabilities that are published, with
 * permissions of the publisher's, and the service must release those of clients that have ended. */
#include <errno.h>
#include <string.h>

#include "names/server.h"
#include "nova/crd.h"
#include "novart/service/names.h"
#include "service.h"

#define STEP  6 /* bytes of a step; its text follows them */
#define NAMES 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The published names, as the test knows them. */
static struct published {
        char name[NOVA_SERVICE_NAME_SIZE];
        unsigned owner, order, perms;
} names[NAMES];
static unsigned count;

static struct published *find(const char *name)
{
        for (unsigned i = 0; i < count; i++)
                if (!strcmp(names[i].name, name))
                        return &names[i];
        return NULL;
}

static void forget(struct published *name)
{
        *name = names[--count];
}

static void forget_all_of(unsigned session)
{
        for (unsigned i = count; i-- > 0;)
                if (names[i].owner == session)
                        forget(&names[i]);
}

static unsigned owned(unsigned session)
{
        unsigned number = 0;

        for (unsigned i = 0; i < count; i++)
                number += names[i].owner == session;
        return number;
}

static bool is_valid(const char *name)
{
        return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789.-_/")] == 0;
}

/* Returns the name in a message; NULL: it is too long. */
static const char *name_of(const nova_word_t *words, unsigned number)
{
        static char name[NOVA_SERVICE_NAME_SIZE];
        const size_t bytes = number * sizeof(*words), length = strnlen((const char *)words, bytes);

        if (length >= sizeof(name))
                return NULL;
        memcpy(name, words, length);
        name[length] = 0;
        return name;
}

static int expect_publish(unsigned session, const char *name, const struct client_item *item)
{
        if (!item || !name || !is_valid(name))
                return EINVAL;
        if (find(name))
                return EEXIST;
        return owned(session) >= NOVA_NAMES_CLIENT_MAX ? EDQUOT : 0;
}

static void publish(unsigned session, const nova_word_t *words, unsigned number,
                    const struct client_item *item)
{
        const char *const name = number && number <= 4 ? name_of(words, number) : NULL;
        const int expected = expect_publish(session, name, item);
        struct client_answer answer;

        client_call(session, NOVA_NAMES_PUBLISH, words, number, item, &answer);
        require(answer.error == expected);
        if (answer.error)
                return;
        names[count] =
                (struct published){.owner = session, .order = item->order, .perms = item->perms};
        strcpy(names[count++].name, name);
}

static void withdraw(unsigned session, const nova_word_t *words, unsigned number)
{
        const char *const name = number && number <= 4 ? name_of(words, number) : NULL;
        struct published *const old = name ? find(name) : NULL;
        const int expected = !name ? EINVAL : !old ? ENOENT : old->owner != session ? EPERM : 0;
        struct client_answer answer;

        client_call(session, NOVA_NAMES_WITHDRAW, words, number, NULL, &answer);
        require(answer.error == expected);
        if (!answer.error)
                forget(old);
}

static void look_up(unsigned session, const nova_word_t *words, unsigned number)
{
        const char *const name = number > 1 && number <= 5 ? name_of(words + 1, number - 1) : NULL;
        const struct published *const entry = name ? find(name) : NULL;
        const unsigned perms = entry ? (unsigned)words[0] & entry->perms : 0;
        const int expected = !name ? EINVAL : !entry ? ENOENT : !perms ? EACCES : 0;
        struct client_answer answer;

        client_call(session, NOVA_NAMES_LOOKUP, words, number, NULL, &answer);
        require(answer.error == expected);
        if (answer.error)
                return;
        require(answer.gives == 1 && nova_crd_type(answer.give[0]) == NOVA_CRD_OBJ);
        require(nova_crd_perms(answer.give[0]) == perms);
        require(nova_crd_order(answer.give[0]) == entry->order);
        for (unsigned i = 0; i < 1u << entry->order; i++)
                require(selector_is_used(nova_crd_base(answer.give[0]) + i));
}

/* Performs a step. Its bytes: the operation and an item's presence, session, number of words, order
 * and permissions of the item, and bytes of the text. @return bytes of the text that were used */
static size_t run_step(const uint8_t *step, size_t left)
{
        const unsigned session = step[1] % CLIENT_SESSIONS, number = step[2] % 8;
        const struct client_item item = {step[3] % (NOVA_NAMES_ORDER + 1), step[4] & 0x1f};
        const struct client_item *const sent = step[0] & 0x80 ? &item : NULL;
        nova_word_t words[8] = {step[4]};
        const size_t skip = (step[0] & 7) == 2 ? sizeof(words[0]) : 0;
        size_t bytes = step[5] % (sizeof(words) - sizeof(words[0]));
        struct client_answer answer;

        bytes = bytes < left ? bytes : left;
        if (!skip)
                words[0] = 0;
        memcpy((char *)words + skip, step + STEP, bytes);
        if (!client_is_open(session))
                return client_open(session, "", 0), bytes;
        switch (step[0] & 7) {
        case 0:
        case 1:
                publish(session, words, number, sent);
                break;
        case 2:
                look_up(session, words, number);
                break;
        case 3:
                withdraw(session, words, number);
                break;
        case 4:
                client_call(session, NOVA_OPERATION_CLOSE, words, number, sent, &answer);
                forget_all_of(session);
                break;
        default: /* an operation that does not exist, or one of the runtime */
                client_call(session, step[4] >> 4 ? step[4] : NOVA_OPERATION_NOTIFY, words,
                            step[4] >> 4 ? 8 : number, sent, &answer);
                break;
        }
        return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        count = 0;
        require(names_service_start() == 0);
        while (size >= STEP) {
                const size_t bytes = STEP + run_step(data, size - STEP);

                data += bytes;
                size -= bytes;
        }
        client_end();
        return 0;
}
