/* SPDX-License-Identifier: BSD-2-Clause */
/* UV_ESM: moves the parts of a normal VM into secure memory, opens its blob, compares the parts
 * with the blob's digests, and sets the state in which the secure guest begins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/parent.h"
#include "novavmm/registers.h"
#include "vm.h"

#define KEY_MODULE "machine.key"

/* Names, in messages, of the objects whose addresses the guest gives. */
#define BLOB   "blob"
#define PARAMS "boot parameters"

/* Offsets in the area for page tables, whose address the blob contains. */
#define LEVEL4 0x0000u
#define LEVEL3 0x1000u
#define LEVEL2 0x2000u
#define GIBS   4u
#define GDT    0x6000u

/* Number of bytes that are hashed between two pauses. */
#define HASH_BYTES 0x8000u

#define TABLE_ENTRY   0x03u
#define LARGE_ENTRY   0x83u
#define LARGE_BYTES   0x200000u
#define CODE_SELECTOR 0x10
#define DATA_SELECTOR 0x18
#define GDT_ENTRIES   4

static uint8_t key[CRYPTO_KEY_BYTES];

bool convert_read_key(void)
{
        const void *data;
        size_t bytes;

        return !nova_parent_module(KEY_MODULE, &data, &bytes) && seal_read_key(data, bytes, key);
}

/* Returns true if the slots have each page of a range. */
static bool has(struct vm *vm, uint64_t gpa, uint64_t bytes)
{
        bool result;

        if (gpa % FRAME_BYTES || !bytes)
                return false;
        vm_lock();
        result = page_has(&vm->pages, gpa, (bytes + FRAME_BYTES - 1) / FRAME_BYTES);
        vm_unlock();
        return result;
}

/* Permits UV_PAGE_IN to provide each page of a range once, or withdraws this permission.
 * @return false if a page is in use already, or is in no slot */
static bool expect(struct vm *vm, uint64_t gpa, uint64_t bytes, bool value)
{
        bool good = true;

        vm_lock();
        for (uint64_t i = 0; i < bytes; i += FRAME_BYTES) {
                struct page *const page = page_find(&vm->pages, gpa + i);

                good &= page && page->state == PAGE_NONE;
                if (page)
                        page->expected = value && page->state == PAGE_NONE;
        }
        vm_unlock();
        return good;
}

/* Returns true if UV_PAGE_IN has provided each page of a range. */
static bool has_come(struct vm *vm, uint64_t gpa, uint64_t bytes)
{
        bool good = true;

        vm_lock();
        for (uint64_t i = 0; i < bytes; i += FRAME_BYTES) {
                const struct page *const page = page_find(&vm->pages, gpa + i);

                good &= page && page->state == PAGE_SECURE && !page->expected;
        }
        vm_unlock();
        return good;
}

/* Returns true if a number of frames is left for a VM. Otherwise prints a message. */
static bool has_room(struct vm *vm, uint64_t pages)
{
        uint64_t room;

        vm_lock();
        room = page_room(&vm->pages);
        vm_unlock();
        if (pages > room && vm_may_report(vm))
                printf("A VM cannot become secure: it needs %llu KiB of secure memory at once, and "
                       "%llu are free for its VMM; enlarge 'memory' of the ultravisor.\n",
                       (unsigned long long)pages * 4, (unsigned long long)room * 4);
        return pages <= room;
}

/* Prints why a page has not come, unless the VM has ended meanwhile. Other VMs may have taken
 * frames since has_room(). */
static void tell_absence(struct vm *vm, uint64_t gpa, uint64_t pages)
{
        bool ended;

        vm_lock();
        ended = vm->state != VM_CONVERTING;
        vm_unlock();
        if (!ended && has_room(vm, pages) && vm_may_report(vm))
                printf("A VM cannot become secure: its VMM does not provide the page at 0x%llx.\n",
                       (unsigned long long)gpa);
}

/* Lets the VMM move pages into secure memory: 2 MiB at once where the address and the size allow
 * it, otherwise single pages. */
static bool move(struct nova_vcpu *vcpu, uint64_t gpa, uint64_t bytes)
{
        struct vm *const vm = vm_of(vcpu);

        while (bytes) {
                const bool large = gpa % LARGE_BYTES == 0 && bytes >= LARGE_BYTES;
                const uint64_t part = large ? LARGE_BYTES : FRAME_BYTES;
                const uint64_t parameters[4] = {gpa, 0,
                                                large ? NOVA_UV_ORDER_MAX : NOVA_UV_ORDER_PAGE, 0};

                if (!expect(vm, gpa, part, true) ||
                    reflect(vcpu, NOVA_H_SVM_PAGE_IN, parameters, NULL) ||
                    !has_come(vm, gpa, part)) {
                        expect(vm, gpa, part, false);
                        tell_absence(vm, gpa, part / FRAME_BYTES);
                        return false;
                }
                gpa += part;
                bytes -= part;
        }
        return true;
}

/* Returns the address of a page in secure memory. During UV_ESM no other thread takes a page away:
 * no page moves out, and no slot vanishes (struct pages, converting). But the VMM can add slots, so
 * the search needs the lock. */
static uint8_t *place(struct vm *vm, uint64_t gpa)
{
        uint32_t frame;

        vm_lock();
        frame = page_find(&vm->pages, gpa)->frame;
        vm_unlock();
        return frame_address(&memory_frames, frame);
}

static void discard(struct vm *vm, uint64_t gpa, uint64_t bytes)
{
        vm_lock();
        for (uint64_t i = 0; i < bytes; i += FRAME_BYTES)
                page_unshare(&vm->pages, gpa + i);
        vm_unlock();
}

/* Copies the blob out of the guest's pages and opens it. The other threads find it only when it is
 * open and complete. */
static enum seal_status open_copy(struct vm *vm)
{
        enum seal_status status = SEAL_NO_MEMORY;
        uint8_t *const copy = malloc(SEAL_ROOM_BYTES);
        struct seal *const seal = malloc(sizeof(*seal));

        for (uint64_t i = 0; copy && i < SEAL_ROOM_BYTES; i += FRAME_BYTES)
                memcpy(copy + i, place(vm, vm->blob + i), FRAME_BYTES);
        if (copy && seal)
                status = seal_open(seal, key, copy, SEAL_ROOM_BYTES);
        free(copy);
        if (status) {
                free(seal);
                return status;
        }
        vm_lock();
        vm->seal = seal;
        vm_unlock();
        return SEAL_OK;
}

/* Refuses an address that the guest gives to UV_ESM: the guest's slots have no memory there. */
static enum nova_u_status no_pages(struct vm *vm, enum nova_u_status status, const char *what,
                                   uint64_t given)
{
        if (vm_may_report(vm))
                printf("A VM cannot become secure: it names the address 0x%llx for its %s, and has "
                       "no pages there.\n",
                       (unsigned long long)given, what);
        return status;
}

/* Refuses an address that the guest gives to UV_ESM: the blob contains another address. */
static enum nova_u_status not_sealed(struct vm *vm, enum nova_u_status status, const char *what,
                                     uint64_t given, uint64_t sealed)
{
        if (vm_may_report(vm))
                printf("A VM cannot become secure: it names the address 0x%llx for its %s, and the "
                       "sealed one is 0x%llx.\n",
                       (unsigned long long)given, what, (unsigned long long)sealed);
        return status;
}

/* Opens the blob, which is moved into secure memory first. */
static enum nova_u_status open_blob(struct vm *vm, struct nova_vcpu *vcpu)
{
        static const enum nova_u_status status_of[] = {
#define STATUS(name, status, text) NOVA_U_##status,
                SEAL_STATUS_ROWS(STATUS)
#undef STATUS
        };
        enum seal_status status;

        if (!has(vm, vm->blob, SEAL_ROOM_BYTES))
                return no_pages(vm, NOVA_U_PARAMETER, BLOB, vm->blob);
        if (!has(vm, vm->params, FRAME_BYTES))
                return no_pages(vm, NOVA_U_P2, PARAMS, vm->params);
        if (!has_room(vm, SEAL_ROOM_BYTES / FRAME_BYTES) || !move(vcpu, vm->blob, SEAL_ROOM_BYTES))
                return NOVA_U_RETRY;
        status = open_copy(vm);
        discard(vm, vm->blob, SEAL_ROOM_BYTES);
        if (status && vm_may_report(vm))
                printf("A VM cannot become secure: %s.\n", seal_sentence(status));
        return status_of[status];
}

/* Compares the blob with the addresses that the guest has given, and with the virtual CPUs and the
 * memory that the VMM has provided. */
static enum nova_u_status check_machine(struct vm *vm)
{
        const struct seal *const seal = vm->seal;
        const bool has_memory = has(vm, 0, seal->memory);

        if (seal->blob != vm->blob)
                return not_sealed(vm, NOVA_U_PARAMETER, BLOB, vm->blob, seal->blob);
        if (seal->params != vm->params)
                return not_sealed(vm, NOVA_U_P2, PARAMS, vm->params, seal->params);
        if (has_memory && vm->vcpus <= seal->vcpus)
                return NOVA_U_SUCCESS;
        if (!vm_may_report(vm))
                return NOVA_U_PERMISSION;
        if (has_memory)
                printf("A VM cannot become secure: it has %u virtual CPUs, and its image allows "
                       "%u.\n",
                       vm->vcpus, seal->vcpus);
        else
                printf("A VM cannot become secure: its memory slots do not have the %llu KiB "
                       "of its image.\n",
                       (unsigned long long)seal->memory / 1024);
        return NOVA_U_PERMISSION;
}

static enum nova_u_status measure(struct vm *vm, struct nova_vcpu *vcpu,
                                  const struct seal_part *part)
{
        uint8_t digest[CRYPTO_DIGEST_BYTES];
        struct crypto_sha256 sum;

        if (!move(vcpu, part->address, part->bytes))
                return NOVA_U_RETRY;
        crypto_sha256_begin(&sum);
        for (uint64_t i = 0; i < part->bytes; i += FRAME_BYTES) {
                if (i % HASH_BYTES == 0 && !guest_pause(vcpu))
                        return NOVA_U_RETRY;
                crypto_sha256_add(&sum, place(vm, part->address + i), FRAME_BYTES);
        }
        crypto_sha256_end(&sum, digest);
        if (seal_matches(part, digest))
                return NOVA_U_SUCCESS;
        if (vm_may_report(vm))
                printf("A VM cannot become secure: its part at 0x%llx is not the sealed one.\n",
                       (unsigned long long)part->address);
        return NOVA_U_PERMISSION;
}

static enum nova_u_status measure_all(struct vm *vm, struct nova_vcpu *vcpu)
{
        enum nova_u_status status = NOVA_U_SUCCESS;
        uint64_t pages = SEAL_TABLES_BYTES / FRAME_BYTES;

        for (unsigned i = 0; i < vm->seal->parts; i++)
                pages += vm->seal->part[i].bytes / FRAME_BYTES;
        if (!has_room(vm, pages))
                return NOVA_U_RETRY;
        for (unsigned i = 0; i < vm->seal->parts && !status; i++)
                status = measure(vm, vcpu, &vm->seal->part[i]);
        return status;
}

/* Writes the page tables with which the guest begins: an identity mapping of its first 4 GiB, all
 * of them secure. */
static bool make_tables(struct vm *vm, struct nova_vcpu *vcpu)
{
        static const uint64_t gdt[GDT_ENTRIES] = {0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff};
        const uint64_t at = vm->seal->tables, bit = vm->bit;
        uint64_t *table;

        /* The tables are not in a part of the image, so their pages begin with zeroes. The
         * first page that becomes secure can bring its whole block of 512 pages with it. */
        if (!expect(vm, at, SEAL_TABLES_BYTES, false)) {
                tell_absence(vm, at, SEAL_TABLES_BYTES / FRAME_BYTES);
                return false;
        }
        for (uint64_t i = 0; i < SEAL_TABLES_BYTES; i += FRAME_BYTES)
                if (!memory_get(vcpu, at + i)) {
                        tell_absence(vm, at + i, 1);
                        return false;
                }
        table = (uint64_t *)place(vm, at + LEVEL4);
        table[0] = (at + LEVEL3) | bit | TABLE_ENTRY;
        table = (uint64_t *)place(vm, at + LEVEL3);
        for (uint64_t i = 0; i < GIBS; i++)
                table[i] = (at + LEVEL2 + i * FRAME_BYTES) | bit | TABLE_ENTRY;
        for (uint64_t i = 0; i < GIBS; i++) {
                table = (uint64_t *)place(vm, at + LEVEL2 + i * FRAME_BYTES);
                for (uint64_t j = 0; j < 512; j++)
                        table[j] = (i * 512 + j) * LARGE_BYTES | bit | LARGE_ENTRY;
        }
        memcpy(place(vm, at + GDT), gdt, sizeof(gdt));
        return true;
}

static void set_start(struct vm *vm, struct nova_utcb_event *start)
{
        const struct seal *const seal = vm->seal;

        nova_registers_long(start, seal->entry, seal->tables | vm->bit, CODE_SELECTOR,
                            DATA_SELECTOR);
        start->state.si = (nova_word_t)seal->params;
        start->state.sp = (nova_word_t)seal->params;
        start->state.gdtr.base = (nova_word_t)(seal->tables + GDT);
        start->state.gdtr.limit = GDT_ENTRIES * 8 - 1;
}

/* Makes the key for pages that are moved out. @return NULL, or the reason why there is none */
static const char *make_key(struct vm *vm)
{
        const char *why = NULL;
        uint8_t bytes[CRYPTO_KEY_BYTES];

        if (crypto_random(bytes, sizeof(bytes)) != CRYPTO_OK)
                why = "the CPU returns no random number";
        else if (crypto_gcm_begin(&vm->key, bytes) != CRYPTO_OK)
                why = "memory for a key is missing; enlarge 'memory' of the ultravisor";
        vm->has_key = !why;
        crypto_wipe(bytes, sizeof(bytes));
        return why;
}

/* Returns the status of UV_ESM after the VMM has refused H_SVM_INIT_START, perhaps because the
 * ultravisor has refused the VMM's memory slot. */
static enum nova_u_status refused_start(struct vm *vm)
{
        if (!vm->refused_pages)
                return NOVA_U_FUNCTION;
        if (vm_may_report(vm))
                printf("A VM cannot become secure: its %llu KiB of memory are too much for the "
                       "%llu KiB of secure memory that its VMM can have (a VMM's guests have at "
                       "most twice as much); enlarge 'memory' of the ultravisor.\n",
                       (unsigned long long)vm->refused_pages * 4,
                       (unsigned long long)vm_limit(vm) * 4);
        return NOVA_U_RETRY;
}

static enum nova_u_status prepare(struct vm *vm, struct nova_vcpu *vcpu)
{
        static const uint64_t nothing[4];
        const char *const why = make_key(vm);
        enum nova_u_status status;

        if (why) {
                if (vm_may_report(vm))
                        printf("A VM cannot become secure: %s.\n", why);
                return NOVA_U_RETRY;
        }
        vm->refused_pages = 0;
        if (reflect(vcpu, NOVA_H_SVM_INIT_START, nothing, NULL))
                return refused_start(vm);
        status = open_blob(vm, vcpu);
        if (!status)
                status = check_machine(vm);
        if (!status)
                status = measure_all(vm, vcpu);
        if (!status && !make_tables(vm, vcpu))
                status = NOVA_U_RETRY;
        return status;
}

/* Ends UV_ESM, unless UV_SVM_TERMINATE has come meanwhile. */
static enum nova_u_status finish(struct vm *vm)
{
        enum nova_u_status status = NOVA_U_INVALID;

        vm_lock();
        if (vm->state == VM_CONVERTING) {
                vm->pages.converting = false;
                vm->state = VM_SECURE;
                status = NOVA_U_SUCCESS;
        }
        vm_unlock();
        return status;
}

enum nova_u_status convert(struct vm *vm, struct nova_vcpu *vcpu)
{
        static const uint64_t nothing[4];
        enum nova_u_status status = prepare(vm, vcpu);

        if (status)
                return status;
        set_start(vm, &vcpu->start);
        status = finish(vm); /* before the VMM learns the status, so that its next kick is valid */
        if (!status && reflect(vcpu, NOVA_H_SVM_INIT_DONE, nothing, NULL))
                status = NOVA_U_FUNCTION;
        return status;
}
