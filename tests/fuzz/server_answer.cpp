// What a client command reads: `j` an answer in JSON, `d` the compiler's messages, `i` a routes.ini, `u` a server's
// URL. Whatever they hold, nothing is shown that a terminal would obey.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/client_failure.h"
#include "cli/diagnostic_text.h"
#include "cli/module_text.h"
#include "cli/report_text.h"
#include "cli/routes_ini.h"
#include "cli/server_url.h"
#include "cli/terminal_text.h"

namespace {

using namespace cweb::cli;

void check_shown(const std::string& text) {
  CWEB_ASSERT(harmless(text) == text);
}

void check_lines(const std::string& text) {
  check_shown(text);
  CWEB_ASSERT(text.empty() || text.ends_with('\n'));
}

void read_answer(const std::string& bytes) {
  const ServerAddress address{.url = "http://localhost:8080"};
  for (const int status : {200, 308, 400, 401, 403, 404, 422, 429, 503}) {
    for (const char* type : {"application/json", "text/plain"}) {
      const HttpAnswer answer{.status = status, .content_type = type, .body = bytes, .location = bytes};
      const auto json = json_of_answer(address, answer);
      check_shown(json ? "" : json.error().message);
      CWEB_ASSERT(json || json.error().message.find('\n') == std::string::npos);
    }
  }
  const auto json = json_of_answer(address, {.status = 200, .content_type = "application/json", .body = bytes});
  if (!json) return;
  const ReportText told = report_text(*json, "a.c", bytes, false);
  check_lines(told.result);
  check_lines(told.messages);
  CWEB_ASSERT(told.succeeded == !told.result.empty());
  for (const auto& text : {list_text(*json, false), files_text(*json, false), module_text(*json, false),
                           history_text(*json, false), notices_text(*json, "a", false)}) {
    check_lines(text);
  }
}

void read_diagnostics(const std::string& bytes) {
  const std::string text = diagnostic_text(bytes, "a.c", bytes, false);
  check_lines(text);
  // Without colours and in the place of the same name, what is harmless already stays as it is, or gets excerpts.
  const std::string same = diagnostic_text(bytes, "module.c", "", false);
  const std::string clean = harmless(bytes);
  CWEB_ASSERT(same == clean || same == clean + "\n");
}

void read_ini(const std::string& bytes) {
  const RoutesIni ini = parse_routes_ini(bytes, "site/routes.ini");
  for (const std::string& problem : ini.problems) {
    check_shown(problem);
    CWEB_ASSERT(problem.starts_with("site/routes.ini:") && problem.find('\n') == std::string::npos);
  }
  for (const std::string& file : ini.files) {
    CWEB_ASSERT(file.starts_with('/') || file.starts_with("site/"));
    CWEB_ASSERT(file.find('\n') == std::string::npos && file.find('\0') == std::string::npos);
  }
  if (!ini.server_url.empty()) CWEB_ASSERT(parse_server_url(ini.server_url) == ini.server_url);
}

void read_url(const std::string& bytes) {
  const auto url = parse_server_url(bytes);
  check_shown(url ? *url : url.error().message);
  if (!url) return;
  CWEB_ASSERT(parse_server_url(*url) == *url && parse_server_url(*url + "/mgnt/") == *url);
  CWEB_ASSERT(!host_of_url(*url).empty() && url->find_first_of(" @?#\r\n") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'j':
      read_answer(bytes);
      break;
    case 'd':
      read_diagnostics(bytes);
      break;
    case 'i':
      read_ini(bytes);
      break;
    case 'u':
      read_url(bytes);
      break;
    default:
      break;
  }
  return 0;
}
