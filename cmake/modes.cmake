# SPDX-License-Identifier: MIT
# A build with ECHOD_MODES offers only those modes: it leaves out the source files of the others and their rows of the table
# in server/modes/mode.h. Code that only they use is left out by the linker with ECHOD_LTO. The mode fiber and its driver are left out
# where Boost.Context is missing. Sets fiber_library.

file(GLOB modes RELATIVE ${PROJECT_SOURCE_DIR}/server/modes server/modes/*.c)
list(TRANSFORM modes REPLACE "\\.c$" "")
list(REMOVE_ITEM modes mode) # the table
list(REMOVE_DUPLICATES ECHOD_MODES)
if(NOT ECHOD_MODES AND NOT TARGET echod::boost_context)
  set(ECHOD_MODES ${modes})
  list(REMOVE_ITEM ECHOD_MODES fiber)
endif()
if(NOT ECHOD_MODES)
  set(fiber_library echod::boost_context)
  return()
endif()
if(fiber IN_LIST ECHOD_MODES)
  if(NOT TARGET echod::boost_context)
    message(FATAL_ERROR "ECHOD_MODES: the mode fiber needs Boost.Context, which was not found")
  endif()
  set(fiber_library echod::boost_context)
else()
  list(FILTER server_sources EXCLUDE REGEX "/server/drivers/fiber/")
endif()

foreach(mode IN LISTS ECHOD_MODES)
  if(NOT mode IN_LIST modes)
    list(JOIN modes ", " known)
    message(FATAL_ERROR "ECHOD_MODES: there is no mode '${mode}'; there are: ${known}")
  endif()
endforeach()
list(REMOVE_ITEM modes ${ECHOD_MODES})
list(TRANSFORM modes REPLACE ".+" "${PROJECT_SOURCE_DIR}/server/modes/\\0.c" OUTPUT_VARIABLE left_out)
list(REMOVE_ITEM server_sources ${left_out})

list(TRANSFORM ECHOD_MODES REPLACE ".+" "MODE(\\0)" OUTPUT_VARIABLE rows)
list(JOIN rows " " rows)
set_property(SOURCE server/modes/mode.c APPEND PROPERTY COMPILE_OPTIONS "-DMODES(MODE)=${rows}")
if(NOT event IN_LIST ECHOD_MODES)
  list(GET ECHOD_MODES 0 first)
  set_property(SOURCE server/settings/flag.c APPEND PROPERTY COMPILE_DEFINITIONS MODE_DEFAULT="${first}")
endif()
