# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
	Documentation/architecture.md \
	Documentation/benchmarks.md \
	Documentation/benchmarks/page-1.json \
	Documentation/benchmarks/page-1-again.json \
	Documentation/benchmarks/page-1-november.json \
	Documentation/benchmarks/page-2.json \
	Documentation/benchmarks/page-2-recirculations.json \
	Documentation/building.md \
	Documentation/equivalence.md \
	Documentation/fuse.md \
	Documentation/gtpu.md \
	Documentation/gtpu-reference.md \
	Documentation/gtpu-robustness.md \
	Documentation/gtpu-signalling.md \
	Documentation/hooks.md \
	Documentation/kube-proxy-features.md \
	Documentation/kube-proxy-pipeline.md \
	Documentation/kube-proxy.md \
	Documentation/load-balancing-internals.md \
	Documentation/load-balancing.md \
	Documentation/ovn.md
