// SPDX-License-Identifier: Apache-2.0
//
// Hooks into what Open vSwitch reads and decodes: the selection method of
// groups.

// include: lib/lb/lb-method.h

// hook method_decode: lib/ofp-group.c, 1
@method_decode@
expression method;
@@
-strcmp("dp_hash", method)
+strcmp("dp_hash", method) && !lb_method_is_known(method)

// hook method_decode_fields: lib/ofp-group.c, 1
@method_decode_fields@
expression method;
identifier fields_len;
@@
-fields_len && strcmp("hash", method)
+fields_len && strcmp("hash", method) && !lb_method_is_known(method)

// hook method_parse_fields: lib/ofp-group.c, 1
@method_parse_fields@
expression method;
idexpression gm;
@@
-strcmp(method, "hash") &&
+strcmp(method, "hash") && !lb_method_is_known(method) &&
 gm->props.fields.values_size
