// The calls under /mgnt: which method and path does what, and how the answers look. Runs on the server's management
// workers, several calls at a time. How a deploy goes is deployer's; who may is access's.
#pragma once

#include <string>
#include <string_view>

#include "mgnt/deployer.h"
#include "runtime/runtime.h"
#include "server/management.h"
#include "server/server_metrics.h"

namespace cweb::mgnt {

/// Thread-safe. What it is given outlives it. HEAD is answered like GET, with the body: the server leaves it out.
class ManagementApi final : public server::ManagementHandler {
 public:
  ManagementApi(Deployer& deployer, runtime::Runtime& runtime, const server::ServerMetrics& metrics);

  server::ManagementAnswer handle(const server::ManagementRequest& request) override;

 private:
  using Request = server::ManagementRequest;
  using Answer = server::ManagementAnswer;

  Answer route(const Request& request);
  Answer root(const Request& request);
  Answer module(const Request& request, std::string_view escaped_name);
  Answer module_source(const Request& request, std::string_view escaped_name) const;
  Answer health(const Request& request) const;
  Answer metrics(const Request& request) const;
  Answer deploy(const Request& request);
  Answer list() const;
  Answer remove(const Request& request, const std::string& name);

  Deployer& deployer_;
  runtime::Runtime& runtime_;
  runtime::Registry& registry_;
  const server::ServerMetrics& metrics_;
};

}  // namespace cweb::mgnt
