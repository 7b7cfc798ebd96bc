#include "cli/module_commands.h"

#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/client_failure.h"
#include "cli/module_text.h"
#include "cli/output.h"
#include "cli/report_text.h"
#include "cli/server_url.h"
#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds longest_question{60};

std::string path_of(const std::string& module, std::string_view what = {}) {
  return "/mgnt/modules/" + percent_encoded(module) + std::string(what);
}

/// An answer of cweb's, whatever its status.
struct Answer {
  int status = 0;
  json object;
  std::string text;
};

/// `done` is the status in the JSON of a 200 that says so; empty where it says something else.
Expected<Answer> ask(Client& client, std::string_view method, const std::string& path, std::string_view done = {}) {
  // What changes something may take long: onload runs, and the compiler.
  const std::chrono::seconds most = method == "GET" ? longest_question : std::chrono::seconds(0);
  auto answer = client.call({.method = method, .path = path, .most = most});
  if (!answer) return std::unexpected(answer.error());
  auto object = json_of_answer(client.address(), *answer);
  if (!object) return std::unexpected(object.error());
  if (answer->status == 200 && !done.empty() && text_in(*object, "status") != done) {
    return fail(not_cweb(client.address(), "its answer does not say that it is done"));
  }
  return Answer{answer->status, std::move(*object), std::move(answer->body)};
}

/// The server's own sentence.
std::string said(const Answer& answer) {
  std::string error = text_in(answer.object, "error");
  // It names the call that tells more; here a command does.
  constexpr std::string_view see = ": see /mgnt/modules/";
  constexpr std::string_view history = "/history";
  if (const size_t at = error.find(see); at != std::string::npos && error.ends_with(history)) {
    error.resize(error.size() - history.size());
    error.replace(at, see.size(), ": `cweb history ");
    error += "` tells which there are";
  }
  if (error.starts_with("there is no module named")) return error + ": `cweb list` tells which there are";
  return error.empty() ? "the server says " + std::to_string(answer.status) + " and not why" : error;
}

/// GETs, and tells of failures; `show` makes the text of a 200, which has this member when it is cweb's.
template <typename Show>
int ask_and_show(Client& client, const ClientCommand& command, const std::string& path, const char* member,
                 Show&& show) {
  auto answer = ask(client, "GET", path);
  if (answer && answer->status == 200 && !answer->object.contains(member)) {
    answer = fail(not_cweb(client.address(), std::string("its answer has no ") + member));
  }
  if (!answer) {
    complain(answer.error().message);
    return 1;
  }
  if (command.json) print_foreign(answer->text);
  if (answer->status != 200) {
    if (!command.json) complain(said(*answer));
    return 1;
  }
  if (!command.json) show(answer->object);
  return 0;
}

bool colours_of_results() {
  return wants_colours(STDOUT_FILENO);
}

}  // namespace

int run_list(Client& client, const ClientCommand& command) {
  return ask_and_show(client, command, "/mgnt", "modules", [](const json& object) {
    const std::string table = list_text(object, colours_of_results());
    if (table.empty()) print_message("no module is deployed yet: cweb deploy FILE.c\n");
    print(table);
    print_message(files_text(object, wants_colours(STDERR_FILENO)));
  });
}

int run_show(Client& client, const ClientCommand& command) {
  return ask_and_show(client, command, path_of(command.modules.front()), "name",
                      [](const json& object) { print(module_text(object, colours_of_results())); });
}

int run_history(Client& client, const ClientCommand& command) {
  return ask_and_show(client, command, path_of(command.modules.front(), "/history"), "versions",
                      [](const json& object) { print(history_text(object, colours_of_results())); });
}

int run_source(Client& client, const ClientCommand& command) {
  const std::string path = path_of(command.modules.front(), "/source");
  const auto answer = client.call({.path = path,
                                   .accept = command.json ? "application/json" : "text/x-c, application/json",
                                   .most = longest_question});
  if (!answer) {
    complain(answer.error().message);
    return 1;
  }
  if (!command.json && answer->status == 200 && answer->content_type.starts_with("text/x-c")) {
    print_foreign(answer->body);
    return 0;
  }
  auto object = json_of_answer(client.address(), *answer);
  const bool found = answer->status == 200;
  if (object && found && !(command.json && object->contains("source"))) {
    object = fail(not_cweb(client.address(), "its answer is no source"));
  }
  if (!object) {
    complain(object.error().message);
  } else if (command.json) {
    print_foreign(answer->body);
  } else {
    complain(said(Answer{answer->status, *object, {}}));
  }
  return object && found ? 0 : 1;
}

int run_remove(Client& client, const ClientCommand& command) {
  int exit_code = 0;
  for (const std::string& module : command.modules) {
    const auto answer = ask(client, "DELETE", path_of(module), "removed");
    if (!answer) {
      complain(answer.error().message);
      return 1;
    }
    if (command.json) print_foreign(answer->text);
    const bool is_removed = answer->status == 200;
    if (!is_removed) exit_code = 1;
    if (command.json) continue;
    if (is_removed) print(one_line(module) + " is removed\n");
    if (!is_removed) complain(said(*answer));
  }
  return exit_code;
}

int run_rollback(Client& client, const ClientCommand& command) {
  const std::string& module = command.modules.front();
  const std::string query = command.hash.empty() ? "" : "?to=" + percent_encoded(command.hash);
  auto answer = ask(client, "POST", path_of(module, "/rollback" + query));
  if (answer && answer->status == 200 && !answer->object.contains("status")) {
    answer = fail(not_cweb(client.address(), "its answer has no status"));
  }
  if (!answer) {
    complain(answer.error().message);
    return 1;
  }
  const bool is_report = answer->object.contains("status");
  // An older source than the file at hand: its places are told under the module's name.
  const ReportText told = report_text(answer->object, module, {}, wants_colours(STDERR_FILENO));
  if (command.json) {
    print_foreign(answer->text);
  } else if (is_report) {
    print_message(told.messages);
    print(told.result);
  } else {
    complain(said(*answer));
  }
  return is_report && told.succeeded && answer->status == 200 ? 0 : 1;
}

int run_restart(Client& client, const ClientCommand& command) {
  const std::string& module = command.modules.front();
  const auto answer = ask(client, "POST", path_of(module, "/restart"), "restarted");
  if (!answer) {
    complain(answer.error().message);
    return 1;
  }
  const bool is_restarted = answer->status == 200;
  if (command.json) {
    print_foreign(answer->text);
  } else if (is_restarted) {
    const auto version = number_in(answer->object, "version");
    print(one_line(module) + (version == 0 ? "" : ", version " + std::to_string(version) + ",") + " is restarted\n");
    print_message(notices_text(answer->object, module, wants_colours(STDERR_FILENO)));
  } else {
    complain("not restarted: " + said(*answer));
  }
  return is_restarted ? 0 : 1;
}

}  // namespace cweb::cli
