#include "store/secret_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/files.h"

namespace cweb::store {
namespace {

constexpr mode_t others = 077;

FileResult<std::string> make_secret(int directory, const std::string& name, size_t bytes) {
  std::string secret(bytes, '\0');
  if (::getrandom(secret.data(), bytes, 0) != static_cast<ssize_t>(bytes)) return file_error(errno);
  // Whole or not at all: it is read for as long as the directory lives.
  const std::string temporary = temporary_name();
  auto written = write_new_file(directory, temporary, secret, 0600, /*sync=*/true);
  if (!written) return std::unexpected(written.error());
  if (::renameat(directory, temporary.c_str(), directory, name.c_str()) != 0) {
    const int number = errno;
    ::unlinkat(directory, temporary.c_str(), 0);
    return file_error(number);
  }
  if (auto synced = sync_directory(directory); !synced) return std::unexpected(synced.error());
  return secret;
}

}  // namespace

Expected<std::string> read_or_make_secret(const std::string& directory, const std::string& name, size_t bytes) {
  const std::string path = directory + "/" + name;
  const auto opened = open_directory(AT_FDCWD, directory);
  if (!opened) return fail(fmt::format("{}: {}", directory, describe(opened.error().number)));
  struct stat facts{};
  if (::fstatat(opened->get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) return fail(fmt::format("{}: {}", path, describe(errno)));
    auto made = make_secret(opened->get(), name, bytes);
    if (!made) return fail(fmt::format("{} cannot be made: {}", path, describe(made.error().number)));
    return *made;
  }
  if (!S_ISREG(facts.st_mode) || facts.st_uid != ::geteuid() || (facts.st_mode & others) != 0) {
    return fail(fmt::format("{} is not a file of this user's alone", path));
  }
  auto secret = read_file(opened->get(), name, bytes, /*follow=*/false);
  if (!secret) return fail(fmt::format("{}: {}", path, describe(secret.error().number)));
  if (secret->size() != bytes) return fail(fmt::format("{} has {} bytes instead of {}", path, secret->size(), bytes));
  return *secret;
}

}  // namespace cweb::store
