# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
	Documentation/README.md \
	Documentation/examples/maglev.py \
	Documentation/glossary.md \
	Documentation/howto/cache.md \
	Documentation/howto/controllers.md \
	Documentation/howto/gtpu.md \
	Documentation/howto/kube-proxy.md \
	Documentation/howto/ovn.md \
	Documentation/howto/services.md \
	Documentation/howto/upgrade.md \
	Documentation/images/cycles-epyc.svg \
	Documentation/images/cycles-xeon.svg \
	Documentation/images/growth.svg \
	Documentation/images/packet.svg \
	Documentation/images/summary.svg \
	Documentation/internals/architecture.md \
	Documentation/internals/benchmarks.md \
	Documentation/internals/building.md \
	Documentation/internals/cache.md \
	Documentation/internals/equivalence.md \
	Documentation/internals/groups.md \
	Documentation/internals/gtpu.md \
	Documentation/internals/hooks.md \
	Documentation/internals/pages.md \
	Documentation/reference/fuse.md \
	Documentation/reference/gtpu-input.md \
	Documentation/reference/gtpu.md \
	Documentation/reference/kube-proxy-features.md \
	Documentation/reference/kube-proxy-pipeline.md \
	Documentation/reference/lb.md \
	Documentation/reference/support.md \
	Documentation/results.md
