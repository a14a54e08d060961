/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile VMM: it makes every ultracall with wrong parameters, in each state of its VM, and moves
 * pages that it has changed, exchanged or kept. Afterwards the secure guest has the right data, or
 * has ended. */
#include <errno.h>
#include <string.h>

#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/thread.h"

#include "../runtime/tap.h"
#include "content.h"
#include "monitor.h"

#define PAGE  4096u
#define ORDER NOVA_UV_ORDER_PAGE
#define AREA  0x400000u          /* pages of the guest that the tests use */
#define BLOCK (AREA + 16 * PAGE) /* block of two pages */
#define SPARE 0x600000u          /* pages of the monitor's memory that receive them */
#define WHOLE 0x700000u          /* page in a block of 2 MiB that no other test moves out */
#define CODE  0x200000u          /* a page of the sealed image */
#define LEFT  0x640000u          /* a page that the monitor has written to before UV_ESM */

static struct nova_uv *const uv = &secure.uv;
static struct nova_uv unknown; /* same session, but a number that no VM has */

static char *normal(uint64_t offset)
{
        return (char *)vm.memory.base + offset;
}

/* Makes a call of the ultravisor to the library, through the portal of virtual CPU 1, which never
 * runs. @return the answer's status */
static int ask(enum nova_h_call number, nova_word_t first, nova_word_t second, nova_word_t third)
{
        const nova_word_t words[] = {number, first, second, third, 0};
        struct nova_utcb *const utcb = nova_thread_utcb();
        nova_word_t status = 1;

        nova_utcb_set_windows(utcb, 0, 0);
        nova_utcb_clear(utcb);
        nova_utcb_put_words(utcb, words, 5);
        if (nova_call(secure.portal[1], 0) != NOVA_SUCCESS || !nova_utcb_get(utcb, 0, &status))
                return 1;
        return (int)status;
}

static void before_init_start(void)
{
        check(ask(NOVA_H_SVM_INIT_START, 0, 0, 0) == NOVA_H_UNSUPPORTED,
              "H_SVM_INIT_START is unsupported outside of UV_ESM");
        check(ask(NOVA_H_SVM_INIT_DONE, 0, 0, 0) == NOVA_H_UNSUPPORTED &&
                      ask(NOVA_H_SVM_INIT_ABORT, 1, 0, 0) == NOVA_H_UNSUPPORTED &&
                      ask(NOVA_H_SVM_PAGE_IN, AREA, 0, ORDER) == NOVA_H_UNSUPPORTED &&
                      ask(NOVA_H_SVM_PAGE_OUT, AREA, 0, ORDER) == NOVA_H_UNSUPPORTED,
              "the calls that follow H_SVM_INIT_START are unsupported before it");
        check(ask(NOVA_H_SVM_INIT_ABORT, 0, 0, 0) == NOVA_H_PARAMETER &&
                      ask(NOVA_H_SVM_INIT_ABORT, (nova_word_t)(UINT64_C(1) << 32), 0, 0) ==
                              NOVA_H_PARAMETER,
              "H_SVM_INIT_ABORT without an error is H_PARAMETER");
}

static void after_init_done(void)
{
        const nova_word_t end = vm.memory.bytes;

        check(ask(NOVA_H_SVM_INIT_START, 0, 0, 0) == NOVA_H_UNSUPPORTED &&
                      ask(NOVA_H_SVM_INIT_DONE, 0, 0, 0) == NOVA_H_UNSUPPORTED &&
                      ask(NOVA_H_SVM_INIT_ABORT, 1, 0, 0) == NOVA_H_UNSUPPORTED &&
                      nova_secure_is_secure(&secure),
              "the calls of UV_ESM are unsupported after it");
        check(ask(NOVA_H_SVM_PAGE_IN, AREA + 1, 3, 0) == NOVA_H_PARAMETER &&
                      ask(NOVA_H_SVM_PAGE_IN, end, 3, 0) == NOVA_H_PARAMETER &&
                      ask(NOVA_H_SVM_PAGE_IN, AREA, 0, ORDER) == NOVA_H_PARAMETER,
              "H_SVM_PAGE_IN of an invalid page, or of one that is in, is H_PARAMETER");
        check(ask(NOVA_H_SVM_PAGE_IN, AREA, 3, 0) == NOVA_H_P2 &&
                      ask(NOVA_H_SVM_PAGE_IN, AREA, 4, 0) == NOVA_H_P2,
              "H_SVM_PAGE_IN with wrong flags is H_P2");
        check(ask(NOVA_H_SVM_PAGE_IN, AREA, 0, ORDER - 1) == NOVA_H_P3 &&
                      ask(NOVA_H_SVM_PAGE_IN, AREA, 0, ORDER + 1) == NOVA_H_P3,
              "H_SVM_PAGE_IN with an order that is not a page's is H_P3");
        check(ask(NOVA_H_SVM_PAGE_OUT, AREA + 1, 1, 0) == NOVA_H_PARAMETER &&
                      ask(NOVA_H_SVM_PAGE_OUT, end, 1, 0) == NOVA_H_PARAMETER,
              "H_SVM_PAGE_OUT of an invalid page is H_PARAMETER");
        check(ask(NOVA_H_SVM_PAGE_OUT, AREA, 1, 0) == NOVA_H_P2,
              "H_SVM_PAGE_OUT with flags is H_P2");
        check(ask(NOVA_H_SVM_PAGE_OUT, AREA, 0, ORDER - 1) == NOVA_H_P3 &&
                      ask(NOVA_H_SVM_PAGE_OUT, AREA, 0, ORDER + 1) == NOVA_H_P3,
              "H_SVM_PAGE_OUT with an order that is not a page's is H_P3");
        guest(PROBE_WRITE, AREA, 0x12345678);
        check(ask(NOVA_H_SVM_PAGE_OUT, AREA, 0, ORDER) == NOVA_H_SUCCESS &&
                      nova_uv_page_out(uv, SPARE, AREA, 0, ORDER) == NOVA_U_P3 &&
                      guest(PROBE_READ, AREA, 0) == 0x12345678,
              "H_SVM_PAGE_OUT moves a page to normal memory");
        check(ask(0xef77, 0, 0, 0) == NOVA_H_FUNCTION, "another call is H_FUNCTION");
}

/* Makes an ultracall with a first parameter that does not fit into the field of struct nova_uv. */
static enum nova_u_status call_wide(unsigned number, nova_word_t lpid)
{
        const nova_word_t words[] = {number, lpid, 0, PAGE, 0, 0};
        nova_word_t answer = 0;
        struct nova_message message = {.operation = NOVA_ULTRAVISOR_CALL,
                                       .words = words,
                                       .word_count = 6,
                                       .answer = &answer,
                                       .answer_max = 1};

        return nova_session_call(uv->session, &message) ? NOVA_U_FUNCTION
                                                        : (enum nova_u_status)(int)answer;
}

static void numbers(void)
{
        check(call_wide(NOVA_UV_WRITE_PATE, 0x10000) == NOVA_U_PARAMETER &&
                      call_wide(NOVA_UV_WRITE_PATE, UINT64_C(1) << 32 | uv->lpid) ==
                              NOVA_U_PARAMETER &&
                      call_wide(NOVA_UV_SVM_TERMINATE, 0x10000 | uv->lpid) == NOVA_U_PARAMETER,
              "UV_WRITE_PATE: the number of a VM has 16 bits");
        check(call_wide(NOVA_UV_WRITE_PATE, 100) == NOVA_U_SUCCESS &&
                      call_wide(NOVA_UV_WRITE_PATE, 101) == NOVA_U_BUSY &&
                      call_wide(NOVA_UV_WRITE_PATE, 100) == NOVA_U_SUCCESS,
              "UV_WRITE_PATE: a third VM of a session is U_BUSY");
}

static void before_pate(void)
{
        const uint64_t bytes = vm.memory.bytes;
        const struct nova_uv wrong = {uv->session, 7};

        unknown = wrong;
        check(nova_uv_write_pate(&wrong, 1, PAGE) == NOVA_U_P2 &&
                      nova_uv_write_pate(&wrong, bytes, PAGE) == NOVA_U_P2,
              "UV_WRITE_PATE: dw0 is a page of the normal memory");
        check(nova_uv_write_pate(&wrong, 0, 0) == NOVA_U_P3 &&
                      nova_uv_write_pate(&wrong, 0, 5) == NOVA_U_P3 &&
                      nova_uv_write_pate(&wrong, PAGE, bytes) == NOVA_U_P3 &&
                      nova_uv_write_pate(&wrong, 0, UINT64_MAX - PAGE + 1) == NOVA_U_P3,
              "UV_WRITE_PATE: dw1 is a size in the normal memory");
        check(nova_uv_page_out(&wrong, SPARE, AREA, 0, ORDER) == NOVA_U_PARAMETER &&
                      nova_uv_page_in(&wrong, SPARE, AREA, 0, ORDER) == NOVA_U_PARAMETER &&
                      nova_uv_page_inval(&wrong, AREA, ORDER) == NOVA_U_PARAMETER &&
                      nova_uv_register_mem_slot(&wrong, 0, PAGE, 0, 0) == NOVA_U_PARAMETER &&
                      nova_uv_unregister_mem_slot(&wrong, 0) == NOVA_U_PARAMETER &&
                      nova_uv_svm_terminate(&wrong) == NOVA_U_PARAMETER,
              "a number without a VM is invalid in each ultracall");
}

static void normal_vm(void)
{
        check(nova_uv_state(uv) == NOVA_UV_NORMAL && !nova_uv_is_secure(uv), "the VM is normal");
        check(nova_uv_page_out(uv, SPARE, AREA, 0, ORDER) == NOVA_U_PARAMETER &&
                      nova_uv_page_in(uv, SPARE, AREA, 0, ORDER) == NOVA_U_PARAMETER &&
                      nova_uv_page_inval(uv, AREA, ORDER) == NOVA_U_PARAMETER &&
                      nova_uv_register_mem_slot(uv, 0, PAGE, 0, 0) == NOVA_U_PARAMETER &&
                      nova_uv_unregister_mem_slot(uv, 0) == NOVA_U_PARAMETER,
              "the number of a normal VM is invalid in each ultracall for secure memory");
        check(nova_uv_svm_terminate(uv) == NOVA_U_INVALID, "a normal VM cannot be terminated");
        check(nova_uv_write_pate(uv, PAGE, PAGE) == NOVA_U_SUCCESS &&
                      nova_uv_write_pate(uv, 0, vm.memory.bytes) == NOVA_U_SUCCESS,
              "the entry of a normal VM can change");
        check(nova_uv_call(uv, 0xf000, 0, 0, 0, 0) == NOVA_U_FUNCTION &&
                      nova_uv_call(uv, 0, 0, 0, 0, 0) == NOVA_U_FUNCTION,
              "an unknown ultracall is refused");
        check(nova_uv_return(uv) == NOVA_U_INVALID &&
                      nova_uv_call(uv, NOVA_UV_SHARE_PAGE, 1, 0, 0, 0) == NOVA_U_INVALID &&
                      nova_uv_call(uv, NOVA_UV_UNSHARE_PAGE, 1, 0, 0, 0) == NOVA_U_INVALID &&
                      nova_uv_call(uv, NOVA_UV_UNSHARE_ALL_PAGES, 0, 0, 0, 0) == NOVA_U_INVALID &&
                      nova_uv_call(uv, NOVA_UV_ESM, 0, 0, 0, 0) == NOVA_U_INVALID,
              "ultracalls of a guest are invalid for a VMM");
        check(nova_uv_kick(uv, 0) == EINVAL && nova_uv_start(uv, 0, 8) == EINVAL &&
                      nova_uv_reset(uv, 0) == EINVAL,
              "a normal VM has no secure virtual CPU");
}

/* Writes to the monitor's side of a page of the image, and compares a page that only the monitor
 * has written to. @param code first word of the sealed page */
static void slot_is_secure(uint32_t code)
{
        memcpy(normal(CODE), "left", 4);
        check(guest(PROBE_READ, CODE, 0) == code && guest(PROBE_READ, LEFT, 0) == 0 &&
                      guest(PROBE_WRITE, LEFT, 0x77777777) == 0 &&
                      guest(PROBE_READ, LEFT, 0) == 0x77777777 && !memcmp(normal(LEFT), "left", 4),
              "its memory slot is in secure memory, apart from what its VMM writes there");
        memcpy(normal(CODE), &code, sizeof(code));
}

static void slots(void)
{
        const uint64_t end = vm.memory.bytes;

        check(nova_uv_register_mem_slot(uv, end + 1, PAGE, 0, 1) == NOVA_U_P2 &&
                      nova_uv_register_mem_slot(uv, UINT64_C(1) << 38, PAGE, 0, 1) == NOVA_U_P2,
              "UV_REGISTER_MEM_SLOT: a slot begins at a page below 2^38");
        check(nova_uv_register_mem_slot(uv, end, 0, 0, 1) == NOVA_U_P3 &&
                      nova_uv_register_mem_slot(uv, end, 5, 0, 1) == NOVA_U_P3 &&
                      nova_uv_register_mem_slot(uv, end - PAGE, 2 * PAGE, 0, 1) == NOVA_U_P3 &&
                      nova_uv_register_mem_slot(uv, end, UINT64_MAX - PAGE + 1, 0, 1) == NOVA_U_P3,
              "UV_REGISTER_MEM_SLOT: the size is of whole pages, without overlap or wrap");
        check(nova_uv_register_mem_slot(uv, end, PAGE, 1, 1) == NOVA_U_P4,
              "UV_REGISTER_MEM_SLOT: no flag is defined");
        check(nova_uv_register_mem_slot(uv, end, PAGE, 0, 32) == NOVA_U_P5 &&
                      nova_uv_register_mem_slot(uv, end, PAGE, 0, 0) == NOVA_U_P5,
              "UV_REGISTER_MEM_SLOT: the slot's number is free and below 32");
        check(nova_uv_register_mem_slot(&unknown, end, 4 * PAGE, 0, 31) == NOVA_U_PARAMETER &&
                      nova_uv_register_mem_slot(uv, end, 4 * PAGE, 0, 31) == NOVA_U_SUCCESS &&
                      guest(PROBE_WRITE, (uint32_t)end + PAGE, 77) == 0 &&
                      guest(PROBE_READ, (uint32_t)end + PAGE, 0) == 77,
              "a running guest uses memory that is added");
        check(nova_uv_unregister_mem_slot(&unknown, 31) == NOVA_U_PARAMETER &&
                      nova_uv_unregister_mem_slot(uv, 31) == NOVA_U_SUCCESS,
              "memory can be removed");
        check(nova_uv_unregister_mem_slot(uv, 31) == NOVA_U_P2 &&
                      nova_uv_unregister_mem_slot(uv, 32) == NOVA_U_P2,
              "memory can be removed once");
        check(nova_uv_register_mem_slot(uv, end, 4 * PAGE, 0, 31) == NOVA_U_SUCCESS &&
                      guest(PROBE_READ, (uint32_t)end + PAGE, 0) == 0 &&
                      nova_uv_unregister_mem_slot(uv, 31) == NOVA_U_SUCCESS,
              "memory that comes back is empty");
}

/* Tests the parameters of UV_PAGE_OUT. In the functions *_parameters(), each refused call has one
 * bad parameter. The last call has only right parameters, and succeeds. */
static void out_parameters(uint64_t end)
{
        check(nova_uv_page_out(uv, 1, AREA, 0, ORDER) == NOVA_U_P2 &&
                      nova_uv_page_out(uv, end, AREA, 0, ORDER) == NOVA_U_P2 &&
                      nova_uv_page_out(uv, SPARE, AREA + 1, 0, ORDER) == NOVA_U_P3 &&
                      nova_uv_page_out(uv, SPARE, end, 0, ORDER) == NOVA_U_P3 &&
                      nova_uv_page_out(uv, SPARE, AREA, 2, ORDER) == NOVA_U_P4 &&
                      nova_uv_page_out(uv, SPARE, AREA, 0, ORDER - 1) == NOVA_U_P5 &&
                      nova_uv_page_out(uv, SPARE, AREA, 0, ORDER + 1) == NOVA_U_P5,
              "UV_PAGE_OUT: each parameter is checked");
        check(nova_uv_page_out(&unknown, SPARE, AREA, 0, ORDER) == NOVA_U_PARAMETER &&
                      nova_uv_page_out(uv, SPARE, AREA, 0, ORDER) == NOVA_U_SUCCESS,
              "UV_PAGE_OUT: with all of them right, the page goes out");
}

/* Tests the parameters of UV_PAGE_IN while the page at AREA is out. */
static void in_parameters(uint64_t end)
{
        guest(PROBE_WRITE, AREA + PAGE, 1);
        check(nova_uv_page_in(uv, SPARE + PAGE, AREA + PAGE, 0, ORDER) == NOVA_U_P3 &&
                      guest(PROBE_READ, AREA + PAGE, 0) == 1,
              "the VMM cannot share a secure page");
        check(nova_uv_page_out(uv, SPARE + PAGE, AREA + PAGE, 0, ORDER) == NOVA_U_SUCCESS &&
                      nova_uv_page_in(uv, 1, AREA, 0, ORDER) == NOVA_U_P2 &&
                      nova_uv_page_in(uv, end, AREA, 0, ORDER) == NOVA_U_P2 &&
                      nova_uv_page_in(uv, end - PAGE, AREA, 0, ORDER + 1) == NOVA_U_P2 &&
                      nova_uv_page_in(uv, SPARE, AREA + 1, 0, ORDER) == NOVA_U_P3 &&
                      nova_uv_page_in(uv, SPARE, end, 0, ORDER) == NOVA_U_P3 &&
                      nova_uv_page_in(uv, SPARE, end - PAGE, 0, ORDER + 1) == NOVA_U_P3 &&
                      nova_uv_page_in(uv, SPARE, AREA, 8, ORDER) == NOVA_U_P4 &&
                      nova_uv_page_in(uv, SPARE, AREA, 0, ORDER - 1) == NOVA_U_P5 &&
                      nova_uv_page_in(uv, SPARE, AREA, 0, 22) == NOVA_U_P5 &&
                      nova_uv_page_in(uv, SPARE, AREA, 0, UINT64_MAX) == NOVA_U_P5,
              "UV_PAGE_IN: each parameter is checked");
        check(nova_uv_page_in(&unknown, SPARE, AREA, 0, ORDER) == NOVA_U_PARAMETER &&
                      nova_uv_page_in(uv, SPARE, AREA, 0, ORDER) == NOVA_U_SUCCESS &&
                      nova_uv_page_in(uv, SPARE + PAGE, AREA + PAGE, 0, ORDER) == NOVA_U_SUCCESS,
              "UV_PAGE_IN: with all of them right, the pages come in");
}

/* Tests the parameters of UV_PAGE_INVAL while the page at @p at is shared and mapped. */
static void inval_parameters(uint64_t at)
{
        check(nova_uv_page_inval(uv, at + 1, ORDER) == NOVA_U_P2 &&
                      nova_uv_page_inval(uv, AREA, ORDER) == NOVA_U_P2 &&
                      nova_uv_page_inval(uv, vm.memory.bytes, ORDER) == NOVA_U_P2 &&
                      nova_uv_page_inval(uv, at, ORDER - 1) == NOVA_U_P3 &&
                      nova_uv_page_inval(uv, at, 22) == NOVA_U_P3 &&
                      nova_uv_page_inval(uv, at, UINT64_MAX) == NOVA_U_P3,
              "UV_PAGE_INVAL: each parameter is checked, and secure pages are refused");
        check(nova_uv_page_inval(&unknown, at, ORDER) == NOVA_U_PARAMETER &&
                      nova_uv_page_inval(uv, at, ORDER) == NOVA_U_SUCCESS,
              "UV_PAGE_INVAL: with all of them right, the VMM takes the page back");
}

static void parameters(void)
{
        const uint64_t end = vm.memory.bytes;

        check(nova_uv_write_pate(uv, 0, PAGE) == NOVA_U_PERMISSION,
              "UV_WRITE_PATE: the entry of a secure VM does not change");
        out_parameters(end);
        in_parameters(end);
}

/* Moves the guest's page out, or takes a snapshot of it. @return true if all of it is encrypted */
static bool goes_out(unsigned flags, uint32_t word)
{
        content_fill(normal(SPARE));
        return nova_uv_page_out(uv, SPARE, AREA, flags, ORDER) == NOVA_U_SUCCESS &&
               content_is_encrypted(normal(SPARE), word);
}

static void pages(void)
{
        static char old[PAGE];
        char *const copy = normal(SPARE);

        guest(PROBE_WRITE, AREA, 0x11111111);
        check(nova_uv_page_in(uv, SPARE, AREA, 0, ORDER) == NOVA_U_P3,
              "a page that is in cannot be replaced");
        check(goes_out(NOVA_UV_SNAPSHOT, 0x11111111) && guest(PROBE_READ, AREA, 0) == 0x11111111,
              "a snapshot is encrypted, and the page stays");
        check(goes_out(0, 0x11111111), "a page goes out encrypted");
        check(nova_uv_page_out(uv, SPARE, AREA, 0, ORDER) == NOVA_U_P3, "it goes out once");
        memcpy(old, copy, PAGE);
        copy[77] ^= 1;
        check(nova_uv_page_in(uv, SPARE, AREA, 0, ORDER) == NOVA_U_PERMISSION,
              "a page with a changed bit is refused");
        copy[77] ^= 1;
        check(nova_uv_page_in(uv, SPARE, AREA, 0, ORDER) == NOVA_U_SUCCESS &&
                      guest(PROBE_READ, AREA, 0) == 0x11111111,
              "the right page comes back");
        guest(PROBE_WRITE, AREA, 0x22222222);
        check(goes_out(0, 0x22222222), "it goes out again, encrypted");
        memcpy(normal(SPARE + PAGE), old, PAGE);
        check(nova_uv_page_in(uv, SPARE + PAGE, AREA, 0, ORDER) == NOVA_U_PERMISSION,
              "an older version is refused");
        guest(PROBE_WRITE, AREA + PAGE, 0x22222222);
        check(nova_uv_page_out(uv, SPARE + PAGE, AREA + PAGE, 0, ORDER) == NOVA_U_SUCCESS &&
                      nova_uv_page_in(uv, SPARE + PAGE, AREA, 0, ORDER) == NOVA_U_PERMISSION &&
                      nova_uv_page_in(uv, SPARE, AREA + PAGE, 0, ORDER) == NOVA_U_PERMISSION,
              "two pages cannot be exchanged");
        memcpy(normal(AREA), copy, PAGE); /* the place from which the library returns the page */
        check(nova_uv_page_in(uv, SPARE + PAGE, AREA + PAGE, 0, ORDER) == NOVA_U_SUCCESS &&
                      guest(PROBE_READ, AREA + PAGE, 0) == 0x22222222 &&
                      guest(PROBE_READ, AREA, 0) == 0x22222222,
              "the guest gets a page back when it reads it");
}

/* Tests a write of the ultravisor to a page with a snapshot. After a snapshot the page is mapped
 * read-only. The ultravisor's own write outdates the snapshot, and the guest's next write needs a
 * new mapping. */
static void snapshot_and_port(void)
{
        check(guest(PROBE_WRITE, WHOLE, 7) == 0 &&
                      nova_uv_page_out(uv, SPARE, WHOLE, NOVA_UV_SNAPSHOT, ORDER) ==
                              NOVA_U_SUCCESS &&
                      guest(PROBE_READ, WHOLE, 0) == 7 && guest(PROBE_STRING, WHOLE + 16, 0) == 0 &&
                      guest(PROBE_READ, WHOLE + 16, 0) == WHOLE + 16 &&
                      guest(PROBE_WRITE, WHOLE, 8) == 0 && guest(PROBE_READ, WHOLE, 0) == 8,
              "a page can be written after its snapshot and an instruction for a port");
}

/* Moves a block of two pages out. UV_PAGE_OUT moves one page. */
static bool move_block_out(void)
{
        return nova_uv_page_out(uv, SPARE, BLOCK, 0, ORDER) == NOVA_U_SUCCESS &&
               nova_uv_page_out(uv, SPARE + PAGE, BLOCK + PAGE, 0, ORDER) == NOVA_U_SUCCESS;
}

/* Tests that UV_PAGE_IN decrypts no block of pages, which would take long. */
static void blocks(void)
{
        guest(PROBE_WRITE, BLOCK, 0x33333333);
        guest(PROBE_WRITE, BLOCK + PAGE, 0x44444444);
        check(nova_uv_page_in(uv, SPARE, BLOCK, 0, ORDER + 1) == NOVA_U_P5 && move_block_out() &&
                      nova_uv_page_in(uv, SPARE, BLOCK, 0, ORDER + 1) == NOVA_U_P5 &&
                      nova_uv_page_in(uv, 0, 0, 0, NOVA_UV_ORDER_MAX) == NOVA_U_P5,
              "UV_PAGE_IN: a block of pages is refused after UV_ESM");
        check(nova_uv_page_in(uv, SPARE, BLOCK, 0, ORDER) == NOVA_U_SUCCESS &&
                      nova_uv_page_in(uv, SPARE + PAGE, BLOCK + PAGE, 0, ORDER) == NOVA_U_SUCCESS &&
                      guest(PROBE_READ, BLOCK, 0) == 0x33333333 &&
                      guest(PROBE_READ, BLOCK + PAGE, 0) == 0x44444444,
              "its pages come back one by one");
}

/* Moves a page out and in again. @return the status of UV_PAGE_IN */
static enum nova_u_status move(uint64_t flags)
{
        if (nova_uv_page_out(uv, SPARE, AREA, 0, ORDER))
                return NOVA_U_BUSY;

        const enum nova_u_status status = nova_uv_page_in(uv, SPARE, AREA, flags, ORDER);

        return status ? status | nova_uv_page_in(uv, SPARE, AREA, 0, ORDER) : status;
}

/* Returns true if @p page has these attributes at its two places. */
static bool has(uint64_t page, unsigned secure_place, unsigned shared_place)
{
        unsigned found[2] = {~0u, ~0u};

        return nova_uv_attributes(uv, page, &found[0], &found[1]) == 0 &&
               found[0] == secure_place && found[1] == shared_place;
}

static void attributes(void)
{
        const unsigned no_cache = NOVA_UV_CACHE_INHIBITED, cache = NOVA_UV_CACHE_ENABLED;
        unsigned unused;

        guest(PROBE_WRITE, AREA, 0x13572468);
        check(move(no_cache) == NOVA_U_SUCCESS && has(AREA, no_cache, 0) &&
                      guest(PROBE_READ, AREA, 0) == 0x13572468,
              "UV_PAGE_IN records CACHE_INHIBITED, and the guest has the page");
        check(move(cache) == NOVA_U_SUCCESS && has(AREA, cache, 0) &&
                      guest(PROBE_READ, AREA, 0) == 0x13572468,
              "UV_PAGE_IN records CACHE_ENABLED, and the guest has the page");
        check(move(cache | no_cache) == NOVA_U_P4 && move(cache | no_cache | 4) == NOVA_U_P4 &&
                      has(AREA, 0, 0) && guest(PROBE_READ, AREA, 0) == 0x13572468,
              "both at once are U_P4, and the page stays out");
        check(move(cache | NOVA_UV_WRITE_PROTECTION) == NOVA_U_SUCCESS &&
                      has(AREA + 1, cache | NOVA_UV_WRITE_PROTECTION, 0) &&
                      guest(PROBE_READ, AREA, 0) == 0x13572468 && move(0) == NOVA_U_SUCCESS &&
                      has(AREA, 0, 0) && guest(PROBE_WRITE, AREA, 1) == 0,
              "a protected page is writable after the next UV_PAGE_IN");
        check(nova_uv_attributes(uv, vm.memory.bytes, &unused, &unused) == EINVAL &&
                      nova_uv_attributes(uv, UINT64_MAX, &unused, &unused) == EINVAL &&
                      nova_uv_attributes(&unknown, AREA, &unused, &unused) == EINVAL,
              "a page outside of the memory, or of an unknown VM, has no attributes");
}

static void not_shared(void)
{
        const uint32_t at = AREA + 4 * PAGE, gfn = at / PAGE;

        check(guest_call(NOVA_UV_UNSHARE_PAGE, 0xffff, 1) == NOVA_U_PARAMETER,
              "UV_UNSHARE_PAGE: a page outside of the memory is U_PARAMETER");
        check(guest_call(NOVA_UV_UNSHARE_PAGE, gfn, 0) == NOVA_U_P2 &&
                      guest_call(NOVA_UV_UNSHARE_PAGE, gfn, 0xffff) == NOVA_U_P2,
              "UV_UNSHARE_PAGE: a number of pages beyond the memory is U_P2");
        guest(PROBE_WRITE, at, 0x33333333);
        check(guest_call(NOVA_UV_UNSHARE_PAGE, gfn, 1) == 0 && guest(PROBE_READ, at, 0) == 0,
              "UV_UNSHARE_PAGE of a page that is secure fills it with zeroes");
}

static void wrong_caller(void)
{
        check(guest_call(NOVA_UV_PAGE_IN, 0, 0) == NOVA_U_FUNCTION &&
                      guest_call(NOVA_UV_PAGE_OUT, 0, 0) == NOVA_U_FUNCTION &&
                      guest_call(NOVA_UV_PAGE_INVAL, 0, 0) == NOVA_U_FUNCTION &&
                      guest_call(NOVA_UV_WRITE_PATE, 0, 0) == NOVA_U_PERMISSION &&
                      guest_call(NOVA_UV_REGISTER_MEM_SLOT, 0, 0) == NOVA_U_PERMISSION &&
                      guest_call(NOVA_UV_UNREGISTER_MEM_SLOT, 0, 0) == NOVA_U_PERMISSION &&
                      guest_call(NOVA_UV_SVM_TERMINATE, 0, 0) == NOVA_U_PERMISSION &&
                      guest_call(NOVA_UV_RETURN, 0, 0) == NOVA_U_INVALID &&
                      guest_call(0xf001, 0, 0) == NOVA_U_FUNCTION,
              "a guest cannot make the ultracalls of a VMM");
}

/* Shares pages that no guest should share. */
static void odd_sharing(void)
{
        check((int)guest(PROBE_FAR, 52, 0) == NOVA_U_PARAMETER &&
                      (int)guest(PROBE_FAR, 39, 0) == NOVA_U_PARAMETER &&
                      (int)guest(PROBE_FAR, 10, 52) == NOVA_U_P2 &&
                      (int)guest(PROBE_FAR, 10, 63) == NOVA_U_P2,
              "no page 2^52, and no 2^52 pages, can be shared");
        check(guest_call(NOVA_UV_SHARE_PAGE, 0, 1) == 0 &&
                      guest(PROBE_WRITE, 16, 0x66666666) == 0 && !memcmp(normal(16), "ffff", 4) &&
                      guest_call(NOVA_UV_UNSHARE_PAGE, 0, 1) == 0 && guest(PROBE_READ, 16, 0) == 0,
              "page 0 can be shared");
}

/* Makes the guest call hypercalls that only the ultravisor may call. */
static void calls_of_a_vmm(void)
{
        check(guest_call(NOVA_H_SVM_INIT_DONE, 0, 0) == NOVA_H_UNSUPPORTED &&
                      guest_call(NOVA_H_SVM_INIT_START, 0, 0) == NOVA_H_UNSUPPORTED &&
                      guest_call(NOVA_H_SVM_PAGE_IN, 0, 0) == NOVA_H_UNSUPPORTED &&
                      guest_call(NOVA_H_SVM_PAGE_OUT, 0, 0) == NOVA_H_UNSUPPORTED &&
                      nova_secure_is_secure(&secure),
              "the ultravisor's calls to a VMM are unsupported for a guest");
}

/* Takes a shared page back with the page after it, and with more pages. */
static void inval_block(uint32_t at)
{
        check(nova_uv_page_inval(uv, at, ORDER + 2) == NOVA_U_P2 &&
                      nova_uv_page_inval(uv, at + PAGE, ORDER) == NOVA_U_P2 &&
                      guest(PROBE_READ, at, 0) == 0 && guest(PROBE_READ, at + PAGE, 0) == 0 &&
                      nova_uv_page_inval(uv, at, ORDER + 1) == NOVA_U_SUCCESS &&
                      nova_uv_page_inval(uv, at, ORDER) == NOVA_U_P2 &&
                      nova_uv_page_inval(uv, at + PAGE, ORDER) == NOVA_U_P2 &&
                      guest(PROBE_READ, at, 0) == 0 && guest(PROBE_READ, at + PAGE, 0) == 0,
              "UV_PAGE_INVAL of a block takes back its pages up to the first private one");
}

/* Tests UV_PAGE_OUT of a shared page to which the guest has written a word. */
static void out_of_shared(uint32_t at)
{
        content_fill(normal(SPARE));
        check(nova_uv_page_out(uv, SPARE, at, 0, ORDER) == NOVA_U_SUCCESS &&
                      content_stays(normal(SPARE)) && !memcmp(normal(at), "DDDD", 4) &&
                      guest(PROBE_READ, at, 0) == 0x44444444,
              "UV_PAGE_OUT of a shared page does nothing");
}

static void sharing(void)
{
        const uint32_t at = AREA + 4 * PAGE, gfn = at / PAGE;

        wrong_caller();
        odd_sharing();
        check(guest(PROBE_USER, 0, 0) == 1, "an ultracall from user mode raises #UD");
        check(guest_call(0x300, 0, 0) == NOVA_H_SUCCESS, "H_RANDOM is answered");
        check(guest_call(0x123, 0, 0) == NOVA_H_FUNCTION,
              "the monitor answers another hypercall, which it does not know");
        calls_of_a_vmm();
        check(guest_call(NOVA_UV_SHARE_PAGE, 0xffff, 1) == NOVA_U_PARAMETER &&
                      guest_call(NOVA_UV_SHARE_PAGE, gfn, 0) == NOVA_U_P2 &&
                      guest_call(NOVA_UV_SHARE_PAGE, gfn, 0xffff) == NOVA_U_P2,
              "UV_SHARE_PAGE: each parameter is checked");
        guest(PROBE_WRITE, at, 0x33333333);
        check(guest_call(NOVA_UV_SHARE_PAGE, gfn, 2) == 0 && guest(PROBE_READ, at, 0) == 0,
              "a page that is shared is zero for the guest");
        guest(PROBE_WRITE, at, 0x44444444);
        check(!memcmp(normal(at), "DDDD", 4), "both see what the guest writes to it");
        memcpy(normal(at + PAGE), "abcd", 4);
        check(guest(PROBE_READ, at + PAGE, 0) == 0, "sharing it the first time clears it");
        memcpy(normal(at + PAGE), "abcd", 4);
        check(guest(PROBE_READ, at + PAGE, 0) == 0x64636261, "and what the VMM writes to it");
        out_of_shared(at);
        inval_parameters(at);
        check(nova_uv_page_inval(uv, at, ORDER) == NOVA_U_P2 && guest(PROBE_READ, at, 0) == 0,
              "the guest gets it once more when it reads it");
        inval_block(at);
        check(guest_call(NOVA_UV_UNSHARE_PAGE, gfn, 1) == 0 && guest(PROBE_READ, at, 0) == 0,
              "a page is private again, and zero");
        guest(PROBE_WRITE, at, 0x55555555);
        check(memcmp(normal(at), "UUUU", 4) != 0, "the VMM sees it no longer");
        check(guest_call(NOVA_UV_UNSHARE_ALL_PAGES, 0, 0) == 0 &&
                      guest(PROBE_READ, at, 0) == 0x55555555 &&
                      guest(PROBE_READ, at + PAGE, 0) == 0,
              "UV_UNSHARE_ALL_PAGES takes back what is shared, nothing else");
        check(guest_call(NOVA_UV_ESM, 0, 0) == 0, "UV_ESM of a secure guest succeeds");
}

/* Creates the machine, and lets its guest become secure. @return false if that failed */
static bool start(void)
{
        const uint8_t cpus[] = {(uint8_t)nova_thread_cpu(), (uint8_t)nova_thread_cpu()};
        const struct nova_vm_config config = {
                .name = "probe", .local_apic = true, .vcpus = 2, .cpus = cpus};

        if (!monitor_create(config))
                return false;
        before_pate();
        normal_vm();
        numbers();
        before_init_start();

        const bool was_secure = nova_uv_is_secure(uv);
        const uint32_t code = *(const uint32_t *)normal(CODE);

        memcpy(normal(LEFT), "left", 4);
        if (nova_vm_run(&vm))
                return false;
        check(guest(PROBE_READ, CODE, 0) && nova_secure_is_secure(&secure) && !was_secure &&
                      nova_uv_is_secure(uv),
              "the guest is secure");
        slot_is_secure(code);
        return true;
}

int main(void)
{
        unsigned unused;

        if (!start())
                return 1;
        after_init_done();
        parameters();
        slots();
        pages();
        snapshot_and_port();
        blocks();
        attributes();
        not_shared();
        sharing();
        guest(PROBE_WRITE, AREA + 8 * PAGE, 0x5ec2e7a1);
        check(!content_has(normal(0), vm.memory.bytes, 0x5ec2e7a1),
              "the monitor finds no word of the guest");
        check(nova_uv_start(uv, 0, 8) == EPERM && nova_uv_reset(uv, 0) == EPERM &&
                      nova_uv_start(uv, 2, 8) == EINVAL,
              "a virtual CPU starts only if the guest requests it");
        check(nova_uv_svm_terminate(&unknown) == NOVA_U_PARAMETER && nova_uv_is_secure(uv) &&
                      nova_uv_svm_terminate(uv) == NOVA_U_SUCCESS,
              "UV_SVM_TERMINATE ends it");
        check(nova_uv_svm_terminate(uv) == NOVA_U_INVALID && !nova_uv_is_secure(uv), "once");
        check(nova_uv_attributes(uv, AREA, &unused, &unused) == EINVAL,
              "a normal VM has no attributes of pages");
        /* The machine stays: the handler of the guest's last exit never runs again, and holds the
         * machine's lock. */
        return tap_end();
}
