/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments and statuses of a VMM that is about to end (ender.c), for its parent (ends.c). */
#ifndef NOVA_TESTS_SECURE_ENDER_H
#define NOVA_TESTS_SECURE_ENDER_H

/* Arguments of the VMM: a kind of place, the number of the place, and the VMM's action there. */
#define ENDER_ESM    "esm"    /* at call number 0, 1, … of UV_ESM */
#define ENDER_CALL   "call"   /* at a call of kind 0, 1, … to the VMM of a secure guest */
#define ENDER_ULTRA  "ultra"  /* in an ultracall, by the number of its row */
#define ENDER_SHARED "shared" /* in UV_PAGE_IN and UV_PAGE_INVAL of a shared page */
#define ENDER_GUEST  "guest"  /* in a guest's ultracall, by a kind of PROBE_FLOOD */
#define ENDER_LAST   "last"   /* in UV_SVM_TERMINATE */
#define ENDER_STEPS  "steps"  /* the status is the number of calls of UV_ESM */
#define ENDER_ROOM   "room"   /* the status is that of room_measure() */
#define ENDER_RUN    "run"    /* a guest runs; status ENDER_RIGHT */

enum ender_deed {
        ENDER_DIES,  /* exits with ENDER_DIED */
        ENDER_HANGS, /* never answers; its parent kills it */
        ENDER_SPINS, /* computes for ever; its parent kills it */
        ENDER_GOES,  /* continues normally; its parent kills it */
        ENDER_DEEDS
};

#define ENDER_KINDS   9         /* number of kinds of ENDER_CALL */
#define ENDER_REACHED "reached" /* the VMM asks for this module at the place */

/* Statuses of the VMM, larger than the number of calls of UV_ESM. */
enum ender_status {
        ENDER_DIED = 71,
        ENDER_RIGHT,
        ENDER_UNFIT,   /* it could not start */
        ENDER_CLOSED,  /* the ultravisor did not accept it */
        ENDER_CROWDED, /* the ultravisor accepted more sessions than its limit */
        ENDER_WRONG,   /* its guest did not become secure, or returned a wrong value */
        ENDER_MISSED   /* it did not reach its place */
};

#endif
