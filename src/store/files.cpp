#include "store/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <system_error>

namespace cweb::store {
namespace {

constexpr std::string_view temporary_prefix = ".cweb-tmp-";

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return 0;
}

int sync(int fd) {
  while (::fsync(fd) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

std::string describe(int number) {
  return std::generic_category().message(number);
}

FileResult<UniqueFd> open_directory(int at, const std::string& name, unsigned mode) {
  if (mode != 0 && ::mkdirat(at, name.c_str(), mode) != 0 && errno != EEXIST) return file_error(errno);
  UniqueFd directory(::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return file_error(errno);
  return directory;
}

FileResult<std::vector<std::string>> names_in(int directory) {
  // A descriptor of its own: reading moves an offset that duplicates share.
  const int own = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return file_error(errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own), ::closedir);
  if (!stream) {
    const int number = errno;
    ::close(own);
    return file_error(number);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* const entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return file_error(errno);
  std::sort(names.begin(), names.end());
  return names;
}

FileResult<std::string> read_file(int directory, const std::string& name, size_t longest, bool follow) {
  // Without waiting: what is called NAME.c may be a pipe.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW);
  const UniqueFd file(::openat(directory, name.c_str(), flags));
  if (!file) return file_error(errno);
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) return file_error(errno);
  if (S_ISDIR(facts.st_mode)) return file_error(EISDIR);
  if (!S_ISREG(facts.st_mode)) return file_error(EINVAL);
  std::string text;
  if (static_cast<uint64_t>(facts.st_size) > longest) return file_error(EFBIG);
  text.resize(static_cast<size_t>(facts.st_size) + 1);
  size_t length = 0;
  for (;;) {
    const ssize_t count = ::read(file.get(), text.data() + length, text.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(errno);
    if (count == 0) break;
    length += static_cast<size_t>(count);
    // It may grow while it is read.
    if (length > longest) return file_error(EFBIG);
    if (length == text.size()) text.resize(2 * text.size());
  }
  text.resize(length);
  return text;
}

FileResult<void> write_new_file(int directory, const std::string& name, std::string_view text, unsigned mode,
                                bool sync_it) {
  const UniqueFd file(::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return file_error(errno);
  int number = write_all(file.get(), text);
  if (number == 0 && sync_it) number = sync(file.get());
  if (number == 0) return {};
  ::unlinkat(directory, name.c_str(), 0);
  return file_error(number);
}

FileResult<void> sync_directory(int directory) {
  if (const int number = sync(directory); number != 0) return file_error(number);
  return {};
}

std::string temporary_name() {
  static std::atomic<uint64_t> last{0};
  return fmt::format("{}{}-{}", temporary_prefix, ::getpid(), ++last);
}

bool is_temporary(std::string_view name) {
  return name.starts_with(temporary_prefix);
}

}  // namespace cweb::store
