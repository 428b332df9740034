# SPDX-License-Identifier: Apache-2.0
#
# Setting up a machine
# ====================
#
# Bash functions that bring a machine with Debian 12, 13 or testing to the
# point where the extended Open vSwitch can run from its build folder.  To be
# sourced:
#
#     . utilities/setup.sh
#     setup_root; setup_debian; setup_packages build demo; setup_build
#
# A function is quick when nothing is left to do.  If it cannot do its work,
# it ends the program by setup_die: one sentence on stderr, exit status 1.  A
# caller that traps signals calls setup_stop in its exit handler.

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

# Prints the distribution and its version: "debian 12".  Debian testing has no
# number yet, and is "debian testing" here.  For tests, SETUP_OS_RELEASE names
# a file to read instead of /etc/os-release.
setup_system() {
    # shellcheck source=/dev/null
    (. "${SETUP_OS_RELEASE:-/etc/os-release}" 2> /dev/null &&
        echo "${ID:-} ${VERSION_ID:-testing}") || :
}

setup_debian() {
    local found
    found=$(setup_system)
    case $found in
    "debian 12" | "debian 13" | "debian testing") ;;
    *)
        setup_die "this needs Debian 12, 13 or testing, and here is" \
            "${found:-a system without /etc/os-release}." ;;
    esac
}

# Ends the program unless the file system of "$1" has "$2" MB left, for "$3".
setup_space() {
    local free
    free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
    test "$free" -ge "$2" ||
        setup_die "the disk is too full for $3: $1 has $free MB left and" \
            "$2 MB are needed."
}

# setup_chroot SUITE FOLDER MB [PACKAGES]: makes FOLDER a minimal Debian of
# SUITE with PACKAGES, which have commas between them, from the first mirror of
# this machine's apt, if its file system has MB left.
setup_chroot() {
    local mirror
    # shellcheck disable=SC2016  # It is apt that expands it.
    mirror=$(apt-get indextargets --format '$(SITE)' \
        'Identifier: Packages' 'Component: main' | head -n 1) || mirror=
    test -n "$mirror" ||
        setup_die "/etc/apt/sources.list has no mirror of Debian."
    setup_space "$(dirname "$2")" "$3" "the chroot"
    echo "Making a chroot of $1 in $2"
    rm -rf "$2" "$2.new"
    # A mirror's copy of testing may be past its date.
    mmdebstrap --quiet --variant=minbase ${4:+--include="$4"} \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        "$1" "$2.new" "$mirror" ||
        setup_die "the chroot cannot be made: is there a network?"
    mv "$2.new" "$2"
}

# Makes the log file, in the build folder.
setup_open_log() {
    { mkdir -p "$setup_build_dir" && : >> "$setup_log"; } 2> /dev/null ||
        setup_die "$setup_build_dir cannot be written to."
}

# Prints the names of the packages of the kinds "$@" that are not installed.
setup_missing() {
    local kind name releases system wanted=" $* "

    system=$(setup_system)
    while read -r kind name releases; do
        case " ${releases:=${system#* }} " in
        *" ${system#* } "*) ;;
        *) continue ;;
        esac
        case $wanted in
        *" $kind "*)
            case $(dpkg-query -W -f '${Status}' "$name" 2>/dev/null ||
                :) in
            *" ok installed") ;;
            *) echo "$name" ;;
            esac ;;
        esac
    done < "$setup_top/build-aux/packages" | sort -u
}

# Runs apt-get with arguments "$@", with its output in the log.
setup_apt() {
    env DEBIAN_FRONTEND=noninteractive apt-get -q \
        -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 \
        -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
        "$@" < /dev/null >> "$setup_log" 2>&1
}

# Ends the program because the packages "$*" cannot be installed.
setup_packages_failed() {
    if grep -Eq 'No space left|enough free space' "$setup_log"; then
        setup_die "the disk is too full for the packages: see $setup_log."
    fi
    setup_die "the packages $* cannot be installed: is there a network, and" \
        "a Debian mirror? See the output of apt-get in $setup_log."
}

# Installs the packages of the kinds "$@" that are missing.
setup_packages() {
    local missing

    mapfile -t missing < <(setup_missing "$@")
    test ${#missing[@]} -gt 0 || return 0
    setup_space /var 1500 "the packages"
    setup_open_log
    echo "Installing ${#missing[@]} packages: ${missing[*]}"
    : > "$setup_log"
    # A failed update is no error yet: the old lists, or another mirror, may
    # be enough.
    setup_apt update || :
    setup_apt install -y --no-install-recommends "${missing[@]}" ||
        setup_packages_failed "${missing[*]}"
}

# Unpacks the packages of kind "$1" that are not installed, once, into folder
# "$1" of the build folder.  An installation would start their daemons.
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

# Runs "$2..." in folder "$1", with its output in the log.  The command runs
# in the background, so that a trap of the caller need not wait for it, and in
# a process group of its own, so that setup_stop can end all of it.
setup_run() {
    local dir=$1 status=0
    shift
    (cd "$dir" && exec setsid "$@") < /dev/null >> "$setup_log" 2>&1 &
    setup_job=$!
    wait "$setup_job" || status=$?
    setup_job=
    return $status
}

# Ends the command of setup_run, if it still runs.
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

# Succeeds if boot.sh must run: its output is missing, or older than its
# input.  boot.sh makes Makefile.in last, so that an interrupted run shows.
setup_needs_boot() {
    test -x "$setup_top/configure" && test -f "$setup_top/Makefile.in" ||
        return 0
    test -n "$(cd "$setup_top" && find . -path ./_build -prune -o \
        \( -name '*.mk' -o -name Makefile.am -o -name configure.ac \) \
        -newer Makefile.in -print)"
}

# Brings the make targets "$@" in _build up to date.  Keeps the arguments with
# which _build was configured before; those of the first time are the words of
# $SETUP_CONFIGURE.
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
        # shellcheck disable=SC2086  # Words.
        setup_run "$setup_build_dir" "$setup_top/configure" \
            ${SETUP_CONFIGURE-} ||
            setup_build_failed "configure"
    elif test "$setup_top/configure" -nt "$setup_build_dir/config.status"; then
        # Not by "make -j": its job descriptors collide with the files that
        # config.status opens.
        setup_run "$setup_build_dir" \
            sh -c './config.status --recheck && ./config.status' ||
            setup_build_failed "configure"
    fi
    setup_run "$setup_build_dir" make -j"$(nproc)" "$@" ||
        setup_build_failed "the build"
}
