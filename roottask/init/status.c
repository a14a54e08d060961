/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers programs with the grant `status`: times of CPUs, init's own resources, and the last
 * text of init and of the programs whose text init writes. */
#include <errno.h>
#include <string.h>

#include "init.h"
#include "nova/console.h"
#include "nova/crd.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "novart/console.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "novart/time.h"

#define LOG_BYTES 0x4000 /* size of the text that init keeps; a power of two */

static nova_sel_t idle[NOVA_CPU_MAX]; /* selectors of the idle SCs; 0: no program asked */
static char text[LOG_BYTES];
static uint64_t end; /* position after the text */
static struct nova_mutex mutex;

static void keep(const char *from, size_t bytes)
{
        nova_mutex_lock(&mutex);
        for (; bytes; bytes--)
                text[end++ % LOG_BYTES] = *from++;
        nova_mutex_unlock(&mutex);
}

void status_begin(void)
{
        nova_console_keep(keep);
}

/* Returns the position of the first text after `position` that init still has. */
static uint64_t first_after(uint64_t position)
{
        if (position > end)
                return end;
        if (end - position <= LOG_BYTES)
                return position;
        position = end - LOG_BYTES;
        while (position < end && text[position++ % LOG_BYTES] != '\n')
                continue;
        return position;
}

static void read_log(uint64_t position, struct nova_parent_log *log)
{
        nova_mutex_lock(&mutex);
        position = first_after(position);
        while (log->bytes < sizeof(log->text) && position < end)
                log->text[log->bytes++] = text[position++ % LOG_BYTES];
        log->next = position;
        nova_mutex_unlock(&mutex);
}

/* This thread runs on the CPU of the program that asks. The idle SC of that CPU does not run
 * meanwhile, so the kernel has counted all of its time. */
static int read_cpu(struct nova_parent_cpu *about)
{
        const nova_word_t cpu = nova_thread_cpu();
        nova_sel_t *const sel = &idle[cpu];

        if (!*sel) {
                const nova_sel_t some = nova_sel_alloc(0);

                if (some == NOVA_SEL_NONE)
                        return ENOMEM;
                if (nova_request(nova_crd_obj(NOVA_SEL_IDLE_SC + cpu, 0, NOVA_SC_CT), some)) {
                        nova_sel_free(some, 0);
                        return ENOMEM;
                }
                *sel = some;
        }
        about->time_us = nova_time_ns() / 1000;
        return nova_sc_ctrl(*sel, &about->idle_us) == NOVA_SUCCESS ? 0 : EIO;
}

static int read_own(struct nova_parent_own *about)
{
        nova_word_t used = 0, limit = 0;

        if (nova_quota_query(nova_program.pd, &used, &limit) != NOVA_SUCCESS)
                return EIO;
        about->kernel_used = used;
        about->kernel_limit = limit;
        about->free_bytes = (uint64_t)nova_page_free_count() * NOVA_PAGE_SIZE;
        about->selectors = nova_sel_used();
        return 0;
}

int status_answer(const struct program *asks, struct nova_child_status *question)
{
        if (!(asks->says->grants & NOVA_SYSTEM_GRANT_STATUS))
                return EACCES;
        if (question->kind == NOVA_PARENT_STATUS_CPU)
                return read_cpu(&question->answer.cpu);
        if (question->kind == NOVA_PARENT_STATUS_SESSION)
                return grants_describe_session(question->number, &question->answer.session);
        if (question->kind == NOVA_PARENT_STATUS_OWN)
                return read_own(&question->answer.own);
        read_log(question->number, &question->answer.log);
        return 0;
}
