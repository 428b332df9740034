#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the extended Open vSwitch and shows it at work: see --help.  The
# parts are in quickstart/: lab.sh makes and removes namespaces and daemons;
# service.sh and tunnel.sh are the two demonstrations.

set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
parts=$here/quickstart
. "$here/setup.sh"
# shellcheck source=quickstart/lab.sh
. "$parts/lab.sh"
# shellcheck source=quickstart/service.sh
. "$parts/service.sh"
# shellcheck source=quickstart/tunnel.sh
. "$parts/tunnel.sh"

usage() {
    cat <<EOT
Usage: ${0##*/} [--keep] [--no-huge] [--installed] | --stop | --cluster |
       --help

On Debian 12, 13 or testing, as root: installs the packages that are missing,
builds the extended Open vSwitch in $setup_build_dir, and runs it with the DPDK
datapath between network namespaces that play pods and two hosts:

  - a Kubernetes Service, one virtual address and three HTTP servers behind
    it, from a manifest through ovs-kube-proxy, as an OpenFlow select group
    with selection_method=maglev;
  - a GTP-U tunnel between the two hosts that carries a ping and a file.

Each step is shown and checked; the exit status is 0 only if all checks
pass.  The datapath keeps one processor busy while it runs.  At the end, and
after Ctrl-C, everything that was started is stopped and removed.

  --keep       leave it running, and print commands to look around
  --stop       remove what --keep left
  --no-huge    do not use huge pages
  --installed  build nothing: run the packages openvswitch-switch-ext and
               ovs-kube-proxy as they are installed
  --cluster    show a Kubernetes cluster of two nodes in place of that, without
               DPDK: kubelet, containerd, the switch and all our programs in
               namespaces; a Deployment behind a Service, and requests from a
               pod, from a node and from outside.  Kubernetes is built first:
               some ten minutes the first time, and 4.5 GB of disk
  --help       print this text
EOT
}

failed=0

# check TEXT COMMAND...: says whether COMMAND succeeds, and counts.
check() {
    local text=$1
    shift
    if "$@"; then
        echo "  [ok] $text"
    else
        echo "  [FAILED] $text"
        failed=$((failed + 1))
    fi
}

# count PATTERN FILE: prints how many lines match.
count() {
    grep -c -- "$@" || :
}

step() {
    echo
    echo "== $* [$SECONDS s]"
}

# Runs at the end of the program, for whatever reason.
clean_up() {
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT ERR
    set +e
    exec >&3 2>&4
    setup_stop
    if test $lab_started = yes && test $keep != kept; then
        if test $status = 1; then
            grep -hE 'EMER|ERR' "$state"/*/ovs-vswitchd.log 2> /dev/null |
                tail -n 5 >&2
        fi
        lab_remove
        echo "Stopped and removed everything that was started."
    fi
    exit $status
}

look_around() {
    cat <<EOT

It is still running. To look around, as root, with the tools of host 1 (or
of host2, by its .env):

  . $state/host1.env
  ovs-vsctl show
  ip netns exec ovsx-client curl http://$vip/
  ip netns exec ovsx-client ping -c 3 ${pod_ip[ue]}
  ovs-appctl dpctl/dump-flows | grep 'lb('      # unused ones go after 10 s
  ovs-ofctl -O OpenFlow15 dump-groups br-pods
  ovs-appctl -t ovs-kube-proxy service/show default/web
  vi $state/manifests/service.yaml              # it follows what you change
  ovs-ofctl -O OpenFlow15 dump-flows br-pods
  ovs-appctl dpif-netdev/pmd-perf-show

and to remove it: $0 --stop
EOT
}

action=run
keep=no
use_hugepages=yes
installed=no
lab_started=no
for option; do
    case $option in
    --keep) keep=yes ;;
    --no-huge) use_hugepages=no ;;
    --installed) installed=yes ;;
    --stop) action=stop ;;
    --cluster) action=cluster ;;
    --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
done

if test "$action $installed" = "cluster yes"; then
    usage >&2
    exit 2
fi

setup_root
if test $action != stop; then setup_debian; fi
exec 9> /run/ovsx-quickstart.lock
flock -w 5 9 || setup_die "another ${0##*/}, or a build that one started," \
    "is still running."
if test $action = stop; then
    lab_exists || setup_die "nothing is left to stop."
    lab_remove
    echo "Stopped and removed everything that was started."
    exit 0
fi

exec 3>&1 4>&2      # A trap runs with the redirections of its moment.
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
set -E
trap 'setup_die "\"$BASH_COMMAND\" failed in line $LINENO of \
$(basename "${BASH_SOURCE[0]}")."' ERR

if test $installed = yes; then
    step "Packages"
    if test "$(readlink -f /usr/sbin/ovs-vswitchd)" != \
            /usr/lib/openvswitch-switch-ext/ovs-vswitchd ||
            ! command -v ovs-kube-proxy > /dev/null; then
        setup_die "install the packages openvswitch-switch-ext and" \
            "ovs-kube-proxy, and run" \
            "'update-alternatives --auto ovs-vswitchd'."
    fi
    setup_packages demo
    schema=/usr/share/openvswitch/vswitch.ovsschema
else
    step "Packages and build"
    # OVS_BIN_ROOT and OVS_SRC_ROOT name another build of Open vSwitch to run,
    # and OVS_KUBE_PROXY_DIR the folder of another ovs-kube-proxy.
    if test -z "${OVS_BIN_ROOT-}"; then
        kinds="build demo"
        if test $action = cluster; then
            kinds="$kinds cluster"
            setup_unpack containers
        fi
        # shellcheck disable=SC2086  # A list.
        setup_packages $kinds
        setup_build all
        OVS_BIN_ROOT=$setup_build_dir/openvswitch/extended
        OVS_SRC_ROOT=$setup_build_dir/openvswitch/extended-source
    fi
    for dir in utilities ovsdb vswitchd; do
        PATH=$OVS_BIN_ROOT/$dir:$PATH
    done
    PATH=${OVS_KUBE_PROXY_DIR:-$setup_build_dir/utilities/ovs-kube-proxy}:$PATH
    schema=${OVS_SRC_ROOT:?}/vswitchd/vswitch.ovsschema
fi
echo "  $(ovs-vswitchd --version | paste -sd ' ')"

if test $action = cluster; then
    # It takes away by itself what it makes.
    /usr/bin/python3 "$here/../tests/cluster/run" "$setup_build_dir" --show &&
        exit 0
    setup_die "the cluster does not work as it should."
fi

step "Two hosts and five pods"
if lab_exists; then
    echo "  removing what an earlier run left"
    lab_remove
fi
lab_started=yes
lab_build
sed -n '/ovsx-client /,/underlay/s/^#/  /p' "$parts/lab.sh"
echo "  host1: $(on host1 ovs-vsctl get Open_vSwitch . dpdk_version), one" \
    "PMD thread on processor $pmd_cpu"
check "one PMD thread polls the ports of host 1" \
    test "$(on host1 ovs-appctl dpif-netdev/pmd-rxq-show |
            grep -c '^pmd thread')" = 1
check "all ports of both hosts are up" \
    test -z "$(lab_port_errors host1)$(lab_port_errors host2)"

step "A Service: $vip port 80, three backends"
service_program
step "Requests to the Service"
service_verify

step "A GTP-U tunnel between the hosts"
tunnel_program
step "Traffic through the tunnel"
tunnel_verify

step "Result"
if test $keep = yes; then
    keep=kept
    look_around
fi
if test $failed != 0; then
    echo "$failed checks FAILED."
    exit 1
fi
echo "All checks passed: the Service and the GTP-U tunnel work."
