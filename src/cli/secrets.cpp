#include "cli/secrets.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/unique_fd.h"

namespace cweb::cli {
namespace {

/// No key is nearly as long; a file that is has been named by mistake.
constexpr size_t longest_secret = 16 * 1024;

Expected<std::string> read_secret(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail("--admin-key-file " + path + ": " + std::strerror(errno));
  std::array<char, longest_secret + 1> bytes;
  size_t length = 0;
  while (length < bytes.size()) {
    const ssize_t count = read(file.get(), bytes.data() + length, bytes.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail("--admin-key-file " + path + ": " + std::strerror(errno));
    if (count == 0) break;
    length += static_cast<size_t>(count);
  }
  std::string_view text(bytes.data(), length);
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  std::string secret(text);
  explicit_bzero(bytes.data(), bytes.size());
  if (length > longest_secret) return fail("--admin-key-file " + path + " is too long to be a key");
  return secret;
}

}  // namespace

std::optional<std::string> take_variable(const char* name) {
  const std::string prefix = std::string(name) + "=";
  std::optional<std::string> taken;
  // The same name may be there several times: the first counts, and none may stay.
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with(prefix)) continue;
    char* value = *variable + prefix.size();
    if (!taken) taken = value;
    explicit_bzero(value, strlen(value));
  }
  unsetenv(name);
  return taken;
}

Expected<std::optional<std::string>> take_admin_key(const std::string& file) {
  std::optional<std::string> key = take_variable(admin_key_variable);
  if (key && key->size() > longest_secret) {
    forget(key);
    return fail(std::string(admin_key_variable) + " is too long to be a key");
  }
  if (file.empty()) return key;
  if (key) {
    forget(key);
    return fail("the admin key is given twice: by CWEB_ADMIN_KEY and by --admin-key-file");
  }
  auto read = read_secret(file);
  if (!read) return std::unexpected(read.error());
  return std::optional(std::move(*read));
}

void forget(std::optional<std::string>& secret) {
  if (secret) explicit_bzero(secret->data(), secret->size());
  secret.reset();
}

}  // namespace cweb::cli
