# SPDX-License-Identifier: BSD-2-Clause
# The system of monitor and ultravisor, and its test. The test runs on SVM. A secure guest needs
# RDRAND for its keys; only the x86_64 kernel runs it.
nova_add_system(${PROJECT_NAME} DESCRIPTION system.nova PROGRAMS ultravisor sealed-monitor
  SEALED guest.seal GUEST sealed-guest)
if(NOVA_ARCH STREQUAL "x86_64")
  nova_add_boot_test(${PROJECT_NAME}-runs-a-secure-guest SYSTEM ${PROJECT_NAME}
    CPU qemu64,+svm,+npt,+rdrand
    EXPECT "^monitor: The secure guest says: My monitor cannot read my memory[.]$")
endif()
