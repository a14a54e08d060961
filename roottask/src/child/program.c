/* SPDX-License-Identifier: BSD-2-Clause */
/* Both sides of the request for a program's state and for the resources that it uses. */
#include <errno.h>
#include <string.h>

#include "child/parent_call.h"
#include "child/request.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"

#define WORDS (sizeof(struct nova_parent_program) / sizeof(nova_word_t))

_Static_assert(WORDS * sizeof(nova_word_t) == sizeof(struct nova_parent_program), "whole words");

static const struct nova_child *find(const char *name)
{
        for (const struct nova_child *child = novart_child_first; child; child = child->next)
                if (child->state == CHILD_RUNNING && strcmp(child->name, name) == 0)
                        return child;
        return NULL;
}

static void add_time(struct nova_parent_program *program, nova_sel_t sc)
{
        uint64_t time_us;

        if (nova_sc_ctrl(sc, &time_us) != NOVA_SUCCESS)
                return;
        program->time_us += time_us;
        program->threads++;
}

/* Adds the resources that the child uses. The caller holds the mutex of all children. */
static void add_use(struct nova_parent_program *program)
{
        const struct nova_child *const child = find(program->name);
        nova_word_t used = 0, limit = 0;

        if (!child)
                return;
        if (nova_quota_query(child->block + CHILD_PD, &used, &limit) == NOVA_SUCCESS) {
                program->kernel_used = used;
                program->kernel_limit = limit;
        }
        add_time(program, child->block + CHILD_SC);
        for (const struct child_sc *sc = child->scs; sc; sc = sc->next)
                if (!sc->dropped)
                        add_time(program, sc->sel);
}

int novart_serve_program(struct request *request)
{
        const struct nova_child_grants *const grants = &request->child->grants;
        struct nova_parent_program program = {0};
        nova_word_t words[WORDS];
        int error;

        if (!grants->program)
                return EACCES;
        error = grants->program(grants->context, request->word[1], &program);
        if (error)
                return error;
        add_use(&program);
        memcpy(words, &program, sizeof(words));
        return nova_utcb_put_words(request->utcb, words, WORDS) ? 0 : EIO;
}

int nova_parent_program_describe(unsigned number, struct nova_parent_program *program)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_PROGRAM);
        int error;

        nova_utcb_put(utcb, number);
        error = novart_parent_call_send(utcb, 0);
        if (error)
                return error;
        if (nova_utcb_word_count(utcb) < 1 + WORDS)
                return EIO;
        memcpy(program, &utcb->word[1], sizeof(*program));
        program->name[sizeof(program->name) - 1] = 0;
        return 0;
}
