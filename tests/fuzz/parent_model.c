/* SPDX-License-Identifier: BSD-2-Clause */
/* The answers that init may give to a program (see parent_model.h). */
#include "parent_model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hip.h"
#include "nova/utcb.h"
#include "novart/program.h"

#define OFFERS      16
#define PCI_DEVICES 2 /* number of PCI devices in the description */

/* The services that programs have offered. */
static struct offer {
        char name[NOVA_PARENT_NAME];
        const struct nova_child *child;
        unsigned number; /* number of the program */
        nova_sel_t sel;
} offers[OFFERS];
static unsigned count;

void model_begin(void)
{
        count = 0;
}

static struct offer *find(const char *name)
{
        for (unsigned i = 0; i < count; i++)
                if (!strcmp(offers[i].name, name))
                        return &offers[i];
        return NULL;
}

void model_forget_ended(void)
{
        for (unsigned i = count; i-- > 0;) {
                const struct program *const program = &init.program[offers[i].number];

                if (program->child != offers[i].child || program->child->state != CHILD_RUNNING)
                        offers[i] = offers[--count];
        }
}

static const struct nova_system_program *says(const struct model_message *message)
{
        return &init.system.program[message->number];
}

static bool has(struct nova_system_list list, const char *word)
{
        for (unsigned i = 0; i < list.count; i++)
                if (!strcmp(init.system.word[list.first + i], word))
                        return true;
        return false;
}

/* Returns the name that begins at a word; NULL: none. */
static const char *name_at(const struct model_message *message, unsigned at)
{
        const char *const name = (const char *)&message->word[at];

        return at < message->words && name[0] && memchr(name, 0, NOVA_PARENT_NAME) ? name : NULL;
}

static int expect_open(const struct model_message *message, const char *name)
{
        if (!name)
                return EINVAL;
        if (!has(says(message)->uses, name))
                return EACCES;
        if (find(name))
                return 0;
        for (unsigned i = 0; i < init.system.programs; i++)
                if (has(init.program[i].says->provides, name) &&
                    init.program[i].state == PROGRAM_OVER)
                        return ESRCH;
        return EAGAIN;
}

static int expect_serve(const struct model_message *message, const char *name)
{
        if (!name || !message->item.is)
                return EINVAL;
        return !has(says(message)->provides, name) ? EACCES : find(name) ? EEXIST : 0;
}

static int expect_sc(const struct model_message *message)
{
        if (message->child->sc_count == CHILD_SCS_MAX)
                return EAGAIN;
        return message->item.is && message->item.object == THREAD ? 0 : EINVAL;
}

static bool is_sc(const struct nova_child *child, nova_sel_t sel)
{
        for (const struct child_sc *sc = child->scs; sc; sc = sc->next)
                if (!sc->dropped && sc->sel == sel)
                        return true;
        return false;
}

static int expect_drop(const struct model_message *message)
{
        for (const struct child_sc *sc = message->child->scs; sc; sc = sc->next)
                if (!sc->dropped && sc->number == message->word[1])
                        return 0;
        return EINVAL;
}

static int expect_module(const struct model_message *message, const char *name)
{
        if (!name)
                return EINVAL;
        if (!has(says(message)->modules, name))
                return ENOENT;
        return message->word[1] < 2 ? 0 : EINVAL;
}

static int expect_device(const struct model_message *message, const char *name)
{
        if (!name)
                return EINVAL;
        return has(says(message)->devices, name) ? MODEL_UNKNOWN : ENOENT;
}

static int expect_pci(const struct model_message *message)
{
        if ((unsigned)message->word[1] == NOVA_PARENT_PCI_WATCH && !message->item.is)
                return EINVAL;
        if (!has(says(message)->devices, NOVA_SYSTEM_PCI))
                return EACCES;
        if ((unsigned)message->word[1] == NOVA_PARENT_PCI_DEVICE)
                return message->word[2] < PCI_DEVICES ? 0 : ENOENT;
        return MODEL_UNKNOWN;
}

static int expect_watch(const struct model_message *message)
{
        unsigned free = 0;

        if (!message->item.is || message->item.at)
                return EINVAL;
        for (unsigned i = 0; i < NOVA_PARENT_WATCHES; i++)
                free += !message->child->watch[i] ||
                        parent_object(message->child->watch[i]) == NOTHING;
        return free ? 0 : ENOSPC;
}

static int expect_write(const struct model_message *message)
{
        const unsigned room = message->words < 2 ? 0 : message->words - 2;

        return message->words >= 2 && message->word[1] <= room * sizeof(nova_word_t) ? 0 : EINVAL;
}

static int expect_power(const struct model_message *message)
{
        if (!(says(message)->grants & NOVA_SYSTEM_GRANT_POWER))
                return EPERM;
        return message->word[1] > 1 ? EINVAL : ENOTSUP;
}

static int expect_program(const struct model_message *message)
{
        if (!(says(message)->grants & NOVA_SYSTEM_GRANT_STATUS))
                return EACCES;
        return message->word[1] < init.system.programs ? 0 : ENOENT;
}

static int expect_status(const struct model_message *message)
{
        if (!message->word[1] || message->word[1] > NOVA_PARENT_STATUS_OWN)
                return EINVAL;
        if (!(says(message)->grants & NOVA_SYSTEM_GRANT_STATUS))
                return EACCES;
        return message->word[1] == NOVA_PARENT_STATUS_SESSION ? MODEL_UNKNOWN : 0;
}

static int expect(const struct model_message *message)
{
        switch (message->word[0]) {
        case 0: /* no operation, or an event */
        case NOVA_PARENT_BEGIN:
        case NOVA_PARENT_EVENTS:
                return 0;
        case NOVA_PARENT_OPEN:
                return expect_open(message, name_at(message, 1));
        case NOVA_PARENT_SERVE:
                return expect_serve(message, name_at(message, 1));
        case NOVA_PARENT_SC:
                return expect_sc(message);
        case NOVA_PARENT_SC_DROP:
                return expect_drop(message);
        case NOVA_PARENT_WRITE:
                return expect_write(message);
        case NOVA_PARENT_MODULE:
                return expect_module(message, name_at(message, 2));
        case NOVA_PARENT_DEVICE:
                return expect_device(message, name_at(message, 4));
        case NOVA_PARENT_POWER:
                return expect_power(message);
        case NOVA_PARENT_PCI:
                return expect_pci(message);
        case NOVA_PARENT_WATCH:
                return expect_watch(message);
        case NOVA_PARENT_ENDED:
                return says(message)->grants & NOVA_SYSTEM_GRANT_CHILDREN ? 0 : EPERM;
        case NOVA_PARENT_PROGRAM:
                return expect_program(message);
        case NOVA_PARENT_STATUS:
                return expect_status(message);
        case NOVA_PARENT_FAULT: /* a program that reports a fault ends, and gets no answer */
        case NOVA_PARENT_EXIT:
                return EINVAL;
        default:
                return ENOSYS;
        }
}

void model_expect(struct model_message *message)
{
        message->expected = expect(message);
}

/* Returns true if a range of numbers lies inside one range of a list. overlaps() returns true if it
 * overlaps one. */
static bool lies_in(struct nova_system_list list, uint64_t first, uint64_t last)
{
        for (unsigned i = 0; i < list.count; i++) {
                const struct nova_system_range *const range = &init.system.range[list.first + i];

                if (first >= range->first && last <= range->last)
                        return true;
        }
        return false;
}

static bool overlaps(struct nova_system_list list, uint64_t first, uint64_t last)
{
        for (unsigned i = 0; i < list.count; i++) {
                const struct nova_system_range *const range = &init.system.range[list.first + i];

                if (first <= range->last && range->first <= last)
                        return true;
        }
        return false;
}

/* Returns the interrupt that has an index; UINT64_MAX: none. */
static uint64_t interrupt_at(nova_word_t index, struct nova_system_list list)
{
        for (unsigned i = 0; i < list.count; i++) {
                const struct nova_system_range *const range = &init.system.range[list.first + i];
                const uint64_t count = range->last - range->first + 1;

                if (index < count)
                        return range->first + index;
                index -= (nova_word_t)count;
        }
        return UINT64_MAX;
}

/* Checks a resource that a program gets for a device of the description: it must be the device's
 * own. */
static void check_device(const struct model_message *message, nova_crd_t crd)
{
        const char *const name = name_at(message, 4);
        const int at = nova_system_find_device(&init.system, name);
        const struct nova_system_device *const device = &init.system.device[at];
        const uint64_t first = nova_crd_base(crd), last = first + nova_crd_count(crd) - 1;
        const uint64_t phys = (first << NOVA_PAGE_BITS) - PARENT_VIEW;
        const uint64_t end = phys + (nova_crd_count(crd) << NOVA_PAGE_BITS) - 1;

        require(has(says(message)->devices, name) && at >= 0);
        if (nova_crd_type(crd) == NOVA_CRD_IO) {
                require(lies_in(device->ports, first, last));
        } else if (nova_crd_type(crd) == NOVA_CRD_MEM) {
                require(!(nova_crd_perms(crd) & NOVA_MEM_X));
                require(strcmp(name, NOVA_SYSTEM_PCI)
                                ? lies_in(device->memory, phys, end)
                                : phys >= PARENT_BUS && end < PARENT_BUS + 0x200000);
        } else {
                const enum object object = parent_object(first);

                require(nova_crd_perms(crd) == (NOVA_SM_UP | NOVA_SM_DN) && first == last);
                require(first == parent_turn() ||
                        (object == INTERRUPT &&
                         parent_interrupt(first) ==
                                 interrupt_at((unsigned)message->word[2], device->interrupts)));
        }
}

static bool is_part(const struct nova_system_device *device, nova_crd_t crd)
{
        const uint64_t first = nova_crd_base(crd), last = first + nova_crd_count(crd) - 1;
        const uint64_t phys = (first << NOVA_PAGE_BITS) - PARENT_VIEW;

        if (nova_crd_type(crd) == NOVA_CRD_IO)
                return lies_in(device->ports, first, last);
        if (nova_crd_type(crd) == NOVA_CRD_MEM)
                return lies_in(device->memory, phys, phys);
        return first == parent_turn() ? !strcmp(device->name, "serial")
                                      : lies_in(device->interrupts, parent_interrupt(first),
                                                parent_interrupt(first));
}

/* Returns the program that may have a part of a device. The program with the configuration space of
 * PCI has all parts that belong to no device of another program. */
static const struct program *user_of(nova_crd_t crd)
{
        int number = -1;

        for (unsigned i = 0; i < init.system.devices && number < 0; i++)
                if (is_part(&init.system.device[i], crd))
                        number = nova_system_owner(&init.system, init.system.device[i].name);
        return &init.program[number < 0 ? nova_system_owner(&init.system, NOVA_SYSTEM_PCI)
                                        : number];
}

void model_check_devices(void)
{
        nova_crd_t crd;

        for (unsigned i = 0; parent_given(i, &crd); i++) {
                const struct program *const program = user_of(crd);

                require(program->state == PROGRAM_RUNS && !program->ended);
        }
}

static void check_pci_memory(uint64_t phys, uint64_t end)
{
        struct nova_hip_mem mem;

        for (unsigned i = 0; nova_hip_get_mem(nova_program.hip, i, &mem); i++)
                require(end < mem.addr || phys >= mem.addr + mem.size);
        for (unsigned i = 0; i < init.system.devices; i++)
                require(!overlaps(init.system.device[i].memory, phys, end));
}

/* Checks a resource of a PCI function: it must not belong to the machine or to another device. */
static void check_pci(const struct model_message *message, nova_crd_t crd)
{
        const uint64_t first = nova_crd_base(crd), last = first + nova_crd_count(crd) - 1;
        const uint64_t phys = (first << NOVA_PAGE_BITS) - PARENT_VIEW;

        require(has(says(message)->devices, NOVA_SYSTEM_PCI));
        if (nova_crd_type(crd) == NOVA_CRD_MEM) {
                require(!(nova_crd_perms(crd) & NOVA_MEM_X));
                check_pci_memory(phys, phys + (nova_crd_count(crd) << NOVA_PAGE_BITS) - 1);
                return;
        }
        if (nova_crd_type(crd) == NOVA_CRD_OBJ)
                require(first == last && parent_object(first) == INTERRUPT);
        else
                require(first >= 0x1000 && parent_has_port((unsigned)first) &&
                        parent_has_port((unsigned)last));
        for (unsigned i = 0; i < init.system.devices; i++) {
                const struct nova_system_device *const device = &init.system.device[i];

                if (nova_crd_type(crd) == NOVA_CRD_IO)
                        require(!overlaps(device->ports, first, last));
                else if (nova_system_owner(&init.system, device->name) >= 0)
                        require(!overlaps(device->interrupts, parent_interrupt(first),
                                          parent_interrupt(first)));
        }
}

/* Checks pages that a program gets: they must be pages of the module, and not writable. */
static void check_module(const struct model_message *message, nova_crd_t crd)
{
        const unsigned more = says(message)->grants & NOVA_SYSTEM_GRANT_CHILDREN ? NOVA_MEM_X : 0;
        const nova_word_t module = (nova_word_t)parent_disk >> NOVA_PAGE_BITS;

        require(has(says(message)->modules, "disk.img") && nova_crd_type(crd) == NOVA_CRD_MEM);
        require(nova_crd_base(crd) >= module &&
                nova_crd_base(crd) + nova_crd_count(crd) <= module + 2);
        require(!(nova_crd_perms(crd) & ~(NOVA_MEM_R | more)));
}

static void check_begin(const struct model_message *message, nova_crd_t crd)
{
        const nova_sel_t block = message->child->block;
        const bool children = says(message)->grants & NOVA_SYSTEM_GRANT_CHILDREN;

        require(nova_crd_type(crd) == NOVA_CRD_OBJ && !nova_crd_order(crd));
        require(nova_crd_base(crd) == block + CHILD_PD || nova_crd_base(crd) == block + CHILD_EC);
        if (nova_crd_base(crd) == block + CHILD_PD && !children)
                require(!(nova_crd_perms(crd) & (NOVA_PD_PD | NOVA_PD_SC)));
}

static void check_pages(unsigned number, const struct nova_child *child, nova_crd_t crd)
{
        const bool children = child->flags & NOVA_CHILD_MAY_HAVE_CHILDREN;
        const unsigned perms = nova_crd_perms(crd);

        require(nova_crd_type(crd) == NOVA_CRD_MEM && nova_crd_order(crd) <= 8);
        for (nova_word_t i = 0; i < nova_crd_count(crd); i++) {
                const nova_word_t page = nova_crd_base(crd) + i;

                require(parent_page_is_of(page, &init.system.program[number]) ||
                        (parent_page_is_file(page) && !(perms & NOVA_MEM_W)));
        }
        require(children || !(perms & NOVA_MEM_W && perms & NOVA_MEM_X));
}

static void check_item(const struct model_message *message, nova_crd_t crd)
{
        const struct offer *offer;

        switch (message->word[0]) {
        case NOVA_PARENT_BEGIN:
                check_begin(message, crd);
                break;
        case NOVA_PARENT_EVENTS:
                check_pages(message->number, message->child, crd);
                break;
        case NOVA_PARENT_OPEN:
                offer = find(name_at(message, 1));
                require(offer &&
                        crd == nova_crd_obj(offer->sel, NOVA_PARENT_SERVICE_ORDER, NOVA_PERM_ALL));
                break;
        case NOVA_PARENT_SC:
                require(nova_crd_type(crd) == NOVA_CRD_OBJ && !nova_crd_order(crd) &&
                        is_sc(message->child, nova_crd_base(crd)) &&
                        parent_object(nova_crd_base(crd)) == SCHEDULE);
                break;
        case NOVA_PARENT_MODULE:
                check_module(message, crd);
                break;
        case NOVA_PARENT_DEVICE:
                check_device(message, crd);
                break;
        case NOVA_PARENT_PCI:
                check_pci(message, crd);
                break;
        default:
                require(false);
        }
}

void model_check_pages(unsigned number, const struct nova_child *child,
                       const struct nova_utcb *utcb)
{
        struct nova_item item;

        for (unsigned i = 0; nova_utcb_get_item(utcb, i, &item); i++)
                check_pages(number, child, item.crd);
}

static void offer(const struct model_message *message)
{
        struct offer *const new = &offers[count++];

        require(count <= OFFERS);
        strcpy(new->name, name_at(message, 1));
        new->child = message->child;
        new->number = message->number;
        new->sel = message->window;
}

static void check_words(const struct model_message *message, const struct nova_utcb *utcb)
{
        const struct nova_parent_program *const program = (const void *)&utcb->word[1];

        if (message->word[0] == NOVA_PARENT_PROGRAM)
                require(!strcmp(program->name, init.system.program[message->word[1]].name));
        if (message->word[0] == NOVA_PARENT_MODULE)
                require(utcb->word[1] == 2 * NOVA_PAGE_SIZE - 100 && utcb->word[2] &&
                        utcb->word[2] <= 2 - message->word[1]);
        if (message->word[0] == NOVA_PARENT_SERVE)
                offer(message);
        if (message->word[0] == NOVA_PARENT_WATCH) /* init keeps only the semaphore */
                for (nova_sel_t i = 1; i < 1U << NOVA_PARENT_SERVICE_ORDER; i++)
                        require(parent_object(message->window + i) == NOTHING);
}

void model_check(const struct model_message *message, const struct nova_utcb *utcb)
{
        const int error = (int)utcb->word[0];
        struct nova_item item;

        require(nova_utcb_word_count(utcb));
        if (error)
                require(nova_utcb_word_count(utcb) == 1 && !nova_utcb_item_count(utcb));
        if (message->expected > 0)
                require(error && (error == message->expected || parent_refuses));
        if (message->expected == 0)
                require(!error || parent_refuses);
        if (error)
                return;
        check_words(message, utcb);
        for (unsigned i = 0; nova_utcb_get_item(utcb, i, &item); i++) {
                require(nova_item_is_delegate(item) && !(item.flags & NOVA_ITEM_H));
                check_item(message, item.crd);
        }
}

void model_check_line(const char *text, size_t bytes)
{
        char line[256], client[32], service[32], provider[32], what[8];

        snprintf(line, sizeof(line), "%.*s", (int)bytes, text);
        if (sscanf(line, "init: %31s still waits for the service '%31[^']': '%31[^']' %7s", client,
                   service, provider, what) != 4 ||
            strcmp(what, "runs") != 0)
                return;
        for (unsigned i = 0; i < init.system.programs; i++)
                require(strcmp(init.system.program[i].name, provider) != 0 ||
                        init.program[i].child->state < CHILD_CLOSED);
}
