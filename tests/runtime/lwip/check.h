/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the library `check`, of version 0.12, that lwIP's tests use. */
#ifndef TESTS_RUNTIME_LWIP_CHECK_H
#define TESTS_RUNTIME_LWIP_CHECK_H

#define CHECK_MAJOR_VERSION 0
#define CHECK_MINOR_VERSION 12

typedef void (*TFun)(int);
typedef void (*SFun)(void);
typedef struct check_case TCase;
typedef struct check_suite Suite;
typedef struct check_runner SRunner;

enum print_output { CK_NORMAL };

#define START_TEST(name) static void name(int _i)
#define END_TEST

#define fail_unless(condition, ...)                                 \
        do {                                                        \
                if (!(condition))                                   \
                        check_fail(__FILE__, __LINE__, #condition); \
        } while (0)
#define fail_if(condition, ...) fail_unless(!(condition))
#define fail(...)               check_fail(__FILE__, __LINE__, "fail()")

/* Ends the test, which has failed. */
_Noreturn void check_fail(const char *file, int line, const char *condition);

Suite *suite_create(const char *name);
TCase *tcase_create(const char *name);
void tcase_add_checked_fixture(TCase *test, SFun setup, SFun teardown);
void _tcase_add_test(TCase *test, TFun function, const char *name, int signal, int status,
                     int first, int end);
void suite_add_tcase(Suite *suite, TCase *test);
SRunner *srunner_create(Suite *suite);
void srunner_set_xml(SRunner *runner, const char *file);
void srunner_add_suite(SRunner *runner, Suite *suite);
void srunner_run_all(SRunner *runner, enum print_output output);
int srunner_ntests_failed(SRunner *runner);
void srunner_free(SRunner *runner);

#endif
