/* SPDX-License-Identifier: BSD-2-Clause */
/* A fake I/O MMU that records its commands, and fakes of the functions that look for PCI functions
 * and for the registers of devices. */
#include "device/iommu.h"
#include "arch/x86/boot_paging.h"
#include "device/iommu_driver.h"
#include "device/pci.h"
#include "device/remap.h"
#include "fake.h"
#include "firmware/acpi.h"
#include "firmware/memory_map.h"
#include "lib/cmdline.h"
#include "memory/account.h"
#include "memory/frame.h"
#include "object/pd.h"

struct cmdline cmdline;
bool fake_has_devices;
bool lapic_x2apic;
const struct pd *fake_attached[FAKE_FUNCTIONS];
unsigned fake_flushed_domain, fake_flushes;
struct fake_route fake_routes[NOVA_HIP_GSI];
enum nova_status fake_route_status;

bool fake_lacks_units;

static unsigned init(void)
{
        dma_format.levels = 4;
        dma_format.large = 2;
        dma_format.read = FAKE_DMA_READ;
        dma_format.write = FAKE_DMA_WRITE;
        dma_format.page = FAKE_DMA_PAGE;
        dma_format.table = dma_format.top_table = FAKE_DMA_TABLE;
        dma_format.table_level = FAKE_DMA_LEVEL;
        if (fake_lacks_units)
                remap_is_on = remap_by_index = true; /* iommu_init() clears them */
        return fake_lacks_units ? 0 : FAKE_DOMAINS;
}

bool fake_takes_tables;
static void *tables[FAKE_FUNCTIONS];

void fake_free_tables(void)
{
        for (unsigned i = 0; i < FAKE_FUNCTIONS; i++) {
                if (!tables[i])
                        continue;
                frame_free(tables[i]);
                account_return(&account_root, PAGE_SIZE);
                tables[i] = NULL;
        }
}

/* Returns false if the table of a function cannot be allocated. */
static bool take_table(unsigned rid)
{
        if (fake_takes_tables && !tables[rid])
                tables[rid] = iommu_table();
        return !fake_takes_tables || tables[rid];
}

static enum nova_status attach(uint16_t rid, const struct pd *pd)
{
        if (rid >= FAKE_FUNCTIONS)
                return NOVA_BAD_DEV;
        if (pd && !take_table(rid))
                return NOVA_OUT_OF_MEMORY;
        fake_attached[rid] = pd;
        return NOVA_SUCCESS;
}

static void flush(unsigned domain, bool functions)
{
        (void)functions;
        fake_flushed_domain = domain;
        fake_flushes++;
}

static bool read_faults(unsigned number)
{
        (void)number;
        return false;
}

static bool discard_faults(unsigned number)
{
        (void)number;
        return false;
}

static void mask_faults(bool mask)
{
        (void)mask;
}

static enum nova_status route(unsigned gsi, unsigned rid, unsigned vector, unsigned apic_id,
                              bool level)
{
        (void)vector, (void)level;
        if (fake_route_status != NOVA_SUCCESS)
                return fake_route_status;
        if (rid < FAKE_FUNCTIONS && !take_table(rid))
                return NOVA_OUT_OF_MEMORY;
        fake_routes[gsi].rid = rid;
        fake_routes[gsi].apic_id = apic_id;
        fake_routes[gsi].on = true;
        return NOVA_SUCCESS;
}

unsigned fake_forgotten_routes;

static void unroute(unsigned gsi, unsigned rid, unsigned vector)
{
        (void)rid, (void)vector;
        fake_routes[gsi].on = false;
}

static void forget_routes(unsigned rid, bool wait)
{
        (void)rid, (void)wait;
        fake_forgotten_routes++;
}

const struct iommu_driver vtd_driver = {
        .init = init,
        .attach = attach,
        .flush = flush,
        .read_faults = read_faults,
        .discard_faults = discard_faults,
        .mask_faults = mask_faults,
        .route = route,
        .unroute = unroute,
        .forget_routes = forget_routes,
};

const struct iommu_driver amd_vi_driver = {.init = init};

void fake_iommu_boot(void)
{
        remap_is_on = remap_by_index = fake_takes_tables = false;
        acpi.iommus = 1;
        for (unsigned i = 0; i < FAKE_FUNCTIONS; i++)
                fake_attached[i] = NULL;
        fake_flushed_domain = fake_flushes = 0;
        iommu_init();
}

unsigned pci_bus_behind(uint16_t rid)
{
        return rid & 0xffu;
}

bool pci_exists(uint16_t rid)
{
        return rid < 2 * FAKE_FUNCTIONS && !(rid & 1);
}

volatile uint32_t *pci_take(uint16_t rid)
{
        (void)rid;
        return NULL;
}

void *boot_paging_map_device(paddr_t phys)
{
        return fake_has_devices ? (void *)phys : NULL;
}

bool memory_map_is_ram(paddr_t start, uint64_t size)
{
        (void)start, (void)size;
        return false;
}

bool memory_map_is_taken(paddr_t start, uint64_t size)
{
        (void)start, (void)size;
        return false;
}

void memory_map_take(paddr_t start, uint64_t size, bool device)
{
        (void)start, (void)size, (void)device;
}
