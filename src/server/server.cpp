#include "server/server.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/log.h"
#include "net/listener.h"
#include "server/management_threads.h"
#include "server/socket_directory.h"
#include "server/worker.h"

namespace cweb::server {
namespace {

size_t loops_for(int threads) {
  const size_t wanted = threads > 0 ? static_cast<size_t>(threads) : std::max(1U, std::thread::hardware_concurrency());
  return std::min(wanted, runtime::max_loops);
}

/// RFC 6797, 7.2: never on an answer that came without TLS.
std::string hsts_line(const ServerOptions& options) {
  if (options.tls == nullptr || !options.hsts_seconds) return {};
  return "Strict-Transport-Security: max-age=" + std::to_string(*options.hsts_seconds) + "\r\n";
}

class LoopServer final : public Server {
 public:
  LoopServer(const ServerOptions& options, uint16_t port, runtime::Runtime& runtime, ManagementHandler& management)
      : host_(options.host),
        port_(port),
        redirect_port_(options.redirect_listeners.port),
        speaks_https_(options.tls != nullptr),
        runtime_(runtime),
        limit_(options.max_connections),
        sockets_(runtime.retirer()),
        management_(management) {}

  Expected<void> add_worker(WorkerSockets listeners, WorkerOptions options) {
    options.sockets = &sockets_;
    auto worker = Worker::create(workers_.size(), std::move(listeners), options, runtime_, management_, limit_);
    if (!worker) return std::unexpected(worker.error());
    workers_.push_back(std::move(*worker));
    return {};
  }

  uint16_t port() const override { return port_; }
  const std::string& host() const override { return host_; }
  bool speaks_https() const override { return speaks_https_; }
  uint16_t redirect_port() const override { return redirect_port_; }

  void start() override {
    for (const auto& worker : workers_) runtime_.add_loop(worker->gate());
    for (const auto& worker : workers_) runtime_.drive(worker->gate());
  }

  bool stop(std::chrono::milliseconds grace) override {
    for (const auto& worker : workers_) worker->start_draining();
    wait_for_connections(grace);
    {
      const std::lock_guard lock(mutex_);
      running_ = workers_.size();
    }
    for (const auto& worker : workers_) worker->finish([this] { worker_ended(); });
    std::unique_lock lock(mutex_);
    // What is left is inside module code or in a deploy; whoever does not come back within a second does not come back.
    const bool all_ended = all_ended_.wait_for(lock, std::chrono::seconds(1), [&] { return running_ == 0; });
    if (!all_ended) log::warn("{} loops still have calls running that do not end", running_);
    lock.unlock();
    if (all_ended) {
      for (const auto& worker : workers_) runtime_.remove_loop(worker->gate());
    }
    return all_ended;
  }

 private:
  size_t open_connections() const {
    size_t open = 0;
    for (const auto& worker : workers_) open += worker->open_connections();
    return open;
  }

  void wait_for_connections(std::chrono::milliseconds grace) {
    const auto end = std::chrono::steady_clock::now() + grace;
    while (open_connections() > 0 && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  void worker_ended() {
    const std::lock_guard lock(mutex_);
    --running_;
    all_ended_.notify_one();
  }

  const std::string host_;
  const uint16_t port_;
  const uint16_t redirect_port_;
  const bool speaks_https_;
  runtime::Runtime& runtime_;
  ConnectionLimit limit_;
  SocketDirectory sockets_;
  std::vector<std::unique_ptr<Worker>> workers_;
  // Ends before the workers do: its threads post answers to them.
  ManagementThreads management_;
  std::mutex mutex_;
  std::condition_variable all_ended_;
  size_t running_ = 0;  // guarded by mutex_
};

}  // namespace

Expected<std::unique_ptr<Server>> Server::create(ServerOptions options, runtime::Runtime& runtime,
                                                 ManagementHandler& management, ServerMetrics& metrics,
                                                 AccessLog* access_log) {
  Expected<net::Listeners> listeners = std::move(options.listeners);
  if (listeners->sockets.empty()) {
    listeners = net::listen_on(options.host, options.port, loops_for(options.threads));
    if (!listeners) return std::unexpected(listeners.error());
  }
  auto server = std::make_unique<LoopServer>(options, listeners->port, runtime, management);
  const WorkerOptions worker_options{
      .limits = {},
      .max_body_bytes = options.max_body_bytes,
      .max_management_body_bytes = options.max_management_body_bytes,
      .asks_management_for_root = options.asks_management_for_root,
      .metrics = &metrics,
      .sockets = nullptr,
      .websockets = options.websockets,
      .access_log = access_log,
      .tls = options.tls,
      .every_answers_headers = hsts_line(options),
      .https_port = listeners->port,
  };
  std::vector<UniqueFd>& redirects = options.redirect_listeners.sockets;
  CWEB_ASSERT(redirects.empty() || redirects.size() == listeners->sockets.size());
  for (size_t i = 0; i < listeners->sockets.size(); ++i) {
    WorkerSockets sockets{.main = std::move(listeners->sockets[i]), .redirect = {}};
    if (!redirects.empty()) sockets.redirect = std::move(redirects[i]);
    if (auto added = server->add_worker(std::move(sockets), worker_options); !added) {
      return std::unexpected(added.error());
    }
  }
  return server;
}

}  // namespace cweb::server
