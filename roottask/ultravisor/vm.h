/* SPDX-License-Identifier: BSD-2-Clause */
/* The ultravisor's record of a VM, and the functions that the parts of the ultravisor share.
 *
 * Locks, in this order: a machine's lock (nova_vm_lock()), which is held while one of its exits is
 * handled; the service's lock, which protects the table of VMs, all pages and all frames. The
 * ultravisor holds neither lock while it calls a VMM. */
#ifndef ULTRAVISOR_VM_H
#define ULTRAVISOR_VM_H

#include "message.h"
#include "novart/service.h"
#include "novart/service/ultravisor.h"
#include "novavmm/vm.h"
#include "page.h"
#include "seal.h"
#include "secrets.h"

#define VM_COUNT     NOVA_UV_VMS /* VMs of all VMMs */
#define VM_LOW_BYTES 0x100000u   /* both views show the secure place below this address */
#define VM_PINS      32u

/* States of a record. */
enum vm_state {
        VM_FREE,
        VM_NORMAL,     /* entered by UV_WRITE_PATE */
        VM_CONVERTING, /* the machine exists; virtual CPU 0 performs UV_ESM */
        VM_SECURE,
        VM_ENDING /* the machine is being destroyed */
};

/* State of a virtual CPU in the ultravisor, besides struct nova_vcpu. */
struct vcpu {
        nova_sel_t portal; /* portal of the VMM; 0: none */
        nova_word_t cpu;
        uint64_t held[4];      /* bit n: the VMM has sent vector n, and CR8 holds it back */
        bool ask;              /* the VMM may have an interrupt; atomic */
        uint64_t given;        /* guest-physical address of the pages that the last reply mapped */
        uint64_t given_bytes;  /* size of these pages in bytes */
        bool given_narrow;     /* these pages are mapped without the permission to write */
        uint64_t pin[VM_PINS]; /* guest-physical addresses of pages that the current exit uses */
        unsigned pins;
        uint64_t starts[4];  /* bit n: the guest has sent a STARTUP message with vector n */
        uint8_t destination; /* destination of the next message of its local APIC */
        uint64_t last_address, last_exit; /* address and number of the last exit for a page */
        unsigned repeated;                /* consecutive exits for that address */
        bool resets;                      /* the guest has sent an INIT message */
};

struct vm {
        enum vm_state state;
        void *session; /* state of the VMM's session */
        uint16_t lpid;
        uint8_t *normal; /* address of the memory that the VMM shares */
        unsigned users;  /* calls of the VMM that use the machine */
        uint64_t bit; /* bit of guest-physical addresses that selects the view with secure places */
        uint64_t blob, params;
        bool aliases;  /* a page is aliased */
        bool told_128; /* a report has said that its VMM may not send vector 128 */
        struct pages pages;
        struct vcpu vcpu[NOVA_VM_VCPUS];
        unsigned vcpus;
        struct nova_vm machine;
        struct seal *seal; /* the opened blob; NULL: none */
        struct secrets secrets;
        struct crypto_gcm key; /* for pages that are moved out */
        size_t kernel_bytes;   /* kernel memory for its machine and its account */
        bool has_key, has_machine;
        uint64_t refused_pages; /* pages of the last slot if there was no memory for it; else 0 */
};

extern struct nova_service *vm_service;

/* Divides the secure memory and the kernel memory by a number of VMMs, before any of them has a
 * session. Without this call, each VMM can use all of this memory.
 * @param sessions bytes of kernel memory that the sessions of a VMM can charge to the ultravisor
 * @return false if the sessions leave no kernel memory for VMs */
bool vm_share(uint32_t vmms, size_t sessions);

/* Returns true if vm_share() has divided the memory. */
bool vm_is_shared(void);

/* Returns the maximum number of VMs of a VMM's share; without shares, of all VMMs together. */
unsigned vm_records(void);

/* Take and release the service's lock. Only a service that stops refuses the lock, and the service
 * of the ultravisor never stops. */
void vm_lock(void);
void vm_unlock(void);

/* Releases the service's lock for a moment, in the middle of long work. All data that the lock
 * protects may change meanwhile, so the caller must look up its pages again. */
void vm_yield(void);

/* Returns the record of a VM of a session; NULL: there is none. The service's lock is held. */
struct vm *vm_find(const void *session, uint64_t lpid);

/* Returns the number of frames that a VMM's VMs can have. */
uint32_t vm_limit(const struct vm *vm);

/* Returns the number of pages in the slots of a VMM's VMs. The service's lock is held. */
uint64_t vm_pages(const struct vm *vm);

/* Returns the number of VMs of a session. The service's lock is held. */
unsigned vm_count(const void *session);

/* Gives a client's new session a share of the memory: the share of the client's other session, or
 * a share that no client has. The client keeps the share until vm_close() of its last session. The
 * caller holds no lock. @return false: other clients have all shares */
bool vm_open(const char *client);

/* Enters a VM in the table. @return NULL: the table or the VMM's part of it is full */
struct vm *vm_add(void *session, uint16_t lpid);

/* Creates the machine of a VM and starts virtual CPU 0, which performs UV_ESM. The caller holds no
 * lock; the state is VM_CONVERTING.
 * @return U_SUCCESS; U_RETRY: a resource is missing, or another machine is still being created */
enum nova_u_status vm_start(struct vm *vm);

/* Returns true if a report about a VM may be printed: a VMM that repeats UV_ESM, or a guest that
 * becomes secure and fails again and again, must not fill the log. Takes the service's lock. */
bool vm_may_report(struct vm *vm);

/* Destroys the machine of a VM and frees all that belongs to it. If the caller's time ends with the
 * machine, or the VMM is killed, the runner of the handler completes this call within 200 ms. The
 * state is VM_ENDING; the caller holds no lock. Afterwards the VM is normal, and all its memory is
 * free, including kernel memory. */
void vm_stop(struct vm *vm);

/* settle.c: creates the objects of vm_settle().
 * @return 0; ENOMEM: too little kernel memory; EAGAIN: no free selector */
int vm_settle_init(void);

/* Returns when the kernel has freed all objects of the ultravisor that have ended. The kernel
 * bounds the wait: no program can prolong it. The caller holds no lock. */
void vm_settle(void);

/* Ends all VMs of a session that is closed. The caller holds no lock. */
void vm_close(const void *session);

/* convert.c: performs UV_ESM at the start of virtual CPU 0. @return its status */
enum nova_u_status convert(struct vm *vm, struct nova_vcpu *vcpu);

/* Reads the machine's private key. @return false: there is none */
bool convert_read_key(void);

/* exit.c: sets the handlers of a machine. */
void exit_init(struct vm *vm);

/* page_ops.c: mapping and encryption of the guest's pages. */
extern const struct page_ops memory_page_ops;

static inline nova_word_t page_number(const void *address)
{
        return (nova_word_t)address >> NOVA_PAGE_BITS;
}

/* memory.c: places of the guest's memory. */
void memory_prepare(struct vm *vm); /* before the machine exists */
/* Maps the memory that the guest's access needs. @return false if a device is there */
bool memory_exit(struct nova_vcpu *vcpu);
/* Unmaps, by one revocation, the first part of a range of pages that the caller is going to unmap
 * one by one. The guest may get these pages again meanwhile. @return the number of pages in this
 * part */
uint64_t memory_unmap_ahead(struct vm *vm, uint64_t gpa, uint64_t count);
/* Unmaps the aliases of pages when the guest's page tables lie in the view with secure places.
 * Releases the machine's lock after each part of the pages. */
void memory_drop_aliases(struct nova_vcpu *vcpu);
extern struct frames memory_frames;

/* Makes the frame of the page at @p gpa present, by a call to the VMM if necessary. The machine's
 * lock is held, the service's is not. @return false: the machine has ended */
bool memory_get(struct nova_vcpu *vcpu, uint64_t gpa);

/* Fills the shared place of the page at @p gpa. If the VMM's answer instead brought back a page
 * that had been moved out (page_in()), asks the VMM again. Locks and result as for memory_get(). */
bool memory_get_shared(struct nova_vcpu *vcpu, uint64_t gpa);

/* Ends a guest that writes to a page that its VMM has protected. */
void memory_fail_write(struct nova_vcpu *vcpu, uint64_t address);

/* access.c: sets the functions by which the library accesses the guest's memory. */
void access_init(struct vm *vm);

/* reflect.c: calls the VMM from a virtual CPU's exit. If the VMM cannot be called, the machine
 * ends.
 * @param[out] value the answer's value; NULL: none is needed
 * @return the answer's status */
int reflect(struct nova_vcpu *vcpu, enum nova_h_call call, const uint64_t parameters[4],
            uint64_t *value);
int reflect_message(struct nova_vcpu *vcpu, const struct message *message, uint64_t *value);
void reflect_init(struct vm *vm);

/* guest.c: ultracalls and hypercalls of a guest. */
void guest_call(struct nova_vcpu *vcpu);
/* Releases the machine's lock for a moment: a VMM's call for another virtual CPU may wait for the
 * lock, and the calls of other VMMs wait for that call. @return false if the machine has ended */
bool guest_pause(struct nova_vcpu *vcpu);
/* Recalls the other virtual CPUs and sleeps, so that they complete replies that map a page and
 * exits that access it. Releases the machine's lock meanwhile. */
void guest_wait_for_others(struct nova_vcpu *vcpu);

/* cpu.c: CPUID and MSRs. */
uint64_t cpu_bit(void);
void cpu_cpuid(struct nova_vcpu *vcpu, nova_vcpu_handler *usual);
bool cpu_rdmsr(struct nova_vcpu *vcpu);

/* Returns the record of a virtual CPU's VM. */
static inline struct vm *vm_of(const struct nova_vcpu *vcpu)
{
        return (struct vm *)((char *)vcpu->vm - offsetof(struct vm, machine));
}

#endif
