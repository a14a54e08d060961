/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of virtual CPUs (see vcpu.h). */
#include "object/vcpu.h"

#include "arch/x86/cpu.h"
#include "memory/frame.h"
#include "memory/slab.h"
#include "object/ec.h"

const struct vcpu_ops *vcpu_ops;

static struct slab_cache vcpu_cache;

void vcpu_cache_boot(void)
{
        slab_init(&vcpu_cache, sizeof(struct vcpu));
}

word_t vcpu_bytes(void)
{
        return vcpu_cache.size + PAGE_SIZE;
}

struct vcpu *vcpu_alloc(void)
{
        struct vcpu *vcpu = slab_alloc(&vcpu_cache);

        if (!vcpu)
                return NULL;
        *vcpu = (struct vcpu){.control = frame_alloc_zeroed(), .xcr0 = 1};
        if (vcpu->control)
                return vcpu;
        slab_free(&vcpu_cache, vcpu);
        return NULL;
}

void vcpu_free(struct vcpu *vcpu)
{
        frame_free(vcpu->control);
        slab_free(&vcpu_cache, vcpu);
}

void vcpu_stop(struct ec *ec)
{
        if (ec->cpu->debug_owner == ec)
                ec->cpu->debug_owner = NULL;
        if (vcpu_ops->stop)
                vcpu_ops->stop(ec);
}
