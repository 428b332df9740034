# SPDX-License-Identifier: Apache-2.0
"""Sends a switch groups that must be refused, byte by byte.

    lb-errors.py BRIDGE errors   on a bridge with groups 1 (maglev), 2 (maglev,
                                 with a timeout) and 3 (dp_hash)
    lb-errors.py BRIDGE groups   on a bridge without groups

"errors" sends each bad message alone, and then in a bundle behind messages
that are right.  Each must get its OpenFlow error, and must leave all groups,
and their tables, as they were.  "groups" adds as many groups as there may be,
and then one more.  Prints what was not so, and how much was tried.
"""

import os
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'python'))
import lb_wire as of  # noqa: E402
from lb_wire import ADD, ALL, INSERT_BUCKET, LAST  # noqa: E402
from lb_wire import MODIFY, REMOVE_BUCKET  # noqa: E402

BAD_REQUEST, BAD_ACTION, GROUP, PROPERTY, BUNDLE = 1, 2, 6, 14, 17
ERRORS = {
    'OFPBRC_BAD_LEN': (BAD_REQUEST, 6),
    'OFPBAC_BAD_TYPE': (BAD_ACTION, 0),
    'OFPBAC_BAD_OUT_PORT': (BAD_ACTION, 4),
    'OFPGMFC_GROUP_EXISTS': (GROUP, 0),
    'OFPGMFC_INVALID_GROUP': (GROUP, 1),
    'OFPGMFC_OUT_OF_GROUPS': (GROUP, 3),
    'OFPGMFC_OUT_OF_BUCKETS': (GROUP, 4),
    'OFPGMFC_LOOP': (GROUP, 7),
    'OFPGMFC_UNKNOWN_GROUP': (GROUP, 8),
    'OFPGMFC_BAD_TYPE': (GROUP, 10),
    'OFPGMFC_BAD_COMMAND': (GROUP, 11),
    'OFPGMFC_BAD_BUCKET': (GROUP, 12),
    'OFPGMFC_BAD_WATCH': (GROUP, 13),
    'OFPGMFC_UNKNOWN_BUCKET': (GROUP, 15),
    'OFPGMFC_BUCKET_EXISTS': (GROUP, 16),
    'OFPBPC_BAD_TYPE': (PROPERTY, 0),
    'OFPBPC_BAD_LEN': (PROPERTY, 1),
    'OFPBPC_BAD_VALUE': (PROPERTY, 2),
    'OFPBPC_DUP_TYPE': (PROPERTY, 4),
    'OFPBPC_BAD_EXP_TYPE': (PROPERTY, 6),
    'OFPBMC_BAD_FIELD': (4, 6),
}
MSG_FAILED = BUNDLE, 13
OPEN, COMMIT, DISCARD = 0, 4, 6

BUCKET = of.bucket(0, of.output(10))
BUCKETS = [BUCKET, of.bucket(1, of.output(11))]


def raw_bucket(number, length=None, actions_length=None, actions=b'',
               props=b''):
    """A bucket whose lengths need not be true."""
    if length is None:
        length = 8 + len(actions) + len(props)
    if actions_length is None:
        actions_length = len(actions)
    return (struct.pack('!HHI', length, actions_length, number)
            + actions + props)


def small_buckets(n, first=0):
    """Buckets without actions, 8 bytes each, of weight 1."""
    return [raw_bucket(first + i) for i in range(n)]


def raw_group_mod(command, group, kind=1, buckets=b'', where=ALL, props=b'',
                  buckets_length=None):
    if buckets_length is None:
        buckets_length = len(buckets)
    return of.message(of.GROUP_MOD,
                      struct.pack('!HBBIHHI', command, kind, 0, group,
                                  buckets_length, 0, where) + buckets + props)


def ntr(method=b'maglev', param=0, fields=b'', length=None, vendor=0x154d,
        kind=1):
    """A selection-method property that need not be right."""
    if length is None:
        length = 40 + len(fields)
    prop = struct.pack('!HHIII16sQ', 0xffff, length, vendor, kind, 0, method,
                       param) + fields
    return prop + bytes(-len(prop) % 8)


def group_cases():
    """Groups that are wrong in themselves, as (name, error, and how to get the
    bytes after the group's number from a command and a group)."""
    def maglev(**args):
        buckets = args.pop('buckets', BUCKETS)
        args.setdefault('method', 'maglev')
        return lambda command, group: of.group_mod(command, group, buckets,
                                                   **args)

    def raw(buckets=BUCKET, **args):
        args.setdefault('props', ntr())
        return lambda command, group: raw_group_mod(command, group,
                                                    buckets=buckets, **args)

    def header(*fields):
        return b''.join(bytes.fromhex(f) for f in fields)

    yield ('the property twice', 'OFPBPC_DUP_TYPE', raw(props=ntr() + ntr()))
    yield ('a bucket that sends to the group', 'OFPGMFC_LOOP',
           lambda command, group: of.group_mod(
               command, group, [BUCKET, of.bucket(1, of.to_group(group))],
               method='maglev'))
    yield ('4,097 buckets', 'OFPGMFC_OUT_OF_BUCKETS',
           maglev(buckets=small_buckets(4097)))
    yield ('8,000 buckets', 'OFPGMFC_OUT_OF_BUCKETS',
           maglev(buckets=small_buckets(8000)))
    yield ('4,097 buckets, with a timeout', 'OFPGMFC_OUT_OF_BUCKETS',
           maglev(buckets=small_buckets(4097), param=60 << 32))
    for method in 'maglev', 'maglev-teid', 'maglev-inner':
        yield (method + ', timeout of 86,401 s', 'OFPBPC_BAD_VALUE',
               maglev(method=method, param=86401 << 32))
        yield (method + ', timeout of 2^32 - 1 s', 'OFPBPC_BAD_VALUE',
               maglev(method=method, param=(1 << 64) - 1))
    for method in ('', 'magle', 'maglev2', 'MAGLEV', 'maglev-', 'maglev-tei',
                   'dp_hash2', 'hashed'):
        yield ('method "%s"' % method, 'OFPBPC_BAD_VALUE',
               maglev(method=method))
    yield ('method that no 0 ends', 'OFPBPC_BAD_VALUE',
           maglev(method='maglev-teid-maglev'))
    for name, fields in (
            ('reg0', '00010004 ffffffff'),
            ('metadata', '80000408 ffffffffffffffff'),
            ('in_port', '80000004 ffffffff'),
            ('packet_reg0', '80010008 ffffffffffffffff'),
            ('tun_metadata0', '00015004 ffffffff'),
            ('ip_src and reg0', '80001604 ffffffff 00010004 ffffffff')):
        yield ('field ' + name, 'OFPBPC_BAD_VALUE',
               maglev(fields=header(fields)))
    yield ('a field that does not exist', 'OFPBMC_BAD_FIELD',
           maglev(fields=header('8000fe04 ffffffff')))
    yield ('fields of dp_hash', 'OFPBPC_BAD_VALUE',
           maglev(method='dp_hash', fields=header('80001604 ffffffff')))
    yield ('a property cut short', 'OFPBPC_BAD_LEN',
           raw(props=ntr()[:24].replace(b'\0\x28', b'\0\x18', 1)))
    yield ('a property longer than the message', 'OFPBPC_BAD_LEN',
           raw(props=ntr(length=48)))
    yield ('a property of a stranger', 'OFPBPC_BAD_EXP_TYPE',
           raw(props=ntr(vendor=0x123456)))
    yield ('a property of another type', 'OFPBPC_BAD_EXP_TYPE',
           raw(props=ntr(kind=2)))
    for kind, name in (0, 'all'), (2, 'indirect'), (3, 'fast failover'):
        yield ('maglev in a group of type ' + name, 'OFPBPC_BAD_VALUE',
               raw(kind=kind))
    yield 'a type that does not exist', 'OFPGMFC_BAD_TYPE', raw(kind=7)
    yield ('two buckets with a number', 'OFPGMFC_BAD_BUCKET',
           maglev(buckets=[BUCKET, BUCKET]))
    yield ('a bucket without a number', 'OFPGMFC_BAD_BUCKET',
           maglev(buckets=[raw_bucket(0xffffffff)]))
    yield ('a bucket cut short', 'OFPGMFC_BAD_BUCKET',
           raw(buckets=raw_bucket(0, length=4)))
    yield ('a bucket longer than its list', 'OFPGMFC_BAD_BUCKET',
           raw(buckets=raw_bucket(0, length=800)))
    yield ('actions longer than their bucket', 'OFPGMFC_BAD_BUCKET',
           raw(buckets=raw_bucket(0, actions_length=64)))
    yield ('a list longer than the message', 'OFPBRC_BAD_LEN',
           raw(buckets_length=60000))
    yield ('a weight of 1 byte', 'OFPBPC_BAD_LEN',
           raw(buckets=raw_bucket(
               0, props=struct.pack('!HHB3x', 0, 5, 1))))
    yield ('a bucket property that does not exist', 'OFPBPC_BAD_TYPE',
           raw(buckets=raw_bucket(
               0, props=struct.pack('!HHI', 77, 8, 1))))
    yield ('a port to watch that cannot be', 'OFPGMFC_BAD_WATCH',
           maglev(buckets=[of.bucket(0, of.output(10),
                                     watch_port=0x12345)]))
    yield ('an action that does not exist', 'OFPBAC_BAD_TYPE',
           maglev(buckets=[of.bucket(0, struct.pack('!HH4x', 99, 8))]))
    yield ('output to a port that cannot be', 'OFPBAC_BAD_OUT_PORT',
           maglev(buckets=[of.bucket(0, of.output(0x12345))]))
    yield ('the number of a bucket', 'OFPGMFC_BAD_BUCKET', maglev(where=0))


def cases():
    """Pairs of a name and a message, with the error it must get."""
    for name, error, make in group_cases():
        yield 'add: ' + name, make(ADD, 9), error
        for group in 1, 2, 3:
            yield ('modify %d: %s' % (group, name), make(MODIFY, group), error)

    def bucket_mod(command, group, buckets=(), where=LAST, props=b''):
        return raw_group_mod(command, group, buckets=b''.join(buckets),
                             where=where, props=props)

    for group in 1, 2, 3:
        yield ('add: %d exists' % group,
               of.group_mod(ADD, group, BUCKETS, method='maglev'),
               'OFPGMFC_GROUP_EXISTS')

        def insert(name, error, *args, **kwargs):
            return ('insert into %d: %s' % (group, name),
                    bucket_mod(INSERT_BUCKET, group, *args, **kwargs), error)

        yield insert('a bucket that exists', 'OFPGMFC_BUCKET_EXISTS',
                     [BUCKETS[1]])
        yield insert('two buckets with a number', 'OFPGMFC_BAD_BUCKET',
                     [of.bucket(7, b''), of.bucket(7, b'')])
        yield insert('behind a bucket that does not exist',
                     'OFPGMFC_UNKNOWN_BUCKET', [of.bucket(7, b'')], where=7)
        yield insert('everywhere', 'OFPGMFC_BAD_BUCKET', [of.bucket(7, b'')],
                     where=ALL)
        yield insert('a bad action', 'OFPBAC_BAD_TYPE',
                     [of.bucket(7, struct.pack('!HH4x', 99, 8))])
        yield insert('a bad port to watch', 'OFPGMFC_BAD_WATCH',
                     [of.bucket(7, b'', watch_port=0x12345)])
        yield insert('with a selection method', 'OFPBPC_BAD_VALUE',
                     [of.bucket(7, b'')], props=ntr())
        if group != 3:
            yield insert('more than 4,096', 'OFPGMFC_OUT_OF_BUCKETS',
                         small_buckets(4095, 2))
        for name, error, kwargs in (
                ('a bucket that does not exist', 'OFPGMFC_UNKNOWN_BUCKET',
                 {'where': 7}),
                ('a number that cannot be', 'OFPGMFC_BAD_BUCKET',
                 {'where': 0xfffffff0}),
                ('with buckets', 'OFPGMFC_BAD_BUCKET',
                 {'where': 0, 'buckets': [BUCKET]}),
                ('with a selection method', 'OFPBPC_BAD_VALUE',
                 {'where': 0, 'props': ntr()})):
            yield ('remove from %d: %s' % (group, name),
                   bucket_mod(REMOVE_BUCKET, group, **kwargs), error)
    for name, command, buckets in (('modify', MODIFY, BUCKETS),
                                   ('insert', INSERT_BUCKET, BUCKETS),
                                   ('remove', REMOVE_BUCKET, [])):
        yield (name + ': a group that does not exist',
               bucket_mod(command, 9, buckets,
                          LAST if command != MODIFY else ALL),
               'OFPGMFC_UNKNOWN_GROUP')
    for group in 0xfffffffc, 0xffffffff:
        yield ('add: a group whose number cannot be',
               of.group_mod(ADD, group, BUCKETS, method='maglev'),
               'OFPGMFC_INVALID_GROUP')
    yield ('a command that does not exist',
           of.group_mod(77, 1, BUCKETS), 'OFPGMFC_BAD_COMMAND')


class Bench:
    def __init__(self, bridge):
        self.bridge = bridge
        self.switch = of.Switch('%s/%s.mgmt' % (os.environ['OVS_RUNDIR'],
                                                bridge))
        self.failed = 0

    def appctl(self, *args):
        return subprocess.run(('ovs-appctl',) + args, check=True,
                              stdout=subprocess.PIPE).stdout

    def state(self):
        """All that is known of the groups: as the controller sees them, and
        their tables."""
        request = of.message(of.MULTIPART_REQUEST,
                             struct.pack('!HH4xI4x', 7, 0, 0xfffffffc), 99)
        self.switch.send(request)
        groups = []
        more = True
        while more:
            body = self.switch.receive(of.MULTIPART_REPLY, 99)
            _, more, desc = *struct.unpack('!HH', body[:4]), body[8:]
            while desc:
                length, = struct.unpack('!H', desc[:2])
                groups.append(desc[:length])
                desc = desc[length:]
        return sorted(groups), self.appctl('lb/show', self.bridge)

    def errors(self, data):
        self.switch.errors = []
        self.switch.sync(data)
        return self.switch.errors

    def bundle(self, messages):
        """Sends a bundle.  Returns the errors that its messages get, of which
        some make the switch refuse to take them into the bundle, which is then
        discarded, and others have it undo the whole at the end."""
        def control(kind):
            return of.message(of.BUNDLE_CONTROL,
                              struct.pack('!IHH', 1, kind, 3), 5)
        got = self.errors(control(OPEN) + b''.join(
            of.message(of.BUNDLE_ADD, struct.pack('!I2xH', 1, 3)
                       + m[:4] + struct.pack('!I', 6) + m[8:], 6)
            for m in messages))
        if got:
            return got + self.errors(control(DISCARD))
        got = self.errors(control(COMMIT))
        if got and got.pop() != MSG_FAILED:
            print('the bundle did not fail')
            self.failed += 1
        return got

    def expect(self, name, expected, got):
        if expected != got:
            print(name)
            if len(str(expected)) < 80:
                print('    expected %s, got %s' % (expected, got))
            self.failed += 1


def errors(bench):
    before = bench.state()
    good = [of.group_mod(MODIFY, 1, [of.bucket(5, of.output(11))],
                         method='maglev'),
            of.group_mod(MODIFY, 3, BUCKETS, method='maglev',
                         param=60 << 32),
            of.group_mod(ADD, 100, BUCKETS, method='maglev'),
            of.group_mod(INSERT_BUCKET, 2, [of.bucket(6, of.output(10))],
                         where=LAST),
            of.group_mod(of.DELETE, 2),
            of.group_mod(ADD, 2, BUCKETS, method='dp_hash')]
    n = 0
    for name, message, error in cases():
        bench.expect(name, [ERRORS[error]], bench.errors(message))
        bench.expect(name + ': groups', before, bench.state())
        # Not those that turn the group that is meant into another.
        first = (good[1:] if ' 1: ' in name else
                 good[:3] if ' 2: ' in name else good)
        bench.expect(name + ', in a bundle', [ERRORS[error]],
                     bench.bundle(first + [message]))
        bench.expect(name + ', in a bundle: groups', before, bench.state())
        n += 1
    # What was right in these bundles is right.
    bench.expect('a good bundle', [], bench.bundle(good))
    bench.expect('a good bundle: changes', True, before != bench.state())
    print('%d messages' % n)


def groups(bench):
    """20,000 groups with two buckets, then 65,535 without any."""
    def add(first, last, buckets=(), method='maglev'):
        return b''.join(of.group_mod(ADD, g, buckets, method=method)
                        for g in range(first, last + 1))

    def count():
        return bench.appctl('lb/show', bench.bridge).count(b': group ')

    delete = of.group_mod(of.DELETE, 0xfffffffc)
    bench.expect('20,000 groups', [], bench.errors(add(1, 20000, BUCKETS)))
    bench.expect('20,000 groups: shown', 20000, count())
    bench.expect('deletion', [], bench.errors(delete))
    bench.expect('deletion: shown', 0, count())

    # The ids of groups that went are free within seconds.
    last = 65535
    bench.errors(add(1, last))
    deadline = time.monotonic() + 60
    while count() < last and time.monotonic() < deadline:
        bench.errors(add(last - 300, last))
    bench.expect('65,535 groups', last, count())
    bench.errors(add(70000, 70000, BUCKETS, 'dp_hash'))
    before = bench.state()
    full = [ERRORS['OFPGMFC_OUT_OF_GROUPS']]
    for name, message in (
            ('one more', add(80000, 80000)),
            ('one becomes one', of.group_mod(MODIFY, 70000, BUCKETS,
                                             method='maglev'))):
        bench.expect(name, full, bench.errors(message))
        bench.expect(name + ': groups', before, bench.state())
        bench.expect(name + ', in a bundle', full, bench.bundle(
            [of.group_mod(MODIFY, 1, BUCKETS, method='maglev'), message]))
        bench.expect(name + ', in a bundle: groups', before, bench.state())
    # Those there are can change.
    bench.expect('modification of the last', [], bench.errors(
        of.group_mod(MODIFY, last, BUCKETS, method='maglev')))
    bench.expect('deletion of all', [], bench.errors(delete))
    bench.expect('deletion of all: shown', 0, count())


if __name__ == '__main__':
    bench = Bench(sys.argv[1])
    {'errors': errors, 'groups': groups}[sys.argv[2]](bench)
    if bench.failed:
        sys.exit('%d things were not as they must be' % bench.failed)
