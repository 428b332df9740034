/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/lb-method.h"

#include <string.h>

bool
lb_method_is_known(const char *method)
{
    return !strcmp(method, "maglev");
}
