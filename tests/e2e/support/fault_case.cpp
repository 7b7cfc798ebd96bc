#include "fault_case.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "deploying.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr int gateway_timeout = 504;

std::string template_of(FaultFrame frame) {
  switch (frame) {
    case FaultFrame::handler:
      return "frame.c.in";
    case FaultFrame::socket:
      return "frame_socket.c.in";
    case FaultFrame::onload:
      return "frame_onload.c.in";
    case FaultFrame::unload:
      return "frame_unload.c.in";
  }
  return {};
}

/// The module around a case.
std::string frame_text(FaultFrame frame) {
  const std::string folder = "tests/e2e/faults/";
  std::string head = read_project_file(folder + "frame_head.c.in");
  if (frame != FaultFrame::handler) {
    head = fill_in(read_project_file(folder + "frame_no_request.c.in"), {{"HEAD", head}});
  }
  return fill_in(read_project_file(folder + template_of(frame)), {{"HEAD", head}});
}

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
  if (key == "needs") fault.needs_response = value == "response";
  std::istringstream names(key == "chain" ? value : "");
  for (std::string name; names >> name;) fault.chain.push_back(name);
}

FaultCase read_fault_case(const std::string& name, FaultFrame frame) {
  const std::string file = "tests/e2e/faults/" + name + ".c";
  const std::string code =
      fill_in(read_project_file(file), {{"DEADLINE", frame == FaultFrame::onload ? "10 s" : "0.3 s"}});
  FaultCase fault;
  fault.name = name;
  std::istringstream comment(code.substr(0, code.find("*/")));
  for (std::string line; std::getline(comment, line);) read_line(fault, line);
  EXPECT_NE(fault.sentence, "") << file;
  EXPECT_NE(fault.status, 0) << file;
  // Only those have a short deadline that are to meet it, so that a slow machine makes no others of them.
  fault.source =
      fill_in(frame_text(frame), {{"CASE", code}, {"NAME", name}, {"DEADLINE_MS", fault.is_overdue() ? "300" : "0"}});
  return fault;
}

}  // namespace

bool FaultCase::is_overdue() const {
  return status == gateway_timeout;
}

std::vector<FaultCase> read_fault_cases(FaultFrame frame) {
  std::vector<FaultCase> cases;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(project_file("tests/e2e/faults"), error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".c") cases.push_back(read_fault_case(entry->path().stem(), frame));
  }
  if (frame != FaultFrame::handler) {
    std::erase_if(cases, [](const FaultCase& fault) { return fault.needs_response; });
  }
  std::sort(cases.begin(), cases.end(), [](const FaultCase& a, const FaultCase& b) { return a.name < b.name; });
  return cases;
}

void expect_report(const json& report, const FaultCase& fault) {
  ASSERT_TRUE(report.is_object()) << report;
  EXPECT_EQ(report.value("line", 0U), marked_line(fault.source)) << report;
  EXPECT_THAT(report.value("source_line", ""), HasSubstr("/* here */"));
  for (const std::string& text : fault.says) EXPECT_THAT(report.value("what", ""), HasSubstr(text));
  std::vector<std::string> chain;
  for (const json& each : report.value("chain", json::array())) {
    if (chain.size() < fault.chain.size()) chain.push_back(each.value("function", ""));
  }
  EXPECT_EQ(chain, fault.chain);
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
