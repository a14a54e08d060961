// SPDX-License-Identifier: BSD-2-Clause
// A kernel for one test, and checks of the kernel's data about its PDs.
#ifndef UNIT_KERNEL_KERNEL_H
#define UNIT_KERNEL_KERNEL_H

#include <cstdint>
#include <map>
#include <ostream>
#include <vector>

extern "C" {
#include "device/iommu.h"
#include "fake.h"
#include "memory/account.h"
#include "memory/frame.h"
#include "nova/abi/crd.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/pt.h"
#include "object/reclaim.h"
#include "object/sc.h"
#include "object/sm.h"
#include "sched/cpu.h"
#include "space/budget.h"
#include "space/mapping.h"
#include "space/object_space.h"
#include "space/space.h"
#include "thread.h"
}

// Frames and ports that the microhypervisor's own PD holds.
constexpr word_t FRAMES_END = 0x20000, PORTS_END = 0x10000;

// The target of a selector (frame, port or object) and its permissions.
struct Cap {
        word_t source;
        unsigned perms;
        bool operator==(const Cap &other) const
        {
                return source == other.source && perms == other.perms;
        }
};

using Caps = std::map<word_t, Cap>;

// Memory in use: if it is equal before and after, nothing leaked.
struct Taken {
        long frames, objects;
        word_t bytes;
        bool operator==(const Taken &other) const
        {
                return frames == other.frames && objects == other.objects && bytes == other.bytes;
        }
};

std::ostream &operator<<(std::ostream &out, const Taken &taken);
std::ostream &operator<<(std::ostream &out, const Cap &cap);

Taken taken_now();

// Boots a kernel; the destructor destroys the PDs and expects all memory back.
class Kernel
{
      public:
        explicit Kernel(unsigned frames = 16384);
        ~Kernel();
        Kernel(const Kernel &) = delete;
        Kernel &operator=(const Kernel &) = delete;

        pd *make_pd();
        sm *make_sm(pd *owner, word_t sel, unsigned perms = NOVA_PERM_ALL);
        // Enters a capability of an object, with a reference of its own.
        void share(pd *owner, word_t sel, kobject *object);
        // Makes a portal to a thread; the portal's ID is its selector.
        pt *make_pt(pd *owner, word_t sel, ec *handler, word_t ip, nova_mtd_t mtd = 0);
        // Makes a thread that never runs, with its UTCB at a page.
        ec *make_ec(pd *owner, word_t utcb_page, ec_kind kind = EC_LOCAL);
        // Returns the reference to a thread.
        void drop(ec *one);
        // Destroys one of the PDs now.
        void destroy(pd *one);

        // Execute a whole operation: alternately at once, if possible, and in as many steps as it
        // needs.
        void delegate(pd *from, word_t first, pd *to, word_t base, word_t count, unsigned type,
                      unsigned perms, unsigned attr = MAPPING_DMA);
        void revoke(pd *from, word_t first, word_t last, unsigned type, unsigned perms, bool self);

        std::vector<pd *> pds;
        unsigned delegated_at_once = 0, revoked_at_once = 0;

      private:
        unsigned turn = 0;
        Taken at_start;
        std::vector<ec *> ecs;
};

delegation make_delegation(pd *from, word_t first, pd *to, word_t base, word_t count, unsigned type,
                           unsigned perms, unsigned attr = MAPPING_DMA);

// Sets the arguments of a hypercall.
inline void set_arguments(ec *self, word_t id, word_t p2, word_t p3, word_t p4, word_t p5)
{
        REG_P1(self) = id;
        REG_P2(self) = p2;
        REG_P3(self) = p3;
        REG_P4(self) = p4;
        REG_P5(self) = p5;
}

// Puts callee into a call of caller.
inline void set_caller(ec *callee, ec *caller)
{
        caller->state = EC_REPLY;
        caller->callee = callee;
        callee->caller = caller;
        callee->caller_kind = CALLER_CALL;
}

// Destroys the thread that began the operation; the destroying thread finishes it, in steps.
unsigned abandon(revocation *r);
unsigned abandon(delegation *d);

// Returns the capabilities of a space according to the mapping database, selector by selector.
Caps caps_of(pd *owner, unsigned type);

// Returns the number of pages of the user half, or of a guest or device, that have a permission.
word_t pages_with(const uint64_t *table, unsigned level, uint64_t permission);

// Checks the database's own rules, and that page tables, I/O bitmap and capabilities agree with it.
// Settled: no operation is in progress, and none was abandoned.
void check_pd(pd *owner, bool settled = true);

#endif
