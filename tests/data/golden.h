/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_DATA_GOLDEN_H
#define PGB_TESTS_DATA_GOLDEN_H

/* Exact figures of two small problems, found by enumeration outside this program: gradient and trace of the
 * variance of one episode's estimate (of a batch of eight where it says so). */

/* Bandit: theta (0, .5, 1, 1.5), mean (1, 2, 3, 5), noise (.5, 0, 1, .25). */
static const double golden_bandit_gradient[4] = {-0.2578647681009732, -0.25774203085378705,
                                                 -0.1489404239154938, 0.6645472228702538};
static const double golden_bandit_none = 7.022892996121757;
static const double golden_bandit_value = 1.2410314026789726;
static const double golden_bandit_optimal = 1.023752168736991;
static const double golden_bandit_component = 0.5305564102750169;
static const double golden_bandit_loo8 = 0.19525214749903957;

/* Decision process: S = A = 2, horizon 3, gamma .9, reward noise .5, theta (.2, -.3, .5, 0); V is exact. */
static const double golden_mdp_gradient[4] = {0.40182083831070003, -0.40182083831069976, -0.8522828004083968,
                                              0.8522828004083968};
static const double golden_mdp_reinforce = 9.301641922866459;
static const double golden_mdp_reinforce_optimal = 6.243293848270433;
static const double golden_mdp_gpomdp = 4.5759755678057115;
static const double golden_mdp_gpomdp_value = 3.3728626336007803;
static const double golden_mdp_gae0_value = 1.6709199230624159;
static const double golden_mdp_gae05_value = 2.046690247651093;

#endif
