/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's part of a round: Debian boots, builds a tree of files on its disk, and reads the tree
 * again. It also reads the peer's page several times. It compares everything that it reads, and
 * switches itself off only if all is right. */
#include <stdio.h>
#include <string.h>

#include "novart/parent.h"

#include "guest.h"
#include "soak.h"

/* Commas stand for blanks, + for the end of a line. */
#define WORK                                                                     \
        "run=for,d,in,$(cat,/drivers/root)+do,insmod,/drivers/$d.ko+done\
+busybox,mkdir,/d+mount,-t,ext4,/dev/vda,/d+busybox,mkdir,/d/t+cd,/d/t\
+for,i,in,1,2,3,4+do,busybox,mkdir,$i+for,j,in,1,2,3,4,5,6,7,8\
+do,dd,if=/bin/busybox,of=$i/$j,bs=4096,skip=$j,count=$((8*i)),2>/dev/null+done+done\
+busybox,md5sum,*/*,>/sums+cd,/+umount,/d+mount,-t,ext4,/dev/vda,/d+cd,/d/t\
+busybox,md5sum,-c,-s,/sums&&echo,tree,>>/good\
+cd,/+busybox,rm,-r,/d/t+umount,/d\
+for,i,in,1,2,3,4+do,wget,-q,-O,-,http://10.0.0.1/|busybox,md5sum|grep,-q," PAGE \
        "&&echo,page,>>/good+done\
+grep,-c,.,/good|grep,-q,5&&poweroff,-f+echo,The,round,is,wrong:,$(cat,/good)+reboot,-f"
/* The MD5 sum of the page that the peer serves. */
#define PAGE "ea2e4a9d8add947abc90705d59d34a74"

int guest_disk_open(struct nova_guest_disk *disk, const char *service, const char *arguments)
{
        return disk->block ? 0 : nova_guest_disk_open(disk, service, arguments);
}

int guest_net_open(struct nova_guest_net *card, const char *service, const char *arguments)
{
        return card->net ? 0 : nova_guest_net_open(card, service, arguments);
}

int guest_module(const char *name, const void **data, size_t *bytes)
{
        static struct {
                const char *name;
                const void *data;
                size_t bytes;
        } open[2];
        const unsigned number = !strcmp(name, "initrd");
        int error = 0;

        if (!open[number].data)
                error = nova_parent_module(name, &open[number].data, &open[number].bytes);
        *data = open[number].data;
        *bytes = open[number].bytes;
        return error;
}

void guest_terminal_use(void)
{
}

bool guest_round(void)
{
        char *argv[] = {(char[]){"soak"},
                        (char[]){"disk=partitions"},
                        (char[]){"card=switch"},
                        (char[]){"quiet"},
                        (char[]){"net=10.0.0.2/24"},
                        (char[]){WORK},
                        NULL};
        char *envp[] = {NULL};

        return guest_main(6, argv, envp) == 0;
}
