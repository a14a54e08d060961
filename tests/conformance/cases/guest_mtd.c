/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: the state that each MTD bit copies into a message, and out of a reply. */
#include "guest.h"

/* The instruction that fills the memory from GUEST_CODE to GUEST_STACK, so that the guest can
 * continue at any address there. */
#define HLT ((char)0xf4)

/* A field of the message, its group, and two values that a CPU accepts. */
struct field {
        nova_mtd_t mtd;
        uint16_t offset;
        uint8_t size;
        uint64_t before, after;
};

#define STATE(group, name, before, after)                                          \
        {                                                                          \
                NOVA_MTD_##group, offsetof(struct nova_utcb_state, name),          \
                        sizeof(((struct nova_utcb_state *)0)->name), before, after \
        }
#define MORE(group, name, before, after)                                          \
        {                                                                         \
                NOVA_MTD_##group, offsetof(struct nova_utcb_event, more.name),    \
                        sizeof(((struct nova_utcb_more *)0)->name), before, after \
        }
#define XMM(number, half, before, after)                                                          \
        {                                                                                         \
                NOVA_MTD_XMM, offsetof(struct nova_utcb_event, xmm) + 16 * (number) + 8 * (half), \
                        8, before, after                                                          \
        }
#define SEGMENT(group, name, sel1, ar1, limit1, base1, sel2, limit2, base2)  \
        STATE(group, name.sel, sel1, sel2), STATE(group, name.ar, ar1, ar1), \
                STATE(group, name.limit, limit1, limit2), STATE(group, name.base, base1, base2)
#define TABLE(group, name, limit2, base2) \
        STATE(group, name.limit, 0xffff, limit2), STATE(group, name.base, 0, base2)

#define ALL 0xffffffff
/* For registers that take any canonical address: a value of 64 bits if a word has 64 bits. */
#define WIDE(address) (sizeof(word_t) == 8 ? 0xffff800000000000 | (address) : (address))

static const struct field fields[] = {
        STATE(ACDB, ax, 0x11, 0x8a0b0c0d),
        STATE(ACDB, cx, 0x12, 0x8a1b1c1d),
        STATE(ACDB, dx, 0x13, 0x8a2b2c2d),
        STATE(ACDB, bx, 0x14, 0x8a3b3c3d),
        STATE(BSD, bp, 0x15, 0x8a4b4c4d),
        STATE(BSD, si, 0x16, 0x8a5b5c5d),
        STATE(BSD, di, 0x17, 0x8a6b6c6d),
        STATE(ESP, sp, 0x18, 0x8a7b7c7d),
        STATE(EIP, ip, GUEST_CODE, GUEST_CODE + 5),
        STATE(EFL, flags, 0x2, 0xc97),
        SEGMENT(DS_ES, ds, 16, 0xc93, ALL, 0, 0x20, 0x0fffffff, 0x12345000),
        SEGMENT(DS_ES, es, 16, 0xc93, ALL, 0, 0x28, 0x1fffffff, 0x22345000),
        SEGMENT(FS_GS, fs, 16, 0xc93, ALL, 0, 0x30, 0x2fffffff, WIDE(0x32345000)),
        SEGMENT(FS_GS, gs, 16, 0xc93, ALL, 0, 0x38, 0x3fffffff, WIDE(0x42345000)),
        SEGMENT(CS_SS, cs, 8, 0xc9b, ALL, 0, 0x40, 0x4fffffff, 0x1000),
        SEGMENT(CS_SS, ss, 16, 0xc93, ALL, 0, 0x48, 0x5fffffff, 0x62345000),
        SEGMENT(TR, tr, 0, 0x8b, 0xffff, 0, 0x50, 0x67, WIDE(0x72345000)),
        SEGMENT(LDTR, ldtr, 0, 0x82, 0, 0, 0x58, 0x77, WIDE(0x82345000)),
        TABLE(GDTR, gdtr, 0x7f, WIDE(0x92345000)),
        TABLE(IDTR, idtr, 0x7ff, WIDE(0xa2345000)),
        STATE(CR, cr0, 0x11, 0x1b),
        STATE(CR, cr2, 0, WIDE(0xb2345678)),
        STATE(CR, cr3, 0, 0x7000),
        STATE(CR, cr4, 0, 0x208),
        STATE(DR, dr7, 0x400, 0x455),
        STATE(SYS, sysenter_cs, 0, 0x60),
        STATE(SYS, sysenter_sp, 0, WIDE(0xc2345678)),
        STATE(SYS, sysenter_ip, 0, WIDE(0xd2345678)),
        MORE(PAT, pat, 0x0007040600070406, 0x0606060606060600),
        MORE(DEBUG, dr[0], 0, 0x2340),
        MORE(DEBUG, dr[1], 0, 0x2341),
        MORE(DEBUG, dr[2], 0, 0x2342),
        MORE(DEBUG, dr[3], 0, 0x2343),
        MORE(DEBUG, dr6, 0xffff0ff0, 0xffff4ff1),
        XMM(0, 0, 0x31, 0x8877665544332220),
        XMM(0, 1, 0x32, 0x8877665544332221),
        XMM(1, 0, 0x33, 0x8877665544332222),
        XMM(1, 1, 0x34, 0x8877665544332223),
        XMM(2, 0, 0x35, 0x8877665544332224),
        XMM(2, 1, 0x36, 0x8877665544332225),
        XMM(3, 0, 0x37, 0x8877665544332226),
        XMM(3, 1, 0x38, 0x8877665544332227),
        XMM(4, 0, 0x39, 0x8877665544332228),
        XMM(4, 1, 0x3a, 0x8877665544332229),
        XMM(5, 0, 0x3b, 0x887766554433222a),
        XMM(5, 1, 0x3c, 0x887766554433222b),
#if __SIZEOF_POINTER__ == 8
        STATE(R8_R15, r8, 0x21, 0x8877665544332208),
        STATE(R8_R15, r9, 0x22, 0x8877665544332209),
        STATE(R8_R15, r10, 0x23, 0x8877665544332210),
        STATE(R8_R15, r11, 0x24, 0x8877665544332211),
        STATE(R8_R15, r12, 0x25, 0x8877665544332212),
        STATE(R8_R15, r13, 0x26, 0x8877665544332213),
        STATE(R8_R15, r14, 0x27, 0x8877665544332214),
        STATE(R8_R15, r15, 0x28, 0x8877665544332215),
        STATE(CR8, cr8, 0, 9),
        MORE(MSR, efer, 0, 0x1),
        MORE(MSR, star, 0, 0x1234567812345678),
        MORE(MSR, lstar, 0, 0xffff800012345678),
        MORE(MSR, fmask, 0, 0x47700),
        MORE(MSR, kernel_gs_base, 0, 0xffff800087654321),
        MORE(CSTAR_AUX, cstar, 0, 0xffff800023456789),
        MORE(CSTAR_AUX, tsc_aux, 0, 0x87654321),
#endif
};

#define FIELDS (sizeof(fields) / sizeof(*fields))
/* The MTD bits of all groups in the table. */
#define GROUPS                                                                                     \
        (NOVA_MTD_ACDB | NOVA_MTD_BSD | NOVA_MTD_ESP | NOVA_MTD_EIP | NOVA_MTD_EFL |               \
         NOVA_MTD_DS_ES | NOVA_MTD_FS_GS | NOVA_MTD_CS_SS | NOVA_MTD_TR | NOVA_MTD_LDTR |          \
         NOVA_MTD_GDTR | NOVA_MTD_IDTR | NOVA_MTD_CR | NOVA_MTD_DR | NOVA_MTD_SYS | NOVA_MTD_PAT | \
         NOVA_MTD_DEBUG | NOVA_MTD_XMM |                                                           \
         (sizeof(word_t) == 8 ? NOVA_MTD_R8_R15 | NOVA_MTD_CR8 | NOVA_MTD_MSR | NOVA_MTD_CSTAR_AUX \
                              : 0))

static uint64_t get(const struct guest *g, const struct field *f)
{
        const uint8_t *from = (const uint8_t *)&g->utcb->event + f->offset;
        uint64_t value = 0;

        for (unsigned i = 0; i < f->size; i++)
                value |= (uint64_t)from[i] << 8 * i;
        return value;
}

static void set(struct guest *g, const struct field *f, uint64_t value)
{
        uint8_t *to = (uint8_t *)&g->utcb->event + f->offset;

        for (unsigned i = 0; i < f->size; i++)
                to[i] = (uint8_t)(value >> 8 * i);
}

static void set_all(struct guest *g, bool after)
{
        for (unsigned i = 0; i < FIELDS; i++)
                set(g, &fields[i], after ? fields[i].after : fields[i].before);
}

static uint64_t cut(const struct field *f, uint64_t value)
{
        return f->size == 8 ? value : value & (((uint64_t)1 << 8 * f->size) - 1);
}

/* Checks that all fields of the groups in mtd have their second value, and all other fields their
 * first value. */
static void expect_fields(const struct guest *g, nova_mtd_t mtd)
{
        for (unsigned i = 0; i < FIELDS; i++) {
                const struct field *f = &fields[i];
                const uint64_t wanted = cut(f, f->mtd & mtd ? f->after : f->before);
                const uint64_t is = get(g, f);
                if (is == wanted)
                        continue;
                /* This always fails, and so shows the field and the MTD. */
                EXPECT_EQ(f->offset | (uint32_t)mtd << 16, 0);
                EXPECT_EQ(is, wanted);
        }
}

static void fill_with_hlt(struct guest *g)
{
        for (unsigned i = GUEST_CODE; i < GUEST_STACK; i++)
                g->memory[i] = HLT;
}

CASE_ON(guest_mtd, each_bit_of_an_answer_changes_its_own_state_alone,
        "7.3-02 7.3-12 7.3-13 7.3-14 7.3-15 7.3-16 7.3-17 7.3-18 7.3-19 7.3-20 7.3-21 7.3-22 "
        "7.3-23 7.3-24 7.3-25 7.4-15 7.4-16 7.4-17 7.4-18 7.4-19 7.4-20 7.4-21 7.4-22 7.4-23 "
        "7.4-24 7.4-25 7.4-26 7.4-27 7.4-28 7.4-29 7.4-30 7.4-31 7.4-32 7.4-33 7.4-34 7.4-35 "
        "7.4-36 7.4-37 7.4-38 7.4-41 7.4-42 7.4-43 7.4-44 X-XMM 8.3-02 8.3-14 8.3-16 8.3-17 8.3-18 "
        "8.3-19 8.3-20 8.3-21 8.3-22 8.3-23 8.3-24 8.3-25 8.3-26 8.3-27 8.4-19 8.4-20 8.4-21 "
        "8.4-22 8.4-23 8.4-24 8.4-25 8.4-26 8.4-28 8.4-29",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, NULL, NULL);

        fill_with_hlt(g);
        guest_flat(g);
        set_all(g, false);
        guest_until(g, GROUPS, EXIT_HLT);
        expect_fields(g, 0);
        for (nova_mtd_t mtd = 1; mtd <= GUEST_MTD; mtd <<= 1) {
                if (!(mtd & GROUPS))
                        continue;
                set_all(g, true);
                guest_until(g, mtd, EXIT_HLT);
                expect_fields(g, mtd);
                set_all(g, false);
                guest_until(g, mtd, EXIT_HLT);
        }
        set_all(g, true);
        guest_until(g, GROUPS, EXIT_HLT);
        expect_fields(g, GROUPS);
}

/* Checks the message of a portal with this MTD. Fields whose bit the portal lacks keep the values
 * that the monitor wrote into the message buffer. */
static void expect_message(nova_mtd_t mtd)
{
        struct guest *g = guest_new_mtd(boot_cpu, NULL, NULL, EXIT_HLT, mtd);

        fill_with_hlt(g);
        guest_flat(g);
        set_all(g, true);
        guest_until(g, GROUPS, EXIT_HLT);
        set_all(g, false);
        guest_until(g, 0, EXIT_HLT);
        EXPECT_EQ(g->state->mtd, mtd);
        expect_fields(g, mtd);
}

/* The selectors of a case are enough for seven guests. */
CASE_ON(guest_mtd, each_bit_of_a_portal_fills_its_own_general_registers_alone,
        "7.4-15 7.4-17 7.4-19 7.4-21 7.4-23 8.4-19", needs_virtualization)
{
        for (nova_mtd_t mtd = NOVA_MTD_ACDB; mtd <= NOVA_MTD_EFL; mtd <<= 1)
                expect_message(mtd);
}

CASE_ON(guest_mtd, each_bit_of_a_portal_fills_its_own_segments_alone,
        "7.4-25 7.4-27 7.4-29 7.4-31 7.4-33 8.4-20 8.4-21 8.4-22 8.4-23 8.4-24",
        needs_virtualization)
{
        for (nova_mtd_t mtd = NOVA_MTD_DS_ES; mtd <= NOVA_MTD_LDTR; mtd <<= 1)
                expect_message(mtd);
}

CASE_ON(guest_mtd, each_bit_of_a_portal_fills_its_own_system_registers_alone,
        "7.4-35 7.4-37 7.4-39 7.4-41 7.4-43 8.4-25 8.4-26 8.4-28 8.4-29", needs_virtualization)
{
        for (nova_mtd_t mtd = NOVA_MTD_GDTR; mtd <= NOVA_MTD_SYS; mtd <<= 1)
                expect_message(mtd);
}

CASE_ON(guest_mtd, each_added_bit_of_a_portal_fills_its_own_fields_alone, "8.3-15 X-XMM",
        needs_virtualization)
{
        for (nova_mtd_t mtd = NOVA_MTD_R8_R15; mtd <= NOVA_MTD_XMM; mtd <<= 1)
                if (mtd & GROUPS)
                        expect_message(mtd);
}

GUEST(port_32, 32, "outb %al, $0xe9; hlt");

CASE_ON(guest_mtd, the_length_of_an_instruction_comes_with_EIP, "7.3-02 8.3-02 7.4-45 8.4-30 D-10",
        needs_virtualization)
{
        struct guest *g = guest_new_mtd(boot_cpu, port_32, port_32_end, EXIT_PORT, NOVA_MTD_EIP);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->inst_len = 77;
        guest_until(g, mtd, EXIT_PORT);
        EXPECT_EQ(g->state->inst_len, 2);
        g = guest_new_mtd(boot_cpu, port_32, port_32_end, EXIT_PORT, NOVA_MTD_ACDB);
        guest_flat(g);
        g->state->inst_len = 77;
        guest_until(g, mtd, EXIT_PORT);
        EXPECT_EQ(g->state->inst_len, 77);
}

CASE_ON(guest_mtd, qualifications_come_with_their_bit_and_are_not_taken_back,
        "7.4-46 7.4-47 8.4-31 8.4-32", needs_virtualization)
{
        struct guest *g = guest_new_mtd(boot_cpu, port_32, port_32_end, EXIT_PORT, NOVA_MTD_QUAL);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->qual[0] = g->state->qual[1] = 77;
        guest_until(g, mtd, EXIT_PORT);
        EXPECT_EQ(g->state->qual[0] >> 16, 0xe9);
        EXPECT(g->state->qual[1] != 77);
        const uint64_t qual = g->state->qual[0];
        g->state->qual[0] = g->state->qual[1] = 77;
        guest_until(g, NOVA_MTD_QUAL, EXIT_PORT);
        EXPECT_EQ(g->state->qual[0], qual);
        g = guest_new_mtd(boot_cpu, port_32, port_32_end, EXIT_PORT, NOVA_MTD_ACDB);
        guest_flat(g);
        g->state->qual[0] = g->state->qual[1] = 77;
        guest_until(g, mtd, EXIT_PORT);
        EXPECT(g->state->qual[0] == 77 && g->state->qual[1] == 77);
}

CASE_ON(guest_mtd, controls_do_not_appear_in_messages, "7.3-11 8.3-12 7.4-48 8.4-33",
        needs_virtualization)
{
        struct guest *g = guest_new_mtd(boot_cpu, port_32, port_32_end, EXIT_PORT, NOVA_MTD_CTRL);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->ctrl[0] = g->state->ctrl[1] = 77;
        guest_until(g, mtd, EXIT_PORT);
        EXPECT(g->state->ctrl[0] == 77 && g->state->ctrl[1] == 77);
}

CASE_ON(guest_mtd, the_offset_of_the_tsc_appears, "7.3-12 8.3-13 7.4-55 8.4-40",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, port_32, port_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->tsc_offset = (uint64_t)1 << 60;
        guest_until(g, mtd | NOVA_MTD_TSC, EXIT_PORT);
        EXPECT_EQ((g->state->tsc_offset + ((uint64_t)1 << 58)) >> 60, 1);
        g = guest_new_mtd(boot_cpu, port_32, port_32_end, EXIT_PORT, NOVA_MTD_ACDB);
        guest_flat(g);
        g->state->tsc_offset = 77;
        guest_until(g, mtd, EXIT_PORT);
        EXPECT_EQ(g->state->tsc_offset, 77);
}

GUEST(shadow_32, 32, "sti; outb %al, $0xe9; hlt");

/* Runs the guest to the instruction after sti, which exits: interrupts are still blocked. */
static void run_to_shadow(struct guest *g)
{
        nova_mtd_t mtd = guest_flat(g);

        for (unsigned tries = guest_tries(); tries; tries--) {
                guest_until(g, mtd, EXIT_PORT);
                if (g->state->intr_state)
                        return;
                g->state->ip = GUEST_CODE;
                g->state->flags = 0x2;
                mtd = NOVA_MTD_EIP | NOVA_MTD_EFL;
        }
}

CASE_ON(guest_mtd, the_blocking_of_interrupts_is_reported, "7.3-05 8.3-05 7.4-52 8.4-37",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, shadow_32, shadow_32_end);

        run_to_shadow(g);
        EXPECT_EQ(g->state->intr_state, 1);
        EXPECT_EQ(g->state->actv_state, 0);
        g->state->intr_state = 0;
        guest_until(g, NOVA_MTD_STA, EXIT_PORT);
        EXPECT_EQ(g->state->intr_state, 0);
}

static const char *needs_virtualization_of_hardware(void)
{
        return needs_virtualization() ? needs_virtualization() : needs_hardware();
}

CASE_ON(guest_mtd, a_reply_can_block_interrupts, "7.4-53 8.4-38", needs_virtualization_of_hardware)
{
        struct guest *g = guest_new(boot_cpu, shadow_32, shadow_32_end);

        guest_until(g, guest_flat(g), EXIT_PORT);
        g->state->intr_state = 0;
        guest_until(g, NOVA_MTD_STA, EXIT_PORT);
        g->state->intr_state = 1;
        guest_until(g, NOVA_MTD_STA, EXIT_PORT);
        EXPECT_EQ(g->state->intr_state, 1);
}
