#include "cli/server_choice.h"

#include <cstdlib>
#include <utility>

#include "cli/credentials.h"
#include "cli/output.h"
#include "cli/secrets.h"
#include "cli/server_url.h"

namespace cweb::cli {
namespace {

constexpr const char* server_variable = "CWEB_SERVER";

std::string_view server_by_environment() {
  const char* const value = std::getenv(server_variable);
  return value == nullptr ? "" : value;
}

Expected<std::string> url_from(const char* place, std::string_view text) {
  auto url = parse_server_url(text);
  if (!url) return fail(std::string(place) + ": " + url.error().message);
  return url;
}

Expected<std::string> given_key(const char* place, std::string key) {
  if (const std::string fault = key_fault(key); !fault.empty()) return fail(std::string(place) + ": " + fault);
  return key;
}

Expected<std::string> choose_key(const ServerWish& wish, const std::string& url) {
  auto by_environment = take_variable(admin_key_variable);
  if (!wish.key.empty()) return given_key("--key", wish.key);
  if (by_environment && !by_environment->empty()) return given_key(admin_key_variable, std::move(*by_environment));
  const auto path = credentials_path();
  if (!path) return std::string();
  return saved_key(*path, url);
}

}  // namespace

bool names_server(const ServerWish& wish) {
  return !wish.url.empty() || !server_by_environment().empty();
}

Expected<std::string> choose_server(const ServerWish& wish, const std::string& ini_url) {
  if (!wish.url.empty()) return url_from("--server", wish.url);
  if (const auto variable = server_by_environment(); !variable.empty()) return url_from(server_variable, variable);
  return ini_url.empty() ? parse_server_url(default_server_url) : ini_url;
}

Expected<ServerAddress> choose_address(const ServerWish& wish, const std::string& ini_url) {
  const auto url = choose_server(wish, ini_url);
  if (!url) return std::unexpected(url.error());
  auto key = choose_key(wish, *url);
  if (!key) return std::unexpected(key.error());
  return ServerAddress{.url = *url, .key = std::move(*key), .insecure = wish.insecure, .ca_file = wish.ca_file};
}

void warn_of_open_key(const ServerAddress& address) {
  if (address.key.empty() || is_https_url(address.url) || is_loopback_url(address.url)) return;
  complain("warning: the key travels to " + address.url + " in the open, for everybody on the way to read");
}

}  // namespace cweb::cli
