# SPDX-License-Identifier: Apache-2.0
#
# Setting up a machine
# ====================
#
# Bash functions that bring a Debian 12 machine to the point where the
# extended Open vSwitch can run from its build folder.  To be sourced:
#
#     . utilities/setup.sh
#     setup_root; setup_debian; setup_packages build demo; setup_build
#
# Each is quick when there is nothing left to do.  Each ends the program by
# setup_die, with one sentence on stderr and exit status 1, when it cannot do
# its work.  A caller that traps signals calls setup_stop in its exit handler.

setup_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
setup_build_dir=$setup_top/_build
setup_log=$setup_build_dir/setup.log
setup_job=

# Ends the program with the sentence "$*".
setup_die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

setup_root() {
    test "$(id -u)" = 0 ||
        setup_die "this needs root: run it again as root or by sudo."
}

# SETUP_OS_RELEASE names another file than /etc/os-release, for tests.
setup_debian() {
    local file=${SETUP_OS_RELEASE:-/etc/os-release} found
    # shellcheck source=/dev/null
    found=$(. "$file" 2>/dev/null && echo "${ID:-} ${VERSION_ID:-}") || found=
    test "$found" = "debian 12" ||
        setup_die "this needs Debian 12, and here is" \
            "${found:-a system without $file}."
}

# Ends the program unless the file system of "$1" has "$2" MB left, for "$3".
setup_space() {
    local free
    free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
    test "$free" -ge "$2" ||
        setup_die "the disk is too full for $3: $1 has $free MB left and" \
            "$2 MB are needed."
}

# Makes the log file, in the build folder.
setup_open_log() {
    { mkdir -p "$setup_build_dir" && : >> "$setup_log"; } 2> /dev/null ||
        setup_die "$setup_build_dir cannot be written to."
}

# Prints the names of the packages of the kinds "$@" that are not installed.
setup_missing() {
    local kind name wanted=" $* "

    while read -r kind name; do
        case $wanted in
        *" $kind "*)
            case $(dpkg-query -W -f '${Status}' "$name" 2>/dev/null ||
                :) in
            *" ok installed") ;;
            *) echo "$name" ;;
            esac ;;
        esac
    done < "$setup_top/build-aux/packages"
}

# Runs apt-get with arguments "$@", with its output going to the log.
setup_apt() {
    env DEBIAN_FRONTEND=noninteractive apt-get -q \
        -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 \
        -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
        "$@" < /dev/null >> "$setup_log" 2>&1
}

# Ends the program because the packages "$*" are not to be had.
setup_packages_failed() {
    if grep -Eq 'No space left|enough free space' "$setup_log"; then
        setup_die "the disk is too full for the packages: see $setup_log."
    fi
    setup_die "the packages $* cannot be installed: is there a network, and" \
        "a Debian mirror? apt-get's words are in $setup_log."
}

# Installs those packages of the kinds "$@" that are missing.
setup_packages() {
    local missing

    mapfile -t missing < <(setup_missing "$@")
    test ${#missing[@]} -gt 0 || return 0
    setup_space /var 1500 "the packages"
    setup_open_log
    echo "Installing ${#missing[@]} packages: ${missing[*]}"
    : > "$setup_log"
    # An update that fails is not yet an error: the lists that are there, or
    # the other mirrors, may do.
    setup_apt update || :
    setup_apt install -y --no-install-recommends "${missing[@]}" ||
        setup_packages_failed "${missing[*]}"
}

# Unpacks those packages of kind "$1" that are not installed into folder "$1"
# of the build folder, once.  Installing them would start their daemons.
setup_unpack() {
    local dir=$setup_build_dir/$1 new=$setup_build_dir/$1.new missing file

    mapfile -t missing < <(setup_missing "$1")
    test ${#missing[@]} -gt 0 || return 0
    test "$(cat "$dir/unpacked" 2> /dev/null)" != "${missing[*]}" || return 0
    setup_open_log
    setup_space "$setup_build_dir" 100 "the packages"
    echo "Unpacking ${#missing[@]} packages: ${missing[*]}"
    : > "$setup_log"
    rm -rf "$dir" "$new"
    mkdir "$new"
    cd "$new"
    setup_apt download "${missing[@]}" ||
        { setup_apt update && setup_apt download "${missing[@]}"; } ||
        setup_packages_failed "${missing[*]}"
    for file in *.deb; do
        dpkg-deb -x "$file" . ||
            setup_die "$new/$file cannot be unpacked."
        rm "$file"
    done
    echo "${missing[*]}" > unpacked
    cd "$OLDPWD"
    mv "$new" "$dir"
}

# Runs "$2..." in folder "$1" with its output going to the log.  It runs in
# the background and a process group of its own, so that a trap of the caller
# is not kept waiting and setup_stop can end all of it.
setup_run() {
    local dir=$1 status=0
    shift
    (cd "$dir" && exec setsid "$@") < /dev/null >> "$setup_log" 2>&1 &
    setup_job=$!
    wait "$setup_job" || status=$?
    setup_job=
    return $status
}

# Ends what setup_run started, if it still runs.
setup_stop() {
    test -n "$setup_job" || return 0
    kill -TERM -- "-$setup_job" 2>/dev/null || :
    setup_job=
}

# Ends the program because step "$1" of the build failed.
setup_build_failed() {
    local free
    free=$(df -Pm "$setup_build_dir" | awk 'NR == 2 { print $4 }')
    test "$free" -ge 20 ||
        setup_die "the disk ran full during $1: see $setup_log."
    tail -n 25 "$setup_log" >&2
    setup_die "$1 failed: these were the last lines of $setup_log."
}

# Succeeds if ./configure and its files are missing or older than what they
# are made from.  Makefile.in is the last that boot.sh makes: it tells of one
# that was interrupted, too.
setup_needs_boot() {
    test -x "$setup_top/configure" && test -f "$setup_top/Makefile.in" ||
        return 0
    test -n "$(cd "$setup_top" && find . -path ./_build -prune -o \
        \( -name '*.mk' -o -name Makefile.am -o -name configure.ac \) \
        -newer Makefile.in -print)"
}

# Builds into _build what is not up to date there; "$@" are make targets.
# Arguments that _build was configured with before are kept.
setup_build() {
    setup_open_log
    : > "$setup_log"
    if ! test -x "$setup_build_dir/openvswitch/extended/vswitchd/ovs-vswitchd"
    then
        setup_space "$setup_build_dir" 1500 "the build"
        echo "Building in $setup_build_dir, a few minutes the first time;" \
            "output goes to setup.log there."
    fi
    if setup_needs_boot; then
        setup_run "$setup_top" ./boot.sh || setup_build_failed "boot.sh"
    fi
    if ! test -f "$setup_build_dir/config.status"; then
        setup_run "$setup_build_dir" "$setup_top/configure" ||
            setup_build_failed "configure"
    elif test "$setup_top/configure" -nt "$setup_build_dir/config.status"; then
        # Not left to "make -j": what it hands on for its jobs collides with
        # the files that config.status opens.
        setup_run "$setup_build_dir" \
            sh -c './config.status --recheck && ./config.status' ||
            setup_build_failed "configure"
    fi
    setup_run "$setup_build_dir" make -j"$(nproc)" "$@" ||
        setup_build_failed "the build"
}
