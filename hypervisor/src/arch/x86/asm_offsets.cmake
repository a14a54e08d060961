# SPDX-License-Identifier: BSD-2-Clause
# Writes a header (OUTPUT) from the marked strings in the compiled asm_offsets.c (INPUT).
file(STRINGS "${INPUT}" lines REGEX "->[A-Z0-9_]+ .*<-")
string(REGEX MATCHALL "->[A-Z0-9_]+ -?[0-9]+<-" marks "${lines}")
set(text "/* Generated from asm_offsets.c. */\n")
foreach(mark IN LISTS marks)
  string(REGEX REPLACE "->(.*)<-" "#define \\1\n" line "${mark}")
  string(APPEND text "${line}")
endforeach()
file(WRITE "${OUTPUT}" "${text}")
