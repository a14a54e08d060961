/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the settings of clients that the arguments of a switch contain. */
#include "options.h"

#include <stddef.h>
#include <string.h>

/* A client's rate. */
struct entry {
        const char *client; /* ends at a colon */
        size_t length;      /* length of the name, at most CLIENT_NAME */
        struct rate rate;
};

static const char *open_names[OPEN_MAX];
static unsigned open_count;
static struct entry rates[RATES_MAX];
static unsigned rate_count;

static bool read_rate(const char *word)
{
        const char *const colon = strchr(word, ':');
        const size_t length = colon ? (size_t)(colon - word) : 0;
        const uint64_t per_second = length ? rate_read(colon + 1) : 0;

        if (!per_second || rate_count == RATES_MAX)
                return false;
        rates[rate_count++] =
                (struct entry){word, length < CLIENT_NAME ? length : CLIENT_NAME, {per_second, 0}};
        return true;
}

bool options_read(const char *word)
{
        if (strncmp(word, "rate=", 5) == 0)
                return read_rate(word + 5);
        if (strncmp(word, "open=", 5) != 0 || !word[5] || open_count == OPEN_MAX)
                return false;
        open_names[open_count++] = word + 5;
        return true;
}

bool options_is_open(const char *client)
{
        for (unsigned i = 0; i < open_count; i++)
                if (strncmp(open_names[i], client, CLIENT_NAME) == 0)
                        return true;
        return false;
}

struct rate *options_find_rate(const char *client)
{
        const size_t length = strnlen(client, CLIENT_NAME);

        for (unsigned i = 0; i < rate_count; i++)
                if (rates[i].length == length && memcmp(rates[i].client, client, length) == 0)
                        return &rates[i].rate;
        return NULL;
}
