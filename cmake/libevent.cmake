# SPDX-License-Identifier: MIT
# Finds the core part of libevent 2.1.12 or newer as echod::event_core, and makes LIBEVENT_REFUSED: an include
# folder in which each of libevent's headers is an error, for code that must stay free of it.

set(LIBEVENT_WANTED 2.1.12)

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(PC_EVENT QUIET libevent_core)
endif()
find_path(EVENT_INCLUDE_DIR event2/event.h HINTS ${PC_EVENT_INCLUDE_DIRS})
if(ECHOD_STATIC)
  set(names libevent_core.a)
else()
  set(names event_core libevent_core.a)
endif()
find_library(EVENT_CORE_LIBRARY NAMES ${names} HINTS ${PC_EVENT_LIBRARY_DIRS})
if(NOT EVENT_INCLUDE_DIR OR NOT EVENT_CORE_LIBRARY)
  message(FATAL_ERROR "libevent: event2/event.h or its core library (${names}) was not found; "
    "${LIBEVENT_WANTED} or newer is needed, with its headers")
endif()

file(GLOB config_headers ${EVENT_INCLUDE_DIR}/event2/event-config*.h
  /usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE}/event2/event-config*.h)
set(version 0)
foreach(header ${config_headers})
  file(STRINGS ${header} line REGEX "define EVENT__VERSION ")
  if(line MATCHES "\"([0-9.]+)")
    set(version ${CMAKE_MATCH_1})
  endif()
endforeach()
if(version VERSION_LESS LIBEVENT_WANTED)
  message(FATAL_ERROR "libevent: ${version} in ${EVENT_INCLUDE_DIR} is too old, ${LIBEVENT_WANTED} or newer is needed")
endif()
if(EVENT_CORE_LIBRARY MATCHES "\\.a$")
  set(kind static)
else()
  set(kind shared)
endif()
message(STATUS "libevent: ${version}, ${kind}, ${EVENT_CORE_LIBRARY}")

add_library(echod::event_core INTERFACE IMPORTED GLOBAL)
target_include_directories(echod::event_core INTERFACE ${EVENT_INCLUDE_DIR})
target_link_libraries(echod::event_core INTERFACE ${EVENT_CORE_LIBRARY})

set(LIBEVENT_REFUSED ${PROJECT_BINARY_DIR}/no-libevent)
file(GLOB headers RELATIVE ${EVENT_INCLUDE_DIR} ${EVENT_INCLUDE_DIR}/event2/*.h
  ${EVENT_INCLUDE_DIR}/event.h ${EVENT_INCLUDE_DIR}/ev*.h)
foreach(header ${headers})
  file(CONFIGURE OUTPUT ${LIBEVENT_REFUSED}/${header}
    CONTENT "#error common/ does no I/O and must not include libevent\n" @ONLY)
endforeach()
