# SPDX-License-Identifier: Apache-2.0
#
# The GTP-U tunnel between the hosts: a port on each.  Flows set the TEID of
# packets that leave, and match the TEID of packets that come in.

teid_up=0x2001          # To host 1, which would be the UPF.
teid_down=0x1001        # To host 2, which would be the gNB.
file_mb=5

tunnel_flows_host1() {
    local ue=${pod_ip[ue]}
    cat <<FLOWS
table=0 priority=100 in_port=gtpu0,tun_id=$teid_up,ip,nw_src=$ue \
actions=goto_table:10
table=30 ip,nw_dst=$ue actions=set_field:$teid_down->tun_id,output:gtpu0
FLOWS
}

# Packets from the tunnel are bare IP.  They get Ethernet addresses here.
tunnel_flows_host2() {
    local mac=${pod_mac[ue]}
    cat <<FLOWS
in_port=ue,ip actions=set_field:$teid_up->tun_id,output:gtpu0
in_port=gtpu0,tun_id=$teid_down,ip,nw_dst=${pod_ip[ue]} \
actions=set_field:$gw_mac->eth_src,set_field:$mac->eth_dst,output:ue
FLOWS
}

# tunnel_port HOST BRIDGE PEER
tunnel_port() {
    show_on "$1" ovs-vsctl add-port "$2" gtpu0 -- \
        set Interface gtpu0 type=gtpu \
        options:remote_ip="${underlay_ip[$3]}" options:key=flow
}

tunnel_program() {
    tunnel_port host1 br-pods host2
    tunnel_port host2 br-ue host1
    push host1 add-flows br-pods < <(tunnel_flows_host1)
    push host2 add-flows br-ue < <(tunnel_flows_host2)
    head -c $((file_mb << 20)) /dev/urandom > "$state/file"
    lab_server ue 8000 "$state/file"
}

tunnel_ping() {
    in_ns client ping -c "$1" -W 1 -i 0.2 -M do -s 1300 "${pod_ip[ue]}"
}

tunnel_verify() {
    local status sent got action wire=$state/wire few=30

    lab_background host2 "$wire.pid" /usr/bin/python3 "$parts/wire.py" \
        underlay "$wire.pid" "$wire.report"
    # The first packet makes the hosts resolve each other's address by ARP.
    wait_for 10 tunnel_ping 1 > /dev/null 2>&1 || :
    echo "  client# ping -c 5 -M do -s 1300 ${pod_ip[ue]}"
    status=0
    tunnel_ping 5 > "$state/ping" 2>&1 || status=$?
    sed -n '/bytes from/s/^/    /p; /transmitted/s/^/    /p' "$state/ping"
    check "5 pings through the tunnel, 5 answers" \
        grep -q ' 5 received' "$state/ping"

    echo
    echo "  client# curl -o copy http://${pod_ip[ue]}:8000/file"
    in_ns client timeout -k 5 60 curl -sS --connect-timeout 5 \
        -o "$state/copy" "http://${pod_ip[ue]}:8000/file" \
        -w '    %{size_download} bytes in %{time_total} s\n' 2>&1 || :
    sent=$(sha256sum < "$state/file" | cut -d ' ' -f 1)
    got=$(sha256sum < "$state/copy" | cut -d ' ' -f 1) || got=none
    echo "    SHA-256 sent      $sent"
    echo "            received  $got"
    check "a file of $file_mb MB came through the tunnel unharmed" \
        test "$sent" = "$got"

    echo
    echo "  The UE, behind the tunnel, is a client of the Service, too."
    echo "  ue# curl http://$vip/     ($few times)"
    request ue $few "http://$vip/" > "$state/ue" || :
    on host1 ovs-appctl dpctl/dump-flows --names > "$state/flows.host1"
    on host2 ovs-appctl dpctl/dump-flows --names > "$state/flows.host2"
    tally "$state/ue"
    sed 's/^/    /' "$state/curl.err"
    check "$few requests through the tunnel to the Service, $few answers" \
        test "$(wc -l < "$state/ue")" = $few

    echo
    lab_kill "$wire.pid"
    echo "  What quickstart/wire.py heard on the cable between the hosts:"
    sed 's/^/    /' "$wire.report"
    check "GTP-U with right lengths, checksums and TEIDs, and nothing else" \
        tunnel_wire_good "$wire.report"

    echo
    echo "  A megaflow of host 1 into the tunnel, and one out of it:"
    echo "  host1# ovs-appctl dpctl/dump-flows --names     (shortened)"
    for action in tnl_push tnl_pop; do
        grep -m 1 "$action(" "$state/flows.host1" |
            sed 's/packet_type([^)]*),//g; s/eth(src=[^)]*),//
                 s/,frag=no//; s/, bytes:[^ ]*//; s/ used:[^ ]*//
                 s/ flags:[^ ]*//; s/^/    /' || :
    done
    check "host 1 has megaflows with tnl_push and with tnl_pop" \
        tunnel_megaflows "$state/flows.host1"
    check "host 2 has megaflows with tnl_push and with tnl_pop" \
        tunnel_megaflows "$state/flows.host2"
}

tunnel_megaflows() {
    grep -q 'tnl_push(' "$1" && grep -q 'tnl_pop(' "$1"
}

# Succeeds if report "$1" has G-PDUs in both directions, all with the TEID of
# their direction, and no faulty packet.
tunnel_wire_good() {
    grep -q "> ${underlay_ip[host1]}, TEID $teid_up\$" "$1" &&
        grep -q "> ${underlay_ip[host2]}, TEID $teid_down\$" "$1" &&
        test "$(count ' GTP-U packets' "$1")" = 2 &&
        test "$(count '^bad' "$1")" = 0
}
