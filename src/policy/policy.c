/* SPDX-License-Identifier: MIT */
#include "policy/policy.h"

#include "core/dispatch.h"

#include <assert.h>
#include <string.h>

PGB_DECLARE_KERNEL(const pgb_policy_class *const, pgb_policy_classes, []);

const pgb_policy_class *const *pgb_policy_table(pgb_isa isa) {
  static const pgb_policy_class *const *const tables[PGB_ISA_COUNT] = PGB_DISPATCH(pgb_policy_classes);
  assert(isa < PGB_ISA_COUNT);
  return tables[isa];
}

const pgb_policy_class *pgb_policy_find(pgb_isa isa, const char *name) {
  for (const pgb_policy_class *const *c = pgb_policy_table(isa); *c != NULL; c++)
    if (strcmp((*c)->name, name) == 0)
      return *c;
  return NULL;
}
