/* SPDX-License-Identifier: MIT */
/* The continuous mountain car against transitions recorded from Gymnasium 1.4.0 (tests/data), the start's
 * range, the wall, the goal, and how episodes end. Whole episodes against a reference in double:
 * test_rollout.c. */
#include "recorded.h"
#include "reference_gym.h"

enum { POSITION, VELOCITY, ACTION, POSITION2, VELOCITY2, REWARD, TERMINATED, COLUMNS };

static void set_lane(pgb_batch *b, size_t i, double position, double velocity, double act) {
  b->state[i] = (float)position;
  b->state[PGB_LANES + i] = (float)velocity;
  b->act[i] = (float)act;
}

/* Position below 1.2, velocity below 0.07: one rounding of the input and one of the result each, 2^-24 of the
 * size; what is added to a velocity is 0.004 at the most, of the same relative error. Gymnasium keeps its own
 * state in float32. The reward is rounded at 100. */
static double error_of(const lab *l, size_t i, const double *row) {
  double worst = fabs(lab_state(l, 0, i) - row[POSITION2]) / 2e-7;
  worst = fmax(worst, fabs(lab_state(l, 1, i) - row[VELOCITY2]) / 1.5e-8);
  return fmax(worst, fabs((double)l->b->reward[i] - row[REWARD]) / (1e-7 * fmax(1, fabs(row[REWARD]))));
}

static void test_transitions(checks *c, lab *l) {
  static table t;
  read_csv(c, PGB_TEST_DATA "/mountaincar.csv", COLUMNS, &t);
  CHECK(c, t.rows == 400);
  size_t wrong = 0, ended = 0, walled = 0, clipped = 0, fast = 0;
  double worst = 0;
  for (size_t from = 0; from < t.rows; from += PGB_LANES) {
    for (size_t i = 0; i < PGB_LANES; i++) {
      const double *row = t.cell[(from + i) % t.rows];
      set_lane(l->b, i, row[POSITION], row[VELOCITY], row[ACTION]);
    }
    lab_step(l);
    for (size_t i = 0; i < PGB_LANES; i++) {
      const double *row = t.cell[(from + i) % t.rows];
      worst = fmax(worst, error_of(l, i, row));
      wrong += (l->b->end[i] == PGB_TERMINAL) != (row[TERMINATED] != 0);
      wrong += l->b->end[i] != PGB_LIVE && l->b->end[i] != PGB_TERMINAL;
      for (size_t k = 0; k < 2; k++)
        wrong += lab_obs(l, k, i) != lab_state(l, k, i);
      ended += row[TERMINATED] != 0;
      walled += row[POSITION2] < -1.1999999 && row[VELOCITY2] == 0;
      clipped += fabs(row[ACTION]) > 1;
      fast += fabs(row[VELOCITY2]) > 0.0699999;
    }
  }
  printf("%s: worst transition at %.2f of its tolerance, %zu terminal, %zu at the wall, %zu clipped\n",
         pgb_isa_name(l->isa), worst, ended, walled, clipped);
  CHECK(c, wrong == 0 && worst <= 1);
  CHECK(c, ended >= 5 && walled >= 3 && clipped >= 50 && fast >= 3); /* the recording holds them all */
}

static void test_reset(checks *c, lab *l) {
  check_uniform(c, l, 0, -0.6, -0.4);
  for (size_t i = 0; i < PGB_LANES; i++)
    CHECK(c, lab_state(l, 1, i) == 0 && lab_obs(l, 1, i) == 0 && lab_obs(l, 0, i) == lab_state(l, 0, i));
}

/* At the goal but slower than asked for: on it goes, without the prize. */
static void test_goal_velocity(checks *c, pgb_isa isa) {
  lab l;
  if (lab_open(c, "env: {name: mountaincar, goal_velocity: .03}\n", isa, &l)) {
    for (size_t i = 0; i < PGB_LANES; i++)
      set_lane(l.b, i, 0.44, i % 2 == 0 ? 0.025 : 0.04, 0.5);
    lab_step(&l);
    for (size_t i = 0; i < PGB_LANES; i++) {
      CHECK(c, lab_state(&l, 0, i) >= 0.45 && l.b->end[i] == (i % 2 == 0 ? PGB_LIVE : PGB_TERMINAL));
      CHECK_NEAR(c, (double)l.b->reward[i], (i % 2 == 0 ? 0 : 100) - 0.025, 1e-7, 0);
    }
  }
  lab_close(&l);
}

/* Pushing the way it rolls gets the car home, pushing left never, and the default policy hardly ever. */
static void test_limit(checks *c, pgb_isa isa) {
  check_ends(c, isa, "env: mountaincar\npolicy: {name: gaussian-linear, sigma: .2, theta: [0, 100]}\n", 999,
             PGB_TERMINAL, 50);
  check_ends(c, isa, "env: mountaincar\npolicy: {name: gaussian-linear, sigma: .01, theta: [.05, 0]}\n", 999,
             PGB_TRUNCATED, 999);
  check_ends(c, isa, "env: {name: mountaincar, horizon: 40}\n", 40, PGB_TRUNCATED, 40);
}

int main(void) {
  checks c = {0, 0};
  for (int i = 0; i < PGB_ISA_COUNT; i++) {
    lab l;
    if (lab_open(&c, "env: mountaincar\n", (pgb_isa)i, &l)) {
      test_transitions(&c, &l);
      test_reset(&c, &l);
      test_goal_velocity(&c, l.isa);
      test_limit(&c, l.isa);
    }
    lab_close(&l);
  }
  return check_end(&c, "env_mountaincar");
}
