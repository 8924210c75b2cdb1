/* SPDX-License-Identifier: MIT */
#include "env/env.h"

#include "core/dispatch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

PGB_DECLARE_KERNEL(const pgb_env_class *const, pgb_env_classes, []);

const pgb_env_class *const *pgb_env_table(pgb_isa isa) {
  static const pgb_env_class *const *const tables[PGB_ISA_COUNT] = PGB_DISPATCH(pgb_env_classes);
  assert(isa < PGB_ISA_COUNT);
  return tables[isa];
}

const pgb_env_class *pgb_env_find(pgb_isa isa, const char *name) {
  for (const pgb_env_class *const *c = pgb_env_table(isa); *c != NULL; c++)
    if (strcmp((*c)->name, name) == 0)
      return *c;
  return NULL;
}

pgb_status pgb_batch_create(const pgb_space *space, pgb_batch **out) {
  const size_t rows = space->n_state + space->n_obs + space->n_act + 1;
  const size_t lane_bytes = rows * sizeof(float) + sizeof(int32_t) + sizeof(uint8_t);
  const size_t head = (sizeof(pgb_batch) + 63) / 64 * 64;
  void *piece = NULL;
  *out = NULL;
  PGB_TRY(pgb_alloc(head + lane_bytes * PGB_LANES, 1, &piece));
  pgb_batch *b = piece;
  b->state = (float *)(void *)((char *)piece + head);
  b->obs = b->state + space->n_state * PGB_LANES;
  b->act = b->obs + space->n_obs * PGB_LANES;
  b->reward = b->act + space->n_act * PGB_LANES;
  b->step = (int32_t *)(void *)(b->reward + PGB_LANES);
  b->end = (uint8_t *)(b->step + PGB_LANES);
  *out = b;
  return pgb_ok();
}

void pgb_batch_destroy(pgb_batch *batch) {
  free(batch);
}
