#include "fault_case.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "deploying.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

constexpr int gateway_timeout = 504;

/// One "key: value" line of the first comment.
void read_line(FaultCase& fault, const std::string& line) {
  const size_t colon = line.find(": ");
  const size_t begin = line.find_first_not_of(" /*");
  if (colon == std::string::npos || begin > colon) return;
  const std::string key = line.substr(begin, colon - begin);
  const std::string value = line.substr(colon + 2);
  if (key == "fault") fault.sentence = value;
  if (key == "answer") fault.status = std::stoi(value);
  if (key == "says") fault.says.push_back(value);
  std::istringstream names(key == "chain" ? value : "");
  for (std::string name; names >> name;) fault.chain.push_back(name);
}

FaultCase read_fault_case(const std::string& name) {
  const std::string file = "tests/e2e/faults/" + name + ".c";
  const std::string code = read_project_file(file);
  FaultCase fault{.name = name, .sentence = {}, .status = 0, .says = {}, .chain = {}, .source = {}};
  std::istringstream comment(code.substr(0, code.find("*/")));
  for (std::string line; std::getline(comment, line);) read_line(fault, line);
  EXPECT_NE(fault.sentence, "") << file;
  EXPECT_NE(fault.status, 0) << file;
  // Only those have a short deadline that are to meet it, so that a slow machine makes no others of them.
  fault.source =
      fill_in(read_project_file("tests/e2e/faults/frame.c.in"),
              {{"CASE", code}, {"NAME", name}, {"DEADLINE_MS", fault.status == gateway_timeout ? "300" : "0"}});
  return fault;
}

}  // namespace

std::vector<FaultCase> read_fault_cases() {
  std::vector<FaultCase> cases;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(project_file("tests/e2e/faults"), error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".c") cases.push_back(read_fault_case(entry->path().stem()));
  }
  std::sort(cases.begin(), cases.end(), [](const FaultCase& a, const FaultCase& b) { return a.name < b.name; });
  return cases;
}

unsigned marked_line(const std::string& source, const std::string& mark) {
  const size_t found = source.find("/* " + mark + " */");
  EXPECT_NE(found, std::string::npos) << "no line is marked as " << mark << " in:\n" << source;
  const auto end = source.begin() + static_cast<std::ptrdiff_t>(std::min(found, source.size()));
  return 1 + static_cast<unsigned>(std::count(source.begin(), end, '\n'));
}

std::string marked_place(const std::string& source, const std::string& mark) {
  return "module.c:" + std::to_string(marked_line(source, mark));
}

}  // namespace cweb::e2e
