/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a round, and what is compared after it. */
#ifndef TESTS_SOAK_SOAK_H
#define TESTS_SOAK_SOAK_H

#include <stdbool.h>
#include <stdint.h>

struct soak_options {
        unsigned rounds;    /* number of rounds; 0: as many as begin within `minutes` */
        unsigned minutes;   /* rounds begin only in this time */
        bool counted;       /* time advances with instructions, so latencies are compared */
        bool without_guest; /* the rounds have no guest */
        bool leak;          /* each round leaves something behind, for a test of the comparison */
};

extern struct soak_options soak_options;

/* Runs the guest's part of a round. services_round() and storm_round() run the other parts. Each
 * prints a sentence and returns false if something went wrong. */
bool guest_round(void);
bool services_round(void);
bool storm_round(void);

/* Prepares the objects that all rounds of the services use. storm_begin() does this for the
 * storm. */
bool services_begin(void);
bool storm_begin(void);

/* Reads all figures after a round. In the rounds after FIGURES_FIRST, compares them with those of
 * round FIGURES_FIRST, and prints a sentence for each figure that is not as expected.
 * @return false if there is such a figure */
#define FIGURES_FIRST 3
bool figures_compare(unsigned round);

/* Returns the number of figures that were compared after the last round. */
unsigned figures_count(void);

/* Measures latencies while nothing else runs. If `counted` is set, compares them in the rounds
 * after FIGURES_FIRST with those of round FIGURES_FIRST, and reports those that differ.
 * @return false if one differs */
bool latency_compare(unsigned round);

/* Prints one sentence about a fault. @return false */
__attribute__((format(printf, 1, 2))) bool soak_fail(const char *format, ...);

#endif
