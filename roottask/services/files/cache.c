/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache of the service `files`. A piece whose pages were given to a client is removed in two
 * steps. An answer that is not delivered yet may still delegate the pages, so they get other data
 * only after the function passed to nova_service_later() has run. */
#include "cache.h"

#include <errno.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/page.h"

static struct piece {
        struct nova_later later;
        const struct files_node *file; /* NULL: none */
        uint64_t place;                /* offset in the file, a multiple of the size of a piece */
        uint64_t used;                 /* time of the last use */
        size_t bytes;                  /* number of bytes of the file; the rest is 0 */
        nova_word_t number;
        bool given;   /* a client has received the pages since `file` was set */
        bool leaving; /* the pages may still be delegated, until later.function is called */
        uint8_t *data;
} pieces[CACHE_PIECES];

static unsigned piece_count;
static uint64_t uses;
static nova_word_t numbers;

size_t cache_create(size_t bytes)
{
        while (piece_count < CACHE_PIECES && (piece_count + 1) * NOVA_FILES_VIEW_BYTES <= bytes) {
                pieces[piece_count].data = nova_page_alloc(NOVA_FILES_VIEW_ORDER);
                if (!pieces[piece_count].data)
                        break;
                piece_count++;
        }
        return piece_count * NOVA_FILES_VIEW_BYTES;
}

static nova_crd_t pages_of(const struct piece *piece, unsigned perms)
{
        return nova_crd_mem((nova_word_t)piece->data >> NOVA_PAGE_BITS, NOVA_FILES_VIEW_ORDER,
                            perms);
}

static void revoke(const struct piece *piece)
{
        nova_revoke(pages_of(piece, NOVA_MEM_RWX), 0);
}

static void end_leaving(struct nova_later *later)
{
        struct piece *piece = (struct piece *)later;

        revoke(piece);
        piece->given = piece->leaving = false;
}

static void drop(struct nova_service *service, struct piece *piece)
{
        piece->file = NULL;
        piece->used = 0;
        if (!piece->given)
                return;
        piece->leaving = true;
        piece->later.function = end_leaving;
        revoke(piece);
        nova_service_later(service, &piece->later);
}

static struct piece *find(const struct files_node *file, uint64_t place)
{
        for (struct piece *piece = pieces; piece < pieces + piece_count; piece++)
                if (piece->file == file && piece->place == place)
                        return piece;
        return NULL;
}

/* Returns a piece for other data: the least recently used one. NULL: the pages of that piece may
 * still be delegated. */
static struct piece *take(struct nova_service *service)
{
        struct piece *oldest = NULL;

        for (struct piece *piece = pieces; piece < pieces + piece_count; piece++)
                if (!piece->leaving && (!oldest || piece->used < oldest->used))
                        oldest = piece;
        if (oldest && oldest->file)
                drop(service, oldest);
        return oldest && !oldest->leaving ? oldest : NULL;
}

static int fill(struct piece *piece, struct files_node *file, uint64_t place, size_t bytes)
{
        size_t total = 0;

        while (total < bytes) {
                size_t done = 0;
                const int error = file->system->backend->read(
                        file, place + total, piece->data + total, bytes - total, &done);

                if (error || !done)
                        return error ? error : EIO;
                total += done;
        }
        /* the pages contained data of other clients */
        memset(piece->data + bytes, 0, NOVA_FILES_VIEW_BYTES - bytes);
        if (!++numbers)
                numbers++;
        piece->file = file;
        piece->place = place;
        piece->bytes = bytes;
        piece->number = numbers;
        return 0;
}

static void describe(const struct piece *piece, struct cache_view *view)
{
        *view = (struct cache_view){piece->number, piece->bytes, pages_of(piece, NOVA_MEM_R)};
}

int cache_view(struct nova_service *service, struct files_node *file, uint64_t place,
               struct cache_view *view)
{
        struct piece *piece = find(file, place);
        struct files_about about;
        int error = 0;

        if (!piece_count)
                return ENOTSUP;
        *view = (struct cache_view){0, 0, 0};
        if (!piece) {
                error = file->system->backend->stat(file, &about);
                if (error || place >= about.size)
                        return error;
                piece = take(service);
                if (!piece)
                        return EAGAIN;
                about.size -= place;
                error = fill(piece, file, place,
                             about.size < NOVA_FILES_VIEW_BYTES ? (size_t)about.size
                                                                : NOVA_FILES_VIEW_BYTES);
        }
        if (error)
                return error;
        piece->used = ++uses;
        piece->given = true;
        describe(piece, view);
        return 0;
}

bool cache_is_valid(const struct files_node *file, uint64_t place, nova_word_t number,
                    struct cache_view *view)
{
        const struct piece *piece = find(file, place);

        if (!piece || piece->number != number)
                return false;
        describe(piece, view);
        return true;
}

const void *cache_find(const struct files_node *file, uint64_t place, size_t *bytes)
{
        const size_t within = place % NOVA_FILES_VIEW_BYTES;
        struct piece *piece = find(file, place - within);
        size_t left;

        if (!piece)
                return NULL;
        piece->used = ++uses;
        left = within < piece->bytes ? piece->bytes - within : 0;
        if (*bytes > left)
                *bytes = left;
        return piece->data + within;
}

/* A file that grows gets bytes after its old end, so the piece with the end is also removed. */
void cache_change(struct nova_service *service, const struct files_node *file, uint64_t place,
                  size_t bytes)
{
        for (struct piece *piece = pieces; piece < pieces + piece_count; piece++)
                if (piece->file == file &&
                    (piece->bytes < NOVA_FILES_VIEW_BYTES ||
                     (piece->place < place ? place - piece->place < NOVA_FILES_VIEW_BYTES
                                           : piece->place - place < bytes)))
                        drop(service, piece);
}

void cache_forget(struct nova_service *service, const struct files_node *file)
{
        for (struct piece *piece = pieces; piece < pieces + piece_count; piece++)
                if (piece->file == file)
                        drop(service, piece);
}
