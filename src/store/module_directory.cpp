#include "store/module_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "store/digest.h"
#include "store/file_name.h"

namespace cweb::store {
namespace {

/// A server that was killed may take a moment to be gone.
constexpr int64_t lock_patience_ms = 1000;
constexpr int lock_pause_ms = 20;

FileResult<void> changed() {
  return std::unexpected(FileError{.number = 0, .kind = FileError::Kind::changed});
}

/// 0, or errno.
int rename_at(int directory, const std::string& from, const std::string& to, unsigned flags) {
  return ::renameat2(directory, from.c_str(), directory, to.c_str(), flags) == 0 ? 0 : errno;
}

/// Some file systems rename in one way only.
bool is_unsupported(int number) {
  return number == EINVAL || number == ENOSYS || number == EOPNOTSUPP;
}

}  // namespace

ModuleDirectory::Staged::Staged(Staged&& other) noexcept
    : directory_(std::exchange(other.directory_, -1)), name_(std::move(other.name_)), hash_(std::move(other.hash_)) {}

ModuleDirectory::Staged::~Staged() {
  // Not there any more when it was put in a new file's place.
  if (directory_ >= 0) ::unlinkat(directory_, name_.c_str(), 0);
}

Expected<std::unique_ptr<ModuleDirectory>> ModuleDirectory::open(const std::string& path, size_t longest) {
  auto opened = open_directory(AT_FDCWD, path, 0755);
  // One that cannot be made because the file system is read-only may be there all the same.
  if (!opened && opened.error().number != ENOTDIR) opened = open_directory(AT_FDCWD, path);
  if (!opened) {
    const int number = opened.error().number;
    const char* const advice =
        number == ENOENT ? "; the directory that it is to be in is not there: make it first" : "";
    return fail(fmt::format("--modules {}: {}{}", path, describe(number), advice));
  }
  std::unique_ptr<ModuleDirectory> directory(new ModuleDirectory(path, std::move(*opened), longest));
  if (auto locked = directory->lock(); !locked) return std::unexpected(locked.error());
  directory->clean_up();
  // A directory that was made just now is to be there after a power failure, like the files in it.
  if (const auto parent = open_directory(directory->fd(), "..")) (void)sync_directory(parent->get());
  return directory;
}

/// The lock goes with the descriptor, however the process ends.
Expected<void> ModuleDirectory::lock() const {
  const int64_t end_ms = monotonic_ms() + lock_patience_ms;
  while (::flock(directory_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      log::warn("{} cannot be locked ({}): see to it that no other server uses it", path_, describe(errno));
      return {};
    }
    if (monotonic_ms() >= end_ms) {
      return fail(
          fmt::format("--modules {}: another cweb server keeps its modules there; give this one a directory of "
                      "its own",
                      path_));
    }
    ::poll(nullptr, 0, lock_pause_ms);
  }
  return {};
}

/// Finds out, too, whether anything can be written: better said at the start than at the first deploy.
void ModuleDirectory::clean_up() {
  if (const auto names = names_in(directory_.get())) {
    for (const std::string& name : *names) {
      if (is_temporary(name)) ::unlinkat(directory_.get(), name.c_str(), 0);
    }
  }
  const std::string probe = temporary_name();
  if (const auto written = write_new_file(directory_.get(), probe, "", 0600, /*sync=*/false); !written) {
    why_read_only_ = describe(written.error().number);
    return;
  }
  ::unlinkat(directory_.get(), probe.c_str(), 0);
}

FileResult<std::vector<std::string>> ModuleDirectory::files() const {
  auto names = names_in(directory_.get());
  if (names) std::erase_if(*names, [](const std::string& name) { return !is_module_file(name); });
  return names;
}

FileResult<std::string> ModuleDirectory::read(const std::string& file) const {
  return read_file(directory_.get(), file, longest_);
}

FileResult<ModuleDirectory::Staged> ModuleDirectory::stage(std::string_view text, const std::string& hash) const {
  std::string name = temporary_name();
  if (auto written = write_new_file(directory_.get(), name, text, 0644, /*sync=*/true); !written) {
    return std::unexpected(written.error());
  }
  return Staged(directory_.get(), std::move(name), hash);
}

bool ModuleDirectory::is_link(const std::string& file) const {
  struct stat facts{};
  return ::fstatat(directory_.get(), file.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(facts.st_mode);
}

FileResult<void> ModuleDirectory::check(const std::string& file,
                                        const std::optional<std::string>& expected_hash) const {
  if (is_link(file)) return std::unexpected(FileError{.number = 0, .kind = FileError::Kind::link});
  const auto text = read(file);
  if (!text && text.error().number == ENOENT) return {};
  if (!text && text.error().number != EFBIG) return std::unexpected(text.error());
  if (!text || !expected_hash || sha256_hex(*text) != *expected_hash) return changed();
  return {};
}

FileResult<void> ModuleDirectory::put(const Staged& staged, const std::string& file,
                                      const std::optional<std::string>& expected_hash) const {
  if (auto checked = check(file, expected_hash); !checked) return checked;
  return expected_hash ? put_in_place(staged, file, *expected_hash) : put_new(staged, file);
}

FileResult<void> ModuleDirectory::put_new(const Staged& staged, const std::string& file) const {
  int number = rename_at(directory_.get(), staged.name_, file, RENAME_NOREPLACE);
  if (is_unsupported(number)) number = rename_at(directory_.get(), staged.name_, file, 0);
  if (number == EEXIST) return changed();
  if (number != 0) return file_error(number);
  auto synced = sync_directory(directory_.get());
  if (!synced) ::unlinkat(directory_.get(), file.c_str(), 0);
  return synced;
}

/// The two change places, so that there is a way back until the directory is on the disk.
FileResult<void> ModuleDirectory::put_in_place(const Staged& staged, const std::string& file,
                                               const std::string& expected_hash) const {
  // Who may read the file is its owner's business.
  struct stat facts{};
  if (::fstatat(directory_.get(), file.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) {
    ::fchmodat(directory_.get(), staged.name_.c_str(), facts.st_mode & 0777, 0);
  }
  const int number = rename_at(directory_.get(), staged.name_, file, RENAME_EXCHANGE);
  if (number == ENOENT) return put_new(staged, file);
  if (is_unsupported(number)) {
    if (const int renamed = rename_at(directory_.get(), staged.name_, file, 0); renamed != 0)
      return file_error(renamed);
    return sync_directory(directory_.get());
  }
  if (number != 0) return file_error(number);
  const auto go_back = [&] { rename_at(directory_.get(), staged.name_, file, RENAME_EXCHANGE); };
  const auto before = read(staged.name_);
  const std::string hash_before = before ? sha256_hex(*before) : std::string();
  if (hash_before != expected_hash && hash_before != staged.hash_) {
    go_back();
    return changed();
  }
  auto synced = sync_directory(directory_.get());
  if (!synced) go_back();
  return synced;
}

FileResult<void> ModuleDirectory::remove(const std::string& file, const std::string& expected_hash) const {
  // Of a link the link alone goes.
  const bool was_link = is_link(file);
  if (!was_link) {
    if (auto checked = check(file, expected_hash); !checked) return checked;
  }
  const Staged aside(directory_.get(), temporary_name(), expected_hash);
  const int number = rename_at(directory_.get(), file, aside.name_, 0);
  if (number == ENOENT) return {};
  if (number != 0) return file_error(number);
  // Not over what somebody has put there meanwhile.
  const auto go_back = [&] {
    if (is_unsupported(rename_at(directory_.get(), aside.name_, file, RENAME_NOREPLACE))) {
      rename_at(directory_.get(), aside.name_, file, 0);
    }
  };
  const auto taken = read(aside.name_);
  if (!was_link && (!taken || sha256_hex(*taken) != expected_hash)) {
    go_back();
    return changed();
  }
  auto synced = sync_directory(directory_.get());
  if (!synced) go_back();
  return synced;
}

}  // namespace cweb::store
