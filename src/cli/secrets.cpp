#include "cli/secrets.h"

#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
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

/// Where one of the keys comes from.
struct KeySource {
  const char* what;
  const char* variable;
  const char* option;
};
constexpr KeySource admin_source{"the admin key", admin_key_variable, "--admin-key-file"};
constexpr KeySource read_source{"the read key", read_key_variable, "--read-key-file"};

Expected<std::string> read_secret(const KeySource& source, const std::string& path) {
  const std::string place = std::string(source.option) + " " + path;
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(place + ": " + std::strerror(errno));
  std::array<char, longest_secret + 1> bytes;
  size_t length = 0;
  while (length < bytes.size()) {
    const ssize_t count = read(file.get(), bytes.data() + length, bytes.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(place + ": " + std::strerror(errno));
    if (count == 0) break;
    length += static_cast<size_t>(count);
  }
  std::string_view text(bytes.data(), length);
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  std::string secret(text);
  explicit_bzero(bytes.data(), bytes.size());
  if (length > longest_secret) return fail(place + " is too long to be a key");
  return secret;
}

Expected<std::optional<std::string>> take_key(const KeySource& source, const std::string& file) {
  std::optional<std::string> key = take_variable(source.variable);
  if (key && key->size() > longest_secret) {
    forget(key);
    return fail(std::string(source.variable) + " is too long to be a key");
  }
  if (file.empty()) return key;
  if (key) {
    forget(key);
    return fail(std::string(source.what) + " is given twice: by " + source.variable + " and by " + source.option);
  }
  auto read = read_secret(source, file);
  if (!read) return std::unexpected(read.error());
  return std::optional(std::move(*read));
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
  return take_key(admin_source, file);
}

Expected<std::optional<std::string>> take_read_key(const std::string& file) {
  return take_key(read_source, file);
}

std::string make_key() {
  std::array<unsigned char, 32> bytes{};
  CWEB_ASSERT(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  constexpr std::string_view digits = "0123456789abcdef";
  std::string key;
  for (const unsigned byte : bytes) {
    key += digits[byte >> 4];
    key += digits[byte & 0xf];
  }
  explicit_bzero(bytes.data(), bytes.size());
  return key;
}

void forget(std::optional<std::string>& secret) {
  if (secret) explicit_bzero(secret->data(), secret->size());
  secret.reset();
}

}  // namespace cweb::cli
