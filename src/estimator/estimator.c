/* SPDX-License-Identifier: MIT */
#include "estimator/estimator.h"

#include "core/dispatch.h"

#include <assert.h>
#include <string.h>

PGB_DECLARE_KERNEL(const pgb_estimator_class *const, pgb_estimator_classes, []);
PGB_DECLARE_KERNEL(pgb_episode_sum_fn, pgb_episode_sum, );

pgb_episode_sum_fn *pgb_episode_sum(pgb_isa isa) {
  static pgb_episode_sum_fn *const copies[PGB_ISA_COUNT] = PGB_DISPATCH(pgb_episode_sum);
  assert(isa < PGB_ISA_COUNT);
  return copies[isa];
}

const pgb_estimator_class *const *pgb_estimator_table(pgb_isa isa) {
  static const pgb_estimator_class *const *const tables[PGB_ISA_COUNT] = PGB_DISPATCH(pgb_estimator_classes);
  assert(isa < PGB_ISA_COUNT);
  return tables[isa];
}

const pgb_estimator_class *pgb_estimator_find(pgb_isa isa, const char *name) {
  for (const pgb_estimator_class *const *c = pgb_estimator_table(isa); *c != NULL; c++)
    if (strcmp((*c)->name, name) == 0 || pgb_is_word(name, (*c)->aliases))
      return *c;
  return NULL;
}
