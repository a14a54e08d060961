/* SPDX-License-Identifier: BSD-2-Clause */
/* The services' part of a round: a fixed number of sessions and requests with each of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "novart/service/log.h"
#include "novart/service/net.h"
#include "novart/service/timer.h"
#include "novart/session.h"
#include "novart/time.h"

#include "server.h"
#include "soak.h"

#define SECOND    UINT64_C(1000000000)
#define SETS      20 /* sessions with each service */
#define CALLS     50 /* calls of a session */
#define DEATHS    3  /* faults of the service `mortal` */
#define BYTES     6000
#define POOL      0x10000
#define FRAME     1000 /* bytes */
#define ADDRESSES 12   /* bytes of a frame before its data */
#define PATTERN   251  /* data repeats after this number of bytes */

static uint8_t data[BYTES], copy[BYTES];

static bool add(struct nova_session *session)
{
        const nova_word_t words[] = {20, 22};
        nova_word_t sum = 0;
        struct nova_message message = {.operation = SERVER_ADD,
                                       .words = words,
                                       .word_count = 2,
                                       .answer = &sum,
                                       .answer_max = 1};

        return nova_session_call(session, &message) == 0 && sum == 42;
}

/* Calls an operation without words. */
static int ask(struct nova_session *session, nova_word_t operation)
{
        struct nova_message message = {.operation = operation};

        return nova_session_call(session, &message);
}

static bool use_peer(void)
{
        struct nova_session *session;
        bool good = true;

        if (nova_session_open(&session, "peer", NULL))
                return false;
        for (unsigned i = 0; i < CALLS; i++)
                good = add(session) && good;
        if (soak_options.leak)
                good = ask(session, PEER_LEAK) == 0 && good;
        nova_session_close(session);
        return good;
}

static bool use_timer(void)
{
        struct nova_session *timer;
        bool good;

        if (nova_timer_open(&timer))
                return false;
        good = nova_timer_arm(timer, nova_time_ns() + SECOND / 1000, 0) == 0 &&
               nova_timer_wait(timer, NULL, nova_time_ns() + 60 * SECOND) == 0;
        nova_session_close(timer);
        return good;
}

static bool use_log(void)
{
        struct nova_session *log;

        if (nova_log_open(&log))
                return false;
        nova_session_close(log);
        return true;
}

static bool write_file(const char *name)
{
        const int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        bool good;

        if (file < 0)
                return false;
        good = write(file, data, BYTES) == BYTES && fsync(file) == 0;
        return close(file) == 0 && good;
}

static bool read_file(const char *name)
{
        const int file = open(name, O_RDONLY);
        bool good;

        if (file < 0)
                return false;
        memset(copy, 0, BYTES);
        good = read(file, copy, BYTES) == BYTES && !memcmp(copy, data, BYTES);
        return close(file) == 0 && good;
}

static bool use_files(void)
{
        struct stat about;

        return mkdir("/set", 0755) == 0 && write_file("/set/a file") && read_file("/set/a file") &&
               stat("/set/a file", &about) == 0 && about.st_size == BYTES &&
               rename("/set/a file", "/other") == 0 && read_file("/other") &&
               unlink("/other") == 0 && rmdir("/set") == 0;
}

/* Waits for the peer's answer: the data of the frame that was sent, from another address. */
static bool receive(struct nova_net *net)
{
        const uint64_t deadline = nova_deadline_in(60 * SECOND);
        struct nova_net_frame frame;
        bool good;
        int error;

        while ((error = nova_net_receive(net, &frame)) == EAGAIN)
                if (nova_net_flush(net) || nova_net_listen(net, deadline))
                        return false;
        if (error)
                return false;
        good = frame.bytes == FRAME &&
               !memcmp(frame.data + ADDRESSES, data + ADDRESSES, FRAME - ADDRESSES);
        return nova_net_release(net, &frame) == 0 && good;
}

static bool use_switch(void)
{
        struct nova_net *net;
        const int error = nova_net_open(&net, "lan", NULL, POOL);
        bool good = true;

        if (error)
                return soak_fail("the switch cannot be opened: %s", strerror(error));
        memset(data, 0xff, NOVA_NET_ADDRESS); /* to all */
        memcpy(data + NOVA_NET_ADDRESS, nova_net_get_info(net)->address, NOVA_NET_ADDRESS);
        for (unsigned i = 0; i < CALLS && good; i++)
                good = !nova_net_send(net, data, FRAME) && !nova_net_flush(net) && receive(net);
        nova_net_close(net);
        return good;
}

static bool use_mortal(void)
{
        struct nova_session *session;
        bool good;
        int error;

        if (nova_session_open(&session, "mortal", NULL))
                return false;
        good = add(session);
        error = ask(session, MORTAL_DIE);
        good = good && (error == ECONNRESET || error == EBADF);
        while (good && nova_session_reopen(session))
                nova_sleep(SECOND / 100);
        good = good && add(session);
        nova_session_close(session);
        return good;
}

bool services_begin(void)
{
        for (unsigned i = 0; i < BYTES; i++)
                data[i] = (uint8_t)(i % PATTERN);
        return nova_log_use() == 0;
}

static bool repeat(unsigned times, bool (*use)(void), const char *name)
{
        for (unsigned i = 0; i < times; i++)
                if (!use())
                        return soak_fail("set %u of the service %s went wrong", i, name);
        return true;
}

bool services_round(void)
{
        struct nova_session *forgotten;

        if (soak_options.leak && nova_timer_open(&forgotten))
                return soak_fail("no session is left for the leak");
        return repeat(SETS, use_timer, "timer") && repeat(SETS, use_peer, "peer") &&
               repeat(SETS, use_log, "log") && repeat(SETS, use_files, "files") &&
               repeat(SETS, use_switch, "lan") && repeat(DEATHS, use_mortal, "mortal");
}
