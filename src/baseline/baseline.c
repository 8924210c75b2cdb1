/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

#include "core/option.h"

#include <string.h>

#define PGB_BASELINE(name) extern const pgb_baseline_class pgb_baseline_##name;
#include "baseline/baselines.def"
#undef PGB_BASELINE

#define PGB_BASELINE(name) &pgb_baseline_##name,
const pgb_baseline_class *const pgb_baseline_table[] = {
#include "baseline/baselines.def"
    NULL};
#undef PGB_BASELINE

const pgb_baseline_class *pgb_baseline_find(const char *name) {
  for (const pgb_baseline_class *const *c = pgb_baseline_table; *c != NULL; c++)
    if (strcmp((*c)->name, name) == 0 || pgb_is_word(name, (*c)->aliases))
      return *c;
  return NULL;
}
