/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines with a network card that sends frames and receives none. */
#ifndef NOVA_TESTS_VMM_SENDER_H
#define NOVA_TESTS_VMM_SENDER_H

#include "novavmm/virtio_net.h"

#include "machine.h"

/* Does nothing; stands in for the functions of a cable that have nothing to do. */
static inline void sender_ignore(void *unused)
{
        (void)unused;
}

/* Makes a machine with a PC's devices and a network card. @return false if that failed */
static inline bool sender_create(struct nova_vm *vm, const struct nova_vm_config *config,
                                 struct nova_pc *pc, struct nova_virtio_net *card,
                                 const struct nova_virtio_net_cable *cable)
{
        static const uint8_t address[NOVA_VIRTIO_NET_ADDRESS] = {2, 0, 0, 0, 0, 1};

        if (!machine_create(vm, config, pc))
                return false;
        nova_virtio_net_init(card, &vm->memory, address, cable);
        return !nova_pc_add_virtio(pc, 1, &card->virtio);
}

#endif
