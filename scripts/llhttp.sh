# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Installing llhttp where the system's own release has none that is new enough: Debian 12 takes the two packages, and
# nothing else, from the suite trixie of the very archive that it uses already.

trixie_sources=/etc/apt/sources.list.d/echod-trixie.sources
trixie_preferences=/etc/apt/preferences.d/echod-trixie

install_llhttp() {
    update_lists
    if ! llhttp_candidate && [ "$(os_release VERSION_CODENAME)" = bookworm ] && [ "$(os_release ID)" = debian ]; then
        add_trixie
        llhttp_candidate || die 1 "the package archive offers no libllhttp-dev of 9.2.1 or newer"
    fi
    if llhttp_candidate; then
        install_packages libllhttp-dev
    else
        say "no package of llhttp 9.2.1 or newer here: CMake will fetch its source, with git"
        install_packages git ca-certificates
    fi
}

os_release() {
    # shellcheck disable=SC1091
    (. /etc/os-release && eval "printf '%s' \"\${$1:-}\"")
}

llhttp_candidate() {
    version=$(apt-cache policy libllhttp-dev 2>/dev/null | sed -n 's/^ *Candidate: *//p')
    [ -n "$version" ] && [ "$version" != "(none)" ] && dpkg --compare-versions "$version" ge 9.2.1~
}

add_trixie() {
    source=$(debian_source bookworm)
    [ -n "$source" ] || die 1 "no source of the suite bookworm is configured for apt"
    printf 'Types: deb\nSuites: trixie\nComponents: main\n%s\n' "$source" | as_root tee "$trixie_sources" >/dev/null
    as_root tee "$trixie_preferences" >/dev/null <<'TEXT'
Package: *
Pin: release n=trixie
Pin-Priority: -1

Package: libllhttp-dev libllhttp9.2
Pin: release n=trixie
Pin-Priority: 990
TEXT
    refresh_lists
}

# debian_source SUITE: the deb822 fields of the first source that serves SUITE (where the packages come from and what
# they are signed by), without Types, Suites and Components; nothing if there is none.
debian_source() {
    for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        case $file in
        *.sources) found=$(source_of_deb822 "$1" <"$file") ;;
        *) found=$(source_of_lines "$1" <"$file") ;;
        esac
        if [ -n "$found" ]; then
            printf '%s\n' "$found"
            return
        fi
    done
}

# A field may go on over lines that begin with white space, as a key given in full does.
source_of_deb822() {
    awk -v suite="$1" '
        function finish() {
            if (!done && types ~ /(^| )deb( |$)/ && (" " suites " ") ~ (" " suite "/? ") && enabled !~ /^(no|false|0)$/ &&
                kept ~ /(^|\n)URIs:[ \n]+[a-z+]+:/ && kept !~ /URIs:[ \n]+cdrom:/) {
                printf "%s", kept
                done = 1
            }
            types = suites = enabled = kept = field = ""
        }
        /^#/ { next }
        /^[ \t]*$/ { finish(); next }
        /^[^ \t]/ {
            field = tolower($0); sub(/:.*/, "", field)
            value = $0; sub(/^[^:]*:[ \t]*/, "", value)
        }
        /^[ \t]/ { value = $0 }
        field == "types" { types = types " " value }
        field == "suites" { sub(/^[ \t]+/, "", value); suites = suites " " value }
        field == "enabled" { enabled = tolower(value) }
        field ~ /^(uris|signed-by|trusted|check-valid-until|check-date)$/ {
            line = $0
            if (field == "uris") sub(/^[^: \t]*:/, "URIs:", line)
            kept = kept line "\n"
        }
        END { finish() }'
}

source_of_lines() {
    awk -v suite="$1" '
        $1 == "deb" {
            line = $0; options = ""
            sub(/[ \t]*#.*/, "", line)
            sub(/^[ \t]*deb[ \t]+/, "", line)
            if (match(line, /^\[[^]]*\][ \t]*/)) {
                options = substr(line, 2, RLENGTH); sub(/\].*/, "", options)
                line = substr(line, RLENGTH + 1)
            }
            split(line, part, /[ \t]+/)
            if (part[1] ~ /^cdrom:/ || (part[2] != suite && part[2] != suite "/")) next
            print "URIs: " part[1]
            signed = ""
            count = split(options, option, /[ \t]+/)
            for (i = 1; i <= count; i++) {
                value = option[i]; sub(/^[^=]*=/, "", value)
                if (option[i] ~ /^signed-by=/) signed = value
                if (option[i] ~ /^trusted=/) print "Trusted: " value
                if (option[i] ~ /^check-valid-until=/) print "Check-Valid-Until: " value
                if (option[i] ~ /^check-date=/) print "Check-Date: " value
            }
            gsub(/,/, " ", signed)
            if (signed == "" && (getline < keyring) >= 0) signed = keyring
            if (signed != "") print "Signed-By: " signed
            exit
        }' keyring=/usr/share/keyrings/debian-archive-keyring.gpg
}
