// The command line of a binary that was built with -DCWEB_PRODUCTION=ON: this test has its own options.cpp.
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "cli/options.h"

namespace cweb::cli {
namespace {

bool is_production(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"cweb", "serve"});
  const CommandLine line = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
  const auto* options = std::get_if<ServeOptions>(&line);
  EXPECT_NE(options, nullptr);
  return options != nullptr && options->production;
}

TEST(ProductionBuild, serves_in_production_unless_told_otherwise) {
  EXPECT_TRUE(is_production({}));
  EXPECT_TRUE(is_production({"--production"}));
  EXPECT_FALSE(is_production({"--development"}));
  setenv("CWEB_ENV", "development", 1);
  EXPECT_FALSE(is_production({}));
  EXPECT_TRUE(is_production({"--production"}));
  setenv("CWEB_ENV", "", 1);
  EXPECT_TRUE(is_production({}));
  unsetenv("CWEB_ENV");
}

}  // namespace
}  // namespace cweb::cli
