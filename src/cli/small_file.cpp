#include "cli/small_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "base/unique_fd.h"
#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

constexpr size_t step = size_t{64} << 10;

std::unexpected<FileFault> fault(const std::string& path, int error) {
  const std::string name = path == "-" ? "standard input" : one_line(path);
  return std::unexpected(FileFault{name + ": " + std::strerror(error), error});
}

}  // namespace

std::expected<std::string, FileFault> read_small_file(const std::string& path, size_t most_bytes, FileKind kind,
                                                      struct stat* status) {
  UniqueFd opened;
  // Opening a pipe waits for its writer otherwise; for a regular file the flag means nothing.
  const int not_waiting = kind == FileKind::regular ? O_NONBLOCK : 0;
  if (path != "-") opened.reset(open(path.c_str(), O_RDONLY | O_CLOEXEC | not_waiting));
  const int fd = path == "-" ? STDIN_FILENO : opened.get();
  struct stat found{};
  if (fd < 0 || fstat(fd, &found) != 0) return fault(path, errno);
  if (S_ISDIR(found.st_mode)) return fault(path, EISDIR);
  if (kind == FileKind::regular && !S_ISREG(found.st_mode)) {
    return std::unexpected(FileFault{one_line(path) + ": is a pipe or a device, and is not read: put a file there", 0});
  }
  if (status != nullptr) *status = found;
  std::string text;
  while (text.size() <= most_bytes) {
    const size_t length = text.size();
    text.resize(std::min(length + step, most_bytes + 1));
    const ssize_t count = read(fd, text.data() + length, text.size() - length);
    const int error = errno;
    text.resize(length + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return text;
    if (count < 0 && error != EINTR) return fault(path, error);
  }
  const std::string bound = readable_bytes(most_bytes);
  return std::unexpected(FileFault{one_line(path) + ": is longer than " + bound + ", the most that is read of it", 0});
}

std::vector<std::string> without_repetition(const std::vector<std::string>& files) {
  std::set<std::pair<dev_t, ino_t>> seen;
  std::set<std::string> names;
  std::vector<std::string> kept;
  for (const std::string& file : files) {
    struct stat status{};
    const bool is_known = file != "-" && stat(file.c_str(), &status) == 0;
    const bool is_new = is_known ? seen.emplace(status.st_dev, status.st_ino).second : names.insert(file).second;
    if (is_new) kept.push_back(file);
  }
  return kept;
}

}  // namespace cweb::cli
