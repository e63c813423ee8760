# SPDX-License-Identifier: MIT
# Finds liburing as echod::liburing, for the mode uring, the static library if there is one. Without it that mode is left out.

find_path(LIBURING_INCLUDE_DIR liburing.h)
find_library(LIBURING_LIBRARY NAMES liburing.a uring)
if(LIBURING_INCLUDE_DIR AND LIBURING_LIBRARY)
  message(STATUS "liburing: ${LIBURING_LIBRARY}")
  add_library(echod::liburing INTERFACE IMPORTED GLOBAL)
  target_link_libraries(echod::liburing INTERFACE ${LIBURING_LIBRARY})
  target_include_directories(echod::liburing SYSTEM INTERFACE ${LIBURING_INCLUDE_DIR})
else()
  message(STATUS "liburing: not found, so the mode uring is left out")
endif()
