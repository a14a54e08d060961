/* SPDX-License-Identifier: BSD-2-Clause */
/* States of the model of pages (pages_model.h) that no further step can tell from each other. */
#ifndef NOVA_TESTS_SECURE_PAGES_SAME_H
#define NOVA_TESTS_SECURE_PAGES_SAME_H

#include "pages_model.h"

/* Returns what the steps can read of a word in the VMM's memory: after the start of UV_ESM, they
 * only decrypt it. A ciphertext counts while its page is out and has its tag, or while the page has
 * not changed since the snapshot that made the ciphertext, and can move out again. No other page
 * accepts it, now or later: each later encryption has a new version, or encrypt() reports it. */
static uint16_t readable(const struct state *state, uint16_t word)
{
        const unsigned page = word >> 4 & 1, version = word >> 8 & 15;

        if (state->phase == 0)
                return word;
        if ((word & KIND) != CIPHER)
                return GARBAGE;
        if (state->page[page].state == PAGE_OUT)
                return state->page[page].tag == tag_of(gpa_of(page), version, word) ? word
                                                                                    : GARBAGE;
        return state->page[page].flags & 16 && state->page[page].version == version &&
                               state->versions < most_versions
                       ? word
                       : GARBAGE;
}

/* Removes what no further step of a virtual CPU reads. */
static void forget(struct vcpu *vcpu)
{
        if (vcpu->next == GUEST)
                *vcpu = (struct vcpu){.page = vcpu->gives ? vcpu->page : 0, .gives = vcpu->gives};
        if (vcpu->next == GET_SHARED || vcpu->next == REPLY || (vcpu->next == MAP && !vcpu->secure))
                vcpu->write = 0;
        if (vcpu->next == REPLY)
                vcpu->secure = 0;
}

/* Returns a ciphertext with another version. tag_with_version() does this for a tag that contains a
 * ciphertext. */
static uint16_t with_version(uint16_t word, unsigned version)
{
        return (word & KIND) == CIPHER ? (uint16_t)((word & ~0xf00u) | version << 8) : word;
}

static uint32_t tag_with_version(uint32_t tag, unsigned version)
{
        const uint16_t cipher = with_version((uint16_t)tag, version);

        return (tag & ~0xffffffu) | version << 16 | cipher;
}

/* Renumbers the versions of the pages, in the order of the pages. A step only compares versions for
 * equality, or takes a new one, so the number of encryptions has no limit. */
static void renumber(struct state *state)
{
        const struct state old = *state;
        uint8_t number[sizeof(old.nonce) / sizeof(old.nonce[0])] = {0}, count = 0;

        for (unsigned i = 0; i < PAGES; i++) {
                uint8_t *const version = &state->page[i].version;

                if (!*version)
                        continue;
                if (!number[*version])
                        number[*version] = ++count;
                *version = number[*version];
                if (state->page[i].state == PAGE_OUT)
                        state->page[i].tag = tag_with_version(state->page[i].tag, *version);
        }
        for (unsigned i = 0; i < NORMALS; i++)
                state->normal[i] =
                        with_version(state->normal[i], number[state->normal[i] >> 8 & 3]);
        state->saved = with_version(state->saved, number[state->saved >> 8 & 3]);
        memset(state->nonce, 0xff, sizeof(state->nonce));
        for (unsigned i = 1; i < sizeof(number); i++)
                if (number[i])
                        state->nonce[number[i]] = old.nonce[i];
        state->versions = count;
}

/* Removes what no step reads: tags, versions and ciphertexts without a use, the contents of nonces
 * if there is no further encryption, and what a virtual CPU did before. Virtual CPUs that use the
 * same pages are equal, so their order does not matter. */
static void simplify(struct state *state)
{
        for (unsigned i = 0; i < PAGES; i++) {
                if (state->page[i].state != PAGE_OUT)
                        state->page[i].tag = 0;
                if (state->page[i].state != PAGE_OUT && !(state->page[i].flags & 16))
                        state->page[i].version = 0;
        }
        for (unsigned i = 0; i < NORMALS; i++)
                state->normal[i] = readable(state, state->normal[i]);
        state->saved = readable(state, state->saved);
        if (state->versions == most_versions)
                memset(state->nonce, 0xff, sizeof(state->nonce));
        if (has('v'))
                renumber(state);
        for (unsigned i = 0; i < VCPUS; i++)
                forget(&state->vcpu[i]);
        if (memcmp(&state->vcpu[0], &state->vcpu[1], sizeof(state->vcpu[0])) > 0) {
                const struct vcpu vcpu = state->vcpu[0];

                state->vcpu[0] = state->vcpu[1];
                state->vcpu[1] = vcpu;
        }
}

static uint16_t with_other_page(uint16_t word)
{
        return (word & KIND) == CIPHER ? word ^ 1u << 4 : word;
}

/* Gives each page the other one's number. */
static void exchange_pages(struct state *state)
{
        const struct state old = *state;

        for (unsigned i = 0; i < PAGES; i++) {
                state->page[i] = old.page[1 - i];
                if (state->page[i].state == PAGE_OUT)
                        state->page[i].tag ^= 1u << 24 | 1u << 4;
                memcpy(state->map[i], old.map[1 - i], sizeof(state->map[i]));
        }
        for (unsigned i = 0; i < VCPUS; i++)
                if (state->vcpu[i].next != GUEST || state->vcpu[i].gives)
                        state->vcpu[i].page ^= 1;
        for (unsigned i = 0; i < NORMALS; i++)
                state->normal[i] = with_other_page(state->normal[i]);
        state->saved = with_other_page(state->saved);
        for (unsigned i = 0; i < sizeof(state->nonce) / sizeof(state->nonce[0]); i++)
                if (state->nonce[i] != UINT16_MAX)
                        state->nonce[i] ^= 1u << 4;
}

/* Replaces a state by the first of those that differ from it only in the numbers of pages and of
 * virtual CPUs. Only UV_ESM and the use `o` treat the pages differently. */
static void normalize(struct state *state)
{
        struct state other;

        if (has('u'))
                return;
        simplify(state);
        if (state->phase < 2 || has('o'))
                return;
        other = *state;
        exchange_pages(&other);
        simplify(&other);
        if (memcmp(&other, state, sizeof(other)) < 0)
                *state = other;
}

#endif
