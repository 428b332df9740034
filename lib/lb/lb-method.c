/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/lb/lb-method.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    enum lb_input input;
} methods[] = {
    { "maglev", LB_INPUT_PACKET },
    { "maglev-teid", LB_INPUT_TEID },
    { "maglev-inner", LB_INPUT_INNER },
};

#define N_METHODS (sizeof methods / sizeof methods[0])

static size_t
find_method(const char *name)
{
    size_t i = 0;

    while (i < N_METHODS && strcmp(name, methods[i].name)) {
        i++;
    }
    return i;
}

bool
lb_method_is_known(const char *method)
{
    return find_method(method) < N_METHODS;
}

bool
lb_method_has_version(const char *method, int version)
{
    return version == 1 || version >= 6 || !lb_method_is_known(method);
}

enum lb_input
lb_method_input(const char *method)
{
    size_t i = find_method(method);

    return i < N_METHODS ? methods[i].input : LB_INPUT_PACKET;
}

const char *
lb_method_name(enum lb_input input)
{
    size_t i = 0;

    while (methods[i].input != input) {
        i++;
    }
    return methods[i].name;
}
