/* SPDX-License-Identifier: MIT */
/* What a study takes, before it is run. */
#include "cli/report.h"

#include <math.h>
#include <string.h>

const char *pgb_quantity_text(double x, char text[PGB_QUANTITY_TEXT]) {
  static const char *const units[] = {"", " k", " M", " G", " T", " P"};
  size_t u = 0;
  for (; x >= 999.5 && u + 1 < sizeof units / sizeof *units; u++)
    x /= 1000;
  (void)snprintf(text, PGB_QUANTITY_TEXT, "%.3g%s", x, units[u]);
  return text;
}

const char *pgb_bytes_text(double bytes, char text[PGB_QUANTITY_TEXT]) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t u = 0;
  for (; bytes >= 1024 && u + 1 < sizeof units / sizeof *units; u++)
    bytes /= 1024;
  (void)snprintf(text, PGB_QUANTITY_TEXT, u == 0 ? "%.0f %s" : "%.1f %s", bytes, units[u]);
  return text;
}

/* 0.0123 as "12.3 ms", 7200 as "2 h". */
static const char *time_text(double seconds, char text[PGB_QUANTITY_TEXT]) {
  if (seconds < 1)
    (void)snprintf(text, PGB_QUANTITY_TEXT, "%.3g ms", 1e3 * seconds);
  else if (seconds < 600)
    (void)snprintf(text, PGB_QUANTITY_TEXT, "%.3g s", seconds);
  else if (seconds < 36e3)
    (void)snprintf(text, PGB_QUANTITY_TEXT, "%.3g min", seconds / 60);
  else
    (void)snprintf(text, PGB_QUANTITY_TEXT, "%.3g h", seconds / 3600);
  return text;
}

/* A count, or a dash for what is not counted. */
static const char *count_text(double x, char text[PGB_QUANTITY_TEXT]) {
  (void)snprintf(text, PGB_QUANTITY_TEXT, isnan(x) ? "-" : "%.4g", x);
  return text;
}

static void print_part(FILE *out, const char *name, pgb_cost c) {
  char flops[PGB_QUANTITY_TEXT];
  (void)fprintf(out, "    %-32s %10s %10.4g %8.4g\n", name, count_text(c.flops, flops), c.bytes, c.words);
}

/* Estimators down, baselines across. */
static void print_pairs(FILE *out, const pgb_study *s, const pgb_cell_timing *t) {
  char flops[PGB_QUANTITY_TEXT];
  (void)fprintf(out, "    a pair's own rows, flop per step\n      %-20s", "");
  for (size_t b = 0; b < s->n_baselines; b++)
    (void)fprintf(out, " %4s", s->baselines[b]->name);
  (void)fprintf(out, "\n");
  for (size_t e = 0; e < s->n_estimators; e++) {
    (void)fprintf(out, "      %-20s", s->estimators[e].label);
    for (size_t b = 0; b < s->n_baselines; b++) {
      const pgb_cost c = t->pairs[e * s->n_baselines + b].step;
      const int width = (int)strlen(s->baselines[b]->name);
      (void)fprintf(out, " %*s", width < 4 ? 4 : width,
                    c.bytes == 0 ? "" : count_text(c.flops, flops)); /* undefined pairs are empty */
    }
    (void)fprintf(out, "\n");
  }
}

static void print_cell(FILE *out, const pgb_outlook *o, size_t cell) {
  const pgb_actor *a = &o->study->cells[cell].actor;
  const pgb_cell_timing *t = &o->timing[cell];
  char rate[PGB_QUANTITY_TEXT];
  char time[PGB_QUANTITY_TEXT];
  char name[64];
  pgb_cost rows = t->cost.step;
  const pgb_cost rest[] = {pgb_cost_env(a), pgb_cost_policy(a), pgb_cost_return()};
  static const char *const names[] = {"environment", "policy: sample and score", "reward-to-go"};
  (void)fprintf(out, "    %-32s %10s %10s %8s\n", "per step", "flop", "bytes", "words");
  for (size_t i = 0; i < 3; i++) {
    (void)snprintf(name, sizeof name, "  %s", names[i]);
    print_part(out, name, rest[i]);
    rows.flops -= rest[i].flops;
    rows.bytes -= rest[i].bytes;
    rows.words -= rest[i].words;
  }
  (void)snprintf(name, sizeof name, "  %zu weight rows", t->cost.n_rows);
  print_part(out, name, rows);
  print_part(out, "per episode", t->cost.episode);
  print_part(out, "per batch", t->cost.batch);
  print_part(out, "all of it, per step",
             (pgb_cost){.flops = t->step_flops, .bytes = t->step_bytes, .words = t->step_words});
  print_pairs(out, o->study, t);
  (void)fprintf(out, "    predicted  %s steps/s,",
                pgb_quantity_text(t->predicted_steps / t->predicted_seconds, rate));
  (void)fprintf(out, " %s steps in", pgb_quantity_text(t->predicted_steps, rate));
  (void)fprintf(out, " %s\n", time_text(t->predicted_seconds, time));
}

static void print_time(FILE *out, const pgb_outlook *o) {
  char text[PGB_QUANTITY_TEXT];
  if (o->timing == NULL) {
    (void)fprintf(out, "  time    not predicted: %s\n", o->why);
    return;
  }
  const pgb_predicted p = pgb_predicted_total(o->timing, o->study->n_cells);
  (void)fprintf(out, "  rate    %s environment steps/s predicted on",
                pgb_quantity_text(p.steps_per_second, text));
  (void)fprintf(out, " %d rank%s", o->ranks, o->ranks == 1 ? "" : "s");
  (void)fprintf(out, " for %s steps\n", pgb_quantity_text(p.steps, text));
  (void)fprintf(out, "  time    %s predicted", time_text(p.seconds, text));
  (void)fprintf(out, ", %s of it without episodes (oracle, fits, figures, sums over ranks)\n",
                time_text(p.other_seconds, text));
  (void)fprintf(out,
                "          assumed: rates and episode lengths of a short sample of each cell, taken now; %s; "
                "without writing the file\n",
                (o->ranks + o->nodes - 1) / o->nodes > pgb_node_cores()
                    ? "cores shared by the ranks of a node, of which there are more"
                    : "a core for each rank");
  (void)fprintf(out,
                "  counts  by formula: +, -, *, / and sqrt are 1 flop each, exp, log, sin and cos those of "
                "their polynomials; bytes of rollouts and weights, in cache; 32-bit random words\n");
}

void pgb_print_outlook(FILE *out, const pgb_outlook *o) {
  const pgb_study *s = o->study;
  char memory[PGB_QUANTITY_TEXT];
  char file[PGB_QUANTITY_TEXT];
  for (size_t c = 0; c < s->n_cells; c++) {
    if (!pgb_share_has(&o->share, c))
      continue;
    (void)fprintf(out, "  cell %zu  %-32s %zu parameters, horizon %zu\n", c + 1, s->cells[c].group + 1,
                  s->cells[c].actor.shape.n_theta, s->cells[c].actor.space.horizon);
    if (o->timing != NULL)
      print_cell(out, o, c);
  }
  (void)fprintf(out, "  pairs   %zu estimators x %zu baselines, %zu batch sizes\n", s->n_estimators,
                s->n_baselines, s->n_batches);
  (void)fprintf(out, "  work    %.4g episodes, at most %.4g environment steps, in %.0f blocks\n",
                o->estimate.episodes, o->estimate.max_steps, o->estimate.blocks);
  (void)fprintf(out, "  memory  %s per rank at the most; file about %s\n",
                pgb_bytes_text(o->estimate.bytes_per_rank, memory),
                pgb_bytes_text(o->estimate.file_bytes, file));
  print_time(out, o);
}
