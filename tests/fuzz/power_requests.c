/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile clients of the service power: any messages, in any order. The machine is reset or
 * switched off exactly when a client asks for it, and the client gets the error. */
#include <errno.h>
#include <string.h>

#include "novart/service/power.h"
#include "power/server.h"
#include "service.h"

#define STEP  6
#define WORDS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned resets, offs; /* numbers of requests to the machine */
static int fails;             /* the error with which the machine fails */

static int machine(nova_word_t operation)
{
        require(operation == NOVA_EXT_MACHINE_RESET || operation == NOVA_EXT_MACHINE_OFF);
        if (operation == NOVA_EXT_MACHINE_RESET)
                resets++;
        else
                offs++;
        return fails;
}

/* Performs a step. Its bytes: operation, session, number of words, a word, item, and the machine's
 * error. */
static void run_step(const uint8_t *step)
{
        const unsigned session = step[1] % CLIENT_SESSIONS, count = step[2] % WORDS;
        const nova_word_t operation =
                step[0] == 0xff ? step[3] : NOVA_OPERATION_FIRST + step[0] % 4;
        const nova_word_t words[WORDS] = {step[3], operation};
        const struct client_item item = {0, step[4] & 0x1f};
        const bool valid = !count && !(step[4] & 0x20);
        struct client_answer answer;

        if (!client_is_open(session)) {
                require(client_open(session, "", 0) == 0);
                return;
        }
        resets = offs = 0;
        fails = step[5] % 3 == 0 ? EPERM : step[5] % 3 == 1 ? ENOTSUP : 0;
        client_call(session, operation, words, count, step[4] & 0x20 ? &item : NULL, &answer);
        require(resets == (valid && operation == NOVA_POWER_RESET));
        require(offs == (valid && operation == NOVA_POWER_OFF));
        if (resets || offs)
                require(answer.error == fails);
        else if (operation >= NOVA_OPERATION_FIRST)
                require(answer.error);
        require(!answer.gives);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        require(power_service_start(machine) == 0);
        for (; size >= STEP; data += STEP, size -= STEP)
                run_step(data);
        client_end();
        return 0;
}
