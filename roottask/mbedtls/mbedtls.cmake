# SPDX-License-Identifier: BSD-2-Clause
# mbedTLS from Debian's source package. Each user has its own configuration and builds the files
# that it needs; source.py unpacks them once, into build/mbedtls, and applies the patches.
include_guard()
set(NOVA_MBEDTLS "${NOVA_ROOT}/build/mbedtls")
set(NOVA_MBEDTLS_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/source.py")
file(GLOB NOVA_MBEDTLS_PATCHES CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/patches/*.patch")

# nova_add_mbedtls(<target> CONFIG <header> FOLDER <folder> FILES <name>... [LINK <target>]): makes
# the object library <target> of the files <name>.c with the configuration <header>, which is in
# <folder>. Targets that link it get mbedTLS's headers. Without the source there is no <target>, and
# the property NOVA_MBEDTLS_MISSING gives the reason.
function(nova_add_mbedtls target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CONFIG;FOLDER;LINK" "FILES")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${NOVA_MBEDTLS_SCRIPT}"
    ${NOVA_MBEDTLS_PATCHES})
  execute_process(COMMAND "${NOVA_PYTHON}" -B "${NOVA_MBEDTLS_SCRIPT}" "${NOVA_MBEDTLS}"
    RESULT_VARIABLE failed OUTPUT_VARIABLE reason OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed)
    message(WARNING "The source of mbedTLS is missing, so ${target} is not built: ${reason}")
    set_property(GLOBAL PROPERTY NOVA_MBEDTLS_MISSING "${reason}")
    return()
  endif()
  list(TRANSFORM arg_FILES PREPEND "${NOVA_MBEDTLS}/library/")
  list(TRANSFORM arg_FILES APPEND ".c")
  add_library(${target} OBJECT ${arg_FILES})
  target_include_directories(${target} PUBLIC "${arg_FOLDER}" PRIVATE "${NOVA_MBEDTLS}/library")
  target_include_directories(${target} SYSTEM PUBLIC "${NOVA_MBEDTLS}/include")
  target_compile_definitions(${target} PUBLIC MBEDTLS_CONFIG_FILE="${arg_CONFIG}")
  target_link_libraries(${target} PRIVATE ${arg_LINK})
  # mbedTLS's code causes warnings, and clang-tidy does not check it.
  target_compile_options(${target} PRIVATE -w -O2)
  set_target_properties(${target} PROPERTIES EXPORT_COMPILE_COMMANDS OFF)
endfunction()
