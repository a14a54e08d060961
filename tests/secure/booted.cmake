# SPDX-License-Identifier: BSD-2-Clause
# VMMs that test the ultravisor, and the guest that they drive.
add_executable(secure-probe guest.c)
target_link_libraries(secure-probe PRIVATE nova_freestanding)
target_include_directories(secure-probe PRIVATE "${NOVA_ROOT}/roottask/include"
  "${NOVA_ROOT}/roottask/vmm/include")
target_compile_options(secure-probe PRIVATE -fno-stack-protector -mno-red-zone)
target_link_options(secure-probe PRIVATE -static -no-pie -Wl,-Ttext-segment=0x200000)

# nova_add_secure_test(<name> SOURCES <file>... EXPECT <regex>... [REJECT <regex>...]): a VMM.
function(nova_add_secure_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;EXPECT;REJECT")
  set(vmm secure-vmm-${name})
  nova_add_program(${vmm} SOURCES ${arg_SOURCES} LINK Nova::novavmm)
  configure_file(probe.nova.in ${name}.nova @ONLY)
  nova_add_system(secure-${name} DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/${name}.nova"
    PROGRAMS ultravisor ${vmm} SEALED probe.seal GUEST secure-probe)
  nova_add_boot_test(secure.${name} SYSTEM secure-${name} CPU qemu64,+svm,+npt,+rdrand LABELS secure
    EXPECT ${arg_EXPECT} REJECT "not ok [0-9]" ${arg_REJECT})
endfunction()

nova_add_secure_test(statuses SOURCES statuses.c EXPECT "^vmm: 1[.][.]52$"
  REJECT "cannot continue")
nova_add_secure_test(hostile SOURCES hostile.c EXPECT "^vmm: 1[.][.]34$")
nova_add_secure_test(secrets SOURCES secrets.c EXPECT "^vmm: 1[.][.]10$")

# The ultravisor reports why it cannot start.
nova_add_boot_test(secure.no-guests SYSTEM secure-statuses CPU qemu64,-svm,+rdrand STATUS 1
  LABELS secure EXPECT "ultravisor: It cannot start: this CPU cannot run guests .--cpu qemu64")
nova_add_boot_test(secure.no-random SYSTEM secure-statuses CPU qemu64,+svm,+npt,-rdrand STATUS 1
  LABELS secure EXPECT "ultravisor: It cannot start: this CPU has no RDRAND, so keys could be")
