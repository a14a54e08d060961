/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on pages of secure guests that use the kernel or the cryptography. page.c decides
 * about the states of pages, and uses neither. */
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/guard.h"
#include "vm.h"

/* Returns true if the last reply to a virtual CPU may still map a page of a range, because the
 * virtual CPU has not exited since. */
static bool is_in_flight(const struct vm *vm, uint64_t gpa, uint64_t bytes)
{
        for (unsigned i = 0; i < vm->vcpus; i++) {
                const struct vcpu *const vcpu = &vm->vcpu[i];

                if (vm->machine.vcpu[i].gives && vcpu->given < gpa + bytes &&
                    gpa < vcpu->given + vcpu->given_bytes)
                        return true;
        }
        return false;
}

static bool has_pin(const struct vm *vm, uint64_t gpa, uint64_t bytes)
{
        for (unsigned i = 0; i < vm->vcpus; i++)
                for (unsigned j = 0; j < vm->vcpu[i].pins; j++)
                        if (vm->vcpu[i].pin[j] - gpa < bytes)
                                return true;
        return false;
}

static bool uses(struct pages *pages, uint64_t gpa, uint64_t bytes)
{
        const struct vm *const vm = pages->context;

        return is_in_flight(vm, gpa, bytes) || has_pin(vm, gpa, bytes);
}

static bool unmap(struct pages *pages, const struct page *page, uint64_t gpa, enum page_place place)
{
        const struct vm *const vm = pages->context;
        const void *const from = place == PAGE_SECURE_PLACE
                                         ? frame_address(pages->frames, page->frame)
                                         : vm->normal + (uint64_t)page->normal * FRAME_BYTES;

        if (is_in_flight(vm, gpa, FRAME_BYTES))
                return false;
        nova_revoke(nova_crd_mem(page_number(from), 0, NOVA_MEM_RWX), 0);
        return true;
}

static bool copy_in(struct pages *pages, void *to, uint32_t normal)
{
        const struct vm *const vm = pages->context;

        return !nova_copy_guarded(to, vm->normal + (uint64_t)normal * FRAME_BYTES, FRAME_BYTES);
}

static bool copy_out(struct pages *pages, uint32_t normal, const void *from)
{
        const struct vm *const vm = pages->context;

        return !nova_copy_guarded(vm->normal + (uint64_t)normal * FRAME_BYTES, from, FRAME_BYTES);
}

/* Input of the cipher for a page, besides key and content. Each VM has a key of its own. */
struct place {
        struct {
                uint64_t gpa, version, order;
        } label; /* data that the tag also authenticates */
        uint8_t nonce[CRYPTO_NONCE_BYTES];
};

static struct place place_of(uint64_t gpa, uint64_t version)
{
        struct place place = {.label = {gpa, version, NOVA_UV_ORDER_PAGE}};

        memcpy(place.nonce, &version, sizeof(version));
        return place;
}

static bool encrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from, void *to,
                    uint8_t tag[PAGE_TAG_BYTES])
{
        struct vm *const vm = pages->context;
        const struct place place = place_of(gpa, version);

        return crypto_gcm_seal(&vm->key, place.nonce, &place.label, sizeof(place.label), from,
                               FRAME_BYTES, to, tag) == CRYPTO_OK;
}

static bool decrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from,
                    const uint8_t tag[PAGE_TAG_BYTES], void *to)
{
        struct vm *const vm = pages->context;
        const struct place place = place_of(gpa, version);

        return crypto_gcm_open(&vm->key, place.nonce, &place.label, sizeof(place.label), from,
                               FRAME_BYTES, tag, to) == CRYPTO_OK;
}

const struct page_ops memory_page_ops = {unmap, uses, copy_in, copy_out, encrypt, decrypt};
