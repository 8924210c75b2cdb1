/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STUDY_ROUNDS_H
#define PGB_STUDY_ROUNDS_H

#include "study/measure.h"
#include "study/pieces.h"
#include "study/run.h"

/* Inside of pgb_run: how the blocks of one cell and batch size are dealt to the ranks. Blocks go out in their
 * order, round by round, neighbours to each rank, and more of them to the faster ones, so that what is done
 * is always a number of first blocks; those of the last round are shared by their pieces. Between rounds the
 * ranks exchange whether to stop, whether a checkpoint is due and how fast each has been; nobody waits for
 * the answer, which is taken up one round later, by all ranks at the same point. A rank that is asked to stop
 * gives up its round at once, and then that round and the next count as not done. Which rank measures a
 * piece, and in which round, changes no bit. */
typedef struct pgb_rounds {
  const pgb_study *study;
  const pgb_run_options *options;
  pgb_comm *comm;
  const pgb_observer *observer;
  double seconds[PGB_PHASE_COUNT];
  double total, before; /* episodes of the study; those done by all ranks when this round began */
  double steps;         /* environment steps of this rank, in this launch                       */
  size_t share;         /* blocks of each rank in a round, on the average                       */
  double *words;        /* [n_words] what is exchanged; its last [ranks]: of the deal, as below */
  size_t n_words;
  double *cost, *dealt;     /* [ranks], by place: seconds of a replicate, or 0; pieces of this batch size */
  bool fresh;               /* cost was told during this batch size, or at its start, by all ranks      */
  size_t *begin;            /* [ranks + 1] of the last deal                                             */
  bool measured;            /* the agreement under way knows this batch size's time per block       */
  double slowest;           /* seconds of a block, as agreed                                        */
  double round_began, kept; /* clock: of this round, of the last checkpoint                     */
  double keeping;           /* seconds that a checkpoint takes                                  */
  bool late;                /* the deadline had passed on some rank at the last pause */
  bool further; /* this launch got somewhere: a time limit counts from then on, lest a run that is resumed
                 * with a limit that is too short never end                                        */
} pgb_rounds;

/* What a cell's blocks go into. */
typedef struct pgb_cell_room {
  pgb_plan plan;
  pgb_measure *measure;
  double *slots; /* [blocks][stride] on rank 0, [pgb_deal_owned][stride] on the others */
  double *nodes; /* [pgb_piece_nodes][stride]                                               */
  double *pilot; /* [n_pilot] pgb_pilot_sums */
  size_t n_pilot;
  double **gradients; /* [N], or NULL */
} pgb_cell_room;

/* Before the first cell; memory is the arena's. total: episodes of the study, before: those of what need not
 * be measured again. */
pgb_status pgb_rounds_start(pgb_rounds *rounds, double total, double before, pgb_arena *arena) PGB_MUST_CHECK;
/* Collective, after the last: nothing stays under way. */
pgb_status pgb_rounds_end(pgb_rounds *rounds) PGB_MUST_CHECK;

/* Collective. Measures the blocks of a cell and batch size from block `from` on and combines them; the slots
 * of the blocks before it are in room->slots on rank 0. cells: [n_cells] results
 * so far. PGB_STOPPED on all ranks after a checkpoint where one was asked to stop. */
pgb_status pgb_rounds_batch(pgb_rounds *rounds, size_t cell, size_t batch, size_t from,
                            const pgb_cell_room *room, const pgb_cell_result *cells) PGB_MUST_CHECK;

/* Collective, before a cell's blocks and between the parts of its planning: where one was asked to stop or a
 * checkpoint is due, keeps the pilot's sums, unless `begun`: then the checkpoint on disk has the cell's
 * blocks. PGB_STOPPED on all ranks where one was asked to. */
pgb_status pgb_rounds_pause(pgb_rounds *rounds, size_t cell, bool begun, const pgb_cell_room *room,
                            const pgb_cell_result *cells) PGB_MUST_CHECK;

/* Whether this rank is to stop: not 0. For pgb_measure_watch; self: pgb_rounds. */
int pgb_rounds_asked(void *self);

/* Collective. Combines words that ranks own, telling waiting from reducing; then agrees. */
pgb_status pgb_rounds_combine(pgb_rounds *rounds, double *slots, size_t n) PGB_MUST_CHECK;

#endif
