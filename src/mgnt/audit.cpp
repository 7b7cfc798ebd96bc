#include "mgnt/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "http/form.h"

namespace cweb::mgnt {
namespace {

using Action = AuditRecord::Action;

constexpr size_t longest_text = 200;
constexpr std::string_view modules_path = "/mgnt/modules/";

const char* to_string(Admission::How how) {
  switch (how) {
    case Admission::How::open:
      return "open";
    case Admission::How::keyless:
      return "keyless-loopback";
    case Admission::How::gateway:
      return "keyless-gateway";
    case Admission::How::key:
      return "key";
    case Admission::How::read_key:
      return "read-key";
    case Admission::How::refused:
      break;
  }
  return "none";
}

const char* to_string(Action action) {
  switch (action) {
    case Action::deploy:
      return "deploy";
    case Action::check:
      return "check";
    case Action::remove:
      return "delete";
    case Action::restart:
      return "restart";
    case Action::rollback:
      return "rollback";
    case Action::other:
      break;
  }
  return "other";
}

/// [::1]:8080 for IPv6, as in URLs.
std::string place(const net::PeerAddress& peer) {
  const std::string address = peer.is_ipv4() ? peer.text() : "[" + peer.text() + "]";
  return fmt::format("{}:{}", address, peer.port());
}

void add_text(std::string& line, std::string_view name, const std::string& text) {
  if (!text.empty()) fmt::format_to(std::back_inserter(line), " {}={}", name, quote_for_log(text));
}

bool is_change(const AuditRecord& record) {
  return record.action != Action::other;
}

}  // namespace

void AuditRecord::set(const DeployReport& report) {
  hash = report.hash;
  module = report.module ? report.module->name : report.name;
  version = report.module ? report.module->version : 0;
  result = mgnt::to_string(report.status);
  stage = report.stage;
  reason = report.message;
}

void AuditRecord::set(const Deployer::Removal& removal) {
  using Result = Deployer::Removal::Result;
  result = removal.result == Result::removed ? "removed" : "failed";
  if (removal.result == Result::superseded) reason = "superseded";
  if (removal.result == Result::no_such_module) reason = "no such module";
  if (removal.result == Result::not_kept) reason = removal.failure.message;
  if (!removal.module) return;
  version = removal.module->version;
  hash = removal.module->hash;
}

void AuditRecord::set(const Deployer::Restart& restart, const std::string& name) {
  action = Action::restart;
  module = name;
  result = restart.result == Deployer::Restart::Result::restarted ? "restarted" : "failed";
  if (restart.report.module) version = restart.report.module->version;
  stage = restart.report.stage;
  reason = restart.report.message;
}

AuditRecord begin_record(const server::ManagementRequest& request) {
  AuditRecord record;
  const bool to_root = request.path == "/mgnt" || request.path == "/mgnt/";
  if (to_root && (request.method == "POST" || request.method == "PUT")) {
    record.action = Action::deploy;
  }
  if (request.method == "DELETE" && request.path.starts_with(modules_path)) {
    record.action = Action::remove;
    record.module =
        http::percent_decode(std::string_view(request.path).substr(modules_path.size()), http::Plus::is_plus);
  }
  for (const auto& [path, action] : {std::pair<std::string_view, Action>{"/restart", Action::restart},
                                     std::pair<std::string_view, Action>{"/rollback", Action::rollback}}) {
    if (request.method != "POST" || !request.path.starts_with(modules_path) || !request.path.ends_with(path)) continue;
    record.action = action;
    std::string_view name = std::string_view(request.path).substr(modules_path.size());
    name.remove_suffix(std::min(name.size(), path.size()));
    record.module = http::percent_decode(name, http::Plus::is_plus);
  }
  if (!is_change(record)) record.request = request.method + " " + request.path;
  return record;
}

bool is_audited(const AuditRecord& record, const Admission& admission) {
  return admission.wrong_key || is_change(record);
}

std::string audit_line(const AuditRecord& record, const Admission& admission, const net::PeerAddress& peer, int status,
                       double elapsed_ms) {
  std::string line =
      fmt::format("audit peer={} auth={} action={}", place(peer), to_string(admission.how), to_string(record.action));
  add_text(line, "request", record.request);
  add_text(line, "module", record.module);
  if (record.version != 0) fmt::format_to(std::back_inserter(line), " version={}", record.version);
  if (!record.hash.empty()) fmt::format_to(std::back_inserter(line), " hash={}", record.hash);
  fmt::format_to(std::back_inserter(line), " result={} status={}",
                 admission.admitted() ? (record.result.empty() ? "failed" : record.result) : "refused", status);
  if (!record.stage.empty()) fmt::format_to(std::back_inserter(line), " stage={}", record.stage);
  add_text(line, "reason", admission.admitted() ? record.reason : admission.sentence);
  fmt::format_to(std::back_inserter(line), " ms={:.1f}", elapsed_ms);
  return line;
}

std::string quote_for_log(std::string_view text) {
  std::string shown = "\"";
  for (const char c : text.substr(0, longest_text)) {
    if (c == '"' || c == '\\') {
      shown += '\\';
      shown += c;
    } else if (c >= ' ' && c <= '~') {
      shown += c;
    } else {
      fmt::format_to(std::back_inserter(shown), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  shown += text.size() > longest_text ? "...\"" : "\"";
  return shown;
}

}  // namespace cweb::mgnt
