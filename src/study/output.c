/* SPDX-License-Identifier: MIT */
#include "study/output.h"

#include "stats/stats.h"
#include "study/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static pgb_status axes(pgb_store *store, const pgb_study *study, const pgb_cell *cell) {
  void *room = NULL;
  const size_t most = study->n_estimators + study->n_baselines;
  PGB_TRY(pgb_alloc(most, sizeof(char *), &room));
  const char **label = room;
  for (size_t e = 0; e < study->n_estimators; e++)
    label[e] = study->estimators[e].label;
  for (size_t b = 0; b < study->n_baselines; b++)
    label[study->n_estimators + b] = study->baselines[b]->name;
  pgb_status s =
      pgb_store_axis_text(store, cell->group, "estimator", study->n_estimators, label, "gradient estimator");
  if (s.code == PGB_OK)
    s = pgb_store_axis_text(store, cell->group, "baseline", study->n_baselines, label + study->n_estimators,
                            "baseline");
  free(room);
  PGB_TRY(s);
  PGB_TRY(pgb_alloc(study->n_batches, sizeof(int64_t), &room));
  for (size_t n = 0; n < study->n_batches; n++)
    ((int64_t *)room)[n] = (int64_t)study->batches[n];
  s = pgb_store_axis_integer(store, cell->group, "batch", study->n_batches, room, "episode",
                             "episodes in one gradient estimate");
  free(room);
  PGB_TRY(s);
  return pgb_store_axis_text(store, cell->group, "parameter", cell->actor.shape.n_theta, cell->label,
                             "policy parameter");
}

static pgb_status attributes(pgb_store *store, const pgb_study *study, const pgb_cell *cell,
                             const pgb_cell_result *result) {
  const char *g = cell->group;
  PGB_TRY(pgb_store_text(store, g, "env", cell->actor.env->name));
  PGB_TRY(pgb_store_text(store, g, "policy", cell->actor.policy->name));
  PGB_TRY(pgb_store_text(store, g, "env_options", cell->env_config));
  PGB_TRY(pgb_store_text(store, g, "policy_options", cell->policy_config));
  PGB_TRY(pgb_store_text(store, g, "env_source", cell->actor.env->source));
  PGB_TRY(pgb_store_text(store, g, "oracle", result->oracle));
  PGB_TRY(pgb_store_real(store, g, "gamma", study->gamma));
  PGB_TRY(pgb_store_real(store, g, "exact_return", result->exact_return));
  PGB_TRY(pgb_store_unsigned(store, g, "horizon", cell->actor.space.horizon));
  return pgb_store_unsigned(store, g, "replicates", study->replicates);
}

pgb_status pgb_output_gradients(pgb_store *store, const pgb_study *study, size_t cell) {
  const char *group = study->cells[cell].group;
  void *replicate = NULL;
  PGB_TRY(pgb_alloc((size_t)study->replicates, sizeof(int64_t), &replicate));
  for (uint64_t r = 0; r < study->replicates; r++)
    ((int64_t *)replicate)[r] = (int64_t)r;
  pgb_status s = pgb_store_axis_integer(store, group, "replicate", (size_t)study->replicates, replicate, "1",
                                        "independent batch");
  free(replicate);
  PGB_TRY(s);
  return pgb_store_array(store, group, "gradient", "estimator,baseline,batch,replicate,parameter", NULL,
                         "return/parameter", "one batch estimate of the gradient");
}

/* [E][B][N][R][P] from pieces [block][pair][replicate of block][P] of each batch size. */
static pgb_status gradients_out(pgb_store *store, const pgb_study *study, size_t number,
                                double *const *gradients) {
  const pgb_cell *cell = &study->cells[number];
  const size_t d = cell->actor.shape.n_theta;
  const size_t n_pairs = study->n_estimators * study->n_baselines;
  const size_t stride = pgb_measure_stride(study, cell);
  PGB_TRY(pgb_output_gradients(store, study, number));
  for (size_t n = 0; n < study->n_batches; n++)
    for (size_t b = 0; b < pgb_block_count(study->replicates, stride); b++) {
      uint64_t first = 0;
      uint64_t end = 0;
      pgb_block_range(study->replicates, stride, b, &first, &end);
      for (size_t k = 0; k < n_pairs; k++)
        PGB_TRY(pgb_store_block(store, cell->group, "gradient",
                                ((k * study->n_batches + n) * study->replicates + first) * d,
                                (end - first) * d, gradients[n] + (first * n_pairs + k * (end - first)) * d));
    }
  return pgb_ok();
}

pgb_status pgb_output_cell(pgb_store *store, const pgb_study *study, size_t cell,
                           const pgb_cell_result *result, double *const *gradients) {
  const pgb_cell *c = &study->cells[cell];
  PGB_TRY(axes(store, study, c));
  PGB_TRY(attributes(store, study, c, result));
  PGB_TRY(pgb_store_array(store, c->group, "theta", "parameter", c->theta, "1", "policy parameters"));
  PGB_TRY(pgb_store_array(store, c->group, "exact_gradient", "parameter", result->exact_gradient,
                          "return/parameter", "gradient of the expected return"));
  for (int i = 0; i < PGB_VECTOR_COUNT; i++)
    PGB_TRY(pgb_store_array(store, c->group, pgb_vector_table[i].name, "estimator,baseline,batch,parameter",
                            result->vector[i], pgb_vector_table[i].unit, pgb_vector_table[i].long_name));
  for (int i = 0; i < PGB_FIGURE_COUNT; i++)
    PGB_TRY(pgb_store_array(store, c->group, pgb_figure_table[i].name, "estimator,baseline,batch",
                            result->figure[i], pgb_figure_table[i].unit, pgb_figure_table[i].long_name));
  for (int i = 0; i < PGB_ROLL_COUNT; i++)
    PGB_TRY(pgb_store_array(store, c->group, pgb_roll_table[i].name, "batch", result->roll[i],
                            pgb_roll_table[i].unit, pgb_roll_table[i].long_name));
  PGB_TRY(pgb_store_array(store, c->group, "biased", "estimator,baseline", result->biased, "1",
                          "1 where the expectation of the estimate is not the gradient"));
  PGB_TRY(pgb_store_texts(store, c->group, "reason", "estimator,baseline", result->reason,
                          "why figures are missing; empty where none is"));
  return gradients == NULL ? pgb_ok() : gradients_out(store, study, cell, gradients);
}

pgb_status pgb_output_timing(pgb_store *store, const double *seconds, int ranks) {
  void *rank = NULL;
  PGB_TRY(pgb_alloc((size_t)ranks, sizeof(int64_t), &rank));
  for (int r = 0; r < ranks; r++)
    ((int64_t *)rank)[r] = r;
  pgb_status s = pgb_store_axis_integer(store, "/timing", "rank", (size_t)ranks, rank, "1", "MPI rank");
  free(rank);
  PGB_TRY(s);
  PGB_TRY(
      pgb_store_axis_text(store, "/timing", "phase", PGB_PHASE_COUNT, pgb_phase_names, "phase of the run"));
  return pgb_store_array(store, "/timing", "seconds", "rank,phase", seconds, "s", "time spent in each phase");
}
