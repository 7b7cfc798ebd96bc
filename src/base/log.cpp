#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

namespace cweb::log {

void set_up() {
  spdlog::set_default_logger(spdlog::stderr_color_mt("cweb"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  spdlog::flush_on(spdlog::level::info);
}

}  // namespace cweb::log
