# SPDX-License-Identifier: MIT
# What a service manager needs: units, the file of settings, the rotation of the access log.

# Below /usr the settings belong to /etc; elsewhere they stay below the prefix.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(settings_folder ${CMAKE_INSTALL_FULL_SYSCONFDIR})
else()
  set(settings_folder ${CMAKE_INSTALL_SYSCONFDIR})
endif()
set(settings ${CMAKE_INSTALL_FULL_SYSCONFDIR})

set(units ${PROJECT_SOURCE_DIR}/server/deploy/systemd)
configure_file(${units}/echod.service.in ${PROJECT_BINARY_DIR}/systemd/echod.service @ONLY)
# Not CMAKE_INSTALL_LIBDIR: the manager looks in lib, whatever the architecture.
install(FILES ${PROJECT_BINARY_DIR}/systemd/echod.service ${units}/echod.socket DESTINATION lib/systemd/system)
install(FILES ${units}/echod.default DESTINATION ${settings_folder}/default RENAME echod)
install(FILES ${units}/echod.logrotate DESTINATION ${settings_folder}/logrotate.d RENAME echod)
