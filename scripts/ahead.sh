#!/bin/sh
# SPDX-License-Identifier: MIT
# ahead.sh PRESET|image|root|STAGE...: in a whole test run, builds in the background what later stages need, and runs stages, with the CPU
# time that others leave. A stage that needs a build waits until it is done. A build that fails here is tried again, and reported, by
# its stage.
set -eu
. scripts/say.sh
. scripts/packages.sh
. scripts/llhttp.sh
. scripts/build.sh
. scripts/test.sh

# For the scheduler this session is a group, which has to be nice itself.
{ echo 5 >/proc/self/autogroup; } 2>/dev/null || true
logs=build/test
for what; do
    case $what in
    image) ! (build_image_twice) >"$logs/build-image.log" 2>&1 || : >"$logs/image.built" ;;
    root) (make_bare_system "$(os_release VERSION_CODENAME)") || true ;;
    *)
        case " $beside " in
        *" $what "*) run_stage_beside "$what" ;;
        *) build "$what" || true ;;
        esac
        ;;
    esac
done
