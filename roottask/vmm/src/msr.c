/* SPDX-License-Identifier: BSD-2-Clause */
/* Model-specific registers of guests (see novavmm/msr.h). */
#include "novavmm/msr.h"

#include <stddef.h>

#include "nova/arch/tsc.h"
#include "novavmm/lapic.h"
#include "novavmm/registers.h"

/* Where a register lives. */
enum home {
        FIELD,    /* in the event message, at `offset` */
        WORD,     /* the same, a machine word */
        ADDRESS,  /* the same, and values must be canonical */
        FLAGS,    /* a field whose upper half is reserved */
        KEPT,     /* in struct nova_msr_kept, at `offset` */
        FIXED,    /* the same, and nothing else can be written */
        CONSTANT, /* reads give `value`, writes are lost */
        EFER,
        PAT,
        TSC
};

struct row {
        uint32_t number;
        uint8_t home;
        uint16_t offset;
        nova_mtd_t mtd;
        uint64_t value;
};

#define STATE(field) offsetof(struct nova_utcb_event, state.field)
#define MORE(field)  offsetof(struct nova_utcb_event, more.field)
#define OWN(field)   offsetof(struct nova_msr_kept, field)

/* Bits of EFER that a guest may have; the CPU itself checks NXE and FFXSR at the entry. */
#define EFER_GUEST                                                                        \
        (NOVA_EFER_SCE | (sizeof(nova_word_t) == 8 ? NOVA_EFER_LME | NOVA_EFER_LMA : 0) | \
         NOVA_EFER_NXE)

/* Of IA32_APIC_BASE: the CPU is the first one; its local APIC is on. SDM 3A, 11.4.4. */
#define APIC_FIRST 0x100u
#define APIC_ON    0x800u

/* Fast string instructions; neither branches nor events are stored (IA32_MISC_ENABLE). */
#define MISC_ENABLE 0x1801

/* Constants are registers that Linux and other systems read on CPUs of AMD and Intel without asking
 * CPUID; 0 says that nothing special is there. */
static const struct row rows[] = {
        {0x10, TSC, 0, NOVA_MTD_TSC, 0},
        {0x17, CONSTANT, 0, 0, 0},
        {0x1b, FIXED, OWN(apic_base), 0, 0},
        {0x8b, CONSTANT, 0, 0, 0},
        {0x174, WORD, STATE(sysenter_cs), NOVA_MTD_SYS, 0},
        {0x175, ADDRESS, STATE(sysenter_sp), NOVA_MTD_SYS, 0},
        {0x176, ADDRESS, STATE(sysenter_ip), NOVA_MTD_SYS, 0},
        {0x1a0, CONSTANT, 0, 0, MISC_ENABLE},
        {0x277, PAT, MORE(pat), NOVA_MTD_PAT, 0},
        {0xc0000080, EFER, MORE(efer), NOVA_MTD_MSR, 0},
        {0xc0000081, FIELD, MORE(star), NOVA_MTD_MSR, 0},
        {0xc0000082, ADDRESS, MORE(lstar), NOVA_MTD_MSR, 0},
        {0xc0000083, KEPT, OWN(cstar), 0, 0},
        {0xc0000084, FLAGS, MORE(fmask), NOVA_MTD_MSR, 0},
#if __SIZEOF_POINTER__ == 8
        {0xc0000100, ADDRESS, STATE(fs.base), NOVA_MTD_FS_GS, 0},
        {0xc0000101, ADDRESS, STATE(gs.base), NOVA_MTD_FS_GS, 0},
#endif
        {0xc0000102, ADDRESS, MORE(kernel_gs_base), NOVA_MTD_MSR, 0},
        {0xc0000103, KEPT, OWN(tsc_aux), 0, 0},
        {0xc0010010, CONSTANT, 0, 0, 0},
        {0xc0010015, CONSTANT, 0, 0, 0},
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

void nova_msr_init(struct nova_msr_kept *kept, unsigned vcpu, bool local_apic)
{
        const struct nova_msr_kept fresh = {.apic_base = NOVA_LAPIC_AT | (vcpu ? 0 : APIC_FIRST) |
                                                         (local_apic ? APIC_ON : 0)};

        *kept = fresh;
}

static const struct row *find(uint32_t number)
{
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
        const struct row *const row = find(number);

        if (!row)
                return false;
        switch ((enum home)row->home) {
        case FIELD:
        case FLAGS:
        case EFER:
        case PAT:
                *value = *(const uint64_t *)((const char *)event + row->offset);
                return true;
        case WORD:
        case ADDRESS:
                *value = *(const nova_word_t *)((const char *)event + row->offset);
                return true;
        case KEPT:
        case FIXED:
                *value = *(const uint64_t *)((const char *)kept + row->offset);
                return true;
        case TSC:
                *value = nova_rdtsc() + event->state.tsc_offset;
                return true;
        case CONSTANT:
                *value = row->value;
                return true;
        }
        return false;
}

/* Long mode is entered and left by paging alone. */
static bool efer_is_valid(const struct nova_utcb_event *event, uint64_t value)
{
        const uint64_t old = event->more.efer;

        if (value & ~(uint64_t)EFER_GUEST)
                return false;
        return !((value ^ old) & NOVA_EFER_LME && event->state.cr0 & NOVA_CR0_PG);
}

/* Memory types: 0 UC, 1 WC, 4 WT, 5 WP, 6 WB, 7 UC-. */
static bool pat_is_valid(uint64_t value)
{
        for (unsigned shift = 0; shift < 64; shift += 8) {
                const unsigned type = (unsigned)(value >> shift & 0xff);
                if (type > 7 || type == 2 || type == 3)
                        return false;
        }
        return true;
}

static bool is_valid(const struct nova_utcb_event *event, const struct nova_msr_kept *kept,
                     const struct row *row, uint64_t value)
{
        switch ((enum home)row->home) {
        case FIXED:
                return value == *(const uint64_t *)((const char *)kept + row->offset);
        case ADDRESS:
                return is_canonical(value);
        case FLAGS:
                return !(value >> 32);
        case PAT:
                return pat_is_valid(value);
        case EFER:
                return efer_is_valid(event, value);
        default:
                return true;
        }
}

bool nova_msr_set(struct nova_utcb_event *event, struct nova_msr_kept *kept, nova_mtd_t *changed,
                  uint32_t number, uint64_t value)
{
        const struct row *const row = find(number);

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
                *(uint64_t *)((char *)event + row->offset) = value;
                break;
        case EFER:
                event->more.efer =
                        (value & ~(uint64_t)NOVA_EFER_LMA) | (event->more.efer & NOVA_EFER_LMA);
                break;
        case KEPT:
                *(uint64_t *)((char *)kept + row->offset) = value;
                break;
        case TSC: /* what is written is added by the kernel */
                event->state.tsc_offset = value - nova_rdtsc() - event->state.tsc_offset;
                break;
        case FIXED:
        case CONSTANT:
                break;
        }
        *changed |= row->mtd;
        return true;
}
