/* SPDX-License-Identifier: BSD-2-Clause */
/* Control fields of VMX (see vmx_controls.h). */
#include "virt/vmx/vmx_controls.h"

#include "arch/x86/msr.h"
#include "nova/abi/event.h"
#include "nova/abi/inject.h"

/* Bits of entries in extended page tables (SDM 3C, 28.3.2). A page without a memory type is
 * uncached, as the memory of a device must be: the CPU ignores the MTRRs. */
#define EPT_READ       0x1
#define EPT_WRITE      0x2
#define EPT_EXECUTE    0x4
#define EPT_WRITE_BACK 0x30
#define EPT_IGNORE_PAT 0x40 /* the guest's own tables cannot select another type */

static bool vmx_can(struct vmx_range range, uint32_t bits)
{
        return (range.may & bits) == bits;
}

bool vmx_offer_suffices(const struct vmx_offer *offer)
{
        return vmx_can(offer->pin, VMX_PIN) &&
               vmx_can(offer->ctrl0, VMX_CTRL0_FORCED | VMX_CTRL0_WINDOWS) &&
               vmx_can(offer->ctrl0, NOVA_VMX_CTRL0_DR) &&
               vmx_can(offer->ctrl1, VMX_CTRL1_FORCED) && vmx_can(offer->exit, VMX_EXIT) &&
               vmx_can(offer->entry, VMX_ENTRY) && (offer->ept & VMX_EPT_NEEDED) == VMX_EPT_NEEDED;
}

bool vmx_offers_vpid(const struct vmx_offer *offer)
{
        return vmx_can(offer->ctrl1, NOVA_VMX_CTRL1_VPID) &&
               (offer->ept & VMX_EPT_INVVPID) == VMX_EPT_INVVPID;
}

/* Returns true if a CPU permits each control word that has all bits of `least` and no bit outside
 * of `most`. */
static bool vmx_permits(struct vmx_range range, uint32_t least, uint32_t most)
{
        return !(range.must & ~least) && vmx_can(range, most);
}

bool vmx_offer_covers(const struct vmx_offer *offer, const struct vmx_offer *used)
{
        const uint32_t pin = VMX_PIN | used->pin.must, exit = VMX_EXIT | used->exit.must;
        const uint32_t entry = VMX_ENTRY | used->entry.must;

        return offer->revision == used->revision && vmx_permits(offer->pin, pin, pin) &&
               vmx_permits(offer->ctrl0, vmx_ctrl0(used, 0),
                           vmx_ctrl0(used, UINT32_MAX) | VMX_CTRL0_WINDOWS) &&
               vmx_permits(offer->ctrl1, vmx_ctrl1(used, 0), vmx_ctrl1(used, UINT32_MAX)) &&
               vmx_permits(offer->exit, exit, exit) &&
               vmx_permits(offer->entry, entry, entry | (VMX_ENTRY_LONG & used->entry.may)) &&
               (vmx_offers_vpid(offer) || !vmx_offers_vpid(used)) &&
               !(used->ept & VMX_EPT_2M & ~offer->ept);
}

uint64_t vmx_lock(uint64_t lock)
{
        return lock | FEATURE_CTRL_LOCKED | FEATURE_CTRL_VMX;
}

uint32_t vmx_ctrl0(const struct vmx_offer *offer, uint32_t wanted)
{
        return ((wanted & VMX_CTRL0_CHOICE & offer->ctrl0.may) | VMX_CTRL0_FORCED |
                offer->ctrl0.must);
}

uint32_t vmx_ctrl1(const struct vmx_offer *offer, uint32_t wanted)
{
        return (wanted & VMX_CTRL1_CHOICE & offer->ctrl1.may) | VMX_CTRL1_FORCED |
               (NOVA_VMX_CTRL1_WBINVD & offer->ctrl1.may) | offer->ctrl1.must |
               (vmx_offers_vpid(offer) ? NOVA_VMX_CTRL1_VPID : 0);
}

struct second_level_format vmx_guest_format(const struct vmx_offer *offer)
{
        return (struct second_level_format){
                .levels = VMX_EPT_LEVELS,
                .large = offer->ept & VMX_EPT_2M ? 1 : 0,
                .small_execute = !offer->large_code,
                .write = EPT_WRITE,
                .execute = EPT_EXECUTE,
                .page = EPT_READ,
                .ram = EPT_WRITE_BACK | EPT_IGNORE_PAT,
                .table = EPT_READ | EPT_WRITE | EPT_EXECUTE,
                .top_table = EPT_READ | EPT_WRITE | EPT_EXECUTE,
        };
}

unsigned vmx_event_of(uint32_t reason)
{
        switch (reason) {
        case 0x23:
        case 0x26:
        case 0x2a:
        case 0x2d:
        case 0x38:
                return NOVA_VMX_INVALID_GUEST_STATE;
        default:
                return reason <= VMX_EXIT_LAST ? reason : NOVA_VMX_INVALID_GUEST_STATE;
        }
}

bool vmx_is_injectable(uint32_t info)
{
        const unsigned vector = info & 0xff;

        if (!(info & NOVA_INJ_VALID))
                return true;
        switch (info & NOVA_INJ_TYPE) {
        case NOVA_INJ_INTERRUPT:
        case NOVA_INJ_SOFTWARE_INTERRUPT:
                return true;
        case NOVA_INJ_NMI:
                return vector == 2;
        case NOVA_INJ_EXCEPTION:
                return vector < 32 && vector != 2;
        case NOVA_INJ_INT1:
                return vector == NOVA_EXC_DB;
        case NOVA_INJ_SOFTWARE_EXCEPTION:
                return vector == NOVA_EXC_BP || vector == NOVA_EXC_OF;
        default:
                return false;
        }
}
