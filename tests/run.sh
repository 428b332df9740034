#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what the tests need, builds, runs all tests, and sums them up.
# See usage() below.  Debian 12, as root.
set -eu

usage() {
    cat <<USAGE
usage: tests/run.sh [--quick] [PART...]

Installs the packages that the tests need, builds the extended and the stock
Open vSwitch in _build, and runs these parts, or those that are named:

  unit        unit tests of lib/
  valgrind    the same, under valgrind
  asan        the same, with AddressSanitizer and UBSan
  peers       the GTP-U codec against scapy and tshark
  autotest    OpenFlow, groups, datapath actions, on the dummy datapath
  equivalence generated pipelines, with the fused flow cache off and on
  system      real packets through the DPDK datapath and network namespaces;
              OVN's load balancers
  kube        ovs-kube-proxy with a real kube-apiserver, which is built first:
              some five minutes the first time, see tests/kube/build --help
  ovs         Open vSwitch's own test suite, on the extended build, compared
              with stock test by test

  --quick     of Open vSwitch's suite, only the tests of OpenFlow, groups,
              datapath and tunnels: a third of the time
  --help      print this

The output of each part is also in _build/run-logs.  The last line is
"N passed, N failed, N skipped".  The exit status is 0 if nothing failed.
USAGE
}

all_parts="unit valgrind asan peers autotest equivalence system kube ovs"
parts=
ovs_flags=()
for arg; do
    case $arg in
    --help | -h) usage; exit 0 ;;
    --quick) ovs_flags+=(--quick) ;;
    *)
        case " $all_parts " in
        *" $arg "*) parts="$parts $arg" ;;
        *) usage >&2; exit 2 ;;
        esac ;;
    esac
done
parts=${parts:-$all_parts}

exec < /dev/null
. "$(dirname "$0")/../utilities/setup.sh"
logs=$setup_build_dir/run-logs
job=
passed=0 failed=0 skipped=0
summary=()

# Ends what runs, before this script ends: a process group of our own.
finish() {
    setup_stop
    if test -n "$job"; then
        kill -TERM -- "-$job" 2> /dev/null || :
        wait "$job" 2> /dev/null || :
    fi
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

# count_last LOG: the same, of run-ovs-suite, kube/run and equivalence.py:
# their last line.
count_last() {
    local n='([0-9]+)'
    sed -En "s/.*: $n passed, $n failed, $n skipped\$/\1 \2 \3/p" "$1" |
        tail -n 1
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

# run_part PART: runs it, with its output here and in its log, and adds up.
run_part() {
    local part=$1 log=$logs/$1.log start=$SECONDS status=0 counts target
    local command
    case $part in
    unit | valgrind | asan)
        command=(make -C "$setup_build_dir" "check-$part") ;;
    peers)
        command=(/usr/bin/python3 "$setup_top/tests/unit/test-gtpu-peers.py"
                 "$setup_build_dir/tests/unit/gtpu-codec-tool") ;;
    autotest)
        command=(make -C "$setup_build_dir" check-autotest
                 "TESTSUITEFLAGS=-j$((2 * $(nproc)))") ;;
    equivalence)
        # Not by make, which has the last word if something fails.
        command=(/usr/bin/python3
                 "$setup_top/tests/equivalence/equivalence.py"
                 --build "$setup_build_dir" --minutes 5) ;;
    system)
        command=(make -C "$setup_build_dir" check-system) ;;
    kube)
        command=(make -C "$setup_build_dir" check-kube) ;;
    ovs)
        command=("$setup_top/tests/ovs/run-ovs-suite" "${ovs_flags[@]}"
                 "$setup_build_dir/openvswitch/extended") ;;
    esac
    printf '\n==== %s\n' "$part"
    rm -f "$setup_build_dir/tests/testsuite.log" \
        "$setup_build_dir/tests/system-testsuite.log"
    # The subshell is a process group of its own, so that all of it can be
    # ended; setsid would leave the terminal's Ctrl-C to the trap as well.
    set -m
    (set -o pipefail; "${command[@]}" 2>&1 | tee "$log") &
    job=$!
    set +m
    wait "$job" || status=$?
    job=

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
    equivalence | kube | ovs) counts=$(count_last "$log") ;;
    esac
    set -- ${counts:-0 0 0}
    # A part that fails without saying so, or that runs nothing, has failed.
    if test "$2" = 0 && { test $status != 0 || test "$1$3" = 00; }; then
        set -- "$1" 1 "$3"
        echo "$part: no result (exit status $status)"
    fi
    if test "$2" != 0; then
        case $part in
        autotest) show_failed testsuite ;;
        system) show_failed system-testsuite ;;
        esac
    fi
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    summary+=("$(printf '%-10s%7d passed %5d failed %5d skipped %3d:%02d min' \
        "$part" "$1" "$2" "$3" \
        $(((SECONDS - start) / 60)) $(((SECONDS - start) % 60)))")
}

setup_debian
if test -n "$(setup_missing build demo test)"; then
    setup_root
fi
setup_packages build demo test
setup_unpack ovn
setup_build all
setup_build stock
mkdir -p "$logs"
for part in $parts; do
    run_part "$part"
done

printf '\n==== all\n'
printf '%s\n' "${summary[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
test "$failed" = 0 && test "$passed" != 0
