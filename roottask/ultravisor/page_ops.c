/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations for pages of secure guests that need the kernel or the cryptography: page.c, which
 * decides about states, knows neither. */
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/guard.h"
#include "vm.h"

/* Returns true if the reply of a virtual CPU may still map a page: the CPU has not exited since. */
static bool is_in_flight(const struct vm *vm, uint64_t gpa)
{
        for (unsigned i = 0; i < vm->vcpus; i++) {
                const struct vcpu *const vcpu = &vm->vcpu[i];

                if (vm->machine.vcpu[i].gives && (gpa & ~vm->bit) - vcpu->given < vcpu->given_bytes)
                        return true;
        }
        return false;
}

static bool has_pin(const struct vcpu *vcpu, uint64_t gpa, uint64_t bytes)
{
        for (unsigned i = 0; i < vcpu->pins; i++)
                if (vcpu->pin[i] - gpa < bytes)
                        return true;
        return false;
}

static bool uses(struct pages *pages, uint64_t gpa, uint64_t bytes)
{
        const struct vm *const vm = pages->context;

        for (unsigned i = 0; i < vm->vcpus; i++) {
                const struct vcpu *const vcpu = &vm->vcpu[i];
                const bool gives = vm->machine.vcpu[i].gives && vcpu->given < gpa + bytes &&
                                   gpa < vcpu->given + vcpu->given_bytes;

                if (gives || has_pin(vcpu, gpa, bytes))
                        return true;
        }
        return false;
}

static bool unmap(struct pages *pages, const struct page *page, uint64_t gpa, enum page_place place)
{
        const struct vm *const vm = pages->context;
        const void *const from = place == PAGE_SECURE_PLACE
                                         ? frame_address(pages->frames, page->frame)
                                         : vm->normal + (uint64_t)page->normal * FRAME_BYTES;

        if (is_in_flight(vm, gpa))
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

/* Data that the tag of a page also authenticates: the page's place in its VM. Each VM has a key of
 * its own. */
struct label {
        uint64_t gpa, version, order;
};

static void make_nonce(uint64_t version, uint8_t nonce[CRYPTO_NONCE_BYTES])
{
        memset(nonce, 0, CRYPTO_NONCE_BYTES);
        memcpy(nonce, &version, sizeof(version));
}

static bool encrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from, void *to,
                    uint8_t tag[PAGE_TAG_BYTES])
{
        struct vm *const vm = pages->context;
        const struct label label = {gpa, version, NOVA_UV_ORDER_PAGE};
        uint8_t nonce[CRYPTO_NONCE_BYTES];

        make_nonce(version, nonce);
        return crypto_gcm_seal(&vm->key, nonce, &label, sizeof(label), from, FRAME_BYTES, to,
                               tag) == CRYPTO_OK;
}

static bool decrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from,
                    const uint8_t tag[PAGE_TAG_BYTES], void *to)
{
        struct vm *const vm = pages->context;
        const struct label label = {gpa, version, NOVA_UV_ORDER_PAGE};
        uint8_t nonce[CRYPTO_NONCE_BYTES];

        make_nonce(version, nonce);
        return crypto_gcm_open(&vm->key, nonce, &label, sizeof(label), from, FRAME_BYTES, tag,
                               to) == CRYPTO_OK;
}

const struct page_ops memory_page_ops = {unmap, uses, copy_in, copy_out, encrypt, decrypt};
