// The calls under /mgnt: which method and path does what, and how the answers look. Runs on the server's management
// workers, several calls at a time. How a deploy goes is deployer's; who may is access's.
#pragma once

#include <string>
#include <string_view>

#include "mgnt/access.h"
#include "mgnt/audit.h"
#include "mgnt/deployer.h"
#include "mgnt/event_log.h"
#include "mgnt/fault_desk.h"
#include "runtime/runtime.h"
#include "server/management.h"
#include "server/server_metrics.h"

namespace cweb::mgnt {

struct ManagementOptions {
  bool production = false;     ///< no answer shows a line of a source, but the one that is asked for the source
  EventLog* events = nullptr;  ///< what /mgnt/logs and /mgnt/events show; null: they are not there. Outlives the API
};

/// Thread-safe. Everything it was given outlives it. HEAD is answered like GET, with the body: the server leaves it
/// out.
class ManagementApi final : public server::ManagementHandler {
 public:
  ManagementApi(Deployer& deployer, runtime::Runtime& runtime, Access& access, const server::ServerMetrics& metrics,
                FaultDesk& faults, ManagementOptions options = {});

  server::ManagementAnswer handle(const server::ManagementRequest& request) override;

 private:
  using Request = server::ManagementRequest;
  using Answer = server::ManagementAnswer;

  // Those that may change what is served note in the record what they did.
  Answer managed(const Request& request);
  Answer welcome(const Request& request);
  Answer route(const Request& request, const Admission& admission, AuditRecord& record);
  Answer root(const Request& request, FaultView view, AuditRecord& record);
  Answer module(const Request& request, std::string_view escaped_name, FaultView view, AuditRecord& record);
  Answer one_module(const Request& request, const std::string& name, FaultView view) const;
  Answer restart(const Request& request, std::string_view escaped_name, AuditRecord& record);
  Answer faults(const Request& request, FaultView view) const;
  Answer module_source(const Request& request, std::string_view escaped_name) const;
  Answer health(const Request& request) const;
  Answer metrics(const Request& request) const;
  Answer logs(const Request& request) const;
  Answer events(const Request& request) const;
  Answer deploy(const Request& request, AuditRecord& record);
  Answer list(FaultView view) const;
  Answer history(const Request& request, std::string_view escaped_name) const;
  Answer rollback(const Request& request, std::string_view escaped_name, AuditRecord& record);
  Answer remove(const Request& request, const std::string& name, AuditRecord& record);
  Answer report_answer(const Request& request, DeployReport report) const;
  FaultView view_for(const Admission& admission) const;

  Deployer& deployer_;
  runtime::Runtime& runtime_;
  runtime::Registry& registry_;
  Access& access_;
  const server::ServerMetrics& metrics_;
  FaultDesk& faults_;
  const ManagementOptions options_;
};

}  // namespace cweb::mgnt
