# SPDX-License-Identifier: BSD-2-Clause
# Tests of guests with network cards, and with functions of the machine.
include("${NOVA_ROOT}/tests/changed.cmake")

# A page of 10 MiB at the other end of the cable.
set(web "guestfwd=tcp:10.0.2.100:80-cmd:${NOVA_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/web.py")

# With network cards: a guest and its neighbour, a file of 10 MiB from the other end of the cable,
# and a page of the example http-files in the same system, which needs lwIP. Feature bits of a
# guest's card: the monitor computes checksums of the guest's frames (0), passes frames with open
# checksums to the guest (1), joins frames for the guest (7), cuts the guest's large packets (11),
# and may use several buffers for a frame (15).
get_property(missing GLOBAL PROPERTY NOVA_LWIP_MISSING)
if(missing)
  add_test(NAME vmm.net COMMAND "${NOVA_PYTHON}" -c
    "raise SystemExit('the source of lwIP is missing: ${missing}')")
  set_tests_properties(vmm.net PROPERTIES LABELS guest)
else()
  add_custom_command(OUTPUT page.tar
    COMMAND "${CMAKE_COMMAND}" -E copy "${CMAKE_CURRENT_SOURCE_DIR}/page.txt" page.txt
    COMMAND tar --format=ustar --owner=0 --group=0 --mtime=@0 -cf page.tar page.txt
    DEPENDS page.txt VERBATIM)
  add_custom_target(vmm-page DEPENDS page.tar)
  set(page "wget,-qO-,http://10.0.2.22/page.txt")
  set(ping "ping,-c1,-W2,10.0.2")
  set(LEFT "run=until,${ping}.21>/dev/null;do,:;done+ping,-q,-c3,10.0.2.21\
+wget,-qO-,http://10.0.2.100/|sha256sum+wget,-qO-,http://10.0.2.21/busybox|sha256sum\
+sha256sum,</bin/busybox+${page}\
+cd,/sys/class/net/eth0/device+echo,bits,$(cut,-c1-2,features),$(cut,-c8,features)\
,$(cut,-c12,features),$(cut,-c16,features)+poweroff,-f")
  set(RIGHT "run=httpd,-h,/bin+until,${ping}.15>/dev/null;do,:;done\
+${page}+while,${ping}.15>/dev/null;do,sleep,1;done+poweroff,-f")
  configure_file(net.nova.in net.nova @ONLY)
  nova_add_system(vmm-net DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/net.nova"
    PROGRAMS screen pci virtio-net switch files http-files-server monitor
    MODULES guest:vmlinuz guest:initrd "${CMAKE_CURRENT_BINARY_DIR}/page.tar")
  add_dependencies(vmm-net vmm-page)
  nova_add_boot_test(vmm.net SYSTEM vmm-net LABELS guest TIMEOUT 300
    QEMU -netdev "user,id=n,${web}" -device virtio-net-pci,netdev=n,disable-legacy=on,romfile=
    EXPECT "(?=(.*\n)*.*The page of http-files came\\.(.*\n)+.*The page of http-files came\\.)"
           "lease of 10.0.2.15 obtained" "3 packets transmitted, 3 packets received"
           "12e9791130c0c540fcbf43e2df4d0aff6d007e7746ad1d0ea74683b9360d09c9"
           "([0-9a-f]{64}) (.*\n)+.*\\1" "bits 11 1 1 1" "The guest left switched itself off"
           "The guest right switched itself off" "the system ends with status 0")
endif()

# A card that takes smaller frames only: the guest's driver sends none that are larger.
nova_change_description(description net-mtu "${NOVA_ROOT}/examples/linux/linux-net.nova"
  "card=switch" "card=switch quiet run=ip,-o,link,show,eth0+ping,-c2,-q,-s,1400,10.0.2.2\
+poweroff,-f")
nova_add_system(vmm-net-mtu DESCRIPTION "${description}"
  PROGRAMS pci virtio-net switch linux MODULES guest:vmlinuz guest:initrd)
nova_add_boot_test(vmm.net-mtu SYSTEM vmm-net-mtu LABELS guest TIMEOUT 300
  QEMU -netdev user,id=n
       -device virtio-net-pci,netdev=n,disable-legacy=on,romfile=,host_mtu=1000
  EXPECT "mtu 1000 " "2 packets transmitted, 2 packets received"
         "the system ends with status 0")

# Debian's generic kernel with a card of the machine, whose DMA an I/O MMU confines.
# nova_add_pass_system(<name> <first line of the function's section> <commands of the guest>)
function(nova_add_pass_system name function commands)
  nova_change_description(description ${name} "${NOVA_ROOT}/examples/linux-pass/linux-pass.nova"
    "id 8086:10d3" "${function}" "pass=nic" "pass=nic quiet run=${commands}+poweroff,-f")
  nova_add_system(vmm-${name} DESCRIPTION "${description}"
    PROGRAMS pci pass-monitor MODULES guest:vmlinuz-amd64 guest:initrd-amd64)
endfunction()

if(NOVA_ARCH STREQUAL "x86_64")
  nova_add_pass_system(pass-linux "id 8086:10d3" "ip,-4,-o,addr,show,eth0\
+echo,eth0,has,$(grep,-c,eth0,/proc/interrupts),messages+wget,-qO-,http://10.0.2.100/|sha256sum")
  # QEMU 7.2's AMD-Vi takes a function below a bridge for one of bus 0.
  set(place_intel bus=root -device pcie-root-port,id=root,chassis=1)
  set(place_amd addr=4)
  foreach(unit intel amd)
    list(POP_FRONT place_${unit} place)
    nova_add_boot_test(vmm.pass-linux-${unit} SYSTEM vmm-pass-linux LABELS guest TIMEOUT 300
      QEMU -device "${unit}-iommu,intremap=on" -netdev "user,id=n,${web}" ${place_${unit}}
           -device e1000e,netdev=n,${place},romfile=
      EXPECT "lease of 10.0.2.15 obtained" "inet 10.0.2.15/24" "^/ # eth0 has [1-9] messages"
             "12e9791130c0c540fcbf43e2df4d0aff6d007e7746ad1d0ea74683b9360d09c9"
             "The function sent [0-9]{2,} messages" "the system ends with status 0")
  endforeach()
endif()

# A guest of our own with two functions, which tries to leave its memory.
# nova_add_pass_test(<name> <arguments of the monitor> <its devices> [options of
# nova_add_boot_test])
nova_add_program(vmm-pass SOURCES pass.c LINK Nova::novavmm)
function(nova_add_pass_test name WHAT DEVICES)
  set(RESTART never)
  set(PCI pci)
  if(WHAT STREQUAL "crash")
    set(RESTART "on-failure limit 3")
  elseif(WHAT STREQUAL "bereft")
    set(RESTART "on-failure limit 1")
    set(PCI vmm-pass-pci)
  endif()
  string(REGEX REPLACE "-(intel|amd)$" "" system "${name}")
  if(NOT TARGET vmm-${system})
    configure_file(pass.nova.in ${system}.nova @ONLY)
    nova_add_system(vmm-${system} DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/${system}.nova"
      PROGRAMS ${PCI} vmm-pass)
  endif()
  nova_add_boot_test(vmm.${name} SYSTEM vmm-${system} MACHINE q35 LABELS guest ${ARGN})
endfunction()
set(ports -device pcie-root-port,id=one,chassis=1 -device pcie-root-port,id=two,chassis=2)
set(behind_intel ${ports} -device edu,bus=one,dma_mask=0xffffffff
  -device e1000e,bus=two,romfile=)
set(behind_amd -device edu,addr=4,dma_mask=0xffffffff -device e1000e,addr=5,romfile=)
foreach(unit intel amd)
  set(machine_${unit} QEMU -device "${unit}-iommu,intremap=on" ${behind_${unit}})
endforeach()
set(right "^vmm-pass: 0 checks failed" REJECT "not ok")
nova_add_pass_test(pass-hostile-intel "hostile" "edu nic" ${machine_intel} CMDLINE serial EXPECT
  "the I/O MMU stopped device 01:00.0 at address 0x1000000, write\\."
  "the I/O MMU stopped device 01:00.0 at address 0x1000000, read\\." ${right})
nova_add_pass_test(pass-flat-amd "hostile flat" "edu nic" ${machine_amd} EXPECT ${right})
# The monitor crashes while the device copies, four times.
set(clean "^vmm-pass: ok - no DMA comes from an earlier monitor"
  "^vmm-pass: ok - the registers are reset" "^vmm-pass: the monitor crashes")
nova_add_pass_test(pass-crash-intel "crash" "edu nic" ${machine_intel} STATUS 1 REJECT "not ok"
  EXPECT ${clean} ${clean} ${clean} ${clean} "vmm-pass ended with status 134 .*limit is reached")
# The service pci crashes while the device copies, and the monitor ends with it, twice.
set(pci "${NOVA_ROOT}/roottask/services/pci")
nova_add_program(vmm-pass-pci SOURCES pass_pci_mortal.c "${pci}/assign.c" "${pci}/claim.c"
  "${pci}/config.c" "${pci}/device.c" "${pci}/interrupt.c" "${pci}/main.c" "${pci}/memory.c"
  "${pci}/reset.c" "${pci}/scan.c" "${pci}/server.c" "${pci}/stop.c")
target_include_directories(vmm-pass-pci PRIVATE "${pci}")
target_link_options(vmm-pass-pci PRIVATE -Wl,--wrap=device_command)
set(lost "^vmm-pass: ok - no DMA comes from an earlier monitor"
  "^vmm-pass: the guest has its device" "FAULT: program vmm-pass, .*page fault")
nova_add_pass_test(pass-bereft-intel "bereft" "edu nic" ${machine_intel} STATUS 1 REJECT "not ok"
  EXPECT ${lost} "vmm-pass ended with status 142 and starts again" ${lost}
         "vmm-pass ended with status 142 .*limit is reached")
# Devices that cannot be passed through.
nova_add_pass_test(pass-no-iommu "refuse edu" "edu nic" QEMU ${behind_intel}
  EXPECT "The device edu cannot be passed through: the machine has no I/O MMU, which would keep")
nova_add_pass_test(pass-absent-intel "refuse absent" "edu nic absent" ${machine_intel}
  EXPECT "no function of the machine is the device 'absent'"
         "The device absent cannot be passed through: the machine or the description does not have")
nova_add_pass_test(pass-theirs-intel "refuse theirs" "edu nic" ${machine_intel}
  EXPECT "vmm-pass asks for the device 'theirs', which the description does not give it"
         "The device theirs cannot be passed through: the description gives it to another program")
nova_add_pass_test(pass-pin-intel "refuse pin" "edu pin" ${machine_intel} -device e1000,romfile=
  EXPECT "The device pin cannot be passed through: it has no interrupt messages .MSI or MSI-X")
nova_add_pass_test(pass-large-intel "refuse large" "edu large" QEMU
  -device "intel-iommu,intremap=on" ${ports} -device edu,bus=one
  -device nvme,serial=1,cmb_size_mb=256,bus=two
  EXPECT "The device large cannot be passed through: its memory is larger than the guest's range")
nova_add_pass_test(pass-twice-intel "twice" "edu nic" ${machine_intel}
  EXPECT "The device nic cannot be passed through again: the program has it already")

# The card's driver crashes while the guest fetches the file: its connection continues.
set(services "${NOVA_ROOT}/roottask/services")
nova_add_program(vmm-net-mortal SOURCES ../runtime/block/mortal.c "${services}/virtio-net/frames.c"
  "${services}/virtio-net/main.c" LINK net-service virtio-driver)
target_link_options(vmm-net-mortal PRIVATE -Wl,--wrap=nova_service_start)
target_compile_definitions(vmm-net-mortal PRIVATE LEAST_NS=500000000)

# The system of `nova run linux --net` with this driver, which starts again up to LIMIT times.
# The guest executes COMMANDS.
# nova_add_net_crash_test(<name> LIMIT <number> COMMANDS <text> STATUS <status> EXPECT <pattern>...)
function(nova_add_net_crash_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LIMIT;COMMANDS;STATUS" "EXPECT")
  nova_change_description(description ${name} "${NOVA_ROOT}/examples/linux/linux-net.nova"
    "program virtio-net" "program virtio-net\n        file vmm-net-mortal"
    "limit 3" "limit ${arg_LIMIT}"
    "card=switch" "card=switch quiet run=${arg_COMMANDS}+poweroff,-f")
  nova_add_system(vmm-${name} DESCRIPTION "${description}"
    PROGRAMS pci vmm-net-mortal switch linux MODULES guest:vmlinuz guest:initrd)
  nova_add_boot_test(vmm.${name} SYSTEM vmm-${name} LABELS guest TIMEOUT 300 STATUS ${arg_STATUS}
    QEMU -netdev "user,id=n,${web}" -device virtio-net-pci,netdev=n,disable-legacy=on,romfile=
         -accel tcg,thread=single
    EXPECT ${arg_EXPECT})
endfunction()

nova_add_net_crash_test(net-crash LIMIT 1000 STATUS 0
  COMMANDS "echo,fetching+wget,-qO-,http://10.0.2.100/|sha256sum"
  EXPECT "/ # fetching" "virtio-net ended with status 134 and starts again"
         "12e9791130c0c540fcbf43e2df4d0aff6d007e7746ad1d0ea74683b9360d09c9"
         "the system ends with status 0")
# A monitor that may not use the service, and one whose service has a client already.
# nova_add_net_refused_test(<name> <example> <folder> CHANGES <text> <other> PROGRAMS <program>...
# EXPECT <pattern>)
function(nova_add_net_refused_test name example folder)
  cmake_parse_arguments(PARSE_ARGV 3 arg "" "EXPECT" "CHANGES;PROGRAMS")
  nova_change_description(description refused-${name}
    "${NOVA_ROOT}/examples/${folder}/${example}.nova" ${arg_CHANGES})
  nova_add_system(vmm-net-${name} DESCRIPTION "${description}"
    PROGRAMS pci virtio-net switch ${arg_PROGRAMS} MODULES guest:vmlinuz guest:initrd)
  nova_add_boot_test(vmm.net-refused.${name} SYSTEM vmm-net-${name} LABELS guest STATUS 1
    QEMU -netdev user,id=n,restrict=on -device virtio-net-pci,netdev=n,disable-legacy=on,romfile=
    EXPECT "${arg_EXPECT}")
endfunction()

nova_add_net_refused_test(denied linux-net linux PROGRAMS linux
  CHANGES "card=switch\n        uses switch\n" "card=switch\n"
  EXPECT "The network cannot be opened: Permission denied\\.")
nova_add_net_refused_test(busy linux-net linux PROGRAMS linux
  CHANGES "card=switch\n        uses switch" "card=virtio-net\n        uses virtio-net"
  EXPECT "The network cannot be opened: Device or resource busy\\.")
nova_add_net_refused_test(denied-two two-vms-net two-vms PROGRAMS screen monitor
  CHANGES "screen switch" "screen"
  EXPECT "The device card=switch of left cannot be opened: Permission denied\\.")
# The driver does not come back, and the guest continues.
nova_add_net_crash_test(net-gone LIMIT 1 STATUS 1
  COMMANDS "ping,-c1,-W9,10.0.2.2>/dev/null||echo,unreachable"
  EXPECT "virtio-net ended with status 134" "^unreachable" "The guest ended after .*off")
