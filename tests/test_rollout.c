/* SPDX-License-Identifier: MIT */
/* The rollout loop against one episode at a time in double (reference_episode.h), on every environment; and
 * that an episode's figures depend on its address alone: not on its lane, its neighbours, the capacity or
 * what was in the buffers before. */
#include "reference_episode.h"

/* How far float32 may be from double before a decision is called close, by how long errors can grow. */
static double closeness(const pgb_actor *a) {
  return ref_goes_on(a->env->name) ? 2e-4 : 1e-6;
}

/* Episode i as recorded against the reference; false where it differs. */
static bool same_episode(const pgb_actor *a, const pgb_rollout *r, size_t i, const ref_episode *want,
                         ref_episode *got) {
  ref_view(a, r, i, got);
  const size_t n = a->space.n_obs, m = a->space.n_act;
  bool same = got->length == want->length && got->end == want->end;
  for (size_t t = 0; t < want->length && same; t++) {
    double size = 1;
    for (size_t k = 0; k < n; k++)
      size = fmax(size, fabs(want->obs[t * n + k]));
    for (size_t k = 0; k < m; k++)
      size = fmax(size, fabs(want->act[t * m + k]));
    const double slack = 5 * closeness(a) * size;
    for (size_t k = 0; k < n; k++)
      same = same && check_close(got->obs[t * n + k], want->obs[t * n + k], 0, slack);
    for (size_t k = 0; k < m; k++)
      same = same && check_close(got->act[t * m + k], want->act[t * m + k], 0, slack);
    same = same && check_close(got->reward[t], want->reward[t], 0, slack * size);
    /* Rewards come rounded to float32; what the loop makes of them is double. */
    same = same && check_close(r->togo[(size_t)r->origin[i] + t * PGB_LANES], got->togo[t], 1e-12, 1e-12);
  }
  double total = 0;
  for (size_t t = 0; t < want->length; t++)
    total += fabs(want->reward[t]) + 1;
  return same && check_close(r->ret[i], want->togo[0], 0, 5 * closeness(a) * total) &&
         r->ret[i] == r->togo[r->origin[i]];
}

static void check_reference(checks *c, pgb_isa isa, const kernel_problem *p, size_t count) {
  static const pgb_address address = {.seed = 0x123456789abcdef0, .stream = 513};
  enum { BATCH = 37, FIRST = 1000 };
  pgb_study *study = kernel_study(c, p->text, isa);
  kernel_run k = {NULL, NULL};
  ref_episode want = {0}, got = {0};
  if (study == NULL)
    return;
  const pgb_actor *a = &study->cells[0].actor;
  if (kernel_open(c, a, pgb_rollout_capacity(&a->space), &k) && ref_open(c, a, &want) &&
      ref_open(c, a, &got)) {
    size_t wrong = 0, close = 0, done = 0, steps = 0;
    while (done < count) {
      kernel_roll(&k, isa, a, address, BATCH, FIRST + done, count - done);
      CHECK(c, k.r->n_episodes > 0 && k.r->n_episodes <= count - done);
      for (size_t i = 0; i < k.r->n_episodes; i++) {
        ref_run(a, address, BATCH, FIRST + done + i, &want);
        steps += want.length;
        if (same_episode(a, k.r, i, &want, &got))
          continue;
        if (want.margin < closeness(a))
          close++;
        else if (wrong++ == 0)
          fprintf(stderr, "%s, %s: episode %zu: length %zu against %zu, return %.9g against %.9g\n", p->name,
                  pgb_isa_name(isa), done + i, got.length, want.length, k.r->ret[i], want.togo[0]);
      }
      done += k.r->n_episodes == 0 ? count : k.r->n_episodes;
    }
    if (wrong != 0)
      fprintf(stderr, "%s, %s: %zu of %zu episodes differ\n", p->name, pgb_isa_name(isa), wrong, count);
    CHECK(c, wrong == 0);
    CHECK(c, (double)close <= 1 + 0.02 * (double)count && steps >= count);
  }
  free(want.room);
  free(got.room);
  kernel_close(&k);
  pgb_study_destroy(study);
}

static bool nan_at(const float *rows, size_t n, size_t k, size_t at) {
  return !isfinite(rows[(at / PGB_LANES * n + k) * PGB_LANES + at % PGB_LANES]);
}

/* All of a rollout's own invariants, poison included: nothing of what it says is used is NaN or out of range.
 */
static void check_shape(checks *c, const pgb_actor *a, const pgb_rollout *r) {
  size_t wrong = 0, busy = 0, counted = 0;
  for (size_t at = 0; at < r->rows * PGB_LANES; at++) {
    const bool idle = r->end[at] == PGB_IDLE;
    busy += !idle;
    wrong += r->end[at] > PGB_IDLE || r->step[at] < 0 || (size_t)r->step[at] >= a->space.horizon;
    wrong += !isfinite(r->reward[at]) || !isfinite(r->togo[at]) || (idle && r->togo[at] != 0);
    for (size_t k = 0; k < r->n_obs; k++)
      wrong += nan_at(r->obs, r->n_obs, k, at);
    for (size_t k = 0; k < r->n_act; k++)
      wrong += nan_at(r->act, r->n_act, k, at);
    for (size_t k = 0; k < r->n_delta; k++)
      wrong += nan_at(r->delta, r->n_delta, k, at);
  }
  for (size_t e = 0; e < r->n_episodes; e++) {
    counted += (size_t)r->length[e];
    for (size_t t = 0; t < (size_t)r->length[e]; t++) {
      const size_t at = (size_t)r->origin[e] + t * PGB_LANES;
      const bool last = t + 1 == (size_t)r->length[e];
      wrong += at >= r->rows * PGB_LANES || r->step[at] != (int32_t)t;
      wrong += (r->starts[at / PGB_LANES] >> at % PGB_LANES & 1) != (t == 0);
      wrong += last ? r->end[at] != PGB_TERMINAL && r->end[at] != PGB_TRUNCATED : r->end[at] != PGB_LIVE;
    }
  }
  int32_t block = 0;
  for (size_t k = 0; k < r->n_episodes; k++) {
    const pgb_ending *x = &r->ending[k];
    wrong += x->at / PGB_LANES / PGB_ENDING_ROWS < block;
    block = x->at / PGB_LANES / PGB_ENDING_ROWS;
    wrong += x->at != r->origin[x->episode] + (r->length[x->episode] - 1) * PGB_LANES;
    for (size_t before = 0; before < k; before++)
      wrong += r->ending[before].episode == x->episode;
  }
  CHECK(c, wrong == 0);
  CHECK(c, busy == counted);
}

/* The recorded figures of one episode, bit by bit. */
static bool same_bits(const pgb_actor *a, const pgb_rollout *x, size_t i, const pgb_rollout *y, size_t j) {
  const size_t rows[3] = {a->space.n_obs, a->space.n_act, a->shape.n_delta};
  if (x->length[i] != y->length[j] || memcmp(&x->ret[i], &y->ret[j], sizeof *x->ret) != 0)
    return false;
  for (size_t t = 0; t < (size_t)x->length[i]; t++) {
    const size_t p = (size_t)x->origin[i] + t * PGB_LANES, q = (size_t)y->origin[j] + t * PGB_LANES;
    const float *const from[3] = {x->obs, x->act, x->delta}, *const to[3] = {y->obs, y->act, y->delta};
    if (memcmp(&x->reward[p], &y->reward[q], sizeof *x->reward) != 0 || x->end[p] != y->end[q] ||
        memcmp(&x->togo[p], &y->togo[q], sizeof *x->togo) != 0 || x->step[p] != y->step[q])
      return false;
    for (size_t f = 0; f < 3; f++)
      for (size_t k = 0; k < rows[f]; k++)
        if (memcmp(&from[f][(p / PGB_LANES * rows[f] + k) * PGB_LANES + p % PGB_LANES],
                   &to[f][(q / PGB_LANES * rows[f] + k) * PGB_LANES + q % PGB_LANES], sizeof(float)) != 0)
          return false;
  }
  return true;
}

/* Episodes [first, ..) of one run again from `other` on, with another capacity and in another instruction
 * set. */
static void check_again(checks *c, const pgb_actor *a, const kernel_run *run, uint64_t first, pgb_isa isa,
                        const kernel_problem *p, size_t capacity, uint64_t other, pgb_address address) {
  kernel_run again = {NULL, NULL};
  pgb_study *study = kernel_study(c, p->text, isa);
  if (study != NULL && kernel_open(c, &study->cells[0].actor, capacity, &again)) {
    kernel_roll(&again, isa, &study->cells[0].actor, address, 10, other, run->r->n_episodes);
    check_shape(c, &study->cells[0].actor, again.r);
    size_t wrong = 0, met = 0;
    for (size_t j = 0; j < again.r->n_episodes; j++) {
      const uint64_t i = other + j - first;
      if (i >= run->r->n_episodes)
        break;
      met++;
      wrong += !same_bits(a, run->r, i, again.r, j);
    }
    if (wrong != 0)
      fprintf(stderr, "%s: %s, capacity %zu, from %llu: %zu of %zu episodes differ\n", p->name,
              pgb_isa_name(isa), capacity, (unsigned long long)other, wrong, met);
    CHECK(c, wrong == 0 && met > 0);
  }
  kernel_close(&again);
  pgb_study_destroy(study);
}

static void check_packing(checks *c, const kernel_problem *p) {
  const pgb_address address = {.seed = 99, .stream = 256, .pilot = true};
  const pgb_isa best = kernel_isa();
  kernel_run run = {NULL, NULL};
  pgb_study *study = kernel_study(c, p->text, best);
  if (study == NULL)
    return;
  const pgb_actor *a = &study->cells[0].actor;
  const size_t full = pgb_rollout_capacity(&a->space), horizon = a->space.horizon;
  if (kernel_open(c, a, full, &run)) {
    kernel_roll(&run, best, a, address, 10, 5, 400);
    check_shape(c, a, run.r);
    CHECK(c, run.r->n_episodes >= PGB_LANES);
    check_again(c, a, &run, 5, best, p, horizon, 5, address);
    check_again(c, a, &run, 5, best, p, full + 3, 6, address);
    check_again(c, a, &run, 5, best, p, 3 * full, 44, address);
    for (int isa = 0; isa < PGB_ISA_COUNT; isa++)
      if (pgb_isa_supported((pgb_isa)isa))
        check_again(c, a, &run, 5, (pgb_isa)isa, p, full, 5, address);
  }
  kernel_close(&run);
  pgb_study_destroy(study);
}

/* Streams, seeds, the pilot's uses and replicates all give other episodes; (batch, number) is (replicate,
 * episode). */
static void test_address(checks *c) {
  const kernel_problem *p = &kernel_problems[2];
  const pgb_isa isa = kernel_isa();
  static const pgb_address addresses[] = {
      {.seed = 1}, {.seed = 2}, {.seed = 1, .stream = 1}, {.seed = 1, .pilot = true}};
  kernel_run run[4];
  pgb_study *study = kernel_study(c, p->text, isa);
  if (study == NULL)
    return;
  const pgb_actor *a = &study->cells[0].actor;
  int open = 1;
  for (size_t k = 0; k < 4; k++)
    open = kernel_open(c, a, 16, &run[k]) && open;
  for (size_t k = 0; k < 4 && open; k++)
    kernel_roll(&run[k], isa, a, addresses[k], 1u << 20, 0, 200);
  for (size_t k = 0; k < 4 && open; k++) {
    size_t same = 0;
    for (size_t e = 0; e < 200; e++)
      same += run[k].r->ret[e] == run[(k + 1) % 4].r->ret[e] ||
              (e > 0 && run[k].r->ret[e] == run[k].r->ret[e - 1]);
    CHECK(c, same == 0);
  }
  if (open) { /* batch 50: episode 60 is (1, 10); batch 2^20: episode 2^20 + 10 is the same */
    kernel_roll(&run[0], isa, a, addresses[0], 50, 60, 1);
    kernel_roll(&run[1], isa, a, addresses[0], 1u << 20, (1u << 20) + 10, 1);
    CHECK(c, run[0].r->n_episodes == 1 && run[0].r->ret[0] == run[1].r->ret[0]);
  }
  for (size_t k = 0; k < 4; k++)
    kernel_close(&run[k]);
  pgb_study_destroy(study);
}

int main(void) {
  checks c = {0, 0};
  for (size_t k = 0; k < KERNEL_PROBLEMS; k++) {
    for (int isa = 0; isa < PGB_ISA_COUNT; isa++)
      if (pgb_isa_supported((pgb_isa)isa))
        check_reference(&c, (pgb_isa)isa, &kernel_problems[k], 600);
    check_packing(&c, &kernel_problems[k]);
  }
  test_address(&c);
  return check_end(&c, "rollout");
}
