#include "process_facts.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace cweb::e2e {
namespace {

std::string directory_of(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  // Unlike an iterator, this throws nothing when the process ends between being opened and being read.
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The number behind "Name:" in /proc/PID/status.
long status_number(pid_t pid, const std::string& name) {
  const std::string text = read_text(directory_of(pid) + "/status");
  const size_t at = text.find(name + ":");
  return at == std::string::npos ? -1 : std::atol(text.c_str() + at + name.size() + 1);
}

std::vector<pid_t> numbers_in(const std::string& directory) {
  std::vector<pid_t> numbers;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    const bool is_number = std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (is_number) numbers.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return numbers;
}

/// The fields of /proc/PID/stat from the state on: the name before them may have spaces in it.
std::vector<std::string> stat_fields(pid_t pid) {
  const std::string text = read_text(directory_of(pid) + "/stat");
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  return {std::istream_iterator<std::string>(rest), std::istream_iterator<std::string>()};
}

std::vector<pid_t> children_in_state(pid_t parent, bool zombies) {
  std::vector<pid_t> children;
  for (const pid_t pid : numbers_in("/proc")) {
    const std::vector<std::string> fields = stat_fields(pid);
    if (fields.size() < 2 || fields[1] != std::to_string(parent)) continue;
    if ((fields[0] == "Z") == zombies) children.push_back(pid);
  }
  return children;
}

}  // namespace

ProcessFacts facts_of(pid_t pid) {
  ProcessFacts facts;
  facts.resident_kb = status_number(pid, "VmRSS");
  facts.threads = status_number(pid, "Threads");
  const std::string maps = read_text(directory_of(pid) + "/maps");
  facts.mappings = std::count(maps.begin(), maps.end(), '\n');
  facts.descriptors = static_cast<long>(numbers_in(directory_of(pid) + "/fd").size());
  return facts;
}

std::vector<pid_t> children_of(pid_t pid) {
  return children_in_state(pid, false);
}
std::vector<pid_t> zombies_of(pid_t pid) {
  return children_in_state(pid, true);
}

long processor_ticks_of(pid_t pid) {
  const std::vector<std::string> fields = stat_fields(pid);
  // utime and stime are the 14th and 15th field of the line; the state is the third.
  if (fields.size() < 13) return -1;
  return std::stol(fields[11]) + std::stol(fields[12]);
}

std::string name_of(pid_t thread) {
  std::string name = read_text(directory_of(thread) + "/comm");
  if (name.ends_with('\n')) name.pop_back();
  return name;
}

std::vector<pid_t> threads_of(pid_t pid) {
  return numbers_in(directory_of(pid) + "/task");
}

bool is_sandboxed(pid_t pid) {
  return status_number(pid, "Seccomp") == 2;
}

bool is_established(uint16_t port, uint16_t peer_port) {
  std::istringstream table(read_text("/proc/net/tcp"));
  // "0: 0100007F:1F90 0100007F:C350 01 ...": both ends in hexadecimal, and the state.
  const auto end_at = [](uint16_t its_port) {
    char text[32];
    std::snprintf(text, sizeof text, "0100007F:%04X", its_port);
    return std::string(text);
  };
  const std::string wanted = end_at(port) + " " + end_at(peer_port) + " 01 ";
  for (std::string line; std::getline(table, line);) {
    if (line.find(wanted) != std::string::npos) return true;
  }
  return false;
}

bool is_traced(pid_t thread) {
  return status_number(thread, "TracerPid") > 0;
}

}  // namespace cweb::e2e
