// The audit trail: who changed what is served, or tried to. One line of the log for each deploy, check and delete,
// done, failed or refused, and for each wrong key whatever it was sent for. The log puts the time in front.
#pragma once

#include <string>
#include <string_view>

#include "mgnt/access.h"
#include "mgnt/deploy_report.h"
#include "mgnt/deployer.h"
#include "server/management.h"

namespace cweb::mgnt {

/// One call. What is not known stays empty and is left out of the line.
struct AuditRecord {
  enum class Action { deploy, check, remove, restart, rollback, other };
  Action action = Action::other;
  std::string request;  ///< method and path of another action
  std::string module;
  unsigned version = 0;
  std::string hash;    ///< of the source, SHA-256 in hexadecimal
  std::string result;  ///< "deployed", "unchanged", "checked", "removed", "failed" or "refused"
  std::string stage;   ///< of a failed deploy
  std::string reason;  ///< of a failure or a refusal

  void set(const DeployReport& report);
  void set(const Deployer::Removal& removal);
  void set(const Deployer::Restart& restart, const std::string& name);
};

/// What this request asks for, as far as that can be told without doing it: what a refusal's line says.
AuditRecord begin_record(const server::ManagementRequest& request);

/// Does this call leave a line?
bool is_audited(const AuditRecord& record, const Admission& admission);

/// `audit peer=127.0.0.1:40112 auth=key action=deploy module="counter" version=3 ...`, without a line end. Whatever a
/// client chose is quoted and escaped, and cut where it is long: nobody writes a line of the log but the server.
std::string audit_line(const AuditRecord& record, const Admission& admission, const net::PeerAddress& peer, int status,
                       double elapsed_ms);

/// In double quotes, in printable ASCII: quotes, backslashes and all other bytes are escaped, and what is longer than
/// 200 bytes ends in "...".
std::string quote_for_log(std::string_view text);

}  // namespace cweb::mgnt
