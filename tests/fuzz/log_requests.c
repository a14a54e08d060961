/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile clients of the service `log`, and a keyboard. Each line must have the name of the client
 * that wrote it, and no other text than this client's. The output of one message must have a bound,
 * because other clients wait for it. A client must read only lines that were typed while it had the
 * keyboard. */
#include <errno.h>
#include <string.h>

#include "log/server.h"
#include "novart/service/log.h"
#include "service.h"
#include "service/internal.h"

#define STEP    4 /* bytes of a step; its text follows them */
#define WORDS   64
#define PENDING 1024 /* bytes that one message can add, plus the bytes of a line */
#define NOBODY  CLIENT_SESSIONS
#define OUTPUT  6144 /* bytes that the service may write for one message */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A client, as the test knows it. */
static struct {
        char text[PENDING]; /* text that the client's next lines must show */
        size_t bytes;
        struct nova_utf8 utf8;
        bool listens;
        char typed[LOG_LINE_MAX];
        size_t ready, editing; /* bytes of finished lines, and of the line after them */
} clients[CLIENT_SESSIONS];

static unsigned keyboard; /* the client that has the keyboard */
static unsigned writer;   /* the client whose message or end the service handles */
static bool closes, echoes;
static bool has_written_lines; /* write_lines() takes long, so it runs once for an input */
static size_t output_bytes;    /* bytes of lines that the service has written for the message */

const char *nova_service_client(const struct nova_service *of, const void *state)
{
        return session_of_state(of, state)->client;
}

static unsigned number_of(const char *name)
{
        require(!memcmp(name, "client", 6) && name[6] >= '0' && name[6] < '0' + CLIENT_SESSIONS);
        return (unsigned)(name[6] - '0');
}

/* Checks a line of the service itself: it names the client that gets the keyboard. This client must
 * listen. */
static void check_own(const char *text, size_t bytes)
{
        static const char begin[] = "[log] keyboard input now goes to ";
        const size_t length = sizeof(begin) - 1;

        require(bytes == length + 8 && !memcmp(text, begin, length));
        keyboard = number_of(text + length);
        require(clients[keyboard].listens);
}

/* Checks that a line shows the next bytes of its client's text. It ends at a line feed of this
 * text, or because it is full or the session ends. */
static void check_line(const char *text, size_t bytes)
{
        const size_t skip = bytes > 9 && text[9] == ' ' ? 10 : 9;
        const size_t shown = bytes - skip - 1;

        require(bytes > 9 && text[0] == '[' && text[8] == ']' && number_of(text + 1) == writer);
        require(shown <= LOG_LINE_MAX && shown <= clients[writer].bytes);
        require(!memcmp(text + skip, clients[writer].text, shown));
        if (shown < clients[writer].bytes && clients[writer].text[shown] == '\n')
                bytes = shown + 1;
        else
                bytes = shown;
        require(bytes > shown || shown > LOG_LINE_MAX - NOVA_UTF8_MAX ||
                (closes && shown == clients[writer].bytes));
        clients[writer].bytes -= bytes;
        memmove(clients[writer].text, clients[writer].text + bytes, clients[writer].bytes);
}

static void sink(void *argument, const char *text, size_t bytes)
{
        require(argument == clients);
        if (echoes && bytes <= 3)
                return;
        output_bytes += bytes;
        require(text[bytes - 1] == '\n');
        if (!memcmp(text, "[log]", 5))
                check_own(text, bytes);
        else
                check_line(text, bytes);
}

static void expect(unsigned session, const char *text, size_t bytes)
{
        for (size_t i = 0; i < bytes; i++) {
                char *const to = clients[session].text + clients[session].bytes;
                struct nova_utf8 *const utf8 = &clients[session].utf8;

                if (text[i] != '\n' && text[i] != '\r') {
                        clients[session].bytes += nova_utf8_take(utf8, text[i], to);
                        continue;
                }
                clients[session].bytes += nova_utf8_end(utf8, to);
                if (text[i] == '\n')
                        clients[session].text[clients[session].bytes++] = '\n';
        }
}

static void write_text(unsigned session, const nova_word_t *words, unsigned number)
{
        const size_t bytes = number ? words[0] : 0;
        const bool fits = number && bytes <= (number - 1) * sizeof(*words);
        struct client_answer answer;

        if (fits)
                expect(session, (const char *)(words + 1), bytes);
        output_bytes = 0;
        client_call(session, NOVA_LOG_WRITE, words, number, NULL, &answer);
        require(answer.error == (fits ? 0 : EINVAL));
        require(clients[session].bytes <= LOG_LINE_MAX);
        require(output_bytes <= OUTPUT);
}

/* Sends a message of as many line feeds as the service takes, then two messages with more words,
 * which it must refuse. */
static void write_lines(unsigned session, unsigned more)
{
        static nova_word_t words[NOVA_MESSAGE_WORDS];
        struct client_answer answer;

        memset(words, '\n', sizeof(words));
        words[0] = NOVA_MESSAGE_BYTES(NOVA_LOG_TEXT_WORDS);
        write_text(session, words, 1 + NOVA_LOG_TEXT_WORDS);
        for (unsigned i = 0; i < 2; i++) {
                const unsigned number = 2 + NOVA_LOG_TEXT_WORDS + more;

                words[0] = i ? NOVA_MESSAGE_BYTES(number - 1) : 1;
                output_bytes = 0;
                client_call(session, NOVA_LOG_WRITE, words, number, NULL, &answer);
                require(answer.error == EINVAL && !output_bytes);
        }
}

static void listen(unsigned session)
{
        struct client_answer answer;

        client_call(session, NOVA_LOG_LISTEN, "", 0, NULL, &answer);
        require(!answer.error);
        clients[session].listens = true;
        if (keyboard == NOBODY)
                keyboard = session;
}

/* Reads text as a client, which gets at most the first line that was typed for it. */
static void read_text(unsigned session, nova_word_t most)
{
        const char *const typed = clients[session].typed;
        const char *const end = memchr(typed, '\n', clients[session].ready);
        size_t bytes = end ? (size_t)(end - typed) + 1 : 0;
        struct client_answer answer;

        bytes = bytes < most ? bytes : most;
        client_call(session, NOVA_LOG_READ, &most, 1, NULL, &answer);
        require(answer.error == (bytes ? 0 : EAGAIN));
        if (!bytes)
                return;
        require(answer.word[0] == bytes && !memcmp(&answer.word[1], typed, bytes));
        require(answer.words == 1 + NOVA_WORDS_OF(bytes));
        clients[session].ready -= bytes;
        memmove(clients[session].typed, typed + bytes,
                clients[session].ready + clients[session].editing);
}

/* Notes a key for the client that has the keyboard. */
static void type(char key)
{
        const size_t used = clients[keyboard].ready + clients[keyboard].editing;

        if (key == '\b' || key == 0x7f) {
                clients[keyboard].editing -= clients[keyboard].editing != 0;
                return;
        }
        if (key == '\r')
                key = '\n';
        if (used >= LOG_LINE_MAX - (key != '\n'))
                return;
        clients[keyboard].typed[used] = key == '\n' ? '\n' : nova_text_printable(key);
        clients[keyboard].editing++;
        if (key == '\n') {
                clients[keyboard].ready = used + 1;
                clients[keyboard].editing = 0;
        }
}

static void press(const uint8_t *keys, size_t bytes)
{
        echoes = true;
        for (size_t i = 0; i < bytes; i++) {
                if (keyboard != NOBODY && keys[i] != NOVA_LOG_SWITCH_KEY)
                        type((char)keys[i]);
                log_service_key((char)keys[i]);
        }
        echoes = false;
}

/* Closes a session. The rest of its text becomes a line. If no other client listens, the keyboard
 * is free. */
static void close_session(unsigned session)
{
        const bool had = keyboard == session;
        struct client_answer answer;
        char *const rest = clients[session].text + clients[session].bytes;

        clients[session].bytes += nova_utf8_end(&clients[session].utf8, rest);
        clients[session].listens = clients[session].listens && !had;
        closes = true;
        client_call(session, NOVA_OPERATION_CLOSE, "", 0, NULL, &answer);
        closes = false;
        require(!clients[session].bytes);
        if (had && keyboard == session)
                keyboard = NOBODY;
        for (unsigned i = 0; i < CLIENT_SESSIONS && keyboard == NOBODY; i++)
                require(!had || !clients[i].listens);
        memset(&clients[session], 0, sizeof(clients[session]));
}

/* Performs a step. Its bytes: operation, session, number of words or of the text's bytes, and the
 * first word. @return bytes of the text that were used */
static size_t run_step(const uint8_t *step, size_t left)
{
        const unsigned session = step[1] % CLIENT_SESSIONS, number = step[1] >> 2;
        size_t bytes = step[2] < left ? step[2] : left;
        nova_word_t words[WORDS] = {step[3] == 255 ? ~(nova_word_t)0 : step[3]};
        struct client_answer answer;

        writer = session;
        if (step[0] % 8 < 2)
                memcpy(words + 1, step + STEP, bytes);
        if (!client_is_open(session))
                return client_open(session, "", 0), 0;
        switch (step[0] % 8) {
        case 0:
        case 1:
                write_text(session, words, number ? number : 1 + (unsigned)NOVA_WORDS_OF(bytes));
                return bytes;
        case 2:
                listen(session);
                return 0;
        case 3:
                read_text(session, words[0]);
                return 0;
        case 4:
        case 5:
                press(step + STEP, bytes);
                return bytes;
        case 6:
                close_session(session);
                return 0;
        default: /* an operation that does not exist, or wrong numbers of words */
                client_call(session, NOVA_OPERATION_FIRST + 3 + step[2], words, number, NULL,
                            &answer);
                require(answer.error);
                client_call(session, NOVA_LOG_READ, words, number == 1 ? 0 : number, NULL, &answer);
                require(answer.error);
                if (!has_written_lines)
                        write_lines(session, step[3]);
                has_written_lines = true;
                return 0;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        memset(clients, 0, sizeof(clients));
        keyboard = NOBODY;
        has_written_lines = false;
        require(log_service_start(sink, clients) == 0);
        while (size >= STEP) {
                const size_t bytes = STEP + run_step(data, size - STEP);

                data += bytes;
                size -= bytes;
        }
        for (writer = 0; writer < CLIENT_SESSIONS; writer++)
                if (client_is_open(writer))
                        close_session(writer);
        client_end();
        return 0;
}
