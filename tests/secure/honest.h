/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM without the library, which answers the ultravisor's calls correctly, unless a test's
 * function changes an answer. It drives the guest of guest.c. */
#ifndef NOVA_TESTS_SECURE_HONEST_H
#define NOVA_TESTS_SECURE_HONEST_H

#include <string.h>

#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/page.h"
#include "novart/parent.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "novavmm/secure.h"

#include "drive.h"

#define PAGE       4096u
#define MEMORY     (8u << 20)
#define PARAMS     0x10000u
#define BLOB       0x30000u
#define BLOB_COPY  0x500000u
#define BLOB_BYTES 0x11000u /* room of a blob */
#define KERNEL     0x200000u
#define NO_VECTOR  UINT32_MAX
#define WORDS      508u /* maximum number of words of a message without items */

static struct nova_uv uv;
static struct nova_guest_memory memory;
static struct nova_handler *handler;
static nova_sel_t portal;
static const void *image;
static size_t image_bytes;

static struct nova_semaphore converted = NOVA_SEMAPHORE_INITIALIZER(0);
static enum nova_u_status esm_status;

/* A call of the ultravisor, and the answer to it. */
struct call {
        nova_word_t number, word[4], status, value, more;
        unsigned words;   /* number of words of the answer; 0 means two */
        nova_word_t fill; /* value of words from the fourth on; the last eight get word[0] and
                           * word[1] */
};

/* Changes the memory before it is shared. @return false: that failed. NULL: nothing to do */
static bool (*honest_prepare)(void);

/* Changes a call or its answer. NULL: the VMM is honest */
static void (*honest_attack)(struct call *call);

static nova_word_t honest_port(const nova_word_t word[4])
{
        if (!word[2])
                return drive_read(word[0]);
        if (word[0] == PROBE_RESULT)
                drive_write(word[3]);
        return 0;
}

static nova_word_t honest(struct call *call)
{
        switch (call->number) {
        case NOVA_H_SVM_INIT_START:
                drive_open();
                return (nova_word_t)nova_uv_register_mem_slot(&uv, 0, MEMORY, 0, 0);
        case NOVA_H_SVM_INIT_DONE:
        case NOVA_H_SVM_INIT_ABORT:
                esm_status = call->number == NOVA_H_SVM_INIT_DONE
                                     ? NOVA_U_SUCCESS
                                     : (enum nova_u_status)(int)call->word[0];
                nova_semaphore_up(&converted);
                return 0;
        case NOVA_H_SVM_PAGE_IN:
                if (call->word[1] & NOVA_H_PAGE_IN_NONSHARED)
                        return 0;
                return (nova_word_t)nova_uv_page_in(&uv, call->word[0] % MEMORY, call->word[0], 0,
                                                    call->word[2]);
        case NOVA_H_PORT:
                call->value = honest_port(call->word);
                return 0;
        case NOVA_H_INTERRUPT:
                call->value = NO_VECTOR;
                return 0;
        default:
                return 0;
        }
}

static void honest_serve(nova_sel_t unused, struct nova_utcb *utcb, void *argument)
{
        struct call call = {.words = 0};

        (void)unused;
        (void)argument;
        nova_utcb_get(utcb, 0, &call.number);
        for (unsigned i = 0; i < 4; i++)
                nova_utcb_get(utcb, 1 + i, &call.word[i]);
        if (honest_attack)
                honest_attack(&call);
        if (!call.words)
                call.status = honest(&call);
        nova_utcb_set_windows(utcb, 0, 0);
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, call.status);
        nova_utcb_put(utcb, call.value);
        nova_utcb_put(utcb, call.more);
        for (unsigned i = 3; i < call.words; i++)
                nova_utcb_put(utcb, i < WORDS - 8 ? call.fill : call.word[i & 1]);
}

/* Writes the sealed image to the memory of the normal VM. */
static inline void honest_load(void)
{
        struct nova_utcb_event start;

        nova_sealed_load(&memory, image, image_bytes, &start);
}

/* Loads the image, and makes the ultracall of its guest.
 * @return the status of UV_ESM */
static inline enum nova_u_status honest_become_secure(void)
{
        enum nova_u_status status;

        honest_load();
        status = nova_uv_esm(&uv, BLOB, PARAMS);
        if (!status)
                nova_semaphore_down(&converted);
        return status ? status : esm_status;
}

/* Returns true if UV_ESM begins, and fails with a status. There is a copy of the blob in the free
 * page with the address BLOB_COPY. */
static inline bool honest_is_refused(uint64_t blob, uint64_t params, enum nova_u_status status)
{
        honest_load();
        memcpy(memory.base + BLOB_COPY, memory.base + BLOB, BLOB_BYTES);
        if (nova_uv_esm(&uv, blob, params))
                return false;
        nova_semaphore_down(&converted);
        return esm_status == status;
}

/* Ends the guest. @return the status of UV_SVM_TERMINATE */
static inline enum nova_u_status honest_end(void)
{
        const enum nova_u_status status = nova_uv_svm_terminate(&uv);

        drive_close();
        return status;
}

/* Waits until the ultravisor has ended the guest. @return false if it still runs after @p ms
 * milliseconds */
static inline bool honest_ends(unsigned ms)
{
        for (unsigned i = 0; i < ms && nova_uv_state(&uv) == NOVA_UV_SECURE; i++)
                nova_sleep(1000000);
        return nova_uv_state(&uv) == NOVA_UV_ENDED;
}

/* Ends the guest, and lets an honest VM run and end. @return false: that VM did not run */
static inline bool honest_next_runs(void)
{
        bool runs;

        honest_attack = NULL;
        honest_end();
        runs = honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_READ, KERNEL, 0);
        honest_end();
        return runs;
}

/* Gives pages of the normal memory a mapping of their own, before the memory is shared: a
 * revocation of a part of a mapping takes the whole mapping from the ultravisor. */
static inline void honest_separate(uint32_t at, unsigned order)
{
        nova_revoke(
                nova_crd_mem((nova_word_t)(memory.base + at) >> NOVA_PAGE_BITS, order, NOVA_MEM_X),
                NOVA_REVOKE_SR);
}

/* Opens a session with the ultravisor and enters a normal VM, whose virtual CPU runs on @p cpu. */
static inline bool honest_start_on(uint16_t lpid, nova_word_t cpu)
{
        uv.lpid = lpid;
        nova_session_open_trusting(&uv.session, "ultravisor", NULL);
        portal = nova_sel_alloc(0);
        return uv.session && portal != NOVA_SEL_NONE && drive_init() &&
               !nova_parent_module("sealed.img", &image, &image_bytes) &&
               !nova_guest_memory_create(&memory, MEMORY) &&
               (!honest_prepare || honest_prepare()) &&
               !nova_handler_create(&handler, cpu, "serve", honest_serve, NULL) &&
               !nova_handler_portal(handler, portal, 0) &&
               !nova_session_share(uv.session, memory.base, MEMORY / PAGE) &&
               !nova_uv_write_pate(&uv, 0, MEMORY) && !nova_uv_attach(&uv, 0, cpu, portal);
}

static inline bool honest_start(uint16_t lpid)
{
        return honest_start_on(lpid, nova_thread_cpu());
}

#endif
