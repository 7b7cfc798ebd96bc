#include "server/fault_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "runtime/calling_thread.h"
#include "runtime/module_version.h"

namespace cweb::server {
namespace {

constexpr size_t most_body_bytes = 1024;
constexpr size_t most_line_bytes = 2048;

constexpr std::array secret_headers{"authorization", "proxy-authorization", "cookie", "x-api-key"};

bool is_secret(std::string_view name) {
  for (const std::string_view secret : secret_headers) {
    if (same_ignoring_case(name, secret)) return true;
  }
  return false;
}

/// Control characters and bytes beyond ASCII as they are in a C string: logs and terminals act on them.
std::string printable(std::string_view bytes, bool keeps_lines) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= 0x20 && byte < 0x7f) || (keeps_lines && c == '\n')) {
      text += c;
    } else {
      text += fmt::format("\\x{:02x}", byte);
    }
  }
  return text;
}

std::string excerpt(std::string_view bytes) {
  std::string text = printable(bytes.substr(0, most_body_bytes), true);
  if (bytes.size() > most_body_bytes) text += fmt::format("\n... ({} bytes in all)", bytes.size());
  return text;
}

}  // namespace

runtime::FaultContext describe_request(const http::RequestReader& reader, std::string_view path) {
  runtime::FaultContext context;
  context.call = printable(fmt::format("{} {}", reader.method(), path.substr(0, most_line_bytes)), false);
  context.request = context.call;
  if (reader.target().size() > path.size()) {
    // Names and values were ended with NULs, and values with escapes in them have become shorter.
    std::string query(reader.target().substr(path.size() + 1, most_line_bytes));
    std::replace(query.begin(), query.end(), '\0', ' ');
    context.request += "?" + printable(query, false);
  }
  context.request += "\n";
  for (const http::HeaderPiece& header : reader.headers()) {
    const std::string_view name = reader.view(header.name);
    const std::string_view value = is_secret(name) ? "(left out)" : reader.view(header.value);
    context.request += printable(fmt::format("{}: {}", name, value.substr(0, most_line_bytes)), false) + "\n";
    if (same_ignoring_case(name, "accept")) context.accept = value;
  }
  const std::span<const char> body = reader.body();
  if (!body.empty()) context.request += "\n" + excerpt({body.data(), body.size()}) + "\n";
  return context;
}

runtime::FaultContext describe_message(std::string_view callback, std::string_view path, std::string_view message,
                                       bool is_binary) {
  runtime::FaultContext context;
  context.call = printable(fmt::format("{} of WebSocket {}", callback, path), false);
  if (callback == "on_message") {
    context.request =
        fmt::format("{} message, {} bytes\n{}\n", is_binary ? "binary" : "text", message.size(), excerpt(message));
  }
  return context;
}

runtime::FaultAnswer report_ended_call(runtime::ModuleVersion& version, const runtime::FaultRecord& fault,
                                       const runtime::FaultContext& context) {
  runtime::CallingThread& thread = *runtime::CallingThread::current();
  if (fault.kind != runtime::FaultRecord::Kind::deadline || thread.begin_report(thread.call() - 1)) {
    return runtime::report_fault(version.shared_from_this(), fault, context);
  }
  // The client has its answer, or gets this one when the call ended just before.
  return {.status = 504,
          .id = {},
          .sentence = "the call took longer than it may",
          .body = "the call took longer than it may: see the server's log\n"};
}

}  // namespace cweb::server
