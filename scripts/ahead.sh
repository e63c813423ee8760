#!/bin/sh
# SPDX-License-Identifier: MIT
# ahead.sh PRESET|image|root...: in a whole test run, builds in the background what later stages need, with the CPU time that others
# leave. A stage that needs a build waits until it is done. What fails here is tried again, and reported, by its stage.
set -u
. scripts/say.sh
. scripts/packages.sh
. scripts/llhttp.sh
. scripts/build.sh
. scripts/image.sh
. scripts/test_deploy.sh

# For the scheduler this session is a group, which has to be nice itself.
{ echo 19 >/proc/self/autogroup; } 2>/dev/null
logs=build/test
for what; do
    case $what in
    image) (build_image_twice) >"$logs/build-image.log" 2>&1 && : >"$logs/image.built" ;;
    root) (make_bare_system "$(os_release VERSION_CODENAME)") ;;
    *) build "$what" ;;
    esac
done
