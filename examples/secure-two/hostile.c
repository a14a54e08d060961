/* SPDX-License-Identifier: BSD-2-Clause */
/* The second VMM: a handler that answers the ultravisor's calls, and a thread that attacks. Its
 * attack is named on the guest's command line, which is measured but not secret. */
#include "hostile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nova/hypercall.h>
#include <nova/utcb.h>
#include <novart/parent.h>
#include <novart/program.h>
#include <novart/selector.h>
#include <novart/service.h>
#include <novart/sync.h>
#include <novart/thread.h>
#include <novart/time.h>

#define LPID       2
#define GUEST_CPU  1 /* QEMU can destroy a guest on CPU 0 (docs/kernel/virtualization.md) */
#define BUSY_TRIES 1000

static const struct attack {
        const char *name;
        void (*function)(void);
} attacks[] = {
        {"lpid", attack_lpid},       {"normal", attack_normal}, {"replay", attack_replay},
        {"bit", attack_bit},         {"swap", attack_swap},     {"order", attack_order},
        {"earlier", attack_earlier}, {"twice", attack_twice},   {"revoke", attack_revoke},
        {"search", attack_search},   {"nonce", attack_nonce},   {"measure", attack_measure},
        {"steps", attack_steps},     {"vector", attack_vector}, {"device", attack_device},
        {"hang", attack_hang},       {"die", attack_die}, /* the program ends here */
};

#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

void (*at_call)(struct call *call);
struct nova_uv uv = {.lpid = LPID};
uint8_t *normal;

static struct nova_guest_memory memory;
static const void *image;
static size_t image_bytes;
static enum nova_u_status esm_status;
static unsigned tries, surprises;

static struct nova_semaphore watched = NOVA_SEMAPHORE_INITIALIZER(0);
static struct nova_semaphore converted = NOVA_SEMAPHORE_INITIALIZER(0);
static nova_sel_t asked; /* a semaphore of the kernel: see create_semaphore() */
static struct nova_semaphore answered = NOVA_SEMAPHORE_INITIALIZER(0);
static nova_word_t next_task;
static uint32_t last_result;
static bool waits;  /* the handler waits for a task */
static bool closed; /* this VMM has ended the guest */

static const char *name_of(enum nova_u_status status)
{
        static const struct {
                enum nova_u_status status;
                const char *name;
        } names[] = {
#define NAME(name, value, text) {value, "U_" #name},
                NOVA_U_STATUS_ROWS(NAME)
#undef NAME
        };

        for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (names[i].status == status)
                        return names[i].name;
        return "?";
}

void outcome(const char *what, enum nova_u_status status, enum nova_u_status right)
{
        const char *const is = name_of(status);

        if (status == right)
                printf("It %s: %s.\n", what, is);
        else
                printf("It %s: %s (%d) instead of %s.\n", what, is, status, name_of(right));
        tries++;
        surprises += status != right;
}

void outcome_is(const char *sentence, bool right)
{
        printf("%s%s.\n", right ? "" : "Not true: ", sentence);
        tries++;
        surprises += !right;
}

static nova_word_t access_port(const nova_word_t word[4])
{
        if (word[2]) {
                last_result = (uint32_t)word[3];
                nova_semaphore_up(&answered);
                return 0;
        }
        __atomic_store_n(&waits, true, __ATOMIC_SEQ_CST);
        if (!__atomic_load_n(&closed, __ATOMIC_SEQ_CST) ||
            !__atomic_exchange_n(&waits, false, __ATOMIC_SEQ_CST)) {
                nova_sm_down(asked);
                __atomic_store_n(&waits, false, __ATOMIC_SEQ_CST);
        }
        return next_task;
}

/* Answers a call as an honest VMM does. */
static void answer(struct call *call)
{
        switch (call->number) {
        case NOVA_H_SVM_INIT_START:
                __atomic_store_n(&closed, false, __ATOMIC_SEQ_CST);
                call->status = (nova_word_t)nova_uv_register_mem_slot(&uv, 0, MEMORY, 0, 0);
                break;
        case NOVA_H_SVM_INIT_DONE:
        case NOVA_H_SVM_INIT_ABORT:
                esm_status = call->number == NOVA_H_SVM_INIT_DONE
                                     ? NOVA_U_SUCCESS
                                     : (enum nova_u_status)(int)call->word[0];
                nova_semaphore_up(&converted);
                break;
        case NOVA_H_SVM_PAGE_IN:
                if (!(call->word[1] & NOVA_H_PAGE_IN_NONSHARED))
                        call->status = (nova_word_t)nova_uv_page_in(
                                &uv, call->word[0], call->word[0], 0, call->word[2]);
                break;
        case NOVA_H_PORT:
                call->value = access_port(call->word);
                break;
        case NOVA_H_INTERRUPT:
                call->value = NO_VECTOR;
                break;
        default:
                call->status = (nova_word_t)(intptr_t)NOVA_H_FUNCTION;
        }
}

static void serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        struct call call = {.done = false};

        (void)portal;
        (void)argument;
        nova_utcb_get(utcb, 0, &call.number);
        for (unsigned i = 0; i < 4; i++)
                nova_utcb_get(utcb, 1 + i, &call.word[i]);
        if (at_call)
                at_call(&call);
        if (!call.done)
                answer(&call);
        nova_utcb_set_windows(utcb, 0, 0);
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, call.status);
        nova_utcb_put(utcb, call.value);
        nova_utcb_put(utcb, 0); /* no interrupt is pending */
}

enum nova_u_status become_secure(void)
{
        struct nova_utcb_event start;
        enum nova_u_status status;

        nova_sealed_load(&memory, image, image_bytes, &start);
        status = nova_uv_esm(&uv, BLOB, PARAMS);
        if (status)
                return esm_status = status;
        nova_semaphore_down(&converted);
        return esm_status;
}

void begin(void)
{
        const enum nova_u_status status = become_secure();

        if (status)
                outcome("makes its guest secure", status, NOVA_U_SUCCESS);
        task(PAGES - 1); /* the guest does a task only after it has filled its pages */
}

enum nova_u_status end(void)
{
        const enum nova_u_status status = nova_uv_svm_terminate(&uv);

        at_call = NULL;
        __atomic_store_n(&closed, true, __ATOMIC_SEQ_CST);
        if (__atomic_exchange_n(&waits, false, __ATOMIC_SEQ_CST))
                nova_sm_up(asked);
        return status;
}

void begin_task(uint64_t number)
{
        if (esm_status) { /* a guest that is not secure never takes a task */
                printf("The guest has not become secure; see the reason above.\n");
                exit(1);
        }
        next_task = (nova_word_t)number;
        nova_sm_up(asked);
}

uint32_t task(uint64_t number)
{
        begin_task(number);
        nova_semaphore_down(&answered);
        return last_result;
}

/* Repeats UV_PAGE_OUT while the page is in use: the reply to an exit maps it for a moment. */
static enum nova_u_status move_out(uint32_t number, uint32_t to, unsigned flags)
{
        enum nova_u_status status = NOVA_U_BUSY;

        for (unsigned i = 0; i < BUSY_TRIES && status == NOVA_U_BUSY; i++) {
                status = nova_uv_page_out(&uv, to, PAGES_AT + number * PAGE_BYTES, flags,
                                          NOVA_UV_ORDER_PAGE);
                if (status == NOVA_U_BUSY)
                        nova_sleep(1000000);
        }
        return status;
}

enum nova_u_status out(uint32_t number, uint32_t to)
{
        return move_out(number, to, 0);
}

enum nova_u_status snapshot(uint32_t number, uint32_t to)
{
        return move_out(number, to, NOVA_UV_SNAPSHOT);
}

enum nova_u_status in(uint32_t number, uint32_t from)
{
        return nova_uv_page_in(&uv, from, PAGES_AT + number * PAGE_BYTES, 0, NOVA_UV_ORDER_PAGE);
}

static int refuse(struct nova_request *request)
{
        (void)request;
        return EPERM;
}

static int let_in(struct nova_request *request, const char *arguments)
{
        (void)request;
        (void)arguments;
        nova_semaphore_up(&watched);
        return 0;
}

/* Starts a service. The first VMM opens it when its guest runs. The end of the service shows the
 * first VMM that the attack is over. */
static int start_service(void)
{
        static const struct nova_service_operation operations[] = {{refuse, 0, 0, false}};
        static const struct nova_service_config config = {
                .name = "attack", .operations = operations, .operation_count = 1, .open = let_in};

        return nova_service_start(NULL, &config);
}

bool create_semaphore(nova_sel_t *sm)
{
        *sm = nova_sel_alloc(0);
        return *sm != NOVA_SEL_NONE && nova_create_sm(*sm, nova_program.pd, 0) == NOVA_SUCCESS;
}

/* Prints what has failed, and the remedy. @return false */
static bool fail(const char *what, const char *why, const char *remedy)
{
        printf("%s: %s%s.\n", what, why, remedy);
        return false;
}

/* Creates the memory of the guest, and the objects by which the ultravisor calls this VMM. */
static bool create(nova_sel_t portal)
{
        static const char enlarge[] = "; enlarge 'kernel-memory' in the description of program "
                                      "hostile";
        static struct nova_handler *handler;
        int error = nova_guest_memory_create(&memory, MEMORY);

        if (error)
                return fail("The memory of the guest cannot be created", strerror(error),
                            "; enlarge 'memory' in the description of program hostile");
        normal = (uint8_t *)memory.base;
        /* Cuts the last page off, which attack_revoke() revokes from the ultravisor. A revocation
         * of a part of a mapping would take the whole mapping. */
        nova_revoke(nova_crd_mem((nova_word_t)(normal + MEMORY) / PAGE_BYTES - 1, 0, NOVA_MEM_X),
                    NOVA_REVOKE_SR);
        error = nova_handler_create(&handler, GUEST_CPU, "vcpu 0", serve, NULL);
        if (!error)
                error = nova_handler_portal(handler, portal, 0);
        if (error)
                return fail("The handler of the ultravisor's calls cannot be created",
                            strerror(error), enlarge);
        if (!create_semaphore(&asked))
                return fail("A semaphore cannot be created", strerror(ENOMEM), enlarge);
        error = start_service();
        return error ? fail("The service 'attack' cannot start", strerror(error), "") : true;
}

/* Enters the VM in the ultravisor's table. */
static bool enter(nova_sel_t portal)
{
        enum nova_u_status status;
        int error = nova_session_share(uv.session, memory.base, MEMORY / PAGE_BYTES);

        if (error)
                return fail("The memory of the guest cannot be shared with the ultravisor",
                            strerror(error), "");
        status = nova_uv_write_pate(&uv, 0, MEMORY);
        if (status == NOVA_U_BUSY)
                return fail("The ultravisor refuses the VM", "its table of 8 VMs is full",
                            "; let fewer programs use it");
        if (status)
                return fail("The ultravisor refuses the VM", name_of(status), "");
        error = nova_uv_attach(&uv, 0, GUEST_CPU, portal);
        if (error == ENODEV)
                return fail("The ultravisor refuses the virtual CPU", "it may not use CPU 1",
                            "; write 'cpus all' in its description");
        return error ? fail("The ultravisor refuses the virtual CPU", strerror(error), "") : true;
}

/* Prepares the attack. @return false after a message, if that failed */
static bool start(void)
{
        const nova_sel_t portal = nova_sel_alloc(0);
        int error;

        if (!(nova_program.cpus >> GUEST_CPU & 1))
                return fail("The guest needs the machine's second CPU", "give the machine two",
                            " (--cpus 2)");
        error = nova_session_open_trusting(&uv.session, "ultravisor", NULL);
        if (error)
                return fail("The ultravisor cannot be reached", nova_secure_why(error), "");
        error = nova_parent_module("sealed.img", &image, &image_bytes);
        if (error)
                return fail("The module sealed.img cannot be read", strerror(error), "");
        return create(portal) && enter(portal);
}

/* Returns the text after `attack=` on the command line of the image. Without this word, returns the
 * whole line, which may be empty. */
static const char *name_of_attack(void)
{
        static char line[256];
        struct nova_utcb_event first;
        const char *name;
        uint32_t at;

        nova_sealed_load(&memory, image, image_bytes, &first);
        memcpy(&at, normal + PARAMS + LINE_AT, sizeof(at));
        if (at >= MEMORY - sizeof(line))
                return "";
        memcpy(line, normal + at, sizeof(line) - 1);
        name = strstr(line, "attack=");
        return name ? name + strlen("attack=") : line;
}

static void summarize(void)
{
        printf("It made %u %s, and %u had a wrong outcome.\n", tries, tries == 1 ? "try" : "tries",
               surprises);
}

static int list_attacks(const char *name)
{
        printf("There is no attack '%s'.\nThere are: ", name);
        for (unsigned i = 0; i < ATTACKS; i++)
                printf("%s%s", attacks[i].name, i + 1 < ATTACKS ? ", " : ".\n");
        return 1;
}

int main(void)
{
        const char *name;
        unsigned done = 0;

        if (!start())
                return 1;
        nova_semaphore_down(&watched);
        name = name_of_attack();
        for (unsigned i = 0; i < ATTACKS; i++) {
                if (*name && strcmp(name, attacks[i].name) != 0)
                        continue;
                if (attacks[i].function == attack_die && tries) /* this attack ends the program */
                        summarize();
                attacks[i].function();
                done++;
        }
        if (!done)
                return list_attacks(name);
        summarize();
        return surprises > 0;
}
