// What monitoring reads: counters and gauges in Prometheus' text format, version 0.0.4. The series are as many as
// modules, routes and loops make them: nothing that a client sends becomes a label.
#pragma once

#include <string>

#include "mgnt/deployer.h"
#include "runtime/runtime.h"
#include "server/server_metrics.h"

namespace cweb::mgnt {

std::string metrics_text(const Deployer& deployer, runtime::Runtime& runtime, const server::ServerMetrics& server);

}  // namespace cweb::mgnt
