#include "cli/credentials.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/unique_fd.h"
#include "cli/small_file.h"
#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

constexpr size_t longest_file = size_t{1} << 20;
/// As the server has it (mgnt/admin_key).
constexpr size_t longest_key = 4096;
constexpr std::string_view head =
    "# Keys of cweb servers, a line each: URL, blank, key. Written by cweb login; nobody else may read it.\n";

std::string system_error(const std::string& path) {
  return one_line(path) + ": " + std::strerror(errno);
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The text; empty when there is no such file.
Expected<std::string> read_private_file(const std::string& path) {
  struct stat status{};
  auto text = read_small_file(path, longest_file, FileKind::regular, &status);
  if (!text && text.error().os_error == ENOENT) return std::string();
  if (!text) return fail(text.error().sentence);
  if (!S_ISREG(status.st_mode)) return fail(one_line(path) + " is no file: it holds keys, and is not used");
  if (status.st_uid != geteuid() && status.st_uid != 0) {
    return fail(one_line(path) +
                " belongs to another user, and its keys are not used: move it away, and cweb login again");
  }
  if ((status.st_mode & 077) != 0) {
    return fail("others may read or write " + one_line(path) + ", and its keys are not used: chmod 600 " +
                one_line(path));
  }
  return std::move(*text);
}

/// Calls take(line, url, key) for each line; url and key are empty where the line holds none.
template <typename Take>
void each_line(std::string_view text, Take&& take) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t blank = line.find(' ');
    const bool has_key = blank != std::string_view::npos && !line.starts_with('#');
    std::string_view key = has_key ? line.substr(blank + 1) : std::string_view();
    if (key.ends_with('\r')) key.remove_suffix(1);
    take(line, has_key ? line.substr(0, blank) : std::string_view(), key);
  }
}

std::string with_key(const std::string& text, const std::string& server_url, const std::string& key) {
  std::string lines;
  each_line(text.empty() ? head : std::string_view(text), [&](std::string_view line, std::string_view url, auto) {
    if (url != server_url) lines += std::string(line) + "\n";
  });
  return lines + server_url + " " + key + "\n";
}

Expected<void> write_whole(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail("the key is not saved: " + system_error(path));
    text.remove_prefix(static_cast<size_t>(count));
  }
  if (fsync(fd) != 0) return fail("the key is not saved: " + system_error(path));
  return {};
}

Expected<void> replace_file(const std::string& path, const std::string& text) {
  std::string temporary = path + ".XXXXXX";
  const UniqueFd file(mkostemp(temporary.data(), O_CLOEXEC));  // 0600
  if (!file) return fail("the key is not saved: " + system_error(path));
  auto written = write_whole(file.get(), path, text);
  if (written && rename(temporary.c_str(), path.c_str()) != 0) {
    written = fail("the key is not saved: " + system_error(path));
  }
  if (!written) unlink(temporary.c_str());
  return written;
}

}  // namespace

Expected<std::string> credentials_path() {
  // The base directory specification ignores what is not absolute.
  const std::string config = variable("XDG_CONFIG_HOME");
  if (config.starts_with('/')) return config + "/cweb/credentials";
  const std::string home = variable("HOME");
  if (home.starts_with('/')) return home + "/.config/cweb/credentials";
  return fail("there is no home directory to keep keys in: set HOME");
}

Expected<std::string> saved_key(const std::string& path, const std::string& server_url) {
  const auto text = read_private_file(path);
  if (!text) return std::unexpected(text.error());
  std::string found;
  each_line(*text, [&](auto, std::string_view url, std::string_view key) {
    if (url == server_url) found = key;
  });
  if (!found.empty() && !key_fault(found).empty()) {
    return fail(one_line(path) + " holds no key for " + server_url + " that could be one: cweb login --server " +
                server_url);
  }
  return found;
}

Expected<void> save_key(const std::string& path, const std::string& server_url, const std::string& key) {
  // A link to where the file is kept stays one.
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  const std::string file = error ? path : real.string();
  const std::string directory = file.substr(0, file.rfind('/'));
  std::filesystem::create_directories(std::filesystem::path(directory).parent_path(), error);
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail("the key is not saved: " + system_error(directory));
  }
  const UniqueFd lock(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock || flock(lock.get(), LOCK_EX) != 0) return fail("the key is not saved: " + system_error(directory));
  const auto text = read_private_file(file);
  if (!text) return std::unexpected(text.error());
  return replace_file(file, with_key(*text, server_url, key));
}

std::string key_fault(const std::string& key) {
  if (key.empty()) return "the key is empty";
  if (key.size() > longest_key) return "the key is longer than any";
  if (!std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f; })) {
    return "the key holds blanks or characters that no key has: letters, digits and punctuation of ASCII";
  }
  return {};
}

}  // namespace cweb::cli
