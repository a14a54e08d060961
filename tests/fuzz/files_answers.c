/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of a hostile service files to the functions of POSIX in its client. A function transfers
 * at most the bytes of its buffer, whose end the sanitizer watches, and returns -1 or a result that
 * a caller can use: sizes and offsets are not negative, names end. No lock is left, no view outside
 * of its window is copied or revoked. Any answer may end the session.
 *
 * The host has functions of these names, so the client's functions have other names here. */
#define access      novart_access
#define closedir    novart_closedir
#define fsync       novart_fsync
#define ftruncate   novart_ftruncate
#define lseek       novart_lseek
#define mkdir       novart_mkdir
#define open        novart_open
#define opendir     novart_opendir
#define pread       novart_pread
#define pwrite      novart_pwrite
#define readdir     novart_readdir
#define rename      novart_rename
#define rewinddir   novart_rewinddir
#define rmdir       novart_rmdir
#define stat        novart_stat
#define truncate    novart_truncate
#define unlink      novart_unlink
#define __dirstream novart_folder

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answers.h"
#include "novart/file_view.h"
#include "novart/program.h"
#include "novart/session.h"
#include "service/client.h"

/* Several of these files define these names. */
#define mutex files_mutex
#define call  files_call
#include "newlib/files.c"
#undef mutex
#define mutex file_mutex
#include "newlib/file.c"
#undef mutex
#undef call
#define mutex view_mutex
#define call  view_call
#define find  view_find
#include "newlib/file_view.c"
#undef mutex
#undef call
#undef find
#include "newlib/folder.c"

#define PORTALS 0x100u
#define OPEN    4u /* files that the program has open */
#define VIEWS   2u /* views that the program has */
#define MAX     0x6000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct nova_program nova_program;
const struct files_calls *novart_files_calls;

static struct nova_session client = {.portals = PORTALS, .cpus = 1};
static bool has_session;
static unsigned locks;
static char *reserved, *lazy;
static int descriptor[OPEN];
static struct nova_file_view view[VIEWS];
static bool has_view[VIEWS];
static DIR *folder;

static bool is_window(nova_crd_t crd)
{
        const uintptr_t at = nova_crd_base(crd) << NOVA_PAGE_BITS;
        const bool in_room = reserved && at - (uintptr_t)reserved < WINDOWS * NOVA_FILE_VIEW_BYTES;

        return nova_crd_type(crd) == NOVA_CRD_MEM &&
               nova_crd_count(crd) << NOVA_PAGE_BITS == NOVA_FILE_VIEW_BYTES &&
               !(nova_crd_perms(crd) & (NOVA_MEM_W | NOVA_MEM_X)) &&
               (in_room || (lazy && at - (uintptr_t)lazy < NOVA_FILE_VIEWS * NOVA_FILE_VIEW_BYTES));
}

void answers_check_call(nova_sel_t portal, const struct nova_utcb *utcb)
{
        require(portal == PORTALS && has_session && !utcb->translate_window);
        require(nova_utcb_untyped(utcb->items) == nova_utcb_word_count(utcb));
        require(!utcb->delegate_window || is_window(utcb->delegate_window));
}

void answers_check_lookup(nova_crd_t crd)
{
        (void)crd;
        require(false);
}

void answers_check_revoke(nova_crd_t crd, bool own)
{
        require(own && is_window(crd));
}

/* Substitutes for the rest of the runtime. */
int nova_session_open(struct nova_session **to, const char *service, const char *arguments)
{
        require(!has_session && !strcmp(service, "files") && !arguments);
        if (answers_take() >= 0xf0)
                return ENOENT;
        has_session = true;
        *to = &client;
        return 0;
}

int nova_session_reopen(struct nova_session *of)
{
        require(of == &client && has_session);
        return answers_take() >= 0xf0 ? ENOENT : 0;
}

int nova_session_share(struct nova_session *of, void *memory, unsigned pages)
{
        require(of == &client && memory && pages == 1u << SHARE_ORDER);
        return answers_take() >= 0xf0 ? ENOMEM : 0;
}

int novart_client_call_async(const struct client_call *of, uint64_t deadline, bool *abandoned)
{
        (void)of, (void)deadline, (void)abandoned;
        require(false);
        return EIO;
}

int novart_client_put_share(struct nova_utcb *utcb, const struct client_share *share)
{
        (void)utcb, (void)share;
        require(false);
        return EIO;
}

void nova_mutex_lock(struct nova_mutex *of)
{
        (void)of;
        locks++;
}

void nova_mutex_unlock(struct nova_mutex *of)
{
        (void)of;
        require(locks--);
}

void nova_cond_wait(struct nova_cond *cond, struct nova_mutex *of)
{
        (void)cond, (void)of;
        require(false); /* there is only one thread, so it never waits */
}

void nova_cond_broadcast(struct nova_cond *cond)
{
        (void)cond;
}

void *nova_page_alloc(unsigned order)
{
        return answers_take() >= 0xf0 ? NULL : calloc(1, (size_t)NOVA_PAGE_SIZE << order);
}

void nova_page_free(void *page, unsigned order)
{
        (void)order;
        free(page);
}

void *nova_region_reserve(size_t bytes)
{
        if (answers_take() >= 0xf8)
                return NULL;
        reserved = aligned_alloc(NOVA_FILE_VIEW_BYTES, bytes);
        memset(reserved, 'v', bytes);
        return reserved;
}

void *nova_region_lazy(const char *name, size_t bytes)
{
        require(name && !lazy);
        lazy = aligned_alloc(NOVA_FILE_VIEW_BYTES, bytes);
        return lazy;
}

bool novart_region_has_memory(nova_word_t addr, size_t bytes)
{
        require(addr - (nova_word_t)lazy < NOVA_FILE_VIEWS * NOVA_FILE_VIEW_BYTES && bytes);
        return answers_take() & 1;
}

void novart_region_decommit(void *addr, size_t bytes)
{
        require((nova_word_t)addr - (nova_word_t)lazy < NOVA_FILE_VIEWS * NOVA_FILE_VIEW_BYTES);
        require(bytes == NOVA_FILE_VIEW_BYTES);
}

/* Copies memory. A copy from a view fails at times, because the service may revoke a view at any
 * time. */
int nova_copy_guarded(void *to, const void *from, size_t bytes)
{
        const size_t at = (size_t)((uintptr_t)from - (uintptr_t)reserved);

        if (reserved && at < WINDOWS * NOVA_FILE_VIEW_BYTES) {
                require(at % NOVA_FILE_VIEW_BYTES + bytes <= NOVA_FILE_VIEW_BYTES);
                if (answers_take() >= 0xe0)
                        return EFAULT;
        }
        memcpy(to, from, bytes);
        return 0;
}

off_t lseek(int number, off_t offset, int whence)
{
        require(!offset && whence == SEEK_CUR && number < FILES_FIRST);
        errno = ESPIPE;
        return -1;
}

/* The program. */
static void check_about(const struct stat *about)
{
        require(about->st_size >= 0 && about->st_blocks >= 0);
        require(S_ISDIR(about->st_mode) || S_ISREG(about->st_mode));
}

static void use_path(void)
{
        char path[NOVA_FILES_PATH_SIZE + 2] = {0};
        struct stat about;
        int result = 0;
        uint8_t what;

        memset(path, 'p', answers_take() * 3u % (sizeof(path) - 1));
        what = answers_take();
        switch (what % 7) {
        case 0:
                result = stat(path, &about);
                if (!result)
                        check_about(&about);
                break;
        case 1:
                result = access(path, W_OK);
                break;
        case 2:
                result = unlink(path);
                break;
        case 3:
                result = rmdir(path);
                break;
        case 4:
                result = mkdir(path, 0777);
                break;
        default:
                result = what & 0x80 ? truncate(path, (off_t)answers_take_word())
                                     : rename(path, "new");
        }
        require(result == 0 || (result == -1 && errno > 0));
}

static void open_file(unsigned i)
{
        static const int flags[] = {O_RDONLY, O_RDWR | O_CREAT, O_WRONLY | O_APPEND | O_TRUNC};

        if (descriptor[i] >= 0)
                return;
        descriptor[i] = open("path", flags[answers_take() % 3]);
        require(descriptor[i] >= FILES_FIRST || (descriptor[i] == -1 && errno > 0));
        for (unsigned other = 0; other < OPEN; other++)
                require(other == i || descriptor[i] < 0 || descriptor[other] != descriptor[i]);
}

static void transfer_file(int number, bool writes)
{
        const size_t bytes = answers_take_word() % MAX;
        char *const data = malloc(bytes ? bytes : 1);
        int done;

        memset(data, 'd', bytes);
        done = writes ? novart_files_calls->write(number, data, bytes)
                      : novart_files_calls->read(number, data, bytes);
        require(done >= -1 && done <= (int)bytes);
        require(done >= 0 || errno > 0);
        free(data);
}

/* Transfers at an offset of the call's own, which leaves the file's offset unchanged. The session
 * may end meanwhile. */
static void transfer_at_offset(int number, bool writes)
{
        const off_t before = novart_files_calls->seek(number, 0, SEEK_CUR);
        const off_t offset = (off_t)answers_take_word();
        const size_t bytes = answers_take_word() % MAX;
        char *const data = calloc(1, bytes ? bytes : 1);
        off_t after;
        ssize_t done;

        done = writes ? pwrite(number, data, bytes, offset) : pread(number, data, bytes, offset);
        require(done >= -1 && done <= (ssize_t)bytes && (offset >= 0 || done < 0));
        require(done >= 0 || errno > 0);
        after = novart_files_calls->seek(number, 0, SEEK_CUR);
        require(after == before || after == -1);
        require(pread(1, data, bytes, 0) == -1 && errno == ESPIPE);
        free(data);
}

static void use_file(int number, uint8_t what)
{
        const bool writes = what & 2;
        struct stat about;
        off_t at;

        switch (what % 8) {
        case 0:
        case 1:
        case 2:
        case 3:
                if (what & 0x80)
                        transfer_at_offset(number, writes);
                else
                        transfer_file(number, writes);
                break;
        case 4:
                at = novart_files_calls->seek(number, (off_t)answers_take_word(),
                                              answers_take() % 3);
                require(at >= -1 && (at >= 0 || errno > 0));
                break;
        case 5:
                if (!novart_files_calls->about(number, &about))
                        check_about(&about);
                break;
        case 6:
                require(fsync(number) >= -1);
                break;
        default:
                require(ftruncate(number, (off_t)answers_take_word()) >= -1);
        }
}

static void use_view(unsigned i, int number)
{
        const uint64_t place = answers_take() * (uint64_t)NOVA_FILE_VIEW_BYTES;

        if (has_view[i])
                nova_file_view_end(&view[i]);
        has_view[i] = number >= 0 && nova_file_view_begin(number, place, &view[i]) == 0;
        if (has_view[i])
                require(view[i].bytes <= NOVA_FILE_VIEW_BYTES && view[i].slot < NOVA_FILE_VIEWS &&
                        view[i].data == lazy + view[i].slot * NOVA_FILE_VIEW_BYTES);
}

static void use_folder(void)
{
        const struct dirent *entry;

        if (!folder)
                folder = opendir("folder");
        if (!folder)
                return;
        entry = readdir(folder);
        require(!entry || strnlen(entry->d_name, NOVA_FILES_NAME_SIZE) < NOVA_FILES_NAME_SIZE);
        if (answers_take() & 1)
                rewinddir(folder);
        if (answers_take() & 1) {
                closedir(folder);
                folder = NULL;
        }
}

static void close_number(unsigned i)
{
        if (descriptor[i] >= 0)
                require(novart_files_calls->close(descriptor[i]) >= -1);
        descriptor[i] = -1;
}

static void run_step(void)
{
        const uint8_t what = answers_take();
        const unsigned i = what >> 4 & (OPEN - 1);

        switch (what % 8) {
        case 0:
                use_path();
                break;
        case 1:
                use_folder();
                break;
        case 2:
                use_view(i % VIEWS, descriptor[i]);
                break;
        case 3:
                close_number(i);
                break;
        case 4:
                open_file(i);
                break;
        default:
                open_file(i);
                if (descriptor[i] >= 0)
                        use_file(descriptor[i], answers_take());
        }
        require(!locks && !calls);
}

/* Begins a program. */
static void begin(void)
{
        session = NULL;
        lost = has_session = false;
        sessions = calls = last = without = locks = 0;
        shared = room = views = reserved = lazy = NULL;
        memset(files, 0, sizeof(files));
        memset(windows, 0, sizeof(windows));
        memset(taken, 0, sizeof(taken));
        memset(has_view, 0, sizeof(has_view));
        for (unsigned i = 0; i < OPEN; i++)
                descriptor[i] = -1;
        folder = NULL;
        novart_files_calls = NULL;
        nova_program.cpus = 1;
}

static void end(void)
{
        if (novart_files_calls)
                novart_files_calls->end();
        for (unsigned i = 0; i < VIEWS; i++)
                use_view(i, -1);
        for (unsigned i = 0; i < OPEN; i++)
                close_number(i);
        if (folder)
                closedir(folder);
        for (unsigned i = 0; i < NOVA_FILES_MAX; i++)
                require(!files[i].session);
        for (unsigned i = 0; i < NOVA_FILE_VIEWS; i++)
                require(!taken[i]);
        require(!locks && !calls);
        free(shared);
        free(reserved);
        free(lazy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        answers_begin(data, size);
        begin();
        while (answers_has_input())
                run_step();
        end();
        return 0;
}
