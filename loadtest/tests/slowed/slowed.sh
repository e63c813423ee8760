#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes build/slowed/echod: the release build, slower by so many nanoseconds of CPU for each answer it sends. For
# seeing by hand that the comparison calls a slowed build slower:
#   ./dev compare --output build/before
#   ./dev compare --server "$(loadtest/tests/slowed/slowed.sh 3000)" --baseline build/before/results.json
set -eu

cd "$(dirname "$0")/../../.."
case ${1:-} in
'' | *[!0-9]*)
    echo "usage: slowed.sh NANOSECONDS" >&2
    exit 2
    ;;
esac
folder=$PWD/build/slowed
mkdir -p "$folder"
cc -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -fPIC -shared -o "$folder/slowed.so" loadtest/tests/slowed/slowed.c -ldl
cat >"$folder/echod" <<SCRIPT
#!/bin/sh
SLOWED_NS=$1 LD_PRELOAD=$folder/slowed.so exec $PWD/build/release/echod "\$@"
SCRIPT
chmod +x "$folder/echod"
echo "$folder/echod"
