/* SPDX-License-Identifier: BSD-2-Clause */
/* Client stub of the service `ultravisor`. */
#include "novart/service/ultravisor.h"

#include <errno.h>

#include "nova/crd.h"
#include "service/client.h"

/* Calls the service. @return errno value; the first word of the answer in *answer */
static int call(const struct nova_uv *uv, nova_word_t operation, const nova_word_t *words,
                unsigned count, nova_word_t *answer)
{
        struct nova_message message = {.operation = operation,
                                       .words = words,
                                       .word_count = count,
                                       .answer = answer,
                                       .answer_max = 1};
        const int error = nova_session_call(uv->session, &message);

        return error ? error : message.answer_count ? 0 : EPROTO;
}

static enum nova_u_status status_of(int error, nova_word_t answer)
{
        return error ? NOVA_U_FUNCTION : (enum nova_u_status)(int)answer;
}

enum nova_u_status nova_uv_call(const struct nova_uv *uv, unsigned number, uint64_t p2, uint64_t p3,
                                uint64_t p4, uint64_t p5)
{
        const nova_word_t words[] = {number,          uv->lpid,        (nova_word_t)p2,
                                     (nova_word_t)p3, (nova_word_t)p4, (nova_word_t)p5};
        nova_word_t answer = 0;
        const int error = call(uv, NOVA_ULTRAVISOR_CALL, words, 6, &answer);

        return status_of(error, answer);
}

enum nova_u_status nova_uv_esm(const struct nova_uv *uv, uint64_t blob, uint64_t params)
{
        const nova_word_t words[] = {uv->lpid, (nova_word_t)blob, (nova_word_t)params};
        nova_word_t answer = 0;
        const int error = call(uv, NOVA_ULTRAVISOR_ESM, words, 3, &answer);

        return status_of(error, answer);
}

int nova_uv_attach(const struct nova_uv *uv, unsigned vcpu, nova_word_t cpu, nova_sel_t portal)
{
        const nova_word_t words[] = {uv->lpid, vcpu, cpu};
        struct nova_message message = {.operation = NOVA_ULTRAVISOR_ATTACH,
                                       .words = words,
                                       .word_count = 3,
                                       .item_count = 1,
                                       .items = {nova_crd_obj(portal, 0, NOVA_PERM_ALL)}};

        return novart_client_call_on(uv->session, cpu, &message);
}

/* Repeats the call while the guest's machine is in use. Between two calls the ultravisor serves
 * other VMMs. */
static int change(const struct nova_uv *uv, nova_word_t operation, unsigned vcpu, unsigned vector)
{
        const nova_word_t words[] = {uv->lpid, vcpu, vector};
        struct nova_message message = {.operation = operation, .words = words, .word_count = 3};
        int error;

        do
                error = nova_session_call(uv->session, &message);
        while (error == EBUSY);
        return error;
}

int nova_uv_kick(const struct nova_uv *uv, unsigned vcpu)
{
        return change(uv, NOVA_ULTRAVISOR_KICK, vcpu, 0);
}

int nova_uv_start(const struct nova_uv *uv, unsigned vcpu, unsigned vector)
{
        return change(uv, NOVA_ULTRAVISOR_START, vcpu, vector);
}

int nova_uv_reset(const struct nova_uv *uv, unsigned vcpu)
{
        return change(uv, NOVA_ULTRAVISOR_RESET, vcpu, 0);
}

enum nova_uv_state nova_uv_state(const struct nova_uv *uv)
{
        const nova_word_t words[] = {uv->lpid};
        nova_word_t answer = 0;

        return call(uv, NOVA_ULTRAVISOR_STATE, words, 1, &answer) ? NOVA_UV_NORMAL
                                                                  : (enum nova_uv_state)answer;
}

int nova_uv_attributes(const struct nova_uv *uv, uint64_t page, unsigned *secure, unsigned *shared)
{
        const nova_word_t words[] = {uv->lpid, (nova_word_t)page};
        nova_word_t answer[2];
        struct nova_message message = {.operation = NOVA_ULTRAVISOR_ATTRIBUTES,
                                       .words = words,
                                       .word_count = 2,
                                       .answer = answer,
                                       .answer_max = 2};
        const int error = nova_session_call(uv->session, &message);

        if (error || message.answer_count < 2)
                return error ? error : EPROTO;
        *secure = (unsigned)answer[0];
        *shared = (unsigned)answer[1];
        return 0;
}
