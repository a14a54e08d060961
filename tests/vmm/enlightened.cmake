# SPDX-License-Identifier: BSD-2-Clause
# Tests of the hypercall interface for enlightened guests.

# The hypercall page over RAM: reads, writes, calls, moves, a lock.
nova_add_roottask(vmm-overlay RUNTIME SOURCES overlay.c LINK Nova::novavmm)
nova_add_boot_test(vmm.overlay ROOTTASK vmm-overlay CPUS 1 LABELS guest
  EXPECT "^overlay: as described")
nova_add_boot_test(vmm.overlay-vmx ROOTTASK vmm-overlay EMULATOR bochs CPUS 1 LABELS guest
  TIMEOUT 120 EXPECT "^overlay: as described")
# A program of the guest must not end the machine by itself; its kernel may.
nova_add_roottask(vmm-programs RUNTIME SOURCES programs.c LINK Nova::novavmm)
set(end_kernel "an instruction that the library does not know")
set(end_user "triple fault")
set(end_device "triple fault")
set(end_page "triple fault")
foreach(what kernel user device page)
  nova_add_boot_test(vmm.programs.${what} ROOTTASK vmm-programs ARGUMENTS ${what} LABELS guest
    EXPECT "guest programs, vCPU 0 cannot continue: .*${end_${what}}")
  nova_add_boot_test(vmm.programs.${what}-vmx ROOTTASK vmm-programs ARGUMENTS ${what}
    EMULATOR bochs CPUS 1 LABELS guest bochs TIMEOUT 120
    EXPECT "guest programs, vCPU 0 cannot continue: .*${end_${what}}")
endforeach()

# A page that the monitor enables before the machine starts.
nova_add_roottask(vmm-overlay-early RUNTIME SOURCES overlay_early.c LINK Nova::novavmm)
set(early "^the first word is a call, status 2, below is 0x11223344")
nova_add_boot_test(vmm.overlay-early ROOTTASK vmm-overlay-early CPUS 1 LABELS guest
  EXPECT "${early}")
nova_add_boot_test(vmm.overlay-early-vmx ROOTTASK vmm-overlay-early EMULATOR bochs CPUS 1
  LABELS guest TIMEOUT 120 EXPECT "${early}")
# A page that moves through all RAM, with little kernel memory.
nova_add_roottask(vmm-overlay-moves RUNTIME SOURCES overlay_moves.c LINK Nova::novavmm)
set(moves "^15872 of 15872 pages were written: the guest halted")
nova_add_boot_test(vmm.overlay-moves ROOTTASK vmm-overlay-moves CPUS 1 LABELS guest TIMEOUT 120
  EXPECT "${moves}")
nova_add_boot_test(vmm.overlay-moves-vmx ROOTTASK vmm-overlay-moves EMULATOR bochs CPUS 1
  LABELS guest TIMEOUT 180 EXPECT "${moves}")
# Two virtual CPUs: no stale translation after a move.
nova_add_roottask(vmm-overlay-smp RUNTIME SOURCES overlay_smp.c LINK Nova::novavmm)
nova_add_boot_test(vmm.overlay-smp ROOTTASK vmm-overlay-smp CPUS 1 LABELS guest TIMEOUT 120
  EXPECT "^200 moves, 0 wrong, [0-9]+ reads: the guest halted")
nova_add_boot_test(vmm.overlay-smp-vmx ROOTTASK vmm-overlay-smp EMULATOR bochs CPUS 2 LABELS guest
  TIMEOUT 180 EXPECT "^200 moves, 0 wrong, [0-9]+ reads: the guest halted")
# Four virtual CPUs: all pages at one address.
nova_add_roottask(vmm-overlay-pile RUNTIME SOURCES overlay_pile.c LINK Nova::novavmm)
set(pile
  "^[1-9][0-9]* calls, 0 failed, 0 words wrong, then 24 of 24 right, 1 pages: the guest halted")
foreach(cpus 1 4)
  nova_add_boot_test(vmm.overlay-pile-${cpus}cpu ROOTTASK vmm-overlay-pile CPUS ${cpus}
    LABELS guest TIMEOUT 180 EXPECT "${pile}")
endforeach()
nova_add_boot_test(vmm.overlay-pile-vmx ROOTTASK vmm-overlay-pile EMULATOR bochs CPUS 1
  LABELS guest TIMEOUT 300 EXPECT "${pile}")
# Reference time on two virtual CPUs, by the counter and by the page.
nova_add_roottask(vmm-reference-time RUNTIME SOURCES reference_time.c LINK Nova::novavmm)
nova_add_boot_test(vmm.reference-time ROOTTASK vmm-reference-time CPUS 1 LABELS guest TIMEOUT 120
  EXPECT "^200 and 200 of 200 are right, sequence 1, then 0: the guest halted")
nova_add_boot_test(vmm.reference-time-vmx ROOTTASK vmm-reference-time EMULATOR bochs CPUS 2
  LABELS guest TIMEOUT 180
  EXPECT "^200 and 200 of 200 are right, sequence 1, then 0: the guest halted")
# The local APIC by MSRs, and ends of interrupts in the assist page. The guest's first access to
# that page is a write.
nova_add_roottask(vmm-assist RUNTIME SOURCES assist.c LINK Nova::novavmm)
set(assist
  "^101 interrupts, 0 ends with the EOI MSR, 10[01] in the assist page, priority 0x50, 0 early")
nova_add_boot_test(vmm.assist ROOTTASK vmm-assist CPUS 1 LABELS guest EXPECT "${assist}")
nova_add_boot_test(vmm.assist-vmx ROOTTASK vmm-assist EMULATOR bochs CPUS 1 LABELS guest
  TIMEOUT 120 EXPECT "${assist}")
# Two virtual CPUs: no stale translation of the guest's page tables after a flush by a call.
nova_add_roottask(vmm-flush RUNTIME SOURCES flush.c LINK Nova::novavmm)
set(flush "^200 moves, 0 wrong, 0 failed, 200 calls flushed 200 virtual CPUs: the guest halted")
foreach(cpus 1 2)
  nova_add_boot_test(vmm.flush-${cpus}cpu ROOTTASK vmm-flush CPUS ${cpus} LABELS guest TIMEOUT 120
    EXPECT "${flush}")
endforeach()
nova_add_boot_test(vmm.flush-vmx ROOTTASK vmm-flush EMULATOR bochs CPUS 2 LABELS guest TIMEOUT 180
  EXPECT "${flush}")
# One virtual CPU flushes another by each call that can do this; the other two have no exit.
nova_add_roottask(vmm-flush-one RUNTIME SOURCES flush_one.c LINK Nova::novavmm)
set(one "^2 marks, 40 flushes, status 0, exits of the flushed one [4-9][0-9]*, of others 0 and 0: ")
foreach(cpus 1 4)
  nova_add_boot_test(vmm.flush-one-${cpus}cpu ROOTTASK vmm-flush-one CPUS ${cpus} LABELS guest
    TIMEOUT 120 EXPECT "${one}")
endforeach()
nova_add_boot_test(vmm.flush-one-vmx ROOTTASK vmm-flush-one EMULATOR bochs CPUS 1 LABELS guest
  TIMEOUT 180 EXPECT "${one}")
# Idle register, synthetic timer, run time, registers by calls, and the report of a crash.
nova_add_roottask(vmm-hv-registers RUNTIME SOURCES hv_registers.c LINK Nova::novavmm)
set(registers "^vCPU 0 reports a crash: 0xdead, 0x0, 0x7080: out.of coffee"
  "^1 interrupts, 0 early, 5 faults, status 0x20000, identity 1, slept, ran, then 0x5eed: \
the guest halted")
nova_add_boot_test(vmm.hv-registers ROOTTASK vmm-hv-registers CPUS 1 LABELS guest TIMEOUT 120
  EXPECT ${registers})
nova_add_boot_test(vmm.hv-registers-vmx ROOTTASK vmm-hv-registers EMULATOR bochs CPUS 1 LABELS guest
  TIMEOUT 120 EXPECT ${registers})
# The test above, with the monitor as a child program: its output goes to its parent by calls, which
# use the UTCB.
nova_add_program(vmm-hv-registers-child SOURCES hv_registers.c LINK Nova::novavmm)
nova_add_system(vmm-hv-registers-system DESCRIPTION hv_registers.nova
  PROGRAMS vmm-hv-registers-child)
list(TRANSFORM registers REPLACE "^\\^" "^registers: ")
nova_add_boot_test(vmm.hv-registers-child SYSTEM vmm-hv-registers-system CPUS 1 LABELS guest
  TIMEOUT 120 EXPECT ${registers} "init: the system ends with status 0")
# One virtual CPU resets the machine while another one is in the middle of a call.
nova_add_roottask(vmm-hv-reset RUNTIME SOURCES hv_reset.c LINK Nova::novavmm)
set(last "^  last hypercall: 0x9000 .slow. of vCPU 1, 4095 elements, start index [0-9]+: ")
set(reset "^VM: guest reset, vCPU 0 reset the machine by MSR 0x40000003\\.$" ${last}
  "^way 0: the guest reset itself"
  "^VM: guest reset, vCPU 0 reset the machine by port 0xcf9\\.$" ${last}
  "^way 1: the guest reset itself"
  "^VM: guest reset, vCPU 0 reset the machine by the keyboard controller " ${last}
  "^  ip " "^way 2: the guest reset itself" "^as expected, 0 pages and 0 selectors lost")
foreach(cpus 1 2)
  nova_add_boot_test(vmm.hv-reset-${cpus}cpu ROOTTASK vmm-hv-reset CPUS ${cpus} LABELS guest
    TIMEOUT 120 EXPECT ${reset})
endforeach()
nova_add_boot_test(vmm.hv-reset-vmx ROOTTASK vmm-hv-reset EMULATOR bochs CPUS 1 LABELS guest
  TIMEOUT 180 EXPECT ${reset})
# The lock of the hypercall page: an INIT does not end it, a reset does.
nova_add_roottask(vmm-hv-lock RUNTIME SOURCES hv_lock.c LINK Nova::novavmm)
nova_add_boot_test(vmm.hv-lock ROOTTASK vmm-hv-lock CPUS 1 LABELS guest TIMEOUT 120
  EXPECT "^locked until the reset")
nova_add_boot_test(vmm.hv-lock-vmx ROOTTASK vmm-hv-lock EMULATOR bochs CPUS 1 LABELS guest
  TIMEOUT 180 EXPECT "^locked until the reset")
# Parameters that another virtual CPU rewrites during the calls.
nova_add_roottask(vmm-hv-rewrite RUNTIME SOURCES hv_rewrite.c LINK Nova::novavmm)
set(rewrite "^[1-9][0-9]* good calls .* 0 others, [1-9][0-9]* writes: the guest halted")
nova_add_boot_test(vmm.hv-rewrite ROOTTASK vmm-hv-rewrite CPUS 2 ARGUMENTS 30000 LABELS guest
  QEMU ${NOVA_THREADS} TIMEOUT 180 EXPECT "${rewrite}")
nova_add_boot_test(vmm.hv-rewrite-long ROOTTASK vmm-hv-rewrite CPUS 2 ARGUMENTS 1000000
  LABELS endurance QEMU ${NOVA_THREADS} TIMEOUT 1800 EXPECT "${rewrite}")
# Debian with parts of the interface. hv_matrix.c divides its privileges and hints into eight
# groups. vmm.hv-matrix has pairs of groups, vmm.hv-matrix-all also has further subsets.
if(NOVA_ARCH STREQUAL "x86_64")
  nova_add_roottask(vmm-hv-matrix RUNTIME SOURCES hv_matrix.c LINK Nova::novavmm
    MODULES guest:vmlinuz guest:initrd)
  nova_add_boot_test(vmm.hv-matrix SYSTEM vmm-hv-matrix CPUS 2 LABELS guest TIMEOUT 600
    EXPECT "^64 subsets are refused" "^8 of 8 subsets: as expected")
  nova_add_boot_test(vmm.hv-matrix-all SYSTEM vmm-hv-matrix CPUS 2 ARGUMENTS all LABELS endurance
    TIMEOUT 3600 EXPECT "^44 of 44 subsets: as expected")
endif()
# Four virtual CPUs compare their clocks, on fewer CPUs, so that each loses time to others.
if(NOVA_ARCH STREQUAL "x86_64")
  nova_add_roottask(vmm-hv-soak RUNTIME SOURCES hv_soak.c LINK Nova::novavmm)
  set(soak "^4 of 4 clocks, [0-9]+ readings, 0 went back, [0-9]+ calls: the guest halted")
  nova_add_boot_test(vmm.hv-soak ROOTTASK vmm-hv-soak CPUS 2 ARGUMENTS 5 LABELS guest TIMEOUT 120
    EXPECT "${soak}")
  nova_add_boot_test(vmm.hv-soak-vmx ROOTTASK vmm-hv-soak EMULATOR bochs CPUS 2 ARGUMENTS 2
    LABELS endurance TIMEOUT 900 EXPECT "${soak}")
  nova_add_boot_test(vmm.hv-soak-long ROOTTASK vmm-hv-soak CPUS 2 ARGUMENTS 1200 LABELS endurance
    QEMU ${NOVA_THREADS} TIMEOUT 1800 EXPECT "${soak}")
  nova_add_boot_test(vmm.hv-soak-counted ROOTTASK vmm-hv-soak CPUS 2 ARGUMENTS 30 LABELS endurance
    QEMU -icount "shift=0,sleep=off" TIMEOUT 3600 EXPECT "${soak}")
endif()
# Virtual CPUs make hypercalls for ever while another machine boots.
nova_add_roottask(vmm-hv-beside RUNTIME SOURCES hv_beside.c LINK Nova::novavmm
  MODULES guest:vmlinuz guest:initrd)
set(beside QEMU -icount "shift=0,sleep=off"
  EXPECT "^They make bad calls: " "^They flush: " "^as expected")
nova_add_boot_test(vmm.hv-beside ROOTTASK vmm-hv-beside CPUS 1 LABELS guest TIMEOUT 180 ${beside})
nova_add_boot_test(vmm.hv-beside-debian SYSTEM vmm-hv-beside CPUS 1 MEMORY 600 ARGUMENTS linux
  LABELS endurance TIMEOUT 3600 ${beside})
# A timer during calls with long lists.
nova_add_roottask(vmm-hv-late RUNTIME SOURCES hv_late.c LINK Nova::novavmm)
nova_add_boot_test(vmm.hv-late-1cpu ROOTTASK vmm-hv-late CPUS 1 LABELS guest TIMEOUT 120
  QEMU -icount "shift=0,sleep=off" EXPECT "^7 of 7 calls: in time")
nova_add_boot_test(vmm.hv-late-9cpu ROOTTASK vmm-hv-late CPUS 9 ARGUMENTS run LABELS guest
  TIMEOUT 120 QEMU -icount "shift=0,sleep=off" EXPECT "^7 of 7 calls: in time")
# All synthetic timers with the shortest period: interrupts, and messages.
nova_add_roottask(vmm-hv-storm RUNTIME SOURCES hv_storm.c LINK Nova::novavmm)
set(storm LABELS guest TIMEOUT 120 QEMU -icount "shift=0,sleep=off"
  EXPECT "^[0-9]+ interrupts, [0-9]+ thousand rounds, [0-9] per cent for alarms: the guest halted")
nova_add_boot_test(vmm.hv-storm ROOTTASK vmm-hv-storm CPUS 1 ${storm})
nova_add_boot_test(vmm.hv-storm-messages ROOTTASK vmm-hv-storm CPUS 1 ARGUMENTS messages ${storm})
# A guest looks for other hypervisors: by their calls, by VMware's port, and by CPUID.
nova_add_roottask(vmm-hv-foreign RUNTIME SOURCES hv_foreign.c LINK Nova::novavmm)
set(foreign "^without: 6 #UD, port 0xffffffff, leaf 0x0" "^with the interface: the same"
  "^with the page: 3 #UD, 3 calls: as expected")
nova_add_boot_test(vmm.hv-foreign ROOTTASK vmm-hv-foreign CPUS 1 LABELS guest EXPECT ${foreign})
nova_add_boot_test(vmm.hv-foreign-vmx ROOTTASK vmm-hv-foreign EMULATOR bochs CPUS 1 LABELS guest
  TIMEOUT 120 EXPECT ${foreign})
# The instruction for calls in each mode and ring.
nova_add_roottask(vmm-hv-modes RUNTIME SOURCES hv_modes.c LINK Nova::novavmm)
set(modes "^32 bits, ring 3: 0 calls by EDX:EAX, 0 by RCX, 1 #UD"
  "^[0-9]+ of [0-9]+ modes: as expected")
nova_add_boot_test(vmm.hv-modes ROOTTASK vmm-hv-modes CPUS 1 LABELS guest TIMEOUT 120
  EXPECT ${modes})
nova_add_boot_test(vmm.hv-modes-vmx ROOTTASK vmm-hv-modes EMULATOR bochs CPUS 1 LABELS guest
  TIMEOUT 180 EXPECT ${modes})
nova_add_boot_test(vmm.hv-modes-svm ROOTTASK vmm-hv-modes EMULATOR bochs CPU ryzen CPUS 1
  ARGUMENTS no-v86 LABELS guest TIMEOUT 180 EXPECT ${modes})
if(NOVA_ARCH STREQUAL "x86_64")
  # The task priority by CR8, by the local APIC's register and by MSR.
  nova_add_roottask(vmm-hv-priority RUNTIME SOURCES hv_priority.c LINK Nova::novavmm)
  set(priority "^7200 checks, 0 wrong, 0 of [0-9]+ ticks wrong: one register, it halted")
  nova_add_boot_test(vmm.hv-priority ROOTTASK vmm-hv-priority CPUS 1 LABELS guest TIMEOUT 120
    EXPECT ${priority})
  nova_add_boot_test(vmm.hv-priority-vmx ROOTTASK vmm-hv-priority EMULATOR bochs CPUS 1
    LABELS guest TIMEOUT 180 EXPECT ${priority})
  # Parameters and output of calls in XMM registers.
  nova_add_roottask(vmm-hv-xmm RUNTIME SOURCES hv_xmm.c LINK Nova::novavmm)
  set(xmm "^without XMM registers: .* need a 64-bit kernel with NOVA_HIP_XMM, and NOVA_MTD_XMM in "
    "^15 calls, 12 performed, 0 wrong, bits 0x8010: the guest halted")
  nova_add_boot_test(vmm.hv-xmm ROOTTASK vmm-hv-xmm CPUS 1 LABELS guest TIMEOUT 120 EXPECT ${xmm})
  nova_add_boot_test(vmm.hv-xmm-vmx ROOTTASK vmm-hv-xmm EMULATOR bochs CPUS 1 LABELS guest
    TIMEOUT 120 EXPECT ${xmm})
endif()
# Four virtual CPUs that make random calls and access random registers of the interface.
nova_add_roottask(vmm-hostile RUNTIME SOURCES hostile.c LINK Nova::novavmm)
set(done "good ones, [1-9][0-9]+ faults: the guest halted")
nova_add_boot_test(vmm.hostile-4cpu ROOTTASK vmm-hostile CPUS 4 LABELS guest TIMEOUT 900
  ARGUMENTS 25000 EXPECT "^100000 calls, [1-9][0-9]+ ${done}")
nova_add_boot_test(vmm.hostile-long ROOTTASK vmm-hostile CPUS 4 LABELS endurance TIMEOUT 7200
  ARGUMENTS 2500000 EXPECT "^10000000 calls, [1-9][0-9]+ ${done}")
# Two virtual CPUs that send each other messages and event flags.
nova_add_roottask(vmm-messages RUNTIME SOURCES messages.c LINK Nova::novavmm)
set(messages
  "^48 messages for full slots, 16 refused. 248 questions, 248 answers, 0 wrong, 0 failed")
foreach(cpus 1 3)
  nova_add_boot_test(vmm.messages-${cpus}cpu ROOTTASK vmm-messages CPUS ${cpus} LABELS guest
    TIMEOUT 120 EXPECT "${messages}")
endforeach()
nova_add_boot_test(vmm.messages-vmx ROOTTASK vmm-messages EMULATOR bochs CPUS 2 LABELS guest
  TIMEOUT 180 EXPECT "${messages}")
# A guest makes the calls that only a parent or root partition may make: they are denied.
nova_add_roottask(vmm-hv-partition RUNTIME SOURCES hv_partition.c LINK Nova::novavmm)
set(partition "^129 denied, 0 wrong, privileges of a parent 0x0: the guest halted"
  "^141 denied, 0 wrong, privileges of a parent 0x0: the guest halted")
nova_add_boot_test(vmm.hv-partition ROOTTASK vmm-hv-partition CPUS 1 LABELS guest
  EXPECT ${partition})
nova_add_boot_test(vmm.hv-partition-vmx ROOTTASK vmm-hv-partition EMULATOR bochs CPUS 1
  LABELS guest TIMEOUT 120 EXPECT ${partition})
# A guest without the interface.
nova_add_roottask(vmm-hv-absent RUNTIME SOURCES hv_absent.c LINK Nova::novavmm)
set(absent "^without the interface: 1024 #GP, 2 #UD, 256 exits by CPUID, the same again: yes"
  "^with it: [0-9]+ #GP: as expected")
nova_add_boot_test(vmm.hv-absent ROOTTASK vmm-hv-absent CPUS 1 LABELS guest EXPECT ${absent})
nova_add_boot_test(vmm.hv-absent-vmx ROOTTASK vmm-hv-absent EMULATOR bochs CPUS 1 LABELS guest
  TIMEOUT 120 EXPECT ${absent})
# A rep call that another virtual CPU observes.
nova_add_roottask(vmm-hv-atomic RUNTIME SOURCES hv_atomic.c LINK Nova::novavmm)
set(atomic "^51000 actions, [0-9]+ readings, [1-9][0-9]* during a rep call, 0 during an action"
  ", 0 smaller than before, 0 actions out of order, 0 calls failed: the guest halted")
nova_add_boot_test(vmm.hv-atomic-1cpu ROOTTASK vmm-hv-atomic CPUS 1 LABELS guest TIMEOUT 120
  EXPECT ${atomic})
nova_add_boot_test(vmm.hv-atomic-2cpu ROOTTASK vmm-hv-atomic CPUS 2 LABELS guest TIMEOUT 120
  QEMU ${NOVA_THREADS} EXPECT ${atomic})
nova_add_boot_test(vmm.hv-atomic-vmx ROOTTASK vmm-hv-atomic EMULATOR bochs CPUS 2 LABELS guest
  TIMEOUT 180 EXPECT ${atomic})
# A guest asks a virtio device to access overlay pages: the device refuses.
nova_add_roottask(vmm-hv-dma RUNTIME SOURCES hv_dma.c LINK Nova::novavmm)
set(dma "^6 refused, 2 written, memory is right: the guest halted")
nova_add_boot_test(vmm.hv-dma ROOTTASK vmm-hv-dma CPUS 1 LABELS guest TIMEOUT 120
  EXPECT "${dma}")
nova_add_boot_test(vmm.hv-dma-vmx ROOTTASK vmm-hv-dma EMULATOR bochs CPUS 1 LABELS guest
  TIMEOUT 120 EXPECT "${dma}")
# templates/vmm/main.c with code in place of its comment for an enlightened guest: the lines that
# the comment gives. The guest executes CPUID with leaf 0x40000000.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${NOVA_ROOT}/templates/vmm/main.c")
file(READ "${NOVA_ROOT}/templates/vmm/main.c" template)
string(REGEX REPLACE
  " +/[*] For an enlightened guest[^\n]*\n +[*] ([^\n]*\n) +[*] ([^\n]*) [*]/\n" "\\1\\2\n"
  template "${template}")
string(REPLACE "#include \"novavmm/load.h\""
  "#include <novavmm/hv.h>\n#include <novavmm/load.h>\nstatic struct nova_hv hv;\n"
  template "${template}")
string(REGEX REPLACE "/[*] Handles the exit CPUID[^}]*}" "" template "${template}")
string(REPLACE "nova_vm_on(&vm, NOVA_VM_EXIT_CPUID, answer_cpuid);" "" template "${template}")
string(REPLACE "xorl %eax, %eax" "movl $0x40000000, %eax" template "${template}")
file(CONFIGURE OUTPUT hv_template.c CONTENT "${template}" @ONLY)
nova_add_roottask(vmm-hv-template RUNTIME SOURCES "${CMAKE_CURRENT_BINARY_DIR}/hv_template.c"
  LINK Nova::novavmm)
nova_add_boot_test(vmm.hv-template ROOTTASK vmm-hv-template CPUS 1 LABELS guest
  EXPECT "^guest: My CPU is called Micr!" "^The guest halted")

# The tests of the hypercall interface.
get_property(tests DIRECTORY PROPERTY TESTS)
list(FILTER tests INCLUDE REGEX
  "^vmm\\.(hv|overlay|assist|flush|reference-time|hostile|messages|enlightened)-?")
set_property(TEST ${tests} APPEND PROPERTY LABELS enlightened)
