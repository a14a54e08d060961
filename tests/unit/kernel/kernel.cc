// SPDX-License-Identifier: BSD-2-Clause
// A kernel to test (see kernel.h).
#include "kernel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

namespace
{

// The parameters of the delegations since the kernel was booted.
std::deque<revocation> of_delegations;

} // namespace

std::ostream &operator<<(std::ostream &out, const Taken &taken)
{
        return out << taken.frames << " frames, " << taken.objects << " objects, "
                   << static_cast<long>(taken.bytes) << " bytes";
}

std::ostream &operator<<(std::ostream &out, const Cap &cap)
{
        return out << std::hex << cap.source << "/" << cap.perms << std::dec;
}

Taken taken_now()
{
        return {fake_frames_taken(), fake_objects_taken(), account_root.used};
}

Kernel::Kernel(unsigned frames)
{
        of_delegations.clear();
        fake_boot(frames);
        EXPECT_EQ(mapping_insert(&kernel_pd.memory.space, 0, FRAMES_END, 0, NOVA_MEM_RWX),
                  NOVA_SUCCESS);
        EXPECT_EQ(mapping_insert(&kernel_pd.io.space, 0, PORTS_END, 0, NOVA_IO_A), NOVA_SUCCESS);
        at_start = taken_now();
}

Kernel::~Kernel()
{
        while (!pds.empty())
                destroy(pds.back());
        while (!ecs.empty())
                drop(ecs.back());
        EXPECT_EQ(taken_now(), at_start);
        for (const space *one : {&kernel_pd.memory.space, &kernel_pd.io.space}) {
                const auto *root = reinterpret_cast<const mapping *>(one->tree.root);
                EXPECT_TRUE(tree_is_empty(&root->children));
        }
}

pd *Kernel::make_pd()
{
        pd *made = nullptr;
        EXPECT_EQ(pd_create(&kernel_pd, &account_root, 0, &made), NOVA_SUCCESS);
        pds.push_back(made);
        return made;
}

sm *Kernel::make_sm(pd *owner, word_t sel, unsigned perms)
{
        sm *made = nullptr;
        EXPECT_EQ(sm_create(&account_root, 0, &made), NOVA_SUCCESS);
        EXPECT_EQ(object_space_insert(&owner->object_space, sel, &made->object, perms),
                  NOVA_SUCCESS);
        return made;
}

void Kernel::share(pd *owner, word_t sel, kobject *object)
{
        object_get(object);
        EXPECT_EQ(object_space_insert(&owner->object_space, sel, object, NOVA_PERM_ALL),
                  NOVA_SUCCESS);
}

pt *Kernel::make_pt(pd *owner, word_t sel, ec *handler, word_t ip, nova_mtd_t mtd)
{
        pt *made = nullptr;
        EXPECT_EQ(pt_create(&account_root, handler, sel, mtd, ip, &made), NOVA_SUCCESS);
        EXPECT_EQ(object_space_insert(&owner->object_space, sel, &made->object, NOVA_PERM_ALL),
                  NOVA_SUCCESS);
        return made;
}

ec *Kernel::make_ec(pd *owner, word_t utcb_page, ec_kind kind)
{
        ec_config config = {};
        config.pd = owner;
        config.account = &account_root;
        config.kind = kind;
        config.cpu = cpu_by_id(0);
        config.utcb_page = utcb_page;
        ec *made = nullptr;
        EXPECT_EQ(ec_create(&config, &made), NOVA_SUCCESS);
        ecs.push_back(made);
        return made;
}

void Kernel::drop(ec *one)
{
        ecs.erase(std::find(ecs.begin(), ecs.end(), one));
        object_put(&one->object);
        fake_settle();
}

void Kernel::destroy(pd *one)
{
        pds.erase(std::find(pds.begin(), pds.end(), one));
        EXPECT_TRUE(pd_destroy_begin(one));
        object_put(&one->object);
        fake_settle();
}

delegation make_delegation(pd *from, word_t first, pd *to, word_t base, word_t count, unsigned type,
                           unsigned perms, unsigned attr)
{
        delegation d = {};
        d.source = pd_space(from, type);
        d.target = pd_space(to, type);
        d.from = first;
        d.to = base;
        d.count = count;
        d.perms = static_cast<uint8_t>(perms);
        d.attr = static_cast<uint8_t>(attr);
        of_delegations.emplace_back();
        d.revocation = &of_delegations.back();
        return d;
}

void Kernel::delegate(pd *from, word_t first, pd *to, word_t base, word_t count, unsigned type,
                      unsigned perms, unsigned attr)
{
        delegation d = make_delegation(from, first, to, base, count, type, perms, attr);
        if (type != NOVA_CRD_OBJ && turn++ % 2 && range_delegate(&d)) {
                delegated_at_once++;
                return;
        }
        step_result result;
        while ((result = delegation_step(&d)) == STEP_AGAIN)
                ;
        EXPECT_EQ(result, STEP_DONE);
}

void Kernel::revoke(pd *from, word_t first, word_t last, unsigned type, unsigned perms, bool self)
{
        if (type != NOVA_CRD_OBJ && !self && turn++ % 2 &&
            range_revoke(pd_space(from, type), first, last, perms)) {
                revoked_at_once++;
                return;
        }
        revocation r;
        revocation_begin(&r, pd_space(from, type), first, last, perms, self);
        while (revocation_step(&r) == STEP_AGAIN)
                ;
        EXPECT_EQ(r.pin, nullptr);
}

unsigned abandon(revocation *r)
{
        unsigned steps = 0;

        while (revocation_is_open(r) && ++steps)
                if (revocation_finish_step(r))
                        break;
        EXPECT_FALSE(revocation_is_open(r));
        return steps;
}

unsigned abandon(delegation *d)
{
        unsigned steps = 0;

        for (; delegation_is_open(d); steps++)
                delegation_finish_step(d);
        return steps;
}
