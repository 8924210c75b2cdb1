/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

#include <string.h>

#define PGB_BASELINE(name) extern const pgb_baseline_class pgb_baseline_##name;
#include "baseline/baselines.def"
#undef PGB_BASELINE

#define PGB_BASELINE(name) &pgb_baseline_##name,
const pgb_baseline_class *const pgb_baseline_table[] = {
#include "baseline/baselines.def"
    NULL};
#undef PGB_BASELINE

/* Whether `name` is one of the words of "a|b|c". */
static bool among(const char *name, const char *words) {
  const size_t length = strlen(name);
  while (words != NULL && *words != '\0') {
    const size_t word = strcspn(words, "|");
    if (word == length && strncmp(name, words, length) == 0)
      return true;
    words += word + (words[word] == '|');
  }
  return false;
}

const pgb_baseline_class *pgb_baseline_find(const char *name) {
  for (const pgb_baseline_class *const *c = pgb_baseline_table; *c != NULL; c++)
    if (strcmp((*c)->name, name) == 0 || among(name, (*c)->aliases))
      return *c;
  return NULL;
}
