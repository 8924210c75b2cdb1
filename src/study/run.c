/* SPDX-License-Identifier: MIT */
#include "study/run.h"

#include "core/clock.h"
#include "stats/stats.h"
#include "study/pilot.h"
#include "study/rounds.h"

#include <math.h>
#include <stdlib.h>

const char *const pgb_phase_names[PGB_PHASE_COUNT] = {"rollout", "gradient", "reduce", "io", "wait"};

/* Processor time of one piece of a sample: long enough to be timed, short enough not to be missed. */
static const double sample_piece = 4e-4;

typedef struct runner {
  pgb_rounds rounds;
  const pgb_study *study;
  const pgb_run_options *options;
  pgb_comm *comm;
  const pgb_observer *observer;
  double sampling; /* seconds that predicting the cell took */
} runner;

static bool is_root(const runner *r) {
  return pgb_comm_rank(r->comm) == 0;
}

/* Whether an earlier launch measured something of the cell, and not all. */
static bool is_begun(const runner *r, size_t cell) {
  return r->options->resumed && cell == r->options->start.cell && pgb_point_begun(&r->options->start);
}

/* Everything of one cell and batch size. */
static pgb_status run_batch(runner *r, size_t cell, size_t batch, const pgb_cell_room *room,
                            pgb_cell_result *cells) {
  const size_t stride = pgb_measure_stride(r->study, &r->study->cells[cell]);
  const size_t n_blocks = pgb_block_count(r->study->replicates, stride);
  const pgb_point *start = &r->options->start;
  const bool begun = is_begun(r, cell) && batch == start->batch;
  const size_t from = begun ? start->block : 0;
  PGB_TRY(pgb_rounds_batch(&r->rounds, cell, batch, from, room, cells));
  if (is_root(r))
    pgb_result_measured(r->study, cell, batch, &room->plan, room->slots, n_blocks, &cells[cell]);
  return pgb_ok();
}

/* A cell on its way to its first block. */
typedef struct opening {
  runner *runner;
  size_t cell;
  bool begun;
  const pgb_cell_room *room;
  pgb_cell_result *cells;
  double sampled; /* episodes of the pilot sample that this launch began with */
} opening;

static pgb_status pause_opening(void *self) {
  const opening *o = self;
  return pgb_rounds_pause(&o->runner->rounds, o->cell, o->begun, o->room, o->cells);
}

static int asked_pilot(void *self) {
  const opening *o = self;
  return pgb_rounds_asked(&o->runner->rounds);
}

static pgb_status pause_pilot(void *self) {
  const opening *o = self;
  o->runner->rounds.further = o->runner->rounds.further || *o->room->pilot > o->sampled;
  return pause_opening(self);
}

/* Exact figures, dealt to the ranks pair by pair. */
static pgb_status exact_cell(opening *o, pgb_arena *arena) {
  const runner *r = o->runner;
  const pgb_plan *plan = &o->room->plan;
  const size_t d = plan->problem.n_theta;
  const size_t n = plan->n_pairs * r->study->n_batches;
  const size_t size = (size_t)pgb_comm_size(r->comm);
  void *exact = NULL;
  PGB_TRY(pgb_comm_agree(r->comm, pgb_arena_alloc(arena, n * 2 * d, sizeof(double), &exact)));
  for (size_t first = 0; first < n; first += size) {
    const size_t at = first + (size_t)pgb_comm_rank(r->comm);
    if (at < n)
      pgb_exact_pair(r->study, plan, at / r->study->n_batches, at % r->study->n_batches,
                     o->cells[o->cell].exact_gradient, (double *)exact + at * 2 * d);
    PGB_TRY(pause_opening(o));
  }
  PGB_TRY(pgb_comm_agree(r->comm, pgb_arena_sufficed(arena)));
  PGB_TRY(pgb_rounds_combine(&o->runner->rounds, exact, n * 2 * d));
  if (is_root(r))
    pgb_result_exact(r->study, o->cell, exact, &o->cells[o->cell]);
  return pgb_ok();
}

static pgb_status take_room(const runner *r, size_t cell, pgb_arena *arena, pgb_cell_room *room) {
  const pgb_study *study = r->study;
  const pgb_cell *c = &study->cells[cell];
  void *slots = NULL;
  void *nodes = NULL;
  void *table = NULL;
  const size_t stride = pgb_measure_stride(study, c);
  const size_t n_blocks = pgb_block_count(study->replicates, stride);
  const size_t n_own = is_root(r) ? n_blocks : pgb_deal_owned(n_blocks, stride, pgb_comm_size(r->comm));
  const size_t n_nodes = pgb_piece_nodes(pgb_piece_count(study->replicates, stride));
  PGB_TRY(pgb_arena_alloc(arena, n_own * stride, sizeof(double), &slots));
  PGB_TRY(pgb_arena_alloc(arena, n_nodes * stride, sizeof(double), &nodes));
  room->slots = slots;
  room->nodes = nodes;
  if (!r->options->save_gradients)
    return pgb_ok();
  PGB_TRY(pgb_arena_alloc(arena, study->n_batches, sizeof(double *), &table));
  room->gradients = table;
  for (size_t n = 0; n < study->n_batches; n++) {
    void *piece = NULL;
    PGB_TRY(pgb_arena_alloc(arena, study->replicates * room->plan.n_pairs * room->plan.problem.n_theta,
                            sizeof(double), &piece));
    room->gradients[n] = piece;
  }
  return pgb_ok();
}

/* Every rank planned for itself: a rank whose oracle ran out of memory must not measure something else. */
static pgb_status agree_plan(runner *r, const pgb_plan *plan) {
  const uint64_t mine = pgb_plan_hash(plan);
  uint64_t first = mine;
  pgb_status s = pgb_comm_broadcast(r->comm, &first, sizeof first);
  if (s.code == PGB_OK && first != mine)
    s = pgb_fail(PGB_RUNTIME, "memory: a rank could not compute what the first one could; run fewer ranks on "
                              "a node");
  return pgb_comm_agree(r->comm, s);
}

/* Predicts the cell from a short sample, once the oracle is open and has told what it knows. */
static pgb_status predict_cell(opening *o, double start, pgb_arena *arena, pgb_cell_timing *out) {
  runner *r = o->runner;
  const size_t stride = pgb_measure_stride(r->study, &r->study->cells[o->cell]);
  const size_t d = o->room->plan.problem.n_theta;
  const size_t n_scratch = pgb_sample_scratch(r->study, o->cell);
  void *slots = NULL;
  PGB_TRY(
      pgb_comm_agree(r->comm, pgb_arena_alloc(arena, stride + 3 * d + n_scratch, sizeof(double), &slots)));
  const double now = pgb_clock();
  const double known = pgb_cpu_clock() - start;
  const pgb_sample sample = {.study = r->study,
                             .cell = o->cell,
                             .plan = &o->room->plan,
                             .measure = o->room->measure,
                             .slots = slots,
                             .scratch = (double *)slots + stride + 3 * d,
                             .sums = (double *)slots + stride,
                             .least = sample_piece,
                             .known = known,
                             .pause = pause_opening,
                             .self = o};
  pgb_measure_watch(o->room->measure, pgb_rounds_asked, &r->rounds);
  PGB_TRY(pgb_predict_cell(&sample, r->comm, out));
  r->sampling = pgb_clock() - now;
  return pgb_ok();
}

static pgb_status cell_done(runner *r, size_t cell, const pgb_cell_result *result, double *const *gradients) {
  const double start = pgb_clock();
  pgb_status s = pgb_ok();
  if (is_root(r) && r->observer->cell != NULL)
    s = r->observer->cell(r->observer->self, cell, result, gradients);
  r->rounds.seconds[PGB_PHASE_IO] += pgb_clock() - start;
  return pgb_comm_agree(r->comm, s);
}

/* Gives a cell what an earlier launch measured. */
static pgb_status restore(runner *r, size_t cell, pgb_cell_result *result, const pgb_restored *to) {
  pgb_status s = pgb_ok();
  if (is_root(r))
    s = r->observer->restore(r->observer->self, cell, result, to);
  s = pgb_comm_agree(r->comm, s);
  if (s.code != PGB_OK || to == NULL)
    return s;
  s = pgb_comm_broadcast(r->comm, to->pilot, to->n_pilot * sizeof *to->pilot);
  return pgb_comm_agree(r->comm, s);
}

/* The plan and all memory. What may fail on one rank is agreed on before the ranks meet in the pilot sample.
 */
static pgb_status plan_cell(opening *o, pgb_arena *arena, pgb_cell_room *room, pgb_pilot **pilot) {
  runner *r = o->runner;
  const pgb_cell *c = &r->study->cells[o->cell];
  pgb_status s = pgb_plan_begin(r->study, o->cell, r->options->isa, arena, &room->plan, pilot);
  if (s.code == PGB_OK)
    s = take_room(r, o->cell, arena, room);
  PGB_TRY(pgb_comm_agree(r->comm, s));
  room->pilot = pgb_pilot_sums(*pilot, &room->n_pilot);
  const pgb_restored to = {room->pilot, room->n_pilot, room->slots, room->gradients};
  if (r->options->resumed && o->cell == r->options->start.cell)
    PGB_TRY(restore(r, o->cell, &o->cells[o->cell], &to));
  o->sampled = *room->pilot;
  const pgb_pilot_watch watch = {.self = o, .asked = asked_pilot, .pause = pause_pilot};
  PGB_TRY(pgb_pilot_run(*pilot, r->comm, &watch));
  s = pgb_plan_end(r->study, o->cell, *pilot, arena, &room->plan);
  if (s.code == PGB_OK)
    s = pgb_measure_create(c, &room->plan, r->study, r->options->isa, &room->measure);
  PGB_TRY(pgb_comm_agree(r->comm, s));
  return agree_plan(r, &room->plan);
}

/* All that comes before the first block. */
static pgb_status open_cell(runner *r, size_t cell, pgb_arena *arena, pgb_cell_room *room,
                            pgb_cell_result *cells, pgb_cell_timing *timing) {
  opening o = {.runner = r, .cell = cell, .begun = is_begun(r, cell), .room = room, .cells = cells};
  const double processor = pgb_cpu_clock();
  pgb_pilot *pilot = NULL;
  const pgb_status s = plan_cell(&o, arena, room, &pilot);
  pgb_pilot_close(pilot);
  PGB_TRY(s);
  cells[cell].oracle = pgb_oracle_name(room->plan.oracle);
  (void)pgb_oracle_gradient(room->plan.oracle, &cells[cell].exact_return, cells[cell].exact_gradient);
  if (!o.begun)
    PGB_TRY(exact_cell(&o, arena));
  PGB_TRY(pause_opening(&o));
  if (r->options->unpredicted || r->rounds.late) /* what time there is goes to the first blocks */
    return pgb_ok();
  return predict_cell(&o, processor, arena, timing);
}

static pgb_status run_cell(runner *r, size_t cell, pgb_cell_result *cells, pgb_cell_timing *timing) {
  const double opened = pgb_clock();
  const bool begun = is_begun(r, cell);
  pgb_arena *arena = NULL;
  pgb_cell_room room = {.measure = NULL};
  pgb_status s = pgb_comm_agree(r->comm, pgb_arena_create(&arena));
  if (s.code == PGB_OK)
    s = open_cell(r, cell, arena, &room, cells, timing);
  for (size_t n = begun ? r->options->start.batch : 0; n < r->study->n_batches && s.code == PGB_OK; n++)
    s = run_batch(r, cell, n, &room, cells);
  if (s.code == PGB_OK)
    s = cell_done(r, cell, &cells[cell], room.gradients);
  timing->seconds = begun ? (double)NAN : pgb_clock() - opened - r->sampling;
  pgb_measure_destroy(room.measure);
  pgb_arena_destroy(arena);
  return s;
}

static double cell_episodes(const pgb_study *study) {
  double sizes = 0;
  for (size_t n = 0; n < study->n_batches; n++)
    sizes += (double)study->batches[n];
  return sizes * (double)study->replicates;
}

static double share_episodes(const pgb_study *study, const pgb_share *share) {
  return cell_episodes(study) * (double)pgb_share_count(share, study->n_cells);
}

/* Episodes of the blocks before a point. */
static double episodes_before(const pgb_study *study, const pgb_share *share, const pgb_point *at) {
  double sizes = 0;
  for (size_t n = 0; n < at->batch; n++)
    sizes += (double)study->batches[n];
  uint64_t first = 0;
  uint64_t end = 0;
  if (at->block > 0)
    pgb_block_range(study->replicates, pgb_measure_stride(study, &study->cells[at->cell]), at->block - 1,
                    &first, &end);
  return cell_episodes(study) * (double)pgb_share_count(share, at->cell) + sizes * (double)study->replicates +
         (double)(end * study->batches[at->batch]);
}

double pgb_run_done(const pgb_study *study, const pgb_share *share, const pgb_point *at) {
  const double total = share_episodes(study, share);
  return total > 0 ? episodes_before(study, share, at) / total : 1;
}

static pgb_status create_results(const runner *r, pgb_arena *arena, pgb_run_result *out) {
  void *cells = NULL;
  void *seconds = NULL;
  void *memory = NULL;
  void *processor = NULL;
  PGB_TRY(pgb_arena_alloc(arena, r->study->n_cells, sizeof(pgb_cell_result), &cells));
  PGB_TRY(pgb_timing_create(r->study, arena, &out->timing));
  PGB_TRY(pgb_arena_alloc(arena, (size_t)pgb_comm_size(r->comm), sizeof(double[2]), &memory));
  PGB_TRY(pgb_arena_alloc(arena, (size_t)pgb_comm_size(r->comm), sizeof(double), &processor));
  PGB_TRY(pgb_arena_alloc(arena, (size_t)pgb_comm_size(r->comm) * PGB_PHASE_COUNT, sizeof(double), &seconds));
  out->cells = cells;
  out->seconds = seconds;
  out->memory = memory;
  out->processor = processor;
  for (size_t c = 0; c < r->study->n_cells; c++)
    PGB_TRY(pgb_result_create(r->study, &r->study->cells[c], arena, &out->cells[c]));
  return pgb_ok();
}

/* What each rank counted, to rank 0; nothing stays under way. */
static pgb_status gather(runner *r, pgb_arena *arena, pgb_run_result *out) {
  const size_t ranks = (size_t)pgb_comm_size(r->comm);
  void *steps = NULL;
  PGB_TRY(pgb_rounds_end(&r->rounds));
  PGB_TRY(pgb_comm_agree(r->comm, pgb_arena_alloc(arena, ranks, sizeof(double), &steps)));
  pgb_status s = pgb_comm_gather(r->comm, r->rounds.seconds, PGB_PHASE_COUNT, out->seconds);
  const pgb_status gathered = pgb_comm_gather(r->comm, &r->rounds.steps, 1, steps);
  for (size_t k = 0; k < ranks; k++)
    out->steps += ((const double *)steps)[k];
  return pgb_comm_agree(r->comm, s.code != PGB_OK ? s : gathered);
}

pgb_status pgb_run(const pgb_study *study, const pgb_run_options *options, pgb_comm *comm,
                   const pgb_observer *observer, pgb_arena *arena, pgb_run_result *out) {
  runner r = {.study = study, .options = options, .comm = comm, .observer = observer};
  const double start = pgb_clock();
  const double processor = pgb_cpu_clock();
  double memory[2] = {pgb_peak_bytes(), 0};
  r.rounds = (pgb_rounds){.study = study, .options = options, .comm = comm, .observer = observer, .share = 1};
  pgb_status s = pgb_rounds_start(&r.rounds, share_episodes(study, &options->share),
                                  episodes_before(study, &options->share, &options->start), arena);
  if (s.code == PGB_OK)
    s = create_results(&r, arena, out);
  PGB_TRY(pgb_comm_agree(comm, s));
  for (size_t c = 0; c < study->n_cells; c++)
    if (pgb_share_has(&options->share, c))
      PGB_TRY(options->resumed && c < options->start.cell ? restore(&r, c, &out->cells[c], NULL)
                                                          : run_cell(&r, c, out->cells, &out->timing[c]));
  if (is_root(&r))
    out->verdict = pgb_judge(study, out->cells);
  out->elapsed = pgb_clock() - start;
  const double taken = pgb_cpu_clock() - processor;
  memory[1] = pgb_peak_bytes();
  out->estimated_bytes = memory[0] + pgb_run_estimate(study, options, pgb_comm_size(comm)).bytes_per_rank;
  PGB_TRY(pgb_comm_agree(comm, pgb_comm_gather(comm, memory, 2, (double *)out->memory)));
  PGB_TRY(pgb_comm_agree(comm, pgb_comm_gather(comm, &taken, 1, out->processor)));
  return gather(&r, arena, out);
}

/* Bytes of the pilot sample's sums: in all, of a chunk, and one that comes in. */
static double pilot_bytes(const pgb_study *study, const pgb_cell *cell) {
  const double d = (double)cell->actor.shape.n_theta;
  bool constants = false;
  for (size_t b = 0; b < study->n_baselines; b++)
    constants = constants || study->baselines[b]->kind == PGB_BASELINE_CONSTANT;
  return constants ? 3 * 16 * (double)study->n_estimators * d : 0;
}

pgb_estimate pgb_run_estimate(const pgb_study *study, const pgb_run_options *options, int ranks) {
  pgb_estimate e = {0, 0, 0, 0, 0, 0};
  const double pairs = (double)(study->n_estimators * study->n_baselines);
  double batches = 0;
  double root = 0;
  double others = 0;
  double results = 0; /* they stay until the end, of all cells */
  for (size_t n = 0; n < study->n_batches; n++)
    batches += (double)study->batches[n];
  for (size_t c = 0; c < study->n_cells; c++) {
    const pgb_cell *cell = &study->cells[c];
    const double d = (double)cell->actor.shape.n_theta;
    const size_t stride = pgb_measure_stride(study, cell);
    const size_t blocks = pgb_block_count(study->replicates, stride);
    const double figures = 8 * pairs * (double)study->n_batches * (PGB_FIGURE_COUNT + PGB_VECTOR_COUNT * d);
    const double saved =
        options->save_gradients ? 8 * pairs * (double)(study->n_batches * study->replicates) * d : 0;
    const double nodes = (double)pgb_piece_nodes(pgb_piece_count(study->replicates, stride));
    /* Parts of blocks, exact figures, and the working memory of rollouts and contraction. */
    const double bytes = 8 * nodes * (double)stride + 16 * pairs * (double)study->n_batches * d + saved +
                         pgb_measure_bytes(study, cell) + pilot_bytes(study, cell);
    results += figures;
    if (!pgb_share_has(&options->share, c))
      continue;
    root = fmax(root, bytes + 8 * (double)blocks * (double)stride);
    others = fmax(others, bytes + 8 * (double)pgb_deal_owned(blocks, stride, ranks) * (double)stride);
    e.file_bytes += figures + saved;
    e.episodes += (double)study->replicates * batches;
    e.max_steps += (double)study->replicates * batches * (double)cell->actor.space.horizon;
    e.blocks += (double)blocks * (double)study->n_batches;
  }
  e.bytes_per_rank = root + results;
  e.bytes_of_others = others + results;
  return e;
}
