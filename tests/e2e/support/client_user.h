// Somebody who uses the client commands: a home and working directory of a test's own, and nothing of the environment
// that would choose a server or a key.
#pragma once

#include <string>
#include <vector>

#include "child_process.h"
#include "temporary_directory.h"

namespace cweb::e2e {

class ClientUser {
 public:
  /// The command line that runs `cweb ARGUMENTS` as this user, with these variables ("NAME=value") besides.
  std::vector<std::string> command(const std::vector<std::string>& arguments,
                                   const std::vector<std::string>& variables = {}) const;
  Finished run(const std::vector<std::string>& arguments, const std::vector<std::string>& variables = {}) const;
  /// With this text on standard input.
  Finished run_with_input(const std::string& input, const std::vector<std::string>& arguments) const;

  /// Home, and the working directory as well.
  const TemporaryDirectory& home() const { return home_; }
  std::string credentials() const { return ".config/cweb/credentials"; }

 private:
  const TemporaryDirectory home_;
};

}  // namespace cweb::e2e
