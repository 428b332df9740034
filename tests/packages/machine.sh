# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by run, readme and restarts: a fresh Debian of this machine's
# release, with a systemd of its own in namespaces, and the distribution's
# openvswitch-switch.  It ends, and what was written is gone, when the sourcing
# program exits.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../utilities/setup.sh
. "$here/../../utilities/setup.sh"
ext=openvswitch-switch-ext
failed=0
step=0

# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/openvswitch-ext/packages
base=$cache/$suite

work=$(mktemp -d)
systemd=
stop() {
    local status=$?
    trap - EXIT
    set +e
    if test -n "$systemd"; then
        kill -KILL "$systemd"
        wait "$systemd" 2> /dev/null
        # All of it ends with its process 1.
        while test -d "/proc/${init:-0}"; do read -rt 0.05 <> <(:); done
        # shellcheck disable=SC2016  # For the shell in the namespace.
        unshare --mount sh -c 'mount --make-rprivate / &&
            mount -t cgroup2 cgroup2 "$1/cgroup" &&
            find "$1/cgroup/$2" -depth -type d -delete' sh \
            "$work" "packages-test-$(basename "$work")"
    fi
    rm -rf "$work"
    exit $status
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

init=0
boot() {
    unshare --pid --fork --kill-child --mount --uts --ipc --net \
        "$here/boot" "$base" "$work" > "$work/log" 2>&1 &
    systemd=$!
    for _ in $(seq 300); do
        init=$(cat "/proc/$systemd/task/$systemd/children" 2> /dev/null) ||
            { wait "$systemd" || { tail -n 5 "$work/log" >&2; exit $?; }; }
        init=${init%% *}
        # In a chroot, the link begins with the chroot's own path.
        if [[ $(readlink "/proc/${init:-0}/exe") == \
                */usr/lib/systemd/systemd ]] &&
            [[ $(within systemctl is-system-running --wait 2> /dev/null) =~ \
                ^(running|degraded)$ ]]; then
            return
        fi
        read -rt 0.1 <> <(:) || :
    done
    tail -n 20 "$work/log" >&2
    setup_die "systemd does not come up."
}

# enter COMMAND...: runs it in there, in folder $folder; without the network
# namespace if the command is apt-get or apt.
folder=/
enter() {
    local net=--net
    case $1 in apt | apt-get) net= ;; esac
    # shellcheck disable=SC2086  # One option or none.
    nsenter --target="$init" --mount --pid --uts --ipc $net --root --wd \
        env -i --chdir="$folder" PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
        DEBIAN_FRONTEND=noninteractive "$@"
}

within() { enter "$@" < /dev/null; }

apt() {
    within apt-get -q -y -o Acquire::Check-Valid-Until=false \
        --no-install-recommends "$@" >> "$work/apt.log" 2>&1
}

# check TEXT COMMAND...: says whether COMMAND succeeds, and counts.
check() {
    local text=$1
    shift
    step=$((step + 1))
    if "$@" > "$work/out" 2>&1; then
        echo "ok      $step $text"
    else
        echo "FAILED  $step $text: $*"
        tail -n 10 "$work/out"
        failed=$((failed + 1))
    fi
}

not() { ! "$@"; }

# Saves flows and groups, starts the chosen daemon, and restores them.
restart() { within systemctl reload openvswitch-switch; }

# add_host NAME PORT ADDRESS MAC PEER-MAC: a network namespace at port PORT of
# br0.  Its checksums are complete, since br0 sends them on as they are.  Needs
# the package ethtool in there.
add_host() {
    local gateway=${3%.*}.254
    within ip netns add "$1"
    within ip link add "p$2" type veth peer name eth0 netns "$1"
    within ip link set "p$2" up
    within ip netns exec "$1" ethtool -K eth0 tx off > /dev/null
    within ip -n "$1" link set lo up
    within ip -n "$1" address add "$3/24" dev eth0
    within ip -n "$1" link set eth0 address "$4" up
    within ip -n "$1" route add default via "$gateway"
    within ip -n "$1" neighbour add "$gateway" dev eth0 lladdr "$5"
    within ovs-vsctl add-port br0 "p$2" -- set Interface "p$2" \
        ofport_request="$2"
}

# repack PACKAGE FILE VERSION: the same package with another version.
repack() {
    rm -rf "$work/repack"
    dpkg-deb -R "$2" "$work/repack"
    sed -i "s/^Version: .*/Version: $3/" "$work/repack/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$work/repack" "$work/$1-$3.deb" > /dev/null
    rm -rf "$work/repack"
}

# machine_start FOLDER: starts it.  $switch_deb, $proxy_deb, $cni_deb and
# $node_deb are the packages that make deb left in FOLDER, as files of $work,
# which is /srv in there.
machine_start() {
    setup_root
    setup_packages packages
    local debs
    debs=$(realpath "$1")
    switch_deb=$(echo "$debs/$ext"_*.deb)
    proxy_deb=$(echo "$debs"/ovs-kube-proxy_*.deb)
    cni_deb=$(echo "$debs"/ovs-ext-cni_*.deb)
    node_deb=$(echo "$debs"/ovs-ext-node_*.deb)
    if ! test -f "$switch_deb" || ! test -f "$proxy_deb" ||
        ! test -f "$cni_deb" || ! test -f "$node_deb"
    then
        setup_die "$debs has no packages: 'make deb' makes them."
    fi
    mkdir -p "$cache"
    test -d "$base" || setup_chroot "$suite" "$base" 1500 \
        systemd-sysv,dbus,iproute2,iputils-ping,openvswitch-switch
    cp "$switch_deb" "$proxy_deb" "$cni_deb" "$node_deb" "$work"
    cp /etc/resolv.conf "$base/etc/resolv.conf"
    boot
    # The lists may be older than the mirror.
    apt update || :
}
