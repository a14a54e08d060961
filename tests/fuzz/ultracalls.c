/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of two VMMs to the ultravisor's service in any order, with any parameters, between accesses
 * and calls of their guests. The service's own handlers run (server.c, session.c); its machines are
 * replaced. After each step frames, pages and what the guests last wrote must agree, and no word of
 * a guest is in its VMM's memory. No call loses the content of a page that is out.
 *
 * An input is a sequence of steps of eight bytes. While a call releases the lock, other VMMs and
 * the guests take steps. In the input, these steps follow the step with the call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "novart/time.h"
#include "require.h"
#include "server.h"
#include "ultracalls_cipher.h"
#include "vm.h"

#define STEP    8u
#define VMS     4u
#define PAGES   8u   /* pages of a guest that steps use */
#define NORMALS 8u   /* pages that a VMM shares */
#define COUNT   512u /* frames */
#define SLOT    0x200000u
#define SECRET  UINT64_C(0x5ec2e75ec2e70000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
struct page *__real_page_records(uint64_t bytes); /* names of the linker's --wrap */
struct page *__wrap_page_records(uint64_t bytes);

struct nova_service *vm_service;
struct frames memory_frames;

/* The state of server.c's sessions. */
static uint8_t state[2][64] __attribute__((aligned(16)));
static uint8_t normal[2][NORMALS * FRAME_BYTES] __attribute__((aligned(FRAME_BYTES)));
static uint8_t secure[COUNT * FRAME_BYTES] __attribute__((aligned(FRAME_BYTES)));
static struct vm vms[VMS];
static const struct nova_service_config *service;
static unsigned session; /* session of the current call */
static bool in_flight, vanished;
static uint16_t marks;
static const uint8_t *next; /* the steps that are left */
static size_t left;         /* their size in bytes */
static unsigned inside;     /* number of steps that may happen while the current call yields */
static unsigned locks;      /* number of times that the current call has taken the lock */
static bool locked;
static bool may_share[VMS][PAGES]; /* before the step: the guest has asked for the shared place */

/* Functions of the runtime and of other files that server.c calls. */

int nova_service_start(struct nova_service **started, const struct nova_service_config *config)
{
        static struct nova_service_operation operations[16];
        static struct nova_service_config copy;

        (void)started;
        copy = *config;
        require(config->operation_count <= 16);
        memcpy(operations, config->operations,
               config->operation_count * sizeof(*config->operations));
        copy.operations = operations;
        service = &copy;
        return 0;
}

void nova_service_drop(struct nova_service *unused, nova_sel_t sel)
{
        (void)unused;
        (void)sel;
}

nova_sel_t nova_request_take(struct nova_request *request)
{
        return request->item;
}

bool nova_request_answer(struct nova_request *request, nova_word_t word)
{
        request->answer[request->answer_count++] = word;
        return true;
}

void *nova_request_share_hold(const struct nova_request *request)
{
        (void)request;
        return normal[session];
}

size_t nova_request_share_bytes(const struct nova_request *request)
{
        (void)request;
        return sizeof(normal[0]);
}

int nova_vm_lock_until(struct nova_vm *vm, uint64_t deadline)
{
        (void)vm;
        (void)deadline;
        return 0;
}

uint64_t nova_deadline_in(uint64_t ns)
{
        return ns;
}

void nova_vm_unlock(struct nova_vm *vm)
{
        (void)vm;
}

void nova_vcpu_kick(struct nova_vcpu *vcpu)
{
        (void)vcpu;
}

void nova_vcpu_start_at(struct nova_vcpu *vcpu, uint8_t vector)
{
        (void)vcpu;
        (void)vector;
}

void nova_vcpu_reset(struct nova_vcpu *vcpu)
{
        (void)vcpu;
}

/* Takes the lock. If a call takes it again, the call has released it in between, so others may take
 * steps first. */
void vm_lock(void)
{
        require(!locked);
        if (locks++)
                vm_yield();
        locked = true;
}

void vm_unlock(void)
{
        require(locked);
        locked = false;
}

/* Makes the records of a slot, which takes long for a large slot: the call must have released the
 * lock. */
struct page *__wrap_page_records(uint64_t bytes)
{
        require(!locked);
        return __real_page_records(bytes);
}

bool vm_is_shared(void)
{
        return false;
}

unsigned vm_records(void)
{
        return VM_COUNT;
}

bool vm_open(const char *client)
{
        (void)client;
        return true;
}

void vm_close(const void *closed)
{
        (void)closed;
}

struct vm *vm_find(const void *owner, uint64_t lpid)
{
        for (unsigned i = 0; i < VMS; i++)
                if (vms[i].state != VM_FREE && vms[i].session == owner && vms[i].lpid == lpid)
                        return &vms[i];
        return NULL;
}

unsigned vm_count(const void *owner)
{
        unsigned count = 0;

        for (unsigned i = 0; i < VMS; i++)
                count += vms[i].state != VM_FREE && vms[i].session == owner;
        return count;
}

uint64_t cpu_bit(void)
{
        return UINT64_C(1) << 39;
}

uint32_t vm_limit(const struct vm *unused)
{
        (void)unused;
        return memory_frames.count;
}

uint64_t vm_pages(const struct vm *unused)
{
        uint64_t sum = 0;

        (void)unused;

        for (unsigned i = 0; i < VMS; i++)
                sum += page_total(&vms[i].pages);
        return sum;
}

static uint8_t *normal_of(const struct pages *pages, uint32_t page)
{
        const struct vm *const vm = pages->context;

        require(page < pages->normal_pages);
        return vm->normal + (size_t)page * FRAME_BYTES;
}

static bool copy_in(struct pages *pages, void *to, uint32_t page)
{
        if (!vanished)
                memcpy(to, normal_of(pages, page), FRAME_BYTES);
        return !vanished;
}

static bool copy_out(struct pages *pages, uint32_t page, const void *from)
{
        if (!vanished)
                memcpy(normal_of(pages, page), from, FRAME_BYTES);
        return !vanished;
}

static bool unmap(struct pages *pages, const struct page *page, uint64_t gpa, enum page_place place)
{
        (void)gpa;
        require(place == PAGE_SHARED_PLACE ? page->normal < pages->normal_pages
                                           : page->frame < COUNT);
        /* While a slot is removed, no reply in flight maps its pages: the slot was closed when no
         * reply was in flight. */
        return !in_flight || !page_find(pages, gpa);
}

static bool uses(struct pages *pages, uint64_t gpa, uint64_t bytes)
{
        for (uint64_t i = 0; i < bytes; i += FRAME_BYTES)
                if (page_find(pages, gpa + i)->pins)
                        return true;
        return in_flight;
}

static const struct page_ops ops = {unmap, uses, copy_in, copy_out, encrypt, decrypt};

struct vm *vm_add(void *owner, uint16_t lpid)
{
        for (unsigned i = 0; i < VMS; i++) {
                if (vms[i].state != VM_FREE)
                        continue;
                vms[i] = (struct vm){.state = VM_NORMAL, .session = owner, .lpid = lpid};
                vms[i].pages.ops = &ops;
                vms[i].pages.frames = &memory_frames;
                vms[i].pages.context = &vms[i];
                return &vms[i];
        }
        return NULL;
}

enum nova_u_status vm_start(struct vm *vm)
{
        vm->machine.vcpus = vm->vcpus;
        return vanished ? NOVA_U_RETRY : NOVA_U_SUCCESS;
}

/* Ends a VM. If another call uses the VM, the VM ends after that call (end_vms()). */
void vm_stop(struct vm *vm)
{
        require(vm->state == VM_ENDING);
        if (vm->users)
                return;
        while (page_end(&vm->pages))
                ;
        vm->pages.converting = false;
        vm->state = VM_NORMAL;
}

/* Steps of a guest and of the ultravisor's other files. */

static bool is_alive(const struct vm *vm)
{
        return vm->state == VM_CONVERTING || vm->state == VM_SECURE;
}

/* Makes the secure place present and writes another word, as a guest does. */
static void write_page(struct vm *vm, struct page *page)
{
        uint64_t *word;

        if (vm->state != VM_SECURE || page->shared || page->state == PAGE_OUT ||
            page_is_protected(page, PAGE_SECURE_PLACE) ||
            (page->state == PAGE_NONE && !page_fill(&vm->pages, page)))
                return;
        word = (uint64_t *)frame_address(&memory_frames, page->frame);
        page->snapshot = false;
        word[0] = SECRET | ++marks;
}

/* Ends the last request of a conversion. Afterwards no page is expected. */
static void forget_expected(struct vm *vm)
{
        for (unsigned i = 0; i < PAGE_SLOTS; i++) {
                const struct page_slot *const slot = &vm->pages.slot[i];

                for (uint64_t j = 0; slot->page && j < slot->bytes / FRAME_BYTES; j++)
                        slot->page[j].expected = false;
        }
}

/* Searches for a page to be moved out, then for all shared pages, as make_room() and unshare_all()
 * do. A hostile VMM cannot make the search endless. */
static void search(struct vm *vm)
{
        uint64_t gpa = page_victim(&vm->pages);
        struct page_hand hand = {0, 0};
        uint32_t steps = 0;

        require(gpa == UINT64_MAX || page_find(&vm->pages, gpa)->state == PAGE_SECURE);
        while (page_next_shared(&vm->pages, &hand, &gpa)) {
                require(gpa == UINT64_MAX || page_find(&vm->pages, gpa)->shared);
                require(steps++ < PAGE_SLOTS * 2 * COUNT); /* slots have twice as many pages */
                vm_yield();
        }
}

static void step_guest(struct vm *vm, const uint8_t *step)
{
        const uint64_t gpa = (uint64_t)(step[2] & 7) * FRAME_BYTES;
        struct page *const page = page_find(&vm->pages, gpa);

        if (is_alive(vm) && step[3] % 8 == 7)
                search(vm);
        if (!is_alive(vm) || !page)
                return;
        if (vm->state == VM_CONVERTING && step[3] % 8 < 5)
                return; /* the guest does not run yet */
        switch (step[3] % 8) {
        case 0:
                write_page(vm, page);
                break;
        case 1:
                page->asked = page->normal == PAGE_NO_PAGE && vm->state == VM_SECURE;
                break;
        case 2:
                page_share(&vm->pages, gpa);
                break;
        case 3:
                page_unshare(&vm->pages, gpa);
                break;
        case 4:
                page->pins ^= page->state == PAGE_SECURE;
                break;
        case 5:
                page->expected = vm->state == VM_CONVERTING && page->state == PAGE_NONE;
                break;
        case 6:
                if (vm->state == VM_CONVERTING) {
                        forget_expected(vm);
                        vm->pages.converting = false;
                        vm->state = VM_SECURE;
                }
                break;
        default: /* the search */
                break;
        }
}

static uint64_t value(const uint8_t *step, unsigned which)
{
        static const uint64_t odd[] = {1, 12, 13, 21, UINT64_MAX, UINT64_C(1) << 38, SLOT, 31};
        const uint8_t byte = step[2 + which];

        if (byte >= 0x80)
                return odd[byte & 7];
        return (byte & 15) * (byte & 0x40 ? 1 : FRAME_BYTES) << (byte & 0x20 ? 4 : 0);
}

/* Returns the page that is out and whose content a call of UV_PAGE_IN for one page provides, NULL
 * if it provides none. The VMM may have no other copy, so the call must not lose it. */
static const struct page *content_of(const struct nova_request *request)
{
        static uint8_t plain[FRAME_BYTES];
        struct vm *const vm = vm_find(request->state, request->word[1]);
        const uint64_t from = request->word[2], gpa = request->word[3];
        struct page *const page = vm ? page_find(&vm->pages, gpa) : NULL;

        if (request->word[0] != NOVA_UV_PAGE_IN || request->word[5] != NOVA_UV_ORDER_PAGE ||
            !page || page->state != PAGE_OUT || from % FRAME_BYTES || from >= sizeof(normal[0]))
                return NULL;
        return decrypt(&vm->pages, gpa, page->version, &normal[session][from], page->tag, plain)
                       ? page
                       : NULL;
}

static void step_call(const uint8_t *step)
{
        static const unsigned numbers[] = {
#define CALL(name, function, number, ...) number,
                NOVA_UV_CALL_ROWS(CALL)
#undef CALL
        };
        const unsigned operation = step[1] & 0x80 ? step[1] % service->operation_count : 0;
        struct nova_request request = {.state = state[session], .item = step[7]};
        const struct page *kept;

        request.word[0] = operation ? (nova_word_t)(step[2] & 3)
                                    : numbers[step[1] % (sizeof(numbers) / sizeof(numbers[0]))];
        request.word[1] = operation ? value(step, 1) : (nova_word_t)(step[7] & 3);
        for (unsigned i = 0; i < 4; i++)
                request.word[2 + i] = value(step, i);
        locks = 0;
        kept = operation ? NULL : content_of(&request);
        service->operations[operation].handler(&request);
        require(!kept || kept->state == PAGE_SECURE || content_of(&request) == kept);
        if (operation || !request.answer_count)
                return;
        switch ((int)request.answer[0]) {
#define STATUS(name, number, text) case number:
                NOVA_U_STATUS_ROWS(STATUS)
#undef STATUS
                break;
        default:
                require(false);
        }
}

/* Notes, before a step, which pages may get a shared place during the step. */
static void note_pages(void)
{
        for (unsigned i = 0; i < VMS * PAGES; i++) {
                const struct page *const page =
                        page_find(&vms[i / PAGES].pages, (uint64_t)(i % PAGES) * FRAME_BYTES);

                may_share[i / PAGES][i % PAGES] =
                        page && (page->asked || page->normal != PAGE_NO_PAGE);
        }
}

/* Checks the pages of a VM. @return the number of its frames */
static uint32_t check_pages(const struct vm *vm, bool used[COUNT])
{
        uint32_t count = 0;

        for (unsigned i = 0; i < PAGE_SLOTS; i++) {
                const struct page_slot *const slot = &vm->pages.slot[i];

                require(!slot->closed || !page_find((struct pages *)&vm->pages, slot->start));
                for (uint64_t j = 0; slot->page && j < slot->bytes / FRAME_BYTES; j++) {
                        const struct page *const page = &slot->page[j];

                        require(slot->closed || page_find((struct pages *)&vm->pages,
                                                          slot->start + j * FRAME_BYTES) == page);
                        require(page->normal == PAGE_NO_PAGE || page->normal < NORMALS);
                        require(page->normal == PAGE_NO_PAGE || slot->start || j >= PAGES ||
                                slot->closed || may_share[vm - vms][j]);
                        if (page->state != PAGE_SECURE)
                                continue;
                        require(!page->shared && page->frame < COUNT && !used[page->frame]);
                        used[page->frame] = true;
                        count++;
                }
        }
        require(count == vm->pages.secure);
        return count;
}

static void check_all(void)
{
        bool used[COUNT] = {false};
        uint32_t count = 0;
        uint64_t word;

        for (unsigned i = 0; i < VMS; i++)
                count += check_pages(&vms[i], used);
        require(count + memory_frames.free == COUNT);
        for (unsigned i = 0; i < COUNT; i++) {
                memcpy(&word, frame_address(&memory_frames, i), sizeof(word));
                require(used[i] || !word);
        }
        for (unsigned i = 0; i < 2 * NORMALS; i++) {
                memcpy(&word, &normal[i / NORMALS][(size_t)(i % NORMALS) * FRAME_BYTES],
                       sizeof(word));
                require(word >> 16 != SECRET >> 16);
        }
}

/* Checks after a call that no slot is left closed: a VMM could neither use nor remove it. */
static void require_open(void)
{
        for (unsigned i = 0; i < VMS * PAGE_SLOTS; i++)
                require(!vms[i / PAGE_SLOTS].pages.slot[i % PAGE_SLOTS].closed);
}

/* Ends the VMs whose end had to wait for a call. */
static void end_vms(void)
{
        for (unsigned i = 0; i < VMS; i++)
                if (vms[i].state == VM_ENDING)
                        vm_stop(&vms[i]);
}

static void begin(void)
{
        memset(state, 0, sizeof(state));
        memset(normal, 0, sizeof(normal));
        in_flight = vanished = false;
        marks = 0;
        require(frame_init(&memory_frames, secure, COUNT));
        if (!service)
                server_start();
}

static void end(void)
{
        for (unsigned i = 0; i < VMS; i++) {
                while (page_end(&vms[i].pages))
                        ;
                vms[i].state = VM_FREE;
        }
        require(memory_frames.free == COUNT);
        free(memory_frames.in_use);
        free(memory_frames.left);
}

/* Performs the next step. */
static void take_step(void)
{
        const uint8_t *const step = next;

        next += STEP;
        left -= STEP;
        session = step[0] >> 7;
        note_pages();
        switch (step[0] % 8) {
        case 0:
                in_flight = step[1] & 1;
                vanished = step[1] & 2;
                break;
        case 1:
                normal[session][step[2] % NORMALS * FRAME_BYTES + step[3]] ^= step[4];
                break;
        case 2:
        case 3:
        case 4:
                step_guest(&vms[step[1] % VMS], step);
                break;
        default:
                step_call(step);
        }
}

/* Lets other threads take steps while the current call yields: one, or several in turn. */
void vm_yield(void)
{
        const unsigned caller = session, taken = locks;
        const bool held = locked;
        bool more = true;

        locked = false;
        while (more && inside && left >= STEP) {
                more = next[0] & 0x40;
                inside--;
                check_all();
                take_step();
                check_all();
                note_pages();
        }
        locks = taken;
        locked = held;
        session = caller;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        begin();
        next = data;
        left = size;
        while (left >= STEP) {
                inside = next[0] >> 3 & 7;
                take_step();
                end_vms();
                check_all();
                require_open();
        }
        end();
        return 0;
}
