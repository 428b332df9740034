# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += lib/libext.la
lib_libext_la_SOURCES = \
	lib/fuse-program.c \
	lib/fuse-program.h \
	lib/fuse-replay-avx2.c \
	lib/fuse-replay-avx512.c \
	lib/fuse-replay-impl.h \
	lib/fuse-replay.c \
	lib/fuse-replay.h \
	lib/fuse-shape.c \
	lib/fuse-shape.h \
	lib/fuse-table.c \
	lib/fuse-table.h \
	lib/gtpu-build.c \
	lib/gtpu-ie.c \
	lib/gtpu-limit.c \
	lib/gtpu-limit.h \
	lib/gtpu-name.c \
	lib/gtpu-parse.c \
	lib/gtpu-path.c \
	lib/gtpu-path.h \
	lib/gtpu-private.h \
	lib/gtpu-signalling.c \
	lib/gtpu-signalling.h \
	lib/gtpu-tlv.c \
	lib/gtpu-watch.c \
	lib/gtpu-watch.h \
	lib/gtpu.h \
	lib/lb-method.c \
	lib/lb-method.h \
	lib/lb-registry.c \
	lib/lb-registry.h \
	lib/lb-sticky.c \
	lib/lb-sticky.h \
	lib/lb-table.c \
	lib/lb-table.h \
	lib/maglev.c \
	lib/maglev.h \
	lib/siphash-batch-avx2.c \
	lib/siphash-batch-avx512.c \
	lib/siphash-batch.c \
	lib/siphash-batch.h \
	lib/siphash.h
EXTRA_DIST += lib/hooks.cocci
