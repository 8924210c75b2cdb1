/* SPDX-License-Identifier: MIT */
/* Pendulum against transitions recorded from Gymnasium 1.4.0 (tests/data), every start's range, an episode so
 * long that Gymnasium's angle would grow, and that the time limit is a truncation. Whole episodes against a
 * reference in double: test_rollout.c. */
#include "recorded.h"
#include "reference_gym.h"

static void set_lane(pgb_batch *b, size_t i, double theta, double speed, double act) {
  b->state[i] = (float)remainder(theta, 2 * REF_PI);
  b->state[PGB_LANES + i] = (float)speed;
  b->state[2 * PGB_LANES + i] = (float)sin(theta);
  b->act[i] = (float)act;
}

/* Inputs rounded to float32 (2^-24 of at most 9 rad or 8 rad/s), then two or three operations of 2^-24 each
 * on terms no larger; the reward adds three squares. Angles agree up to whole turns, which the class takes
 * off. */
enum { THETA, SPEED, TORQUE, THETA2, SPEED2, REWARD, COSINE, SINE, SPEED_SEEN, COLUMNS };

static double error_of(const lab *l, size_t i, const double *row) {
  const double turn = 2 * REF_PI, size = 5e-7 * fmax(1, fmax(fabs(row[THETA]), fabs(row[SPEED])));
  double worst = fabs(remainder(lab_state(l, 0, i) - row[THETA2], turn)) / size;
  worst = fmax(worst, fabs(lab_state(l, 1, i) - row[SPEED2]) / size);
  worst = fmax(worst, fabs(lab_obs(l, 0, i) - row[COSINE]) / size);
  worst = fmax(worst, fabs(lab_obs(l, 1, i) - row[SINE]) / size);
  worst = fmax(worst, fabs(lab_obs(l, 2, i) - row[SPEED_SEEN]) / size);
  return fmax(worst, fabs((double)l->b->reward[i] - row[REWARD]) / (size + 2e-7 * fabs(row[REWARD])));
}

static void test_transitions(checks *c, lab *l) {
  static table t;
  read_csv(c, PGB_TEST_DATA "/pendulum.csv", COLUMNS, &t);
  CHECK(c, t.rows == 400);
  size_t wrong = 0, grown = 0, clipped = 0, fast = 0;
  double worst = 0;
  for (size_t from = 0; from < t.rows; from += PGB_LANES) {
    for (size_t i = 0; i < PGB_LANES; i++) {
      const double *row = t.cell[(from + i) % t.rows];
      set_lane(l->b, i, row[THETA], row[SPEED], row[TORQUE]);
    }
    lab_step(l);
    for (size_t i = 0; i < PGB_LANES; i++) {
      const double *row = t.cell[(from + i) % t.rows];
      worst = fmax(worst, error_of(l, i, row));
      wrong += l->b->end[i] != PGB_LIVE || fabs(lab_state(l, 0, i)) > REF_PI + 1e-6;
      wrong += lab_obs(l, 1, i) != lab_state(l, 2, i) || lab_obs(l, 2, i) != lab_state(l, 1, i);
      grown += fabs(row[THETA]) > REF_PI;
      clipped += fabs(row[TORQUE]) > 2;
      fast += fabs(row[SPEED2]) == 8;
    }
  }
  printf("%s: worst transition at %.2f of its tolerance\n", pgb_isa_name(l->isa), worst);
  CHECK(c, wrong == 0 && worst <= 1);
  CHECK(c, grown >= 50 && clipped >= 50 && fast >= 5); /* the recording holds them all */
}

static void test_reset(checks *c, lab *l) {
  check_uniform(c, l, 0, -REF_PI, REF_PI);
  check_uniform(c, l, 1, -1, 1);
  for (size_t i = 0; i < PGB_LANES; i++) {
    CHECK_NEAR(c, lab_obs(l, 0, i), cos(lab_state(l, 0, i)), 0, 2e-7);
    CHECK_NEAR(c, lab_obs(l, 1, i), sin(lab_state(l, 0, i)), 0, 2e-7);
    CHECK(c, lab_obs(l, 1, i) == lab_state(l, 2, i) && lab_obs(l, 2, i) == lab_state(l, 1, i));
  }
}

/* Spun at full speed without gravity, 0.4 rad a step: 4000 rad, and the observation is still that angle's. */
static void test_turns(checks *c, pgb_isa isa) {
  lab l;
  if (lab_open(c, "env: {name: pendulum, g: 0, horizon: 10000}\n", isa, &l)) {
    double worst = 0, size = 0;
    for (size_t i = 0; i < PGB_LANES; i++)
      set_lane(l.b, i, 0.1, 8, 2);
    for (int t = 1; t <= 10000; t++) {
      lab_step(&l);
      worst = fmax(worst, fabs(lab_obs(&l, 0, 5) - cos(0.1 + 0.4 * t)));
      worst = fmax(worst, fabs(lab_obs(&l, 1, 5) - sin(0.1 + 0.4 * t)));
      size = fmax(size, fabs(lab_state(&l, 0, 5)));
    }
    printf("%s: off by %.2g after 4000 rad\n", pgb_isa_name(isa), worst);
    CHECK(c, worst < 1e-3 && size <= REF_PI + 1e-6);
  }
  lab_close(&l);
}

int main(void) {
  checks c = {0, 0};
  for (int i = 0; i < PGB_ISA_COUNT; i++) {
    lab l;
    if (lab_open(&c, "env: pendulum\n", (pgb_isa)i, &l)) {
      test_transitions(&c, &l);
      test_reset(&c, &l);
      test_turns(&c, l.isa);
      check_ends(&c, l.isa, "env: pendulum\n", 200, PGB_TRUNCATED, 200);
      check_ends(&c, l.isa, "env: {name: pendulum, horizon: 7}\n", 7, PGB_TRUNCATED, 7);
    }
    lab_close(&l);
  }
  return check_end(&c, "env_pendulum");
}
