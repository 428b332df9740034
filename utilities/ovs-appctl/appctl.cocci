// SPDX-License-Identifier: Apache-2.0
//
// Hooks into ovs-appctl: its exit status.

// include: utilities/ovs-appctl/appctl-status.h

// From 3.5 on, options of a command go to the daemon in a request of their
// own, whose error keeps its status.
// hook appctl_status: utilities/ovs-appctl.c, 1
@appctl_status@
symbol cmd, cmd_error;
expression result;
statement print, other;
@@
 if (cmd_error) {
     ...
-    exit(2);
+    exit(appctl_error_status(cmd));
 } else if (result) print else other
