# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
	Documentation/howto/kube-proxy.md \
	Documentation/howto/ovn.md \
	Documentation/internals/architecture.md \
	Documentation/internals/benchmarks.md \
	Documentation/internals/building.md \
	Documentation/internals/cache.md \
	Documentation/internals/equivalence.md \
	Documentation/internals/groups.md \
	Documentation/internals/gtpu.md \
	Documentation/internals/hooks.md \
	Documentation/reference/fuse.md \
	Documentation/reference/gtpu-input.md \
	Documentation/reference/gtpu-messages.md \
	Documentation/reference/gtpu-signalling.md \
	Documentation/reference/gtpu.md \
	Documentation/reference/kube-proxy-features.md \
	Documentation/reference/kube-proxy-pipeline.md \
	Documentation/reference/lb.md
