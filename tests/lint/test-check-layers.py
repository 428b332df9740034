#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks each line of build-aux/layers once, and each other rule of
build-aux/check-layers, in a made-up project."""

import importlib.machinery
import importlib.util
import os
import subprocess
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
CHECKER = os.path.join(TOP, 'build-aux', 'check-layers')
TABLE = os.path.join(TOP, 'build-aux', 'layers')

# For each "part" of the table, by its FOLDER: a folder that it covers, what a
# file there may include, and what it may not, with the part or library that
# this is of.
LIB_HASH = '"lib/hash/h.h"'
PARTS = {
    'lib/*': (
        'lib/lb', ['<stdint.h>', '<numa.h>', LIB_HASH, '"lib/lb/h.h"'],
        {'"lib/gtpu/h.h"': 'lib/gtpu',
         '"util.h"': 'openvswitch',
         '<config.h>': 'openvswitch',
         '<rte_mbuf.h>': 'dpdk',
         '"datapath-dpdk/lb/h.h"': 'datapath-dpdk/lb'}),
    'compat': (
        'compat', ['<stdint.h>', '"util.h"'],
        {LIB_HASH: 'lib/hash',
         '"dpif-netdev.h"': 'switch',
         '<rte_mbuf.h>': 'dpdk',
         '"datapath-dpdk/compat/h.h"': 'datapath-dpdk/compat'}),
    'config': (
        'config',
        ['<stdint.h>', '"util.h"', '"lib/options/h.h"', '"compat/h.h"'],
        {LIB_HASH: 'lib/hash',
         '"dpif-netdev.h"': 'switch',
         '"datapath-dpdk/compat/h.h"': 'datapath-dpdk/compat'}),
    'datapath-dpdk/compat': (
        'datapath-dpdk/compat',
        ['<stdint.h>', '"util.h"', '"dpif-netdev.h"', '<rte_mbuf.h>'],
        {LIB_HASH: 'lib/hash',
         '"datapath-dpdk/lb/h.h"': 'datapath-dpdk/lb'}),
    'datapath-dpdk/lb': (
        'datapath-dpdk/lb',
        ['<numa.h>', '"util.h"', '"odp-util.h"', '<rte_mbuf.h>', LIB_HASH,
         '"lib/lb/h.h"', '"lib/gtpu/h.h"', '"datapath-dpdk/compat/h.h"'],
        {'"datapath-dpdk/fuse/h.h"': 'datapath-dpdk/fuse',
         '"datapath-dpdk/gtpu/h.h"': 'datapath-dpdk/gtpu',
         '"lib/fuse/h.h"': 'lib/fuse',
         '"ofproto-ext/lb/h.h"': 'ofproto-ext/lb'}),
    'datapath-dpdk/gtpu': (
        'datapath-dpdk/gtpu',
        ['"util.h"', '"netdev.h"', '<rte_mbuf.h>', LIB_HASH, '"lib/gtpu/h.h"',
         '"datapath-dpdk/compat/h.h"'],
        {'"datapath-dpdk/fuse/h.h"': 'datapath-dpdk/fuse',
         '"datapath-dpdk/lb/h.h"': 'datapath-dpdk/lb',
         '"lib/lb/h.h"': 'lib/lb'}),
    'datapath-dpdk/ct': (
        'datapath-dpdk/ct',
        ['"util.h"', '"conntrack.h"', '<rte_mbuf.h>', LIB_HASH,
         '"lib/ct/h.h"', '"compat/h.h"', '"datapath-dpdk/compat/h.h"'],
        {'"datapath-dpdk/fuse/h.h"': 'datapath-dpdk/fuse',
         '"datapath-dpdk/lb/h.h"': 'datapath-dpdk/lb'}),
    'datapath-dpdk/fuse': (
        'datapath-dpdk/fuse',
        ['<numa.h>', '"util.h"', '"dpif.h"', '<rte_mbuf.h>', LIB_HASH,
         '"lib/lb/h.h"', '"datapath-dpdk/compat/h.h"',
         '"datapath-dpdk/lb/h.h"', '"datapath-dpdk/ct/h.h"'],
        {'"ofproto-ext/lb/h.h"': 'ofproto-ext/lb',
         '"utilities/common/h.h"': 'utilities/common'}),
    'ofproto-ext/compat': (
        'ofproto-ext/compat',
        ['<stdint.h>', '"util.h"', '"ofproto/ofproto-provider.h"'],
        {'"ofproto-ext/lb/h.h"': 'ofproto-ext/lb',
         '"lib/lb/h.h"': 'lib/lb'}),
    'ofproto-ext/lb': (
        'ofproto-ext/lb',
        ['"util.h"', '"ofproto/ofproto-dpif.h"', LIB_HASH, '"lib/lb/h.h"',
         '"compat/h.h"', '"ofproto-ext/compat/h.h"'],
        {'"datapath-dpdk/lb/h.h"': 'datapath-dpdk/lb',
         '"datapath-dpdk/compat/h.h"': 'datapath-dpdk/compat',
         '<rte_mbuf.h>': 'dpdk'}),
    'ofproto-ext/gtpu': (
        'ofproto-ext/gtpu',
        ['"util.h"', '"ofproto/tunnel.h"', LIB_HASH, '"lib/gtpu/h.h"',
         '"compat/h.h"', '"ofproto-ext/compat/h.h"'],
        {'"datapath-dpdk/gtpu/h.h"': 'datapath-dpdk/gtpu',
         '"ofproto-ext/lb/h.h"': 'ofproto-ext/lb'}),
    'utilities/common': (
        'utilities/common', ['"util.h"', '<microhttpd.h>'],
        {'"utilities/of-sync/h.h"': 'utilities/of-sync',
         '"utilities/kube/h.h"': 'utilities/kube'}),
    'utilities/kube': (
        'utilities/kube', ['"util.h"', '<yaml.h>', '"utilities/common/h.h"'],
        {'"utilities/of-sync/h.h"': 'utilities/of-sync',
         '"utilities/ovs-kube-proxy/service/h.h"':
             'utilities/ovs-kube-proxy/service',
         '"dpif-netdev.h"': 'switch'}),
    'utilities/netlink': (
        'utilities/netlink', ['"util.h"', '<libmnl/libmnl.h>'],
        {'"utilities/common/h.h"': 'utilities/common',
         '<curl/curl.h>': 'web'}),
    'utilities/of-sync': (
        'utilities/of-sync',
        ['"util.h"', '"openvswitch/vconn.h"', '"utilities/common/h.h"'],
        {'"utilities/kube/h.h"': 'utilities/kube',
         '<curl/curl.h>': 'web',
         '<numa.h>': 'libnuma'}),
    'utilities/*': (
        'utilities/ovs-other/room',
        ['"util.h"', '<yaml.h>', '"utilities/common/h.h"',
         '"utilities/kube/h.h"', '"utilities/of-sync/h.h"', '"../h.h"'],
        {'"utilities/ovs-kube-proxy/service/h.h"':
         'utilities/ovs-kube-proxy/service',
         '<libmnl/libmnl.h>': 'mnl',
         '"ofproto/ofproto-provider.h"': 'switch',
         '"dpif-netdev.h"': 'switch',
         '"conntrack.h"': 'switch',
         '"lib/lb/h.h"': 'lib/lb'}),
    'utilities/ovs-ext-cni': (
        'utilities/ovs-ext-cni',
        ['"util.h"', '<libmnl/libmnl.h>', LIB_HASH, '"utilities/common/h.h"',
         '"utilities/netlink/h.h"'],
        {'"utilities/of-sync/h.h"': 'utilities/of-sync',
         '"lib/lb/h.h"': 'lib/lb',
         '<curl/curl.h>': 'web',
         '"netdev-dpdk.h"': 'switch'}),
    'utilities/ovs-ext-node': (
        'utilities/ovs-ext-node',
        ['"util.h"', '<libmnl/libmnl.h>', '<yaml.h>',
         '"utilities/common/h.h"', '"utilities/kube/h.h"',
         '"utilities/netlink/h.h"', '"utilities/of-sync/h.h"'],
        {'"utilities/ovs-ext-cni/h.h"': 'utilities/ovs-ext-cni',
         '"lib/lb/h.h"': 'lib/lb',
         '"netdev.h"': 'switch'}),
    'utilities/ovs-kube-proxy': (
        'utilities/ovs-kube-proxy',
        ['"util.h"', '<yaml.h>', '"utilities/common/h.h"',
         '"utilities/kube/h.h"', '"utilities/of-sync/h.h"', '"pipeline/h.h"'],
        {'"utilities/ovs-other/h.h"': 'utilities/ovs-other',
         '"conntrack.h"': 'switch'}),
    'utilities/ovs-kube-proxy/service': (
        'utilities/ovs-kube-proxy/service',
        ['"util.h"', '"utilities/common/h.h"', '"utilities/kube/h.h"'],
        {'"utilities/of-sync/h.h"': 'utilities/of-sync',
         '"../pipeline/h.h"': 'utilities/ovs-kube-proxy/pipeline',
         '<curl/curl.h>': 'web'}),
    'utilities/ovs-kube-proxy/pipeline': (
        'utilities/ovs-kube-proxy/pipeline',
        ['"util.h"', '"utilities/common/h.h"', '"utilities/of-sync/h.h"',
         '"utilities/kube/h.h"', '"../service/h.h"'],
        {'"utilities/ovs-kube-proxy/h.h"': 'utilities/ovs-kube-proxy',
         '<yaml.h>': 'web'}),
    'build-aux': (
        'build-aux', ['<stdint.h>'],
        {'"util.h"': 'openvswitch'}),
    'tests': (
        'tests/unit', ['"util.h"', '<rte_mbuf.h>', '"lib/lb/h.h"',
                       '"lib/lb/lb-private.h"'], {}),
}
FOLDERS = {folder for folder, _, _ in PARTS.values()} | {
    'lib/hash', 'lib/gtpu', 'lib/fuse', 'lib/ct', 'utilities/ovs-other'}


def load():
    loader = importlib.machinery.SourceFileLoader('check_layers', CHECKER)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader('check_layers', loader))
    loader.exec_module(module)
    return module


class Project:
    """A folder with a header in each part, under git."""

    def __init__(self):
        self.tmp = tempfile.TemporaryDirectory()
        subprocess.run(['git', 'init', '-q', self.tmp.name], check=True)
        for folder in FOLDERS:
            self.write(folder + '/h.h', '')
        self.write('lib/lb/lb-private.h', '')
        with open(TABLE) as f:
            self.table = ''.join(line for line in f
                                 if not line.startswith('circle'))

    def write(self, path, text):
        path = os.path.join(self.tmp.name, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(text)

    def check(self, more=''):
        """Returns the exit status and a dict from "FILE:LINE" to faults."""
        self.write('table', self.table + more)
        run = subprocess.run([CHECKER, '--layers', self.tmp.name + '/table',
                              self.tmp.name], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, universal_newlines=True)
        faults = {}
        for line in run.stdout.splitlines():
            if run.returncode == 1:
                where, _, what = line.partition(': ')
                faults[where.replace(self.tmp.name + '/', '')] = what
        return run.returncode, faults


class Walls(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.project = Project()
        self.addCleanup(self.project.tmp.cleanup)

    def test_each_line_has_its_test(self):
        layers = load().Layers(TABLE)
        self.assertEqual(sorted(pattern for pattern, _, _ in layers.parts),
                         sorted(PARTS))

    def test_allowed(self):
        for folder, allowed, _ in PARTS.values():
            self.project.write(folder + '/a.c', ''.join(
                '#include %s\n' % header for header in allowed))
        self.assertEqual(self.project.check(), (0, {}))

    def test_broken(self):
        expected = {}
        for folder, _, broken in PARTS.values():
            self.project.write(folder + '/a.c', ''.join(
                '#include %s\n' % header for header in broken))
            part = (folder if folder in PARTS
                    else '/'.join(folder.split('/')[:2]))
            for line, what in enumerate(broken.values(), 1):
                expected['%s/a.c:%d' % (folder, line)] = (
                    '%s may not use %s' % (part, what))
        status, faults = self.project.check()
        self.assertEqual(status, 1)
        self.assertEqual({where: what.split(' (')[0]
                          for where, what in faults.items()}, expected)

    def test_fault_names_the_line_of_the_table(self):
        self.project.write('lib/lb/a.c', '\n#include "util.h"\n')
        number = [line.startswith('part lib/*') for line in
                  self.project.table.splitlines()].index(True) + 1
        self.assertIn('table:%d' % number,
                      self.project.check()[1]['lib/lb/a.c:2'])

    def test_header_by_an_include_path(self):
        self.project.write('lib/gtpu/gtpu.h', '')
        self.project.write('lib/lb/a.c', '#include "gtpu.h"\n')
        self.assertIn('may not use lib/gtpu',
                      self.project.check()[1]['lib/lb/a.c:1'])

    def test_private_header(self):
        self.project.write('lib/lb/a.c', '#include "lb-private.h"\n')
        self.project.write('datapath-dpdk/lb/a.c',
                           '#include "lib/lb/lb-private.h"\n')
        self.assertEqual(self.project.check()[1], {
            'datapath-dpdk/lb/a.c:1': 'lib/lb/lb-private.h is private to '
            'lib/lb'})

    def test_file_of_no_part(self):
        self.project.write('datapath-dpdk/a.c', '')
        self.assertIn('is in no part',
                      self.project.check()[1]['datapath-dpdk/a.c:1'])

    def test_hooks(self):
        self.project.write('datapath-dpdk/fuse/fuse.h', 'void fuse_f(int);\n'
                           'char a[sizeof(int)];\n')
        self.project.write('datapath-dpdk/lb/lb.cocci',
                           ' #include "ofproto/ofproto.h"\n'
                           '+#include "datapath-dpdk/lb/h.h"\n'
                           '+#include "datapath-dpdk/fuse/fuse.h"\n'
                           '-fuse_f(1);\n'
                           '+    fuse_f(sizeof(int));\n'
                           '// include: datapath-dpdk/fuse/fuse.h\n')
        self.assertEqual(sorted(self.project.check()[1]),
                         ['datapath-dpdk/lb/lb.cocci:%d' % line
                          for line in (3, 5, 6)])

    def test_table_that_is_wrong(self):
        for line in 'part lib/x curl\n', 'folder x y\n', 'part lib/x\n':
            self.assertEqual(self.project.check(line)[0], 2)


class Circles(unittest.TestCase):
    def setUp(self):
        self.project = Project()
        self.addCleanup(self.project.tmp.cleanup)

    def test_headers(self):
        self.project.write('lib/lb/a.h', '#include "lib/lb/b.h"\n')
        self.project.write('lib/lb/b.h', '#include "lib/lb/a.h"\n')
        self.assertIn('circle of 2 files',
                      self.project.check()[1]['lib/lb/a.h:1'])

    def test_pairs(self):
        for a, b in 'ab', 'ba':
            self.project.write('lib/lb/%s.h' % a, '')
            self.project.write('lib/lb/%s.c' % a,
                               '#include "lib/lb/%s.h"\n' % b)
        self.assertIn('circle of 2 files',
                      self.project.check()[1]['lib/lb/a.c:1'])

    def test_functions(self):
        self.project.write('lib/lb/a.c', 'int\na(void)\n{\n  b();\n}\n')
        self.project.write('lib/lb/b.c', 'int\nb(void)\n{\n  c();\n}\n')
        self.project.write('lib/lb/c.c', 'int\nc(void)\n{\n  a();\n}\n')
        faults = self.project.check()[1]
        self.assertEqual(list(faults), ['lib/lb/a.c:4'])
        self.assertIn('circle of 3 files', faults['lib/lb/a.c:4'])
        self.assertEqual(
            self.project.check('circle lib/lb/a lib/lb/b lib/lb/c\n'), (0, {}))
        self.assertEqual(self.project.check('circle lib/lb/a lib/lb/b\n')[0],
                         1)

    def test_line_without_a_circle(self):
        status, faults = self.project.check('circle lib/lb/a lib/lb/b\n')
        self.assertEqual(status, 1)
        self.assertIn('no such circle', ' '.join(faults.values()))

    def test_no_circle(self):
        self.project.write('lib/lb/a.h', '')
        self.project.write('lib/lb/a-private.h', '#include "lib/lb/a.h"\n')
        self.project.write('lib/lb/a.c', '#include "lib/lb/a-private.h"\n'
                           'int\na(void)\n{\n  b();\n}\n')
        self.project.write('lib/lb/b.c', '#include "lib/lb/a.h"\n'
                           '/* a() */ const char *s = "a()";\n'
                           'static int\na(void)\n{\n}\n'
                           'int\nb(void)\n{\n}\n')
        self.assertEqual(self.project.check(), (0, {}))


if __name__ == '__main__':
    unittest.main()
