#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what the tests need, builds, runs all tests, and sums them up.
# See usage() below.  Debian 12, 13 or testing, as root.
set -eu

usage() {
    cat <<USAGE
usage: tests/run.sh [--quick] [--all] [PART...]

Installs the packages that the tests need, builds the extended Open vSwitch in
_build, with part ovs the stock one, too, and runs these parts, or those that
are named:

  lint        checks of the text: build-aux/lint
  unit        unit tests of lib/
  valgrind    the same, under valgrind
  asan        the same, with AddressSanitizer and UBSan
  peers       the GTP-U codec against scapy and tshark
  autotest    OpenFlow, groups, datapath actions, on the dummy datapath
  equivalence generated pipelines, with the fused flow cache off and on: in
              two switches,
  pipelines   and in two datapaths of one process
  system      real packets through the DPDK datapath and network namespaces;
              OVN's load balancers
  kube        ovs-kube-proxy with a real kube-apiserver, which is built first:
              some five minutes the first time, see tests/kube/build --help
  cni         ovs-ext-cni with network namespaces and host-local
  node        ovs-ext-node with two nodes as network namespaces
  ovs         Open vSwitch's own test suite, on the extended build, compared
              with stock test by test
  releases    unit and autotest with the Open vSwitch of Debian 13 and testing,
              in chroots, with --all also system, equivalence, pipelines
              and ovs: see tests/releases/run --help

and, with --all or by name:

  packages    Debian packages: built, installed in a fresh Debian with a
              systemd of its own, upgraded under traffic, purged; what
              restarts do to flows; README's example of a group
  cluster     a Kubernetes cluster of two nodes: kubelet, containerd and our
              programs in namespaces; Kubernetes is built first: some ten
              minutes the first time

and, by name alone:

  e2e         Kubernetes' own end-to-end tests of the network in such a
              cluster: see tests/cluster/run --help

  --all       run the parts that continuous integration leaves out, too
  --quick     of Open vSwitch's suite, only the tests of OpenFlow, groups,
              datapath and tunnels: a third of the time
  --help      print this

Parts run side by side where that saves time; the output of some comes when
others have ended.  The output of each part is also in _build/run-logs.  The
last line is "N passed, N failed, N skipped".  The exit status is 0 if nothing
failed.
USAGE
}

all_parts="lint unit valgrind asan peers autotest pipelines equivalence"
all_parts="$all_parts system cni node kube ovs releases"
# The lanes of the first stage run side by side: two keep both processors busy,
# and the parts of the third mostly wait.
build_lane="unit valgrind asan peers releases"
suite_lane="autotest ovs"
wait_lane="kube cni node"
# So do those of the second stage: one has PMD threads, and one computes on one
# processor.
system_lane="system"
compute_lane="pipelines equivalence"
more_parts="packages cluster"
named_parts="e2e"
# Releases beside this system's own, and what runs with them.
other_releases="3.5.0 4.0.0"
release_parts="unit autotest"
parts=
ovs_flags=()
for arg; do
    case $arg in
    --help | -h) usage; exit 0 ;;
    --quick) ovs_flags+=(--quick) ;;
    --all)
        parts="$parts $all_parts $more_parts"
        release_parts="unit autotest system equivalence pipelines ovs" ;;
    *)
        case " $all_parts $more_parts $named_parts " in
        *" $arg "*) parts="$parts $arg" ;;
        *) usage >&2; exit 2 ;;
        esac ;;
    esac
done
parts=${parts:-$all_parts}

exec < /dev/null
. "$(dirname "$0")/../utilities/setup.sh"
logs=$setup_build_dir/run-logs
jobs=()

# Ends what runs, before this script ends: process groups of our own.
finish() {
    local job
    setup_stop
    for job in "${jobs[@]}"; do
        kill -TERM -- "-$job" 2> /dev/null || :
        wait "$job" 2> /dev/null || :
    done
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# sum PATTERN FILE: the sum of what the one \(group\) of PATTERN matches.
sum() {
    sed -n "s/$1/\\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'
}

# count_cmocka LOG: "PASSED FAILED SKIPPED" of programs that use cmocka.
count_cmocka() {
    local what
    for what in PASSED FAILED SKIPPED; do
        sum "^\\[  $what *\\] \\([0-9]*\\) test(s).*" "$1"
    done | paste -sd ' '
}

# count_autotest SUITE: the same, of a suite made by autotest, from its log.
# A test that ought to have run and has no result has failed.
count_autotest() {
    local suite=$setup_build_dir/tests/$1 all ok skip
    local result='^[0-9][0-9]*\. .*\.at:[0-9]*):'
    all=$("$suite" --list 2> /dev/null | grep -c '^ *[0-9][0-9]*: ') || :
    ok=$(grep -Ec "$result (ok|expected failure)" "$suite.log") || :
    skip=$(grep -Ec "$result skipped" "$suite.log") || :
    echo "${ok:-0} $((${all:-0} - ${ok:-0} - ${skip:-0})) ${skip:-0}"
}

# count_last LOG [N]: the same, of lint, ovs/run, kube/run, cni/run,
# node/run, cluster/run, equivalence/run, fuse-equivalence and this script:
# their last line, or the sum of the last N such lines.
count_last() {
    local n='([0-9]+)'
    sed -En "s/^(.*: )?$n passed, $n failed, $n skipped\$/\2 \3 \4/p" "$1" |
        tail -n "${2-1}" |
        awk '{ ok += $1; bad += $2; skip += $3 }
             END { if (NR) print ok, bad, skip }'
}

# show_failed SUITE: the ends of the logs of the tests that failed.
show_failed() {
    local log
    for log in "$setup_build_dir/tests/$1.dir"/*/"$1.log"; do
        if test -e "$log"; then
            printf '\n== %s, last lines\n' "$log"
            grep -v '^> ' "$log" | tail -n 40
        fi
    done
}

# run_releases: runs "$release_parts" with each release.
run_releases() {
    local release status=0
    for release in $other_releases; do
        # shellcheck disable=SC2086  # A list.
        "$setup_top/tests/releases/run" "$release" $release_parts || status=1
    done
    return $status
}

# run_part PART: runs it, with its output here and in its log, and leaves
# "PASSED FAILED SKIPPED SECONDS" in its result.  All that it needs is built:
# make must not look at it again, for there is one in each lane.
run_part() {
    local part=$1 log=$logs/$1.log start=$SECONDS status=0 counts
    local ok bad skip command
    local make=(make -C "$setup_build_dir" -o extended)
    case $part in
    lint)
        command=("$setup_top/build-aux/lint"
                 --source "$setup_build_dir/openvswitch/pristine") ;;
    unit | valgrind | asan)
        command=("${make[@]}" "check-$part") ;;
    peers)
        command=(/usr/bin/python3 "$setup_top/tests/unit/test-gtpu-peers.py"
                 "$setup_build_dir/tests/unit/gtpu-codec-tool") ;;
    autotest)
        command=("${make[@]}" check-autotest
                 "TESTSUITEFLAGS=-j$((2 * $(nproc)))") ;;
    equivalence)
        # Not by make, which prints the last line if something fails.
        command=(/usr/bin/python3
                 "$setup_top/tests/equivalence/run"
                 --build "$setup_build_dir" --minutes 3) ;;
    pipelines)
        command=("$setup_build_dir/tests/equivalence/fuse-equivalence"
                 --corpus "$setup_top/tests/equivalence/corpus"
                 --count 1000000 --seconds 120) ;;
    packages)
        command=(make -k -C "$setup_build_dir" check-packages
                 check-readme check-restarts) ;;
    kube | cni | node | system)
        # They look at what takes how long: before the others.
        command=(nice -n -5 "${make[@]}" "check-$part") ;;
    cluster | e2e)
        command=("${make[@]}" "check-$part") ;;
    ovs)
        command=("$setup_top/tests/ovs/run" "${ovs_flags[@]}"
                 "$setup_build_dir/openvswitch/extended") ;;
    releases)
        command=(run_releases) ;;
    esac
    printf '\n==== %s\n' "$part"
    case $part in
    autotest) rm -f "$setup_build_dir/tests/testsuite.log" ;;
    system) rm -f "$setup_build_dir/tests/system-testsuite.log" ;;
    esac
    (set -o pipefail; "${command[@]}" 2>&1 | tee "$log") || status=$?

    case $part in
    unit | valgrind | asan) counts=$(count_cmocka "$log") ;;
    peers)
        case $status in
        0) counts="1 0 0" ;;
        77) counts="0 0 1" ;;
        *) counts="0 1 0" ;;
        esac ;;
    autotest) counts=$(count_autotest testsuite) ;;
    system) counts=$(count_autotest system-testsuite) ;;
    lint | equivalence | pipelines | kube | cni | node | cluster | e2e | ovs)
        counts=$(count_last "$log") ;;
    packages) counts=$(count_last "$log" 3) ;;
    releases)
        # Of each release the sum, which no name of a part comes before.
        # shellcheck disable=SC2086  # A list.
        counts=$(set -- $other_releases &&
            count_last <(grep '^[0-9]* passed,' "$log") $#) ;;
    esac
    read -r ok bad skip <<< "${counts:-0 0 0}"
    # A part that fails without a failed test, or that runs nothing, has
    # failed.
    if test "$bad" = 0 && { test $status != 0 || test "$ok$skip" = 00; }; then
        bad=1
        echo "$part: no result (exit status $status)"
    fi
    if test "$bad" != 0; then
        case $part in
        autotest) show_failed testsuite ;;
        system) show_failed system-testsuite ;;
        esac
    fi
    echo "$ok $bad $skip $((SECONDS - start))" > "$logs/$part.result"
}

# wanted PART...: those of them that are to run.
wanted() {
    local part
    for part; do
        case " $parts " in
        *" $part "*) echo "$part" ;;
        esac
    done
}

# run_parts PART...: one after the other.
run_parts() {
    local part
    for part; do
        run_part "$part"
    done
}

# run_lanes LANE...: runs the parts of the lanes, which are lists, side by
# side.  The output of the last one comes as it is made.
run_lanes() {
    local lane lanes=() job
    for lane; do
        # shellcheck disable=SC2086  # A list.
        lane=$(wanted $lane)
        test -z "$lane" || lanes+=("$lane")
    done
    jobs=()
    for lane in "${!lanes[@]}"; do
        # The subshell is a process group of its own, so that all of it can
        # be ended; setsid would leave the terminal's Ctrl-C to the trap as
        # well.
        set -m
        # shellcheck disable=SC2086  # A list.
        if test "$lane" = $((${#lanes[@]} - 1)); then
            (run_parts ${lanes[lane]}) &
        else
            (run_parts ${lanes[lane]}) > "$logs/lane-$lane" 2>&1 &
        fi
        jobs+=($!)
        set +m
    done
    for job in "${jobs[@]}"; do
        wait "$job" || :
    done
    jobs=()
    for ((lane = 0; lane < ${#lanes[@]} - 1; lane++)); do
        cat "$logs/lane-$lane"
    done
}

# show_summary: a line for each part that is wanted, and the sums.
show_summary() {
    local part ok bad skip seconds passed=0 failed=0 skipped=0
    printf '\n==== all\n'
    show_time packages '' $packages_seconds
    show_time builds '' $build_seconds
    for part in $parts; do
        # One that was ended from outside has no result.
        read -r ok bad skip seconds 2> /dev/null < "$logs/$part.result" ||
            { ok=0 bad=1 skip=0 seconds=0; }
        show_time "$part" "$(printf '%7d passed %5d failed %5d skipped' \
            "$ok" "$bad" "$skip")" "$seconds"
        passed=$((passed + ok)) failed=$((failed + bad))
        skipped=$((skipped + skip))
    done
    show_time together '' "$SECONDS"
    echo "$passed passed, $failed failed, $skipped skipped"
    test "$failed" = 0 && test "$passed" != 0
}

# show_time WHAT RESULT SECONDS
show_time() {
    printf '%-12s%-42s%3d:%02d min\n' "$1" "$2" $(($3 / 60)) $(($3 % 60))
}

setup_debian
# Most parts need "test".  These do not, so that tests/releases/run installs
# less.
kinds="build demo $(wanted autotest e2e ovs packages releases system)"
for part in $parts; do
    case $part in
    unit | autotest | equivalence | pipelines) ;;
    ovs | packages | releases | system) ;;
    *) kinds="$kinds test"; break ;;
    esac
done
# shellcheck disable=SC2086  # A list.
if test -n "$(setup_missing $kinds)"; then
    setup_root
fi
# shellcheck disable=SC2086  # A list.
setup_packages $kinds
test -z "$(wanted system)" || setup_unpack ovn
test -z "$(wanted kube)" || setup_unpack promtool
test -z "$(wanted cluster e2e)" || setup_unpack containers
packages_seconds=$SECONDS
# One make for both, so that one compiles while the other is configured.
stock=$(wanted ovs)
targets="all check-programs ${stock:+stock}"
# The packages are built from a tarball, not from what is built here.
test "${parts# }" != packages || targets=dist
# shellcheck disable=SC2086  # A list.
setup_build $targets
build_seconds=$((SECONDS - packages_seconds))
mkdir -p "$logs"
rm -f "$logs"/*.result
run_lanes lint
run_lanes "$build_lane" "$wait_lane" "$suite_lane"
run_lanes "$compute_lane" "$system_lane"
run_lanes "packages cluster e2e"
show_summary
