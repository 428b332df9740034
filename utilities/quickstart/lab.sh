# SPDX-License-Identifier: Apache-2.0
#
# The laboratory: two hosts and their pods, on one machine
# =========================================================
#
# Each host and each pod is a network namespace.  The machine's own network is
# not touched.
#
#     ovsx-client ──┐                                        ┌── ovsx-ue
#     ovsx-pod1 ────┤  ovsx-host1                ovsx-host2  │
#     ovsx-pod2 ────┼── br-pods   br-phy ━━━━━━━ br-phy   br-ue
#     ovsx-pod3 ────┘      └─ gtpu ─┘   underlay   └─ gtpu ─┘
#
# Host 1 runs the DPDK datapath: one PMD thread polls its ports, the host's
# ends of veth pairs, by DPDK's net_af_packet.  Host 2 runs the same datapath
# over ordinary system ports, which the main thread serves.  So both hosts fit
# on two processors.
#
# Folder $state names all that the lab puts on the machine.  So lab_remove can
# remove any lab, also that of a run that was killed.

state=/run/ovsx-quickstart
hosts=(host1 host2)
pods=(client pod1 pod2 pod3 ue)
gw_mac=02:00:00:00:00:01
gw_ip=169.254.1.1
declare -A pod_ip=(
    [client]=10.244.1.100 [pod1]=10.244.1.11 [pod2]=10.244.1.12
    [pod3]=10.244.1.13 [ue]=10.60.0.5)
declare -A pod_mac=(
    [client]=02:00:00:00:01:64 [pod1]=02:00:00:00:01:0b
    [pod2]=02:00:00:00:01:0c [pod3]=02:00:00:00:01:0d
    [ue]=02:00:00:00:02:05)
declare -A underlay_ip=([host1]=172.31.0.1 [host2]=172.31.0.2)

# Runs "$2..." in the network namespace of host or pod "$1".
in_ns() {
    local ns=ovsx-$1
    shift
    ip netns exec "$ns" "$@"
}

# Runs "$2..." as a tool of the Open vSwitch of host "$1".
on() {
    local dir=$state/$1
    shift
    OVS_RUNDIR=$dir OVS_LOGDIR=$dir OVS_DBDIR=$dir OVS_SYSCONFDIR=$dir \
        RUNTIME_DIRECTORY=$dir "$@"
}

# Like on(), and prints the command, quoted where a shell needs it.
show_on() {
    local word line=
    for word in "${@:2}"; do
        case $word in
        *[\ \"]*) line="$line '$word'" ;;
        *) line="$line $word" ;;
        esac
    done
    echo "  $1#$line"
    on "$@"
}

# push HOST COMMAND BRIDGE: prints stdin, lines of OpenFlow, and passes them to
# COMMAND of ovs-ofctl for BRIDGE of HOST.
push() {
    local file=$state/$1.openflow
    cat > "$file"
    echo "  $1# ovs-ofctl -O OpenFlow15 $2 $3 - << ."
    sed 's/^/    /; s/,bucket=/,\n      bucket=/g' "$file"
    echo "    ."
    on "$1" ovs-ofctl -O OpenFlow15 "$2" "$3" "$file" ||
        setup_die "$1 refuses this OpenFlow."
}

# Waits until "${@:2}" succeeds, at most "$1" seconds.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        test $SECONDS -lt $end || return 1
        sleep 0.05
    done
}

# Prints the last line of file "$1", if there is one.
last_line() {
    tail -n 1 "$1" 2> /dev/null || :
}

lab_namespaces() {
    local name
    test -c /dev/net/tun || modprobe -q tun 2>/dev/null ||
        setup_die "the kernel has no /dev/net/tun, which the bridges need."
    for name in "${hosts[@]}" "${pods[@]}"; do
        ip netns add "ovsx-$name" 2> "$state/error" ||
            setup_die "a network namespace cannot be made" \
                "($(last_line "$state/error")): a container needs" \
                "--privileged."
        # Without IPv6, the packets of the demo are the only ones.
        # shellcheck disable=SC2016  # That shell's variables.
        in_ns "$name" sh -c '
            for f in all default; do
                f=/proc/sys/net/ipv6/conf/$f/disable_ipv6
                if test -e $f; then echo 1 > $f; fi
            done
            ip link set lo up'
    done
}

# lab_veth HOST INTERFACE NAME PEER-INTERFACE: a cable from HOST to NAME.
# Packet sockets pass packets as they are.  So neither end may merge packets,
# or leave checksums and segmentation to hardware.
lab_veth() {
    ip link add "$2" netns "ovsx-$1" type veth \
        peer name "$4" netns "ovsx-$3" 2> "$state/error" ||
        setup_die "a veth pair cannot be made" \
            "($(last_line "$state/error"))."
    local ns dev
    for ns in "$1 $2" "$3 $4"; do
        dev=${ns#* } ns=${ns% *}
        in_ns "$ns" ethtool -K "$dev" \
            tx off sg off tso off gso off gro off > "$state/error" 2>&1
        in_ns "$ns" ip link set "$dev" up
    done
}

# lab_pod HOST POD: a pod with one interface, eth0.  Its gateway exists only in
# the flows.  The MTU leaves room for the tunnel's headers.
lab_pod() {
    local ip=${pod_ip[$2]} mac=${pod_mac[$2]}
    lab_veth "$1" "$2" "$2" eth0
    in_ns "$2" sh -c "
        ip link set eth0 address $mac mtu 1400
        ip address add $ip/32 dev eth0
        ip neigh add $gw_ip lladdr $gw_mac dev eth0 nud permanent
        ip route add default via $gw_ip dev eth0 onlink"
}

# lab_background NAME PIDFILE COMMAND...: starts COMMAND, a program that makes
# PIDFILE when it is ready, in the namespace of NAME.  It does not get the
# script's own open files: the lock and the output.
lab_background() {
    local name=$1 pidfile=$2
    shift 2
    rm -f "$pidfile"
    (exec 3>&- 4>&- 9>&- && exec ip netns exec "ovsx-$name" "$@") \
        < /dev/null > /dev/null 2> "$pidfile.err" &
    disown
    wait_for 60 test -s "$pidfile" ||
        setup_die "$(basename "$2") does not start in ovsx-$name" \
            "($(last_line "$pidfile.err"))."
}

# lab_server POD PORT [FILE]: the pod's HTTP server, quickstart/backend.py.
lab_server() {
    lab_background "$1" "$state/$1.pid" /usr/bin/python3 \
        "$parts/backend.py" "$1" "$2" "$state/$1.pid" ${3+"$3"}
}

# Asks for 2-MB huge pages.  Sets $dpdk_memory to EAL's arguments.
lab_hugepages() {
    local want=160 enough=128
    local sys=/sys/kernel/mm/hugepages/hugepages-2048kB
    local old free now

    dpdk_memory="--no-huge --legacy-mem --no-shconf -m 320"
    if test $use_hugepages = yes && test -r $sys/free_hugepages; then
        old=$(cat $sys/nr_hugepages) free=$(cat $sys/free_hugepages)
        if test "$free" -lt $want; then
            now=$((old + want - free))
            echo "$old $now" > "$state/hugepages"
            { echo $now > $sys/nr_hugepages; } 2> /dev/null || :
            echo "$old $(cat $sys/nr_hugepages)" > "$state/hugepages"
        fi
        free=$(cat $sys/free_hugepages)
        if test "$free" -ge $enough; then
            dpdk_memory=--in-memory
            echo "  $free free huge pages of 2 MB"
            return
        fi
    fi
    lab_restore_hugepages
    echo "  DPDK runs without huge pages"
}

# Restores the number of huge pages, unless somebody else has changed it.
lab_restore_hugepages() {
    local sys=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages old now
    test -s "$state/hugepages" || return 0
    read -r old now < "$state/hugepages"
    if test "$(cat $sys)" = "$now"; then
        echo "$old" > $sys
    fi
    rm -f "$state/hugepages"
}

# Prints the second processor that this process may use, or the only one.  On
# many machines the first processor serves interrupts.
lab_pmd_cpu() {
    awk '/^Cpus_allowed_list:/ {
        parts = split($2, part, ",")
        for (i = 1; i <= parts; i++) {
            last = split(part[i], range, "-")
            for (c = range[1]; c <= range[last] && n < 2; c++) {
                cpu[++n] = c
            }
        }
        print cpu[n]
    }' /proc/self/status
}

# Prints the hexadecimal mask, of any length, of processor "$1".
lab_cpu_mask() {
    printf '0x%x' $((1 << $1 % 4))
    printf '%*s' $(($1 / 4)) '' | tr ' ' 0
}

# lab_daemon HOST DAEMON ARGUMENT...: starts a daemon of Open vSwitch.
lab_daemon() {
    local host=$1 daemon=$2
    shift 2
    echo "  $host# $daemon $*"
    on "$host" ip netns exec "ovsx-$host" "$daemon" -vconsole:off "$@" \
        --pidfile --detach --no-chdir --log-file 3>&- 4>&- 9>&- \
        > "$state/$host/$daemon.output" 2>&1 ||
        setup_die "$daemon does not start.  Its log ends with" \
            "'$(last_line "$state/$host/$daemon.log")'."
}

# lab_switch HOST [COLUMN=VALUE...]: starts ovsdb-server and ovs-vswitchd of
# HOST, with these settings in table Open_vSwitch.
lab_switch() {
    local host=$1 dir=$state/$1
    shift
    mkdir "$dir"
    on "$host" ovsdb-tool create "$dir/conf.db" "$schema"
    lab_daemon "$host" ovsdb-server "$dir/conf.db" \
        --remote="punix:$dir/db.sock"
    on "$host" ovs-vsctl --no-wait init
    if test $# -gt 0; then
        show_on "$host" ovs-vsctl --no-wait set Open_vSwitch . "$@"
    fi
    lab_daemon "$host" ovs-vswitchd "unix:$dir/db.sock"
    {
        echo "export OVS_RUNDIR=$dir OVS_LOGDIR=$dir OVS_DBDIR=$dir"
        echo "export OVS_SYSCONFDIR=$dir PATH=$PATH"
    } > "$state/$host.env"
}

# lab_br_phy HOST INTERFACE-OPTIONS...: makes the bridge that has the address
# of the tunnel's end, with the port of the underlay.
lab_br_phy() {
    local host=$1
    shift
    show_on "$host" ovs-vsctl add-br br-phy -- \
        set Bridge br-phy datapath_type=netdev -- \
        add-port br-phy underlay -- set Interface underlay "$@"
    echo "  $host# ip address add ${underlay_ip[$host]}/24 dev br-phy"
    in_ns "$host" ip address add "${underlay_ip[$host]}/24" dev br-phy
    in_ns "$host" ip link set br-phy up
}

# Prints the columns that make host 1's end of veth "$1" a port by DPDK.
lab_dpdk_options() {
    echo "type=dpdk options:dpdk-devargs=net_af_packet_$1,iface=$1"
}

# Builds the whole lab.
lab_build() {
    local pod
    mkdir -m 755 "$state"
    lab_namespaces
    for pod in client pod1 pod2 pod3; do
        lab_pod host1 $pod
    done
    lab_pod host2 ue
    lab_veth host1 underlay host2 underlay

    lab_hugepages
    pmd_cpu=$(lab_pmd_cpu)
    lab_switch host1 other_config:dpdk-init=true \
        "other_config:dpdk-extra=\"--no-pci --no-telemetry $dpdk_memory\"" \
        "other_config:pmd-cpu-mask=$(lab_cpu_mask "$pmd_cpu")"
    lab_switch host2

    # shellcheck disable=SC2046  # Several words.
    lab_br_phy host1 $(lab_dpdk_options underlay)
    lab_br_phy host2 type=system
    show_on host1 ovs-vsctl add-br br-pods -- set Bridge br-pods \
        datapath_type=netdev fail-mode=secure
    for pod in client pod1 pod2 pod3; do
        # shellcheck disable=SC2046  # Several words.
        show_on host1 ovs-vsctl add-port br-pods "$pod" -- \
            set Interface "$pod" $(lab_dpdk_options "$pod")
    done
    show_on host2 ovs-vsctl add-br br-ue -- set Bridge br-ue \
        datapath_type=netdev fail-mode=secure -- add-port br-ue ue
}

# Prints the errors of the ports of host "$1".
lab_port_errors() {
    on "$1" ovs-vsctl --bare --columns=name,error find Interface 'error!=[]' \
        | paste -sd ' '
}

# Succeeds if process "$1" was started by a lab.
lab_owns() {
    { tr '\0' ' ' < "/proc/$1/cmdline"; } 2> /dev/null | grep -qF "$state/"
}

# Ends the process of pid file "$1", by SIGKILL if SIGTERM does not do it.
lab_kill() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && test -n "$pid" && lab_owns "$pid" ||
        return 0
    kill -TERM "$pid" 2>/dev/null || :
    if ! wait_for 5 lab_gone "$pid"; then
        kill -KILL "$pid" 2>/dev/null || :
        wait_for 5 lab_gone "$pid" || :
    fi
}

# Succeeds if no thread of process "$1" runs: its memory is free again.
lab_gone() {
    ! grep -qsE '^State:\s+[^ZX]' "/proc/$1/task/"*/status
}

# Succeeds if a lab, whole or in part, is on the machine.
lab_exists() {
    test -e "$state" || ip netns list | grep -q '^ovsx-host1\>'
}

# Removes the lab of this or another run, whole or in part.
lab_remove() {
    local file name
    for file in "$state"/*.pid "$state"/*/ovs-kube-proxy.pid \
            "$state"/*/ovs-vswitchd.pid \
            "$state"/*/ovsdb-server.pid; do
        if test -e "$file"; then lab_kill "$file"; fi
    done
    for name in "${hosts[@]}" "${pods[@]}"; do
        if test -e "/run/netns/ovsx-$name"; then
            ip netns delete "ovsx-$name" || :
        fi
    done
    lab_restore_hugepages
    rm -rf "$state"
}
