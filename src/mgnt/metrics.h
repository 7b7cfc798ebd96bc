// What monitoring reads: counters and gauges in Prometheus' text format, version 0.0.4.
#pragma once

#include <string>

#include "mgnt/deployer.h"
#include "runtime/runtime.h"

namespace cweb::mgnt {

std::string metrics_text(const DeployCounts& deploys, runtime::Runtime& runtime);

}  // namespace cweb::mgnt
