/* SPDX-License-Identifier: MIT */
#include "study/output.h"

#include "stats/stats.h"
#include "study/measure.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
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

typedef struct cell_column {
  const char *name, *unit, *long_name;
  size_t at; /* of a double in pgb_cell_timing */
} cell_column;

static const cell_column cell_columns[] = {
    {"cell_seconds", "s", "wall time of the cell, without the sampling behind its prediction",
     offsetof(pgb_cell_timing, seconds)},
    {"cell_predicted_seconds", "s", "wall time of the cell as predicted from a short sample",
     offsetof(pgb_cell_timing, predicted_seconds)},
    {"cell_predicted_other_seconds", "s",
     "the part of the predicted time without episodes: oracle, fits, figures, sums over ranks",
     offsetof(pgb_cell_timing, other_seconds)},
    {"cell_predicted_steps", "step", "environment steps as predicted from a short sample",
     offsetof(pgb_cell_timing, predicted_steps)},
    {"flops_per_step", "flop/step", "floating-point operations of rollout and all pairs, counted by formula",
     offsetof(pgb_cell_timing, step_flops)},
    {"bytes_per_step", "B/step", "bytes of rollouts and weights written or read, counted by formula",
     offsetof(pgb_cell_timing, step_bytes)},
    {"words_per_step", "1/step", "32-bit random words taken, counted by formula",
     offsetof(pgb_cell_timing, step_words)},
};

static pgb_status cells_out(pgb_store *store, const pgb_study *study, const pgb_run_result *result) {
  void *room = NULL;
  PGB_TRY(pgb_alloc(study->n_cells, sizeof(double) + sizeof(char *), &room));
  double *value = room;
  const char **label = (const char **)(value + study->n_cells);
  for (size_t c = 0; c < study->n_cells; c++)
    label[c] = study->cells[c].group + 1;
  pgb_status s =
      pgb_store_axis_text(store, "/timing", "cell", study->n_cells, label, "environment and policy");
  for (size_t i = 0; i < sizeof cell_columns / sizeof *cell_columns && s.code == PGB_OK; i++) {
    for (size_t c = 0; c < study->n_cells; c++)
      memcpy(&value[c], (const char *)&result->timing[c] + cell_columns[i].at, sizeof *value);
    s = pgb_store_array(store, "/timing", cell_columns[i].name, "cell", value, cell_columns[i].unit,
                        cell_columns[i].long_name);
  }
  free(room);
  return s;
}

static pgb_status totals_out(pgb_store *store, const pgb_study *study, const pgb_run_result *result) {
  const pgb_predicted total = pgb_predicted_total(result->timing, study->n_cells);
  PGB_TRY(pgb_store_real(store, "/timing", "elapsed_seconds", result->elapsed));
  PGB_TRY(pgb_store_real(store, "/timing", "steps_per_second", result->steps / result->elapsed));
  PGB_TRY(pgb_store_real(store, "/timing", "predicted_seconds", total.seconds));
  PGB_TRY(pgb_store_real(store, "/timing", "predicted_steps_per_second", total.steps_per_second));
  return pgb_store_real(store, "/timing", "estimated_memory_bytes", result->estimated_bytes);
}

pgb_status pgb_output_timing(pgb_store *store, const pgb_study *study, const pgb_run_result *result,
                             int ranks) {
  static const char *const moments[] = {"before", "peak"};
  void *rank = NULL;
  PGB_TRY(pgb_alloc((size_t)ranks, sizeof(int64_t), &rank));
  for (int r = 0; r < ranks; r++)
    ((int64_t *)rank)[r] = r;
  pgb_status s = pgb_store_axis_integer(store, "/timing", "rank", (size_t)ranks, rank, "1", "MPI rank");
  free(rank);
  PGB_TRY(s);
  PGB_TRY(
      pgb_store_axis_text(store, "/timing", "phase", PGB_PHASE_COUNT, pgb_phase_names, "phase of the run"));
  PGB_TRY(pgb_store_array(store, "/timing", "seconds", "rank,phase", result->seconds, "s",
                          "time spent in each phase"));
  PGB_TRY(pgb_store_array(store, "/timing", "processor_seconds", "rank", result->processor, "s",
                          "time that the rank had a core; less than the wall time where it had to share"));
  PGB_TRY(pgb_store_axis_text(store, "/timing", "moment", 2, moments, "before the cells, or the most ever"));
  PGB_TRY(pgb_store_array(store, "/timing", "memory", "rank,moment", (const double *)result->memory, "B",
                          "resident memory of a rank"));
  PGB_TRY(cells_out(store, study, result));
  return totals_out(store, study, result);
}

pgb_status pgb_output_timing_back(pgb_reader *reader, const pgb_study *study, const pgb_share *share,
                                  uint64_t first, uint64_t ranks, pgb_run_result *out) {
  const uint64_t seconds[2] = {ranks, PGB_PHASE_COUNT};
  const uint64_t memory[2] = {ranks, 2};
  const uint64_t cells[1] = {study->n_cells};
  double elapsed = 0;
  double bytes = 0;
  void *room = NULL;
  PGB_TRY(pgb_reader_numbers(reader, "/timing/seconds", 2, seconds, out->seconds + first * PGB_PHASE_COUNT));
  PGB_TRY(pgb_reader_numbers(reader, "/timing/processor_seconds", 1, seconds, out->processor + first));
  PGB_TRY(pgb_reader_numbers(reader, "/timing/memory", 2, memory, out->memory[first]));
  PGB_TRY(pgb_reader_real(reader, "/timing", "elapsed_seconds", &elapsed));
  PGB_TRY(pgb_reader_real(reader, "/timing", "estimated_memory_bytes", &bytes));
  out->elapsed += elapsed;
  out->estimated_bytes = fmax(out->estimated_bytes, bytes);
  PGB_TRY(pgb_alloc(study->n_cells, sizeof(double), &room));
  const double *value = room;
  pgb_status s = pgb_ok();
  for (size_t i = 0; i < sizeof cell_columns / sizeof *cell_columns && s.code == PGB_OK; i++) {
    char path[64];
    (void)snprintf(path, sizeof path, "/timing/%s", cell_columns[i].name);
    s = pgb_reader_numbers(reader, path, 1, cells, room);
    for (size_t c = 0; c < study->n_cells && s.code == PGB_OK; c++)
      if (pgb_share_has(share, c))
        memcpy((char *)&out->timing[c] + cell_columns[i].at, &value[c], sizeof *value);
  }
  free(room);
  return s;
}

pgb_status pgb_output_share(pgb_store *store, const pgb_share *share) {
  char text[64];
  if (share->n == 0)
    return pgb_ok();
  (void)snprintf(text, sizeof text, "%zu/%zu", share->k, share->n);
  return pgb_store_text(store, "/", "share", text);
}
