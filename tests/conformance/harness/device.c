/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of a PC for cases (see device.h). Typed items with the H flag request all resources. */
#include "device.h"

#define BIOS_FIRST   0xe0000
#define BIOS_END     0x100000
#define EBDA_SEGMENT 0x40e
#define HEADER_SIZE  36
#define MCFG_ENTRY   44
#define MADT_ENTRIES 44
#define IO_APIC      1 /* type of an entry in the MADT */

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  0x80000000u
#define PCI_BARS    0x10
#define PCI_CAPS    0x34
#define PCI_LINE    0x3c
#define PCI_NO_INTX 0x400
#define Q35         0x29c08086 /* host bridges */
#define I440FX      0x12378086

nova_sel_t gsi_open(unsigned gsi)
{
        const nova_sel_t sm = sel_alloc(0);
        request(obj(NOVA_SEL_GSI_SM + gsi, NOVA_PERM_ALL), sm);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP | NOVA_SM_ZC), NOVA_SUCCESS);
        return sm;
}

/* ---- ACPI ------------------------------------------------------------------------------------ */

/* Maps bytes of physical memory; NULL: they cannot be requested. */
static const uint8_t *map(uint64_t phys, unsigned size)
{
        const word_t frame = (word_t)(phys >> NOVA_PAGE_BITS);
        const unsigned pages =
                (unsigned)((phys % NOVA_PAGE_SIZE + size + NOVA_PAGE_SIZE - 1) / NOVA_PAGE_SIZE);
        unsigned order = 0;

        while (1u << order < pages)
                order++;
        const word_t page = page_alloc(order);
        for (unsigned i = 0; i < pages; i++) {
                request(mem(frame + i, 0, NOVA_MEM_R), page + i);
                if (!look(NOVA_CRD_MEM, page + i))
                        return NULL;
        }
        return (const uint8_t *)((page << NOVA_PAGE_BITS) + (word_t)(phys % NOVA_PAGE_SIZE));
}

uint32_t acpi_u32(const uint8_t *field)
{
        return (uint32_t)(field[0] | field[1] << 8 | field[2] << 16 | (uint32_t)field[3] << 24);
}

static bool same(const uint8_t *a, const char *b, unsigned count)
{
        while (count && *a == (uint8_t)*b) {
                a++;
                b++;
                count--;
        }
        return !count;
}

static bool sum_is_zero(const uint8_t *bytes, unsigned count)
{
        uint8_t sum = 0;
        while (count--)
                sum = (uint8_t)(sum + *bytes++);
        return !sum;
}

/* Returns the physical address of the RSDT, or 0 if there is none. */
static uint32_t find_rsdt(void)
{
        const uint8_t *bios = map(BIOS_FIRST, BIOS_END - BIOS_FIRST);
        for (unsigned at = 0; bios && at < BIOS_END - BIOS_FIRST; at += 16) {
                if (same(bios + at, "RSD PTR ", 8) && sum_is_zero(bios + at, 20))
                        return acpi_u32(bios + at + 16);
        }
        return 0;
}

const uint8_t *acpi_table(const char *signature)
{
        static const uint8_t *rsdt;
        if (!rsdt) {
                const uint32_t phys = find_rsdt();
                const uint8_t *header = phys ? map(phys, HEADER_SIZE) : NULL;
                rsdt = header ? map(phys, acpi_u32(header + 4)) : NULL;
        }
        for (unsigned at = HEADER_SIZE; rsdt && at < acpi_u32(rsdt + 4); at += 4) {
                const uint32_t phys = acpi_u32(rsdt + at);
                const uint8_t *table = map(phys, HEADER_SIZE);
                if (table && same(table, signature, 4))
                        return map(phys, acpi_u32(table + 4));
        }
        return NULL;
}

word_t hpet_address(void)
{
        static word_t address;
        const uint8_t *table = address ? NULL : acpi_table("HPET");
        if (table)
                address = acpi_u32(table + 44);
        return address;
}

word_t io_apic_frame(void)
{
        const uint8_t *madt = acpi_table("APIC");
        for (unsigned at = MADT_ENTRIES; madt && at < acpi_u32(madt + 4); at += madt[at + 1]) {
                if (madt[at] == IO_APIC)
                        return acpi_u32(madt + at + 4) >> NOVA_PAGE_BITS;
        }
        return 0;
}

/* ---- PCI ------------------------------------------------------------------------------------- */

static void outl(uint16_t port, uint32_t value)
{
        __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t inl(uint16_t port)
{
        uint32_t value;
        __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
        return value;
}

static void choose(unsigned function, unsigned reg)
{
        static bool opened;
        if (!opened)
                request(io(PCI_ADDRESS, 3), PCI_ADDRESS);
        opened = true;
        outl(PCI_ADDRESS, PCI_ENABLE | function << 8 | reg);
}

uint32_t pci_read(unsigned function, unsigned reg)
{
        choose(function, reg);
        return inl(PCI_DATA);
}

void pci_write(unsigned function, unsigned reg, uint32_t value)
{
        choose(function, reg);
        outl(PCI_DATA, value);
}

unsigned pci_find(uint32_t id, unsigned n)
{
        for (unsigned function = 0; function < 0x100; function += 8) {
                if (pci_read(function, 0) == id && !n--)
                        return function;
        }
        return PCI_NONE;
}

word_t pci_frame(unsigned function)
{
        static bool looked;
        static word_t first;
        const uint8_t *mcfg = looked ? NULL : acpi_table("MCFG");
        looked = true;
        if (mcfg)
                first = acpi_u32(mcfg + MCFG_ENTRY) >> NOVA_PAGE_BITS;
        return first ? first + function : 0;
}

word_t pci_page(unsigned function)
{
        const word_t page = page_alloc(0), frame = pci_frame(function);
        EXPECT(frame != 0);
        EXPECT(request(mem(frame, 0, NOVA_MEM_R | NOVA_MEM_W), page) != 0);
        EXPECT(look(NOVA_CRD_MEM, page) != 0);
        return page;
}

volatile uint32_t *pci_map(unsigned function, unsigned bar, unsigned order)
{
        const uint32_t phys = pci_read(function, PCI_BARS + 4 * bar) & ~0xfu;
        const word_t page = page_alloc(order);
        pci_write(function, PCI_COMMAND,
                  (pci_read(function, PCI_COMMAND) & ~(uint32_t)PCI_NO_INTX) | PCI_MEMORY |
                          PCI_MASTER);
        EXPECT(phys != 0);
        EXPECT(request(mem(phys >> NOVA_PAGE_BITS, order, NOVA_MEM_R | NOVA_MEM_W), page) != 0);
        EXPECT(look(NOVA_CRD_MEM, page) != 0);
        return (volatile uint32_t *)(page << NOVA_PAGE_BITS);
}

unsigned pci_capability(unsigned function, unsigned id)
{
        unsigned at = pci_read(function, PCI_CAPS) & 0xfc;
        for (unsigned i = 0; at && i < 48; i++) {
                const uint32_t head = pci_read(function, at);
                if ((head & 0xff) == id)
                        return at;
                at = head >> 8 & 0xfc;
        }
        return 0;
}

unsigned pci_gsi(unsigned function)
{
        const uint32_t bridge = pci_read(0, 0);
        if (bridge == Q35) /* PIRQ E to H lead to pins 20 to 23 */
                return 20 + (function >> 3) % 4;
        if (bridge == I440FX)
                return pci_read(function, PCI_LINE) & 0xff;
        return 0;
}

#define MSI_ENABLE 0x10000
#define MSI_64     0x800000

void msi_set(unsigned function, word_t address, word_t data)
{
        const unsigned at = pci_capability(function, PCI_CAP_MSI);
        EXPECT(at != 0);
        const uint32_t head = pci_read(function, at);
        pci_write(function, at + 4, (uint32_t)address);
        if (head & MSI_64)
                pci_write(function, at + 8, 0);
        pci_write(function, at + (head & MSI_64 ? 12 : 8), (uint32_t)data);
        pci_write(function, at, head | MSI_ENABLE);
}

void msi_off(unsigned function)
{
        const unsigned at = pci_capability(function, PCI_CAP_MSI);
        EXPECT(at != 0);
        pci_write(function, at, pci_read(function, at) & ~(uint32_t)MSI_ENABLE);
}

/* ---- Devices --------------------------------------------------------------------------------- */

struct edu edu_open(unsigned n)
{
        static struct edu edus[4];
        EXPECT(n < 4);
        if (!edus[n].registers) {
                const unsigned function = pci_find(EDU_ID, n);
                edus[n] = (struct edu){function, pci_map(function, 0, 0)};
        }
        msi_off(edus[n].function);
        edus[n].registers[EDU_ACK] = ~0u;
        return edus[n];
}

const char *needs_edu(void)
{
        return pci_find(EDU_ID, 0) == PCI_NONE ? "needs QEMU's device edu" : NULL;
}

const char *needs_2_edus(void)
{
        return pci_find(EDU_ID, 1) == PCI_NONE ? "needs two of QEMU's device edu" : NULL;
}

const char *needs_pci_window(void)
{
        return pci_frame(0) ? NULL : "needs memory-mapped PCI configuration space";
}

const char *needs_hpet(void)
{
        return hpet_address() ? NULL : "needs an HPET";
}

#define HPET_MSI 0x8000 /* the first timer can send messages */

const char *needs_hpet_msi(void)
{
        static const uint8_t *registers;
        if (!registers && hpet_address())
                registers = map(hpet_address(), 0x400);
        return registers && *(const volatile uint32_t *)(registers + 0x100) & HPET_MSI
                       ? NULL
                       : "needs an HPET that sends messages";
}
