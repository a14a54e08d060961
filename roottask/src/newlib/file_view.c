/* SPDX-License-Identifier: BSD-2-Clause */
/* Views of files: windows for pages of the service's cache. read() copies from views of its own.
 * Such a view stays until the service revokes it, the file is closed, or read() needs the window
 * for another part of a file. */
#include "novart/file_view.h"

#include <errno.h>
#include <stdbool.h>

#include "memory/region.h"
#include "newlib/files.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/guard.h"
#include "novart/region.h"
#include "novart/sync.h"

#define WINDOWS 2 /* number of windows for read() */
#define TRIES   3 /* maximum number of attempts to get a view; the service may revoke it at once */

_Static_assert(NOVA_FILE_VIEW_BYTES == NOVA_FILES_VIEW_BYTES, "a view has one size");

/* A window of read(). */
static struct window {
        unsigned session; /* 0: the window has no view */
        nova_word_t file; /* number at the service */
        uint64_t place;
        size_t bytes;
} windows[WINDOWS];

static struct nova_mutex mutex; /* protects the variables below and the windows */
static char *room;              /* reserved addresses for the windows */
static char *views;             /* lazy memory for nova_file_view_begin() */
static bool taken[NOVA_FILE_VIEWS];
static unsigned last;    /* window that got the last view */
static unsigned without; /* session whose service has no cache */

static nova_crd_t crd_of(const char *addr)
{
        return nova_crd_mem((nova_word_t)addr >> NOVA_PAGE_BITS, NOVA_FILES_VIEW_ORDER, NOVA_MEM_R);
}

/* Calls the service's operation VIEW. @return 0 or an errno value */
static int call(unsigned session, nova_word_t file, uint64_t place, nova_word_t known,
                nova_crd_t *window, nova_word_t answer[2])
{
        const nova_word_t words[4] = {file, (nova_word_t)(place & UINT32_MAX),
                                      (nova_word_t)(place >> 32), known};

        return novart_files_receive(session, NOVA_FILES_VIEW, words, 4, answer, 2, window);
}

/* Tries once to get a view at addresses without pages. @return 0 or an errno value; EAGAIN: the
 * service has revoked the view meanwhile */
static int get_once(unsigned session, nova_word_t file, uint64_t place, const char *addr,
                    size_t *bytes)
{
        nova_crd_t window = crd_of(addr), none = 0;
        nova_word_t came[2], known[2];
        int error = call(session, file, place, 0, &window, came);

        *bytes = 0;
        if (error || !came[0]) {
                nova_revoke(crd_of(addr), NOVA_REVOKE_SR); /* pages of a faulty service */
                return error;
        }
        *bytes = came[1];
        if (came[1] > NOVA_FILE_VIEW_BYTES)
                error = EPROTO;
        else if (!window)
                error = ENOMEM; /* no kernel memory */
        else
                error = call(session, file, place, came[0], &none, known);
        if (!error && known[0] != came[0])
                error = EAGAIN; /* the service revoked the view, perhaps before the pages arrived */
        if (error)
                nova_revoke(crd_of(addr), NOVA_REVOKE_SR);
        return error;
}

/* Gets a view. @return 0 or an errno value. If there is no error and *bytes is 0, the view has no
 * pages */
static int get(unsigned session, nova_word_t file, uint64_t place, const char *addr, size_t *bytes)
{
        int error = EAGAIN;

        for (unsigned tries = 0; tries < TRIES && error == EAGAIN; tries++)
                error = get_once(session, file, place, addr, bytes);
        return error;
}

/* ---- read() ---------------------------------------------------------------------------------- */

static char *addr_of(const struct window *window)
{
        return room + (size_t)(window - windows) * NOVA_FILE_VIEW_BYTES;
}

static struct window *find(unsigned session, nova_word_t file, uint64_t place)
{
        for (struct window *window = windows; window < windows + WINDOWS; window++)
                if (window->session == session && window->file == file && window->place == place)
                        return window;
        return NULL;
}

/* Gets a view into the window that was filled least recently. @return 0 or an errno value; at the
 * end of the file *filled is a window without a view */
static int fill(unsigned session, nova_word_t file, uint64_t place, struct window **filled)
{
        struct window *window = &windows[++last % WINDOWS];
        int error;

        if (!room)
                room = nova_region_reserve((size_t)WINDOWS * NOVA_FILE_VIEW_BYTES);
        if (!room)
                return ENOMEM;
        if (window->session)
                nova_revoke(crd_of(addr_of(window)), NOVA_REVOKE_SR);
        *window = (struct window){.file = file, .place = place};
        error = get(session, file, place, addr_of(window), &window->bytes);
        if (!error && window->bytes)
                window->session = session;
        if (error == ENOTSUP)
                without = session;
        *filled = window;
        return error;
}

/* Copies from a view. @return false: the service has revoked the view, before or during the copy */
static bool copy(struct window *window, size_t within, void *to, size_t *bytes)
{
        const size_t left = within < window->bytes ? window->bytes - within : 0;
        char byte;

        if (*bytes > left)
                *bytes = left;
        if (left ? !nova_copy_guarded(to, addr_of(window) + within, *bytes)
                 : !window->session || !nova_copy_guarded(&byte, addr_of(window), 1))
                return true;
        window->session = 0;
        nova_revoke(crd_of(addr_of(window)), NOVA_REVOKE_SR);
        return false;
}

long novart_files_read_view(unsigned session, nova_word_t file, uint64_t offset, void *to,
                            size_t bytes, bool may_fill)
{
        const size_t within = offset % NOVA_FILE_VIEW_BYTES;
        long done = -EAGAIN;

        nova_mutex_lock(&mutex);
        for (unsigned tries = 0; tries < TRIES && done < 0; tries++) {
                struct window *window = find(session, file, offset - within);
                size_t part = bytes;

                if (!window && (!may_fill || without == session ||
                                fill(session, file, offset - within, &window)))
                        break;
                if (copy(window, within, to, &part))
                        done = (long)part;
        }
        nova_mutex_unlock(&mutex);
        return done;
}

void novart_files_forget_views(nova_word_t file)
{
        nova_mutex_lock(&mutex);
        for (struct window *window = windows; window < windows + WINDOWS; window++) {
                if (!window->session || window->file != file)
                        continue;
                window->session = 0;
                nova_revoke(crd_of(addr_of(window)), NOVA_REVOKE_SR);
        }
        nova_mutex_unlock(&mutex);
}

/* ---- Views of the program -------------------------------------------------------------------- */

static int take_slot(unsigned *slot)
{
        int error = EMFILE;

        nova_mutex_lock(&mutex);
        if (!views)
                views = nova_region_lazy("views of files",
                                         (size_t)NOVA_FILE_VIEWS * NOVA_FILE_VIEW_BYTES);
        *slot = 0;
        while (*slot < NOVA_FILE_VIEWS && taken[*slot])
                ++*slot;
        if (!views) {
                error = ENOMEM;
        } else if (*slot < NOVA_FILE_VIEWS) {
                taken[*slot] = true;
                error = 0;
        }
        nova_mutex_unlock(&mutex);
        return error;
}

int nova_file_view_begin(int file, uint64_t place, struct nova_file_view *view)
{
        unsigned session, slot;
        nova_word_t number;
        char *addr;
        int error = novart_files_readable(file, &session, &number);

        if (!error && place % NOVA_FILE_VIEW_BYTES)
                error = EINVAL;
        if (!error)
                error = take_slot(&slot);
        if (error)
                return error;
        addr = views + (size_t)slot * NOVA_FILE_VIEW_BYTES;
        *view = (struct nova_file_view){addr, 0, slot};
        error = get(session, number, place, addr, &view->bytes);
        if (error)
                nova_file_view_end(view);
        return error;
}

int nova_file_view_check(const struct nova_file_view *view)
{
        return novart_region_has_memory((nova_word_t)view->data, NOVA_FILE_VIEW_BYTES) ? ESTALE : 0;
}

void nova_file_view_end(const struct nova_file_view *view)
{
        if (nova_file_view_check(view))
                novart_region_decommit((void *)(uintptr_t)view->data, NOVA_FILE_VIEW_BYTES);
        else
                nova_revoke(crd_of(view->data), NOVA_REVOKE_SR);
        __atomic_store_n(&taken[view->slot], false, __ATOMIC_RELEASE);
}
