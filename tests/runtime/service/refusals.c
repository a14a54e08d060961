/* SPDX-License-Identifier: BSD-2-Clause */
/* A service on all CPUs and its clients in one program: successful calls, and every refusal by its
 * smallest case. */
#include <errno.h>
#include <string.h>

#include "case.h"
#include "echo.h"
#include "nova/crd.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "registry.h"

#define SECOND 1000000000ull

static struct nova_session *session;

static int call(nova_word_t operation, unsigned count)
{
        static const nova_word_t words[NOVA_MESSAGE_WORDS];

        return echo_call(session, operation, words, count, NULL);
}

static void calls(void)
{
        const nova_word_t words[] = {1, 2, 3};
        nova_word_t answer = 0;

        check(echo_call(session, ECHO_SUM, words, 3, &answer) == 0 && answer == 6,
              "a call takes words and brings one back");
        check(echo_call(session, ECHO_COUNT, NULL, 0, &answer) == 0 && answer == 1 &&
                      echo_call(session, ECHO_COUNT, NULL, 0, &answer) == 0 && answer == 2,
              "a session has a state of its own");
        check(echo_call(session, ECHO_CPU, NULL, 0, &answer) == 0 && answer == nova_thread_cpu(),
              "a call is served on the caller's CPU");
        check(echo_call(session, ECHO_PRINT, words, 1, &answer) == 0 && answer == 2,
              "a handler prints and calls another service");
}

static void words(void)
{
        static nova_word_t room[NOVA_MESSAGE_WORDS];
        struct nova_message message = {
                .operation = ECHO_BIG, .answer = room, .answer_max = NOVA_MESSAGE_WORDS};

        check(call(ECHO_SUM, 0) == EINVAL, "too few words are refused");
        check(call(ECHO_SUM, 9) == EINVAL, "too many words are refused");
        check(call(ECHO_SUM, NOVA_MESSAGE_WORDS) == EINVAL, "the longest message is refused");
        check(call(ECHO_SUM, NOVA_MESSAGE_WORDS + 1) == EINVAL, "a longer one is not sent");
        check(call(ECHO_NONE, 0) == ENOSYS, "a row without a handler is refused");
        check(call(ECHO_NONE + 1, 0) == ENOSYS, "an operation beyond the table is refused");
        check(call(NOVA_OPERATION_FIRST - 1, 0) == ENOSYS, "an unknown operation is refused");
        check(call(NOVA_OPERATION_OPEN, 0) == ENOSYS, "a session portal opens no session");
        check(call((nova_word_t)-1, 0) == ENOSYS, "the largest operation is refused");
        check(nova_session_call(session, &message) == 0 && message.answer_count > 100 &&
                      room[message.answer_count - 1] == message.answer_count - 1,
              "the longest answer arrives");
}

/* Sends the message in the UTCB to the session. @return the answer's first word */
static nova_word_t send_raw(void)
{
        struct nova_utcb *utcb = nova_thread_utcb();
        nova_word_t answer = 0;

        nova_utcb_set_windows(utcb, 0, 0);
        if (nova_call(nova_session_portals(session) + nova_thread_cpu(), 0) != NOVA_SUCCESS)
                return (nova_word_t)-1;
        return nova_utcb_get(utcb, 0, &answer) ? answer : (nova_word_t)-1;
}

static void items(void)
{
        struct nova_utcb *utcb = nova_thread_utcb();
        const nova_sel_t sm = nova_sel_alloc(0);
        const nova_crd_t crd = nova_crd_obj(sm, 0, NOVA_PERM_ALL);
        struct nova_message message = {.operation = ECHO_ITEM, .item_count = 1, .items = {crd}};

        nova_create_sm(sm, nova_program.pd, 0);
        check(nova_session_call(session, &message) == 0 && nova_sm_down_until(sm, 0, 0) == 0,
              "an item arrives");
        const size_t used = nova_sel_used();

        for (unsigned i = 0; i < 100; i++)
                nova_session_call(session, &message);
        check(nova_sel_used() == used, "items that a handler does not keep cost nothing");
        message.operation = ECHO_COUNT;
        check(nova_session_call(session, &message) == EINVAL, "an item not asked for is refused");
        message.operation = ECHO_ITEM;
        message.item_count = 2;
        message.items[1] = crd;
        check(nova_session_call(session, &message) == EINVAL, "two items are refused");
        message.item_count = 3;
        check(nova_session_call(session, &message) == EINVAL, "three are not sent");
        check(call(ECHO_ITEM, 0) == EINVAL, "an item that is asked for and missing is refused");

        utcb->items = nova_utcb_items(1, 1);
        utcb->word[0] = ECHO_ITEM;
        utcb->word[nova_utcb_item_index(0)] = crd;
        utcb->word[nova_utcb_item_index(0) + 1] = 1 << NOVA_ITEM_HOTSPOT_SHIFT | NOVA_ITEM_DELEGATE;
        check(send_raw() == EINVAL, "an item at another place of the window is refused");
        utcb->items = nova_utcb_items(1, 1);
        utcb->word[0] = ECHO_ITEM;
        utcb->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_TRANSLATE;
        utcb->word[nova_utcb_item_index(0)] = crd;
        check(send_raw() == EINVAL, "a translation is not an item");
        utcb->items = 0;
        check(send_raw() == 0, "an empty message is answered");
        utcb->items = (nova_word_t)-1;
        utcb->word[0] = ECHO_SUM;
        check(send_raw() == EINVAL, "a message whose header counts more than fits is refused");
        nova_sel_release(sm, 0);
}

/* Sends OPEN to the control portal, with @p proof in place of the capability for the PD. */
static nova_word_t open_raw(nova_crd_t proof, nova_word_t bytes, nova_word_t order, unsigned count)
{
        struct nova_utcb *utcb = nova_thread_utcb();
        nova_sel_t control = 0;
        nova_word_t answer = (nova_word_t)-1;

        novart_registry_get("echo", &control);
        nova_utcb_set_windows(utcb, 0, 0);
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, NOVA_OPERATION_OPEN);
        for (unsigned i = 0; i < count; i++)
                nova_utcb_put(utcb, i == 1 ? order : bytes);
        if (proof)
                nova_utcb_delegate(utcb, proof, 0, 0);
        nova_call(control + nova_thread_cpu(), 0);
        novart_registry_put(control);
        nova_utcb_get(utcb, 0, &answer);
        return answer;
}

static void opening(void)
{
        struct nova_session *more[8];
        unsigned opened = 0;
        const nova_crd_t pd = nova_crd_obj(nova_program.pd, 0, NOVA_PD_SM);
        const nova_sel_t sm = nova_sel_alloc(0);
        static const char name[NOVA_NAME_SIZE] = {'l', 'o', 'g'};

        check(nova_session_open(&more[0], "absent", NULL) == ENOENT,
              "an unknown service is refused");
        check(nova_session_open(&more[0], "", NULL) == ENOENT, "an empty name is refused");
        check(nova_session_open(&more[0], "a-name-of-thirty-two-characters.", NULL) == EINVAL,
              "a name that is too long is refused");
        check(nova_session_open(&more[0], "echo", "no") == EDOM,
              "a service may refuse a session with reasons of its own");
        check(open_raw(0, 0, 0, 1) == EACCES, "a client without a PD is refused");
        nova_create_sm(sm, nova_program.pd, 0);
        nova_name_set(sm, name);
        check(open_raw(nova_crd_obj(sm, 0, NOVA_PERM_ALL), 0, 0, 1) == EACCES,
              "a semaphore with the name of a program is not a PD");
        nova_sel_release(sm, 0);
        check(open_raw(pd, NOVA_SESSION_ARGUMENT_SIZE, 0, 100) == EINVAL,
              "arguments that are too long are refused");
        check(open_raw(pd, 0, 7, 2) == EINVAL, "an order above that of all CPUs is refused");
        check(open_raw(pd, 9, 0, 3) == EINVAL, "incomplete arguments are refused");
        check(open_raw(pd, 0, 0, 0) == 0, "a client may leave the arguments out");
        while (opened < 8 && nova_session_open(&more[opened], "echo", NULL) == 0)
                opened++;
        check(opened == 2, "a client cannot have more sessions than its limit");
        check(nova_session_open(&more[opened], "echo", NULL) == EMFILE, "and learns why");
        while (opened > 0)
                nova_session_close(more[--opened]);
        check(nova_session_open(&more[0], "echo", NULL) == 0, "a closed session makes room");
        nova_session_close(more[0]);
}

static bool is_null(nova_sel_t sel)
{
        nova_crd_t crd = nova_crd_obj(sel, 0, NOVA_PERM_ALL);

        return nova_lookup(&crd) == NOVA_SUCCESS && !crd;
}

/* Tests that capabilities that a handler has put into its answer before it fails stay with the
 * server. */
static void gifts(void)
{
        const nova_sel_t room = nova_sel_alloc(0);
        nova_word_t word = EDOM, answer = 0;
        struct nova_message message = {.operation = ECHO_GIVE,
                                       .words = &word,
                                       .word_count = 1,
                                       .window = nova_crd_obj(room, 0, NOVA_PERM_ALL),
                                       .answer = &answer,
                                       .answer_max = 1};

        check(nova_session_call(session, &message) == EDOM && message.answer_count == 0 &&
                      !message.received && is_null(room),
              "a call that fails gives neither words nor capabilities");
        word = 0;
        check(nova_session_call(session, &message) == 0 && answer == 1 && !is_null(room),
              "a call that succeeds gives both");
        nova_sel_release(room, 0);
}

static volatile unsigned done;

static void count(struct nova_later *later)
{
        (void)later;
        done++;
}

/* Tests that the selector of a capability in an answer is not used again at once. The capability
 * may be in transit until the handler's next message. */
static void waits_for_gifts(struct nova_service *service)
{
        static struct nova_later first = {.function = count}, second = {.function = count};
        nova_word_t word = 0;

        echo_call(session, ECHO_GIVE, &word, 1, NULL);
        check(nova_service_lock(service) == 0, "a thread of the service's own takes the lock");
        nova_service_later(service, &first);
        check(done == 0, "a given capability's selector is not used again at once");
        nova_service_unlock(service);
        for (unsigned i = 0; i < 30000 && !done; i++)
                nova_sleep(1000000);
        check(done == 1, "but soon");
        check(nova_service_lock(service) == 0, "it takes it again");
        nova_service_later(service, &second);
        check(done == 2, "without a capability in transit there is nothing to wait for");
        nova_service_unlock(service);
}

/* Enables notifications first. Otherwise nova_session_wait() would enable them: it would miss
 * earlier notifications, and its deadline might pass meanwhile. */
static void notifications(void)
{
        check(nova_session_enable_notify(session) == 0, "notifications are enabled");
        check(nova_session_wait(session, nova_deadline_in(1000000)) == ETIMEDOUT,
              "a waiter without a notification waits until the deadline");
        check(call(ECHO_TELL, 0) == 0 &&
                      nova_session_wait(session, nova_deadline_in(60 * SECOND)) == 0,
              "a waiter that was notified returns at once");
        nova_session_cancel(session);
        check(nova_session_wait(session, nova_deadline_in(60 * SECOND)) == ECANCELED,
              "a cancelled waiter returns at once");
        check(nova_session_wait(session, 0) == ETIMEDOUT, "and waits again afterwards");
}

static int range(nova_word_t offset, nova_word_t bytes)
{
        const nova_word_t words[] = {offset, bytes};

        return echo_call(session, ECHO_SHARE, words, 2, NULL);
}

static void sharing(void)
{
        static char memory[(ECHO_PAGES + 1) * NOVA_PAGE_SIZE]
                __attribute__((aligned(NOVA_PAGE_SIZE)));
        const size_t all = 3 * NOVA_PAGE_SIZE;

        memset(memory, 'a', sizeof(memory));
        check(range(0, 1) == EINVAL, "without shared memory there is nothing to copy");
        check(nova_session_share(session, memory + 1, 1) == EINVAL,
              "an unaligned address is refused");
        check(nova_session_share(session, memory, ECHO_PAGES + 1) == EINVAL,
              "more pages than the service takes are refused");
        check(nova_session_share(session, memory + NOVA_PAGE_SIZE, 3) == 0 &&
                      range(NOVA_PAGE_SIZE - 2, 4) == 0 &&
                      !memcmp(memory + 2 * NOVA_PAGE_SIZE - 3, "abbbba", 6),
              "a service reads and writes shared memory");
        check(range(all - 4, 4) == 0 && range(all - 3, 4) == EINVAL && range(all, 0) == 0 &&
                      range((nova_word_t)-1, 2) == EINVAL,
              "a range must lie inside of the shared memory");
        nova_revoke(nova_crd_mem((nova_word_t)(memory + NOVA_PAGE_SIZE) >> NOVA_PAGE_BITS, 0,
                                 NOVA_PERM_ALL),
                    0);
        /* Client and server are one PD, so the kernel cuts the server's mapping. */
        check(range(0, 4) == EFAULT && range(NOVA_PAGE_SIZE, 4) == 0,
              "memory of which a part is taken away is not a fault of the server");
        memory[NOVA_PAGE_SIZE] = memory[all] = 'c';
        check(memory[NOVA_PAGE_SIZE] == 'c' && memory[all] == 'c',
              "the client keeps what it takes from the server");
        check(nova_session_share(session, memory, 1) == 0 && range(0, 4) == 0,
              "sharing again replaces the shared memory");
        check(nova_session_unshare(session) == 0 && range(0, 1) == EINVAL,
              "unsharing takes it back");
}

static void holding(void)
{
        static char memory[2 * NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));
        struct nova_session *other;

        if (nova_session_open(&other, "echo", NULL)) {
                check(false, "a second session opens");
                return;
        }
        check(echo_call(other, ECHO_HOLD, NULL, 0, NULL) == ENOENT, "there is nothing to keep");
        check(nova_session_share(other, memory, 2) == 0 &&
                      echo_call(other, ECHO_HOLD, NULL, 0, NULL) == 0,
              "a service keeps shared memory");
        check(nova_session_unshare(other) == EBUSY &&
                      echo_call(other, ECHO_HOLD, NULL, 0, NULL) == 0,
              "its client cannot unshare it");
        check(nova_session_share(other, memory, 1) == EBUSY &&
                      echo_call(other, ECHO_HOLD, NULL, 0, NULL) == EPERM,
              "it can revoke it, which is not a fault of the server");
        nova_session_close(other);
        check(nova_session_open(&other, "echo", NULL) == 0 &&
                      nova_session_share(other, memory, 2) == 0 && nova_session_unshare(other) == 0,
              "the next session is free to do so");
        nova_session_close(other);
}

static int nothing(struct nova_request *request)
{
        (void)request;
        return 0;
}

static nova_word_t kernel_memory(void)
{
        nova_word_t used = 0, limit = 0;

        return nova_quota_query(nova_program.pd, &used, &limit) == NOVA_SUCCESS ? used : 0;
}

#define FLOOD_PAGES 128
#define FLOOD_BYTES 8192

/* Tests a service that limits the kernel memory that a message may charge to it. */
static void flood(void)
{
        static const struct nova_service_operation operations[] = {{.handler = nothing}};
        static char memory[FLOOD_PAGES * NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));
        const nova_word_t page = (nova_word_t)memory >> NOVA_PAGE_BITS;
        const struct nova_service_config config = {.name = "narrow",
                                                   .operations = operations,
                                                   .operation_count = 1,
                                                   .share_pages = FLOOD_PAGES,
                                                   .receive_bytes = FLOOD_BYTES};
        struct nova_service *narrow = NULL;
        struct nova_session *to_narrow = NULL;

        memset(memory, 'a', sizeof(memory));
        for (unsigned i = 0; i < FLOOD_PAGES; i += 2) /* then each page needs a separate record */
                nova_revoke(nova_crd_mem(page + i, 0, NOVA_MEM_W), NOVA_REVOKE_SR);
        check(nova_service_start(&narrow, &config) == 0 &&
                      nova_session_open(&to_narrow, "narrow", NULL) == 0,
              "a service with a limit starts");
        const int first = nova_session_share(to_narrow, memory, FLOOD_PAGES);
        const nova_word_t before = kernel_memory();

        check(first == ENOMEM && nova_session_share(to_narrow, memory, FLOOD_PAGES) == ENOMEM,
              "memory that would cost it more is refused");
        check(before && kernel_memory() == before, "and costs nothing");
        check(nova_session_share(to_narrow, memory, 8) == 0, "less memory is not refused");
        nova_session_close(to_narrow);
        nova_service_stop(narrow);
}

/* Starts services until one is refused; @p there services exist already. */
static void services(unsigned there)
{
        static const struct nova_service_operation operations[] = {{.handler = nothing}};
        static char names[17][4];
        struct nova_service *more[17];
        unsigned count = 0;
        int error = 0;

        while (count < 17) {
                struct nova_service_config config = {.name = names[count],
                                                     .operations = operations,
                                                     .operation_count = 1,
                                                     .sessions = 1,
                                                     .cpus = (uint64_t)1 << nova_program.cpu};

                snprintf(names[count], sizeof(names[count]), "s%u", count);
                error = nova_service_start(&more[count], &config);
                if (error)
                        break;
                count++;
        }
        check(error == ENOSPC && there + count == 16, "the seventeenth service is refused");
        while (count > 0)
                nova_service_stop(more[--count]);
}

/* Tests a service that requires a proof of the client's identity. Each server that a client uses
 * gets a capability for the client's PD, and could pose as the client with it. So this capability
 * is not a proof. */
static void proving(void)
{
        static const struct nova_service_operation operations[] = {{nothing, 0, 0, false}};
        const struct nova_service_config config = {
                .name = "proof", .operations = operations, .operation_count = 1, .proof = true};
        struct nova_service *service = NULL;
        struct nova_session *other;

        check(!nova_service_start(&service, &config) &&
                      nova_session_open(&other, "proof", NULL) == EACCES,
              "a client without a proof is refused by a service that requires one");
        check(nova_session_open_trusting(&other, "proof", NULL) == 0 &&
                      nova_session_reopen(other) == 0,
              "a client that trusts the service proves who it is, also when it opens again");
        nova_session_close(other);
        nova_service_stop(service);
        check(nova_session_open_trusting(&other, "echo", NULL) == 0, "another service ignores it");
        nova_session_close(other);
}

/* Tests that a row that would refuse every call is an error in the program. */
static void impossible_row(void)
{
        static const struct nova_service_operation operations[] = {
                {.handler = nothing, .words_min = 1, .words_max = 1},
                {.handler = nothing, .words_min = 2}};
        const struct nova_service_config config = {
                .name = "impossible", .operations = operations, .operation_count = 2};
        struct nova_service *service;

        check(nova_service_start(&service, &config) == EINVAL,
              "a row with words_min above words_max is refused");
}

int main(void)
{
        const struct echo_options options = {"echo", 8, 4, false, 0};
        const struct echo_options inner = {"inner", 4, 4, true, 0};
        struct nova_service *echo = echo_start(&options), *other = echo_start(&inner);

        check(echo && other, "services start");
        check(!echo_start(&inner), "a name that is taken is refused");
        check(nova_session_open(&session, "echo", NULL) == 0, "a session is opened");
        impossible_row();
        calls();
        words();
        items();
        opening();
        proving();
        gifts();
        waits_for_gifts(echo);
        notifications();
        sharing();
        flood();
        holding();
        nova_session_close(session);
        services(2);
        nova_service_stop(other);
        nova_service_stop(echo);
        check(nova_session_open(&session, "echo", NULL) == ENOENT,
              "a service that stopped is gone");
        return check_end();
}
