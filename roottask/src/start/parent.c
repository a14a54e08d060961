/* SPDX-License-Identifier: BSD-2-Clause */
/* Until children exist: nobody answers. */
#include "start/parent.h"

#include <errno.h>

void parent_fault(const struct nova_fault_report *report)
{
        (void)report;
}

void parent_exit(int status)
{
        (void)status;
}

int parent_create_sc(nova_sel_t sc, nova_sel_t ec, nova_word_t cpu, unsigned priority,
                     unsigned quantum_us)
{
        (void)sc;
        (void)ec;
        (void)cpu;
        (void)priority;
        (void)quantum_us;
        return ENOSYS;
}

void parent_destroy_sc(nova_sel_t sc, nova_word_t cpu)
{
        (void)sc;
        (void)cpu;
}

int parent_write(const char *text, size_t bytes)
{
        (void)text;
        (void)bytes;
        return ENOSYS;
}

int parent_read(char *text, size_t bytes)
{
        (void)text;
        (void)bytes;
        return -ENOSYS;
}
