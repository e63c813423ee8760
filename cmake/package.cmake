# SPDX-License-Identifier: MIT
# A Debian package by CPack: cmake --preset package, cmake --build build/package, cpack from there.
# llhttp is linked in, because Debian 12 has none that could be depended on, and so are the static libraries of Boost.Context and
# liburing; libevent and the C library are depended on.

set(debian ${PROJECT_SOURCE_DIR}/deploy/debian)

# What Debian wants in other names and compressed than `cmake --install` puts it elsewhere.
function(echod_compress source name)
  set(file ${PROJECT_BINARY_DIR}/debian/${name}.gz)
  add_custom_command(OUTPUT ${file} COMMAND gzip -9 -n -c ${source} > ${file} DEPENDS ${source} VERBATIM)
  set(compressed ${compressed} ${file} PARENT_SCOPE)
endfunction()

file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/debian)
echod_compress(${debian}/changelog changelog.Debian)
echod_compress(${PROJECT_SOURCE_DIR}/CHANGELOG.md changelog)
echod_compress(${PROJECT_BINARY_DIR}/documents/echod.1 echod.1)
add_custom_target(debian ALL DEPENDS ${compressed})

install(FILES ${debian}/copyright ${PROJECT_BINARY_DIR}/debian/changelog.Debian.gz ${PROJECT_BINARY_DIR}/debian/changelog.gz
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_BINARY_DIR}/debian/echod.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${debian}/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides RENAME echod)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME echod)
set(CPACK_PACKAGE_VENDOR "The echod authors")
set(CPACK_PACKAGE_CONTACT "The echod authors <echod@users.noreply.example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "HTTP echo server that offers several concurrency models")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Answers HTTP requests with what they held, as a test backend behind proxies
and load balancers: status, delay and headers of an answer can be asked for.
.
The same protocol code runs under threads, event loops, loops with workers, a
pool of threads, processes, fibers, or io_uring, so that these can be compared
under load.")
set(CPACK_DEBIAN_PACKAGE_SECTION httpd)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_DEBUGINFO_PACKAGE ON) # strips the program, and puts what is stripped into echod-dbgsym
set(CPACK_SET_DESTDIR ON) # /etc is not below the prefix
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
