/* SPDX-License-Identifier: BSD-2-Clause */
/* All of layers 0 and 1. Include the helpers of small roottasks (root.h, console.h, portal.h) by
 * name. */
#ifndef NOVA_NOVA_H
#define NOVA_NOVA_H

#include "nova/cmdline.h"
#include "nova/crd.h"
#include "nova/event.h"
#include "nova/hip.h"
#include "nova/hypercall.h"
#include "nova/log.h"
#include "nova/mtd.h"
#include "nova/qpd.h"
#include "nova/start.h"
#include "nova/status.h"
#include "nova/text.h"
#include "nova/utcb.h"
#include "nova/utf8.h"

#endif
