# SPDX-License-Identifier: Apache-2.0
#
# The Service: a virtual address with three backends.  ovs-kube-proxy makes it
# from service.yaml.

vip=10.96.0.10
backends=(pod1 pod2 pod3)

service_flows() {
    cat <<FLOWS
# Table 0, admission: packets from pods.  Tunnels are added later.
table=0 priority=100 in_port=client actions=goto_table:10
table=0 priority=100 in_port=pod1 actions=goto_table:10
table=0 priority=100 in_port=pod2 actions=goto_table:10
table=0 priority=100 in_port=pod3 actions=goto_table:10

# Table 10: to the Services, in ovs-kube-proxy's tables 60 to 66.
table=10 actions=goto_table:60

# Table 30, where packets leave its tables to: routing.
FLOWS
    local pod
    for pod in client "${backends[@]}"; do
        echo "table=30 ip,nw_dst=${pod_ip[$pod]}" \
            "actions=set_field:$gw_mac->eth_src,$(
            )set_field:${pod_mac[$pod]}->eth_dst,output:$pod"
    done
}

service_synced() {
    on host1 ovs-appctl -t ovs-kube-proxy sync/status 2> /dev/null |
        grep -q '^synced$'
}

service_program() {
    local pod
    for pod in "${backends[@]}"; do
        lab_server "$pod" 8080
    done
    push host1 add-flows br-pods < <(service_flows)
    mkdir "$state/manifests"
    cp "$parts/service.yaml" "$state/manifests"
    echo "  $state/manifests/service.yaml:"
    sed '/^#/d; s/^/    /' "$parts/service.yaml"
    lab_daemon host1 ovs-kube-proxy --from-file="$state/manifests" \
        --node=host1 --next-table=30 "unix:$state/host1/br-pods.mgmt"
    check "ovs-kube-proxy has made flows and groups for it" \
        wait_for 20 service_synced
    echo "  host1# ovs-appctl -t ovs-kube-proxy service/show default/web"
    on host1 ovs-appctl -t ovs-kube-proxy service/show default/web |
        sed 's/^/    /; s/,bucket=/,\n        bucket=/g'
}

# request POD COUNT URL: sends COUNT requests, each in a connection of its own,
# by one curl in POD.  Prints the answers.
request() {
    in_ns "$1" timeout -k 5 120 curl -sS --connect-timeout 5 --max-time 20 \
        "$3?[1-$2]" 2> "$state/curl.err"
}

# tally FILE: prints a table of the answers in FILE, lines "BACKEND CLIENT".
tally() {
    sort "$1" | uniq -c | awk '
        BEGIN { printf "    %-10s %-16s %s\n", "backend", "client seen",
                       "requests" }
        { printf "    %-10s %-16s %d\n", $2, $3, $1; total += $1 }
        END { printf "    %-10s %-16s %d\n", "all", "", total }'
}

# Prints the number of upcalls of all threads of host 1 so far.
upcalls() {
    on host1 ovs-appctl dpctl/show |
        sed -n 's/.*lookups:.*missed:\([0-9]*\) lost:\([0-9]*\).*/\1 \2/p' |
        awk '{ print $1 + $2 }'
}

# megaflows FILE: writes the megaflows of host 1 to FILE, without the parts
# that are the same in all of them.
megaflows() {
    on host1 ovs-appctl dpctl/dump-flows --names | sed -n '/recirc_id/ {
        s/packet_type([^)]*),//; s/eth(src=[^)]*),//; s/,\{0,1\}frag=no//
        s/,\{0,1\}ipv4()//
        s/,\{0,1\} packets:\([0-9]*\),.* actions:/ packets:\1 actions:/
        p }' > "$1"
}

# stages FILE: prints the megaflows in FILE in the order in which a connection
# meets them, each with its purpose.
stages() {
    awk '
        function stage(s) { n[s]++; flow[s, n[s]] = $0 }
        / actions:.*lb\(/           { stage(2); next }
        /actions:ct\(commit/        { stage(3); next }
        /recirc_id\(0\),in_port\(client\)/ { stage(1); next }
        /recirc_id\(0\)/            { stage(6); next }
        /\+rpl/                     { stage(7); next }
        /-new-rpl/                  { stage(5); next }
        /dst=10\.244\.1\.1[123][,)]/ { stage(4); next }
                                    { stage(8) }
        END {
            what[1] = "from the client: ask the connection tracker"
            what[2] = "new connection: lb chooses a bucket, into dp_hash"
            what[3] = "chosen bucket: note the connection, translate"
            what[4] = "  and send its first packet to the backend"
            what[5] = "known connection, already translated: send it on"
            what[6] = "from backends: ask the connection tracker"
            what[7] = "  and send it, from the VIP again, to the client"
            what[8] = "others"
            for (s = 1; s <= 8; s++) {
                if (n[s]) {
                    printf "  %d x %s\n", n[s], what[s]
                }
                for (i = 1; i <= n[s]; i++) {
                    print "      " flow[s, i]
                }
            }
        }' "$1"
}

service_verify() {
    local few=60 many=1000 before after end total

    # Measure first and print later: an unused megaflow is removed after ten
    # seconds.
    before=$(upcalls)
    request client $few "http://$vip/" > "$state/few" || :
    megaflows "$state/flows"
    after=$(upcalls)
    request client $many "http://$vip/" > "$state/many" || :
    megaflows "$state/flows.many"
    end=$(upcalls)

    echo "  client# curl http://$vip/     ($few times)"
    tally "$state/few"
    sed 's/^/    /' "$state/curl.err"
    check "$few requests, $few answers" test "$(wc -l < "$state/few")" = $few
    check "each of the ${#backends[@]} backends answered" \
        test "$(cut -d ' ' -f 1 "$state/few" | sort -u | wc -l)" = \
        ${#backends[@]}
    check "the backends saw the client's own address" \
        test "$(cut -d ' ' -f 2 "$state/few" | sort -u)" = \
        "${pod_ip[client]}"

    echo
    echo "  Answers come from the VIP: the connection tracker turns them back."
    echo "  host1# ovs-appctl dpctl/dump-conntrack"
    on host1 ovs-appctl dpctl/dump-conntrack > "$state/conntrack"
    grep -m 2 -F "dst=$vip" "$state/conntrack" | sed 's/^/    /'
    echo

    total=$(wc -l < "$state/flows")
    echo "  host1# ovs-appctl dpctl/dump-flows --names     (shortened)"
    stages "$state/flows"
    echo
    check "one megaflow with lb( for the VIP" \
        test "$(count 'actions:.*lb(' "$state/flows")" = 1
    check "one megaflow for each of the ${#backends[@]} backends in use" \
        test "$(count 'actions:ct(commit' "$state/flows")" = \
        ${#backends[@]}
    check "$((after - before)) upcalls so far, as many as megaflows ($total)" \
        test $((after - before)) = "$total"

    echo
    echo "  client# curl http://$vip/     ($many times)"
    tally "$state/many"
    check "$many connections, $many answers" \
        test "$(wc -l < "$state/many")" = $many
    check "$((end - after)) upcalls by these $many connections" \
        test "$end" = "$after"
    check "still $total megaflows" \
        test "$(wc -l < "$state/flows.many")" = "$total"
}
