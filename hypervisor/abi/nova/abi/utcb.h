/* SPDX-License-Identifier: BSD-2-Clause */
/* User thread control block: header, items, and the state of an event message.
 * @spec 4.6, 7.3, 8.3 */
#ifndef NOVA_ABI_UTCB_H
#define NOVA_ABI_UTCB_H

#include "nova/abi/crd.h"
#include "nova/abi/mtd.h"
#include "nova/abi/types.h"

/* The items word: bits 15..0 untyped (U), 31..16 typed (T). */
#define NOVA_UTCB_TYPED_SHIFT 16     /**< bits 31..16: typed items (T) */
#define NOVA_UTCB_COUNT_MASK  0xffff /**< bits 15..0: untyped words (U); T, shifted down */

#define NOVA_UTCB_HEADER_WORDS 4 /**< words of the header, before the data area */
/** Words of the data area. */
#define NOVA_UTCB_WORDS (NOVA_PAGE_SIZE / __SIZEOF_POINTER__ - NOVA_UTCB_HEADER_WORDS)
/** Maximum number of typed items, two words each, in the data area. */
#define NOVA_UTCB_TYPED_MAX (NOVA_UTCB_WORDS / 2)

/* Upper word of a typed item. */
#define NOVA_ITEM_TRANSLATE 0x0   /**< bit 0 clear: translate */
#define NOVA_ITEM_DELEGATE  0x1   /**< bit 0 set: delegate */
#define NOVA_ITEM_D         0x200 /**< memory: map in the DMA page table, too */
#define NOVA_ITEM_G         0x400 /**< memory: map in the guest page table, too */
/** The source is the microhypervisor (root PD only). */
#define NOVA_ITEM_H             0x800
#define NOVA_ITEM_FLAGS_MASK    0xfff /**< all bits but the hotspot */
#define NOVA_ITEM_HOTSPOT_SHIFT 12    /**< bits 12 and above: the hotspot */

#ifndef __ASSEMBLER__

/** A segment register with its hidden part. ar: bits 3..0 type, 4 S, 6..5 DPL, 7 present, 8 AVL,
 *  9 L, 10 D/B, 11 G, 12 unusable. */
struct nova_segment {
        uint16_t sel;     /**< selector: the visible part */
        uint16_t ar;      /**< access rights, see above */
        uint32_t limit;   /**< last valid offset in bytes */
        nova_word_t base; /**< linear address of offset 0 */
#if __SIZEOF_POINTER__ == 4
        uint32_t base_high;
#endif
};

/** State of a thread or virtual CPU in an event message. The MTD shows which fields are valid. */
struct nova_utcb_state {
        nova_word_t mtd; /**< groups that the message carries; in a reply: groups to write back */
        nova_word_t inst_len;       /**< length of the intercepted instruction in bytes */
        nova_word_t ip;             /**< instruction pointer */
        nova_word_t flags;          /**< EFLAGS or RFLAGS */
        uint32_t intr_state;        /**< interruptibility state: blocking of interrupts and NMIs */
        uint32_t actv_state;        /**< activity state: active, halted, … */
        uint32_t inj_info;          /**< event to inject, or event whose delivery was intercepted */
        uint32_t inj_error;         /**< error code of that event */
        nova_word_t ax, cx, dx, bx; /**< general register */
        nova_word_t sp, bp, si, di; /**< general register */
#if __SIZEOF_POINTER__ == 8
        nova_word_t r8, r9, r10, r11, r12, r13, r14, r15; /**< general register */
#endif
        uint64_t qual[2];    /**< exceptions: error code, CR2; intercepts: qualifications */
        uint32_t ctrl[2];    /**< primary and secondary execution controls: nova/abi/control.h */
        uint64_t tsc_offset; /**< ticks added to each TSC value that the guest reads */
        nova_word_t cr0, cr2, cr3, cr4; /**< control register */
#if __SIZEOF_POINTER__ == 8
        nova_word_t cr8, reserved; /**< control register */
#endif
        nova_word_t dr7;                                   /**< debug control register */
        nova_word_t sysenter_cs, sysenter_sp, sysenter_ip; /**< MSR of SYSENTER */
        struct nova_segment es, cs, ss, ds, fs, gs;        /**< segment register */
        struct nova_segment ldtr, tr, gdtr, idtr;          /**< segment register */
};

/** Extension: state of a virtual CPU that the layout of 2012 lacks; MTD bits MSR to CSTAR_AUX.
 */
struct nova_utcb_more {
        uint64_t efer;           /**< extended feature enable register */
        uint64_t star;           /**< segments of SYSCALL */
        uint64_t lstar;          /**< entry point of SYSCALL */
        uint64_t fmask;          /**< flags that SYSCALL clears */
        uint64_t kernel_gs_base; /**< GS base that SWAPGS loads */
        uint64_t pat;            /**< page attribute table */
        uint64_t dr[4];          /**< dr0 to dr3 */
        uint64_t dr6;            /**< debug status */
        uint64_t gpa;     /**< guest-physical address of a nested page fault; never written back */
        uint64_t xcr0;    /**< enabled state components */
        uint64_t cstar;   /**< entry point of SYSCALL from compatibility mode */
        uint64_t tsc_aux; /**< TSC_AUX, which RDTSCP and RDPID return */
};

/** Registers of group XMM: XMM0 to XMM5. */
#define NOVA_UTCB_XMM_REGISTERS 6

/** Extension: an event message with more state. */
struct nova_utcb_event {
        struct nova_utcb_state state;             /**< state of the layout of 2012 */
        struct nova_utcb_more more;               /**< additional state, directly after `state` */
        uint8_t xmm[NOVA_UTCB_XMM_REGISTERS][16]; /**< XMM0 to XMM5, directly after `more` */
};

/** Page through which one thread's messages go. Untyped items grow up from word[0], typed items
 * grow down from the end: typed item i has its CRD at word[NOVA_UTCB_WORDS - 2 * i - 2], and its
 * flags and hotspot in the next word. */
struct nova_utcb {
        nova_word_t items;           /**< bits 15..0 U, 31..16 T */
        nova_crd_t translate_window; /**< range in which capabilities may be recognised */
        nova_crd_t delegate_window;  /**< range that may receive capabilities */
        nova_word_t tls;             /**< word for the thread's use; the kernel never changes it */
        union {
                nova_word_t word[NOVA_UTCB_WORDS]; /**< message: untyped words and typed items */
                struct nova_utcb_state state;      /**< event message: the state */
                struct nova_utcb_event event;      /**< event message with additional state */
        };
};

/** Words of an event message: value of the items field when the message arrives. */
#define NOVA_UTCB_STATE_WORDS (sizeof(struct nova_utcb_state) / sizeof(nova_word_t))

/** Words of an event message from a virtual CPU whose MTD has one of the bits NOVA_MTD_MORE. */
#define NOVA_UTCB_MORE_WORDS \
        (NOVA_UTCB_STATE_WORDS + sizeof(struct nova_utcb_more) / sizeof(nova_word_t))

/** Words of an event message from a virtual CPU whose MTD has the bit NOVA_MTD_XMM. */
#define NOVA_UTCB_XMM_WORDS (sizeof(struct nova_utcb_event) / sizeof(nova_word_t))

#define NOVA_UTCB_OFFSET(field, offset32, offset64)                                      \
        NOVA_STATIC_ASSERT(offsetof(struct nova_utcb_state, field) ==                    \
                                   (sizeof(nova_word_t) == 8 ? (offset64) : (offset32)), \
                           "offset of " #field)
NOVA_UTCB_OFFSET(mtd, 0x00, 0x00);
NOVA_UTCB_OFFSET(inst_len, 0x04, 0x08);
NOVA_UTCB_OFFSET(ip, 0x08, 0x10);
NOVA_UTCB_OFFSET(flags, 0x0c, 0x18);
NOVA_UTCB_OFFSET(intr_state, 0x10, 0x20);
NOVA_UTCB_OFFSET(actv_state, 0x14, 0x24);
NOVA_UTCB_OFFSET(inj_info, 0x18, 0x28);
NOVA_UTCB_OFFSET(inj_error, 0x1c, 0x2c);
NOVA_UTCB_OFFSET(ax, 0x20, 0x30);
NOVA_UTCB_OFFSET(cx, 0x24, 0x38);
NOVA_UTCB_OFFSET(dx, 0x28, 0x40);
NOVA_UTCB_OFFSET(bx, 0x2c, 0x48);
NOVA_UTCB_OFFSET(sp, 0x30, 0x50);
NOVA_UTCB_OFFSET(bp, 0x34, 0x58);
NOVA_UTCB_OFFSET(si, 0x38, 0x60);
NOVA_UTCB_OFFSET(di, 0x3c, 0x68);
NOVA_UTCB_OFFSET(qual, 0x40, 0xb0);
NOVA_UTCB_OFFSET(ctrl, 0x50, 0xc0);
NOVA_UTCB_OFFSET(tsc_offset, 0x58, 0xc8);
NOVA_UTCB_OFFSET(cr0, 0x60, 0xd0);
NOVA_UTCB_OFFSET(dr7, 0x70, 0x100);
NOVA_UTCB_OFFSET(sysenter_cs, 0x74, 0x108);
NOVA_UTCB_OFFSET(es, 0x80, 0x120);
NOVA_UTCB_OFFSET(gs, 0xd0, 0x170);
NOVA_UTCB_OFFSET(ldtr, 0xe0, 0x180);
NOVA_UTCB_OFFSET(idtr, 0x110, 0x1b0);
#undef NOVA_UTCB_OFFSET
NOVA_STATIC_ASSERT(offsetof(struct nova_utcb, event.more) ==
                           (sizeof(nova_word_t) == 8 ? 0x20 + 0x1c0 : 0x10 + 0x120),
                   "offset of more");
NOVA_STATIC_ASSERT(offsetof(struct nova_utcb, event.xmm) ==
                           (sizeof(nova_word_t) == 8 ? 0x258 : 0x1a8),
                   "offset of xmm");
NOVA_STATIC_ASSERT(NOVA_UTCB_XMM_WORDS == (sizeof(nova_word_t) == 8 ? 83 : 126),
                   "words of an event message with XMM registers");
NOVA_STATIC_ASSERT(sizeof(struct nova_utcb) == NOVA_PAGE_SIZE, "a UTCB is a page");
NOVA_STATIC_ASSERT(sizeof(struct nova_segment) == 16, "a segment descriptor has 16 bytes");
NOVA_STATIC_ASSERT(NOVA_UTCB_STATE_WORDS == (sizeof(nova_word_t) == 8 ? 56 : 72),
                   "words of an event message");

/** Returns the items word for u untyped and t typed items. */
static inline nova_word_t nova_utcb_items(unsigned u, unsigned t)
{
        return u | (nova_word_t)t << NOVA_UTCB_TYPED_SHIFT;
}

/** Returns the number of untyped items in an items word. */
static inline unsigned nova_utcb_untyped(nova_word_t items)
{
        return (unsigned)(items & NOVA_UTCB_COUNT_MASK);
}

/** Returns the number of typed items in an items word. */
static inline unsigned nova_utcb_typed(nova_word_t items)
{
        return (unsigned)(items >> NOVA_UTCB_TYPED_SHIFT & NOVA_UTCB_COUNT_MASK);
}

/** Returns the index in word[] of typed item i's CRD. The word with its flags and hotspot
 * follows. */
static inline unsigned nova_utcb_item_index(unsigned i)
{
        return NOVA_UTCB_WORDS - 2 * i - 2;
}

#endif /* __ASSEMBLER__ */
#endif
