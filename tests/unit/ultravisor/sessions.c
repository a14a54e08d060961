/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions that session.c and the client's stub call, without a kernel (see sessions.h). */
#include "sessions.h"

#include <errno.h>
#include <string.h>

#include "novart/time.h"
#include "service/client.h"
#include "session.h"
#include "vm.h"

unsigned sessions_busy, sessions_calls, sessions_kicks, sessions_starts, sessions_resets;
struct nova_service *vm_service;

static struct vm machine;
static struct nova_session session;
static bool locked, machine_locked;

struct nova_uv sessions_begin(bool secure)
{
        memset(&machine, 0, sizeof(machine));
        machine.state = secure ? VM_SECURE : VM_NORMAL;
        machine.vcpus = machine.machine.vcpus = 2;
        for (unsigned i = 0; i < machine.vcpus; i++)
                machine.machine.vcpu[i].number = i;
        machine.machine.vcpu[1].activity = NOVA_VCPU_OFF;
        machine.vcpu[1].starts[0] = 1 << 8;
        machine.vcpu[1].resets = true;
        sessions_busy = sessions_calls = sessions_kicks = sessions_starts = sessions_resets = 0;
        return (struct nova_uv){.session = &session};
}

nova_word_t sessions_cpu(void)
{
        return machine.vcpu[0].cpu;
}

unsigned sessions_users(void)
{
        return machine.users;
}

/* Performs an operation of the table in server.c. */
static int perform(struct nova_request *request, nova_word_t operation)
{
        switch (operation) {
        case NOVA_ULTRAVISOR_ATTACH:
                return session_attach(request);
        case NOVA_ULTRAVISOR_KICK:
                return session_kick(request);
        case NOVA_ULTRAVISOR_START:
                return session_start(request);
        case NOVA_ULTRAVISOR_RESET:
                return session_reset(request);
        default:
                return ENOSYS;
        }
}

int novart_client_call_on(struct nova_session *of, nova_word_t cpu, struct nova_message *message)
{
        struct nova_request request = {.cpu = cpu, .word_count = message->word_count};

        (void)of;
        if (message->item_count)
                request.item = message->items[0];
        memcpy(request.word, message->words, message->word_count * sizeof(nova_word_t));
        sessions_calls++;
        return perform(&request, message->operation);
}

int nova_session_call(struct nova_session *of, struct nova_message *message)
{
        return novart_client_call_on(of, SESSIONS_CPU, message);
}

int sessions_attach_from(nova_word_t from, nova_word_t cpu)
{
        const nova_word_t words[] = {0, 0, cpu};
        struct nova_message message = {.operation = NOVA_ULTRAVISOR_ATTACH,
                                       .words = words,
                                       .word_count = 3,
                                       .item_count = 1,
                                       .items = {1}};

        return novart_client_call_on(&session, from, &message);
}

/* The ultravisor. */

struct vm *vm_find(const void *of, uint64_t lpid)
{
        (void)of;
        return locked && !lpid ? &machine : NULL;
}

void vm_lock(void)
{
        locked = true;
}

void vm_unlock(void)
{
        locked = false;
}

enum nova_u_status vm_start(struct vm *vm)
{
        (void)vm;
        return NOVA_U_RETRY;
}

void vm_stop(struct vm *vm)
{
        (void)vm;
}

struct page *page_find(struct pages *pages, uint64_t gpa)
{
        (void)pages, (void)gpa;
        return NULL;
}

/* The runtime. */

nova_sel_t nova_request_take(struct nova_request *request)
{
        (void)request;
        return 1;
}

bool nova_request_answer(struct nova_request *request, nova_word_t word)
{
        (void)request, (void)word;
        return true;
}

void nova_service_drop(struct nova_service *service, nova_sel_t sel)
{
        (void)service, (void)sel;
}

uint64_t nova_deadline_in(uint64_t ns)
{
        return ns;
}

/* The library. Another thread holds the machine's lock until the deadlines of some calls. */

int nova_vm_lock_until(struct nova_vm *vm, uint64_t deadline)
{
        (void)vm;
        if (sessions_busy && deadline != NOVA_FOREVER) {
                sessions_busy--;
                return ETIMEDOUT;
        }
        machine_locked = true;
        return 0;
}

void nova_vm_unlock(struct nova_vm *vm)
{
        (void)vm;
        machine_locked = false;
}

void nova_vcpu_kick(struct nova_vcpu *vcpu)
{
        (void)vcpu;
        sessions_kicks += machine_locked;
}

void nova_vcpu_start_at(struct nova_vcpu *vcpu, uint8_t vector)
{
        (void)vcpu;
        sessions_starts += machine_locked && vector == 8;
}

void nova_vcpu_reset(struct nova_vcpu *vcpu)
{
        (void)vcpu;
        sessions_resets += machine_locked;
}
