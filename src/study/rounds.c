/* SPDX-License-Identifier: MIT */
#include "study/rounds.h"

#include "core/clock.h"
#include "stats/stats.h"

#include <assert.h>
#include <math.h>
#include <signal.h>
#include <string.h>

static const double round_seconds = 1;   /* what a round should take */
static const double growth = 4;          /* of the blocks of a round, from the first, of one each, on */
static const double spare_seconds = 0.1; /* for what comes after a time limit */
static const double disk_rate = 1e8;     /* bytes per second, a guess */

static const double steady_seconds = 0.1; /* of work, before it tells how fast a rank is */

/* What is exchanged: each the maximum over ranks. Behind them, for each place of the deal, the seconds of a
 * replicate, 0 from all others. */
enum { SAY_STOP, SAY_GIVEN_UP, SAY_KEEP, SAY_SECONDS, SAY_COUNT };
_Static_assert((int)PGB_MAX_BLOCKS <= (int)PGB_COMM_PARTS, "all blocks travel together");
enum { STOP_LIMIT = 1 }; /* of SAY_STOP; else 0 or the number of a signal, all of which are larger */

static bool is_root(const pgb_rounds *r) {
  return pgb_comm_rank(r->comm) == 0;
}

pgb_status pgb_rounds_start(pgb_rounds *r, double total, double before, pgb_arena *arena) {
  const size_t ranks = (size_t)pgb_comm_size(r->comm);
  void *words = NULL;
  void *begin = NULL;
  r->n_words = SAY_COUNT + ranks;
  PGB_TRY(pgb_arena_alloc(arena, r->n_words + 2 * ranks, sizeof(double), &words));
  PGB_TRY(pgb_arena_alloc(arena, ranks + 1, sizeof(size_t), &begin));
  r->words = words;
  r->cost = r->words + r->n_words;
  r->dealt = r->cost + ranks;
  r->begin = begin;
  r->total = total;
  r->before = before;
  r->kept = r->round_began = pgb_clock();
  if (r->options->deadline > 0) /* a guess, until a checkpoint has been written */
    r->keeping = fmin(pgb_run_estimate(r->study, r->options, 1).file_bytes / disk_rate,
                      0.05 * fmax(r->options->deadline - r->kept, 0));
  return pgb_ok();
}

/* Where this rank is in the deal. */
static int place_of(const pgb_rounds *r) {
  return pgb_share_rank(pgb_comm_rank(r->comm), pgb_comm_size(r->comm));
}

/* Waits for all ranks, so that what follows is not blamed for it. */
static pgb_status meet(pgb_rounds *r, double *all_here) {
  const double start = pgb_clock();
  const pgb_status s = pgb_comm_barrier(r->comm);
  *all_here = pgb_clock();
  r->seconds[PGB_PHASE_WAIT] += *all_here - start;
  return s;
}

static pgb_status reduced(pgb_rounds *r, double all_here, pgb_status met, pgb_status s) {
  if (pgb_comm_broken(r->comm))
    return s;
  s = pgb_comm_agree(r->comm, met.code != PGB_OK ? met : s);
  r->seconds[PGB_PHASE_REDUCE] += pgb_clock() - all_here;
  return s;
}

pgb_status pgb_rounds_combine(pgb_rounds *r, double *slots, size_t n) {
  double all_here = 0;
  const pgb_status met = meet(r, &all_here);
  return reduced(r, all_here, met, pgb_comm_combine(r->comm, slots, n));
}

/* STOP_LIMIT, a signal's number, or 0. Asked for in the middle of blocks. */
int pgb_rounds_asked(void *self) {
  const pgb_rounds *r = self;
  const int number = r->observer->stop == NULL ? 0 : r->observer->stop(r->observer->self);
  if (number != 0 || r->options->deadline <= 0 || !r->further)
    return number;
  return pgb_clock() + 2 * r->keeping + spare_seconds > r->options->deadline ? STOP_LIMIT : 0;
}

/* One cell and batch size on its way. */
typedef struct batch_run {
  size_t cell, batch;
  const pgb_cell_room *room;
  const pgb_cell_result *cells;
  size_t n_blocks, stride;
  pgb_pieces pieces;
  pgb_deal deal;             /* of the last round */
  size_t from, at, combined; /* first blocks that were there, that are measured, that rank 0 has */
  size_t begin[2];           /* where the last round began, and the one before it                */
  size_t safe;               /* first blocks that are known to be whole on all ranks             */
  bool given_up;             /* this rank has left blocks of the last round                      */
  double slowest;            /* seconds of a block in this rank's last round                     */
  double lead;               /* pgb_deal_lead                                                    */
  double seconds, measured;  /* of this rank's rounds, and replicates in them                    */
} batch_run;

static uint64_t first_replicate(const pgb_rounds *r, const batch_run *b, size_t block) {
  uint64_t first = 0;
  uint64_t end = 0;
  if (block == b->n_blocks)
    return r->study->replicates;
  pgb_block_range(r->study->replicates, b->stride, block, &first, &end);
  return first;
}

/* This rank's part of a round on its way. */
typedef struct part {
  pgb_rounds *r;
  batch_run *b;
  size_t piece, end;
  pgb_piece under_way;
  bool begun;    /* under_way is */
  double done;   /* episodes                                         */
  double others; /* how many times as much all ranks have in this round */
} part;

/* Replicates [*first, end) of a piece. */
static uint64_t piece_end(const part *t, size_t piece, uint64_t *first) {
  uint64_t end = 0;
  pgb_piece_range(t->r->study->replicates, t->b->stride, piece, first, &end);
  return end;
}

static void push(part *t, uint64_t replicates) {
  pgb_rounds *r = t->r;
  pgb_pieces_push(&t->b->pieces, t->piece++);
  t->done += (double)(replicates * r->study->batches[t->b->batch]);
  if (t->piece % t->b->pieces.per_block != 0)
    return;
  pgb_comm_max_poll(r->comm);
  if (r->observer->progress != NULL) /* the others are taken to be as fast */
    r->observer->progress(r->observer->self, fmin(1, (r->before + t->done * t->others) / r->total), r->steps);
}

/* Puts the piece under way to the others, and empty ones behind it. */
static void close_piece(part *t) {
  uint64_t first = 0;
  if (t->begun) {
    t->r->steps += t->under_way.slots[t->b->stride - PGB_SLOT_COUNT + PGB_SLOT_STEPS];
    const uint64_t end = piece_end(t, t->piece, &first);
    push(t, end - first);
  }
  t->begun = false;
  while (t->piece < t->end && piece_end(t, t->piece, &first) == first) {
    (void)pgb_pieces_next(&t->b->pieces);
    push(t, 0);
  }
}

static void next_piece(void *self, uint64_t replicate, pgb_piece *out) {
  part *t = self;
  const batch_run *b = t->b;
  double *const *gradients = b->room->gradients;
  close_piece(t);
  const size_t block = t->piece / b->pieces.per_block;
  const uint64_t first = first_replicate(t->r, b, block);
  uint64_t start = 0;
  t->begun = true;
  t->under_way = (pgb_piece){.end = piece_end(t, t->piece, &start),
                             .slots = pgb_pieces_next(&t->b->pieces),
                             .origin = first,
                             .row = first_replicate(t->r, b, block + 1) - first};
  assert(start == replicate);
  if (gradients != NULL)
    t->under_way.gradients =
        gradients[b->batch] + first * b->room->plan.n_pairs * b->room->plan.problem.n_theta;
  *out = t->under_way;
}

/* This rank's part of the blocks [at, end), in one go. */
static void measure_blocks(pgb_rounds *r, batch_run *b, size_t end) {
  const size_t each = b->pieces.per_block;
  const int place = place_of(r);
  b->deal = (pgb_deal){
      .first = b->at * each, .n = (end - b->at) * each, .ranks = pgb_comm_size(r->comm), .begin = r->begin};
  pgb_deal_out(&b->deal, end == b->n_blocks ? 1 : each, b->lead, r->cost, r->dealt);
  part t = {.r = r, .b = b, .piece = r->begin[place], .end = r->begin[place + 1]};
  const double pieces = (double)(t.end - t.piece);
  pgb_phase_times times = {0, 0};
  uint64_t first = 0, last = 0;
  const double start = pgb_clock();
  b->given_up = b->given_up || pgb_rounds_asked(r) != 0; /* once is for good: pieces are left half done */
  b->begin[1] = b->begin[0];
  b->begin[0] = b->at;
  if (!b->given_up && pieces > 0) {
    const uint64_t until = piece_end(&t, t.end - 1, &last);
    (void)piece_end(&t, t.piece, &first);
    t.others = (double)b->deal.n / pieces;
    b->measured += (double)(until - first);
    if (first < until)
      pgb_measure_pieces(b->room->measure, b->cell, b->batch, first, until, next_piece, &t, &times);
    b->given_up = pgb_rounds_asked(r) != 0;
  }
  if (!b->given_up)
    close_piece(&t);
  const double seconds = pgb_clock() - start;
  b->slowest = pieces > 0 ? seconds * (double)each / pieces : 0;
  b->seconds += seconds;
  r->before +=
      (double)((first_replicate(r, b, end) - first_replicate(r, b, b->at)) * r->study->batches[b->batch]);
  r->seconds[PGB_PHASE_ROLLOUT] += times.rollout;
  r->seconds[PGB_PHASE_GRADIENT] += times.gradient;
  b->at = end;
}

static pgb_status hear(pgb_rounds *r, double heard[SAY_COUNT]) {
  const double start = pgb_clock();
  const double *cost = r->words + SAY_COUNT;
  const size_t ranks = r->n_words - SAY_COUNT;
  PGB_TRY(pgb_comm_max_end(r->comm, r->words));
  r->seconds[PGB_PHASE_WAIT] += pgb_clock() - start;
  memcpy(heard, r->words, SAY_COUNT * sizeof *heard);
  for (size_t p = 0; p < ranks; p++)
    if (cost[p] <= 0)
      return pgb_ok();
  memcpy(r->cost, cost, ranks * sizeof *cost);
  r->fresh = true;
  return pgb_ok();
}

/* cost: seconds of a replicate at this rank, or 0. */
static pgb_status say(pgb_rounds *r, const double words[SAY_COUNT], double cost) {
  memset(r->words, 0, r->n_words * sizeof *r->words);
  memcpy(r->words, words, SAY_COUNT * sizeof *words);
  r->words[SAY_COUNT + place_of(r)] = cost;
  return pgb_comm_max_begin(r->comm, r->words, r->n_words);
}

/* Says how this rank's last round went. kept: a checkpoint will be written at once. */
static pgb_status say_round(pgb_rounds *r, const batch_run *b, bool kept) {
  const double now = pgb_clock();
  const double round = now - r->round_began;
  const double words[SAY_COUNT] = {[SAY_STOP] = pgb_rounds_asked(r),
                                   [SAY_GIVEN_UP] = b->given_up,
                                   /* another round passes before the answer is in force */
                                   [SAY_KEEP] = !kept && is_root(r) && r->options->interval > 0 &&
                                                now + round - r->kept >= r->options->interval,
                                   [SAY_SECONDS] = b->slowest};
  r->round_began = now;
  r->measured = b->at > b->from;
  return say(r, words, b->seconds >= steady_seconds && b->measured > 0 ? b->seconds / b->measured : 0);
}

/* Takes up what was said a round ago and says what is so now. Where blocks are long against the interval, and
 * at the end, the answer is waited for. heard: what either asks for. */
static pgb_status exchange(pgb_rounds *r, batch_run *b, double heard[SAY_COUNT]) {
  double late[SAY_COUNT] = {0};
  double now[SAY_COUNT] = {0};
  if (pgb_comm_max_pending(r->comm)) {
    PGB_TRY(hear(r, late));
    if (r->measured) {
      r->slowest = late[SAY_SECONDS];
      const double fit = floor(round_seconds / fmax(r->slowest, 1e-9));
      r->share = (size_t)fmin(fmax(fit, 1), growth * (double)r->share);
    }
  }
  const double interval = r->options->interval;
  const bool wait = b->at == b->n_blocks || (interval > 0 && 2 * r->slowest >= interval);
  PGB_TRY(say_round(r, b, late[SAY_KEEP] > 0));
  if (wait) {
    const bool measured = r->measured;
    PGB_TRY(hear(r, now));
    r->slowest = measured ? now[SAY_SECONDS] : r->slowest;
  }
  b->safe = late[SAY_GIVEN_UP] > 0 ? b->begin[1] : !wait || now[SAY_GIVEN_UP] > 0 ? b->begin[0] : b->at;
  for (int i = 0; i < SAY_COUNT; i++)
    heard[i] = fmax(late[i], now[i]);
  return pgb_ok();
}

/* Rank 0 gets the first n blocks, of which it has some. */
static pgb_status bring(pgb_rounds *r, batch_run *b, size_t n) {
  const size_t each = b->room->plan.n_pairs * b->room->plan.problem.n_theta;
  const size_t from = b->combined;
  pgb_comm_words mine[PGB_MAX_BLOCKS];
  double all_here = 0;
  const pgb_status met = meet(r, &all_here);
  pgb_status s = pgb_ok();
  if (n == b->n_blocks && from < n) /* the last round: all others were of whole blocks */
    s = pgb_pieces_join(&b->pieces, &b->deal, r->comm);
  if (pgb_comm_broken(r->comm)) /* the others may wait for a message for ever; the caller ends them */
    return s;
  const size_t n_mine = pgb_pieces_words(&b->pieces, from, n, mine);
  const pgb_status brought = pgb_comm_bring(r->comm, mine, n_mine, n - from, b->stride,
                                            is_root(r) ? b->pieces.block + from * b->stride : NULL);
  PGB_TRY(reduced(r, all_here, met, s.code != PGB_OK ? s : brought));
  b->combined = n;
  if (b->room->gradients == NULL)
    return pgb_ok();
  const uint64_t first = first_replicate(r, b, from);
  const uint64_t end = first_replicate(r, b, n);
  return pgb_rounds_combine(r, b->room->gradients[b->batch] + first * each, (size_t)(end - first) * each);
}

static pgb_status keep(pgb_rounds *r, const pgb_snapshot *snapshot) {
  const double start = pgb_clock();
  pgb_status s = pgb_ok();
  if (is_root(r) && r->observer->checkpoint != NULL)
    s = r->observer->checkpoint(r->observer->self, snapshot);
  s = pgb_comm_agree(r->comm, s);
  r->kept = pgb_clock();
  r->keeping = r->kept - start;
  r->seconds[PGB_PHASE_IO] += r->keeping;
  return s;
}

static pgb_status checkpoint(pgb_rounds *r, batch_run *b) {
  PGB_TRY(bring(r, b, b->safe));
  const pgb_snapshot snapshot = {.at = {.cell = b->cell, .batch = b->batch, .block = b->safe},
                                 .cells = b->cells,
                                 .pilot = b->room->pilot,
                                 .n_pilot = b->room->n_pilot,
                                 .slots = b->room->slots,
                                 .n_slots = b->safe * b->stride,
                                 .gradients = b->room->gradients,
                                 .replicates = first_replicate(r, b, b->safe)};
  return keep(r, &snapshot);
}

static pgb_status stopped(const pgb_rounds *r, pgb_point at, double why) {
  const char *name = why == SIGTERM ? "SIGTERM" : why == SIGINT ? "SIGINT" : "SIGUSR1";
  return pgb_fail(PGB_STOPPED, "stopped by %s with %.1f %% of the work done",
                  why <= STOP_LIMIT ? "the time limit" : name,
                  100 * pgb_run_done(r->study, &r->options->share, &at));
}

pgb_status pgb_rounds_end(pgb_rounds *r) {
  double heard[SAY_COUNT];
  return pgb_comm_max_pending(r->comm) ? hear(r, heard) : pgb_ok();
}

pgb_status pgb_rounds_pause(pgb_rounds *r, size_t cell, bool begun, const pgb_cell_room *room,
                            const pgb_cell_result *cells) {
  const double now = pgb_clock();
  const bool due = is_root(r) && r->options->interval > 0 && now - r->kept >= r->options->interval;
  const double words[SAY_COUNT] = {[SAY_STOP] = pgb_rounds_asked(r),
                                   [SAY_KEEP] = due,
                                   [SAY_SECONDS] = r->options->deadline > 0 && now > r->options->deadline};
  double heard[SAY_COUNT];
  PGB_TRY(pgb_rounds_end(r)); /* of a batch size before this */
  PGB_TRY(say(r, words, 0));
  PGB_TRY(hear(r, heard));
  r->late = heard[SAY_SECONDS] > 0;
  const pgb_snapshot snapshot = {
      .at = {.cell = cell}, .cells = cells, .pilot = room->pilot, .n_pilot = room->n_pilot};
  if ((heard[SAY_STOP] > 0 || heard[SAY_KEEP] > 0) && !begun)
    PGB_TRY(keep(r, &snapshot));
  return heard[SAY_STOP] > 0 ? stopped(r, begun ? r->options->start : snapshot.at, heard[SAY_STOP])
                             : pgb_ok();
}

pgb_status pgb_rounds_batch(pgb_rounds *r, size_t cell, size_t batch, size_t from, const pgb_cell_room *room,
                            const pgb_cell_result *cells) {
  const size_t stride = pgb_measure_stride(r->study, &r->study->cells[cell]);
  const size_t n = pgb_block_count(r->study->replicates, stride);
  const pgb_share *share = &r->options->share;
  const bool last = pgb_share_count(share, cell + 1) == pgb_share_count(share, r->study->n_cells) &&
                    batch + 1 == r->study->n_batches;
  batch_run b = {.cell = cell,
                 .batch = batch,
                 .room = room,
                 .cells = cells,
                 .n_blocks = n,
                 .stride = stride,
                 .pieces = {.study = r->study,
                            .cell = &r->study->cells[cell],
                            .stride = stride,
                            .per_block = pgb_piece_count(r->study->replicates, stride),
                            .slots = room->nodes,
                            .block = room->slots,
                            .root = is_root(r)},
                 .from = from,
                 .at = from,
                 .combined = from,
                 .begin = {from, from},
                 .safe = from,
                 .lead = pgb_deal_lead(n, stride, pgb_comm_size(r->comm))};
  memset(r->dealt, 0, (size_t)pgb_comm_size(r->comm) * sizeof *r->dealt);
  if (!r->fresh) /* the last batch size told nothing */
    memset(r->cost, 0, (size_t)pgb_comm_size(r->comm) * sizeof *r->cost);
  r->fresh = false;
  r->share = 1;
  r->slowest = 0;
  r->round_began = pgb_clock();
  pgb_measure_watch(room->measure, pgb_rounds_asked, r);
  for (;;) {
    double heard[SAY_COUNT];
    PGB_TRY(exchange(r, &b, heard));
    r->further = r->further || b.safe > from;
    const bool done = b.safe == n && last; /* too late to stop */
    if (!done && (heard[SAY_STOP] > 0 || heard[SAY_KEEP] > 0))
      PGB_TRY(checkpoint(r, &b));
    if (!done && heard[SAY_STOP] > 0)
      return stopped(r, (pgb_point){cell, batch, b.safe}, heard[SAY_STOP]);
    if (b.at == n)
      return bring(r, &b, n);
    const size_t round = r->share * (size_t)pgb_comm_size(r->comm);
    measure_blocks(r, &b, n - b.at < round ? n : b.at + round);
  }
}
