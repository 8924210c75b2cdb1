/* SPDX-License-Identifier: MIT */
/* One launch of pgbench on a simulated cluster: `driver name=value...`, the names of sim_setting. Prints one
 * line of figures, name=value too. */
#include "sim.h"

#include "stats/block.h"
#include "study/run.h"

#include <mpi.h>
#include <simgrid/actor.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIELD(name)                                                                                          \
  { #name, offsetof(sim_setting, name) }
static const struct {
  const char *name;
  size_t at;
} fields[] = {FIELD(ranks),     FIELD(weak),         FIELD(parameters),     FIELD(pairs),
              FIELD(thin),      FIELD(batch),        FIELD(replicates),     FIELD(pilot),
              FIELD(roll_fits), FIELD(full_fits),    FIELD(steps),          FIELD(episodes),
              FIELD(spread),    FIELD(roll_seconds), FIELD(grad_seconds),   FIELD(real_replicates),
              FIELD(peak),      FIELD(io_seconds),   FIELD(figure_seconds), FIELD(word_seconds),
              FIELD(calibrate)};

enum { LIMIT = 4 << 20 }; /* of comm_mpi.c */

sim_setting sim;

void sim_pass(double seconds) {
  if (seconds > 0)
    sg_actor_sleep_for(seconds);
}

double sim_host_seconds(void) {
  struct timespec now = {0, 0};
  (void)syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Whether every word is name=number; all ranks read the same. */
static bool read_setting(int argc, char **argv) {
  sim_setting s = {.thin = 1};
  for (int i = 1; i < argc; i++) {
    const char *is = strchr(argv[i], '=');
    char *end = NULL;
    size_t f = 0;
    const size_t n = sizeof fields / sizeof *fields;
    while (is != NULL && f < n &&
           (strlen(fields[f].name) != (size_t)(is - argv[i]) ||
            strncmp(fields[f].name, argv[i], (size_t)(is - argv[i])) != 0))
      f++;
    if (is == NULL || f == n)
      return false;
    const double value = strtod(is + 1, &end);
    if (end == is + 1 || *end != '\0')
      return false;
    memcpy((char *)&s + fields[f].at, &value, sizeof value);
  }
  sim = s;
  return s.ranks >= 1 && s.parameters >= 1 && s.pairs >= 1 && s.batch >= 1 && s.replicates >= 2 &&
         s.steps > 0 && s.episodes > 0;
}

/* The study's sizes are all that the real files ask for. */
typedef struct toy {
  pgb_study study;
  pgb_cell cell;
  pgb_study_estimator estimator;
  pgb_baseline_class none, other;
  const pgb_baseline_class *baselines[64];
  uint64_t batch;
} toy;

static void fill(toy *t, size_t parameters, double replicates) {
  memset(t, 0, sizeof *t);
  t->cell.group = "/cartpole/simulated";
  t->cell.actor.shape.n_theta = parameters;
  t->estimator.label = "estimator";
  t->none = (pgb_baseline_class){.name = "none", .kind = PGB_BASELINE_NONE};
  t->other = (pgb_baseline_class){.name = "other", .kind = PGB_BASELINE_VALUE};
  for (size_t b = 0; b < 64; b++)
    t->baselines[b] = b == 0 ? &t->none : &t->other;
  t->batch = (uint64_t)sim.batch;
  t->study = (pgb_study){.n_cells = 1,
                         .n_estimators = 1,
                         .n_baselines = (size_t)sim.pairs,
                         .n_batches = 1,
                         .cells = &t->cell,
                         .estimators = &t->estimator,
                         .baselines = t->baselines,
                         .batches = &t->batch,
                         .replicates = (uint64_t)replicates,
                         .pilot = (uint64_t)sim.pilot};
}

/* Bytes of a rank: the peak of the real run, and what the run's own estimate says that this one needs more.
 * Before anything is simulated, for it counts all parameters. */
static double bytes_of(double replicates) {
  const pgb_run_options options = {.unpredicted = true};
  toy here;
  toy real;
  const double thin = sim.thin;
  sim.thin = 1;
  fill(&here, (size_t)sim.parameters, replicates);
  fill(&real, (size_t)sim.parameters, sim.real_replicates);
  const double more = pgb_run_estimate(&here.study, &options, (int)sim.ranks).bytes_per_rank -
                      pgb_run_estimate(&real.study, &options, 1).bytes_per_rank;
  sim.thin = thin;
  return sim.peak + more;
}

static pgb_status on_cell(void *self, size_t cell, const pgb_cell_result *result, double *const *gradients) {
  (void)self;
  (void)cell;
  (void)gradients;
  sim_pass(sim.io_seconds);
  return isnan(result->figure[PGB_VARIANCE_TRACE][0])
             ? pgb_fail(PGB_RUNTIME, "simgrid: a figure is not a number; report this as a bug")
             : pgb_ok();
}

/* Rank 0's line. start: seconds until the ranks had met. */
static void print(const pgb_run_result *r, double start, double bytes) {
  double sum[PGB_PHASE_COUNT] = {0};
  int idle = 0;
  for (int k = 0; k < (int)sim.ranks; k++) {
    const double *s = r->seconds + (size_t)k * PGB_PHASE_COUNT;
    for (int p = 0; p < PGB_PHASE_COUNT; p++)
      sum[p] += s[p];
    idle += s[PGB_PHASE_ROLLOUT] == 0;
  }
  const double all = sim.ranks * r->elapsed;
  printf("seconds=%.6g busy=%.6g reduce=%.6g allreduce=%.6g wait=%.6g io=%.6g start=%.6g idle=%d bytes=%.0f "
         "host=%.1f\n",
         r->elapsed, (sum[PGB_PHASE_ROLLOUT] + sum[PGB_PHASE_GRADIENT]) / all, sum[PGB_PHASE_REDUCE] / all,
         sum[PGB_PHASE_REDUCE] / sim.ranks, sum[PGB_PHASE_WAIT] / all, sum[PGB_PHASE_IO] / all, start, idle,
         bytes, sim_host_seconds());
}

/* What the machine takes for a word of pgb_comm_combine on a rank: two ranks share this process, so half of
 * its time, the fastest of some tries. wrapped.c adds and copies the words as MPI would, and leaves the
 * simulation of a long row of equal messages out. */
static pgb_status calibrate(pgb_comm *comm) {
  enum { N = 8 * (LIMIT / 8 - 1), TRIES = 5 };
  void *room = NULL;
  double word = INFINITY;
  PGB_TRY(pgb_comm_agree(comm, pgb_alloc(N, sizeof(double), &room)));
  pgb_status s = pgb_ok();
  for (int i = 0; i < TRIES && s.code == PGB_OK; i++) {
    memset(room, pgb_comm_rank(comm) == 0 ? 1 : 0, N * sizeof(double));
    PGB_TRY_OR(end, s, pgb_comm_barrier(comm));
    const double start = sim_host_seconds();
    s = pgb_comm_combine(comm, room, N);
    PGB_TRY_OR(end, s, pgb_comm_barrier(comm));
    word = fmin(word, (sim_host_seconds() - start) / (sim.ranks * N));
  }
  if (pgb_comm_rank(comm) == 0)
    printf("word_seconds=%.6g\n", word);
end:
  free(room);
  return s;
}

static pgb_status simulate(pgb_comm *comm, double start, const toy *t, double bytes) {
  const pgb_run_options options = {.unpredicted = true}; /* as `pgbench scaling` */
  const pgb_observer observer = {.cell = on_cell};
  pgb_arena *arena = NULL;
  pgb_run_result result;
  memset(&result, 0, sizeof result);
  pgb_status s = pgb_comm_agree(comm, pgb_arena_create(&arena));
  if (s.code == PGB_OK)
    s = pgb_run(&t->study, &options, comm, &observer, arena, &result);
  if (s.code == PGB_OK && sim.calibrate > 0 && sim.ranks == 2)
    s = calibrate(comm);
  else if (s.code == PGB_OK && sim.calibrate > 0)
    printf("figure_seconds=%.6g\n", sim_figures_took);
  else if (s.code == PGB_OK && pgb_comm_rank(comm) == 0)
    print(&result, start, bytes);
  pgb_arena_destroy(arena);
  return s;
}

int main(int argc, char **argv) {
  pgb_comm *comm = NULL;
  if (!read_setting(argc, argv) || !sim_wrap_open((int)sim.ranks)) {
    (void)fprintf(stderr, "driver: a setting is missing or no name=number, or memory is short; "
                          "benchmarks/simgrid.sh calls it\n");
    return 2;
  }
  const double replicates = sim.replicates * (sim.weak > 0 ? sim.ranks : 1);
  const double bytes = bytes_of(replicates);
  const double before = MPI_Wtime();
  pgb_status s = pgb_comm_create(&argc, &argv, &comm);
  if (s.code == PGB_OK) {
    const double start = MPI_Wtime() - before;
    toy t;
    fill(&t, (size_t)(sim.parameters / sim.thin), replicates);
    pgb_comm_limit(comm, (size_t)(LIMIT / sim.thin));
    sim_wrap_measure();
    s = simulate(comm, start, &t, bytes);
  }
  if (s.code != PGB_OK)
    (void)fprintf(stderr, "driver: %s\n", s.text);
  pgb_comm_destroy(comm);
  return s.code == PGB_OK ? 0 : 1;
}
