/* SPDX-License-Identifier: BSD-2-Clause */
/* Linked to the ultravisor, this makes the program secure-racing, in which other threads seem to
 * act at the worst moment. During UV_ESM number n, another VM takes all free frames before the n-th
 * allocation, and gives them back at the end. A thread of the VMM removes the slot at RACE_SLOT
 * when a guest begins to unshare a page of this slot. It moves the page table RACE_TABLE out when
 * the library begins to handle an access to a device, and again each time the table has come back.
 * While the VMM brings RACE_PAGE back, either another VM has all free frames, or another virtual
 * CPU has brought the page back before and its VMM has moved the page out again. In each UV_ESM
 * after the first one that has succeeded, the VMM calls UV_SVM_TERMINATE after the last
 * measurement. The first UV_ESM finds that the machine of another VM is still being created. */
#include "race.h"

#include <errno.h>
#include <limits.h>

#include "novart/time.h"
#include "vm.h"

#define FRAMES  8192u /* more than the secure memory has */
#define FEW     3u    /* times that the table moves out again during the first access */
#define LOST    6u    /* requests for RACE_PAGE without success */
#define SOON_NS 1000000

enum nova_u_status __real_convert(struct vm *vm, struct nova_vcpu *vcpu);
enum nova_u_status __wrap_convert(struct vm *vm, struct nova_vcpu *vcpu);
uint32_t __real_frame_take(struct frames *frames);
uint32_t __wrap_frame_take(struct frames *frames);
uint32_t __real_frame_take_block(struct frames *frames);
uint32_t __wrap_frame_take_block(struct frames *frames);
uint64_t __real_memory_unmap_ahead(struct vm *vm, uint64_t gpa, uint64_t pages);
uint64_t __wrap_memory_unmap_ahead(struct vm *vm, uint64_t gpa, uint64_t pages);
int __real_reflect(struct nova_vcpu *vcpu, enum nova_h_call call, const uint64_t parameters[4],
                   uint64_t *value);
int __wrap_reflect(struct nova_vcpu *vcpu, enum nova_h_call call, const uint64_t parameters[4],
                   uint64_t *value);
bool __real_memory_exit(struct nova_vcpu *vcpu);
bool __wrap_memory_exit(struct nova_vcpu *vcpu);
bool __real_memory_get(struct nova_vcpu *vcpu, uint64_t gpa);
bool __wrap_memory_get(struct nova_vcpu *vcpu, uint64_t gpa);
int __real_nova_mutex_lock_until(struct nova_mutex *mutex, uint64_t deadline);
int __wrap_nova_mutex_lock_until(struct nova_mutex *mutex, uint64_t deadline);

/* The lock of the VMs protects these variables. */
static uint32_t taken[FRAMES], taken_count;
static unsigned conversion, allocation;
static bool converting;
static bool converted; /* a UV_ESM has succeeded */
static bool ends;      /* UV_SVM_TERMINATE has come at the end of this UV_ESM */

static void take_all(struct frames *frames)
{
        uint32_t frame;

        do {
                frame = __real_frame_take(frames);
                if (frame != FRAME_NONE)
                        taken[taken_count++] = frame;
        } while (frame != FRAME_NONE);
}

static void give_all(void)
{
        while (taken_count)
                frame_give(&memory_frames, taken[--taken_count]);
}

static void starve(struct frames *frames)
{
        if (converting && ++allocation == conversion)
                take_all(frames);
}

uint32_t __wrap_frame_take(struct frames *frames)
{
        starve(frames);
        return __real_frame_take(frames);
}

uint32_t __wrap_frame_take_block(struct frames *frames)
{
        starve(frames);
        return __real_frame_take_block(frames);
}

int __wrap_nova_mutex_lock_until(struct nova_mutex *mutex, uint64_t deadline)
{
        static unsigned calls;

        return __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST)
                       ? __real_nova_mutex_lock_until(mutex, deadline)
                       : ETIMEDOUT;
}

enum nova_u_status __wrap_convert(struct vm *vm, struct nova_vcpu *vcpu)
{
        enum nova_u_status status;

        vm_lock();
        conversion++;
        allocation = 0;
        converting = true;
        vm_unlock();
        status = __real_convert(vm, vcpu);
        vm_lock();
        converting = false;
        converted |= !status;
        vm->users -= ends;
        ends = false;
        give_all();
        vm_unlock();
        return status;
}

/* Removes the slot of a page that the guest shares, as UV_UNREGISTER_MEM_SLOT does. */
static void remove_slot(struct pages *pages, uint64_t gpa)
{
        const struct page *page;
        unsigned slot = 0;

        vm_lock();
        page = page_find(pages, gpa);
        if (!page || !page->shared)
                slot = PAGE_SLOTS;
        while (slot < PAGE_SLOTS && gpa - pages->slot[slot].start >= pages->slot[slot].bytes)
                slot++;
        if (slot < PAGE_SLOTS && page_slot_close(pages, slot))
                while (page_slot_free(pages, slot))
                        ;
        vm_unlock();
}

uint64_t __wrap_memory_unmap_ahead(struct vm *vm, uint64_t gpa, uint64_t pages)
{
        if (gpa >= RACE_SLOT)
                remove_slot(&vm->pages, gpa);
        return __real_memory_unmap_ahead(vm, gpa, pages);
}

static void take_page(struct vm *vm, uint64_t gpa)
{
        vm_lock();
        page_out(&vm->pages, gpa, (uint32_t)(gpa / FRAME_BYTES), 0);
        vm_unlock();
}

/* Asks the VMM for RACE_PAGE while another VM has all free frames.
 * @return the status of the VMM's answer */
static int ask_without_frames(struct nova_vcpu *vcpu, const uint64_t parameters[4])
{
        int status;

        vm_lock();
        take_all(&memory_frames);
        vm_unlock();
        status = __real_reflect(vcpu, NOVA_H_SVM_PAGE_IN, parameters, NULL);
        vm_lock();
        give_all();
        vm_unlock();
        return status;
}

int __wrap_reflect(struct nova_vcpu *vcpu, enum nova_h_call call, const uint64_t parameters[4],
                   uint64_t *value)
{
        static unsigned lost;

        if (call != NOVA_H_SVM_PAGE_IN || parameters[0] != RACE_PAGE || lost >= LOST)
                return __real_reflect(vcpu, call, parameters, value);
        if (lost++ % 2)
                return ask_without_frames(vcpu, parameters);
        __real_reflect(vcpu, call, parameters, value);
        take_page(vm_of(vcpu), RACE_PAGE);
        return NOVA_H_PARAMETER;
}

static unsigned accesses; /* number of accesses to devices */
static unsigned takes;    /* times that the table moves out again, after it has come back */

bool __wrap_memory_exit(struct nova_vcpu *vcpu)
{
        const bool is_memory = __real_memory_exit(vcpu);

        if (!is_memory) {
                takes = accesses++ ? UINT_MAX : FEW;
                take_page(vm_of(vcpu), RACE_TABLE);
        }
        return is_memory;
}

/* Tells the VMM that all parts of the image are measured, and waits until the VMM has called
 * UV_SVM_TERMINATE. The VM counts as used, so its machine stays until the end of UV_ESM. */
static void wait_for_end(struct nova_vcpu *vcpu)
{
        const uint64_t parameters[4] = {RACE_LAST, 0, NOVA_UV_ORDER_PAGE, 0};
        struct vm *const vm = vm_of(vcpu);

        vm_lock();
        vm->users++;
        vm_unlock();
        __real_reflect(vcpu, NOVA_H_SVM_PAGE_IN, parameters, NULL);
        while (!ends) {
                nova_sleep(SOON_NS);
                vm_lock();
                ends = vm->state == VM_ENDING;
                vm_unlock();
        }
}

bool __wrap_memory_get(struct nova_vcpu *vcpu, uint64_t gpa)
{
        const bool got = __real_memory_get(vcpu, gpa);

        if (converting && converted && gpa == RACE_LAST)
                wait_for_end(vcpu);
        if (got && gpa == RACE_TABLE && takes) {
                takes--;
                take_page(vm_of(vcpu), RACE_TABLE);
        }
        return got;
}
