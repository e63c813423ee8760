# SPDX-License-Identifier: MIT
# Finds liburing 2.3 or newer as echod::liburing, for the mode uring, the static library if there is one. Without it that mode is left out.
# Sets LIBURING_VERSION.

include(CheckCSourceCompiles)

find_path(LIBURING_INCLUDE_DIR liburing.h)
if(ECHOD_STATIC)
  set(names liburing.a)
else()
  set(names liburing.a uring)
endif()
find_library(LIBURING_LIBRARY NAMES ${names})
if(NOT LIBURING_INCLUDE_DIR OR NOT LIBURING_LIBRARY)
  message(STATUS "liburing: not found (${names}), so the mode uring is left out")
  return()
endif()

# Its headers have no version before 2.4. What is new in 2.3 says enough.
set(CMAKE_REQUIRED_INCLUDES ${LIBURING_INCLUDE_DIR})
set(CMAKE_REQUIRED_LIBRARIES ${LIBURING_LIBRARY})
set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
check_c_source_compiles("
  #include <liburing.h>
  int main(void)
  {
      struct io_uring ring;
      struct io_uring_params parameters = {.flags = IORING_SETUP_DEFER_TASKRUN};
      int error = io_uring_queue_init_params(1, &ring, &parameters);
      return error != 0 ? error : io_uring_submit_and_get_events(&ring);
  }" LIBURING_IS_NEW_ENOUGH)
unset(CMAKE_REQUIRED_INCLUDES)
unset(CMAKE_REQUIRED_LIBRARIES)
unset(CMAKE_REQUIRED_DEFINITIONS)
if(NOT LIBURING_IS_NEW_ENOUGH)
  message(STATUS "liburing: ${LIBURING_LIBRARY} is older than 2.3, so the mode uring is left out")
  return()
endif()

cmake_path(GET LIBURING_LIBRARY PARENT_PATH folder)
set(LIBURING_VERSION "(unknown version)")
if(EXISTS ${folder}/pkgconfig/liburing.pc)
  file(STRINGS ${folder}/pkgconfig/liburing.pc line REGEX "^Version:")
  if(line MATCHES "([0-9.]+)")
    set(LIBURING_VERSION ${CMAKE_MATCH_1})
  endif()
endif()
message(STATUS "liburing: ${LIBURING_VERSION}, ${LIBURING_LIBRARY}")
add_library(echod::liburing INTERFACE IMPORTED GLOBAL)
target_link_libraries(echod::liburing INTERFACE ${LIBURING_LIBRARY})
target_include_directories(echod::liburing SYSTEM INTERFACE ${LIBURING_INCLUDE_DIR})
