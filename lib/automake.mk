# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += lib/libext.la
lib_libext_la_SOURCES = \
	lib/fuse/fuse-order.c \
	lib/fuse/fuse-order.h \
	lib/fuse/fuse-program.c \
	lib/fuse/fuse-program.h \
	lib/fuse/fuse-replay-avx2.c \
	lib/fuse/fuse-replay-avx512.c \
	lib/fuse/fuse-replay-impl.h \
	lib/fuse/fuse-replay.c \
	lib/fuse/fuse-replay.h \
	lib/fuse/fuse-shape.c \
	lib/fuse/fuse-shape.h \
	lib/fuse/fuse-table.c \
	lib/fuse/fuse-table.h \
	lib/fuse/fuse-tcp.h \
	lib/gtpu/gtpu-build.c \
	lib/gtpu/gtpu-ie.c \
	lib/gtpu/gtpu-limit.c \
	lib/gtpu/gtpu-limit.h \
	lib/gtpu/gtpu-name.c \
	lib/gtpu/gtpu-parse.c \
	lib/gtpu/gtpu-path.c \
	lib/gtpu/gtpu-path.h \
	lib/gtpu/gtpu-private.h \
	lib/gtpu/gtpu-signalling.c \
	lib/gtpu/gtpu-signalling.h \
	lib/gtpu/gtpu-tlv.c \
	lib/gtpu/gtpu-watch.c \
	lib/gtpu/gtpu-watch.h \
	lib/gtpu/gtpu.h \
	lib/lb/lb-method.c \
	lib/lb/lb-method.h \
	lib/lb/lb-registry.c \
	lib/lb/lb-registry.h \
	lib/lb/lb-sticky.c \
	lib/lb/lb-sticky.h \
	lib/lb/lb-table.c \
	lib/lb/lb-table.h \
	lib/lb/maglev.c \
	lib/lb/maglev.h \
	lib/hash/siphash-batch-avx2.c \
	lib/hash/siphash-batch-avx512.c \
	lib/hash/siphash-batch.c \
	lib/hash/siphash-batch.h \
	lib/hash/siphash.h
