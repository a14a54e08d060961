/* SPDX-License-Identifier: BSD-2-Clause */
/* Two threads on two CPUs use one open file: each write() and read() accesses a different part of
 * the file, lseek() adds to the offset, and pread() and pwrite() have no effect on it. A call with
 * a wrong address does not leave the file locked. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cpu.h"
#include "expect.h"
#include "novart/region.h"

#define THREADS 2
#define STEPS   5000 /* of lseek() in each thread */

/* The records of a file. Thread t writes the numbers t, t + THREADS, ... */
static struct {
        size_t bytes;
        unsigned count;
        unsigned seen[2000]; /* number of times that record i was read */
        unsigned bad;        /* records that are not whole */
} records;
static int file;

static unsigned char byte_of(unsigned number, size_t i)
{
        return (unsigned char)(number * 31 + i * 7);
}

static void *write_records(void *argument)
{
        unsigned char data[5000];

        for (unsigned i = (unsigned)(uintptr_t)argument; i < records.count; i += THREADS) {
                for (size_t k = 0; k < records.bytes; k++)
                        data[k] = byte_of(i, k);
                memcpy(data, &i, sizeof(i));
                if (write(file, data, records.bytes) != (int)records.bytes)
                        __atomic_add_fetch(&records.bad, 1, __ATOMIC_RELAXED);
        }
        return NULL;
}

static void *read_records(void *argument)
{
        unsigned char data[5000];
        unsigned number;
        int got;

        while ((got = (int)read(file, data, records.bytes)) > 0) {
                bool good = got == (int)records.bytes;

                memcpy(&number, data, sizeof(number));
                good = good && number < records.count;
                for (size_t k = sizeof(number); good && k < records.bytes; k++)
                        good = data[k] == byte_of(number, k);
                __atomic_add_fetch(good ? &records.seen[number] : &records.bad, 1,
                                   __ATOMIC_RELAXED);
        }
        return argument;
}

static void *step(void *argument)
{
        for (unsigned i = 0; i < STEPS; i++)
                lseek(file, 1, SEEK_CUR);
        return argument;
}

/* Writes and reads records at their own places, while the other thread does so, too. */
static void *place_records(void *argument)
{
        unsigned char data[5000], copy[5000];

        for (unsigned i = (unsigned)(uintptr_t)argument; i < records.count; i += THREADS) {
                const off_t place = (off_t)(i * records.bytes);

                for (size_t k = 0; k < records.bytes; k++)
                        data[k] = byte_of(i, k);
                if (pwrite(file, data, records.bytes, place) != (ssize_t)records.bytes ||
                    pread(file, copy, records.bytes, place) != (ssize_t)records.bytes ||
                    memcmp(data, copy, records.bytes) != 0)
                        __atomic_add_fetch(&records.bad, 1, __ATOMIC_RELAXED);
        }
        return argument;
}

static void run(void *(*function)(void *))
{
        pthread_t thread[THREADS];
        pthread_attr_t attr;
        nova_word_t cpu = 0;

        pthread_attr_init(&attr);
        for (unsigned i = 0; i < THREADS; i++) {
                cpu = next_cpu(cpu);
                pthread_attr_setcpu_np(&attr, cpu);
                expect(!pthread_create(&thread[i], &attr, function, (void *)(uintptr_t)i),
                       "a thread");
        }
        for (unsigned i = 0; i < THREADS; i++)
                pthread_join(thread[i], NULL);
}

static void share_file(size_t bytes, unsigned count, int flags)
{
        struct stat about;
        unsigned lost = 0;

        memset(&records, 0, sizeof(records));
        records.bytes = bytes;
        records.count = count;
        file = open("/shared", O_RDWR | O_CREAT | O_TRUNC | flags, 0666);
        expect(file >= 3, "open");
        run(write_records);
        expect(!records.bad, "each write is whole");
        expect(fstat(file, &about) == 0 && (size_t)about.st_size == bytes * count,
               "the file has the size of all records");
        expect(lseek(file, 0, SEEK_SET) == 0, "lseek to the start");
        run(read_records);
        expect(!records.bad, "each record is whole");
        for (unsigned i = 0; i < count; i++)
                lost += records.seen[i] != 1;
        expect(!lost, "each record was read once");
        expect(close(file) == 0, "close");
}

static void share_without_offset(void)
{
        struct stat about;

        memset(&records, 0, sizeof(records));
        records.bytes = 5000;
        records.count = 100;
        file = open("/shared", O_RDWR | O_CREAT | O_TRUNC, 0666);
        expect(lseek(file, 77, SEEK_SET) == 77, "lseek");
        run(place_records);
        expect(!records.bad, "each record is at its place");
        expect(fstat(file, &about) == 0 && about.st_size == 500000, "the size of all records");
        expect(lseek(file, 0, SEEK_CUR) == 77 && close(file) == 0, "the offset stays");
}

/* Reads and writes with memory that the program does not have, in calls of each size. */
static void use_wrong_memory(void)
{
        static const size_t sizes[] = {64, 5000, 100000};
        static char data[100000];
        char *const away = nova_region_reserve(sizeof(data));

        file = open("/shared", O_RDWR | O_CREAT | O_TRUNC, 0666);
        expect(write(file, data, sizeof(data)) == (int)sizeof(data), "write");
        for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
                expect(lseek(file, 0, SEEK_SET) == 0, "lseek to the start");
                errno = 0;
                expect(read(file, away, sizes[i]) == -1 && errno == EFAULT, "EFAULT of read");
                errno = 0;
                expect(write(file, away, sizes[i]) == -1 && errno == EFAULT, "EFAULT of write");
                expect(lseek(file, 0, SEEK_CUR) == 0, "the offset stays");
                expect(read(file, data, sizes[i]) == (int)sizes[i], "a read afterwards");
        }
        expect(close(file) == 0, "close");
        nova_region_free(away);
}

int main(void)
{
        use_wrong_memory();
        share_file(64, 2000, 0);
        share_file(5000, 100, 0);
        share_file(5000, 100, O_APPEND);
        share_without_offset();
        file = open("/shared", O_RDONLY);
        run(step);
        expect(lseek(file, 0, SEEK_CUR) == THREADS * STEPS, "each lseek counts");
        expect(close(file) == 0 && unlink("/shared") == 0, "close");
        return end_of("threads");
}
