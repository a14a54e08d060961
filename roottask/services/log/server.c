/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `log`: writes the lines of all clients to one sink, and passes keyboard input to one
 * client. */
#include "server.h"

#include <errno.h>
#include <string.h>

#include "novart/service/log.h"

struct state {
        struct log_line line;
        struct log_input input;
        bool listens;
};

static struct nova_service *service;
static log_sink *output;
static void *output_argument;
static struct state *keyboard; /* session that gets keyboard input, or NULL */

static void add(struct log_line *line, const char *text)
{
        log_line_write(line, "log", text, strlen(text), output, output_argument);
}

static int write_text(struct nova_request *request)
{
        struct state *state = (struct state *)request->state;
        const size_t bytes = request->word[0];
        const char *text = nova_request_bytes(request, 1, bytes);

        if (!text)
                return EINVAL;
        log_line_write(&state->line, request->client, text, bytes, output, output_argument);
        return 0;
}

static int take_part(struct nova_request *request)
{
        struct state *state = (struct state *)request->state;

        state->listens = true;
        if (!keyboard)
                keyboard = state;
        return 0;
}

static int read_text(struct nova_request *request)
{
        struct state *state = (struct state *)request->state;
        char text[LOG_LINE_MAX];
        const nova_word_t most = request->word[0] < sizeof(text) ? request->word[0] : sizeof(text);
        const size_t bytes = log_input_take(&state->input, text, most);

        if (!bytes)
                return EAGAIN;
        nova_request_answer(request, bytes);
        nova_request_answer_bytes(request, text, bytes);
        return 0;
}

struct search {
        struct state *from;  /* the search finds the session after this one */
        struct state *first; /* first of all sessions */
        struct state *next;  /* the session after `from` */
        bool passed;
};

static bool look(void *bytes, void *argument)
{
        struct state *state = (struct state *)bytes;
        struct search *search = (struct search *)argument;

        if (state == search->from) {
                search->passed = true;
                return true;
        }
        if (!state->listens)
                return true;
        if (!search->first)
                search->first = state;
        if (search->passed)
                search->next = state;
        return !search->next;
}

static void switch_keyboard(void)
{
        struct search search = {.from = keyboard};

        nova_service_each(service, look, &search);
        if (search.next)
                keyboard = search.next;
        else if (search.first)
                keyboard = search.first;
        else if (keyboard && !keyboard->listens)
                keyboard = NULL;
        if (!keyboard)
                return;

        struct log_line line = {0};

        add(&line, "keyboard input now goes to ");
        add(&line, nova_service_client(service, keyboard));
        add(&line, "\n");
}

static void close_session(struct nova_service *of, void *bytes)
{
        struct state *state = (struct state *)bytes;

        log_line_flush(&state->line, nova_service_client(of, state), output, output_argument);
        if (keyboard != state)
                return;
        state->listens = false;
        switch_keyboard();
}

static void press(char key)
{
        char room[4];

        if (key == NOVA_LOG_SWITCH_KEY) {
                switch_keyboard();
                return;
        }
        if (!keyboard)
                return;

        const char *echo = log_input_key(&keyboard->input, key, room);

        if (!echo)
                return;
        output(output_argument, echo, strlen(echo));
        if (echo[0] == '\n')
                nova_service_notify(service, keyboard);
}

void log_service_key(char key)
{
        if (nova_service_lock(service))
                return;
        press(key);
        nova_service_unlock(service);
}

int log_service_start(log_sink *sink, void *sink_argument)
{
        /* The text of a call is short, because other clients wait for the serial line, and each
         * line feed in the text becomes a line with the client's name. */
        static const struct nova_service_operation operations[] = {
                {write_text, 1, 1 + NOVA_LOG_TEXT_WORDS, false},
                {take_part, 0, 0, false},
                {read_text, 1, 1, false},
        };
        const struct nova_service_config config = {
                .name = "log",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .state_bytes = sizeof(struct state),
                .client_sessions = 4,
                .close = close_session,
        };

        output = sink;
        output_argument = sink_argument;
        return nova_service_start(&service, &config);
}
