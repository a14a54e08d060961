/* SPDX-License-Identifier: BSD-2-Clause */
/* The extensions of the interface that the service pci uses are in hypercall.h. */
#ifndef FAKE_NOVA_EXTENSION_H
#define FAKE_NOVA_EXTENSION_H

#include "nova/hypercall.h"

#endif
