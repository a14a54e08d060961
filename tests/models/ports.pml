// SPDX-License-Identifier: BSD-2-Clause
// Delegation and revocation of ports against accesses, as in hypervisor/src/space/space.c,
// page_table.c and virt/vcpu.c: after a revocation has returned, no access to its port succeeds;
// after a delegation has returned, each access to its port succeeds.
//
// CPUs 0 and 1 each delegate a port to one PD and revoke it, ROUNDS times. Both ports are bits of
// one word of the PD's I/O bitmap. The first delegation gives the PD a page of its own in place of
// the page of ones, and flushes the translation of that page. A delegation that finds a page of the
// PD's own waits until the flush is complete (flush_run(), which flush.pml models). CPU 2 runs
// the PD: a thread, whose accesses the CPU checks by the bitmap that it finds with its TLB, and a
// guest, whose accesses the kernel checks and makes.
//
// holds:
// fails: OLD_RULE -> revoked
// fails: FIRST_CHECK -> revoked
// fails: WRITES_UNLOCKED -> revoked
// fails: ENTRY_FIRST -> revoked
// fails: NO_FLUSH -> delegated
// fails: TRUSTS_OTHERS -> delegated

#define ROUNDS 2

#define BIT(n) (1 << (n))

mtype = { NOTHING, ONES, OWN };

bool locked;              /* space_lock[I/O] */
bool made;                /* pd.io.bitmap */
bool mapped;              /* the window has the PD's page, else the page of ones */
byte bits;                /* bits of the PD's page: 1 forbids a port; any if the frame is new */
mtype cached = NOTHING;   /* translation of the bitmap's page in the TLB of CPU 2 */
bool flushing;            /* a delegation has mapped the page and not flushed yet */
bool may[2], must[2];     /* an access may succeed, must succeed */

inline take()
{
        atomic { !locked -> locked = true }
}

inline drop()
{
        locked = false
}

/* page_table_io_bitmap(). */
inline make_page()
{
        flushing = true;
        flushes = true;
#ifdef ENTRY_FIRST
        mapped = true;
        bits = 3;
#else
        bits = 3;
        mapped = true;
#endif
        made = true
}

/* space_io_apply() and space_io_write(): reads and writes the word of both ports. */
inline apply(port, allowed)
{
        if
        :: allowed && !made -> make_page()
        :: else
        fi;
        word = bits;
        if
        :: allowed -> bits = word & ~BIT(port)
        :: else -> bits = word | BIT(port)
        fi;
        word = 0
}

#ifdef WRITES_UNLOCKED
#define WRITE(port, allowed) apply(port, allowed)
#else
#define WRITE(port, allowed) take(); apply(port, allowed); drop()
#endif

proctype owner(byte port)
{
        byte rounds, word;
        bool flushes;

        do
        :: rounds < ROUNDS ->
                rounds++;
                may[port] = true; /* the delegation begins */
                WRITE(port, true);
#ifndef NO_FLUSH
                if
                :: atomic { flushes -> cached = NOTHING; flushes = false; flushing = false }
                :: else
                fi;
#endif
#if !defined(TRUSTS_OTHERS) && !defined(NO_FLUSH)
                !flushing; /* waits */
#endif
                must[port] = true;  /* the delegation returns */
                must[port] = false; /* the revocation begins */
                WRITE(port, false);
                may[port] = false
        :: rounds == ROUNDS -> break
        od
}

/* Checks the result of an access. */
inline access(port, succeeds)
{
        assert(!succeeds || may[port]); /* claim: revoked */
        assert(succeeds || !must[port]) /* claim: delegated */
}

/* vcpu_owns_ports(). */
#define OWNS(port) (made && !(bits & BIT(port)))

/* vcpu_access_port() for a guest, and an instruction of a thread. */
proctype user()
{
        byte port;
        bool owns;

end:    do
        :: select(port : 0 .. 1);
           if
           /* The first check is without the lock. If it fails, the exit goes to the VMM. */
           :: atomic { !OWNS(port) -> access(port, false) }
           :: OWNS(port) ->
#ifndef OLD_RULE
                take();
#endif
#if !defined(OLD_RULE) && !defined(FIRST_CHECK)
                owns = OWNS(port);
#else
                owns = true;
#endif
                access(port, owns);
#ifndef OLD_RULE
                drop();
#endif
                owns = false
           :: atomic { cached == NOTHING ->
                if
                :: mapped -> cached = OWN
                :: else -> cached = ONES
                fi
              }
           :: atomic { cached != NOTHING ->
                access(port, (cached == OWN && !(bits & BIT(port))))
              }
           fi
        od
}

init {
        atomic {
                run owner(0);
                run owner(1);
                run user()
        }
}
