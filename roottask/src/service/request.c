/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions by which handlers read a request and fill in its answer. */
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "nova/utcb.h"
#include "novart/guard.h"

static struct service_cpu *cpu_of(const struct nova_request *request)
{
        return request->service->cpu[request->cpu];
}

nova_sel_t nova_request_take(struct nova_request *request)
{
        if (!request->item || request->taken)
                return NOVA_SEL_NONE;
        request->taken = true;
        return cpu_of(request)->window;
}

/* Returns the number of further words for which the answer has room. NOVA_MESSAGE_WORDS excludes
 * the errno value. Each range that the answer may delegate takes two words. */
static unsigned room(const struct nova_request *request)
{
        return (unsigned)NOVA_MESSAGE_WORDS - 2 * NOVA_REQUEST_GIVES - request->answer_count;
}

bool nova_request_answer(struct nova_request *request, nova_word_t word)
{
        if (!room(request))
                return false;
        request->answer[request->answer_count++] = word;
        return true;
}

bool nova_request_answer_bytes(struct nova_request *request, const void *bytes, size_t size)
{
        if (size > NOVA_MESSAGE_BYTES(room(request)))
                return false;

        const unsigned words = (unsigned)NOVA_WORDS_OF(size);

        if (words)
                request->answer[request->answer_count + words - 1] = 0;
        memcpy(&request->answer[request->answer_count], bytes, size);
        request->answer_count += words;
        return true;
}

bool nova_request_give(struct nova_request *request, nova_crd_t crd)
{
        if (request->give_count == NOVA_REQUEST_GIVES)
                return false;
        __atomic_store_n(&cpu_of(request)->giving, true, __ATOMIC_SEQ_CST);
        request->give[request->give_count++] = crd;
        return true;
}

const void *nova_request_bytes(const struct nova_request *request, unsigned first, size_t size)
{
        if (first > request->word_count || size > NOVA_MESSAGE_BYTES(request->word_count - first))
                return NULL;
        return &request->word[first];
}

bool nova_request_text(const struct nova_request *request, unsigned first, char *text, size_t size)
{
        if (first > request->word_count)
                return false;

        const char *from = (const char *)&request->word[first];
        const size_t max = NOVA_MESSAGE_BYTES(request->word_count - first);
        const size_t length = strnlen(from, max);

        if (length >= size)
                return false;
        memcpy(text, from, length);
        text[length] = 0;
        return true;
}

size_t nova_request_share_bytes(const struct nova_request *request)
{
        const struct session *session = cpu_of(request)->session;

        return session ? (size_t)session->share_pages * NOVA_PAGE_SIZE : 0;
}

void *nova_request_share_hold(const struct nova_request *request)
{
        struct session *const session = cpu_of(request)->session;

        if (!session || !session->share)
                return NULL;
        session->share_held = true;
        return session->share;
}

/* Returns the address of a range of the shared memory, or NULL if the range is not inside the
 * memory. */
static char *share_range(const struct nova_request *request, size_t offset, size_t bytes)
{
        const size_t all = nova_request_share_bytes(request);

        if (offset > all || bytes > all - offset || !all)
                return NULL;
        return (char *)cpu_of(request)->session->share + offset;
}

int nova_request_share_read(const struct nova_request *request, size_t offset, void *to,
                            size_t bytes)
{
        const char *from = share_range(request, offset, bytes);

        return from ? nova_copy_guarded(to, from, bytes) : EINVAL;
}

int nova_request_share_write(const struct nova_request *request, size_t offset, const void *from,
                             size_t bytes)
{
        char *to = share_range(request, offset, bytes);

        return to ? nova_copy_guarded(to, from, bytes) : EINVAL;
}
