/* SPDX-License-Identifier: BSD-2-Clause */
/* Two threads of a program whose session with `files` ends. The first thread has an open file of
 * that session. A new session uses the old session's file numbers again, so a call with an old
 * number must not reach the new session. The first thread stops in its call until the second thread
 * has made the service crash and has opened a file again, or until one second has passed. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "expect.h"
#include "novart/service/files.h"
#include "novart/session.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define CALLS  4 /* calls of the first thread during which the session ends */
#define SECOND 1000000000

int __real_nova_session_call(struct nova_session *session, struct nova_message *message);
int __wrap_nova_session_call(struct nova_session *session, struct nova_message *message);

static struct nova_semaphore begin, ready, crash, opened, finished;
static nova_word_t stop_at; /* operation of the call in which the first thread stops; 0: none */
static bool stop_after;     /* true: it stops after its call was answered; false: before */
static int fresh[2];        /* files of the second thread */

static void stop(nova_word_t operation, bool after)
{
        if (stop_at != operation || stop_after != after)
                return;
        stop_at = 0;
        nova_semaphore_up(&crash);
        nova_semaphore_down_until(&opened, nova_deadline_in(SECOND));
}

int __wrap_nova_session_call(struct nova_session *session, struct nova_message *message)
{
        int error;

        stop(message->operation, false);
        error = __real_nova_session_call(session, message);
        stop(message->operation, true);
        return error;
}

static void open_fresh(void)
{
        for (unsigned i = 0; i < 2; i++) {
                fresh[i] = open("/fresh", O_RDWR | O_CREAT | O_TRUNC, 0666);
                expect(fresh[i] >= 0, "open after the restart");
        }
}

static void *run(void *argument)
{
        const char text[] = "end the service";
        struct stat about;

        for (unsigned i = 0; i < CALLS; i++) {
                int file;

                nova_semaphore_down(&begin);
                file = open("/end", O_WRONLY | O_CREAT, 0666);
                nova_semaphore_up(&ready);
                nova_semaphore_down(&crash);
                expect(write(file, text, sizeof(text)) == -1 && errno == EIO, "the service ends");
                close(file);
                if (stop_after) /* an open() here might wait for the open() of the other thread */
                        expect(stat("/end", &about) == 0, "stat after the restart");
                else
                        open_fresh();
                nova_semaphore_up(&opened);
                if (stop_after)
                        open_fresh();
                nova_semaphore_up(&finished);
        }
        return argument;
}

/* Arranges that the service ends during the first thread's next call of an operation. */
static void stop_in(nova_word_t operation, bool after)
{
        nova_semaphore_up(&begin);
        nova_semaphore_down(&ready);
        stop_at = operation;
        stop_after = after;
}

static void wait_for_other(void)
{
        nova_semaphore_down(&finished);
        while (nova_semaphore_try(&opened)) {
        }
}

/* Checks that the first thread's call has not changed the other thread's file. */
static void check_fresh(void)
{
        struct stat about;

        expect(fstat(fresh[0], &about) == 0 && about.st_size == 0, "the new file is empty");
        expect(close(fresh[0]) == 0 && close(fresh[1]) == 0, "close of the new files");
}

static void write_old(void)
{
        const int file = open("/old", O_RDWR | O_CREAT, 0666);

        stop_in(NOVA_FILES_WRITE, false);
        expect(write(file, "stale", 5) == -1 && errno == EIO, "write of a lost file");
        expect(close(file) == -1 && errno == EIO, "close of a lost file");
        wait_for_other();
        check_fresh();
}

static void resize_old(void)
{
        const int file = open("/old", O_RDWR | O_CREAT, 0666);

        stop_in(NOVA_FILES_RESIZE, false);
        expect(ftruncate(file, 5) == -1 && errno == EIO, "ftruncate of a lost file");
        expect(close(file) == -1 && errno == EIO, "close of a lost file");
        wait_for_other();
        check_fresh();
}

static void open_old(void)
{
        int file;

        stop_in(NOVA_FILES_OPEN, true);
        file = open("/old", O_RDWR | O_CREAT, 0666);
        expect(file >= 0, "open before the end");
        wait_for_other();
        expect(write(file, "stale", 5) == -1 && errno == EIO, "write of a file opened before it");
        expect(close(file) == -1 && errno == EIO, "close of a file opened before it");
        check_fresh();
}

static void list_old(void)
{
        DIR *folder;

        stop_in(NOVA_FILES_OPEN, true);
        folder = opendir("/");
        expect(folder != NULL, "opendir before the end");
        wait_for_other();
        expect(folder && !readdir(folder) && errno == EIO, "readdir of a lost folder");
        expect(folder && closedir(folder) == 0, "closedir of a lost folder");
        check_fresh();
}

int main(void)
{
        struct nova_thread *thread;

        if (nova_thread_create(&thread, NULL, run, NULL))
                return 1;
        write_old();
        resize_old();
        open_old();
        list_old();
        nova_thread_join(thread, NULL);
        return end_of("stale");
}
