// SPDX-License-Identifier: BSD-2-Clause
// The machine of the tests of the service pci (see pci_machine.h).
#include "pci_machine.h"

std::map<uint16_t, function> machine;
std::vector<nova_pci_function> table;
std::vector<nova_parent_pci_device> description;
std::vector<char> bar_memory;
std::map<unsigned, unsigned> semaphore; /* counter, by selector */
std::set<std::pair<uint64_t, uint64_t>> forbidden;
int obstacle_error;
bool has_iommu, has_window, ends;
unsigned known_buses;
enum nova_status assign_status = NOVA_SUCCESS;
unsigned slept_ms, assigned_to, waiters, sweeps;
bool swept_dead;
std::set<nova_crd_t> revoked;

extern "C" {

struct nova_program nova_program;

struct nova_pci_function *pci_function(unsigned number)
{
        return number < table.size() ? &table[number] : nullptr;
}

bool pci_knows_bus(unsigned bus)
{
        return bus < known_buses;
}

void config_map_bus(unsigned)
{
}

uint32_t config_read(uint16_t address, unsigned offset)
{
        EXPECT_EQ(offset % 4, 0U);
        EXPECT_LT(offset, 256U);
        const auto found = machine.find(address);
        return found == machine.end() ? ~0U : found->second.value.at(offset / 4);
}

void config_write(uint16_t address, unsigned offset, uint32_t value)
{
        EXPECT_EQ(offset % 4, 0U);
        ASSERT_LT(offset, 256U);
        function &f = machine.at(address);
        const uint32_t bits = f.writable.at(offset / 4);

        f.value.at(offset / 4) = (f.value.at(offset / 4) & ~bits) | (value & bits);
        if (f.written)
                f.written(offset, value);
}

nova_word_t config_page(uint16_t address)
{
        return has_window ? 0x10000000 + address * 4096U : 0;
}

int nova_parent_pci_describe(unsigned number, struct nova_parent_pci_device *device)
{
        if (number >= description.size())
                return ENOENT;
        *device = description[number];
        return 0;
}

int nova_parent_pci_obstacle(enum nova_parent_pci_kind, uint64_t first, uint64_t count,
                             uint64_t *begin)
{
        if (obstacle_error)
                return obstacle_error;
        for (const auto &range : forbidden)
                if (range.first < first + count && first < range.first + range.second) {
                        *begin = range.first;
                        return EACCES;
                }
        return 0;
}

int nova_parent_pci_memory(uint64_t address, size_t bytes, void **memory)
{
        uint64_t begin;

        if (nova_parent_pci_obstacle(NOVA_PARENT_PCI_MEMORY, address, bytes, &begin))
                return EACCES;
        EXPECT_LE(bytes, bar_memory.size());
        *memory = bar_memory.data();
        return 0;
}

int nova_parent_pci_ports(uint16_t, unsigned)
{
        return 0;
}

int nova_parent_pci_gsi(unsigned gsi, nova_sel_t sel)
{
        semaphore[(unsigned)sel] = 0;
        return gsi == 120 ? EACCES : 0; /* another program has this interrupt */
}

nova_sel_t nova_sel_alloc(unsigned)
{
        static nova_sel_t next = 1000;

        return next++;
}

void nova_sel_free(nova_sel_t, unsigned)
{
}

enum nova_status nova_revoke(nova_crd_t crd, nova_word_t)
{
        revoked.insert(crd);
        return NOVA_SUCCESS;
}

enum nova_status nova_sm_up(nova_sel_t sm)
{
        if (waiters)
                waiters--;
        else
                semaphore[(unsigned)sm]++;
        return NOVA_SUCCESS;
}

enum nova_status nova_sm_down_until(nova_sel_t sm, nova_word_t, uint64_t)
{
        if (!semaphore[(unsigned)sm])
                return NOVA_COM_TIM;
        semaphore[(unsigned)sm] = 0;
        return NOVA_SUCCESS;
}

enum nova_status nova_assign_pci(nova_sel_t pd, nova_word_t, nova_word_t)
{
        assigned_to = (unsigned)pd;
        return has_iommu ? assign_status : NOVA_BAD_DEV;
}

enum nova_status nova_assign_gsi(nova_sel_t sm, nova_word_t device, nova_word_t, uint32_t *address,
                                 uint32_t *data)
{
        *address = device ? 0xfee00000 : 0;
        *data = device ? (uint32_t)sm : 0;
        return NOVA_SUCCESS;
}

nova_sel_t nova_service_client_pd(const struct nova_service *, const void *)
{
        return 77;
}

void nova_service_sweep(struct nova_service *service)
{
        sweeps++;
        if (swept_dead)
                claim_end(service, &devices[0]);
}

void nova_service_later(struct nova_service *, struct nova_later *later)
{
        later->function(later);
}

int nova_service_lock(struct nova_service *)
{
        return ends ? ECANCELED : 0;
}

void nova_service_unlock(struct nova_service *)
{
}

void nova_sleep(uint64_t ns)
{
        slept_ms += (unsigned)(ns / 1000000);
}

void stop_wake()
{
}
}
