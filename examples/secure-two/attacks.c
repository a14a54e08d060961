/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks by ultracalls: numbers of other VMs, and pages that come back changed. */
#include <stdio.h>
#include <string.h>

#include <nova/hypercall.h>

#include "hostile.h"

#define FIRST 1      /* number of the first VMM's guest */
#define NO_VM 0xffff /* a number that no VM has */

#define CIPHERTEXTS 3 /* number of ciphertexts of each page, for attack_nonce() */

#define ANY_VERSION 0xff0000u

static uint8_t kept[PAGE_BYTES];

static void keep(uint32_t place)
{
        memcpy(kept, normal + place, PAGE_BYTES);
}

static void put_back(uint32_t place)
{
        memcpy(normal + place, kept, PAGE_BYTES);
}

/* Puts the right page back, and lets the guest check it. */
static void repair(uint32_t number, uint32_t place)
{
        outcome("puts the right page back", in(number, place), NOVA_U_SUCCESS);
        outcome_is("The guest finds its page unchanged", task(number) == RESULT_RIGHT);
}

/* Makes each ultracall with a VM's number. Returns the first status other than U_PARAMETER, if
 * any. */
static enum nova_u_status call_all(uint16_t lpid)
{
        static const unsigned calls[] = {NOVA_UV_REGISTER_MEM_SLOT, NOVA_UV_UNREGISTER_MEM_SLOT,
                                         NOVA_UV_PAGE_IN,           NOVA_UV_PAGE_OUT,
                                         NOVA_UV_PAGE_INVAL,        NOVA_UV_SVM_TERMINATE};
        const struct nova_uv other = {uv.session, lpid};

        for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
                const enum nova_u_status status =
                        nova_uv_call(&other, calls[i], 0, PAGE_BYTES, 0, NOVA_UV_ORDER_PAGE);

                if (status != NOVA_U_PARAMETER)
                        return status;
        }
        return NOVA_U_PARAMETER;
}

void attack_lpid(void)
{
        const struct nova_uv first = {uv.session, FIRST};

        outcome("makes each ultracall for the first VMM's guest", call_all(FIRST),
                NOVA_U_PARAMETER);
        outcome("makes each ultracall for a VM that does not exist", call_all(NO_VM),
                NOVA_U_PARAMETER);
        outcome("asks for UV_ESM of the first VMM's guest", nova_uv_esm(&first, BLOB, PARAMS),
                NOVA_U_INVALID);
}

void attack_normal(void)
{
        outcome("registers memory of its guest before the guest is secure",
                nova_uv_register_mem_slot(&uv, 0, MEMORY, 0, 0), NOVA_U_PARAMETER);
        outcome("ends a normal guest by UV_SVM_TERMINATE", nova_uv_svm_terminate(&uv),
                NOVA_U_INVALID);
        begin();
        outcome("changes the entry of a secure guest", nova_uv_write_pate(&uv, 0, PAGE_BYTES),
                NOVA_U_PERMISSION);
        outcome("asks for UV_ESM of a secure guest", nova_uv_esm(&uv, BLOB, PARAMS), NOVA_U_BUSY);
        outcome("removes the memory of the sealed image", nova_uv_unregister_mem_slot(&uv, 0),
                NOVA_U_P2);
        outcome("returns by UV_RETURN", nova_uv_return(&uv), NOVA_U_INVALID);
        outcome("ends its guest", end(), NOVA_U_SUCCESS);
        outcome("ends its guest again", nova_uv_svm_terminate(&uv), NOVA_U_INVALID);
}

void attack_replay(void)
{
        begin();
        out(5, SPARE);
        keep(SPARE);
        in(5, SPARE);
        task(5); /* the guest writes other content to the page */
        out(5, SPARE + PAGE_BYTES);
        put_back(SPARE);
        outcome("puts back an older version of a page", in(5, SPARE), NOVA_U_PERMISSION);
        repair(5, SPARE + PAGE_BYTES);
        end();
}

void attack_bit(void)
{
        begin();
        out(7, SPARE);
        normal[SPARE + 100] ^= 1;
        outcome("puts back a page with one changed bit", in(7, SPARE), NOVA_U_PERMISSION);
        normal[SPARE + 100] ^= 1;
        repair(7, SPARE);
        end();
}

void attack_swap(void)
{
        begin();
        out(1, SPARE);
        out(2, SPARE + PAGE_BYTES);
        outcome("puts back page 2 in place of page 1", in(1, SPARE + PAGE_BYTES),
                NOVA_U_PERMISSION);
        outcome("puts back page 1 in place of page 2", in(2, SPARE), NOVA_U_PERMISSION);
        repair(1, SPARE);
        repair(2, SPARE + PAGE_BYTES);
        end();
}

void attack_order(void)
{
        const uint64_t page = PAGES_AT + 3 * PAGE_BYTES;

        begin();
        out(3, SPARE);
        outcome("puts back a page of 2 KiB", nova_uv_page_in(&uv, SPARE, page, 0, 11), NOVA_U_P5);
        outcome("puts back a page of 4 MiB", nova_uv_page_in(&uv, SPARE, page, 0, 22), NOVA_U_P5);
        outcome("takes a page of 2 MiB out", nova_uv_page_out(&uv, SPARE, page, 0, 21), NOVA_U_P5);
        outcome("uses a flag that does not exist", nova_uv_page_in(&uv, SPARE, page, 8, 12),
                NOVA_U_P4);
        outcome("puts back half a page", nova_uv_page_in(&uv, SPARE + 2048, page, 0, 12),
                NOVA_U_P2);
        outcome("puts a page beyond the guest's memory", nova_uv_page_in(&uv, SPARE, MEMORY, 0, 12),
                NOVA_U_P3);
        outcome("takes a page out that is out", out(3, SPARE + PAGE_BYTES), NOVA_U_P3);
        outcome("puts a page over one that is there", in(4, SPARE), NOVA_U_P3);
        repair(3, SPARE);
        end();
}

void attack_earlier(void)
{
        begin();
        out(9, SPARE);
        keep(SPARE);
        end();
        begin();
        out(9, SPARE + PAGE_BYTES);
        put_back(SPARE);
        outcome("puts back the page of an earlier guest", in(9, SPARE), NOVA_U_PERMISSION);
        repair(9, SPARE + PAGE_BYTES);
        end();
}

void attack_twice(void)
{
        begin();
        out(1, SPARE);
        keep(SPARE);
        out(2, SPARE);
        outcome("uses one place for two pages, and puts back the first", in(1, SPARE),
                NOVA_U_PERMISSION);
        repair(2, SPARE);
        put_back(SPARE + PAGE_BYTES);
        repair(1, SPARE + PAGE_BYTES);
        end();
}

void attack_revoke(void)
{
        begin();
        outcome("names a page outside of the memory that it shares", out(1, MEMORY), NOVA_U_P2);
        outcome("names the last page of the address space",
                nova_uv_page_out(&uv, UINT64_MAX - PAGE_BYTES + 1, PAGES_AT, 0, 12), NOVA_U_P2);
        out(1, SPARE);
        nova_revoke(nova_crd_mem((nova_word_t)(normal + MEMORY) / PAGE_BYTES - 1, 0, NOVA_MEM_RWX),
                    0);
        outcome("takes a page out to a place that it has revoked", out(2, MEMORY - PAGE_BYTES),
                NOVA_U_P2);
        outcome("puts a page back from there", in(1, MEMORY - PAGE_BYTES), NOVA_U_P2);
        repair(1, SPARE);
        outcome_is("The guest keeps the page that was to go there", task(2) == RESULT_RIGHT);
        end();
}

/* Counts the places above the image at which two equal words have a value that the guest writes to
 * its pages. All words of such a page are equal. */
static unsigned find_marks(void)
{
        unsigned found = 0;

        for (uint32_t at = KERNEL + (1u << 20); at < MEMORY - PAGE_BYTES; at += 4) {
                uint32_t word[2];

                memcpy(word, normal + at, sizeof(word));
                found += word[0] == word[1] && !((word[0] - MARK) & ~ANY_VERSION & ~(PAGES - 1));
        }
        return found;
}

void attack_search(void)
{
        static const uint32_t marks[] = {MARK, MARK};
        char sentence[96];
        unsigned found;

        begin();
        for (uint32_t i = 0; i < PAGES; i++)
                out(i, PAGES_AT + i * PAGE_BYTES);
        found = find_marks();
        snprintf(sentence, sizeof(sentence),
                 "It takes %u pages out, and finds their content at %u places of its memory", PAGES,
                 found);
        outcome_is(sentence, !found);
        memcpy(normal + SPARE, marks, sizeof(marks));
        outcome_is("The search finds such content if it is there", find_marks() == 1);
        memset(normal + SPARE, 0, sizeof(marks));
        end();
}

/* Returns true if two ciphertexts have the same key stream, because a nonce was used twice with one
 * key. Then the XOR of the ciphertexts is the XOR of the pages. All words of a page are equal, so
 * all words of the XOR are equal, too. */
static bool have_one_stream(const uint32_t first[4], const uint32_t second[4])
{
        const uint32_t difference = first[0] ^ second[0];

        return (first[1] ^ second[1]) == difference && (first[2] ^ second[2]) == difference &&
               (first[3] ^ second[3]) == difference;
}

/* The ciphertexts of all pages, so far. */
static struct {
        uint32_t beginning[PAGES * CIPHERTEXTS][4];
        unsigned count, repeated;
} ciphertexts;

/* Compares the key stream of the ciphertext in SPARE with those of all earlier ciphertexts. */
static void compare_streams(void)
{
        uint32_t(*const now)[4] = &ciphertexts.beginning[ciphertexts.count];

        memcpy(*now, normal + SPARE, sizeof(*now));
        for (unsigned i = 0; i < ciphertexts.count; i++)
                ciphertexts.repeated += have_one_stream(ciphertexts.beginning[i], *now);
        ciphertexts.count++;
}

/* If a page has not changed since its snapshot, it is taken out with the same ciphertext, and no
 * second key stream is used. So the guest changes each page after its snapshot. */
void attack_nonce(void)
{
        unsigned failed = 0;

        begin();
        for (uint32_t page = 0; page < PAGES; page++) {
                failed += snapshot(page, SPARE) != NOVA_U_SUCCESS;
                compare_streams();
                failed += task(page) != RESULT_RIGHT;
                for (unsigned i = 1; i < CIPHERTEXTS; i++) {
                        failed += out(page, SPARE) != NOVA_U_SUCCESS;
                        compare_streams();
                        failed += in(page, SPARE) != NOVA_U_SUCCESS;
                }
        }
        outcome_is("It makes a snapshot of each of 256 pages, takes it out twice, and no nonce is "
                   "used twice",
                   !ciphertexts.repeated && !failed);
        out(PAGES - 1, SPARE);
        repair(PAGES - 1, SPARE);
        end();
}
