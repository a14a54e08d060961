# SPDX-License-Identifier: BSD-2-Clause
# Turns the marked lines of compiled asm_offsets.c (INPUT) into a header (OUTPUT).
file(STRINGS "${INPUT}" lines REGEX "->[A-Z0-9_]+ .*<-")
set(text "/* Generated from asm_offsets.c. */\n")
foreach(line IN LISTS lines)
  if(line MATCHES "->([A-Z0-9_]+) [$]?(-?[0-9]+)<-")
    string(APPEND text "#define ${CMAKE_MATCH_1} ${CMAKE_MATCH_2}\n")
  endif()
endforeach()
file(WRITE "${OUTPUT}" "${text}")
