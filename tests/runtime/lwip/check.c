/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs lwIP's tests one after another, and reports them as TAP. */
#include "check.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TESTS_MAX 150

/* A test, with the functions before and after it. */
struct check_case {
        SFun setup, teardown;
        TFun function;
        const char *suite, *name;
};

/* A test that is left out, because it cannot pass. */
struct left_out {
        const char *name, *reason;
};

static const struct left_out left_out[] = {
        {"test_ip6_ntoa", "expects capitals; see novanet/patches/2-lower-case.patch"},
        {"test_ip6_ntoa_ipv4mapped", "expects capitals; see novanet/patches/2-lower-case.patch"},
        {"test_mem_double_free", "is for lwIP's own heap; novanet uses malloc()"},
        {"test_mem_invalid_free", "is for lwIP's own heap; novanet uses malloc()"},
};
#define LEFT_OUT (sizeof(left_out) / sizeof(*left_out))

static struct check_case tests[TESTS_MAX];
static unsigned made;
static int failed;
static jmp_buf after_failure;

void check_fail(const char *file, int line, const char *condition)
{
        printf("# %s:%d: %s\n", file, line, condition);
        longjmp(after_failure, 1);
}

Suite *suite_create(const char *name)
{
        (void)name;
        return NULL;
}

TCase *tcase_create(const char *name)
{
        if (made == TESTS_MAX) {
                printf("Bail out! more than %d tests\n", TESTS_MAX);
                exit(1);
        }
        tests[made].suite = name;
        return &tests[made++];
}

void tcase_add_checked_fixture(TCase *test, SFun setup, SFun teardown)
{
        test->setup = setup;
        test->teardown = teardown;
}

void _tcase_add_test(TCase *test, TFun function, const char *name, int signal, int status,
                     int first, int end)
{
        (void)signal, (void)status, (void)first, (void)end;
        test->function = function;
        test->name = name;
}

void suite_add_tcase(Suite *suite, TCase *test)
{
        (void)suite, (void)test;
}

SRunner *srunner_create(Suite *suite)
{
        (void)suite;
        return NULL;
}

void srunner_set_xml(SRunner *runner, const char *file)
{
        (void)runner, (void)file;
}

void srunner_add_suite(SRunner *runner, Suite *suite)
{
        (void)runner, (void)suite;
}

int srunner_ntests_failed(SRunner *runner)
{
        (void)runner;
        return failed;
}

void srunner_free(SRunner *runner)
{
        (void)runner;
}

static const struct left_out *find_left_out(const struct check_case *test)
{
        for (unsigned i = 0; i < LEFT_OUT; i++)
                if (strcmp(test->name, left_out[i].name) == 0)
                        return &left_out[i];
        return NULL;
}

static int run(const struct check_case *test)
{
        if (setjmp(after_failure))
                return 1;
        if (test->setup)
                test->setup();
        test->function(0);
        if (test->teardown)
                test->teardown();
        return 0;
}

void srunner_run_all(SRunner *runner, enum print_output output)
{
        unsigned ran = 0, left = 0;

        (void)runner, (void)output;
        for (unsigned i = 0; i < made; i++) {
                const struct left_out *const out = find_left_out(&tests[i]);
                int bad;

                if (out) {
                        printf("# %s %s\n", out->name, out->reason);
                        left++;
                        continue;
                }
                bad = run(&tests[i]);
                failed += bad;
                printf("%sok %u - %s: %s\n", bad ? "not " : "", ++ran, tests[i].suite,
                       tests[i].name);
        }
        printf("1..%u\n", ran);
        if (left != LEFT_OUT) {
                puts("Bail out! left_out[] names a test that does not exist");
                failed++;
        }
}
