/* SPDX-License-Identifier: BSD-2-Clause */
/* The C library's printf, scanf, lines, setjmp and time, as the SDK builds it. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define LONG_LINE 100000

__attribute__((format(printf, 2, 3))) static void expect(const char *wanted, const char *format,
                                                         ...)
{
        char text[100];
        va_list arguments;

        va_start(arguments, format);

        const int length = vsnprintf(text, sizeof(text), format, arguments);

        va_end(arguments);
        if (strcmp(text, wanted) != 0)
                printf("'%s' should be '%s'\n", text, wanted);
        CHECK(!strcmp(text, wanted) && length == (int)strlen(wanted));
}

static void check_printf(void)
{
        const char *volatile nothing = NULL;

        expect("-1 4294967295 0xff 017", "%d %u %#x %#o", -1, -1u, 255, 15);
        expect("-9223372036854775807 18446744073709551615", "%lld %llu", -(long long)INT64_MAX,
               (unsigned long long)UINT64_MAX);
        expect("fedcba9876543210", "%" PRIx64, (uint64_t)0xfedcba9876543210);
        expect("7 -8 9 -10", "%zu %td %ju %jd", (size_t)7, (ptrdiff_t)-8, (uintmax_t)9,
               (intmax_t)-10);
        expect("-1 255 -1 65535", "%hhd %hhu %hd %hu", (signed char)-1, (unsigned char)255,
               (short)-1, (unsigned short)65535);
        expect("2147483648 -2147483648", "%lu %ld", 2147483648ul, -2147483647l - 1);
        expect("[  abc|abc  |ab]", "[%5s|%-5s|%.2s]", "abc", "abc", "abc");
        expect("00042 +42  42    042", "%05d %+d % d %6.3d", 42, 42, 42, 42);
        expect("x%(null)", "%c%%%s", 'x', nothing);
        expect("3.14 -2.500000 1.0e+10 0.5", "%.2f %f %.1e %g", 3.14159, -2.5, 1e10, 0.5);
        expect("inf nan", "%f %f", (double)INFINITY, (double)NAN);
        expect("2.25", "%.2Lf", 2.25L);
}

static void check_scanf(void)
{
        long long big;
        int64_t small;
        signed char tiny;
        short medium;
        size_t size;
        double real;
        char word[10];

        CHECK(sscanf("-5000000000 77 -3 -300 12345 2.5e3 rest",
                     "%lld %" SCNd64 " %hhd %hd %zu %lf %9s", &big, &small, &tiny, &medium, &size,
                     &real, word) == 7);
        CHECK(big == -5000000000 && small == 77 && tiny == -3 && medium == -300);
        CHECK(size == 12345 && real == 2500.0 && !strcmp(word, "rest"));
}

static void check_setjmp(void)
{
        static jmp_buf buffer;
        volatile int count = 0;

        CHECK(setjmp(buffer) == (count ? 1 : 0));
        if (count++ == 0)
                longjmp(buffer, 0);
        CHECK(count == 2);
}

/* Checks the next line of a stream; NULL: there is none. */
static void expect_line(FILE *stream, char **line, size_t *size, const char *wanted)
{
        const ssize_t length = getline(line, size, stream);

        CHECK(wanted ? length == (ssize_t)strlen(wanted) && !strcmp(*line, wanted) : length == -1);
}

static void check_lines(void)
{
        static char text[] = "one\n\na:b::c\nthe last";
        static char data[LONG_LINE + 2];
        FILE *stream = fmemopen(text, strlen(text), "r");
        char *line = malloc(1);
        size_t size = 1;

        expect_line(stream, &line, &size, "one\n");
        expect_line(stream, &line, &size, "\n");
        CHECK(getdelim(&line, &size, ':', stream) == 2 && !strcmp(line, "a:"));
        CHECK(getdelim(&line, &size, ':', stream) == 2 && !strcmp(line, "b:"));
        CHECK(getdelim(&line, &size, ':', stream) == 1 && !strcmp(line, ":"));
        expect_line(stream, &line, &size, "c\n");
        expect_line(stream, &line, &size, "the last");
        expect_line(stream, &line, &size, NULL);
        CHECK(feof(stream) && getline(NULL, &size, stream) == -1 && errno == EINVAL);
        fclose(stream);
        free(line);

        line = NULL;
        size = 12345; /* without a meaning, because there is no buffer */
        memset(data, 'x', LONG_LINE);
        data[LONG_LINE] = '\n';
        stream = fmemopen(data, sizeof(data) - 1, "r");
        expect_line(stream, &line, &size, data);
        CHECK(size > LONG_LINE + 1);
        fclose(stream);
        free(line);
}

/* Takes memory until none is left. @return a list of the pieces */
static void **take_memory(void)
{
        void **pieces = NULL;

        for (size_t bytes = 64 << 20; bytes >= sizeof(void *); bytes /= 2)
                for (void **piece; (piece = malloc(bytes)); pieces = piece)
                        *piece = pieces;
        return pieces;
}

static void check_lines_without_memory(void)
{
        static char text[1000];
        FILE *stream = fmemopen(memset(text, 'x', sizeof(text)), sizeof(text), "r");
        char *const first = malloc(2), *line = first;
        size_t size = 2;
        void **pieces, **next;

        CHECK(stream && getc(stream) == 'x');
        pieces = take_memory();
        CHECK(getline(&line, &size, stream) == -1 && errno == ENOMEM);
        CHECK(line == first && size == 2);
        for (; pieces; pieces = next) {
                next = *pieces;
                free(pieces);
        }
        fclose(stream);
        free(line);
}

static void check_time(void)
{
        struct timespec before, after, wait = {0, 20000000};
        time_t moment = 86400;

        CHECK(!clock_gettime(CLOCK_MONOTONIC, &before) && !nanosleep(&wait, NULL));
        CHECK(!clock_gettime(CLOCK_MONOTONIC, &after));
        CHECK((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >=
              wait.tv_nsec);
        CHECK(clock_gettime(99, &after) && time(NULL) < 86400);
        CHECK(!clock_settime(CLOCK_REALTIME, &(struct timespec){1000000000, 0}));
        CHECK(time(NULL) >= 1000000000 && time(NULL) < 1000086400);
        CHECK(!strncmp(asctime(gmtime(&moment)), "Fri Jan  2 00:00:00 1970", 24));
}

int main(void)
{
        check_printf();
        check_scanf();
        check_lines();
        check_lines_without_memory();
        check_setjmp();
        check_time();
        CHECK(fabs(sin(1.0) - 0.8414709848) < 1e-9 && strtol("0x10", NULL, 0) == 16);
        fprintf(stderr, "the C library is in order\n");
        return 0;
}
