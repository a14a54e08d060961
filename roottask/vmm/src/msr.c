/* SPDX-License-Identifier: BSD-2-Clause */
/* Model-specific registers of guests (see novavmm/msr.h). */
#include "novavmm/msr.h"

#include <stddef.h>

#include "nova/arch/tsc.h"
#include "novavmm/cpuid.h"
#include "novavmm/lapic.h"
#include "novavmm/registers.h"

/* Location of a register. */
enum home {
        FIELD,     /* in the event message, at `offset` */
        WORD,      /* in the event message, a machine word */
        ADDRESS,   /* like WORD; values must be canonical */
        ADDRESS64, /* a field whose values must be canonical */
        FLAGS,     /* a field whose upper half is reserved */
        CONSTANT,  /* reads return `value`, writes are ignored */
        READ_ONLY, /* reads return `value`, writes fault */
        APIC_BASE, /* in struct nova_msr_kept, like the next four */
        RANGES,    /* memory types, one per byte */
        RANGE_TYPE,
        RANGE_MASK,
        RANGES_TYPE,
        EFER, /* in the event message, like PAT */
        PAT,
        TSC
};

struct row {
        uint32_t number;
        uint8_t home;
        uint16_t offset; /* in struct nova_msr_kept or in the event message; see enum home */
        nova_mtd_t mtd;
        uint64_t value;
};

#define STATE(field) offsetof(struct nova_utcb_event, state.field)
#define MORE(field)  offsetof(struct nova_utcb_event, more.field)
#define OWN(field)   offsetof(struct nova_msr_kept, field)

/* Bits of EFER that a guest may set. The CPU itself checks NXE and FFXSR when it enters the
 * guest. */
#define EFER_GUEST                                                                        \
        (NOVA_EFER_SCE | (sizeof(nova_word_t) == 8 ? NOVA_EFER_LME | NOVA_EFER_LMA : 0) | \
         NOVA_EFER_NXE)

/* Bits of IA32_APIC_BASE: the CPU is the first one; its local APIC is enabled. SDM 3A, 11.4.4. */
#define APIC_FIRST 0x100u
#define APIC_ON    0x800u

/* Fast string instructions are enabled; neither branches nor events are stored
 * (IA32_MISC_ENABLE). */
#define MISC_ENABLE 0x1801

/* MTRRs: eight variable ranges, the fixed ones, write-combining. SDM 3A, 12.11. */
#define MTRR_CAP     0x508
#define MTRR_ON      0x800u /* in a range's mask, and in the default type */
#define MTRR_FIXED   0x400u
#define MTRR_TYPE    0xffu
#define PAGE_BITS    12
#define PHYS_BITS    36 /* number of physical address bits, if the CPU does not report it */
#define PHYS_LEAF    0x80000008
#define WRITE_BACK   6u
#define UNCACHED_AT  0xc0000000u /* address of a PC's devices, which extend to 4 GiB */
#define ALL_OF(type) (0x0101010101010101 * (type))

/* Registers that only AMD CPUs have. */
#define AMD_FIRST 0xc0010000
#define AMD_LAST  0xc001ffff

#define VARIABLE(n)                                                 \
        {0x200 + 2 * (n), RANGE_TYPE, OWN(range[n][0]), 0, 0},      \
        {                                                           \
                0x201 + 2 * (n), RANGE_MASK, OWN(range[n][1]), 0, 0 \
        }
#define FIXED_RANGE(number, n)                      \
        {                                           \
                number, RANGES, OWN(fixed[n]), 0, 0 \
        }

/* The constants are registers that Linux and other systems read on AMD and Intel CPUs without a
 * check of CPUID. The value 0 means that no special feature exists. */
static const struct row rows[] = {
        {0x10, TSC, 0, NOVA_MTD_TSC, 0},
        {0x17, CONSTANT, 0, 0, 0},
        {0x1b, APIC_BASE, OWN(apic_base), 0, 0},
        {0x8b, CONSTANT, 0, 0, 0},
        {0xfe, READ_ONLY, 0, 0, MTRR_CAP},
        {0x174, WORD, STATE(sysenter_cs), NOVA_MTD_SYS, 0},
        {0x175, ADDRESS, STATE(sysenter_sp), NOVA_MTD_SYS, 0},
        {0x176, ADDRESS, STATE(sysenter_ip), NOVA_MTD_SYS, 0},
        {0x179, READ_ONLY, 0, 0, 0},
        {0x17a, CONSTANT, 0, 0, 0},
        {0x1a0, CONSTANT, 0, 0, MISC_ENABLE},
        {0x1d9, CONSTANT, 0, 0, 0},
        VARIABLE(0),
        VARIABLE(1),
        VARIABLE(2),
        VARIABLE(3),
        VARIABLE(4),
        VARIABLE(5),
        VARIABLE(6),
        VARIABLE(7),
        FIXED_RANGE(0x250, 0),
        FIXED_RANGE(0x258, 1),
        FIXED_RANGE(0x259, 2),
        FIXED_RANGE(0x268, 3),
        FIXED_RANGE(0x269, 4),
        FIXED_RANGE(0x26a, 5),
        FIXED_RANGE(0x26b, 6),
        FIXED_RANGE(0x26c, 7),
        FIXED_RANGE(0x26d, 8),
        FIXED_RANGE(0x26e, 9),
        FIXED_RANGE(0x26f, 10),
        {0x277, PAT, MORE(pat), NOVA_MTD_PAT, 0},
        {0x2ff, RANGES_TYPE, OWN(range_default), 0, 0},
        {0xc0000080, EFER, MORE(efer), NOVA_MTD_MSR, 0},
        {0xc0000081, FIELD, MORE(star), NOVA_MTD_MSR, 0},
        {0xc0000082, ADDRESS64, MORE(lstar), NOVA_MTD_MSR, 0},
        {0xc0000083, ADDRESS64, MORE(cstar), NOVA_MTD_CSTAR_AUX, 0},
        {0xc0000084, FLAGS, MORE(fmask), NOVA_MTD_MSR, 0},
#if __SIZEOF_POINTER__ == 8
        {0xc0000100, ADDRESS, STATE(fs.base), NOVA_MTD_FS_GS, 0},
        {0xc0000101, ADDRESS, STATE(gs.base), NOVA_MTD_FS_GS, 0},
#endif
        {0xc0000102, ADDRESS64, MORE(kernel_gs_base), NOVA_MTD_MSR, 0},
        {0xc0000103, FLAGS, MORE(tsc_aux), NOVA_MTD_CSTAR_AUX, 0},
        {0xc0010000, CONSTANT, 0, 0, 0},
        {0xc0010001, CONSTANT, 0, 0, 0},
        {0xc0010002, CONSTANT, 0, 0, 0},
        {0xc0010003, CONSTANT, 0, 0, 0},
        {0xc0010004, CONSTANT, 0, 0, 0},
        {0xc0010005, CONSTANT, 0, 0, 0},
        {0xc0010006, CONSTANT, 0, 0, 0},
        {0xc0010007, CONSTANT, 0, 0, 0},
        {0xc0010010, CONSTANT, 0, 0, 0},
        {0xc0010015, CONSTANT, 0, 0, 0},
        {0xc001001a, CONSTANT, 0, 0, 0},
        {0xc001001d, CONSTANT, 0, 0, 0},
        {0xc001001f, CONSTANT, 0, 0, 0},
        {0xc0010055, CONSTANT, 0, 0, 0},
        {0xc0010112, CONSTANT, 0, 0, 0},
        {0xc0010113, CONSTANT, 0, 0, 0},
        {0xc0010117, CONSTANT, 0, 0, 0},
        {0xc0011020, CONSTANT, 0, 0, 0},
        {0xc0011022, CONSTANT, 0, 0, 0},
        {0xc0011023, CONSTANT, 0, 0, 0},
        {0xc0011029, CONSTANT, 0, 0, 0},
        {0xc001102a, CONSTANT, 0, 0, 0},
};

/* "AuthenticAMD", "HygonGenuine". */
static bool is_amd(void)
{
        const uint32_t name = nova_cpuid_host(0, 0).ebx;

        return name == 0x68747541 || name == 0x6f677948;
}

/* Sets the MTRRs as firmware leaves them: all memory is write-back, except VGA's memory and the
 * addresses of a PC's devices below 4 GiB. The values have no effect, because the nested page
 * tables determine the memory type. */
static void init_ranges(struct nova_msr_kept *kept)
{
        const uint32_t width = nova_cpuid_host(PHYS_LEAF, 0).eax & 0xff;

        kept->address_end = (uint64_t)1 << (width ? width : PHYS_BITS);
        kept->range_default = MTRR_ON | MTRR_FIXED | WRITE_BACK;
        for (unsigned i = 0; i < sizeof(kept->fixed) / sizeof(*kept->fixed); i++)
                kept->fixed[i] = i == 2 ? 0 : ALL_OF(WRITE_BACK);
        kept->range[0][0] = UNCACHED_AT;
        kept->range[0][1] = (kept->address_end - 1 - (UINT32_MAX - UNCACHED_AT)) | MTRR_ON;
}

void nova_msr_init(struct nova_msr_kept *kept, unsigned vcpu, bool local_apic)
{
        const struct nova_msr_kept fresh = {
                .apic_base = NOVA_LAPIC_AT | (vcpu ? 0 : APIC_FIRST) | (local_apic ? APIC_ON : 0),
                .local_apic = local_apic,
                .amd = is_amd(),
        };

        *kept = fresh;
        init_ranges(kept);
}

bool nova_msr_apic_is_on(const struct nova_msr_kept *kept)
{
        return kept->apic_base & APIC_ON;
}

static const struct row *find(const struct nova_msr_kept *kept, uint32_t number)
{
        if (number >= AMD_FIRST && number <= AMD_LAST && !kept->amd)
                return NULL;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                if (rows[i].number == number)
                        return &rows[i];
        return NULL;
}

static bool is_canonical(uint64_t value)
{
        return value + 0x800000000000 < 0x1000000000000;
}

bool nova_msr_get(const struct nova_utcb_event *event, const struct nova_msr_kept *kept,
                  uint32_t number, uint64_t *value)
{
        const struct row *const row = find(kept, number);

        if (!row)
                return false;
        switch ((enum home)row->home) {
        case FIELD:
        case ADDRESS64:
        case FLAGS:
        case EFER:
        case PAT:
                *value = *(const uint64_t *)((const char *)event + row->offset);
                return true;
        case WORD:
        case ADDRESS:
                *value = *(const nova_word_t *)((const char *)event + row->offset);
                return true;
        case APIC_BASE:
        case RANGES:
        case RANGE_TYPE:
        case RANGE_MASK:
        case RANGES_TYPE:
                *value = *(const uint64_t *)((const char *)kept + row->offset);
                return true;
        case TSC:
                *value = nova_rdtsc() + event->state.tsc_offset;
                return true;
        case CONSTANT:
        case READ_ONLY:
                *value = row->value;
                return true;
        }
        return false;
}

/* Returns true if a guest may write a value to EFER. LMA cannot be changed here, because only
 * paging enters and leaves long mode. */
static bool efer_is_valid(const struct nova_utcb_event *event, uint64_t value)
{
        const uint64_t old = event->more.efer;

        if (value & ~(uint64_t)EFER_GUEST)
                return false;
        return !((value ^ old) & NOVA_EFER_LME && event->state.cr0 & NOVA_CR0_PG);
}

/* Memory types: 0 UC, 1 WC, 4 WT, 5 WP, 6 WB, 7 UC- (in the PAT only). */
static bool types_are_valid(uint64_t value, unsigned last)
{
        for (unsigned shift = 0; shift < 64; shift += 8) {
                const unsigned type = (unsigned)(value >> shift & 0xff);
                if (type > last || type == 2 || type == 3)
                        return false;
        }
        return true;
}

/* Returns true if a range's register can have a value. Address bits that the CPU does not have are
 * reserved. */
static bool range_is_valid(const struct nova_msr_kept *kept, uint64_t value, uint64_t others)
{
        const uint64_t pages = (kept->address_end - 1) >> PAGE_BITS << PAGE_BITS;

        return !(value & ~(pages | others));
}

/* Returns true if a guest may write a value to IA32_APIC_BASE. It can disable and enable the local
 * APIC, but not move it. The bit of the boot CPU is read/write (SDM 4), and has no effect. */
static bool apic_base_is_valid(const struct nova_msr_kept *kept, uint64_t value)
{
        const uint64_t change = (value ^ kept->apic_base) & ~(uint64_t)APIC_FIRST;

        return !change || (kept->local_apic && change == APIC_ON);
}

static bool is_valid(const struct nova_utcb_event *event, const struct nova_msr_kept *kept,
                     const struct row *row, uint64_t value)
{
        switch ((enum home)row->home) {
        case APIC_BASE:
                return apic_base_is_valid(kept, value);
        case READ_ONLY:
                return false;
        case RANGES:
                return types_are_valid(value, WRITE_BACK);
        case RANGE_TYPE:
                return range_is_valid(kept, value, MTRR_TYPE) &&
                       types_are_valid(value & MTRR_TYPE, WRITE_BACK);
        case RANGE_MASK:
                return range_is_valid(kept, value, MTRR_ON);
        case RANGES_TYPE:
                return !(value & ~(uint64_t)(MTRR_ON | MTRR_FIXED | MTRR_TYPE)) &&
                       types_are_valid(value & MTRR_TYPE, WRITE_BACK);
        case ADDRESS:
        case ADDRESS64:
                return is_canonical(value);
        case FLAGS:
                return !(value >> 32);
        case PAT:
                return types_are_valid(value, 7);
        case EFER:
                return efer_is_valid(event, value);
        default:
                return true;
        }
}

bool nova_msr_set(struct nova_utcb_event *event, struct nova_msr_kept *kept, nova_mtd_t *changed,
                  uint32_t number, uint64_t value)
{
        const struct row *const row = find(kept, number);

        if (!row || !is_valid(event, kept, row, value))
                return false;
        switch ((enum home)row->home) {
        case ADDRESS:
        case WORD:
                *(nova_word_t *)((char *)event + row->offset) = (nova_word_t)value;
                break;
        case PAT:
        case FLAGS:
        case FIELD:
        case ADDRESS64:
                *(uint64_t *)((char *)event + row->offset) = value;
                break;
        case EFER:
                event->more.efer =
                        (value & ~(uint64_t)NOVA_EFER_LMA) | (event->more.efer & NOVA_EFER_LMA);
                break;
        case APIC_BASE:
        case RANGES:
        case RANGE_TYPE:
        case RANGE_MASK:
        case RANGES_TYPE:
                *(uint64_t *)((char *)kept + row->offset) = value;
                break;
        case TSC: /* the kernel adds the value written */
                event->state.tsc_offset = value - nova_rdtsc() - event->state.tsc_offset;
                break;
        case READ_ONLY:
        case CONSTANT:
                break;
        }
        *changed |= row->mtd;
        return true;
}
