/* SPDX-License-Identifier: BSD-2-Clause */
/* The function main() of a driver under test, which has another name there: the test's program has
 * a main() of its own. */
#ifndef UNIT_DRIVER_MAIN_H
#define UNIT_DRIVER_MAIN_H

#ifdef __cplusplus
extern "C" {
#endif

int driver_main(int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
