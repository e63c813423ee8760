# SPDX-License-Identifier: MIT
# Puts the generated options into the man page: cmake -D SOURCE=… -D OPTIONS_FILE=… -D RESULT=… -P man_page.cmake

file(READ ${OPTIONS_FILE} OPTIONS)
string(STRIP "${OPTIONS}" OPTIONS)
configure_file(${SOURCE} ${RESULT} @ONLY)
