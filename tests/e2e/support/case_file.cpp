#include "case_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace cweb::e2e {
namespace {

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin));
}

/// "/path -> 200 text"
std::optional<CaseFile::Get> parse_get(const std::string& value) {
  const size_t arrow = value.find(" -> ");
  if (arrow == std::string::npos) return std::nullopt;
  std::istringstream rest(value.substr(arrow + 4));
  CaseFile::Get get;
  get.path = trimmed(value.substr(0, arrow));
  if (!(rest >> get.status)) return std::nullopt;
  std::string text;
  std::getline(rest, text);
  get.text = trimmed(text);
  return get;
}

bool set_number(const std::string& value, unsigned& number) {
  std::istringstream text(value);
  return static_cast<bool>(text >> number);
}

/// One "key: value" line. What is not a key is prose.
void read_line(CaseFile& file, const std::string& line) {
  const size_t colon = line.find(':');
  if (colon == std::string::npos) return;
  const std::string key = line.substr(0, colon);
  const std::string value = trimmed(line.substr(colon + 1));
  unsigned number = 0;
  if (key == "case") {
    file.sentence = value;
  } else if (key == "expect") {
    if (set_number(value, number)) file.expected_status = static_cast<int>(number);
  } else if (key == "stage") {
    file.stage = value.substr(0, value.find(' '));
  } else if (key == "says") {
    file.says.push_back(value);
  } else if (key == "line") {
    if (set_number(value, number)) file.line = number;
  } else if (key == "get") {
    const auto get = parse_get(value);
    if (get) {
      file.gets.push_back(*get);
    } else {
      file.fault = "not understood: " + line;
    }
  }
}

CaseFile read_case_file(const std::filesystem::path& path) {
  CaseFile file;
  file.name = path.filename();
  std::ifstream stream(path, std::ios::binary);
  file.source.assign(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  const size_t begin = file.source.find("/*");
  const size_t end = file.source.find("*/");
  if (begin != 0 || end == std::string::npos) {
    file.fault = "the file does not begin with a comment";
    return file;
  }
  std::istringstream comment(file.source.substr(2, end - 2));
  for (std::string line; std::getline(comment, line);) {
    const size_t text = line.find_first_not_of(" \t*");
    if (text != std::string::npos) read_line(file, line.substr(text));
  }
  if (file.sentence.empty()) file.fault = "the comment has no `case:`";
  if (file.expected_status == 0) file.fault = "the comment has no `expect:` with a status";
  return file;
}

}  // namespace

std::vector<CaseFile> read_case_files(const std::string& directory) {
  std::vector<CaseFile> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".c") files.push_back(read_case_file(entry->path()));
  }
  std::sort(files.begin(), files.end(), [](const CaseFile& a, const CaseFile& b) { return a.name < b.name; });
  return files;
}

}  // namespace cweb::e2e
