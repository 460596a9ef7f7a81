/* SPDX-License-Identifier: MIT */
/* metrics.h: what stats and status collected, in Prometheus's text exposition
 * format (version 0.0.4), for the textfile collector of node_exporter.
 */
#ifndef POPBOX_METRICS_H
#define POPBOX_METRICS_H

#include "check/stats.h"
#include "status.h"

/* To standard output. What is not known is left out, so that no wrong number is
 * taken for a right one. */
void metrics_print(const struct stats *stats, const struct status *status);

#endif
