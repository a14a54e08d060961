/* SPDX-License-Identifier: BSD-2-Clause */
/* A clock without a device: the TSC counts the time, and a deadline in the kernel wakes the thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "nova/nova.h"
#include "novart/program.h"
#include "novart/time.h"

#define MS 1000000

/* Shows the most direct method: ticks, and their frequency from the information page. */
static void show_ticks(void)
{
        const uint64_t khz = nova_program.hip->tsc_khz;
        const uint64_t ticks = nova_rdtsc();

        printf("the TSC runs at %" PRIu64 " MHz and has counted %" PRIu64 " ms since the start\n",
               khz / 1000, ticks / khz);
}

/* Shows beats at fixed times. They do not drift, even if the work between them takes long. */
static void show_beats(void)
{
        const uint64_t start = nova_time_ns();

        for (unsigned beat = 1; beat <= 5; beat++) {
                nova_sleep_until(nova_tsc_of_ns(start + beat * 20 * MS));
                if (nova_time_ns() < start + beat * 20 * MS)
                        printf("early!\n");
                printf("%s%s", beat % 2 ? "tick" : "tock", beat < 5 ? " " : "\n");
                fflush(stdout);
        }
}

/* Shows the date by the C library's clocks, which use the same counter. */
static void show_calendar(void)
{
        time_t now;
        char text[40];

        clock_settime(CLOCK_REALTIME, &(struct timespec){.tv_sec = 1340668800});
        time(&now);
        strftime(text, sizeof(text), "%d %B %Y", gmtime(&now));
        printf("if the program says so, it is %s\n", text);
}

int main(void)
{
        show_ticks();
        show_beats();
        show_calendar();
        return 0;
}
