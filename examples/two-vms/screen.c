/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal of both guests. The guest in the foreground has screen and keyboard; Ctrl-T switches
 * to the next one. Output of the other guest is stored and shown after a switch. */
#include "screen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <nova/arch/port.h>
#include <nova/console.h>
#include <nova/hypercall.h>
#include <novart/parent.h>
#include <novart/program.h>
#include <novart/selector.h>
#include <novart/service.h>
#include <novart/thread.h>
#include <novart/time.h>

#define UART_IER      1    /* interrupt enable register */
#define UART_IER_DATA 0x01 /* interrupt when a character has arrived */
#define UART_MCR      4    /* modem control register */
#define UART_MCR_OUT2 0x0b /* data terminal ready, request to send, interrupts pass */

#define KEPT  4096 /* number of stored bytes of output, the newest ones */
#define TYPED 256

/* A client. */
struct session {
        char kept[KEPT], typed[TYPED];
        size_t written, shown; /* total numbers of bytes written and shown; the last KEPT bytes are
                                * stored */
        unsigned pressed, taken;
};

static struct nova_console uart;
static struct nova_service *service;
static struct session *front;
static nova_sel_t interrupt;
static nova_sel_t turn; /* semaphore shared with init, which also writes to the serial line */

static void show(const char *text, size_t bytes)
{
        nova_sm_down(turn);
        for (size_t i = 0; i < bytes; i++)
                nova_console_put(&uart, text[i]);
        nova_sm_up(turn);
}

/* Returns the position from which stored output is shown: the unfinished line, such as a prompt. */
static size_t begin(const struct session *session)
{
        const size_t oldest = session->written > KEPT ? session->written - KEPT : 0;
        size_t at = session->shown;

        while (at > oldest && session->kept[(at - 1) % KEPT] != '\n')
                at--;
        return at > oldest ? at : oldest;
}

static void show_new(struct session *session, size_t at)
{
        while (at < session->written) {
                const size_t left = session->written - at, room = KEPT - at % KEPT;
                const size_t part = left < room ? left : room;

                show(&session->kept[at % KEPT], part);
                at += part;
        }
        session->shown = at;
}

/* Brings a client to the foreground: shows its name, then its stored output. */
static void bring(struct session *session)
{
        char text[48];

        front = session;
        snprintf(text, sizeof(text), "\n--- %s (Ctrl-T: the other one) ---\n",
                 nova_service_client(service, front));
        show(text, strlen(text));
        show_new(front, begin(front));
}

/* Serves SCREEN_WRITE. */
static int write_text(struct nova_request *request)
{
        struct session *const session = request->state;
        const size_t bytes = request->word[0];
        const char *const text = nova_request_bytes(request, 1, bytes);

        if (!text)
                return EINVAL;
        for (size_t i = 0; i < bytes; i++)
                session->kept[session->written++ % KEPT] = text[i];
        if (!front)
                bring(session);
        else if (session == front)
                show_new(front, front->shown);
        return 0;
}

/* Serves SCREEN_READ. */
static int read_keys(struct nova_request *request)
{
        struct session *const session = request->state;

        if (session->taken == session->pressed)
                return EAGAIN;
        nova_request_answer(request, (unsigned char)session->typed[session->taken++ % TYPED]);
        return 0;
}

static bool knows_date;

/* Serves SCREEN_DATE. Both monitors need the date, but only one program can have the clock. */
static int tell_date(struct nova_request *request)
{
        if (!knows_date)
                return ENOENT;
        nova_request_answer(request, (nova_word_t)time(NULL));
        return 0;
}

/* Serves SCREEN_END. Otherwise the output of a client in the background, such as the reason of its
 * end, would be lost. */
static int end_output(struct nova_request *request)
{
        struct session *const session = request->state, *const before = front;

        if (session->shown < session->written) {
                bring(session);
                if (before)
                        bring(before);
        }
        return 0;
}

static struct session *behind; /* the session after the one in the foreground, or the first */
static bool passed;

static bool look(void *state, void *unused)
{
        (void)unused;
        if (state == front) {
                passed = true;
        } else if (!behind || passed) {
                behind = state;
                return !passed;
        }
        return true;
}

static void switch_front(void)
{
        behind = NULL;
        passed = false;
        nova_service_each(service, look, NULL);
        if (behind)
                bring(behind);
}

static void close_session(struct nova_service *of, void *state)
{
        (void)of;
        if (state != front)
                return;
        switch_front();
        if (state == front)
                front = NULL;
}

static void press(char key)
{
        if (nova_service_lock(service))
                return;
        if (key == SCREEN_SWITCH_KEY) {
                switch_front();
        } else if (front && front->pressed - front->taken < TYPED) {
                front->typed[front->pressed++ % TYPED] = key;
                nova_service_notify(service, front);
        }
        nova_service_unlock(service);
}

static int start_service(void)
{
        static const struct nova_service_operation operations[] = {
                {write_text, 1, NOVA_MESSAGE_WORDS, false},
                {read_keys, 0, 0, false},
                {tell_date, 0, 0, false},
                {end_output, 0, 0, false},
        };
        static const struct nova_service_config config = {
                .name = "screen",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(*operations),
                .state_bytes = sizeof(struct session),
                .sessions = 8,
                .client_sessions = 1,
                .close = close_session,
        };

        return nova_service_start(&service, &config);
}

int main(void)
{
        uint16_t last;
        uint32_t address, data;
        unsigned gsi;
        int key;

        knows_date = !nova_time_set_by_rtc();
        interrupt = nova_sel_alloc(0);
        turn = nova_sel_alloc(0);
        if (nova_parent_ports("serial", 0, &uart.port, &last) ||
            nova_parent_interrupt("serial", 0, interrupt, &gsi) ||
            nova_parent_console("serial", turn) || start_service() ||
            nova_assign_gsi(interrupt, 0, nova_program.cpu, &address, &data) != NOVA_SUCCESS) {
                printf("screen: the serial line is not available.\n");
                return 1;
        }
        nova_out8(uart.port + UART_IER, UART_IER_DATA);
        nova_out8(uart.port + UART_MCR, UART_MCR_OUT2);
        do {
                while ((key = nova_console_get(&uart)) >= 0)
                        press((char)key);
        } while (nova_sm_down(interrupt) == NOVA_SUCCESS);
        return 1;
}
