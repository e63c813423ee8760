# SPDX-License-Identifier: MIT
# The man page and the shells' completions, made from the server's table of flags by a program that is built for it.

add_executable(describe deploy/describe.c)
target_link_libraries(describe PRIVATE echod_server echod_flags)
set_target_properties(describe PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/documents)

function(echod_describe language file)
  set(file ${PROJECT_BINARY_DIR}/documents/${file})
  add_custom_command(OUTPUT ${file} COMMAND describe ${language} > ${file} DEPENDS describe VERBATIM)
  set(documents ${documents} ${file} PARENT_SCOPE)
endfunction()

echod_describe(table flags.tsv)
echod_describe(man options.man)
echod_describe(bash echod.bash)
echod_describe(zsh _echod)
echod_describe(fish echod.fish)

set(page ${PROJECT_BINARY_DIR}/documents/echod.1)
set(page_source ${PROJECT_SOURCE_DIR}/deploy/echod.1.in)
add_custom_command(OUTPUT ${page}
  COMMAND ${CMAKE_COMMAND} -D PROJECT_VERSION=${PROJECT_VERSION} -D SOURCE=${page_source}
    -D OPTIONS_FILE=${PROJECT_BINARY_DIR}/documents/options.man -D RESULT=${page}
    -P ${PROJECT_SOURCE_DIR}/cmake/man_page.cmake
  DEPENDS ${page_source} ${PROJECT_BINARY_DIR}/documents/options.man ${PROJECT_SOURCE_DIR}/cmake/man_page.cmake VERBATIM)
add_custom_target(documents ALL DEPENDS ${documents} ${page})

install(FILES ${PROJECT_BINARY_DIR}/documents/echod.bash
  DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions RENAME echod)
set(zsh_folder site-functions)
if(ECHOD_PACKAGE)
  set(zsh_folder vendor-completions) # Debian keeps the other for the administrator
endif()
install(FILES ${PROJECT_BINARY_DIR}/documents/_echod DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/zsh/${zsh_folder})
install(FILES ${PROJECT_BINARY_DIR}/documents/echod.fish DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/fish/vendor_completions.d)
