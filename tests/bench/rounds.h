/* SPDX-License-Identifier: BSD-2-Clause */
/* How often an operation is timed; the plugin that looks at it knows them, too. */
#ifndef NOVA_TESTS_BENCH_ROUNDS_H
#define NOVA_TESTS_BENCH_ROUNDS_H

#define ROUNDS 401 /* samples of an operation; odd, so that one of them is the median */
#define WARM   16  /* rounds before them that do not count */

#endif
