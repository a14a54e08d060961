/* SPDX-License-Identifier: BSD-2-Clause */
/* Actions of runtime-child that take CPU time from others, or measure the remaining time. */
#ifndef TESTS_RUNTIME_CHILD_TIME_H
#define TESTS_RUNTIME_CHILD_TIME_H

int do_hog(char **argv);
int do_chatter(char **argv);
int do_reports(char **argv);
int do_progress(char **argv);

#endif
