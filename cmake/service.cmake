# SPDX-License-Identifier: MIT
# What a service manager needs: units, the file of settings, the rotation of the access log. Which prefix they go below is
# known when they are installed only (`cmake --install --prefix`), and the unit names the program and the settings there.

set(service_script ${PROJECT_SOURCE_DIR}/cmake/install_service.cmake)
set(service_values "
  set(units [[${PROJECT_SOURCE_DIR}/deploy/systemd]])
  set(bindir [[${CMAKE_INSTALL_BINDIR}]])
  set(sysconfdir [[${CMAKE_INSTALL_SYSCONFDIR}]])")
install(CODE "${service_values}
  set(unit [[${PROJECT_BINARY_DIR}/systemd/installed/echod.service]])")
install(SCRIPT ${service_script})
# What mode uring needs beside the unit; the administrator installs it.
install(FILES ${PROJECT_SOURCE_DIR}/deploy/systemd/uring.conf DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

# As it will be below the prefix that was configured, for whoever wants to look at it.
cmake_language(EVAL CODE "${service_values}")
set(unit ${PROJECT_BINARY_DIR}/systemd/echod.service)
set(service_only_made ON)
include(${service_script})
