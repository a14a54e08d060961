/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of a switch's clients, which its arguments contain. */
#ifndef NOVART_SWITCH_OPTIONS_H
#define NOVART_SWITCH_OPTIONS_H

#include "rate.h"

#define OPEN_MAX    8 /* number of clients with several addresses */
#define RATES_MAX   8 /* number of clients with a rate */
#define CLIENT_NAME 8 /* significant characters of a client's name */

/* Reads `open=CLIENT` or `rate=CLIENT:BYTES`. The word must stay valid.
 * @return false: the word is neither, or there are too many */
bool options_read(const char *word);

/* Returns true if the client has several addresses. */
bool options_is_open(const char *client);

/* Returns the client's rate, which continues in its next session, or NULL. */
struct rate *options_find_rate(const char *client);

#endif
