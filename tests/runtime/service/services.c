/* SPDX-License-Identifier: BSD-2-Clause */
/* The services disk, log, memory, names and power, and their client stubs, in one program. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "case.h"
#include "disk/server.h"
#include "log/server.h"
#include "memory/server.h"
#include "names/server.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/service/disk.h"
#include "novart/service/log.h"
#include "novart/service/memory.h"
#include "novart/service/names.h"
#include "novart/service/power.h"
#include "novart/service/timer.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "power/server.h"
#include "services.h"

#define QUOTA (8 * NOVA_PAGE_SIZE)

static char console[8192];
static size_t console_used;

static void sink(void *argument, const char *text, size_t bytes)
{
        (void)argument;
        if (bytes > sizeof(console) - console_used)
                bytes = sizeof(console) - console_used;
        memcpy(console + console_used, text, bytes);
        console_used += bytes;
}

/* Returns the text written since the last call. */
static bool was_written(const char *text)
{
        const bool same = console_used == strlen(text) && !memcmp(console, text, console_used);

        if (!same)
                printf("# instead of %s it wrote %.*s\n", text, (int)console_used, console);
        console_used = 0;
        return same;
}

static void type(const char *keys)
{
        while (*keys)
                log_service_key(*keys++);
}

static bool reads(struct nova_session *log, const char *line)
{
        char text[64];
        size_t bytes = 0;
        const int error =
                nova_log_read_line(log, text, sizeof(text), &bytes, nova_deadline_in(60000000000));

        return !error && bytes == strlen(line) && !memcmp(text, line, bytes);
}

static void logging(void)
{
        static char lines[2000];
        struct nova_session *one = NULL, *two = NULL;
        char text[8];
        size_t bytes;

        check(log_service_start(sink, NULL) == 0 && nova_log_open(&one) == 0 &&
                      nova_log_open(&two) == 0,
              "the log is opened twice");
        nova_log_write(one, "half a ", 7);
        nova_log_write(two, "whole\n", 6);
        nova_log_write(one, "line\n", 5);
        check(was_written("[main] whole\n[main] half a line\n"), "lines come out whole");
        for (unsigned i = 0; i < sizeof(lines); i++)
                lines[i] = i % 50 == 49 ? '\n' : 'x';
        check(nova_log_write(one, lines, sizeof(lines)) == 0 &&
                      console_used == sizeof(lines) + 7 * sizeof(lines) / 50,
              "long texts come out, too");
        console_used = 0;

        check(nova_log_read_line(one, text, sizeof(text), &bytes, nova_deadline_in(1000000)) ==
                      ETIMEDOUT,
              "a reader waits for a line");
        nova_log_read_line(two, text, sizeof(text), &bytes, 0);
        type("ab\r");
        check(reads(one, "ab\n") && was_written("ab\n"), "the first reader has the keyboard");
        type("\x14"
             "cd\r");
        check(reads(two, "cd\n") && was_written("[log] keyboard input now goes to main\ncd\n"),
              "a key gives the keyboard to the next");
        nova_log_write(two, "rest", 4);
        nova_session_close(two);
        check(was_written("[main] rest\n[log] keyboard input now goes to main\n"),
              "a reader that leaves releases the keyboard, and its last line is not lost");
        type("ef\r");
        check(reads(one, "ef\n"), "then the first reader has it again");
        nova_session_close(one);
        console_used = 0;
        type("unread\r\x14");
        check(was_written(""), "keys without a reader are dropped");
}

static int machine_error;
static nova_word_t machine_did;

static int machine(nova_word_t operation)
{
        machine_did = operation + 1;
        return machine_error;
}

static void powering(void)
{
        struct nova_session *power = NULL;

        check(power_service_start(machine) == 0 && nova_power_open(&power) == 0,
              "the power service is opened");
        machine_error = EPERM;
        check(nova_power_off(power) == EPERM && machine_did == NOVA_EXT_MACHINE_OFF + 1,
              "it reports an action that is not permitted");
        machine_error = ENOTSUP;
        check(nova_power_reset(power) == ENOTSUP && machine_did == NOVA_EXT_MACHINE_RESET + 1,
              "and one that the machine lacks");
        nova_session_close(power);
}

static bool is_null(nova_sel_t sel)
{
        nova_crd_t crd = nova_crd_obj(sel, 0, NOVA_PERM_ALL);

        return nova_lookup(&crd) == NOVA_SUCCESS && !crd;
}

static void naming(void)
{
        struct nova_session *one = NULL, *two = NULL;
        const nova_sel_t sm = nova_sel_alloc(0), got = nova_sel_alloc(0);
        const nova_crd_t down = nova_crd_obj(got, 0, NOVA_SM_DN);

        check(names_service_start() == 0 && nova_names_open(&one) == 0 &&
                      nova_names_open(&two) == 0,
              "the name service is opened twice");
        nova_create_sm(sm, nova_program.pd, 1);
        check(nova_names_publish(one, "bell", nova_crd_obj(sm, 0, NOVA_SM_UP | NOVA_SM_DN)) == 0,
              "a semaphore is published");
        check(nova_names_publish(two, "bell", nova_crd_obj(sm, 0, NOVA_SM_UP)) == EEXIST,
              "a name that is taken is refused");
        check(nova_names_publish(two, "no name", nova_crd_obj(sm, 0, NOVA_SM_UP)) == EINVAL,
              "an invalid name is refused");
        check(nova_names_publish(two, "empty", 0) == EINVAL,
              "a null capability cannot be published");
        check(nova_names_lookup(two, "bell", down, 0) == 0 &&
                      nova_sm_down_until(got, 0, 0) == NOVA_SUCCESS &&
                      nova_sm_up(got) == NOVA_BAD_CAP,
              "a client that looks it up gets the permissions that it requested");
        check(nova_names_lookup(two, "bell", nova_crd_obj(got, 0, 0x10), 0) == EACCES,
              "permissions that the publisher did not give are refused");
        check(nova_names_withdraw(two, "bell") == EPERM, "only the publisher withdraws");
        check(nova_names_withdraw(one, "bell") == 0 && is_null(got) && !is_null(sm),
              "withdrawing revokes it from all clients that looked it up");
        check(nova_names_lookup(two, "bell", down, 0) == ENOENT, "then the name is free");
        check(nova_names_lookup(two, "bell", down, nova_deadline_in(1000000)) == ETIMEDOUT,
              "a lookup of an unpublished name waits until the deadline");
        nova_names_publish(one, "bell", nova_crd_obj(sm, 0, NOVA_SM_DN));
        nova_session_close(one);
        check(nova_names_lookup(two, "bell", down, 0) == ENOENT,
              "names end with the session of their publisher");
        nova_session_close(two);
        nova_sel_release(sm, 0);
        nova_sel_release(got, 0);
}

static void leasing(void)
{
        struct nova_session *session = NULL, *second = NULL;
        struct nova_memory memory, more;
        size_t used, quota;

        check(memory_service_start(QUOTA) == 0 && nova_memory_open(&session) == 0,
              "the memory service is opened");
        check(nova_memory_open(&second) == EMFILE, "a client has one session");
        const size_t pages = nova_page_free_count();

        check(nova_memory_alloc(session, 3 * NOVA_PAGE_SIZE, &memory) == 0 &&
                      memory.bytes == 4 * NOVA_PAGE_SIZE,
              "memory comes in powers of two");
        char *bytes = memory.address;
        bool zero = true;

        for (size_t i = 0; i < memory.bytes; i++)
                zero &= !bytes[i];
        memset(bytes, 'x', memory.bytes);
        check(zero, "it is filled with 0");
        check(nova_memory_query(session, &used, &quota) == 0 && used == memory.bytes &&
                      quota == QUOTA,
              "the service reports the client's memory");
        check(nova_memory_alloc(session, 8 * NOVA_PAGE_SIZE, &more) == EDQUOT,
              "more than the quota is refused");
        check(nova_memory_alloc(session, (size_t)1 << 30, &more) == EINVAL &&
                      nova_memory_alloc(session, 0, &more) == EINVAL,
              "too much and nothing are refused");
        const nova_word_t number = memory.number;

        check(nova_memory_free(session, &memory) == 0 &&
                      nova_memory_query(session, &used, &quota) == 0 && used == 0,
              "freed memory can be allocated again");
        check(nova_session_invoke(session, NOVA_MEMORY_FREE, number, 0) == EINVAL,
              "a message with a word too many is refused");
        nova_memory_alloc(session, QUOTA, &memory);
        nova_session_close(session);
        check(nova_page_free_count() == pages, "all memory comes back when the session ends");
}

static void reading(void)
{
        static char room[2 * NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));
        static unsigned char archive[4096];
        struct nova_session *disk = NULL;
        struct nova_disk_file file;
        const char *error = NULL;
        size_t bytes = 0;

        check(disk_service_start("nonsense", 8, &error) == EILSEQ && error,
              "a file that is not an archive is refused with the reason");
        check(disk_service_start(archive, make_archive(archive), &error) == 0 &&
                      nova_disk_open(&disk) == 0,
              "an archive is opened");
        check(nova_disk_stat(disk, 0, &file) == 0 && !strcmp(file.path, "dir/one") &&
                      file.size == 900 && nova_disk_stat(disk, 1, &file) == 0 &&
                      nova_disk_stat(disk, 2, &file) == ENOENT,
              "its files are listed");
        check(nova_disk_find(disk, "dir/none", &file) == ENOENT, "a missing file is reported");
        check(nova_disk_find(disk, "dir/one", &file) == 0 &&
                      nova_disk_read(disk, &file, 0, room, sizeof(room), &bytes) == 0 &&
                      bytes == 900 && room[0] == 'a' && room[899] == 'a' && room[900] == 0,
              "a file is read");
        check(nova_disk_read(disk, &file, 890, room, sizeof(room), &bytes) == 0 && bytes == 10 &&
                      nova_disk_read(disk, &file, 900, room, 10, &bytes) == 0 && bytes == 0 &&
                      nova_disk_read(disk, &file, (size_t)-1, room, 10, &bytes) == 0 && bytes == 0,
              "reading ends at the end");
        check(nova_disk_fetch(disk, &file, 0, 0, 10, &bytes) == EINVAL,
              "reading without shared memory is refused");
        memset(room, 0, sizeof(room));
        check(nova_session_share(disk, room, 2) == 0 &&
                      nova_disk_fetch(disk, &file, 0, NOVA_PAGE_SIZE - 5, 10, &bytes) == 0 &&
                      bytes == 10 && !memcmp(room + NOVA_PAGE_SIZE - 6, "\0aaaaaaaaaa", 12),
              "a file is read into shared memory");
        check(nova_disk_fetch(disk, &file, 0, 2 * NOVA_PAGE_SIZE - 5, 10, &bytes) == EINVAL,
              "but not beyond its end");
        nova_session_close(disk);
}

int main(void)
{
        static const char name[NOVA_NAME_SIZE] = {'m', 'a', 'i', 'n'};

        nova_name_set(nova_program.pd, name);
        logging();
        powering();
        naming();
        leasing();
        reading();
        return check_end();
}
