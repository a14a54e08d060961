/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions that memory.c calls, without a kernel (see room.h). */
#include "room.h"

#include <stdlib.h>
#include <string.h>

#include "vm.h"

bool room_maps, room_refuses;
unsigned room_asked, room_waits, room_pauses;

enum { KEPT, MOVED }; /* slots */

static struct vm machine;
static struct nova_utcb_state registers;
static const char *why;
static bool locked; /* the service's lock is held */

static bool unmap(struct pages *pages, const struct page *page, uint64_t gpa, enum page_place place)
{
        (void)pages, (void)page, (void)gpa, (void)place;
        return !room_maps;
}

static bool uses(struct pages *pages, uint64_t gpa, uint64_t bytes)
{
        (void)pages, (void)gpa, (void)bytes;
        return room_maps;
}

static bool copy_in(struct pages *pages, void *to, uint32_t page)
{
        (void)pages, (void)to, (void)page;
        return true;
}

static bool copy_out(struct pages *pages, uint32_t page, const void *from)
{
        (void)pages, (void)page, (void)from;
        return true;
}

static bool encrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from, void *to,
                    uint8_t tag[PAGE_TAG_BYTES])
{
        (void)pages, (void)gpa, (void)version, (void)from, (void)to, (void)tag;
        return true;
}

static bool decrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from,
                    const uint8_t tag[PAGE_TAG_BYTES], void *to)
{
        (void)pages, (void)gpa, (void)version, (void)from, (void)tag, (void)to;
        return true;
}

const struct page_ops memory_page_ops = {unmap, uses, copy_in, copy_out, encrypt, decrypt};

/* Adds a slot whose first pages have frames. */
static bool add_slot(unsigned slot, uint64_t start, uint64_t bytes, size_t filled)
{
        struct page *const records = page_records(bytes);

        page_slot_reserve(&machine.pages, slot, start, bytes);
        page_slot_open(&machine.pages, slot, records);
        for (size_t i = 0; i < filled; i++)
                if (!page_fill(&machine.pages, &records[i]))
                        return false;
        return records;
}

bool room_begin(uint8_t *memory, size_t frames, size_t kept)
{
        const uint64_t bytes = 2 * frames * FRAME_BYTES;

        memset(&machine, 0, sizeof(machine));
        why = NULL;
        room_maps = room_refuses = false;
        room_asked = room_waits = room_pauses = 0;
        if (!frame_init(&memory_frames, memory, (uint32_t)frames))
                return false;
        machine.vcpus = machine.machine.vcpus = 2;
        machine.machine.vcpu[0].vm = &machine.machine;
        machine.machine.vcpu[0].state = &registers;
        machine.pages.normal_pages = (uint32_t)frames;
        memory_prepare(&machine);
        return (!kept || add_slot(KEPT, bytes, kept * FRAME_BYTES, kept)) &&
               add_slot(MOVED, 0, bytes, frames - kept);
}

const char *room_need_page(void)
{
        memory_get(&machine.machine.vcpu[0], machine.pages.slot[MOVED].bytes - FRAME_BYTES);
        return why;
}

void room_begin_search_at(size_t page)
{
        machine.pages.slot[MOVED].hand = page;
}

void room_end(void)
{
        while (page_end(&machine.pages))
                ;
        free(memory_frames.in_use);
        free(memory_frames.left);
}

/* Gives the VMM's answer. */
int reflect(struct nova_vcpu *vcpu, enum nova_h_call call, const uint64_t parameters[4],
            uint64_t *value)
{
        (void)vcpu, (void)value;
        room_asked++;
        if (call != NOVA_H_SVM_PAGE_OUT || room_refuses ||
            parameters[0] >= machine.pages.slot[MOVED].bytes)
                return NOVA_H_PARAMETER;
        return page_out(&machine.pages, parameters[0], 0, 0) ? NOVA_H_PARAMETER : NOVA_H_SUCCESS;
}

void guest_wait_for_others(struct nova_vcpu *vcpu)
{
        (void)vcpu;
        room_waits++;
        room_maps = false;
}

bool guest_pause(struct nova_vcpu *vcpu)
{
        (void)vcpu;
        room_pauses += !locked;
        return true;
}

void nova_vcpu_fail(struct nova_vcpu *vcpu, const char *format, ...)
{
        vcpu->vm->end = NOVA_VM_ERROR;
        why = format;
}

bool nova_vcpu_map(struct nova_vcpu *vcpu, nova_crd_t crd, nova_sel_t to)
{
        (void)vcpu, (void)crd, (void)to;
        return true;
}

void vm_lock(void)
{
        locked = true;
}

void vm_unlock(void)
{
        locked = false;
}
