/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of a hostile parent to its child's calls. A function of the child's side returns 0 or an
 * errno value, and ends after a limited number of calls. Memory that it returns has the size that
 * the parent named and has arrived; all addresses that it does not return are given back. It
 * receives only into ranges that it has reserved. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "child/parent_call.h"
#include "nova/crd.h"
#include "novart/fault.h"
#include "novart/parent.h"
#include "novart/parent_pci.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/start_page.h"

#define PARENT 0x400u
#define SEL    0x300u /* first selector for capabilities of an answer */
#define CALLS  8192u  /* maximum number during one function */

#define REGION_MAX ((size_t)1 << 36) /* largest region that a program can have */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct nova_program nova_program;

static struct nova_start_page start;
static uintptr_t region; /* reserved addresses; nothing is there, so no code may use them */
static size_t region_bytes;
static unsigned calls;

void answers_check_call(nova_sel_t portal, const struct nova_utcb *utcb)
{
        const nova_crd_t window = utcb->delegate_window;

        require(portal == PARENT && !utcb->translate_window && calls++ < CALLS);
        require(nova_utcb_untyped(utcb->items) == nova_utcb_word_count(utcb));
        if (nova_crd_type(window) == NOVA_CRD_OBJ)
                require(nova_crd_base(window) == SEL);
        else if (nova_crd_type(window) == NOVA_CRD_MEM && window != nova_crd_all(NOVA_CRD_MEM))
                require(nova_crd_base(window) << NOVA_PAGE_BITS == region &&
                        nova_crd_count(window) << NOVA_PAGE_BITS == region_bytes);
}

void answers_check_lookup(nova_crd_t crd)
{
        const nova_word_t base = nova_crd_base(crd);

        if (nova_crd_type(crd) == NOVA_CRD_MEM)
                require((base << NOVA_PAGE_BITS) - region < region_bytes);
        else if (nova_crd_type(crd) == NOVA_CRD_OBJ)
                require(base - SEL < NOVA_CPU_MAX);
}

void answers_check_revoke(nova_crd_t crd, bool own)
{
        (void)crd, (void)own;
        require(false);
}

void *nova_region_reserve(size_t bytes)
{
        require(!region && bytes && !(bytes & (bytes - 1)));
        if (answers_take() >= 0xf8 || bytes > REGION_MAX)
                return NULL;
        region_bytes = bytes;
        region = (uintptr_t)1 << 46;
        return (void *)region;
}

int nova_region_free(void *of)
{
        require(of && of == (void *)region);
        region = 0;
        return 0;
}

static int check(int error)
{
        require(error >= 0);
        require(!answers_utcb.delegate_window);
        calls = 0;
        return error;
}

/* Checks memory that a function has returned. Its addresses no longer count as reserved. */
static void check_memory(int error, const void *memory, size_t bytes)
{
        require((error == 0) == (region != 0));
        if (error)
                return;
        require((uintptr_t)memory == region && bytes && bytes <= region_bytes);
        require(region_bytes < 2 * bytes || region_bytes == NOVA_PAGE_SIZE);
        region = 0;
}

static void use_ranges(void)
{
        const char *const name = answers_take() & 1 ? "" : "device";
        const void *module = NULL;
        void *memory = NULL;
        size_t bytes = 0;
        uint16_t first, last;
        unsigned gsi;
        int error = check(nova_parent_module(name, &module, &bytes));

        check_memory(error, module, bytes);
        error = check(nova_parent_memory(name, answers_take(), &memory, &bytes));
        check_memory(error, memory, bytes);
        if (!check(nova_parent_ports(name, 0, &first, &last)))
                require(first <= last);
        check(nova_parent_interrupt(name, 0, SEL, &gsi));
}

static void use_pci(void)
{
        struct nova_parent_pci_device *const device = malloc(sizeof(*device));
        const size_t bytes = answers_take_word();
        void *memory = NULL;
        uint64_t begin;
        int error;

        if (!check(nova_parent_pci_describe(answers_take(), device)))
                require(strlen(device->name) < sizeof(device->name));
        error = check(nova_parent_pci_memory(answers_take_word(), bytes, &memory));
        check_memory(error, memory, bytes);
        check(nova_parent_pci_ports(0x100, 4));
        check(nova_parent_pci_obstacle(NOVA_PARENT_PCI_PORTS, 0x100, 4, &begin));
        check(nova_parent_pci_gsi(9, SEL));
        check(nova_parent_pci_quiet(1, true));
        check(nova_parent_pci_watch(7));
        free(device);
}

static void use_rest(void)
{
        static const struct nova_fault_report report;
        static const char text[2 * NOVA_PAGE_SIZE];

        check(nova_parent_open("name", SEL));
        check(nova_parent_serve("name", 0x500));
        check(nova_parent_watch(7));
        check(nova_parent_ended());
        check(nova_parent_sc(SEL, 8, 1, 1000));
        check(nova_parent_sc_drop(SEL));
        check(nova_parent_write(text, answers_take_word() % sizeof(text)));
        check(nova_parent_fault(&report));
        check(nova_parent_power(1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        answers_begin(data, size);
        nova_program.start = &start;
        nova_program.parent = PARENT;
        region = 0;
        calls = 0;
        while (answers_has_input())
                switch (answers_take() % 4) {
                case 0:
                        use_rest();
                        break;
                case 1:
                        use_pci();
                        break;
                case 2:
                        answers_has_input() ? check(nova_parent_events()) : 0;
                        break;
                default:
                        use_ranges();
                }
        require(!region);
        return 0;
}
