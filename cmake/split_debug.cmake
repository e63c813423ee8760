# SPDX-License-Identifier: MIT
# A release keeps its debug information in a file beside the program, echod.debug, which gdb finds by the name and the checksum in
# .gnu_debuglink: it takes the place of .comment. The program keeps its symbols, by which a profiler names functions; a static one keeps
# none. A Debian package has a package of its own for the debug information, which CPack splits off.

if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" OR ECHOD_PACKAGE OR NOT CMAKE_OBJCOPY OR NOT CMAKE_STRIP)
  return()
endif()

set(strip_option --strip-debug --remove-section=.comment)
if(ECHOD_STATIC)
  set(strip_option --strip-all --remove-section=.comment)
endif()
add_custom_command(TARGET echod POST_BUILD
  COMMAND ${CMAKE_OBJCOPY} --only-keep-debug $<TARGET_FILE:echod> $<TARGET_FILE:echod>.debug
  COMMAND ${CMAKE_STRIP} ${strip_option} $<TARGET_FILE:echod>
  COMMAND ${CMAKE_OBJCOPY} --add-gnu-debuglink=$<TARGET_FILE:echod>.debug $<TARGET_FILE:echod>
  BYPRODUCTS ${PROJECT_BINARY_DIR}/echod.debug VERBATIM)
