/* SPDX-License-Identifier: MIT */
/* For the driver of benchmarks/simgrid.sh alone. */
#ifndef PGB_SIMGRID_SIM_H
#define PGB_SIMGRID_SIM_H

#include <stddef.h>

/* pgbench's communication on a simulated cluster: one process, every rank a context of SimGrid's SMPI.
 *
 * Real: run, rounds, pieces, share, result, judge, predict and cost of src/study, src/comm, src/stats, and
 * src/core but for its clocks. So the messages, their order and their sizes are the program's own.
 *
 * Replaced (replaced.c): measure, plan and pilot of src/study, the oracle and the clocks. What would compute
 * lets simulated time pass, at rates that the script has measured with the program itself.
 *
 * Wrapped at link time (wrapped.c): the calls of MPI that move many words, so that 4,096 ranks fit into one
 * machine; the figures of rank 0, so that they take their time; the numbers of blocks and pieces, see thin.
 */

/* One setting, the same for all ranks. Seconds and rates are those of one core. */
typedef struct sim_setting {
  double ranks, weak;                /* weak 1: replicates are those of each rank               */
  double parameters, pairs, thin;    /* of `parameters`, every thin-th one is held, see below         */
  double batch, replicates, pilot;   /* as in a study                                           */
  double roll_fits, full_fits;       /* fits on the pilot sample: with rollouts alone, with gradients */
  double steps, episodes, spread;    /* of the real run; relative deviation of one episode's length */
  double roll_seconds, grad_seconds; /* of the real run                                          */
  double real_replicates;            /* of the real run, to tell its memory from that of another     */
  double peak, io_seconds;           /* of the real run                                          */
  double figure_seconds;             /* of rank 0's figures of one batch size                          */
  double word_seconds;               /* of a word in pgb_comm_combine: copies, checks, its addition */
  double calibrate;                  /* 1: tell figure_seconds of one rank, word_seconds of two   */
} sim_setting;

/* A policy of 10^6 parameters has blocks of 24 MB a pair, too much for 4,096 ranks in one process. It is run
 * with d/thin parameters and messages of LIMIT/thin bytes, so that the calls are the same ones; wrapped.c
 * sends each at its full size and cuts as many blocks as all parameters would. */
extern sim_setting sim;

void sim_pass(double seconds); /* simulated time of this rank */
double
sim_host_seconds(void); /* processor time of the whole process: what SMPI does not turn into simulated time */

/* wrapped.c. Once per process before a rank communicates; once per rank when all have met. */
int sim_wrap_open(int ranks);
void sim_wrap_measure(void);
extern double sim_figures_took; /* host seconds of the last pgb_result_measured */

#endif
