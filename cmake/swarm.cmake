# SPDX-License-Identifier: MIT
# The load client swarm: a tool of its own beside the server, of which it uses nothing but how numbers are read.

file(GLOB_RECURSE swarm_sources CONFIGURE_DEPENDS loadtest/swarm/*.c)
list(REMOVE_ITEM swarm_sources ${PROJECT_SOURCE_DIR}/loadtest/swarm/main.c)
add_library(echod_swarm OBJECT ${swarm_sources})
target_link_libraries(echod_swarm PUBLIC echod_common echod::event_core PRIVATE echod_flags)

add_executable(swarm loadtest/swarm/main.c)
target_link_libraries(swarm PRIVATE echod_swarm echod_flags)
