/* SPDX-License-Identifier: Apache-2.0
 *
 * What Coccinelle has to know of Open vSwitch's macros to parse its source:
 * annotations that stand for nothing, and macros that open a loop or are a
 * statement.  Read by spatch alone; no compiler sees it.
 *
 * A hook that does not match although it should is often next to a macro that
 * misses here: 'spatch --macro-file build-aux/hook-macros.h --parse-c FILE'
 * tells which lines it could not parse. */

/* Annotations. */
#define OVS_UNUSED
#define OVS_REQUIRES(...)
#define OVS_REQ_RDLOCK(...)
#define OVS_REQ_WRLOCK(...)
#define OVS_EXCLUDED(...)
#define OVS_ACQUIRES(...)
#define OVS_RELEASES(...)
#define OVS_TRY_LOCK(...)
#define OVS_TRY_RDLOCK(...)
#define OVS_TRY_WRLOCK(...)
#define OVS_GUARDED
#define OVS_GUARDED_BY(...)
#define OVS_ACQ_BEFORE(...)
#define OVS_ACQ_AFTER(...)
#define OVS_NO_THREAD_SAFETY_ANALYSIS
#define OVS_WARN_UNUSED_RESULT
#define OVS_PRINTF_FORMAT(...)
#define OVS_ALIGNED_VAR(x)
#define ALWAYS_INLINE
#define OVS_LIKELY(x) (x)
#define OVS_UNLIKELY(x) (x)
#define ATOMIC(x) x
#define OVSRCU_TYPE(x) x

/* Loops. */
#define NL_ATTR_FOR_EACH MACROFOREACH
#define NL_ATTR_FOR_EACH_UNSAFE MACROFOREACH
#define NL_NESTED_FOR_EACH MACROFOREACH
#define NL_NESTED_FOR_EACH_UNSAFE MACROFOREACH
#define DP_PACKET_BATCH_FOR_EACH MACROFOREACH
#define DP_PACKET_BATCH_REFILL_FOR_EACH MACROFOREACH
#define HMAP_FOR_EACH MACROFOREACH
#define HMAP_FOR_EACH_SAFE MACROFOREACH
#define HMAP_FOR_EACH_POP MACROFOREACH
#define HMAP_FOR_EACH_WITH_HASH MACROFOREACH
#define HMAP_FOR_EACH_IN_BUCKET MACROFOREACH
#define CMAP_FOR_EACH MACROFOREACH
#define CMAP_FOR_EACH_SAFE MACROFOREACH
#define CMAP_FOR_EACH_WITH_HASH MACROFOREACH
#define CLS_FOR_EACH MACROFOREACH
#define CLS_FOR_EACH_TARGET MACROFOREACH
#define PVECTOR_FOR_EACH MACROFOREACH
#define LIST_FOR_EACH MACROFOREACH
#define LIST_FOR_EACH_SAFE MACROFOREACH
#define LIST_FOR_EACH_POP MACROFOREACH
#define SHASH_FOR_EACH MACROFOREACH
#define SHASH_FOR_EACH_SAFE MACROFOREACH
#define SIMAP_FOR_EACH MACROFOREACH
#define SMAP_FOR_EACH MACROFOREACH
#define SSET_FOR_EACH MACROFOREACH
#define OFPACT_FOR_EACH MACROFOREACH
#define GROUP_COLLECTION_FOR_EACH MACROFOREACH
#define RULE_COLLECTION_FOR_EACH MACROFOREACH
#define BITMAP_FOR_EACH_1 MACROFOREACH
#define ULLONG_FOR_EACH_1 MACROFOREACH
#define MINIFLOW_FOR_EACH_IN_FLOWMAP MACROFOREACH
#define NETDEV_TC_FOR_EACH MACROFOREACH

/* Statements and declarations. */
#define DEFINE_STATIC_PER_THREAD_DATA(...) MACROSTATEMENT
#define VLOG_DEFINE_THIS_MODULE(...) MACROSTATEMENT
#define COVERAGE_DEFINE(...) MACROSTATEMENT
