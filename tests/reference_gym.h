/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_REFERENCE_GYM_H
#define PGB_TESTS_REFERENCE_GYM_H

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Gymnasium 1.4.0's classic control problems once more, in double with libm, from its sources' formulas. x is
 * the state with the rows that the class derives from others (envs/<name>.c says which). */

/* What one step did. margin: how near a decision was to falling otherwise; an episode whose margin is within
 * rounding may take another path in float32. */
typedef struct ref_step {
  double reward, margin;
  bool terminal;
} ref_step;

#define REF_PI 3.14159265358979323846

static inline double ref_clip(double x, double low, double high) {
  return fmin(fmax(x, low), high);
}

/* An angle in [-pi, pi). */
static inline double ref_wrap(double x) {
  return x - 2 * REF_PI * floor((x + REF_PI) / (2 * REF_PI));
}

/* Sets the derived rows. */
static inline void ref_complete(const char *name, double *x) {
  if (strcmp(name, "pendulum") == 0)
    x[2] = sin(x[0]);
  if (strcmp(name, "acrobot") == 0)
    for (int k = 0; k < 2; k++) {
      x[4 + 2 * k] = cos(x[k]);
      x[5 + 2 * k] = sin(x[k]);
    }
}

/* The observation of a complete state; n rows, where it is the state itself. */
static inline void ref_observe(const char *name, const double *x, size_t n, double *obs) {
  memcpy(obs, x, n * sizeof *x);
  if (strcmp(name, "pendulum") == 0) {
    obs[0] = cos(x[0]);
    obs[1] = sin(x[0]);
    obs[2] = x[1];
  }
  if (strcmp(name, "acrobot") == 0) {
    memcpy(obs, x + 4, 4 * sizeof *x);
    memcpy(obs + 4, x + 2, 2 * sizeof *x);
  }
}

/* cartpole.py, with kinematics_integrator "euler". */
static inline ref_step ref_cartpole(double *s, double act) {
  const double gravity = 9.8, masscart = 1.0, masspole = 0.1, length = 0.5, tau = 0.02;
  const double total = masspole + masscart, polemass_length = masspole * length;
  const double theta_limit = 12 * 2 * REF_PI / 360, x_limit = 2.4;
  const double force = act == 1 ? 10.0 : -10.0;
  const double sine = sin(s[2]), cosine = cos(s[2]);
  const double temp = (force + polemass_length * s[3] * s[3] * sine) / total;
  const double theta_acc =
      (gravity * sine - cosine * temp) / (length * (4.0 / 3.0 - masspole * cosine * cosine / total));
  const double x_acc = temp - polemass_length * theta_acc * cosine / total;
  s[0] += tau * s[1];
  s[1] += tau * x_acc;
  s[2] += tau * s[3];
  s[3] += tau * theta_acc;
  return (ref_step){.reward = 1,
                    .terminal = fabs(s[0]) > x_limit || fabs(s[2]) > theta_limit,
                    .margin = fmin(fabs(fabs(s[0]) - x_limit), fabs(fabs(s[2]) - theta_limit))};
}

/* pendulum.py, but for the angle's whole turns. */
static inline ref_step ref_pendulum(double g, double *x, double act) {
  const double m = 1, l = 1, dt = 0.05, u = ref_clip(act, -2, 2), angle = ref_wrap(x[0]);
  const double cost = angle * angle + 0.1 * x[1] * x[1] + 0.001 * u * u;
  x[1] = ref_clip(x[1] + (3 * g / (2 * l) * sin(x[0]) + 3.0 / (m * l * l) * u) * dt, -8, 8);
  x[0] = angle + x[1] * dt;
  ref_complete("pendulum", x);
  return (ref_step){.reward = -cost, .margin = INFINITY};
}

/* acrobot.py, _dsdt with book_or_nips "book". */
static inline void ref_acrobot_slope(const double *s, double torque, double *slope) {
  const double m1 = 1, m2 = 1, l1 = 1, lc1 = 0.5, lc2 = 0.5, i1 = 1, i2 = 1, g = 9.8;
  const double theta1 = s[0], theta2 = s[1], dtheta1 = s[2], dtheta2 = s[3];
  const double d1 = m1 * lc1 * lc1 + m2 * (l1 * l1 + lc2 * lc2 + 2 * l1 * lc2 * cos(theta2)) + i1 + i2;
  const double d2 = m2 * (lc2 * lc2 + l1 * lc2 * cos(theta2)) + i2;
  const double phi2 = m2 * lc2 * g * cos(theta1 + theta2 - REF_PI / 2);
  const double phi1 = -m2 * l1 * lc2 * dtheta2 * dtheta2 * sin(theta2) -
                      2 * m2 * l1 * lc2 * dtheta2 * dtheta1 * sin(theta2) +
                      (m1 * lc1 + m2 * l1) * g * cos(theta1 - REF_PI / 2) + phi2;
  slope[0] = dtheta1;
  slope[1] = dtheta2;
  slope[3] = (torque + d2 / d1 * phi1 - m2 * l1 * lc2 * dtheta1 * dtheta1 * sin(theta2) - phi2) /
             (m2 * lc2 * lc2 + i2 - d2 * d2 / d1);
  slope[2] = -(d2 * slope[3] + phi1) / d1;
}

/* acrobot.py: one Runge-Kutta step of 0.2 s, wrap, bound. */
static inline ref_step ref_acrobot(double *x, double act) {
  static const double at[4] = {0, 0.1, 0.1, 0.2}, weight[4] = {1, 2, 2, 1};
  double k[4] = {0}, sum[4] = {0};
  for (int stage = 0; stage < 4; stage++) {
    double y[4];
    for (int i = 0; i < 4; i++)
      y[i] = x[i] + at[stage] * k[i];
    ref_acrobot_slope(y, act - 1, k);
    for (int i = 0; i < 4; i++)
      sum[i] += weight[stage] * k[i];
  }
  for (int i = 0; i < 4; i++)
    x[i] += 0.2 / 6 * sum[i];
  x[0] = ref_wrap(x[0]);
  x[1] = ref_wrap(x[1]);
  x[2] = ref_clip(x[2], -4 * REF_PI, 4 * REF_PI);
  x[3] = ref_clip(x[3], -9 * REF_PI, 9 * REF_PI);
  ref_complete("acrobot", x);
  const double tip = -cos(x[0]) - cos(x[1] + x[0]);
  return (ref_step){.reward = tip > 1 ? 0 : -1, .terminal = tip > 1, .margin = fabs(tip - 1)};
}

/* continuous_mountain_car.py. */
static inline ref_step ref_mountaincar(double goal_velocity, double *x, double act) {
  const double force = ref_clip(act, -1, 1);
  x[1] = ref_clip(x[1] + force * 0.0015 - 0.0025 * cos(3 * x[0]), -0.07, 0.07);
  const double free = x[0] + x[1], fast = x[1] - goal_velocity;
  x[0] = ref_clip(free, -1.2, 0.6);
  double margin = fmin(fabs(free + 1.2), fabs(x[0] - 0.45)); /* at the wall, at the goal */
  if (x[0] >= 0.45)
    margin = fmin(margin, fabs(fast));
  if (x[0] == -1.2 && x[1] < 0)
    x[1] = 0;
  const bool home = x[0] >= 0.45 && x[1] >= goal_velocity;
  return (ref_step){.reward = (home ? 100 : 0) - 0.1 * act * act, .margin = margin, .terminal = home};
}

#endif
