/* SPDX-License-Identifier: BSD-2-Clause */
/* Serves HTTP: one thread waits for all connections. Each has a deadline, so a client that is slow
 * or silent holds it for a bounded time. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "novanet/http.h"
#include "novart/time.h"

#define CONNECTIONS_MAX 20 /* the listener and the program need the other 4 of 24 sockets */
#define CONNECTIONS     16
#define PATIENCE_NS     10000000000
#define NS_PER_MS       1000000
#define PIECE           16384 /* size of `out`; large enough for reads from the cache of `files` */
#define LEAST           65536 /* bytes of an answer that a client must take in PATIENCE_NS */
#define DRAIN_MAX       65536 /* bytes that a client may still send after an error */
#define DRAIN_NS        2000000000
#define IDLE_NS         250000000 /* a connection that is idle for this time may lose its place */
#define SENTENCE        64

/* States of a connection, by the action that it waits for. */
enum state {
        READING,  /* the client sends a request */
        SENDING,  /* the client takes the answer */
        DRAINING, /* the client closes the connection after the answer. If the server closed
                   * a connection with unread data, the client could lose the answer */
};

struct connection {
        int socket;
        enum state state;
        uint64_t until;    /* its deadline in ns since boot */
        size_t moved;      /* bytes sent since the deadline was set; DRAINING: bytes drained */
        size_t got;        /* bytes received into `in` */
        size_t first, end; /* part of `out` that is still to be sent */
        size_t given;      /* bytes of the content that were put into `out` so far */
        uint64_t left;     /* bytes of the content that are not in `out` */
        struct nova_http_request request;
        struct nova_http_answer answer;
        char in[NOVA_HTTP_HEAD_MAX], out[PIECE];
};

struct server {
        const struct nova_http_config *config;
        unsigned max, count;
        uint64_t patience;
        int listener;
        struct connection *connection[CONNECTIONS_MAX];
};

static void set_state(const struct server *server, struct connection *one, enum state state)
{
        one->state = state;
        one->moved = 0;
        one->until = nova_time_ns() + (state == DRAINING ? DRAIN_NS : server->patience);
}

static void free_content(struct connection *one)
{
        free(one->answer.text);
        if (one->answer.file >= 0)
                close(one->answer.file);
        one->answer = (struct nova_http_answer){.file = -1};
}

/* Ends connection number `i`. The last connection in the table gets this number. */
static void end(struct server *server, unsigned i)
{
        struct connection *const one = server->connection[i];

        free_content(one);
        close(one->socket);
        free(one);
        server->connection[i] = server->connection[--server->count];
}

/* Puts content into `out`. @return false: the file is shorter than it was */
static bool fill(struct connection *one)
{
        const size_t room = sizeof(one->out) - one->end;
        const size_t want = one->left < room ? (size_t)one->left : room;
        ssize_t got = (ssize_t)want;

        if (!want)
                return true;
        if (one->answer.text)
                memcpy(one->out + one->end, one->answer.text + one->given, want);
        else
                got = read(one->answer.file, one->out + one->end, want);
        if (got <= 0)
                return false;
        one->end += (size_t)got;
        one->given += (size_t)got;
        one->left -= (uint64_t)got;
        return true;
}

/* If an answer has no content, writes a line with its status to `sentence`, which becomes the
 * content. The size of `sentence` is SENTENCE. */
static void complete(struct nova_http_answer *answer, char *sentence)
{
        if (answer->text || answer->file >= 0)
                return;
        snprintf(sentence, SENTENCE, "%u %s\n", answer->status, nova_http_reason(answer->status));
        answer->type = "text/plain; charset=utf-8";
        answer->bytes = strlen(sentence);
}

/* Begins an answer: puts its head and the beginning of its content into `out`. */
static void begin(const struct server *server, struct connection *one, bool keep)
{
        struct nova_http_answer *const answer = &one->answer;
        char sentence[SENTENCE] = "";
        int head;

        complete(answer, sentence);
        head = snprintf(one->out, sizeof(one->out),
                        "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\n"
                        "X-Content-Type-Options: nosniff\r\n%s%s\r\n",
                        answer->status, nova_http_reason(answer->status),
                        answer->type ? answer->type : "application/octet-stream",
                        (unsigned long long)answer->bytes,
                        answer->status == 405 ? "Allow: GET, HEAD\r\n" : "",
                        keep ? "" : "Connection: close\r\n");
        one->first = 0;
        one->given = 0;
        one->end = head > 0 && (size_t)head < sizeof(one->out) ? (size_t)head : 0;
        one->left = one->request.head || *sentence ? 0 : answer->bytes;
        if (*sentence && !one->request.head) {
                memcpy(one->out + one->end, sentence, answer->bytes);
                one->end += answer->bytes;
        }
        set_state(server, one, SENDING);
}

/* Answers the request in `in` if it is complete. */
static void answer(const struct server *server, struct connection *one)
{
        const unsigned status = nova_http_read(&one->request, one->in, one->got);

        if (!status)
                return;
        one->answer = (struct nova_http_answer){.status = 404, .file = -1};
        if (status == 200)
                server->config->answer(server->config->context, &one->request, &one->answer);
        else
                one->answer.status = status;
        begin(server, one, one->request.keep);
}

/* Ends an answer. The connection then waits for the next request, or until the client closes it. */
static void finish(const struct server *server, struct connection *one)
{
        free_content(one);
        if (!one->request.keep) {
                shutdown(one->socket, SHUT_WR);
                set_state(server, one, DRAINING);
                return;
        }
        one->got -= one->request.bytes;
        memmove(one->in, one->in + one->request.bytes, one->got);
        set_state(server, one, READING);
        answer(server, one);
}

/* Returns true if a function for sockets has failed only temporarily. */
static bool is_for_now(ssize_t result)
{
        return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* Sends a part of the answer. @return false: the connection has ended */
static bool send_more(const struct server *server, struct connection *one)
{
        ssize_t sent = 0;

        if (one->first == one->end)
                one->first = one->end = 0;
        if (!fill(one))
                return false;
        if (one->end > one->first)
                sent = send(one->socket, one->out + one->first, one->end - one->first,
                            MSG_DONTWAIT);
        if (sent < 0)
                return is_for_now(sent);
        one->first += (size_t)sent;
        one->moved += (size_t)sent;
        if (one->first == one->end && !one->left)
                finish(server, one);
        return true;
}

/* Receives a part of a request. @return false: the connection has ended */
static bool read_more(const struct server *server, struct connection *one)
{
        const ssize_t got =
                recv(one->socket, one->in + one->got, sizeof(one->in) - one->got, MSG_DONTWAIT);

        if (got <= 0)
                return is_for_now(got);
        one->got += (size_t)got;
        answer(server, one);
        return true;
}

/* Receives data and drops it. @return false: the connection has ended */
static bool drain(struct connection *one)
{
        const ssize_t got = recv(one->socket, one->in, sizeof(one->in), MSG_DONTWAIT);

        if (got <= 0)
                return is_for_now(got);
        one->moved += (size_t)got;
        return one->moved < DRAIN_MAX;
}

/* Sends or receives data without waiting, according to the state. @return false: the connection has
 * ended */
static bool move(const struct server *server, struct connection *one)
{
        switch (one->state) {
        case READING:
                return read_more(server, one);
        case SENDING:
                return send_more(server, one);
        default:
                return drain(one);
        }
}

/* Checks the deadline of a connection, and sets a new one if the client has taken enough of the
 * answer. @return false: the deadline has passed */
static bool is_in_time(const struct server *server, struct connection *one)
{
        if (nova_time_ns() < one->until)
                return true;
        if (one->state != SENDING || one->moved < LEAST)
                return false;
        set_state(server, one, SENDING);
        return true;
}

static bool is_idle(const struct connection *one)
{
        return one->state == READING && !one->got;
}

/* Returns the time in ns since boot at which a new client may get the place of a connection. */
static uint64_t idle_from(const struct server *server, const struct connection *one)
{
        return is_idle(one) ? one->until - server->patience + IDLE_NS : UINT64_MAX;
}

/* Returns the connection whose place a new client gets: the one that has waited longest for its
 * next request. Returns `count` if there is none. */
static unsigned find_idle(const struct server *server)
{
        uint64_t first = nova_time_ns();
        unsigned found = server->count;

        for (unsigned i = 0; i < server->count; i++) {
                const uint64_t from = idle_from(server, server->connection[i]);

                if (from > first)
                        continue;
                first = from;
                found = i;
        }
        return found;
}

static bool has_room(const struct server *server)
{
        return server->count < server->max || find_idle(server) < server->count;
}

/* Accepts a client. There must be room. */
static void accept_one(struct server *server)
{
        struct connection *one;
        const int number = accept(server->listener, NULL, NULL);

        if (number < 0)
                return;
        if (server->count == server->max)
                end(server, find_idle(server));
        one = malloc(sizeof(*one));
        if (!one) {
                close(number);
                return;
        }
        *one = (struct connection){.socket = number, .answer.file = -1};
        set_state(server, one, READING);
        server->connection[server->count++] = one;
}

/* Returns the time until the first deadline in ms, at least 1, or -1 if there is no deadline. If
 * there is no room, the time at which a connection may give up its place is a deadline, too. */
static int time_left(const struct server *server, bool room)
{
        const uint64_t now = nova_time_ns();
        uint64_t first = UINT64_MAX;

        for (unsigned i = 0; i < server->count; i++) {
                const struct connection *const one = server->connection[i];
                const uint64_t idle = room ? UINT64_MAX : idle_from(server, one);
                const uint64_t next = idle < one->until ? idle : one->until;

                first = next < first ? next : first;
        }
        if (!server->count)
                return -1;
        return first > now ? (int)((first - now) / NS_PER_MS) + 1 : 1;
}

/* Waits for clients, and serves those that have done something. */
static void serve_once(struct server *server)
{
        const bool room = has_room(server);
        struct pollfd wait[CONNECTIONS_MAX + 1];
        const unsigned count = server->count;

        for (unsigned i = 0; i < count; i++)
                wait[i] = (struct pollfd){
                        .fd = server->connection[i]->socket,
                        .events = server->connection[i]->state == SENDING ? POLLOUT : POLLIN};
        wait[count] = (struct pollfd){.fd = server->listener, .events = POLLIN};
        if (poll(wait, count + room, time_left(server, room)) < 0)
                return;
        for (unsigned i = count; i-- > 0;) { /* end() changes only connections after this one */
                struct connection *const one = server->connection[i];

                if ((wait[i].revents && !move(server, one)) || !is_in_time(server, one))
                        end(server, i);
        }
        if (room && wait[count].revents && has_room(server))
                accept_one(server);
}

/* Opens the socket for new connections, including those of IPv4. @return 0 or an errno value */
static int open_listener(struct server *server)
{
        const struct sockaddr_in6 here = {.sin6_family = AF_INET6,
                                          .sin6_port = htons(server->config->port),
                                          .sin6_addr = IN6ADDR_ANY_INIT};
        int error = 0;

        server->listener = socket(AF_INET6, SOCK_STREAM, 0);
        if (server->listener < 0)
                return ENOMEM;
        if (bind(server->listener, (const struct sockaddr *)&here, sizeof(here)) ||
            listen(server->listener, (int)server->max) ||
            fcntl(server->listener, F_SETFL, O_NONBLOCK) < 0) {
                error = errno;
                close(server->listener);
        }
        return error;
}

int nova_http_serve(const struct nova_http_config *config)
{
        struct server server = {.config = config,
                                .max = config->connections ? config->connections : CONNECTIONS,
                                .patience =
                                        config->patience_ns ? config->patience_ns : PATIENCE_NS};
        int error;

        if (!config->answer || server.max > CONNECTIONS_MAX)
                return EINVAL;
        error = open_listener(&server);
        if (error)
                return error;
        for (;;)
                serve_once(&server);
}
