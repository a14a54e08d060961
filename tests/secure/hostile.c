/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM without the library, which answers the ultravisor's calls wrongly: late, never, twice, and
 * with more words than the call requests. After each attack an honest VM still runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "novart/time.h"

#include "../runtime/tap.h"
#include "honest.h"

#define FRESH  0x500000u /* page that the guest has not used */
#define FIRST  0x510000u /* places of two ciphertexts */
#define SECOND 0x511000u
#define MORE   (24u << 20) /* more than the secure memory */
#define MS     1000000u
#define WAITS  1000u /* milliseconds */
#define FLOOD  40u

static struct nova_semaphore stalled = NOVA_SEMAPHORE_INITIALIZER(0);
static nova_sel_t never;
static nova_word_t refusal; /* status of keep_page() */
static unsigned attacks;    /* number of calls that the attack under test has seen */
static enum nova_u_status seen;

static enum nova_u_status become(void)
{
        attacks = 0;
        return honest_become_secure();
}

static void end(const char *name)
{
        honest_attack = NULL;
        honest_end();
        check(become() == NOVA_U_SUCCESS && guest(PROBE_READ, KERNEL, 0), name);
        honest_end();
}

static void refuse_start(struct call *call)
{
        if (call->number == NOVA_H_SVM_INIT_START) {
                call->words = 2;
                call->status = (nova_word_t)NOVA_H_UNSUPPORTED;
        }
}

/* Registers half of the image's memory. */
static void halve_slot(struct call *call)
{
        if (call->number != NOVA_H_SVM_INIT_START)
                return;
        call->words = 2;
        call->status = (nova_word_t)nova_uv_register_mem_slot(&uv, 0, MEMORY / 2, 0, 0);
        seen = (enum nova_u_status)(int)call->status;
}

static void refuse_page(struct call *call)
{
        if (call->number == NOVA_H_SVM_PAGE_IN && attacks++ == 20) {
                call->words = 2;
                call->status = (nova_word_t)NOVA_H_PARAMETER;
        }
}

static bool aborted;
static unsigned late; /* calls after the one that says that UV_ESM has failed */

/* Changes a page of the kernel just before it is moved. */
static void change_page(struct call *call)
{
        late += aborted;
        aborted |= call->number == NOVA_H_SVM_INIT_ABORT;
        if (call->number == NOVA_H_SVM_PAGE_IN && call->word[0] == KERNEL)
                memory.base[KERNEL + 5] ^= 1;
}

/* When asked for the kernel's part, provides a page of the start page's part once more. */
static void replace_page(struct call *call)
{
        if (call->number == NOVA_H_SVM_PAGE_IN && call->word[0] == KERNEL)
                seen = nova_uv_page_in(&uv, FRESH, 0x8000, 0, NOVA_UV_ORDER_PAGE);
}

/* Provides a page that belongs to no part. */
static void plant_page(struct call *call)
{
        if (call->number == NOVA_H_SVM_PAGE_IN && call->word[0] == KERNEL)
                seen = nova_uv_page_in(&uv, 0x8000, FRESH, 0, NOVA_UV_ORDER_PAGE);
}

static void take_slot(struct call *call)
{
        if (call->number == NOVA_H_SVM_PAGE_IN && call->word[0] == KERNEL)
                seen = nova_uv_unregister_mem_slot(&uv, 0);
}

/* Provides a page, and says that an interrupt is pending. The ultravisor then asks for the vector
 * before it makes the reply that maps the page. Answers this question with an item's words at the
 * place where the reply has its item. */
static void long_answer(struct call *call)
{
        call->more = call->number == NOVA_H_SVM_PAGE_IN;
        if (call->number != NOVA_H_INTERRUPT)
                return;
        attacks++;
        call->words = WORDS;
        call->status = 0;
        call->value = NO_VECTOR;
        call->word[0] = nova_crd_mem(0x400, 0, NOVA_MEM_RWX); /* a page of the ultravisor */
        call->word[1] = (nova_word_t)((UINT64_C(1) << 39 | FRESH) >> NOVA_PAGE_BITS)
                                << NOVA_ITEM_HOTSPOT_SHIFT |
                        NOVA_ITEM_G | NOVA_ITEM_DELEGATE;
}

static void wrong_vectors(struct call *call)
{
        static const nova_word_t vectors[] = {0, 5, 31, 256, 0x80000000};

        if (call->number != NOVA_H_INTERRUPT || attacks >= 5)
                return;
        if (attacks)
                seen = (enum nova_u_status)(int)call->word[0];
        call->words = 2;
        call->value = vectors[attacks++];
}

/* Offers a vector of class 4. At the next question after a kick, offers a vector of class 9. */
static void offer(struct call *call)
{
        static const nova_word_t vectors[] = {PROBE_VECTOR_LOW, NO_VECTOR, PROBE_VECTOR_HIGH};

        if (call->number != NOVA_H_INTERRUPT || attacks >= 3)
                return;
        call->words = 2;
        call->value = vectors[attacks++];
}

static nova_word_t released[4]; /* pages that the ultravisor says it no longer uses */

static void note_release(struct call *call)
{
        if (call->number == NOVA_H_SVM_PAGE_IN && call->word[1] == NOVA_H_PAGE_IN_NONSHARED &&
            attacks < 4)
                released[attacks++] = call->word[0];
}

static void hang(struct call *call)
{
        if (call->number != NOVA_H_PORT || attacks++ < 3)
                return;
        nova_semaphore_up(&stalled);
        nova_sm_down(never);
}

static void stall(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || attacks++ != 5)
                return;
        nova_semaphore_up(&stalled);
        nova_sm_down(never);
}

/* Answers without the page that the guest waits for. */
static void keep_page(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN)
                return;
        attacks++;
        call->words = 2;
        call->status = refusal;
}

/* Answers without making room for the page that the guest waits for. */
static void keep_all(struct call *call)
{
        attacks += call->number == NOVA_H_SVM_PAGE_OUT;
}

/* Provides a page that it has damaged, and says that the page is there. */
static void damage_page(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN)
                return;
        attacks++;
        seen = nova_uv_page_in(&uv, FRESH, call->word[0], 0, call->word[2]);
        call->words = 2;
}

/* Removes the memory of the page that the guest waits for. */
static void take_page(struct call *call)
{
        if (call->number == NOVA_H_SVM_PAGE_IN && call->word[0] >= MEMORY)
                seen = nova_uv_unregister_mem_slot(&uv, 1);
}

/* Tests a second VM of the session that has one virtual CPU more than its image allows. */
static void third_vcpu(void)
{
        bool attached;

        uv.lpid++;
        attached = !nova_uv_write_pate(&uv, 0, MEMORY);
        for (unsigned i = 0; i < 3; i++)
                attached = attached && !nova_uv_attach(&uv, i, nova_thread_cpu(), portal);
        check(attached && become() == NOVA_U_PERMISSION,
              "a VM with a third virtual CPU stays normal");
        honest_end();
        uv.lpid--;
}

/* Tests VMs that differ from the machine of their image. */
static void wrong_machines(void)
{
        honest_attack = halve_slot;
        check(become() == NOVA_U_PERMISSION && seen == NOVA_U_SUCCESS,
              "a VMM that registers half of the memory keeps a normal VM");
        end("and the next VM runs");
        third_vcpu();
        end("and the next VM runs");
}

static void converting(void)
{
        honest_attack = refuse_start;
        check(become() == NOVA_U_FUNCTION, "a VMM that refuses the start keeps a normal VM");
        end("and its VM can become secure later");
        honest_attack = refuse_page;
        check(become() == NOVA_U_RETRY, "a VMM that refuses a page keeps a normal VM");
        end("and its VM can become secure later");
        honest_attack = change_page;
        check(become() == NOVA_U_PERMISSION, "a changed bit of the kernel is found");
        nova_sleep(50 * MS);
        check(aborted && !late, "a VM that has not become secure makes no further call");
        end("and the right kernel runs");
        honest_attack = replace_page;
        check(become() == NOVA_U_SUCCESS && seen == NOVA_U_P3,
              "a page that was measured cannot be replaced");
        end("and the next VM runs");
        honest_attack = plant_page;
        check(become() == NOVA_U_SUCCESS && seen == NOVA_U_P3 && guest(PROBE_READ, FRESH, 0) == 0,
              "a page that is no part begins with zeroes");
        end("and the next VM runs");
        honest_attack = take_slot;
        check(become() == NOVA_U_SUCCESS && (seen == NOVA_U_P2 || seen == NOVA_U_BUSY),
              "no memory vanishes while it is measured");
        end("and the next VM runs");
}

/* Returns the number of equal bytes of two pages of the VMM's memory. */
static unsigned count_equal(uint32_t first, uint32_t second)
{
        unsigned equal = 0;

        for (uint32_t i = 0; i < PAGE; i++)
                equal += memory.base[first + i] == memory.base[second + i];
        return equal;
}

static void snapshots(void)
{
        check(become() == NOVA_U_SUCCESS && guest(PROBE_WRITE, FRESH, 7) == 0 &&
                      nova_uv_page_out(&uv, FIRST, FRESH, NOVA_UV_SNAPSHOT, NOVA_UV_ORDER_PAGE) ==
                              NOVA_U_SUCCESS &&
                      guest(PROBE_READ, FRESH, 0) == 7 && guest(PROBE_WRITE, FRESH, 8) == 0 &&
                      nova_uv_page_out(&uv, SECOND, FRESH, 0, NOVA_UV_ORDER_PAGE) ==
                              NOVA_U_SUCCESS &&
                      count_equal(FIRST, SECOND) < PAGE / 16,
              "a page that changes after its snapshot has a wholly different ciphertext");
        end("and the next VM runs");
}

/* Begins a guest with a secure page that its VMM has protected. */
static bool has_protected(void)
{
        return become() == NOVA_U_SUCCESS && guest(PROBE_WRITE, FRESH, 7) == 0 &&
               nova_uv_page_out(&uv, FRESH, FRESH, 0, NOVA_UV_ORDER_PAGE) == NOVA_U_SUCCESS &&
               nova_uv_page_in(&uv, FRESH, FRESH, NOVA_UV_WRITE_PROTECTION, NOVA_UV_ORDER_PAGE) ==
                       NOVA_U_SUCCESS &&
               guest(PROBE_READ, FRESH, 0) == 7;
}

static void protection(void)
{
        check(has_protected(), "a guest reads a page that its VMM has protected");
        drive_begin(PROBE_WRITE, FRESH, 8);
        check(honest_ends(WAITS), "it ends when it writes to the page");
        end("and the next VM runs");
}

/* Begins a guest with a page that is out, and with a shared page that is not there yet. */
static bool waits_for_pages(void)
{
        return become() == NOVA_U_SUCCESS && guest(PROBE_WRITE, FRESH, 7) == 0 &&
               nova_uv_page_out(&uv, FRESH, FRESH, 0, NOVA_UV_ORDER_PAGE) == NOVA_U_SUCCESS &&
               guest_call(NOVA_UV_SHARE_PAGE, FRESH / PAGE + 1, 1) == 0;
}

/* Tests a VMM that does not provide a page: it refuses, or it says that the page is there. */
static void kept_pages(void)
{
        static const char *const names[] = {"a guest ends if its VMM refuses a page that is out",
                                            "a guest ends if its VMM refuses a page that it shares",
                                            "a guest ends if a page that is out never comes",
                                            "a guest ends if a page that it shares never comes"};

        for (unsigned i = 0; i < 4; i++) {
                const bool waits = waits_for_pages();

                attacks = 0;
                refusal = i < 2 ? (nova_word_t)NOVA_H_PARAMETER : 0;
                honest_attack = keep_page;
                drive_begin(PROBE_READ, FRESH + i % 2 * PAGE, 0);
                check(waits && honest_ends(WAITS) && (i < 2) == (attacks == 1), names[i]);
                end("and the next VM runs");
        }
}

/* Tests a VMM whose only copy of a page has one changed bit. It answers with the status of
 * UV_PAGE_IN, or says that the page is there. */
static void damaged_pages(void)
{
        for (unsigned i = 0; i < 2; i++) {
                const bool waits = waits_for_pages();

                memory.base[FRESH + 77] ^= 1;
                attacks = 0;
                honest_attack = i ? damage_page : NULL;
                drive_begin(PROBE_READ, FRESH, 0);
                check(waits && honest_ends(WAITS) &&
                              (i ? attacks > 1 && seen == NOVA_U_PERMISSION : !attacks),
                      "a guest ends if its VMM has only a damaged copy of a page");
                end("and the next VM runs");
        }
}

/* Tests a guest with more memory than the secure memory, whose VMM moves no page out. */
static void no_room(void)
{
        check(become() == NOVA_U_SUCCESS &&
                      nova_uv_register_mem_slot(&uv, MEMORY, MORE, 0, 1) == NOVA_U_SUCCESS,
              "a guest gets more memory than there is secure memory");
        attacks = 0;
        honest_attack = keep_all;
        drive_begin(PROBE_TOUCH, MEMORY, MORE / PAGE);
        check(honest_ends(WAITS) && attacks > 0, "it ends if its VMM moves no page out");
        end("and the next VM runs");
}

/* Tests instructions that read a port and write the data to the secure place of a page. */
static void strings(void)
{
        check(become() == NOVA_U_SUCCESS, "a guest is secure");
        drive_begin(PROBE_STRING, MEMORY + PAGE, 0);
        check(honest_ends(WAITS),
              "it ends when an instruction for a port writes where it has no memory");
        end("and the next VM runs");
        check(has_protected(), "a guest reads a page that its VMM has protected");
        drive_begin(PROBE_STRING, FRESH + 16, 0);
        check(honest_ends(WAITS),
              "it ends when an instruction for a port writes to the protected page");
        end("and the next VM runs");
}

/* Provides the pages that the guest shares, but without the permission to write. */
static void protect_shared(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[1] != NOVA_H_PAGE_IN_SHARED)
                return;
        call->words = 2;
        call->status = (nova_word_t)nova_uv_page_in(&uv, call->word[0], call->word[0],
                                                    NOVA_UV_WRITE_PROTECTION, call->word[2]);
}

/* Begins a guest that shares a page which its VMM protects. */
static bool shares_protected(void)
{
        if (become() || guest_call(NOVA_UV_SHARE_PAGE, FRESH / PAGE, 1))
                return false;
        honest_attack = protect_shared;
        if (guest(PROBE_READ, FRESH, 0))
                return false;
        memcpy(memory.base + FRESH, "abcd", 4);
        return guest(PROBE_READ, FRESH, 0) == 0x64636261;
}

static void shared_protection(void)
{
        unsigned secure = 0, shared = 0;

        check(shares_protected() && nova_uv_attributes(&uv, FRESH, &secure, &shared) == 0 &&
                      !secure && shared == NOVA_UV_WRITE_PROTECTION,
              "a guest reads a shared page that its VMM has protected");
        drive_begin(PROBE_WRITE, FRESH, 8);
        check(honest_ends(WAITS) && !memcmp(memory.base + FRESH, "abcd", 4),
              "it ends when it writes to the shared page");
        end("and the next VM runs");
        check(shares_protected(), "a guest reads such a page once more");
        drive_begin(PROBE_STRING, FRESH + 8, 0);
        check(honest_ends(WAITS) && !memory.base[FRESH + 10],
              "it ends when an instruction for a port writes to the shared page");
        end("and the next VM runs");
        check(shares_protected() &&
                      nova_uv_page_inval(&uv, FRESH, NOVA_UV_ORDER_PAGE) == NOVA_U_SUCCESS,
              "the VMM takes a protected page away");
        honest_attack = NULL;
        check(guest(PROBE_WRITE, FRESH, 0x61616161) == 0 && !memcmp(memory.base + FRESH, "aaaa", 4),
              "the guest writes to the page that it gets next");
        end("and the next VM runs");
}

static void running(void)
{
        check(become() == NOVA_U_SUCCESS && guest(PROBE_STI, 0, 0) == 0,
              "a guest takes interrupts");
        guest(PROBE_WRITE, FRESH, 7);
        check(nova_uv_page_out(&uv, FRESH, FRESH, 0, NOVA_UV_ORDER_PAGE) == NOVA_U_SUCCESS,
              "a page moves out");
        honest_attack = long_answer;
        check(guest(PROBE_READ, FRESH, 0) == 7 && attacks > 0,
              "words of an answer map nothing of the ultravisor");
        end("and the next VM runs");
        check(become() == NOVA_U_SUCCESS && guest(PROBE_STI, 0, 0) == 0,
              "a guest takes interrupts");
        honest_attack = wrong_vectors;
        nova_uv_kick(&uv, 0);
        check(guest(PROBE_READ, KERNEL, 0) && attacks == 5 && seen == NOVA_U_INVALID,
              "the ultravisor asks again after a wrong vector");
        end("and the next VM runs");
        check(become() == NOVA_U_SUCCESS && guest(PROBE_WRITE, FRESH, 7) == 0 &&
                      nova_uv_page_out(&uv, FRESH, FRESH, NOVA_UV_SNAPSHOT, NOVA_UV_ORDER_PAGE) ==
                              NOVA_U_SUCCESS &&
                      guest(PROBE_READ, FRESH, 0) == 7 && guest(PROBE_WRITE, FRESH, 8) == 0 &&
                      guest(PROBE_READ, FRESH, 0) == 8,
              "a page can be read and then written after its snapshot");
        end("and the next VM runs");
        snapshots();
        protection();
}

/* Tests that the task priority, which the VMM does not see, holds back the VMM's vectors. */
static void priorities(void)
{
        check(become() == NOVA_U_SUCCESS && guest(PROBE_TAKEN, PROBE_VECTOR_LOW, 0) == 0 &&
                      guest(PROBE_STI, 0, 0) == 0 && guest(PROBE_PRIORITY, 5, 0) == 0,
              "a guest sets its task priority");
        honest_attack = offer;
        nova_uv_kick(&uv, 0);
        check(guest(PROBE_TAKEN, PROBE_VECTOR_LOW, 0) == 0 && attacks == 1,
              "a vector below the task priority is held back");
        nova_uv_kick(&uv, 0);
        guest(PROBE_READ, KERNEL, 0);
        nova_uv_kick(&uv, 0);
        guest(PROBE_READ, KERNEL, 0);
        check(guest(PROBE_TAKEN, PROBE_VECTOR_HIGH, 0) == 1 &&
                      guest(PROBE_TAKEN, PROBE_VECTOR_LOW, 0) == 0,
              "a higher vector overtakes it");
        guest(PROBE_PRIORITY, 0, 0);
        check(guest(PROBE_TAKEN, PROBE_VECTOR_LOW, 0) == 1 &&
                      guest(PROBE_TAKEN, PROBE_VECTOR_HIGH, 0) == 1,
              "it comes once when the task priority falls");
        end("and the next VM runs");
}

/* Lets the CPU read the first page table in the normal view: CR3 lacks the encryption bit. */
static void walks(void)
{
        check(become() == NOVA_U_SUCCESS && guest(PROBE_PLAIN, 0x5eed, 0) == 0x5eed,
              "a device access is emulated while CR3 has no bit of encryption");
        end("and the next VM runs");
}

/* Tests that the VMM learns which pages of its memory are free. */
static void releases(void)
{
        check(become() == NOVA_U_SUCCESS && guest_call(NOVA_UV_SHARE_PAGE, FRESH / PAGE, 2) == 0 &&
                      guest(PROBE_READ, FRESH, 0) == 0 && guest(PROBE_READ, FRESH + PAGE, 0) == 0,
              "a guest shares two pages");
        honest_attack = note_release;
        check(guest_call(NOVA_UV_UNSHARE_PAGE, FRESH / PAGE, 1) == 0 && attacks == 1 &&
                      released[0] == FRESH,
              "UV_UNSHARE_PAGE reports the page to the VMM");
        check(guest_call(NOVA_UV_UNSHARE_ALL_PAGES, 0, 0) == 0 && attacks == 2 &&
                      released[1] == FRESH + PAGE,
              "UV_UNSHARE_ALL_PAGES reports the last shared page to the VMM");
        end("and the next VM runs");
}

/* Makes UV_ESM with addresses of blob and boot parameters that are not those of the image. */
static void places(void)
{
        check(honest_is_refused(BLOB_COPY, PARAMS, NOVA_U_PARAMETER),
              "UV_ESM: another place of the blob is U_PARAMETER");
        end("and the next VM runs");
        check(honest_is_refused(BLOB, PARAMS + PAGE, NOVA_U_P2),
              "UV_ESM: another place of the boot parameters is U_P2");
        end("and the next VM runs");
        check(honest_is_refused(MEMORY - PAGE, PARAMS, NOVA_U_PARAMETER),
              "UV_ESM: a blob beyond the memory is U_PARAMETER");
        honest_end();
        check(honest_is_refused(BLOB, BLOB + 1, NOVA_U_P2),
              "UV_ESM: boot parameters inside of a page are U_P2");
        end("and the next VM runs");
}

/* Repeats UV_ESM with a page of zeroes in place of the blob. */
static void flood(void)
{
        unsigned refused = 0;

        for (unsigned i = 0; i < FLOOD; i++) {
                honest_load();
                memset(memory.base + BLOB, 0, PAGE);
                if (!nova_uv_esm(&uv, BLOB, PARAMS)) {
                        nova_semaphore_down(&converted);
                        refused += esm_status != NOVA_U_SUCCESS;
                }
                honest_end();
        }
        check(refused == FLOOD, "UV_ESM with a wrong blob is refused again and again");
        nova_sleep(1000000000); /* later reports are printed again */
        end("and the next VM runs");
}

static void memory_slots(void)
{
        uint64_t bytes = UINT64_C(1) << 37;

        check(become() == NOVA_U_SUCCESS, "a guest is secure");
        while (bytes > PAGE && nova_uv_register_mem_slot(&uv, bytes, bytes, 0, 2))
                bytes /= 2;
        check(bytes < (UINT64_C(64) << 20),
              "slots larger than twice the secure memory are refused");
        check(nova_uv_unregister_mem_slot(&uv, 0) == NOVA_U_P2 && guest(PROBE_READ, KERNEL, 0),
              "the memory of the image cannot be removed");
        check(nova_uv_register_mem_slot(&uv, MEMORY, bytes, 0, 1) == NOVA_U_P3,
              "the limit holds for all slots together");
        nova_uv_unregister_mem_slot(&uv, 2);
        check(nova_uv_register_mem_slot(&uv, MEMORY, 4 * PAGE, 0, 1) == NOVA_U_SUCCESS &&
                      guest_call(NOVA_UV_SHARE_PAGE, MEMORY / PAGE, 1) == 0,
              "memory is added, and a page of it is shared");
        honest_attack = take_page;
        drive_begin(PROBE_READ, MEMORY, 0);
        check(honest_ends(WAITS) && seen == NOVA_U_SUCCESS,
              "a guest ends if its memory vanishes while it waits for a page of it");
        end("and the next VM runs");
}

/* Ends a VM in the middle of UV_ESM, while its VMM does not answer. */
static void stalling(void)
{
        honest_attack = stall;
        attacks = 0;
        honest_load();
        check(nova_uv_esm(&uv, BLOB, PARAMS) == NOVA_U_SUCCESS, "UV_ESM begins");
        nova_semaphore_down(&stalled);
        check(nova_uv_state(&uv) == NOVA_UV_CONVERTING && nova_uv_kick(&uv, 0) == EINVAL &&
                      nova_uv_start(&uv, 0, 8) == EINVAL,
              "a VM that becomes secure takes no interrupt and no start");
        check(nova_uv_esm(&uv, BLOB, PARAMS) == NOVA_U_INVALID, "UV_ESM cannot begin twice");
        check(nova_uv_svm_terminate(&uv) == NOVA_U_SUCCESS, "it can be ended in the middle");
        nova_sm_up(never);
        end("and the next VM runs");
}

/* Makes the last attack, whose handler never answers. */
static void hanging(void)
{
        honest_attack = hang;
        check(become() == NOVA_U_SUCCESS, "a guest is secure");
        drive_begin(PROBE_READ, KERNEL, 0);
        nova_semaphore_down(&stalled);
        check(nova_uv_svm_terminate(&uv) == NOVA_U_SUCCESS && !nova_uv_is_secure(&uv),
              "a VM can be ended while its VMM does not answer");
}

int main(void)
{
        never = drive_semaphore();
        if (never == NOVA_SEL_NONE || !honest_start(3))
                return 1;
        converting();
        wrong_machines();
        running();
        shared_protection();
        kept_pages();
        damaged_pages();
        no_room();
        strings();
        priorities();
        walks();
        releases();
        places();
        flood();
        memory_slots();
        stalling();
        hanging();
        return tap_end();
}
