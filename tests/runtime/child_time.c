/* SPDX-License-Identifier: BSD-2-Clause */
/* Actions of runtime-child that take CPU time from others, or measure the remaining time. */
#include "child_time.h"

#include <stdlib.h>
#include <string.h>

#include "nova/event.h"
#include "novart/fault.h"
#include "novart/parent.h"
#include "novart/thread.h"
#include "novart/time.h"

static void *spin(void *argument)
{
        for (;;)
                (void)*(void *volatile *)argument;
        return NULL;
}

/* Requests all of its CPU's time, by an SC with a quantum of 1,000 s. */
int do_hog(char **argv)
{
        const struct nova_thread_attr attr = {.name = "hog", .quantum_us = 1000000000};
        struct nova_thread *thread;

        if (nova_thread_create(&thread, &attr, spin, &argv))
                return 1;
        nova_thread_join(thread, NULL);
        return 2;
}

/* Prints without end, in lines of the maximum length that its parent accepts. */
int do_chatter(char **argv)
{
        char text[1600];

        (void)argv;
        memset(text, '.', sizeof(text));
        for (;;)
                nova_parent_write(text, sizeof(text));
        return 0;
}

/* Reports faults without end. */
int do_reports(char **argv)
{
        struct nova_fault_report report = {.bytes = sizeof(report),
                                           .event = NOVA_EXC_PF,
                                           .frames = NOVA_FAULT_FRAMES,
                                           .codes = NOVA_FAULT_CODE};

        (void)argv;
        memset(report.thread, 'x', sizeof(report.thread));
        for (;;)
                nova_parent_fault(&report);
        return 0;
}

/* Waits for a number of milliseconds. Then returns how many times it can count to a thousand in an
 * interval of equal length. */
int do_progress(char **argv)
{
        const uint64_t begin = nova_time_ns() + (unsigned)atoi(argv[2]) * UINT64_C(1000000);
        const uint64_t end = begin + (unsigned)atoi(argv[2]) * UINT64_C(1000000);
        int rounds = 0;

        while (nova_time_ns() < begin)
                ;
        for (; nova_time_ns() < end; rounds++)
                for (volatile unsigned i = 0; i < 1000; i++)
                        ;
        return rounds;
}
