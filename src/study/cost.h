/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_COST_H
#define PGB_STUDY_COST_H

#include "study/plan.h"

/* Cost models: what one unit of work takes, counted by hand from the formulas in the sources and not from
 * machine code, so that they hold for every instruction set and way of computing the same thing.
 * flops: additions, subtractions, multiplications, divisions and square roots of floating-point numbers, one
 *   each; exp, log, sine and cosine as the polynomials of core/vmath.h. Comparisons, selections, conversions,
 *   table look-ups and everything on integers (the random words themselves) count nothing.
 * bytes: numbers of the rollout's arrays (env/steps.h) and of weight rows that are written or read, once for
 *   each pass over them. They stay in a core's own caches; main memory sees next to nothing of them.
 * words: 32-bit random words taken (Philox makes them by four).
 * NaN: the class is not in the tables of cost.c (a plug-in). */
typedef struct pgb_cost {
  double flops, bytes, words;
} pgb_cost;

/* One step of the environment; one step of the policy: logits or mean, sampling, d log pi / d logits. */
pgb_cost pgb_cost_env(const pgb_actor *actor);
pgb_cost pgb_cost_policy(const pgb_actor *actor);
/* The start of an episode. */
pgb_cost pgb_cost_reset(const pgb_actor *actor);
/* Reward-to-go of one step. */
pgb_cost pgb_cost_return(void);
/* One step in one weight row: its weight, the state value that enters it, and its share of the contraction.
 */
pgb_cost pgb_cost_row(const pgb_study *study, const pgb_actor *actor, const pgb_row *row);

/* What one pair takes on rollouts that are there already, rows that it shares with other pairs being counted
 * in full; zero where the pair is not defined. */
typedef struct pgb_pair_cost {
  pgb_cost step, episode, batch;
} pgb_pair_cost;
pgb_pair_cost pgb_cost_pair(const pgb_study *study, size_t cell, const pgb_plan *plan, size_t pair);

/* A whole cell: rollout and all its pairs, shared rows once. */
typedef struct pgb_cell_cost {
  size_t n_rows;
  pgb_cost step, episode, batch;
} pgb_cell_cost;
pgb_cell_cost pgb_cost_cell(const pgb_study *study, size_t cell, const pgb_plan *plan);

/* The same per step, for batches of that many episodes of that mean length. */
pgb_cost pgb_cost_per_step(const pgb_cell_cost *cost, double batch, double length);

#endif
