/* SPDX-License-Identifier: BSD-2-Clause */
/* Client stub of the service `names`. */
#include "novart/service/names.h"

#include <errno.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "service/client.h"

#define NAME_WORDS NOVA_WORDS_OF(NOVA_SERVICE_NAME_SIZE)

int nova_names_open(struct nova_session **names)
{
        return nova_session_open(names, "names", NULL);
}

/* Copies a name into words, and pads the last word with 0.
 * @return number of words; 0: the name is too long */
static unsigned put_name(nova_word_t *words, const char *name)
{
        const size_t bytes = strlen(name) + 1;

        if (bytes > NOVA_SERVICE_NAME_SIZE)
                return 0;
        memset(words, 0, NOVA_MESSAGE_BYTES(NAME_WORDS));
        memcpy(words, name, bytes);
        return (unsigned)NOVA_WORDS_OF(bytes);
}

int nova_names_publish(struct nova_session *names, const char *name, nova_crd_t crd)
{
        nova_word_t words[NAME_WORDS];
        struct nova_message message = {.operation = NOVA_NAMES_PUBLISH,
                                       .words = words,
                                       .word_count = put_name(words, name),
                                       .item_count = 1,
                                       .items = {crd}};

        return message.word_count ? nova_session_call(names, &message) : EINVAL;
}

int nova_names_withdraw(struct nova_session *names, const char *name)
{
        nova_word_t words[NAME_WORDS];
        struct nova_message message = {.operation = NOVA_NAMES_WITHDRAW,
                                       .words = words,
                                       .word_count = put_name(words, name)};

        return message.word_count ? nova_session_call(names, &message) : EINVAL;
}

/* Returns true if capabilities arrived. None arrive if the publisher has died and the service has
 * not noticed it yet. */
static bool arrived(nova_crd_t window)
{
        for (nova_word_t i = 0; i < nova_crd_count(window); i++) {
                nova_crd_t crd = nova_crd_obj(nova_crd_base(window) + i, 0, NOVA_PERM_ALL);

                if (nova_lookup(&crd) == NOVA_SUCCESS && crd)
                        return true;
        }
        return false;
}

int nova_names_lookup(struct nova_session *names, const char *name, nova_crd_t window,
                      uint64_t deadline)
{
        nova_word_t words[1 + NAME_WORDS];
        const unsigned count = put_name(&words[1], name);
        int error = deadline ? nova_session_enable_notify(names) : 0;

        words[0] = nova_crd_perms(window);
        while (!error) {
                struct nova_message message = {.operation = NOVA_NAMES_LOOKUP,
                                               .words = words,
                                               .word_count = 1 + count,
                                               .window = window};

                error = count ? nova_session_call(names, &message) : EINVAL;
                if (!error)
                        return arrived(window) ? 0 : ENOENT;
                if (error != ENOENT || !deadline)
                        return error;
                error = novart_client_wait_again(names, deadline);
        }
        return error;
}
