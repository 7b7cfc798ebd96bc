#include "cli/routes_ini.h"

#include <algorithm>
#include <cerrno>

#include "cli/server_url.h"
#include "cli/small_file.h"
#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

constexpr size_t longest_ini = size_t{1} << 20;
constexpr std::string_view blanks = " \t\r";
constexpr std::string_view server_key = "server_url";

std::string_view trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(blanks), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// What is said, without the comment behind it, which begins after a blank. Quotes keep what is in them.
std::string_view value_of(std::string_view text) {
  text = trimmed(text);
  const bool is_quoted = text.starts_with('"') || text.starts_with('\'');
  if (is_quoted && text.find(text.front(), 1) != std::string_view::npos) {
    return text.substr(1, text.find(text.front(), 1) - 1);
  }
  for (size_t i = 1; i < text.size(); ++i) {
    const bool begins_comment =
        (text[i] == '#' || text[i] == ';') && blanks.find(text[i - 1]) != std::string_view::npos;
    if (begins_comment) return trimmed(text.substr(0, i));
  }
  return text;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

/// A path that the ini names, for this process.
std::string beside(const std::string& ini, std::string_view file) {
  const size_t slash = ini.rfind('/');
  if (file.starts_with('/') || slash == std::string::npos) return std::string(file);
  return ini.substr(0, slash + 1) + std::string(file);
}

class Parser {
 public:
  explicit Parser(const std::string& path) : path_(path) {}

  void line(std::string_view text) {
    ++number_;
    text = trimmed(text);
    if (text.empty() || text.front() == '#' || text.front() == ';') return;
    if (text.find('\0') != std::string_view::npos) return problem("is not text");
    if (text.front() == '[') return section(text);
    const size_t equals = text.find('=');
    const std::string_view name = trimmed(text.substr(0, equals));
    if (equals != std::string_view::npos && name == server_key) return server(value_of(text.substr(equals + 1)));
    if (!in_modules_) return problem("expected server_url=URL, or [modules] before the files");
    // "counter=modules/counter.c": the name is for people, since a module's source says what it is called.
    const bool is_named = equals != std::string_view::npos && is_name(name);
    const std::string_view file = value_of(is_named ? text.substr(equals + 1) : text);
    if (file.empty()) return problem("expected the path of a C file");
    ini_.files.push_back(beside(path_, file));
  }

  RoutesIni take() { return std::move(ini_); }

 private:
  void problem(const std::string& what) {
    ini_.problems.push_back(one_line(path_) + ":" + std::to_string(number_) + ": " + what);
  }

  void section(std::string_view text) {
    in_modules_ = value_of(text) == "[modules]";
    if (!in_modules_) problem("there is no section " + one_line(text) + ": expected [modules]");
  }

  void server(std::string_view value) {
    auto url = server_line_ == 0 ? parse_server_url(value)
                                 : fail("server_url is given already, in line " + std::to_string(server_line_));
    if (server_line_ == 0) server_line_ = number_;
    if (url) {
      ini_.server_url = std::move(*url);
    } else {
      problem(url.error().message);
      ini_.server_problem = ini_.problems.back();
    }
  }

  const std::string& path_;
  RoutesIni ini_;
  unsigned number_ = 0;
  unsigned server_line_ = 0;
  bool in_modules_ = false;
};

}  // namespace

RoutesIni parse_routes_ini(std::string_view text, const std::string& path) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Parser parser(path);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    parser.line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.take();
}

Expected<RoutesIni> read_routes_ini(const std::string& path, FileKind kind) {
  const auto text = read_small_file(path, longest_ini, kind);
  if (!text) return fail(text.error().sentence);
  return parse_routes_ini(*text, path);
}

Expected<std::string> server_of_ini(const std::string& path) {
  const auto text = read_small_file(path, longest_ini);
  if (!text && text.error().os_error == ENOENT) return std::string();
  if (!text) return fail(text.error().sentence);
  const RoutesIni ini = parse_routes_ini(*text, path);
  // The mistakes of other lines are told by who deploys the files.
  if (!ini.server_problem.empty()) return fail(ini.server_problem);
  return ini.server_url;
}

}  // namespace cweb::cli
