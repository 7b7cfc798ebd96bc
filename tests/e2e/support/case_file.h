// tests/cases/*.c: sources whose first comment says what has to become of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cweb::e2e {

struct CaseFile {
  /// A GET that has to work once the source is deployed.
  struct Get {
    std::string path;
    int status = 200;
    std::string text;  ///< to be found in the body
  };
  std::string name;  ///< of the file
  std::string source;
  std::string sentence;
  int expected_status = 0;
  std::string stage;              ///< of a failure; empty: not looked at
  std::vector<std::string> says;  ///< each to be found in the answer
  std::optional<unsigned> line;   ///< of the first error
  std::vector<Get> gets;
  std::string fault;  ///< what is wrong with the comment; empty when nothing is
};

/// All of them, sorted by name.
std::vector<CaseFile> read_case_files(const std::string& directory);

}  // namespace cweb::e2e
