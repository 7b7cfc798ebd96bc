#include "cli/login_command.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/client.h"
#include "cli/client_failure.h"
#include "cli/credentials.h"
#include "cli/key_prompt.h"
#include "cli/output.h"
#include "cli/server_choice.h"

namespace cweb::cli {
namespace {

constexpr std::chrono::seconds longest_question{60};

/// The list of modules: what every key opens.
Expected<HttpAnswer> try_server(const ServerAddress& address) {
  auto client = Client::create(address);
  if (!client) return std::unexpected(client.error());
  return (*client)->call({.path = "/mgnt", .most = longest_question});
}

/// Does this server ask for a key? Fails when it is none of cweb's, so that nobody is asked for a key to give it to.
Expected<bool> needs_key(const ServerAddress& address) {
  const auto answer = try_server(address);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 401 && answer->content_type.starts_with("application/json")) return true;
  const auto list = json_of_answer(address, *answer);
  if (!list) return std::unexpected(list.error());
  if (!list->contains("modules")) return fail(not_cweb(address, "its answer is no list of modules"));
  return false;
}

Expected<void> check_key(const ServerAddress& address) {
  const auto answer = try_server(address);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 401) return fail("this is not the admin key of " + address.url + ": nothing is saved");
  const auto list = json_of_answer(address, *answer);
  if (!list) return std::unexpected(list.error());
  if (!list->contains("modules")) return fail(not_cweb(address, "its answer is no list of modules"));
  return {};
}

Expected<std::string> log_in(const ServerWish& wish, const std::string& server_url) {
  const auto path = credentials_path();
  if (!path) return std::unexpected(path.error());
  ServerAddress address{.url = server_url, .key = {}, .insecure = wish.insecure, .ca_file = wish.ca_file};
  const auto asks = needs_key(address);
  if (!asks) return std::unexpected(asks.error());
  if (!*asks) return server_url + " needs no key, and none is saved";
  auto key = wish.key.empty() ? ask_key("admin key of " + server_url + ": ") : Expected<std::string>(wish.key);
  if (!key) return std::unexpected(key.error());
  if (const std::string fault = key_fault(*key); !fault.empty()) return fail(fault + ": nothing is saved");
  address.key = std::move(*key);
  warn_of_open_key(address);
  if (const auto checked = check_key(address); !checked) return std::unexpected(checked.error());
  if (const auto saved = save_key(*path, server_url, address.key); !saved) return std::unexpected(saved.error());
  return "the key of " + server_url + " is saved in " + *path;
}

}  // namespace

int run_login(const ServerWish& wish, const std::string& server_url, bool json) {
  const auto done = log_in(wish, server_url);
  if (!done) {
    complain(done.error().message);
    return 1;
  }
  if (json) {
    print(nlohmann::ordered_json{{"server", server_url}, {"message", *done}}.dump() + "\n");
  } else {
    print_message(*done + "\n");
  }
  return 0;
}

}  // namespace cweb::cli
