// SPDX-License-Identifier: BSD-2-Clause
// A virtual CPU under SVM, without a guest.
#ifndef UNIT_KERNEL_GUEST_H
#define UNIT_KERNEL_GUEST_H

#include <gtest/gtest.h>

#include "kernel.h"

extern "C" {
#include "virt/cpu.h"
#include "virt/svm/svm.h"
#include "virt/vcpu.h"
}

struct Guest : Kernel {
        pd *domain = make_pd();
        ec *vcpu = nullptr;

        Guest()
        {
                vcpu_ops = &svm_ops;
                fake_guest_boot(true);
                const ec_config config = {domain, domain->account, EC_VCPU, cpu_self(),           0,
                                          0,      0x100,           false,   block_on_vcpu_startup};
                EXPECT_EQ(ec_create(&config, &vcpu), NOVA_SUCCESS);
                // This test must not write the host's registers.
                cpu_virt_of(cpu_self())->debug_owner = vcpu;
                cpu_self()->current_pd = domain;
        }

        ~Guest()
        {
                cpu_self()->current_pd = nullptr;
                object_put(&vcpu->object);
                fake_settle();
                destroy(domain);
                fake_guest_boot(false);
                vcpu_ops = nullptr;
        }

        vmcb *control() const
        {
                return static_cast<vmcb *>(vcpu->vcpu->control);
        }
};

#endif
