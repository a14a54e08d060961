/* SPDX-License-Identifier: BSD-2-Clause */
/* Deeds of runtime-child that take others' time, or measure what is left of it. */
#ifndef TESTS_RUNTIME_CHILD_TIME_H
#define TESTS_RUNTIME_CHILD_TIME_H

int do_hog(char **argv);
int do_chatter(char **argv);
int do_reports(char **argv);
int do_progress(char **argv);

#endif
