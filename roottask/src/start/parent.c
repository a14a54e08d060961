/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of a child's start code and threads to its parent. */
#include "start/parent.h"

#include <errno.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/parent.h"
#include "novart/program.h"

/* Thread-local variables do not work yet, so the start page gives the address of the UTCB. */
int novart_parent_begin(void)
{
        const struct nova_start_page *const page = nova_program.start;
        struct nova_utcb *const utcb = (struct nova_utcb *)page->utcb;

        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, NOVA_PARENT_BEGIN);
        nova_utcb_set_windows(utcb, 0, nova_crd_obj(page->pd & ~(nova_sel_t)1, 1, NOVA_PERM_ALL));

        const enum nova_status status = nova_call(page->parent + page->cpu, 0);

        nova_utcb_set_windows(utcb, 0, 0);
        return status == NOVA_SUCCESS ? (int)utcb->word[0] : EIO;
}

int novart_parent_events(void)
{
        return nova_parent_events();
}

void novart_parent_exit(int status)
{
        nova_parent_exit(status);
}

void novart_parent_fault(const struct nova_fault_report *report)
{
        nova_parent_fault(report);
}

int novart_parent_write(const char *text, size_t bytes)
{
        return nova_parent_write(text, bytes);
}

int novart_parent_read(char *text, size_t bytes)
{
        (void)text;
        (void)bytes;
        return 0;
}
