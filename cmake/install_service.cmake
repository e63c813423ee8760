# SPDX-License-Identifier: MIT
# Makes the unit for CMAKE_INSTALL_PREFIX in the file `unit`, and installs it and what stands beside it there.

# Below /usr the settings belong to /etc; elsewhere they stay below the prefix.
set(prefix /)
if(CMAKE_INSTALL_PREFIX) # which is empty for the root
  cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_PREFIX NORMALIZE OUTPUT_VARIABLE prefix)
endif()
if(prefix MATCHES "^/usr/?$")
  set(root /)
else()
  set(root ${prefix})
endif()
cmake_path(ABSOLUTE_PATH bindir BASE_DIRECTORY ${prefix} NORMALIZE OUTPUT_VARIABLE programs)
cmake_path(ABSOLUTE_PATH sysconfdir BASE_DIRECTORY ${root} NORMALIZE OUTPUT_VARIABLE settings)
# Not CMAKE_INSTALL_LIBDIR: the manager looks in lib, whatever the architecture.
cmake_path(APPEND prefix lib/systemd/system OUTPUT_VARIABLE unit_folder)
configure_file(${units}/echod.service.in ${unit} @ONLY)

if(NOT service_only_made)
  file(INSTALL ${unit} ${units}/echod.socket DESTINATION ${unit_folder})
  file(INSTALL ${units}/echod.default DESTINATION ${settings}/default RENAME echod)
  file(INSTALL ${units}/echod.logrotate DESTINATION ${settings}/logrotate.d RENAME echod)
endif()
