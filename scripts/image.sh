# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Building the container image with whichever tool is there, from a base image that is pulled or else made here.

image=localhost/echod
upstream_base=docker.io/library/debian:trixie-slim
own_base=localhost/echod-base:trixie

image_main() {
    image_prepare
    image_build --tag "$image:$version" --tag "$image:latest"
    describe
}

# Which tool, which base and which version: sets tool, base and version.
image_prepare() {
    tool=$(image_tool)
    if [ "$tool" = buildah ]; then
        need buildah
        # Works without the right to make namespaces, and where the kernel stacks no file systems.
        export BUILDAH_ISOLATION="${BUILDAH_ISOLATION:-chroot}"
        buildah info >/dev/null 2>&1 || export STORAGE_DRIVER=vfs
    fi
    version=$(sed -n 's/^project(echod VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
    find_base
}

# image_build OPTIONS...: times in the image are that of the commit, so that its files are the same each time.
image_build() {
    say "building the image $image:$version with $tool ..."
    time=$(git log -1 --format=%ct 2>/dev/null || echo 0)
    case $tool in
    docker) set -- --build-arg "SOURCE_DATE_EPOCH=$time" "$@" ;;
    podman) set -- --format docker --timestamp "$time" "$@" ;;
    # Only this format has a place for the health check.
    buildah) set -- --layers --format docker --timestamp "$time" "$@" ;;
    esac
    "$tool" build "$@" --build-arg "BASE=$base" --build-arg "VERSION=$version" \
        --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)" --file Dockerfile . >&2 ||
        die 1 "the image build failed"
}

# Docker only where its daemon answers.
image_tool() {
    if have docker && docker info >/dev/null 2>&1; then
        echo docker
    elif have podman && podman info >/dev/null 2>&1; then
        echo podman
    else
        echo buildah
    fi
}

find_base() {
    base=$upstream_base
    if ! is_stored "$base" && ! "$tool" pull "$base" >&2; then
        base=$own_base
        is_stored "$base" || make_base
    fi
}

is_stored() {
    "$tool" inspect "$1" >/dev/null 2>&1
}

# The base image cannot be had: its like from the package archive that this system uses.
make_base() {
    say "the base image cannot be pulled: making one with debootstrap ..."
    root=$(mktemp -d)
    trap 'as_root rm -rf "$root"' EXIT
    debian_root trixie "$root"
    import_base
    as_root rm -rf "$root"
    trap - EXIT
}

# debian_root SUITE FOLDER: a bare Debian in an empty folder.
debian_root() {
    need debootstrap
    source=""
    [ "$(os_release ID)" != debian ] || source=$(debian_source "$(os_release VERSION_CODENAME)")
    [ -n "$source" ] || die 1 "no archive to make a Debian system from is known here"
    mirror=$(printf '%s\n' "$source" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^[a-z+]+:\/\//) { print $i; exit } }')

    # A download that fails is no reason to give up: what is there already is not fetched again.
    attempts=1
    until PATH=$PATH:/usr/sbin:/sbin as_root debootstrap --variant=minbase "$1" "$2" "$mirror" >&2; do
        [ "$attempts" -lt 3 ] || die 1 "debootstrap failed"
        attempts=$((attempts + 1))
        say "debootstrap failed: attempt $attempts of 3 ..."
    done
    # How this system's apt reaches the archive, and what it lets pass there, holds inside too.
    apt-config dump | grep -E '^Acquire::(Check-|https?::)' | as_root tee "$2/etc/apt/apt.conf.d/99local" >/dev/null || true
    as_root rm -rf "$2/var/cache/apt/archives" "$2/var/lib/apt/lists"
}

import_base() {
    if [ "$tool" = buildah ]; then
        container=$(buildah from scratch)
        buildah add --quiet "$container" "$root" / >&2
        buildah config --cmd '["bash"]' "$container"
        buildah commit --quiet --rm "$container" "$base" >&2
    else
        as_root tar -C "$root" -c . | "$tool" import - "$base" >&2
    fi
}

describe() {
    case $tool in
    buildah)
        format='{{.Docker.Config.User}}'
        size=$(buildah images --format '{{.Size}}' "$image:$version" | head -n 1)
        user=$(buildah inspect --type image --format "$format" "$image:$version")
        ;;
    *)
        size=$("$tool" images --format '{{.Size}}' "$image:$version" | head -n 1)
        user=$("$tool" inspect --format '{{.Config.User}}' "$image:$version")
        ;;
    esac
    printf 'image %s:%s, size %s, user %s\n' "$image" "$version" "$size" "$user"
}

# image_unpack IMAGE FOLDER: the image's files in FOLDER/root, what the tool says of it in FOLDER/inspect.json.
image_unpack() {
    as_root rm -rf "$2"
    mkdir -p "$2/root"
    if [ "$tool" = buildah ]; then
        buildah inspect --type image "$1" >"$2/inspect.json"
        container=$(buildah from --pull-never "$1")
        # shellcheck disable=SC2016 # the shell inside expands it
        in_buildah sh -c 'cp -a "$(buildah mount "$1")/." "$2"' - "$container" "$2/root"
        buildah rm "$container" >/dev/null
    else
        "$tool" inspect "$1" >"$2/inspect.json"
        container=$("$tool" create "$1")
        "$tool" export "$container" | tar -x -C "$2/root"
        "$tool" rm "$container" >/dev/null
    fi
}

# Mounting is for root, or for a user in a namespace of buildah's making.
in_buildah() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else buildah unshare "$@"; fi
}
