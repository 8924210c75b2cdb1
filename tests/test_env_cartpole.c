/* SPDX-License-Identifier: MIT */
/* CartPole against recordings of Gymnasium 1.4.0 (tests/data): every transition by one step of the class, 64
 * at a time, short trajectories, the start's range, and that the time limit is a truncation. */
#include "recorded.h"

static void set_lane(pgb_batch *b, size_t i, const double *state, double act) {
  for (size_t k = 0; k < 4; k++)
    b->state[k * PGB_LANES + i] = (float)state[k];
  b->act[i] = (float)act;
}

static bool near_limit(const double *s) {
  return fabs(fabs(s[0]) - 2.4) < 1e-6 || fabs(fabs(s[2]) - 12 * 3.14159265358979323846 / 180) < 1e-6;
}

/* x2 = x + 0.02 v and the like. The inputs are rounded to float32 (2^-24 relative), then come a dozen
 * operations of 2^-24 each on terms no larger than the state or, for the velocities, than 0.02 *
 * (|acceleration| <= 40). */
static double tolerance(const double *s) {
  const double size = fmax(fmax(fabs(s[0]), fabs(s[1])), fmax(fabs(s[2]), fabs(s[3])));
  return 5e-7 * fmax(1, size);
}

static const table *transitions(checks *c) {
  static table t;
  read_csv(c, PGB_TEST_DATA "/cartpole.csv", 11, &t);
  CHECK(c, t.rows == 400);
  return &t;
}

static void test_transitions(checks *c, lab *l) {
  const table *t = transitions(c);
  size_t wrong = 0, ended = 0;
  double worst = 0;
  for (size_t from = 0; from < t->rows; from += PGB_LANES) {
    for (size_t i = 0; i < PGB_LANES; i++) {
      const double *row = t->cell[(from + i) % t->rows];
      set_lane(l->b, i, row, row[4]);
    }
    lab_step(l);
    for (size_t i = 0; i < PGB_LANES; i++) {
      const double *row = t->cell[(from + i) % t->rows];
      for (size_t k = 0; k < 4; k++) {
        const double off = fabs((double)l->b->state[k * PGB_LANES + i] - row[5 + k]);
        worst = fmax(worst, off / tolerance(row));
        wrong += off > tolerance(row) || l->b->obs[k * PGB_LANES + i] != l->b->state[k * PGB_LANES + i];
      }
      wrong += (double)l->b->reward[i] != row[9];
      ended += row[10] != 0;
      wrong += !near_limit(row + 5) && (l->b->end[i] == PGB_TERMINAL) != (row[10] != 0);
      wrong += l->b->end[i] != PGB_LIVE && l->b->end[i] != PGB_TERMINAL;
    }
  }
  printf("%s: worst transition at %.2f of its tolerance, %zu terminal\n", pgb_isa_name(l->isa), worst, ended);
  CHECK(c, wrong == 0);
  CHECK(c, ended >= 20 && ended < t->rows); /* the recording holds both */
}

/* Five trajectories of a feedback rule, replayed by their recorded actions: errors of float32 stay small. */
static void test_trajectories(checks *c, lab *l) {
  static table t;
  read_csv(c, PGB_TEST_DATA "/cartpole_trajectories.csv", 7, &t);
  CHECK(c, t.rows >= 250);
  double worst = 0;
  size_t steps = 0;
  for (size_t row = 0; row < t.rows; row++) {
    const double *now = t.cell[row];
    if (now[1] == 0)
      for (size_t i = 0; i < PGB_LANES; i++)
        set_lane(l->b, i, now + 2, now[6]);
    for (size_t k = 0; k < 4; k++)
      worst = fmax(worst, fabs((double)l->b->state[k * PGB_LANES + 17] - now[2 + k]));
    for (size_t i = 0; i < PGB_LANES; i++)
      l->b->act[i] = (float)now[6];
    lab_step(l);
    CHECK(c, l->b->end[17] == PGB_LIVE || row + 1 == t.rows || t.cell[row + 1][1] == 0);
    steps++;
  }
  printf("%s: %zu recorded steps, largest difference %.2g\n", pgb_isa_name(l->isa), steps, worst);
  CHECK(c, worst < 2e-4);
}

static void test_reset(checks *c, lab *l) {
  for (size_t k = 0; k < 4; k++)
    check_uniform(c, l, k, -0.05, 0.05);
  for (size_t k = 0; k < 4; k++)
    for (size_t i = 0; i < PGB_LANES; i++)
      CHECK(c, lab_obs(l, k, i) == lab_state(l, k, i));
}

/* Gymnasium's rule of the trajectories balances for good: every episode reaches the limit, a truncation; a
 * policy that pushes one way always falls: a terminal state. */
static void test_limit(checks *c, pgb_isa isa) {
  check_ends(c, isa,
             "env: cartpole\n"
             "policy: {name: softmax-linear, theta: [-5, -10, -50, -15, 5, 10, 50, 15, 0, 0]}\n",
             500, PGB_TRUNCATED, 500);
  check_ends(c, isa,
             "env: cartpole\npolicy: {name: softmax-linear, theta: [0, 0, 0, 0, 0, 0, 0, 0, -50, 50]}\n", 500,
             PGB_TERMINAL, 8);
  /* Falling on the very last step allowed is terminal, not truncated: 8 to 10 steps with pushes to one side.
   */
  check_ends(c, isa,
             "env: {name: cartpole, horizon: 5}\n"
             "policy: {name: softmax-linear, theta: [0, 0, 0, 0, 0, 0, 0, 0, -50, 50]}\n",
             5, PGB_TRUNCATED, 5);
}

/* A state that leaves the track on the step that also meets the time limit. */
static void test_both(checks *c, pgb_isa isa) {
  size_t seen[2] = {0, 0};
  for (int horizon = 8; horizon <= 10; horizon++) {
    char text[200];
    (void)snprintf(text, sizeof text,
                   "env: {name: cartpole, horizon: %d}\n"
                   "policy: {name: softmax-linear, theta: [0, 0, 0, 0, 0, 0, 0, 0, -50, 50]}\n",
                   horizon);
    pgb_study *study = kernel_study(c, text, isa);
    kernel_run k;
    if (study == NULL)
      return;
    const pgb_actor *a = &study->cells[0].actor;
    if (kernel_open(c, a, pgb_rollout_capacity(&a->space), &k)) {
      kernel_roll(&k, isa, a, (pgb_address){.seed = 8}, 1, 0, 500);
      for (size_t e = 0; e < k.r->n_episodes; e++) {
        const size_t last = (size_t)k.r->origin[e] + ((size_t)k.r->length[e] - 1) * PGB_LANES;
        if (k.r->length[e] == horizon)
          seen[k.r->end[last] == PGB_TRUNCATED]++;
        else
          CHECK(c, k.r->end[last] == PGB_TERMINAL);
      }
    }
    kernel_close(&k);
    pgb_study_destroy(study);
  }
  CHECK(c, seen[0] > 0 && seen[1] > 0);
}

int main(void) {
  checks c = {0, 0};
  for (int i = 0; i < PGB_ISA_COUNT; i++) {
    lab l;
    if (lab_open(&c, "env: cartpole\n", (pgb_isa)i, &l)) {
      test_transitions(&c, &l);
      test_trajectories(&c, &l);
      test_reset(&c, &l);
      test_limit(&c, l.isa);
      test_both(&c, l.isa);
    }
    lab_close(&l);
  }
  return check_end(&c, "env_cartpole");
}
