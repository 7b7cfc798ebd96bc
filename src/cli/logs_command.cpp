#include "cli/logs_command.h"

#include <unistd.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/client_failure.h"
#include "cli/event_stream.h"
#include "cli/event_view.h"
#include "cli/interrupts.h"
#include "cli/output.h"
#include "cli/report_text.h"
#include "cli/server_url.h"
#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

using nlohmann::json;

constexpr int retry_ms = 500;

class Logs {
 public:
  Logs(Client& client, const ClientCommand& command) : client_(client), command_(command) {}

  /// The number of the last event, beyond which the stream goes on.
  Expected<uint64_t> print_kept();
  /// Until Ctrl-C, until nobody reads, or until the server says that it will not.
  int follow(uint64_t after);

 private:
  void print_event(const json& event) const;
  void take(const ServerEvent& event);

  Client& client_;
  const ClientCommand& command_;
  const bool colours_ = wants_colours(STDOUT_FILENO);
  bool is_lost_ = false;  // the server does not answer now
};

void Logs::print_event(const json& event) const {
  if (command_.json) return print(event.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
  print(show_event(event, colours_));
}

Expected<uint64_t> Logs::print_kept() {
  std::string path = "/mgnt/logs?limit=" + std::to_string(command_.lines);
  for (const std::string& name : command_.modules) path += "&module=" + percent_encoded(name);
  const auto answer = client_.call({.path = path});
  if (!answer) return std::unexpected(answer.error());
  const auto page = json_of_answer(client_.address(), *answer);
  if (!page) return std::unexpected(page.error());
  if (answer->status != 200) return fail(text_in(*page, "error"));
  if (!page->contains("events")) return fail(not_cweb(client_.address(), "its answer has no events"));
  const json& events = member_of(*page, "events");
  for (const json& event : events) print_event(event);
  if (events.empty() && !command_.json && !command_.follow) {
    print_message(command_.modules.empty() ? "nothing has been printed yet, and nothing has happened\n"
                                           : "nothing is kept of that: `cweb list` tells which modules there are\n");
  }
  return number_in(*page, "last_id");
}

void Logs::take(const ServerEvent& event) {
  if (event.type != "hello") return print_event(event.json);
  if (is_lost_) complain("the server is there again");
  is_lost_ = false;
}

int Logs::follow(uint64_t after) {
  const auto interrupts = Interrupts::take_over();
  auto stream = EventStream::create(client_.address());
  if (!interrupts || !stream) {
    complain((interrupts ? stream.error() : interrupts.error()).message);
    return 1;
  }
  (*stream)->open(command_.modules, after);
  int64_t wait_ms = -1;
  while (!interrupts->came() && flush_output() && has_reader()) {
    // Of standard output its end alone is waited for, which needs no asking.
    std::array<curl_waitfd, 2> fds{{{interrupts->fd(), CURL_WAIT_POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
    (*stream)->wait(fds, static_cast<int>(wait_ms), [this](const ServerEvent& event) { take(event); });
    if ((*stream)->state() != EventStream::State::closed) {
      wait_ms = -1;
    } else if ((*stream)->is_refused()) {
      complain((*stream)->failure());
      return 1;
    } else if (wait_ms < 0) {
      if (!is_lost_) complain((*stream)->failure() + "; trying again until Ctrl-C");
      is_lost_ = true;
      wait_ms = retry_ms;
    } else {
      (*stream)->open(command_.modules, 0);
      wait_ms = -1;
    }
  }
  return 0;
}

}  // namespace

int run_logs(Client& client, const ClientCommand& command) {
  Logs logs(client, command);
  const auto last_id = logs.print_kept();
  if (!last_id) {
    complain(last_id.error().message);
    return 1;
  }
  return command.follow ? logs.follow(*last_id) : 0;
}

}  // namespace cweb::cli
