# SPDX-License-Identifier: BSD-2-Clause
# The ultravisor reports why it cannot start.
nova_add_boot_test(secure.no-guests SYSTEM secure-statuses CPU qemu64,-svm,+rdrand STATUS 1
  LABELS secure EXPECT "ultravisor: It cannot start: this CPU cannot run guests .--cpu qemu64")
nova_add_boot_test(secure.no-random SYSTEM secure-statuses CPU qemu64,+svm,+npt,-rdrand STATUS 1
  LABELS secure EXPECT "ultravisor: It cannot start: this CPU has no RDRAND, so keys could be")
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/machine.key" "These bytes are not a key.\n")
nova_add_program(ultravisor-blind SOURCES blind.c ${ultravisor_sources}
  LINK ultravisor-seal Nova::novavmm)
nova_avoid_fpu(ultravisor-blind)
target_link_options(ultravisor-blind PRIVATE -Wl,--wrap=nova_random)
foreach(row "no-key;32M;" "no-memory;1M;" "no-vmms;32M;arguments vmms=0"
    "no-kernel-memory;32M;arguments vmms=8" "no-numbers;32M;file ultravisor-blind"
    "no-selectors;32M;selectors 64" "no-grant;32M;")
  list(POP_FRONT row name memory arguments)
  configure_file(alone.nova.in ${name}.nova @ONLY)
endforeach()
nova_add_system(secure-no-key DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/no-key.nova"
  PROGRAMS ultravisor MODULES "${CMAKE_CURRENT_BINARY_DIR}/machine.key")
nova_add_system(secure-no-memory DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/no-memory.nova"
  PROGRAMS ultravisor MODULES guest:machine.key)
nova_add_system(secure-no-vmms DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/no-vmms.nova"
  PROGRAMS ultravisor MODULES guest:machine.key)
nova_add_system(secure-no-kernel-memory DESCRIPTION
  "${CMAKE_CURRENT_BINARY_DIR}/no-kernel-memory.nova" PROGRAMS ultravisor MODULES guest:machine.key)
nova_add_system(secure-no-numbers DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/no-numbers.nova"
  PROGRAMS ultravisor-blind MODULES guest:machine.key)
nova_add_boot_test(secure.no-numbers SYSTEM secure-no-numbers CPU qemu64,+svm,+npt,+rdrand STATUS 1
  LABELS secure EXPECT "ultravisor: It cannot start: the CPU returns no random numbers[.]")
nova_add_system(secure-no-selectors DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/no-selectors.nova"
  PROGRAMS ultravisor MODULES guest:machine.key)
nova_add_boot_test(secure.no-selectors SYSTEM secure-no-selectors CPU qemu64,+svm,+npt,+rdrand
  STATUS 1 LABELS secure EXPECT "ultravisor: service 'ultravisor' cannot start: 64 \
selectors are too few. write 'selectors 1024' for its program$"
  "ultravisor: It cannot start: its service lacks a resource. if no line above names it, enlarge")
nova_add_boot_test(secure.no-kernel-memory SYSTEM secure-no-kernel-memory
  CPU qemu64,+svm,+npt,+rdrand STATUS 1 LABELS secure EXPECT
  "ultravisor: It cannot start: 'kernel-memory' in its description is too small for vmms=8: ")
nova_add_boot_test(secure.no-vmms SYSTEM secure-no-vmms CPU qemu64,+svm,+npt,+rdrand STATUS 1
  LABELS secure EXPECT
  "ultravisor: It cannot start: its argument is neither 'disabled' nor vmms=N, the number of")
nova_add_boot_test(secure.no-key SYSTEM secure-no-key CPU qemu64,+svm,+npt,+rdrand STATUS 1
  LABELS secure EXPECT
  "ultravisor: It cannot start: the module machine.key is missing or damaged: make one with")
nova_add_boot_test(secure.no-memory SYSTEM secure-no-memory CPU qemu64,+svm,+npt,+rdrand STATUS 1
  LABELS secure EXPECT
  "secure memory: [1-9][0-9]* KiB are free, and it needs 10920 KiB: enlarge 'memory' in its desc")
file(READ "${CMAKE_CURRENT_BINARY_DIR}/no-grant.nova" text)
string(REGEX REPLACE " *grants +children\n" "" text "${text}")
file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/no-grant.nova" CONTENT "${text}" @ONLY)
nova_add_system(secure-no-grant DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/no-grant.nova"
  PROGRAMS ultravisor MODULES guest:machine.key)
nova_add_boot_test(secure.no-grant SYSTEM secure-no-grant CPU qemu64,+svm,+npt,+rdrand STATUS 1
  LABELS secure EXPECT "ultravisor: It cannot start: executable guest memory needs \
'grants children' without 'dma' in its description[.]")
if(NOVA_ARCH STREQUAL "x86_32")
  nova_add_boot_test(secure.no-64-bits SYSTEM secure-no-vmms CPU qemu64,+svm,+npt,+rdrand STATUS 1
    LABELS secure EXPECT "ultravisor: It cannot start: secure guests need the x86_64 kernel")
endif()
