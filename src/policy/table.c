/* SPDX-License-Identifier: MIT */
/* Compiled once per instruction set: the list of policies.def in that set. */
#include "policy/policy.h"

extern const pgb_policy_class *const PGB_KERNEL(pgb_policy_classes)[];

#define PGB_POLICY(name) extern const pgb_policy_class PGB_KERNEL(pgb_policy_##name);
#include "policy/policies.def"
#undef PGB_POLICY

#define PGB_POLICY(name) &PGB_KERNEL(pgb_policy_##name),
const pgb_policy_class *const PGB_KERNEL(pgb_policy_classes)[] = {
#include "policy/policies.def"
    NULL};
#undef PGB_POLICY
