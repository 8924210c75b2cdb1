/* SPDX-License-Identifier: MIT */
#include "stats/stats.h"

#include <assert.h>
#include <math.h>

static const double root_half = 0.70710678118654752440;
static const double root_two_pi = 2.5066282746310005024;

double pgb_normal_cdf(double z) {
  return 0.5 * erfc(-z * root_half);
}

/* x >= 0 with upper tail q <= 1/2: Newton on log Q, which is concave, so from the left of the root it never
 * overshoots by much and converges from anywhere. */
static double normal_upper(double q) {
  const double goal = log(q);
  double x = q < 0.1 ? sqrt(-2 * goal - log(-4 * 3.14159265358979 * goal)) : (0.5 - q) * root_two_pi;
  for (int i = 0; i < 60; i++) {
    const double tail = 0.5 * erfc(x * root_half);
    const double step = (log(tail) - goal) * tail * root_two_pi * exp(0.5 * x * x);
    x += step;
    if (!(fabs(step) > 1e-15 * fabs(x)))
      break;
  }
  return x;
}

double pgb_normal_quantile(double p) {
  if (isnan(p) || p < 0 || p > 1)
    return NAN;
  if (p == 0 || p == 1)
    return p == 0 ? -INFINITY : INFINITY;
  /* Below 1e-300 exp(x^2/2) nears overflow; no probability of ours is that small. */
  if (p < 1e-300)
    return -37.0471;
  if (p == 0.5)
    return 0;
  return p < 0.5 ? -normal_upper(p) : normal_upper(1 - p);
}

/* log(Gamma(a + 1/2) / Gamma(a)), a > 0, without the cancellation of two log-gammas: the asymptotic series
 * (Tricomi and Erdelyi 1951, Pacific J. Math. 1:133) from a >= 20, reached by Gamma(x + 1) = x Gamma(x). */
static double log_gamma_step(double a) {
  double factor = 1;
  while (a < 20) {
    factor *= a / (a + 0.5);
    a += 1;
  }
  const double r = 1 / a, r2 = r * r;
  const double series = r * (-1. / 8 + r2 * (1. / 192 + r2 * (-1. / 640 + r2 * (17. / 14336))));
  return log(factor) + 0.5 * log(a) + series;
}

/* I_x(a, b) = x^a (1-x)^b / (a B(a,b)) / (1 + d1/(1 + d2/(1 + ...))), DLMF 8.17.22; fast for x <
 * (a+1)/(a+b+2). This is the denominator, by the modified Lentz method (Thompson and Barnett 1986, J. Comput.
 * Phys. 64:490). */
static double beta_fraction(double x, double a, double b) {
  const double tiny = 1e-300;
  double f = 1, c = 1, e = 0;
  for (int m = 0; m < 100000; m++) {
    const double low = a + 2. * m;
    const double odd = -(a + m) * (a + b + m) * x / (low * (low + 1));
    const double even = (m + 1) * (b - m - 1) * x / ((low + 1) * (low + 2));
    e = 1 / (1 + odd * e + tiny);
    c = 1 + odd / c + tiny;
    f *= c * e;
    e = 1 / (1 + even * e + tiny);
    c = 1 + even / c + tiny;
    f *= c * e;
    if (!(fabs(c * e - 1) > 2e-16))
      break;
  }
  return f;
}

/* P(T > t), t >= 0: half of I_x(dof/2, 1/2) at x = dof/(dof + t^2). */
static double student_upper(double t, double dof) {
  if (dof > 1e8) /* Abramowitz and Stegun 26.7.8: error O(1/dof^2) */
    return pgb_normal_cdf(-t * (1 - 0.25 / dof) / sqrt(1 + 0.5 * t * t / dof));
  const double a = 0.5 * dof, ratio = t * t / dof;
  const double root_pi = 1.77245385090551602730; /* Gamma(1/2) */
  if (!(ratio < 1e30))                           /* the tail is a pure power by then */
    return 0.5 * exp(log_gamma_step(a) + a * (log(dof) - 2 * log(t))) / (a * root_pi);
  const double x = 1 / (1 + ratio), y = ratio / (1 + ratio);
  /* x^a (1-x)^(1/2) / B(a, 1/2) */
  const double front = exp(log_gamma_step(a) - a * log1p(ratio)) * sqrt(y) / root_pi;
  if (x < (a + 1) / (a + 2.5))
    return 0.5 * front / (a * beta_fraction(x, a, 0.5));
  return 0.5 - front / beta_fraction(y, 0.5, a);
}

double pgb_student_cdf(double t, double dof) {
  assert(!(dof <= 0));
  if (isnan(t) || isnan(dof))
    return NAN;
  if (isinf(t))
    return t < 0 ? 0 : 1;
  return t < 0 ? student_upper(-t, dof) : 1 - student_upper(t, dof);
}

static double student_density(double t, double dof) {
  if (dof > 1e8)
    return exp(-0.5 * t * t) / root_two_pi;
  const double a = 0.5 * dof;
  return exp(log_gamma_step(a) - (a + 0.5) * log1p(t * t / dof)) / sqrt(3.14159265358979323846 * dof);
}

/* t > 0 with upper tail q < 1/2: Newton on the log of the tail inside a bracket that always holds the root.
 */
static double student_upper_quantile(double q, double dof) {
  double low = 0, high = 1;
  for (int i = 0; i < 1020 && student_upper(high, dof) > q; i++) {
    low = high;
    high *= 2;
  }
  double t = low > 0 ? sqrt(low * high) : 0.5 * high;
  for (int i = 0; i < 200; i++) {
    const double tail = student_upper(t, dof);
    if (tail > q)
      low = t;
    else
      high = t;
    double next = t + log(tail / q) * tail / student_density(t, dof);
    if (!(next > low && next < high))
      next = low > 0 ? sqrt(low * high) : 0.5 * high;
    const double step = fabs(next - t);
    t = next;
    if (step <= 4e-16 * t)
      break;
  }
  return t;
}

double pgb_student_quantile(double p, double dof) {
  assert(!(dof <= 0));
  if (isnan(p) || p < 0 || p > 1 || isnan(dof))
    return NAN;
  if (p == 0 || p == 1)
    return p == 0 ? -INFINITY : INFINITY;
  if (p == 0.5)
    return 0;
  return p < 0.5 ? -student_upper_quantile(p, dof) : student_upper_quantile(1 - p, dof);
}

double pgb_z_bound(double alpha, size_t n) {
  assert(alpha > 0 && alpha < 1);
  return -pgb_normal_quantile(alpha / (2 * (double)(n > 0 ? n : 1)));
}
