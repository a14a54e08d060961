/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiles overlay.c (mapping of overlay pages) and vcpu.c (handling of exits). Functions of the
 * test replace the hypercalls. */
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/page.h"
#include "novart/region.h"

#include "overlay_order.h"

#define nova_revoke(crd, itself)                  overlay_order_revoke(crd)
#define nova_ec_ctrl(ec)                          overlay_order_recall(ec)
#define nova_utcb_delegate(utcb, crd, hot, flags) ((void)(flags), overlay_order_delegate(crd, hot))
#define nova_thread_utcb()                        NULL

#define novavmm_vcpu_recall_for overlay_order_recall_for

#include "overlay.c"
#include "vcpu.c"
